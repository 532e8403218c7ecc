"""One round of the sweeper: puts back what was lost.

Jobs whose worker died, jobs without a message, jobs that no worker understood, ended jobs without a folder,
records that are not saved beside the results, and staging folders that nobody needs.
"""

import logging
import shutil
import time
from collections.abc import Callable

from jobs.claim import Claim
from jobs.errors import LeaseLost, QuartetError, RedisUnreachable, StoreUnreachable
from jobs.ledger.job_record import ENDED
from jobs.ledger.ledger import Ledger
from jobs.ledger.rebuild import lost_jobs
from jobs.settings import Settings
from jobs.store.history import History
from jobs.store.results import Results
from jobs.store.saved_records import save_records
from jobs.store.staging import attempt_of_staging
from jobs.sweeps.rebuild_sweeps import LostSweeps
from jobs.wording import counted
from worker.engine import background
from worker.engine.ended_jobs import publish_ended, record_loss
from worker.engine.lease_watch import LeaseWatch

log = logging.getLogger(__name__)

LONGEST_STEP_SECONDS = 5.0
"""How long a step of a round may go on; the next round continues. Less where rounds are more frequent."""

CATCH_UP_SECONDS = 3_600.0
"""Between two comparisons of the index of published jobs with the folders."""

RECOUNT_SECONDS = 600.0
"""Between two recounts of all jobs, which mend the counts that transitions keep for `quartet exporter`."""

RECOUNT_STEP_SECONDS = 0.2
"""How long a round goes on with a recount: for tens of thousands of jobs."""

LOSSES_SECONDS = 60.0
"""Between two comparisons of the saved records with the ledger."""

TIDY_SECONDS = 60.0
"""Between two looks at this host's staging folders, beside those of a round."""


