"""What the ledger knows of jobs, of workers and of its Redis; nothing here changes it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from jobs.errors import InvalidJob
from jobs.ledger.connection import in_sentences
from jobs.ledger.job_record import FIELDS, Record, read_record
from jobs.ledger.scripts import ScriptRunner

log = logging.getLogger(__name__)
PREFIX = "quartet:"
"""The prefix of every key in Redis, except for the lists of messages."""


class LedgerReader(ScriptRunner):
    """Reads the ledger.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def record(self, job_id: str) -> Record | None:
        """A job's record, None if the ledger does not know the job.

        Raises:
            InvalidJob: this version cannot read the record.
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
                log.warning("%s", error)
        return found

    def _fields(self, job_ids: list[str]) -> list[list[Any]]:
        with in_sentences(self.url):
            pipeline = self.redis.pipeline(transaction=False)
            for job_id in job_ids:
                pipeline.hmget(key_of(job_id), FIELDS)
            answers: list[list[Any]] = pipeline.execute()
        return answers

    def ids(self, state: str | None = None) -> list[str]:
        """Ids of all jobs, or of those in a state, newest first."""
        with in_sentences(self.url):
            key = PREFIX + (f"state:{state}" if state else "jobs")
            return sorted(self.redis.zrange(key, 0, -1), reverse=True)

    def timeline(self, job_id: str) -> list[dict[str, Any]]:
        """The events of a job, oldest first: `time` in milliseconds since 1970, `text`."""
        with in_sentences(self.url):
            return [json.loads(line) for line in self.redis.lrange(f"{PREFIX}timeline:{job_id}", 0, -1)]

    def latest_progress(self, job_id: str) -> dict[str, Any]:
        """The latest progress message of the current attempt, empty if there is none."""
        with in_sentences(self.url):
            found = self.redis.xrevrange(f"{PREFIX}progress:{job_id}", count=1)
        return json.loads(found[0][1]["values"]) if found and "values" in found[0][1] else {}

    def follow(self, job_id: str, wait_seconds: float = 1.0) -> Iterator[dict[str, Any]]:
        """The progress messages of the current attempt from its first, without end.

        Args:
            job_id: the job's id.
            wait_seconds: after this long without a message, an empty one is yielded.
        """
        key, last = f"{PREFIX}progress:{job_id}", "0"
        while True:
            with in_sentences(self.url):
                answer = self.redis.xread({key: last}, block=in_milliseconds(wait_seconds), count=100)
            entries = answer[0][1] if isinstance(answer, list) and answer else []
            if not entries:
                yield {}
            for last, fields in entries:  # noqa: B007 - the next read starts after the last one
                yield json.loads(fields["values"]) if "values" in fields else {}

    def unpublished(self) -> list[str]:
        """The ids of failed jobs that have no folder yet; `published` removes one."""
        with in_sentences(self.url):
            return sorted(self.redis.smembers(PREFIX + "unpublished"))

    def uptime_seconds(self) -> int:
        """How long Redis has been running."""
        with in_sentences(self.url):
            return int(self.redis.info("server")["uptime_in_seconds"])

    def about(self) -> dict[str, str]:
        """Redis' `version`, `appendonly` and `maxmemory-policy`, each `unknown` where Redis does not say."""
        with in_sentences(self.url):
            said = self.redis.info()  # not CONFIG GET, which a hosted Redis forbids
        append_only = {0: "no", 1: "yes"}
        return {
            "version": str(said.get("redis_version", "unknown")),
            "appendonly": append_only.get(said.get("aof_enabled"), "unknown"),
            "maxmemory-policy": str(said.get("maxmemory_policy", "unknown")),
        }

    def workers(self) -> dict[str, dict[str, str]]:
        """The name of each live worker -> what it announced."""
        with in_sentences(self.url):
            keys = list(self.redis.scan_iter(f"{PREFIX}worker:*"))
            texts = self.redis.mget(keys) if keys else []
        pairs = zip(keys, texts, strict=True)
        return {key.removeprefix(f"{PREFIX}worker:"): json.loads(text) for key, text in pairs if text}


def key_of(job_id: str) -> str:
    """The Redis hash that holds a job."""
    return f"{PREFIX}job:{job_id}"


def in_milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds."""
    return round(seconds * 1000)
