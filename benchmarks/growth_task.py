"""One job's task in a process of its own, on any data and with any parameters, without the queue."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.sides import megabytes, peak_memory_mb, process_status
from jobs.errors import Cancelled
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from worker.context import JobContext
from worker.engine.gpu import device
from worker.engine.wings import wing

LOOK_SECONDS = 0.5
"""Between two looks at the children, of which Linux keeps the peak as long as they run."""


class Task:
    """What a worker has loaded before its first job of a model."""

    def __init__(self, model: str, data_dir: str) -> None:
        """The task is imported, and nothing read.

        Args:
            model: whose jobs it does.
            data_dir: the data folder, where what was read is kept.
        """
        self._wing = wing(model)
        self._model, self._settings = model, read_settings(data_dir=Path(data_dir))
        self._wing.action("train")
        device.prepare()

    def work(
        self, data: str, folder: str, source: str | None, begin_only: bool, **parameters: Any
    ) -> dict[str, float]:
        """Train, or generate with a model that was trained, without a report.

        Args:
            data: the path of the data.
            folder: an empty one, which gets what the job leaves.
            source: the folder of the training job whose model is used, None to train.
            begin_only: whether to stop the job when it reports its first step.
            parameters: of the job, those that are not the defaults.

        Returns:
            `seconds`, and `memory`: the most that this process and its largest child held, in MB.
        """
        used = {"from": JobFolder(Path(source))} if source else {}
        action, source_id = ("generate", used["from"].id) if source else ("train", None)
        spec = JobSpec.make(self._model, action, data=data, source=source_id, parameters=parameters)
        context = JobContext(spec=spec, folder=Path(folder), settings=self._settings, sources=used)
        if begin_only:
            context.report_progress = lambda values: context.stop.set() if "step" in values else None
        began = time.perf_counter()
        with _children_watched() as held, suppress(Cancelled):
            self._wing.action(action)(context)
        seconds = time.perf_counter() - began
        stored = {"spec": spec.model_dump(mode="json", by_alias=True), "data": context.data}
        (context.folder / "job.json").write_text(json.dumps(stored), encoding="utf-8")
        return {"seconds": seconds, "memory": peak_memory_mb() + max(held.values(), default=0.0)}


@contextmanager
def _children_watched() -> Iterator[dict[int, float]]:
    """The peak memory in MB of each process that this one starts in the block, by its id, on Linux."""
    held: dict[int, float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            held.update(_peaks_of_children())

    watching = threading.Thread(target=look, daemon=True)
    watching.start()
    try:
        yield held
    finally:
        over.set()
        watching.join()


def _peaks_of_children() -> Iterator[tuple[int, float]]:
    for path in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, LookupError, ValueError):  # it has ended
            status = process_status(path.parent.name)
            if int(status["PPid"]) == os.getpid():
                yield int(path.parent.name), megabytes(status["VmHWM"])


def start(**options: Any) -> Task:
    """The side that does the jobs of one model."""
    return Task(**options)
