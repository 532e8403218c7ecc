"""Sentences about the numbers of a denoiser, made from these numbers."""

import math
from collections.abc import Mapping, Sequence

from worker.report.formatting import percentage

Measures = Mapping[str, float]
"""The means over the images: `psnr_db`, `mse`, …"""

LEAST_DROP_DB = 0.1
"""A smaller difference in PSNR is not worth a sentence."""


def clipping(noise: float, noisy_mse: float, clipped_share: float | None = None) -> str:
    """Say what clipping leaves of the noise; nothing where there is none.

    Args:
        noise: standard deviation before clipping.
        noisy_mse: mean squared error of the noisy images.
        clipped_share: of their pixels, those that were cut off; None where it was not measured.
    """
    if not noise:
        return ""
    share = "" if clipped_share is None else f", {percentage(clipped_share)} of all,"
    return (
        f" Pixels that the noise takes beyond 0 and 1{share} are clipped to this range; what remains of the "
        f"noise has a root mean square of {math.sqrt(noisy_mse):.2f}."
    )


def best_level(values: Mapping[float, Measures], training_noise: float | None) -> str:
    """Say so if a denoiser is worse on images with less noise; nothing where it is not.

    Args:
        values: noise level, ascending -> the denoiser's measures.
        training_noise: standard deviation of the noise that it was trained on, if known.
    """
    lowest = min(values)
    best = max(values, key=lambda level: values[level]["psnr_db"])
    at_best, at_lowest = values[best]["psnr_db"], values[lowest]["psnr_db"]
    if at_best - at_lowest < LEAST_DROP_DB:
        return ""
    trained = "its training" if training_noise is None else f"its training, with noise of {training_noise:g}"
    return (
        f" The denoiser's output is better at noise {best:g} ({at_best:.2f} dB) than at {lowest:g} "
        f"({at_lowest:.2f} dB): clipped noise makes black brighter and white darker, and the network undoes "
        f"as much of that as there was in {trained}, whether or not it is there."
    )


def rise_of_both(values: Mapping[float, Measures], method: str) -> str:
    """Say so if a method's PSNR and its MSE both rise with the noise; nothing where they do not.

    Args:
        values: noise level, ascending -> the method's measures.
        method: what the report calls it.
    """
    levels = list(values)
    pairs = [
        (low, high)
        for place, low in enumerate(levels)
        for high in levels[place + 1 :]
        if all(more > 0 for more in _visible_rises(values[low], values[high]))
    ]
    if not pairs:
        return ""
    low, high = max(pairs, key=lambda pair: values[pair[1]]["mse"] / values[pair[0]]["mse"])
    before, after = values[low], values[high]
    return (
        f" From noise {low:g} to {high:g} the mean PSNR of {method} rises from {before['psnr_db']:.2f} to "
        f"{after['psnr_db']:.2f} dB, and so does its mean squared error, from {before['mse']:.4f} to "
        f"{after['mse']:.4f}: {WHY}"
    )


def _visible_rises(before: Measures, after: Measures) -> tuple[float, float]:
    """By how much PSNR and MSE rise, as a sentence shows them: what vanishes in rounding is no rise."""
    psnr, mse = (
        round(after[name], digits) - round(before[name], digits)
        for name, digits in (("psnr_db", 2), ("mse", 4))
    )
    return psnr, mse


WHY = (
    "a mean of decibels is moved most by the images that are already close, a mean squared error by those "
    "that are far off."
)


def disagreement(methods: Mapping[str, Measures]) -> str:
    """Say so if PSNR and MSE disagree on which of two methods is closer; nothing where they agree.

    Args:
        methods: what the report calls them -> their measures.
    """
    names: Sequence[str] = list(methods)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            first, second = methods[one], methods[other]
            psnr, mse = _visible_rises(first, second)
            if psnr * mse > 0:
                return (
                    f" {one.capitalize()} and {other} have a mean PSNR of {first['psnr_db']:.2f} and "
                    f"{second['psnr_db']:.2f} dB, but a mean squared error of {first['mse']:.4f} and "
                    f"{second['mse']:.4f}; the two measures disagree on which is closer: {WHY}"
                )
    return ""
