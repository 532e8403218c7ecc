"""The same images as several models output them, one model a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from jobs.wording import counted
from worker.images.artifacts import SHOWN_IMAGES, saved_images
from worker.images.drawings import named_rows
from worker.images.pixels import Pixels
from worker.report.blocks import Blocks, Compared, Figure
from worker.report.comparing import read_each

ACTIONS = {"evaluate": "test image", "train": "validation image"}
"""Actions that leave images of their data, and what those are called; the first that two runs have counts."""

Arrays = Mapping[str, NDArray[Any]]


def rows_of_outputs(
    runs: Sequence[Compared], outputs: Mapping[str, str], *, given: Mapping[str, str]
) -> Blocks:
    """Draw the same images by all models.

    Args:
        runs: those that are compared.
        outputs: action -> the array of `images.npz` that a model made of `original`.
        given: action -> the array that it was given, drawn too where it is not `original`.
    """
    for action, noun in ACTIONS.items():
        read = read_each(runs, action, saved_images)
        found = {run.label: arrays for run, arrays in read if {"original", outputs[action]} <= arrays.keys()}
        alike = _alike(found)
        if len(alike) > 1:
            yield _figure(alike, outputs[action], given[action], noun, len(found) - len(alike), runs)
            return


def _alike(found: Mapping[str, Arrays]) -> Mapping[str, Arrays]:
    """Those that show the same images: as many as there are of any, the best of equals."""
    groups: dict[bytes, dict[str, Arrays]] = {}
    for label, arrays in found.items():
        groups.setdefault(arrays["original"][:SHOWN_IMAGES].tobytes(), {})[label] = arrays
    return max(groups.values(), key=len, default={})


def _figure(
    alike: Mapping[str, Arrays], output: str, given: str, noun: str, others: int, runs: Sequence[Compared]
) -> Figure:
    first = next(iter(alike.values()))
    rows: dict[str, Pixels] = {"original": first["original"][:SHOWN_IMAGES]}
    same_input = all((arrays.get(given, first[given]) == first[given]).all() for arrays in alike.values())
    if given != "original" and same_input:
        rows["noisy"] = first[given][:SHOWN_IMAGES]
    rows |= {label: arrays[output][:SHOWN_IMAGES] for label, arrays in alike.items()}
    legends = "; ".join(run.legend for run in runs if run.label in alike and run.detail)
    shown = counted(len(rows["original"]), noun)
    left_out = f" {counted(others, 'run')} of other images left out." if others else ""
    return Figure(
        "same_images",
        "The same images by each model",
        f"{shown}, the best model first.{left_out}{f' {legends}.' if legends else ''}",
        f"The same {shown} in {len(rows)} rows: {', '.join(rows)}.",
        named_rows(rows, columns=len(rows["original"])),
    )
