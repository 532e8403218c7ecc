"""How a job ends becomes a state and a sentence, whatever its task raised."""

import errno
from pathlib import Path

import pytest

from jobs.errors import Cancelled, DamagedFolder, InvalidData, LeaseLost, MissingPart, RedisUnreachable
from jobs.ledger.job_record import Record
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from worker.engine.outcome import Outcome, outcome_of, stopped

ROOT = Path("/results")


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


def record(**fields: object) -> Record:
    spec = JobSpec.make("autoencoder", "train", **fields)
    nothing = dict.fromkeys(("started", "finished", "worker", "process", "error", "folder", "headline"))
    return Record(
        id="20261123-221530-042-k7qd", stored=StoredSpec.of(spec), state="running", attempt=1, lost=0,
        submitted=0, token="", stop="", continues=None, retried=None, declined={}, **nothing,
    )  # fmt: skip


def outcome(error: BaseException) -> Outcome:
    def task() -> dict[str, float]:
        raise error

    return outcome_of(task, ROOT)


def test_a_task_that_returns_has_succeeded_with_its_metrics() -> None:
    assert outcome_of(lambda: {"loss": 0.5}, ROOT) == Outcome("succeeded", {"loss": 0.5})


def test_a_task_that_was_stopped_is_cancelled() -> None:
    assert outcome(Cancelled("the job was asked to stop")) == Outcome("cancelled")


@pytest.mark.parametrize("error", [LeaseLost("another attempt"), RedisUnreachable("no Redis")])
def test_a_job_that_is_no_longer_ours_has_no_outcome(error: Exception) -> None:
    with pytest.raises(type(error)):
        outcome(error)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            InvalidData("a.npz", expected="arrays", given="text", hint="save it with NumPy"),
            "a.npz: expected arrays, got text (hint: save it with NumPy)",
        ),
        (DamagedFolder("model.keras is missing"), "model.keras is missing"),
        (
            MissingPart("scipy is not installed", hint="pip install scipy"),
            "scipy is not installed (hint: pip install scipy)",
        ),
        (MemoryError(), "out of memory (hint: reduce the batch size or the amount of data)"),
        (
            ResourceExhaustedError("OOM"),
            "out of memory (hint: reduce the batch size or the amount of data)",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "the results volume /results is full"),
        (OSError(errno.EDQUOT, "Quota exceeded"), "the results volume /results is full (quota)"),
        (
            OSError(errno.EROFS, "Read-only file system", "/results/x/log.txt"),
            "the results volume /results is read-only",
        ),
        (
            OSError(errno.EIO, "Input/output error", "/data/a.npz"),
            "a volume cannot be used: Input/output error (/data/a.npz)",
        ),
        (KeyError("loss"), "internal error, KeyError: 'loss' (details in log.txt)"),
    ],
)
def test_a_failure_is_a_sentence_for_a_person(error: Exception, sentence: str) -> None:
    assert outcome(error) == Outcome("failed", error=sentence)


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        ("cancel", Outcome("cancelled")),
        ("time limit", Outcome("failed", error="exceeded its time limit of 1 second")),
        ("memory limit", Outcome("failed", error="exceeded its memory limit of 2.5 GB")),
    ],
)
def test_a_stopped_job_ends_as_its_reason_says(reason: str, ended: Outcome) -> None:
    assert stopped(reason, record(time_limit=1), read_settings(memory_limit_gb=2.5)) == ended
