"""`Draining`: sees the live workers, and drains them."""

import difflib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from jobs.errors import InvalidInput, QuartetError
from jobs.finding.job_reader import JobReader
from jobs.ledger.drain_record import DrainRecord
from jobs.wording import alternatives, counted, shown
from jobs.worker_view import WorkerView, view

MOST_NAMED = 3
"""Workers that an error names."""

LOOK_SECONDS = 0.5

SILENT_SECONDS = 60.0
"""A drained worker that was not heard of for so long has died; it announces itself every few seconds."""


class Draining(JobReader):
    """Looks at workers and has them stop."""

    def workers(self) -> list[WorkerView]:
        """All live workers, by name; one that was killed is among them for some seconds more.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        announced = self.ledger.workers()
        asked, jobs = self.ledger.drains(list(announced)), self.ledger.running_on() if announced else {}
        return [view(name, about, jobs.get(name, []), asked.get(name)) for name, about in announced.items()]

    def drain(self, *names: str, hand_back: bool = False) -> list[WorkerView]:
        """Have workers take no more jobs, finish the one they have, and stop.

        That holds for their processes of now: a worker that is started anew takes jobs again. `drained`
        waits for their end. To drain one again changes nothing, but that `hand_back` may be added.

        Args:
            names: of workers, with their host; without it where no other worker has that name.
            hand_back: whether their jobs write a checkpoint and go back to the queue, as when a worker is
                stopped by a signal.

        Returns:
            Each worker, with the job that it finishes or hands back.

        Raises:
            InvalidInput: a name is not that of a live worker, or of several; none was drained.
            RedisUnreachable: Redis cannot be reached; some may have been drained.
        """
        known = {worker.name: worker for worker in self.workers()}
        chosen = list(dict.fromkeys(_named(name, known) for name in names))
        for worker in chosen:
            if not worker.start:
                raise InvalidInput(
                    "worker",
                    expected="one whose version can be drained",
                    given=f"{worker.name}, of version {worker.version}",
                    hint="stop it by SIGTERM: its job then goes back to the queue",
                )
        drained = []
        for worker in chosen:
            back = hand_back or worker.hand_back
            drained.append(replace(worker, state="draining", waits=None, hand_back=back))
            self._ask_to_drain(drained[-1])
        return drained

    def drained(self, workers: Iterable[WorkerView]) -> Iterator[WorkerView]:
        """Wait until workers that `drain` returned have stopped; each is yielded when it has.

        Args:
            workers: that were drained.

        Raises:
            QuartetError: one died before it had stopped.
            RedisUnreachable: Redis was away for longer than the setting `redis_patience_seconds`.
        """
        left = {worker.name: worker for worker in workers}
        heard = dict.fromkeys(left, time.monotonic())
        dead = []
        while left:
            asked = self._patient_ledger.drains(list(left))
            announced = self._patient_ledger.workers()
            for name, worker in list(left.items()):
                record, start = asked.get(name), announced.get(name, {}).get("start")
                if record is not None and record.stopped and record.start == worker.start:
                    yield left.pop(name)
                elif start == worker.start:
                    heard[name] = time.monotonic()
                    if record is None:  # Redis lost what it was asked
                        self._ask_to_drain(worker)
                elif start is not None or time.monotonic() - heard[name] > SILENT_SECONDS:
                    dead.append(left.pop(name))
            if left:
                time.sleep(LOOK_SECONDS)
        if dead:
            some = alternatives([worker.name for worker in dead[:MOST_NAMED]], last="and")
            more = f" and {counted(len(dead) - MOST_NAMED, 'more worker')}" if len(dead) > MOST_NAMED else ""
            raise QuartetError(
                f"{some}{more} died before the drain was over; a job that was lost is queued again"
            )

    def _ask_to_drain(self, worker: WorkerView) -> None:
        self._patient_ledger.drain(worker.name, DrainRecord(worker.start, worker.hand_back))


def _named(name: str, known: dict[str, WorkerView]) -> WorkerView:
    """The worker of that name, or the only one before whose host it stands.

    Raises:
        InvalidInput: there is none, or several.
    """
    if name in known:
        return known[name]
    alike = [each for each in known if each.rpartition("@")[0] == name]
    if len(alike) == 1:
        return known[alike[0]]
    nearest = alike or difflib.get_close_matches(name[:200], known, n=MOST_NAMED, cutoff=0.0)
    if not nearest:
        raise InvalidInput("worker", expected="a live worker, of which there is none", given=shown(name))
    some, more = nearest[:MOST_NAMED], len(alike or known) - MOST_NAMED
    listed = ", ".join(some) + (f" and {more:,} more" if more > 0 else "")
    raise InvalidInput(
        "worker",
        expected=f"one of {listed}" if more > 0 or len(some) > 1 else listed,
        given=f"{shown(name)}, which {len(alike):,} have" if alike else shown(name),
        hint="`quartet worker list` lists them",
    )
