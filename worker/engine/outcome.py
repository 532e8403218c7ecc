"""How an attempt at a job ended: what its task returned, what it raised, or why it was stopped."""

import logging
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.errors import Cancelled, LeaseLost, QuartetError, RedisUnreachable, StoreUnreachable
from jobs.ledger.job_record import Record, State
from jobs.settings import Settings
from jobs.wording import counted
from worker.engine.failures import sentence
from worker.training.compile_cache import forget

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        state: the state the job ends in.
        metrics: the numbers that its task returned.
        error: why it failed or was cancelled, in a sentence; None where there is no reason.
        usage: what it used of the machine, as `worker.engine.usage` measures it.
    """

    state: State
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)


def outcome_of(task: Callable[[], Mapping[str, float]], results_root: Path) -> Outcome:
    """Call a task; an error that it raises is logged, and becomes an outcome.

    Args:
        task: does the job and returns its metrics.
        results_root: the results folder, which an error of its volume names.

    Returns:
        The outcome; a job that was stopped is `cancelled`, and `stopped` says what that means.

    Raises:
        LeaseLost: another attempt holds the job now.
        RedisUnreachable: Redis cannot be reached.
        StoreUnreachable: the object store does not answer.
    """
    try:
        return Outcome("succeeded", task())
    except Cancelled:
        return Outcome("cancelled")
    except (LeaseLost, RedisUnreachable, StoreUnreachable):
        raise
    except QuartetError as error:
        log.error("%s", error.explanation)
        return Outcome("failed", error=sentence(error))
    except Exception as error:
        forget()  # compiled functions may be in an unknown state, or fill the memory
        log.error("%s", traceback.format_exc())
        return Outcome("failed", error=sentence(error, _volume_of(error, results_root)))


def stopped(reason: str, record: Record, settings: Settings, why: str = "") -> Outcome:
    """The outcome of a job that was stopped.

    Args:
        reason: `Heartbeat.asked`: a limit makes the job fail, anything else is a cancellation.
        record: the job.
        settings: of this worker.
        why: of a cancellation, if whoever asked for it said so.
    """
    if reason == "time limit":
        return Outcome("failed", error=over_time_limit(record))
    if reason == "memory limit":
        return Outcome("failed", error=f"exceeded its memory limit of {settings.memory_limit_gb:g} GB")
    return Outcome("cancelled", error=why or None)


def over_time_limit(record: Record) -> str:
    """The error of a job that took too long."""
    return f"exceeded its time limit of {counted(record.spec.seconds_allowed(), 'second')}"


def _volume_of(error: Exception, results_root: Path) -> Path | None:
    """The results volume, unless the error names a file elsewhere: a full disk names none."""
    name = error.filename if isinstance(error, OSError) else None
    if isinstance(name, (str, os.PathLike)) and not Path(name).is_relative_to(results_root):
        return None
    return results_root
