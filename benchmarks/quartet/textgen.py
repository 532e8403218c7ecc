"""The character model as a worker trains it and writes with it."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import arrays
from jobs.spec import JobSpec
from worker.engine.gpu import device
from worker.tasks.textgen.network import build
from worker.tasks.textgen.sampling import Writer
from worker.tasks.textgen.scoring import RUN_IN, Scorer
from worker.tasks.textgen.training import TextTraining


class Quartet:
    """`worker.tasks.textgen.training.TextTraining` with the defaults of a job, driven as `fit` drives it."""

    def __init__(self, data: Path | str, seed: int) -> None:
        """Nothing is compiled yet."""
        device.prepare()
        self._data = arrays(data)
        parameters: Any = JobSpec.make("textgen", "train").parameters
        self._model = build(int(self._data["vocabulary"]), parameters.layers, parameters.units, seed)
        self._training = TextTraining(
            self._model,
            self._data["training"],
            self._data["validation"],
            streams=parameters.batch_size,
            window=parameters.window,
            learning_rate=parameters.learning_rate,
            seed=seed,
        )
        self._characters = parameters.batch_size * parameters.window
        self._epoch = self._step = 0
        self._writers: dict[int, Writer] = {}

    def train(self, seconds: float) -> dict[str, float]:
        """Train for so many seconds, from where the last call ended.

        As `fit` does, it measures the losses on the validation text after each epoch.
        """
        training, made = self._training, 0
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            if self._step == 0:
                training.begin_epoch(self._epoch)
            count = min(training.chunk, training.steps - self._step)
            training.make_steps(self._step, count)
            self._step, made = self._step + count, made + count
            if self._step == training.steps:
                training.measure()
                self._epoch, self._step = self._epoch + 1, 0
        took = time.perf_counter() - began
        return {"seconds": took, "characters_per_second": made * self._characters / took}

    def held_out_nats(self, characters: int | None = None) -> float:
        """Mean nats for each held-out character, the state carried along, or for the first so many."""
        before, held_out = self._data["validation"][-RUN_IN - 1 :], self._data["held_out"][:characters]
        scores = Scorer(self._model).score(np.concatenate([before, held_out]), len(before))
        return float(scores.nats.mean(dtype=np.float64))

    def write(self, characters: int, texts: int = 1) -> dict[str, float]:
        """Write so many texts of so many characters side by side; compiled before the clock starts."""
        if texts not in self._writers:
            self._writers[texts] = Writer(self._model, texts)
            self._writers[texts].compile()
        generators = [np.random.default_rng([0, number]) for number in range(texts)]
        began = time.perf_counter()
        self._writers[texts].write(np.zeros(1, np.int32), characters, 1.0, generators)
        return {"characters_per_second": texts * characters / (time.perf_counter() - began)}


def start(**options: Any) -> Quartet:
    """Quartet's side."""
    return Quartet(**options)
