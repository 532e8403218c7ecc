"""Characters a second that the character model writes, one text at a time and 64 in parallel.

The weights are random, which takes the same time.
Run: `python -m benchmarks.textgen_generation [--short]`.
"""

from contextlib import ExitStack
from statistics import median

from benchmarks.data import arrays, prepared
from benchmarks.measuring import Row, pairs
from benchmarks.products import Shape
from benchmarks.row_command import run
from benchmarks.shares import explain, products_for
from benchmarks.sides import started
from worker.tasks.textgen.sampling import WIDTHS

ROUNDS = 7
TEXTS = 64
CHARACTERS = {("notebooks", 1): 40, ("pytorch", 1): 5_000, ("quartet", 1): 40_000}
CHARACTERS |= {("pytorch", TEXTS): 500, ("quartet", TEXTS): 3_000}
"""The length of each text in one turn: about half a second, three for the notebook."""

NAMES = {"notebooks": "notebook, `predict` for each character", "pytorch": "PyTorch", "quartet": "Quartet"}
UNITS = 128


def measure(row: Row) -> None:
    """Write with each side in turn; the first turn is not counted."""
    speeds: dict[tuple[str, int], list[float]] = {}
    modules = row.compared_with("textgen", "textgen", "textgen")
    with prepared("text", row.short) as data, ExitStack() as stack:
        vocabulary = int(arrays(data)["vocabulary"])
        sides = started(stack, modules, data=data, seed=0)
        for turn in range(2 if row.short else ROUNDS):
            for (name, texts), characters in CHARACTERS.items():
                if name not in sides:
                    continue
                options = {"characters": max(4, characters // 10) if row.short else characters}
                if texts > 1:
                    options["texts"] = texts
                speed = sides[name].ask("write", **options)["characters_per_second"]
                if turn:
                    speeds.setdefault((name, texts), []).append(speed)
    for (name, texts), values in speeds.items():
        row.figure(f"{NAMES[name]}, {texts} text{'s' if texts > 1 else ''}", "characters/s", values)
    one, many = speeds["quartet", 1], speeds["quartet", TEXTS]
    row.judge("one text beside the notebook", pairs(one, speeds["notebooks", 1]), "≥", 5_000)
    if ("pytorch", 1) in speeds:
        row.judge("one text beside PyTorch", pairs(one, speeds["pytorch", 1]), "≥", 5)
        row.judge("64 texts beside PyTorch", pairs(many, speeds["pytorch", TEXTS]), "≥", 2)
    flops = 2 * (UNITS * 4 * UNITS + UNITS * vocabulary)
    for what, rate, kind in (
        ("1 text, on one core", row.machine.gemv_gflops_core, "GEMV"),
        (f"{TEXTS} texts, on all cores", row.machine.gemm_gflops, "GEMM"),
    ):
        row.limit(
            what,
            rate * 1e9 / flops,
            "characters/s",
            f"matrices {UNITS} × {4 * UNITS} and {UNITS} × {vocabulary} are {flops:,} FLOP a character; at "
            f"the measured {kind} rate of {rate:.0f} GFLOP/s",
        )
    with products_for(row) as products:
        for texts, width, speed, gflops in (
            (1, 1, one, row.machine.gemv_gflops_core),
            (TEXTS, WIDTHS[-1], many, row.machine.gemm_gflops),
        ):
            explain(
                row,
                products,
                f"a character of each of {texts} texts" if texts > 1 else "a character of one text",
                texts / median(speed),
                {Shape(width, UNITS, 4 * UNITS): 1, Shape(width, UNITS, vocabulary): 1},
                "gates, the look-up, the draw, and the loop",
                gflops=gflops,
                parts=texts // width,
            )
    row.note(
        "Compiling our graph, about half a second a job, is not counted; nothing of the others is either."
    )


if __name__ == "__main__":
    run("textgen_generation", "Text generation, writing", measure)
