"""What a report shows of a sweep over noise levels: who wins where."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from worker.noise_comparison import Comparison
from worker.report.image_figures import named_rows
from worker.report.parts import Figure, Parts, Table
from worker.report.style import COLOURS, MUTED, PAPER, new_drawing

METHODS = {"noisy": "noisy", "basic": "basic autoencoder", "denoised": "denoised"}
"""Methods of a comparison, and what the report calls them."""

MEASURES_SHOWN = {
    "psnr_db": ("PSNR", "higher"),
    "ssim": ("SSIM", "higher"),
    "mse": ("MSE", "lower"),
    "bce": ("BCE", "lower"),
}
"""Measures, their short names, and which way is better."""

NO_ERROR_DB = 99.0
"""A PSNR above it is that of an image nothing was done to; it would flatten all curves."""

LINES = (("s", ":", COLOURS[5]), ("^", "--", COLOURS[3]), ("o", "-", COLOURS[0]))
"""Marker, line style and colour of the methods, in their order."""


def winners(values: Mapping[str, Sequence[float]], better: str) -> list[str]:
    """The best method at each level; `better` is `lower` or `higher`, as in a metric."""
    best = max if better == "higher" else min
    return [
        next(method for method, value in zip(values, of_level, strict=True) if value == best(of_level))
        for of_level in zip(*values.values(), strict=True)
    ]


def who_wins_where(
    levels: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    won: Mapping[str, Sequence[str]],
    *,
    unit: str,
    marked: float,
) -> Drawing:
    """The curves of one measure above; below, for each measure, a strip with the winner at each level.

    Args:
        levels: standard deviations of the noise, ascending, at least two.
        curves: method -> a value for each level; NaN is left out.
        won: measure -> the winning method at each level.
        unit: what the curves show.
        marked: a level to point out.
    """
    drawing = new_drawing(5.6, 5.6)
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(3.2, 0.42 * len(won)))
    for (method, values), (marker, style, colour) in zip(curves.items(), LINES, strict=True):
        above.plot(
            levels, values, style, marker=marker, markersize=5, color=colour, label=method, clip_on=False
        )
    above.axvline(marked, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
    above.set_ylabel(unit)
    above.grid(visible=True, axis="y")
    above.yaxis.set_major_locator(MaxNLocator(integer=True))
    above.legend(facecolor=PAPER)

    methods = list(curves)
    middles = (np.array(levels[:-1]) + np.array(levels[1:])) / 2
    edges = [levels[0] - (middles[0] - levels[0]), *middles, levels[-1] + (levels[-1] - middles[-1])]
    numbers = [[methods.index(method) for method in row] for row in won.values()]
    colours = ListedColormap([colour for _, _, colour in LINES])
    below.pcolormesh(
        edges,
        np.arange(len(won) + 1),
        numbers,
        cmap=colours,
        vmin=-0.5,
        vmax=len(methods) - 0.5,
        edgecolors=PAPER,
        linewidth=2,
    )
    for row, winning in enumerate(won.values()):
        for left, right, method in zip(edges[:-1], edges[1:], winning, strict=True):
            # By its first letter too, for who does not tell the colours apart.
            place = (left + right) / 2, row + 0.5
            below.text(*place, method[0].upper(), ha="center", va="center", color=PAPER, fontweight="bold")
    below.set_yticks(np.arange(len(won)) + 0.5, list(won))
    below.invert_yaxis()
    below.tick_params(length=0)
    below.spines[:].set_visible(False)
    below.set_xlabel("standard deviation of the noise")
    below.set_title("closest to the original")
    return drawing


def comparison_parts(images: Mapping[str, NDArray[np.uint8]], comparison: Comparison, noise: float) -> Parts:
    """What a report shows of a denoiser beside a basic autoencoder.

    Args:
        images: rows of the same images, by the names of METHODS and `original`.
        comparison: the sweep.
        noise: the level of the headline numbers and of `images`.
    """
    rows = {"original": images["original"]} | {name: images[method] for method, name in METHODS.items()}
    yield Figure(
        "comparison",
        "The same noisy images, two networks",
        f"Test images, with noise of standard deviation {noise:g}, and what the basic autoencoder and the "
        "denoiser make of these.",
        f"{len(images['original'])} images in columns, from above: {', '.join(rows)}.",
        named_rows(rows),
    )
    levels = list(comparison.values)
    won = {}
    for measure, (label, better) in MEASURES_SHOWN.items():
        curves = comparison.curves(measure)
        won[label] = [METHODS[method] for method in winners(curves, better)]
    curves = {METHODS[method]: values for method, values in comparison.curves("psnr_db").items()}
    finite = {name: [v if v < NO_ERROR_DB else np.nan for v in values] for name, values in curves.items()}
    in_words = stretches(levels, won["PSNR"])
    yield Figure(
        "sweep",
        "Who wins where",
        "Above: PSNR as the noise grows, the mean over the test images, higher is better; the dotted line is "
        f"at {noise:g}, the level of the headline. Below: which of the three is closest to the original, by "
        f"each of four measures. {in_words}",
        "Line chart of the PSNR by noise level for noisy images, basic autoencoder and denoiser, and under "
        f"it a strip for each measure with the winner at each level. {in_words}",
        who_wins_where(levels, finite, won, unit="PSNR, dB", marked=noise),
    )
    at_noise = comparison.values[noise]
    yield Table(
        f"At noise {noise:g}",
        ["", *(f"{label} {'↑' if better == 'higher' else '↓'}" for label, better in MEASURES_SHOWN.values())],
        [
            [name, *(at_noise[method][measure] for measure in MEASURES_SHOWN)]
            for method, name in METHODS.items()
        ],
        "↑ higher is better, ↓ lower is. All levels are in sweep.csv.",
    )


def stretches(levels: Sequence[float], won: Sequence[str]) -> str:
    """Who wins where in words: `Best by PSNR: noisy at 0, denoised from 0.1 to 1.`"""
    starts = [place for place in range(len(won)) if place == 0 or won[place] != won[place - 1]]
    ends = [*(start - 1 for start in starts[1:]), len(won) - 1]
    words = []
    for start, end in zip(starts, ends, strict=True):
        first, last = f"{levels[start]:g}", f"{levels[end]:g}"
        words.append(f"{won[start]} {f'at {first}' if start == end else f'from {first} to {last}'}")
    return f"Best by PSNR: {', '.join(words)}."
