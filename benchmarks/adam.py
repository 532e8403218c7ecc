"""Our Adam beside Keras' own under one `jit_compile`, in whole image steps.

Run: `python -m benchmarks.adam [--short]`.
"""

from contextlib import ExitStack

from benchmarks.data import prepared
from benchmarks.measuring import Row, pairs
from benchmarks.row_command import run
from benchmarks.sides import Side

EPOCHS = 10
WORTH_HAVING = 1.03
"""Our own Adam stays as long as a whole step takes this many times as long with Keras'."""


def measure(row: Row) -> None:
    """Train an epoch with each in turn; the first compiles and is not counted."""
    epochs = 2 if row.short else EPOCHS
    times: dict[str, list[float]] = {"keras_adam": [], "images": []}
    with prepared("images", row.short) as data, ExitStack() as stack:
        sides = {
            name: stack.enter_context(Side(f"benchmarks.quartet.{name}", data=data, seed=0, noise=0.0))
            for name in times
        }
        for side in sides.values():
            side.ask("ready")
        for epoch in range(epochs):
            for name, side in sides.items():
                seconds = side.ask("epoch")["seconds"]
                if epoch:
                    times[name].append(seconds)
    row.figure("an epoch with Keras' Adam under one jit_compile", "s", times["keras_adam"])
    row.figure("an epoch with ours", "s", times["images"])
    ratios = pairs(times["keras_adam"], times["images"])
    row.judge("Keras' Adam beside ours, whole epochs", ratios, "≥", WORTH_HAVING)
    row.note("Below the target ours would go: `worker/training/adam.py` is there for this ratio alone.")


if __name__ == "__main__":
    run("adam", "Adam", measure)
