"""Announces this worker, and makes the rounds (`worker/engine/upkeep_round.py`) while it is its turn.

Every worker's main process has a sweeper; a lock in Redis lets one of them make rounds at a time. All of them
watch the leases, so the next one to hold the lock knows at once which workers are silent.
"""

import json
import logging
import secrets
import threading
from collections.abc import Sequence
from importlib.metadata import version

from jobs.errors import RedisUnreachable, StoreUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import QUEUES
from jobs.settings import Settings
from jobs.store.open_results import open_results
from worker.engine import draining
from worker.engine.gpu import device
from worker.engine.gpu.watch import GpuWatch
from worker.engine.kind_of_worker import kind_of_worker
from worker.engine.loaded_code import loaded_checksums
from worker.engine.right_store import look_at_store, waits_for_store
from worker.engine.room import free_bytes, lacking_room
from worker.engine.upkeep_round import Round

log = logging.getLogger(__name__)
LOCK = "sweeper"


class Sweeper:
    """A thread that announces this worker every `sweep_seconds`, and does a round while it holds the lock."""

    def __init__(self, settings: Settings, worker: str, queues: Sequence[str] = tuple(QUEUES)) -> None:
        """Nothing runs before `start`.

        Args:
            settings: of this worker.
            worker: its name.
            queues: what it takes, as `QUEUES` names them.
        """
        self._worker, self._queues = worker, queues
        self._settings = settings
        self._ledger = Ledger(settings.redis_address())
        self._results = open_results(settings)
        self._round = Round(self._ledger, self._results, settings)
        self._gpu = GpuWatch()
        self._token = secrets.token_hex(16)
        self._away = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Start the rounds."""
        self._gpu.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current round."""
        self._stop.set()
        self._thread.join(timeout=5)

    def finish(self) -> None:
        """After `stop`, do what no other worker will do later.

        Raises:
            RedisUnreachable: Redis cannot be reached.
        """
        self._thread.join()
        self._round.finish()

    def _run(self) -> None:
        while not self._stop.wait(self._settings.sweep_seconds):
            try:
                # First, and by each worker: it makes room in a full Redis, which refuses even the lock.
                self._ledger.forget(self._settings.history_days * 86_400)
                self._announce()
                self._round.look()
                self._round.tidy()
                if self._hold_lock():
                    self._round.run(self._still_mine)
                self._away = False
            except RedisUnreachable as error:
                self._round.leases.look_away()
                log.log(logging.DEBUG if self._away else logging.WARNING, "%s; rounds wait for it", error)
                self._away = True
            except (StoreUnreachable, OSError) as error:
                log.warning("a round failed: %s", error)
            except Exception:
                log.exception("a round failed; the next one tries again")

    def _announce(self) -> None:
        code = json.dumps(loaded_checksums())
        about = {"quartet": version("quartet"), "kind": kind_of_worker(), "code": code}
        about |= {"queues": ",".join(self._queues), "device": device.of_worker(), **draining.about()}
        free, gpu = free_bytes(self._settings), self._gpu.latest()
        if free is not None:
            about["free_bytes"] = str(free)
        if gpu:
            about["gpu"] = gpu
        lacking = look_at_store(self._ledger, self._results) or lacking_room(self._settings)
        lacking = draining.reason() or lacking
        if lacking:
            about["waiting"] = lacking
        if not self._stop.is_set():  # a drained worker has withdrawn its announcement by then
            self._ledger.announce_worker(self._worker, about, 3 * self._settings.sweep_seconds)

    def _still_mine(self) -> bool:
        """Renew the lock and the announcement, which a round with much to do would outlast."""
        self._announce()
        return self._hold_lock()

    def _hold_lock(self) -> bool:
        """Take the lock or renew it; it goes to another worker three rounds after this one died.

        A worker with another store leaves it alone: it would write the folders of ended jobs there.
        """
        if waits_for_store():
            return False
        return self._ledger.lock(LOCK, self._token, 3 * self._settings.sweep_seconds)
