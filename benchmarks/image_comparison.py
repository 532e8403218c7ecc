"""What the rows of the autoencoder and of the denoiser share: their sides take turns, epoch by epoch."""

from contextlib import ExitStack
from statistics import mean, median

from benchmarks.data import arrays, prepared
from benchmarks.measuring import Row, pairs
from benchmarks.products import Shape
from benchmarks.shares import explain, products_for
from benchmarks.sides import started
from worker.images.network import CODE_UNITS
from worker.images.parameters import ImageTraining
from worker.training.cpu_parallel import PARTS

NAMES = {"notebooks": "notebook", "pytorch": "PyTorch", "quartet": "Quartet"}
PRODUCTS = 5
"""With a matrix 784 × 32, in a step: two forward, two for gradients of weights, one for that of the code."""

Qualities = dict[str, list[dict[str, float]]]
"""For each side, what it reached with each seed."""


def compare(
    row: Row, *, noise: float, epochs: int, beside_notebook: float, beside_pytorch: float
) -> Qualities:
    """Train each side with three seeds, an epoch of each in turn; judge the time of an epoch.

    The first epoch of each seed compiles and is not counted.

    Args:
        row: receives the figures.
        noise: the standard deviation of what is added to the input, 0 for the autoencoder.
        epochs: for each seed.
        beside_notebook: the target, how many times as fast as the notebook.
        beside_pytorch: likewise, beside PyTorch.

    Returns:
        What each side reached after the last epoch.
    """
    seeds, epochs = ((0,), 2) if row.short else ((0, 1, 2), epochs)
    times: dict[str, list[float]] = {}
    reached: Qualities = {}
    modules = row.compared_with("autoencoder", "images", "autoencoder")
    with prepared("images", row.short) as data:
        images, pixels = arrays(data)["train"].shape
        for seed in seeds:
            with ExitStack() as stack:
                sides = started(stack, modules, data=data, seed=seed, noise=noise)
                for epoch in range(epochs):
                    for name, side in sides.items():
                        seconds = side.ask("epoch")["seconds"]
                        if epoch:
                            times.setdefault(name, []).append(seconds)
                for name, side in sides.items():
                    reached.setdefault(name, []).append(side.ask("quality"))
                if noise and seed == seeds[0]:
                    seconds = sides["notebooks"].ask("noise_seconds")
                    row.figure("notebook, to make its noise once, before the training", "s", [seconds])
    for name, seconds in times.items():
        row.figure(f"{NAMES[name]}, an epoch", "s", seconds)
    row.judge("epochs beside the notebook", pairs(times["notebooks"], times["quartet"]), "≥", beside_notebook)
    if "pytorch" in times:
        row.judge("epochs beside PyTorch", pairs(times["pytorch"], times["quartet"]), "≥", beside_pytorch)
    _limit_an_epoch(row, images, pixels, median(times["quartet"]))
    row.note(
        f"An epoch: {images:,} images in batches of {ImageTraining().batch_size}, then the losses on the "
        "validation images; ours on as many training images as well. The first epoch of each seed compiles "
        "and is left out. Not counted is our checkpoint, which a job writes once a second at most."
    )
    return reached


def _limit_an_epoch(row: Row, images: int, pixels: int, seconds: float) -> None:
    code = CODE_UNITS
    gigaflops = images * PRODUCTS * 2 * pixels * code / 1e9
    row.limit(
        "an epoch",
        gigaflops / row.machine.gemm_gflops,
        "s",
        f"{images:,} images × {PRODUCTS} products × 2 × {pixels} × {code} = {gigaflops:.1f} GFLOP at the "
        f"measured GEMM rate of {row.machine.gemm_gflops:.0f} GFLOP/s",
    )
    batch = ImageTraining().batch_size
    half, steps = batch // PARTS, images / batch
    with products_for(row) as products:
        explain(
            row,
            products,
            "an epoch",
            seconds,
            {
                Shape(half, pixels, code): 2 * steps,
                Shape(half, code, pixels): steps,
                Shape(pixels, half, code, transposed=True): steps,
                Shape(code, half, pixels, transposed=True): steps,
            },
            "the reading of images, the loss' gradient, Adam, and both losses after the epoch",
            gflops=row.machine.gemm_gflops,
            parts=PARTS,
        )


def note_quality(row: Row, reached: Qualities, measure: str, unit: str, epochs: int) -> dict[str, float]:
    """Keep what each side reached on the test images; return each side's mean over the seeds."""
    for name, found in reached.items():
        label = f"{NAMES[name]}, test {measure} after {epochs} epochs"
        row.figure(label, unit, [each[measure] for each in found])
    return {name: mean(each[measure] for each in found) for name, found in reached.items()}
