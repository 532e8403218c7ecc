"""Runs the ledger's transitions: Lua scripts, each one atomic step in Redis."""

import json
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jobs.errors import RedisUnreachable
from jobs.ledger.connection import ANSWER_SECONDS, connect, in_sentences
from jobs.ledger.messages import lists
from jobs.redis_address import masked_url


class ScriptRunner:
    """A connection to one Redis, and the scripts of `lua/` that are registered with it."""

    def __init__(
        self, url: str, patience_seconds: float = 0.0, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """Send nothing before the first call.

        Args:
            url: Redis' address.
            patience_seconds: how long to try again while Redis cannot be reached.
            answer_seconds: how long Redis may take to answer.
        """
        self.url = url
        self._patience_seconds = patience_seconds
        self._answer_seconds = answer_seconds
        self._client: Any = None
        self._scripts: dict[str, Callable[..., Any]] = {}

    @property
    def redis(self) -> Any:
        """The connection pool, made when it is first needed.

        Raises:
            RedisUnreachable: the address is not valid.
        """
        if self._client is None:
            try:
                self._client = connect(self.url, self._patience_seconds, self._answer_seconds)
            except ValueError as error:
                raise RedisUnreachable(
                    f"{masked_url(self.url)!r} is not a valid Redis URL ({error})"
                ) from None
        return self._client

    def run(self, name: str, *arguments: object) -> Any:
        """Run a script of `lua/`.

        Args:
            name: of the script, without its suffix.
            arguments: its ARGV.

        Returns:
            What the script returns.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        with in_sentences(self.url):
            if name not in self._scripts:
                self._scripts[name] = self.redis.register_script(_source(name))
            return self._scripts[name](args=list(arguments))


@lru_cache
def _source(name: str) -> str:
    folder = files("jobs.ledger") / "lua"
    known = f"local LISTS = cjson.decode([=[{json.dumps(lists())}]=])\n"
    return known + (folder / "common.lua").read_text() + (folder / f"{name}.lua").read_text()
