"""Redis' errors become one sentence each, with the address and never the password."""

import pytest
from redis import exceptions

from jobs.errors import RedisUnreachable
from jobs.ledger.connection import in_sentences
from jobs.ledger.ledger import Ledger

URL = "redis://user:geheim@host:6379/0"
MASKED = "redis://user:***@host:6379/0"
UP = "`quartet up` starts a private Redis"


@pytest.mark.parametrize(
    ("url", "sentence", "hint"),
    [
        ("redis://:geheim@127.0.0.1:1/0", "Redis cannot be reached at redis://:***@127.0.0.1:1/0", None),
        ("unix:///nowhere.sock", "Redis cannot be reached at unix:///nowhere.sock", UP),
        ("http://:geheim@host", "'http://:***@host' is not a valid Redis URL (", None),
        ("redis://host:port", "'redis://host:port' is not a valid Redis URL (", None),
    ],
)
def test_a_redis_that_cannot_be_reached_is_named_without_its_password(
    url: str, sentence: str, hint: str | None
) -> None:
    with pytest.raises(RedisUnreachable) as caught:
        Ledger(url).ids()
    said = str(caught.value)
    assert said.startswith(sentence) if sentence.endswith("(") else said == sentence
    assert caught.value.hint == hint
    assert "geheim" not in said
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (exceptions.AuthenticationError("no"), f"Redis at {MASKED} does not accept the password"),
        (exceptions.ResponseError("NOAUTH needed"), f"Redis at {MASKED} does not accept the password"),
        (exceptions.NoPermissionError("'get'"), f"Redis at {MASKED} denies this user a command ('get')"),
        (exceptions.ConnectionError("x"), f"Redis cannot be reached at {MASKED}"),
        (exceptions.TimeoutError("x"), f"Redis cannot be reached at {MASKED}"),
        (exceptions.BusyLoadingError("x"), f"Redis cannot be reached at {MASKED}"),
        (exceptions.ResponseError("OOM full"), f"Redis at {MASKED} refuses writes (OOM full)"),
        (exceptions.ReadOnlyError("READONLY x"), f"Redis at {MASKED} refuses writes (READONLY x)"),
        (exceptions.ResponseError("MISCONF x"), f"Redis at {MASKED} refuses writes (MISCONF x)"),
        (OSError("AF_UNIX path too long"), f"Redis cannot be reached at {MASKED} (AF_UNIX path too long)"),
    ],
)
def test_every_way_in_which_redis_fails_is_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(RedisUnreachable) as caught, in_sentences(URL):
        raise error
    assert str(caught.value) == sentence
    assert caught.value.hint is None
    assert caught.value.__cause__ is None


def test_an_error_of_our_own_code_is_let_through() -> None:
    with pytest.raises(exceptions.ResponseError, match="unknown command"), in_sentences(URL):
        raise exceptions.ResponseError("unknown command")
    with pytest.raises(KeyError), in_sentences(URL):
        raise KeyError("x")
