"""Puts back what was lost: jobs with an expired lease, jobs without a message, failures without a folder.

Every worker's main process has a sweeper; a lock in Redis lets one of them sweep at a time.
"""

import logging
import secrets
import shutil
import threading
from importlib.metadata import version

from jobs.errors import QuartetError, RedisUnreachable
from jobs.ledger.job_record import ENDED
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.results import Results
from worker.engine.failures import publish_failure

log = logging.getLogger(__name__)
LOCK = "quartet:sweeper"


class Sweeper:
    """A thread that announces this worker every `sweep_seconds`, and sweeps while it holds the lock."""

    def __init__(self, settings: Settings, worker: str) -> None:
        """Nothing runs before `start`; `worker` is this worker's name."""
        self._worker = worker
        self._settings = settings
        self._ledger = Ledger(settings.redis_address())
        self._results = Results(settings.results_dir.absolute())
        self._token = secrets.token_hex(16)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Start sweeping."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current sweep."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._settings.sweep_seconds):
            try:
                patience = 3 * self._settings.sweep_seconds
                self._ledger.announce_worker(self._worker, {"quartet": version("quartet")}, patience)
                if self._hold_lock():
                    sweep(self._ledger, self._results, self._settings)
            except RedisUnreachable as error:
                log.warning("%s; the next sweep tries again", error)
            except Exception:
                log.exception("a sweep failed; the next one tries again")

    def _hold_lock(self) -> bool:
        """Take the lock or renew it; it goes to another worker three sweeps after this one died."""
        return self._ledger.lock(LOCK, self._token, 3 * self._settings.sweep_seconds)


def sweep(ledger: Ledger, results: Results, settings: Settings) -> None:
    """Sweep once: put back everything that was lost.

    Args:
        ledger: where jobs are looked up.
        results: where the folders of failures are published.
        settings: of this worker.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    # After a restart of Redis every lease looks old: workers get the time of one lease to renew theirs.
    if ledger.uptime_seconds() > settings.lease_seconds:
        for job_id, attempt in ledger.expired():
            why = f"no heartbeat for {settings.lease_seconds:g} s, so its lease expired"
            state = ledger.record_loss(job_id, attempt, settings.max_lost_workers, why)
            log.warning("job %s: the lease of attempt %d expired; now %s", job_id, attempt, state)
    ledger.resend(grace_seconds=2 * settings.sweep_seconds)
    ledger.recheck_waiting()
    publish_failures(ledger, results, settings)
    remove_dead_staging(ledger, results)


def publish_failures(ledger: Ledger, results: Results, settings: Settings) -> None:
    """Write the folders of jobs that failed where no worker could write one, if the volume takes them now.

    Args:
        ledger: names these jobs.
        results: where their folders are published.
        settings: of this worker.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    for job_id in ledger.unpublished():
        try:
            record = ledger.record(job_id)
            folder = publish_failure(results, ledger, record, settings) if record else ""
        except OSError as error:
            # A full volume gets room, a lost one comes back: each sweep tries again.
            log.warning("job %s: its failure has no folder yet: %s", job_id, error)
            return
        except RedisUnreachable:
            raise
        except Exception as error:  # one such job must not keep the others from their folders
            unexpected = not isinstance(error, QuartetError)
            log.warning("job %s: its failure gets no folder: %s", job_id, error, exc_info=unexpected)
            folder = ""
        ledger.published(job_id, folder)


def remove_dead_staging(ledger: Ledger, results: Results) -> None:
    """Remove staging folders of jobs that have ended, and of attempts before the current one.

    What an earlier attempt left is removed only once the current one has taken over the checkpoint.
    A job that the ledger does not know may be restored from its checkpoint, and a failed one without a
    folder is to be published with it: both are left alone.

    Args:
        ledger: knows the state and the current attempt of each job.
        results: where the staging folders are.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    records = ledger.records(results.staged_ids())
    # Read after the states: a job that fails in between has not ended in `records`.
    unpublished = set(ledger.unpublished())
    for record in records:
        attempts = results.staged_attempts(record.id)
        dead = attempts if record.state in ENDED and record.id not in unpublished else []
        if record.state == "running" and record.attempt in attempts:
            dead = [attempt for attempt in attempts if attempt < record.attempt]
        for attempt in dead:
            shutil.rmtree(results.staging(record.id, attempt), ignore_errors=True)
