"""What only denoisers have to compare: PSNR against the noise level, overlaid; the same digits in rows."""

import math
from collections.abc import Sequence

from worker.images.compared_rows import rows_of_outputs
from worker.report.blocks import Blocks, Compared, Figure
from worker.report.comparing import line_look, read_each
from worker.report.theme import MUTED, new_drawing
from worker.tasks.denoiser.comparison import Comparison

_METHOD = "denoised"


def compare(runs: Sequence[Compared]) -> Blocks:
    """Yield what the page of a comparison shows of denoisers.

    Args:
        runs: the best first.
    """
    sweeps = {run.legend: sweep for run, sweep in read_each(runs, "evaluate", Comparison.read)}
    if len(sweeps) > 1:
        yield _overlaid(sweeps)
    yield from rows_of_outputs(
        runs,
        {"evaluate": _METHOD, "train": "output"},
        given={"evaluate": "noisy", "train": "input"},
    )


def _overlaid(sweeps: dict[str, Comparison]) -> Figure:
    drawing = new_drawing(7.0, 4.4 + 0.2 * len(sweeps))
    axes = drawing.add_subplot(
        xlabel="standard deviation of the noise, before it is clipped", ylabel="PSNR, dB"
    )
    axes.grid(visible=True, axis="y")
    for number, (label, sweep) in enumerate(sweeps.items()):
        axes.plot(
            list(sweep.values), _finite(sweep, _METHOD), **line_look(number), label=label, linewidth=1.5
        )
    noisy = next(iter(sweeps.values()))
    axes.plot(
        list(noisy.values), _finite(noisy, "noisy"), color=MUTED, linewidth=1, linestyle=":", label="noisy"
    )
    legend = drawing.legend(loc="outside lower left", ncols=1, fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
    best = {label: _peak(sweep) for label, sweep in sweeps.items()}
    return Figure(
        "noise_sweeps",
        "PSNR against the noise level",
        f"Of the denoised test images of {len(sweeps)} models, higher is better; dotted: the noisy ones.",
        "Lines of the PSNR by noise level. At their best: "
        + "; ".join(f"{label} {value:.2f} dB at {level:g}" for label, (level, value) in best.items()),
        drawing,
    )


def _finite(sweep: Comparison, method: str) -> list[float]:
    return [value if math.isfinite(value) else math.nan for value in sweep.curves("psnr_db")[method]]


def _peak(sweep: Comparison) -> tuple[float, float]:
    pairs = zip(sweep.values, _finite(sweep, _METHOD), strict=True)
    return max(((level, value) for level, value in pairs if not math.isnan(value)), key=lambda pair: pair[1])
