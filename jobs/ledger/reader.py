"""What the ledger knows of jobs, of workers and of its Redis; nothing here changes it."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from jobs.claim import Claim
from jobs.errors import InvalidJob
from jobs.ledger.drain_record import DrainRecord, read_drain
from jobs.ledger.job_record import FIELDS, Held, Record, read_record
from jobs.ledger.measured import Measured, read_measured
from jobs.ledger.scripts import ScriptRunner

log = logging.getLogger(__name__)


class LedgerReader(ScriptRunner):
    """Reads the ledger.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def job_key(self, job_id: str) -> str:
        """The Redis hash that holds a job."""
        return f"{self.prefix}job:{job_id}"

    def record(self, job_id: str) -> Record | None:
        """A job's record, None if the ledger does not know the job.

        Raises:
            InvalidJob: it is not a job's record.
        """
        [values] = self._fields([job_id])
        return None if values[0] is None else read_record(job_id, values)

    def records(self, job_ids: list[str]) -> list[Record]:
        """The records of these jobs, without unknown jobs; an unreadable record is logged and left out."""
        found = []
        for job_id, values in zip(job_ids, self._fields(job_ids), strict=True):
            try:
                if values[0] is not None:
                    found.append(read_record(job_id, values))
            except InvalidJob as error:  # it must not hide the others
                log.debug("%s", error)
        return found

    def known(self, job_ids: list[str]) -> set[str]:
        """Those of these jobs that the ledger knows, whether their records can be read or not."""
        states = self._fields(job_ids, ["state"])
        return {job_id for job_id, [state] in zip(job_ids, states, strict=True) if state}

    def names(self, job_ids: list[str]) -> dict[str, str]:
        """The name of each of these jobs that has one."""
        found = self._of_each(job_ids, lambda pipeline, job_id: pipeline.hget(self.job_key(job_id), "name"))
        return {job_id: name for job_id, name in zip(job_ids, found, strict=True) if name}

    def latest_progress(self, job_ids: list[str]) -> dict[str, dict[str, Any]]:
        """The latest progress message of each of these jobs' current attempt, empty if there is none."""
        found = self._of_each(
            job_ids, lambda pipeline, job_id: pipeline.xrevrange(f"{self.prefix}progress:{job_id}", count=1)
        )
        return {
            job_id: _object(entries[0][1].get("values", "{}")) if entries else {}
            for job_id, entries in zip(job_ids, found, strict=True)
        }

    def progress_since(self, positions: dict[str, str]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """The progress messages of some jobs, each with its position; of most jobs there are none.

        Args:
            positions: job id -> the position after which to read, `0` for all that are left.
        """
        keys = {f"{self.prefix}progress:{job_id}": job_id for job_id in positions}
        if not keys:
            return {}
        after = {key: positions[job_id] for key, job_id in keys.items()}
        answer = self.ask(lambda redis: redis.xread(after, count=1_000)) or []
        return {
            keys[key]: [(position, _object(fields.get("values", "{}"))) for position, fields in entries]
            for key, entries in answer
        }

    def _fields(self, job_ids: list[str], names: list[str] = FIELDS) -> list[list[Any]]:
        return self._of_each(job_ids, lambda pipeline, job_id: pipeline.hmget(self.job_key(job_id), names))

    def _of_each(self, job_ids: list[str], ask: Callable[[Any, str], Any]) -> list[Any]:
        """The answer to one question about each of these jobs, in one round trip."""

        def question(redis: Any) -> list[Any]:
            pipeline = redis.pipeline(transaction=False)
            for job_id in job_ids:
                ask(pipeline, job_id)
            answers: list[Any] = pipeline.execute()
            return answers

        return self.ask(question) if job_ids else []

    def ids(self, state: str | None = None, newest: int | None = None) -> list[str]:
        """Ids of all jobs, or of those in a state, newest first.

        Args:
            state: only jobs in this state.
            newest: at most so many.
        """
        key = self.prefix + (f"state:{state}" if state else "jobs")
        last = -1 if newest is None else newest - 1
        found: list[str] = self.ask(lambda redis: redis.zrange(key, 0, last, desc=True))
        return sorted(found, reverse=True)

    def matching(self, prefix: str, most: int) -> list[str]:
        """Ids that begin with `prefix`, newest first, at most `most`."""
        above, below = f"({prefix}\x7f", f"[{prefix}"
        found: list[str] = self.ask(
            lambda redis: redis.zrange(
                f"{self.prefix}jobs", above, below, bylex=True, desc=True, offset=0, num=most
            )
        )
        return found

    def newest_named(self, name: str) -> str | None:
        """The id of the newest job that has a name, None if the ledger knows none."""
        found: str | None = self.ask(lambda redis: redis.hget(f"{self.prefix}names", name))
        return found

    def held(self) -> list[Held]:
        """The claims of all running jobs."""
        answer = self.run("held", list)
        rows = zip(answer[::4], answer[1::4], answer[2::4], answer[3::4], strict=True)
        return [Held(Claim(job_id, int(attempt), token), heard) for job_id, attempt, token, heard in rows]

    def declined(self) -> list[str]:
        """The ids of queued jobs that some worker did not understand, and that none is offered."""
        return sorted(self.ask(lambda redis: redis.smembers(f"{self.prefix}declined")))

    def changed(self, most: int) -> dict[str, str]:
        """Jobs whose saved record is out of date -> how often they changed; at most about `most`."""
        _, found = self.ask(lambda redis: redis.hscan(f"{self.prefix}changed", count=most))
        return dict(found)

    def timeline(self, job_id: str) -> list[dict[str, Any]]:
        """The events of a job, oldest first: `time` in milliseconds since 1970, `text`."""
        lines = self.ask(lambda redis: redis.lrange(f"{self.prefix}timeline:{job_id}", 0, -1))
        return [
            entry
            for entry in map(_object, lines)
            if isinstance(entry.get("time"), int) and isinstance(entry.get("text"), str)
        ]

    def follow(self, job_id: str, wait_seconds: float = 1.0) -> Iterator[dict[str, Any]]:
        """The progress messages of the current attempt from its first, without end.

        Args:
            job_id: the job's id.
            wait_seconds: after this long without a message, an empty one is yielded.
        """
        key, last = f"{self.prefix}progress:{job_id}", "0"

        def question(redis: Any) -> Any:
            return redis.xread({key: last}, block=in_milliseconds(wait_seconds), count=100)

        while True:
            answer = self.ask(question)
            entries = answer[0][1] if isinstance(answer, list) and answer else []
            if not entries:
                yield {}
            for last, fields in entries:  # noqa: B007 - the next read starts after the last one
                yield _object(fields.get("values", "{}"))

    def unpublished(self) -> list[str]:
        """The ids of ended jobs that have no folder yet; `published` removes one."""
        return sorted(self.ask(lambda redis: redis.smembers(self.prefix + "unpublished")))

    def ping(self) -> None:
        """Ask for an answer, and nothing else."""
        self.ask(lambda redis: redis.ping())

    def now(self) -> int:
        """The time by Redis' clock, in milliseconds since 1970."""
        seconds, microseconds = self.ask(lambda redis: redis.time())
        return int(seconds) * 1000 + int(microseconds) // 1000

    def measure(self) -> Measured:
        """The numbers of this moment, at the same cost whatever the number of jobs."""
        return read_measured(self.run("measure", str))

    def workers(self) -> dict[str, dict[str, str]]:
        """The name of each live worker -> what it announced."""
        names = sorted(self.ask(lambda redis: redis.smembers(f"{self.prefix}workers")))
        keys = [f"{self.prefix}worker:{name}" for name in names]
        texts = self.ask(lambda redis: redis.mget(keys)) if keys else []
        found = {name: _object(text) for name, text in zip(names, texts, strict=True) if text}
        return {
            name: {key: value for key, value in about.items() if isinstance(value, str)}
            for name, about in found.items()
            if about
        }

    def drains(self, workers: list[str]) -> dict[str, DrainRecord]:
        """What those of some workers were asked that were drained, also ones that have stopped since."""
        keys = [self.drain_key(name) for name in workers]
        texts = self.ask(lambda redis: redis.mget(keys)) if keys else []
        found = {name: read_drain(text) for name, text in zip(workers, texts, strict=True)}
        return {name: drain for name, drain in found.items() if drain is not None}

    def drain_key(self, worker: str) -> str:
        """The Redis key with what a worker was asked that is drained."""
        return f"{self.prefix}drain:{worker}"

    def running_on(self) -> dict[str, list[str]]:
        """The name of each worker that holds jobs -> their ids; it may end one while it runs the next."""
        job_ids = self.ids("running")
        names = self._fields(job_ids, ["worker"])
        found: dict[str, list[str]] = {}
        for job_id, [worker] in zip(job_ids, names, strict=True):
            if worker:
                found.setdefault(worker, []).append(job_id)
        return found


def in_milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds."""
    return round(seconds * 1000)


def _object(text: str) -> dict[str, Any]:
    """A JSON object; an empty one where somebody else wrote something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
