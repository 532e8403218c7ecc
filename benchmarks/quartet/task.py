"""A whole training job as a worker's process does it: data, training and files, without the queue."""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.sides import megabytes, process_status
from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker.context import JobContext
from worker.engine.gpu import device
from worker.engine.wings import wing


class Quartet:
    """`train` of one model's task."""

    def __init__(self, model: str, name: str, folder: str | None) -> None:
        """`name` is the dataset's, `folder` where it lies if it does not come with Quartet."""
        self._model, self._name = model, name
        self._train = wing(model).action("train")
        device.prepare()
        self._place = tempfile.TemporaryDirectory(prefix="quartet-bench-")
        self._settings = read_settings(data_dir=Path(folder or self._place.name))

    def train(self, epochs: int = 1, seed: int = 0) -> float:
        """Train with the defaults of a job otherwise; the seconds that it took."""
        spec = JobSpec.make(self._model, "train", data=self._name, seed=seed, parameters={"epochs": epochs})
        with tempfile.TemporaryDirectory(dir=self._place.name) as folder:
            began = time.perf_counter()
            self._train(JobContext(spec=spec, folder=Path(folder), settings=self._settings))
            return time.perf_counter() - began

    def held_mb(self) -> dict[str, float]:
        """What the process holds now, in 10⁶ bytes: pages of files (`RssFile`), and its own (`RssAnon`).

        Empty where there is no /proc.
        """
        try:
            status = process_status()
        except OSError:
            return {}
        return {name: megabytes(status[name]) for name in ("RssFile", "RssAnon")}


def start(**options: Any) -> Quartet:
    """Quartet's side."""
    return Quartet(**options)
