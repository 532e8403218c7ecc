"""What a training or a writing takes beside the limit of the machine: the share of each cause."""

from collections.abc import Mapping

from benchmarks.measuring import Row, number
from benchmarks.products import RUNS, SHORT_RUNS, Shape
from benchmarks.sides import Side
from worker.training.cpu_parallel import usable_processors


def products_for(row: Row) -> Side:
    """Start the process that multiplies, for all that is explained of a row."""
    return Side("benchmarks.products", runs=SHORT_RUNS if row.short else RUNS)


def explain(
    row: Row,
    products: Side,
    what: str,
    seconds: float,
    made: Mapping[Shape, float],
    rest: str,
    *,
    gflops: float,
    parts: int,
) -> None:
    """Add the limit that products of a network's own shapes set, and how the time divides.

    Such products are slower than the large ones that the machine's rate is measured with: their sums are
    short, or their rows are few. They are measured alone, now, compiled as the network is.

    Args:
        row: receives the limit and a note.
        products: of `products_for` the row.
        what: is made, as a word for the limit's line.
        seconds: that it was measured to take.
        made: products of one part, by their shapes -> how many of them.
        rest: what else takes time, as the note names it.
        gflops: the machine's best rate of such products.
        parts: that are computed in parallel, on a core each where there are so many.
    """
    threads = min(parts, usable_processors())
    each = products.ask("seconds_of", shapes=list(made), threads=threads)
    alone = sum(count * one for count, one in zip(made.values(), each, strict=True)) * parts / threads
    best = sum(count * shape.flops for shape, count in made.items()) * parts / (gflops * 1e9)
    # The least products, alone in a loop, can take longer than the same in a network, which overlaps them.
    within = min(max(alone, best), seconds)
    shapes = ", ".join(
        f"{shape.rows} × {shape.inner} × {shape.columns} at {threads * shape.flops / one / 1e9:.0f}"
        for shape, one in zip(made, each, strict=True)
    )
    row.limit(
        f"{what}, by products of these very shapes",
        alone * 1e6,
        "µs",
        f"measured alone, in GFLOP/s on {threads} core{'s' if threads > 1 else ''}: {shapes}",
    )
    row.note(
        f"{what[0].upper()}{what[1:]} takes {number(seconds * 1e6)} µs, {seconds / best:.2f} times what its "
        f"products would at the machine's best rate: {best / seconds:.0%} of the time are these, "
        f"{(within - best) / seconds:.0%} what products of these shapes take longer, and "
        f"{(seconds - within) / seconds:.0%} {rest}."
    )