class Round:
    """What is done in each round, and what is remembered from one to the next.

    Attributes:
        leases: of all running jobs.
    """

    def __init__(self, ledger: Ledger, results: Results, settings: Settings) -> None:
        """Nothing is done yet.

        Args:
            ledger: where jobs are looked up.
            results: where the folders of ended jobs are published.
            settings: of this worker.
        """
        self._ledger, self._results, self._settings = ledger, results, settings
        self.leases = LeaseWatch(settings.lease_seconds, longest_gap=max(2.0, 2 * settings.sweep_seconds))
        # Less than the three rounds for which the lock is held.
        self._step_seconds = min(LONGEST_STEP_SECONDS, max(1.0, 2 * settings.sweep_seconds))
        self._silent: list[Claim] = []
        self._waiting = ""
        self._unpublishable: set[str] = set()
        self._looked_for_losses = -LOSSES_SECONDS
        self._tidied = -TIDY_SECONDS
        self._recounted = -RECOUNT_SECONDS
        self._lost_sweeps = LostSweeps()

    def look(self) -> None:
        """Look at the leases.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        self._silent = self.leases.look(self._ledger.held(), time.monotonic())

    def tidy(self) -> None:
        """Remove staging folders that nobody needs, about once a minute, where each host has its own.

        Raises:
            RedisUnreachable: Redis cannot be reached.
            StoreUnreachable: the object store does not answer.
            OSError: the volume is gone.
        """
        if self._results.checkpoints is not None and time.monotonic() - self._tidied > TIDY_SECONDS:
            self._tidied = time.monotonic()
            self._remove_dead_staging()

    def run(self, still_mine: Callable[[], bool] = lambda: True) -> None:
        """Put back everything that was lost. A step that fails does not keep the others from their work.

        Args:
            still_mine: renews the lock of the sweeper, before each step; whether it is still held.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        steps: tuple[Callable[[], object], ...] = (
            self._record_losses,
            self._ledger.adopt,
            self._recount,
            lambda: self._ledger.resend(grace_seconds=2 * self._settings.sweep_seconds),
            self._offer_declined,
            self._recheck_waiting,
            self._publish_ended,
            lambda: save_records(self._ledger, self._results, seconds=self._step_seconds),
            lambda: History(self._results).catch_up(CATCH_UP_SECONDS, seconds=self._step_seconds),
            self._notice_losses,
            self._remove_dead_staging,
            self._ledger.drop_dead_workers,
        )
        for step in steps:
            if not still_mine():
                return
            try:
                step()
            except RedisUnreachable as error:
                self._ledger.ping()  # it answers, and refuses one thing: the next step may be none of it
                log.warning("part of a round failed: %s", error)
            except (OSError, StoreUnreachable) as error:
                log.warning("part of a round failed: %s", error)
            except Exception:
                log.exception("part of a round failed; the next one tries again")

    def finish(self) -> None:
        """Write the folders of all ended jobs and the index, and save the records of the others.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        self._publish_ended()
        background.wait_for_index()
        save_records(self._ledger, self._results, seconds=self._step_seconds)

    def _record_losses(self) -> None:
        for claim in self._silent:
            why = f"no heartbeat for {self._settings.lease_seconds:g} s, so its lease expired"
            most = self._settings.max_lost_workers
            state = record_loss(self._ledger, self._results, claim, most, why)
            if state is not None:
                log.warning(
                    "job %s: the lease of attempt %d expired; now %s", claim.job_id, claim.attempt, state
                )

    def _recount(self) -> None:
        began = time.monotonic()
        while began - self._recounted > RECOUNT_SECONDS and time.monotonic() - began < RECOUNT_STEP_SECONDS:
            if self._ledger.recount():
                self._recounted = began
                return

    def _offer_declined(self) -> None:
        """Offer jobs that some workers do not understand, once there is a worker of another kind."""
        declined = self._ledger.declined()[:1_000]
        if not declined:
            return
        alive = {about["kind"] for about in self._ledger.workers().values() if "kind" in about}
        offered = [each.id for each in self._ledger.records(declined) if alive - each.declined.keys()]
        self._ledger.offer(offered)

    def _recheck_waiting(self) -> None:
        _, self._waiting = self._ledger.recheck_waiting(self._waiting)

    def _publish_ended(self) -> None:
        """Write the folders of ended jobs that have none, if the volume takes them now."""
        deadline = time.monotonic() + self._step_seconds
        for job_id in self._ledger.unpublished():
            if time.monotonic() > deadline:
                return
            folder = ""
            try:
                record = self._ledger.record(job_id)
                if record is not None and record.state in ENDED:
                    folder = publish_ended(self._results, self._ledger, record, self._settings)
            except (OSError, StoreUnreachable) as error:
                # A full volume gets room, a lost one comes back: each round tries again.
                log.warning("job %s has ended and has no folder yet: %s", job_id, error)
                return
            except RedisUnreachable:
                raise
            except LeaseLost:  # another process writes it at this moment, and the next round finds it
                continue
            except Exception as error:  # one such job must not keep the others from their folders
                if job_id not in self._unpublishable:
                    unexpected = not isinstance(error, QuartetError)
                    log.warning("job %s has ended and gets no folder: %s", job_id, error, exc_info=unexpected)
                self._unpublishable.add(job_id)
                continue
            self._ledger.published(job_id, folder)
            background.update_index(self._results)

    def _notice_losses(self) -> None:
        """Say so, about once a minute, if Redis does not know jobs or sweeps that were accepted."""
        if time.monotonic() - self._looked_for_losses < LOSSES_SECONDS:
            return
        self._looked_for_losses = time.monotonic()
        jobs = lost_jobs(self._ledger, self._results)
        sweeps = self._lost_sweeps.find(self._ledger, self._results)
        lost = [counted(jobs, "accepted job")] if jobs else []
        lost += [f"the sweep {name}" for name in sweeps[:3]]
        if lost:
            log.error(
                "Redis, which may have lost its data, does not know %s; `quartet rebuild` restores them",
                " and ".join(lost),
            )

    def _remove_dead_staging(self) -> None:
        """Remove the staging folders of published jobs, and of attempts before the current one.

        What an earlier attempt left is removed only once the current one has taken over the checkpoint.
        """
        running = {held.claim.job_id: held.claim for held in self._ledger.held()}
        for job_id, staged in self._results.staged_by_job().items():
            if self._results.find(job_id) is not None:
                dead = staged
            elif job_id in running and self._results.staging(running[job_id]) in staged:
                current = running[job_id]
                dead = [path for path in staged if attempt_of_staging(path) < current.attempt]
            else:
                dead = []
            for path in dead:
                shutil.rmtree(path, ignore_errors=True)
