"""Fixtures of the sweeps' tests."""

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.settings import Settings


@pytest.fixture
def away(settings: Settings) -> Client:
    """The same results, with a Redis that is not there and that nobody expects."""
    nowhere = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    return Client(nowhere, redis_is_optional=True)
