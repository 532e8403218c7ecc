"""Runs the ledger's transitions: Lua scripts, each one atomic step in Redis."""

import json
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

from jobs.errors import InvalidJob, RedisUnreachable
from jobs.ledger.connection import ANSWER_SECONDS, check_mode, connect, in_sentences
from jobs.ledger.messages import lists, template
from jobs.redis_access.address import read_address

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

PREFIX = "quartet:"
"""After the namespace, if there is one, what every key begins with except for the lists of messages."""

PAUSE_SECONDS = 0.5
"""Between two tries while Redis is away."""


class ScriptRunner:
    """A connection to one Redis, and the scripts of `lua/` that are registered with it."""

    def __init__(
        self, url: str, patience_seconds: float = 0.0, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """Send nothing before the first call.

        Args:
            url: Redis' address.
            patience_seconds: how long each call tries again while Redis is away, or refuses what it is asked.
            answer_seconds: how long Redis may take to answer.
        """
        self.url = url
        self._patience_seconds = patience_seconds
        self._answer_seconds = answer_seconds
        self._client: Any = None
        self._scripts: dict[str, Callable[..., Any]] = {}

    @property
    def prefix(self) -> str:
        """What every key of the ledger begins with, except for the lists of messages."""
        return f"{read_address(self.url).prefix}{PREFIX}"

    @property
    def redis(self) -> Any:
        """The connection pool, made when it is first needed."""
        if self._client is None:
            self._client = connect(self.url, answer_seconds=self._answer_seconds)
        return self._client

    def ask(self, question: Callable[[Any], Answer]) -> Answer:
        """Ask Redis, again and again while it is away, as long as this ledger's patience lasts.

        Args:
            question: uses the connection; asked twice, it must do no more than asked once.

        Returns:
            What the question returns.

        Raises:
            RedisUnreachable: Redis cannot be reached, or refuses.
            InvalidSetting: it is a cluster or Sentinel.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                with in_sentences(self.url):
                    check_mode(self.redis)
                    return question(self.redis)
            except RedisUnreachable as error:
                if time.monotonic() + PAUSE_SECONDS > deadline:
                    raise
                log.debug("%s; the next try is in %g s", error, PAUSE_SECONDS)
                time.sleep(PAUSE_SECONDS)

    def run(self, name: str, returns: type[Answer], *arguments: object) -> Answer:
        """Run a script of `lua/`.

        Args:
            name: of the script, without its suffix.
            returns: the type of what the script returns.
            arguments: its ARGV.

        Returns:
            What the script returns.

        Raises:
            RedisUnreachable: Redis cannot be reached, or refuses.
            InvalidJob: the script fails at a damaged record.
        """

        def question(redis: Any) -> Answer:
            if name not in self._scripts:
                self._scripts[name] = redis.register_script(_source(name, read_address(self.url).prefix))
            answer = _checked(name, self._scripts[name], arguments)
            if not isinstance(answer, returns):
                raise ValueError(f"it answered {name} with {type(answer).__name__}")
            return answer

        return self.ask(question)


def _checked(name: str, script: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
    """What a script answers.

    Raises:
        InvalidJob: it fails at a damaged record, and would so again.
    """
    from redis.exceptions import ResponseError

    try:
        return script(args=list(arguments))
    except ResponseError as error:
        said = str(error).removeprefix("ERR ")
        # A code before the text says that Redis refuses for now: MISCONF, NOREPLICAS and the like.
        refused = said.partition(" ")[0].isupper()
        if type(error) is not ResponseError or "user_script" not in said or refused:
            raise
        given = f"one at which `{name}` fails ({said.partition(' script: ')[0][:200]})"
        raise InvalidJob("record in Redis", expected="one that is not damaged", given=given) from None


@lru_cache
def _source(name: str, namespace: str) -> str:
    folder = files("jobs.ledger") / "lua"
    known = f"local NAMESPACE, PREFIX = '{namespace}', '{namespace}{PREFIX}'\n"
    known += f"local LISTS = cjson.decode([=[{json.dumps(lists())}]=])\nlocal TEMPLATE = [=[{template()}]=]\n"
    parts = ("notices", "common", name)
    return known + "".join((folder / f"{part}.lua").read_text() for part in parts)
