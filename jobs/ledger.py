"""Every job's state in Redis: submit, claim, lease, progress, finish.

The ledger is the truth and a Celery message is only a wake-up call. Each transition is one Lua
script (`jobs/lua/`), so a job is in exactly one state whatever dies; the attempt number, which only
a claim raises, tells the worker that holds a job from one that held it before.

    waiting (for another job) → queued → running → succeeded | failed | cancelled
"""

import json
import logging
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jobs.errors import InvalidJob, JobConflict, LeaseLost, RedisUnreachable, UnknownJob
from jobs.queue import list_of, lists, message
from jobs.record import FIELDS, Claim, FreshClaim, Record, State, read_record
from jobs.redis_connection import ANSWER_SECONDS, connect, in_sentences
from jobs.settings import masked_url
from jobs.spec import JobSpec

log = logging.getLogger(__name__)
_PREFIX = "quartet:"


class Ledger:
    """All transitions of all jobs.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def __init__(
        self, url: str, patience_seconds: float = 0.0, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """Nothing is sent before the first call."""
        self.url = url
        self._patience_seconds = patience_seconds
        self._answer_seconds = answer_seconds
        self._client: Any = None
        self._scripts: dict[str, Callable[..., Any]] = {}

    @property
    def redis(self) -> Any:
        """The connection pool, made when it is first needed."""
        if self._client is None:
            try:
                self._client = connect(self.url, self._patience_seconds, self._answer_seconds)
            except ValueError as error:
                raise RedisUnreachable(f"Redis: {masked_url(self.url)!r} is no address ({error})") from None
        return self._client

    def submit(self, job_id: str, spec: JobSpec, continues: str | None = None) -> State:
        """Write a new job, `queued` with its message, or `waiting` for jobs it needs, in one step.

        Raises:
            InvalidJob: a job it needs failed or was cancelled; nothing was written.
            JobConflict: there is another job with this id.
        """
        needs = [needed for needed, _ in spec.needs().values()]
        answer = self._run(
            "submit",
            job_id,
            spec.to_json(),
            spec.name or "",
            list_of(spec),
            message(job_id, spec),
            continues or "",
            *needs,
        )
        if answer[0] == "refused":
            word = "failed" if answer[2] == "failed" else "was cancelled"
            raise InvalidJob(f"from: job {answer[1]} {word}; allowed: a training that succeeded or will run")
        if answer[0] == "exists":
            raise JobConflict(f"job {job_id}: there is another job with this id")
        state: State = answer[0]
        return state

    def restore(
        self, job_id: str, spec: JobSpec, state: str, submitted: int, attempt: int, fields: dict[str, Any]
    ) -> bool:
        """Write a job that the ledger lost, finished or to be queued; False if the ledger knows it."""
        pairs = [part for pair in (fields | {"list": list_of(spec)}).items() for part in pair]
        return bool(self._run("restore", job_id, state, submitted, message(job_id, spec), attempt, *pairs))

    def claim(self, job_id: str, worker: str, lease_seconds: float, token: str) -> FreshClaim | None:
        """Take a queued job: lease and attempt number in one step. None if it is not there to be taken.

        `token` is new for each delivery, so that a claim may be sent again when its answer was lost; it
        begins with the process' id and a dot.
        """
        values = self._run("claim", job_id, worker, _milliseconds(lease_seconds), token, *FIELDS)
        if not values:
            return None
        return FreshClaim(job_id, int(values[FIELDS.index("attempt")]), values)

    def renew(self, claim: Claim, lease_seconds: float) -> str:
        """Prolong the lease; return what the job is asked: `""`, `"cancel"` or `"hand back"`.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended.
        """
        answer: str = self._run("renew", claim.job_id, claim.attempt, _milliseconds(lease_seconds))
        if answer == "lost":
            raise _lease_lost(claim)
        return answer

    def asked(self, claim: Claim) -> str:
        """What the job is asked, without renewing.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended.
        """
        with in_sentences(self.url):
            stop, attempt, state = self.redis.hmget(_key(claim.job_id), ["stop", "attempt", "state"])
        if state != "running" or attempt != str(claim.attempt):
            raise _lease_lost(claim)
        return stop or ""

    def progress(self, claim: Claim, values: dict[str, Any]) -> None:
        """Add to the job's progress stream; dropped if another attempt holds the job."""
        self._run("progress", claim.job_id, claim.attempt, json.dumps(values))

    def tell(self, claim: Claim, text: str) -> None:
        """Add a line to the job's timeline; dropped if another attempt holds the job."""
        self._run("tell", claim.job_id, claim.attempt, text)

    def finish(
        self,
        claim: Claim,
        state: State,
        *,
        error: str | None = None,
        folder: str = "",
        headline: dict[str, Any] | None = None,
    ) -> None:
        """End a job, start what waited for it. `folder` empty: the sweeper writes the folder of a failure.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended otherwise.
        """
        arguments = (state, error or "", folder, json.dumps(headline))
        if not self._run("finish", claim.job_id, claim.attempt, *arguments):
            raise _lease_lost(claim)

    def hand_back(self, claim: Claim, reason: str) -> None:
        """Queue a job again that its worker gives back; nothing is counted against it."""
        self._run("hand_back", claim.job_id, claim.attempt, reason)

    def ask_hand_back(self, worker: str) -> int:
        """Ask the jobs that `worker` runs to be handed back; return how many."""
        return int(self._run("ask_hand_back", worker))

    def cancel(self, job_id: str) -> State:
        """Cancel a job that has not started, ask a running one to stop; return its state before.

        Raises:
            UnknownJob: there is no such job.
        """
        state: State | None = self._run("cancel", job_id)
        if state is None:
            raise UnknownJob(f"job: there is no job {job_id}")
        return state

    def lose(self, job_id: str, attempt: int, max_losses: int, why: str) -> State | None:
        """Say that a job's worker is gone: queued again, or failed after `max_losses`. None: not held."""
        return self._run("lose", job_id, attempt, max_losses, why) or None

    def expired(self) -> list[tuple[str, int]]:
        """Jobs whose lease ran out, with their attempt."""
        answer = self._run("expired")
        return [(job_id, int(attempt)) for job_id, attempt in zip(answer[::2], answer[1::2], strict=True)]

    def resend(self, grace_seconds: float) -> int:
        """Send a message for each queued job that was seen without one for `grace_seconds`; how many."""
        return int(self._run("resend", _milliseconds(grace_seconds)))

    def settle(self) -> int:
        """Look again at what waiting jobs need; how many moved."""
        return int(self._run("settle"))

    def record(self, job_id: str) -> Record | None:
        """What the ledger knows of a job, None if it does not know it.

        Raises:
            InvalidJob: what lies in Redis is not a job that this version knows.
        """
        [values] = self._fields([job_id])
        return None if values[0] is None else read_record(job_id, values)

    def records(self, job_ids: list[str]) -> list[Record]:
        """What the ledger knows of these jobs; those it does not know or cannot read are left out."""
        found = []
        for job_id, values in zip(job_ids, self._fields(job_ids), strict=True):
            try:
                if values[0] is not None:
                    found.append(read_record(job_id, values))
            except InvalidJob as error:  # one such job hides no other
                log.warning("%s", error)
        return found

    def _fields(self, job_ids: list[str]) -> list[list[Any]]:
        with in_sentences(self.url):
            pipeline = self.redis.pipeline(transaction=False)
            for job_id in job_ids:
                pipeline.hmget(_key(job_id), FIELDS)
            answers: list[list[Any]] = pipeline.execute()
        return answers

    def ids(self, state: str | None = None) -> list[str]:
        """Ids of all jobs, or of those in a state, newest first."""
        with in_sentences(self.url):
            key = _PREFIX + (f"state:{state}" if state else "jobs")
            return sorted(self.redis.zrange(key, 0, -1), reverse=True)

    def timeline(self, job_id: str) -> list[dict[str, Any]]:
        """What happened to a job: `time` in milliseconds since 1970, `text`."""
        with in_sentences(self.url):
            return [json.loads(line) for line in self.redis.lrange(f"{_PREFIX}timeline:{job_id}", 0, -1)]

    def latest_progress(self, job_id: str) -> dict[str, Any]:
        """The last thing the current attempt said, empty if nothing."""
        with in_sentences(self.url):
            found = self.redis.xrevrange(f"{_PREFIX}progress:{job_id}", count=1)
        return json.loads(found[0][1]["values"]) if found and "values" in found[0][1] else {}

    def follow(self, job_id: str, wait_seconds: float = 1.0) -> Iterator[dict[str, Any]]:
        """What the current attempt says, from its beginning: values, or `{}` when nothing came."""
        key, last = f"{_PREFIX}progress:{job_id}", "0"
        while True:
            with in_sentences(self.url):
                answer = self.redis.xread({key: last}, block=_milliseconds(wait_seconds), count=100)
            entries = answer[0][1] if isinstance(answer, list) and answer else []
            if not entries:
                yield {}
            for last, fields in entries:  # noqa: B007 - the last one is where to go on
                yield json.loads(fields["values"]) if "values" in fields else {}

    def unpublished(self) -> list[str]:
        """Failed jobs that have no folder yet; whoever writes one says so with `published`."""
        with in_sentences(self.url):
            return sorted(self.redis.smembers(_PREFIX + "unpublished"))

    def published(self, job_id: str, folder: str) -> None:
        """Say where the folder of a failed job is; empty if none can be written."""
        with in_sentences(self.url):
            self.redis.hset(_key(job_id), "folder", folder)
            self.redis.srem(_PREFIX + "unpublished", job_id)

    def uptime_seconds(self) -> int:
        """How long Redis has been running."""
        with in_sentences(self.url):
            return int(self.redis.info("server")["uptime_in_seconds"])

    def about(self) -> dict[str, str]:
        """Redis' `version`, `appendonly` and `maxmemory-policy`; `unknown` what it does not say."""
        with in_sentences(self.url):
            said = self.redis.info()  # not CONFIG GET, which a hosted Redis forbids
        append_only = {0: "no", 1: "yes"}
        return {
            "version": str(said.get("redis_version", "unknown")),
            "appendonly": append_only.get(said.get("aof_enabled"), "unknown"),
            "maxmemory-policy": str(said.get("maxmemory_policy", "unknown")),
        }

    def announce_worker(self, name: str, about: dict[str, str], seconds: float) -> None:
        """Say that a worker is there; forgotten after `seconds`."""
        with in_sentences(self.url):
            self.redis.set(f"{_PREFIX}worker:{name}", json.dumps(about), px=_milliseconds(seconds))

    def workers(self) -> dict[str, dict[str, str]]:
        """Workers that said they are there, with what they said."""
        with in_sentences(self.url):
            keys = list(self.redis.scan_iter(f"{_PREFIX}worker:*"))
            texts = self.redis.mget(keys) if keys else []
        pairs = zip(keys, texts, strict=True)
        return {key.removeprefix(f"{_PREFIX}worker:"): json.loads(text) for key, text in pairs if text}

    def lock(self, name: str, token: str, seconds: float) -> bool:
        """Take or prolong a lock that ends by itself; say whether `token` holds it."""
        with in_sentences(self.url):
            if self.redis.set(name, token, px=_milliseconds(seconds), nx=True):
                return True
            if self.redis.get(name) != token:
                return False
            return bool(self.redis.pexpire(name, _milliseconds(seconds)))

    def _run(self, name: str, *arguments: object) -> Any:
        with in_sentences(self.url):
            if name not in self._scripts:
                self._scripts[name] = self.redis.register_script(_source(name))
            return self._scripts[name](args=list(arguments))


@lru_cache
def _source(name: str) -> str:
    folder = files("jobs") / "lua"
    known = f"local LISTS = cjson.decode([=[{json.dumps(lists())}]=])\n"
    return known + (folder / "common.lua").read_text() + (folder / f"{name}.lua").read_text()


def _key(job_id: str) -> str:
    return f"{_PREFIX}job:{job_id}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _lease_lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"job {claim.job_id}: attempt {claim.attempt} does not hold it any more")
