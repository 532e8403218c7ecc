"""Looks again and again at the GPU that this worker holds."""

import json
import logging
import os
import threading
import time

from jobs.errors import MissingPart
from worker.engine.gpu import device, nvml

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
FRESH_SECONDS = 30.0
"""What was seen longer ago is not announced: the driver may have stopped answering."""


class GpuWatch:
    """A thread of its own, since a driver may take for ever to answer, and nothing else may wait for it."""

    def __init__(self) -> None:
        """Nothing is looked at before `start`."""
        self._seen = -FRESH_SECONDS
        self._found = ""

    def start(self) -> None:
        """Look every few seconds until this process ends; not at all where the worker holds no GPU."""
        held = os.environ.get(device.HELD_VARIABLE)
        if held is not None:
            uuid = str(json.loads(held)["uuid"])
            threading.Thread(target=self._run, args=[uuid], name="GPU watch", daemon=True).start()

    def latest(self) -> str:
        """What was seen last.

        Returns:
            JSON with `load` in per cent, null where the driver does not tell it, and `memory_used` and
            `memory_total` in bytes; empty where nothing was seen lately.
        """
        return self._found if time.monotonic() - self._seen < FRESH_SECONDS else ""

    def _run(self, uuid: str) -> None:
        while True:
            try:
                self._look(uuid)
            except MissingPart as error:  # the driver may answer again
                log.debug("%s", error)
            except Exception:
                log.exception("the GPU could not be looked at; the next look tries again")
            time.sleep(PAUSE_SECONDS)

    def _look(self, uuid: str) -> None:
        for card in nvml.cards():
            if card.uuid == uuid:
                found = {
                    "load": card.load,
                    "memory_used": card.memory_used,
                    "memory_total": card.memory_total,
                }
                self._found, self._seen = json.dumps(found), time.monotonic()
