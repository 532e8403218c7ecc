"""Time for an epoch of the autoencoder, and the loss after as many epochs.

Run: `python -m benchmarks.autoencoder [--short]`.
"""

from benchmarks.image_comparison import compare, note_quality
from benchmarks.measuring import Row
from benchmarks.row_command import run

EPOCHS = 10


def measure(row: Row) -> None:
    """Train with a notebook, with PyTorch and with Quartet, an epoch of each in turn."""
    reached = compare(row, noise=0.0, epochs=EPOCHS, beside_notebook=6.0, beside_pytorch=2.0)
    bce = note_quality(row, reached, "bce", "nats/pixel", EPOCHS)
    # The same loss: no difference beyond what the seeds make.
    for name, other in (("notebooks", "the notebook"), ("pytorch", "PyTorch")):
        if name in bce:
            ratio = bce["quartet"] / bce[name]
            row.judge(f"test BCE after 10 epochs beside {other}'s", ratio, "≤", 1.005)


if __name__ == "__main__":
    run("autoencoder", "Autoencoder", measure)
