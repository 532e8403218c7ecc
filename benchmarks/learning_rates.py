"""The search for the notebooks' learning rates: each rate trained once, measured on validation data.

The docstrings of `benchmarks/notebooks/` have what it found. Takes about ten minutes on two quiet cores.
Run: `python -m benchmarks.learning_rates [autoencoder|denoiser|textgen|sentiment ...]`.
"""

import sys
from contextlib import ExitStack

from benchmarks.data import NOISE, prepared
from benchmarks.sides import started

IMAGE_RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3)
IMAGE_EPOCHS = 10
TEXT_OPTIMIZERS, TEXT_RATES, TEXT_STEPS = ("RMSprop", "Adam"), (1e-3, 3e-3, 1e-2, 3e-2), 2_000
REVIEW_RATES, REVIEW_EPOCHS = (5e-4, 1e-3, 2e-3, 4e-3), 3


def images(noise: float) -> None:
    """Print the validation BCE after ten epochs for each rate."""
    for rate in IMAGE_RATES:
        with ExitStack() as stack:
            data = stack.enter_context(prepared("images", short=False))
            modules = ["benchmarks.notebooks.autoencoder"]
            options = {"data": data, "seed": 0, "noise": noise, "learning_rate": rate}
            [side] = started(stack, modules, **options).values()
            losses = [side.ask("epoch")["validation_loss"] for _ in range(IMAGE_EPOCHS)]
        print(f"  {rate:g}: {losses[-1]:.4f}", flush=True)


def text() -> None:
    """Print the validation nats per character after 2,000 steps for each optimizer and rate."""
    for optimizer in TEXT_OPTIMIZERS:
        for rate in TEXT_RATES:
            with ExitStack() as stack:
                data = stack.enter_context(prepared("text", short=False))
                options = {"data": data, "seed": 0, "optimizer": optimizer, "learning_rate": rate}
                [side] = started(stack, ["benchmarks.notebooks.textgen"], **options).values()
                side.ask("train", seconds=10**6, steps=TEXT_STEPS)
                nats = side.ask("validation_nats")
            print(f"  {optimizer} {rate:g}: {nats:.3f}", flush=True)


def reviews() -> None:
    """Print the best validation accuracy in three epochs for each rate."""
    for rate in REVIEW_RATES:
        with ExitStack() as stack:
            data = stack.enter_context(prepared("reviews", short=False))
            options = {"data": data, "seed": 0, "learning_rate": rate}
            [side] = started(stack, ["benchmarks.notebooks.sentiment"], **options).values()
            found: list[float] = []
            while len(found) < REVIEW_EPOCHS:
                if side.ask("train")["epoch"].is_integer():
                    found.append(side.ask("accuracy", part="validation"))
        print(f"  {rate:g}: {max(found):.4f} (epoch {found.index(max(found)) + 1})", flush=True)


SEARCHES = {
    "autoencoder": lambda: images(0.0),
    "denoiser": lambda: images(NOISE),
    "textgen": text,
    "sentiment": reviews,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or SEARCHES:
        print(name, flush=True)
        SEARCHES[name]()
