"""What only one model has to compare: the blocks of its wing's `compare.py`, if it has one."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count

from jobs.models import import_part, packages
from worker.report.blocks import Blocks, Compared
from worker.report.compare_data import PageOfRuns
from worker.report.compared_points import ComparedPoint, Shown
from worker.report.formatting import clipped
from worker.report.render_blocks import ShownBlock, ShownFigure, block_without_files
from worker.report.theme import themed

log = logging.getLogger(__name__)

MOST_RUNS = 12
"""Of the best points one run each, that a model's own part compares."""

MOST_BYTES = 1_200_000
"""Of all figures together."""

LONGEST_LABEL = 24
_DETAILS = 2
_LONGEST_VALUE = 24
_SAID = ("from", "model", "action")
"""Values that say nothing of a run beside others of its model."""


@dataclass(frozen=True)
class ModelBlocks:
    """What a model's own part of the page shows, and of how many runs."""

    model: str
    runs: int
    blocks: Sequence[ShownBlock]


Chosen = Mapping[str, Sequence[Compared]]
"""Model -> the runs that its own part compares, the best first."""


def chosen_runs(comparison: PageOfRuns) -> Chosen:
    """One run of each of the best points, with the jobs that used its model.

    A job that used the model of a compared training job, or of one beside it in the results, goes with that.
    """
    found: dict[str, dict[str, Compared]] = {}
    parameters = [column.name for column in comparison.columns if column.key.startswith("p:")]
    for point in comparison.points:
        shown = _representative(comparison, point)
        if shown is None:
            continue
        of_model = found.setdefault(shown.run.model, {})
        key = shown.run.source or shown.run.id
        if key not in of_model and len(of_model) == MOST_RUNS:
            continue
        folders = {
            run.action: folder
            for run in (shown.run, *shown.followed)
            if run.succeeded and (folder := comparison.results.find(run.id))
        }
        if shown.run.source and (trained := comparison.results.find(shown.run.source)):
            folders.setdefault("train", trained)
        known = of_model.get(key)
        name = (comparison.sweep is None and shown.run.name) or point.label
        of_model[key] = Compared(
            known.label if known else _unlike(name, {each.label for each in of_model.values()}),
            known.detail if known else _detail(point, parameters),
            {**folders, **(known.folders if known else {})},
        )
    return {model: list(runs.values()) for model, runs in found.items()}


def _unlike(name: str, taken: Collection[str]) -> str:
    """A label that no other run has: what a model's part draws is found by it."""
    label = clipped(name, LONGEST_LABEL)
    turns = (f"{clipped(name, LONGEST_LABEL - 5)} ({turn})" for turn in count(2))
    return label if label not in taken else next(each for each in turns if each not in taken)


def _representative(comparison: PageOfRuns, point: ComparedPoint) -> Shown | None:
    """The best run of a point; None where none succeeded."""
    succeeded = [shown for shown in point.runs if shown.run.succeeded]
    goal = comparison.goal
    if not succeeded or goal is None:
        return succeeded[0] if succeeded else None
    sign = 1 if goal.goal == "minimize" else -1
    worst = float("inf")

    def badness(shown: Shown) -> float:
        value = shown.run.metrics.get(goal.name)
        return worst if value is None else sign * value

    return min(succeeded, key=badness)


def _detail(point: ComparedPoint, parameters: Sequence[str]) -> str:
    """The first of a point's parameters that differ."""
    names = [name for name in parameters if name in point.values and name not in _SAID]
    return ", ".join(f"{name} {_short(point.values[name])}" for name in names[:_DETAILS])


def _short(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def model_blocks(chosen: Chosen) -> list[ModelBlocks]:
    """Draw what each model's own part compares; a part that fails is left out."""
    return [
        ModelBlocks(model, len(runs), blocks)
        for model, runs in chosen.items()
        if len(runs) > 1 and (blocks := list(_blocks(model, runs)))
    ]


def _blocks(model: str, runs: Sequence[Compared]) -> Iterator[ShownBlock]:
    left = MOST_BYTES
    try:
        compare = _compare_of(model)
        with themed():
            for block in compare(runs) if compare else ():
                shown = block_without_files(block)
                left -= len(shown.image.source) if isinstance(shown, ShownFigure) else 0
                if left < 0:
                    log.info("the comparison of %s leaves out what is too large for a page", model)
                    return
                yield shown
    except Exception:  # of a wing, or of a folder that somebody changed
        log.warning("what only %s has to compare cannot be shown", model, exc_info=True)


def _compare_of(model: str) -> Callable[[Sequence[Compared]], Blocks] | None:
    """A wing's `compare`; None where it has none, or is not installed."""
    claims = packages().get(model, ())
    if len(claims) != 1 or find_spec(f"{claims[0]}.compare") is None:
        return None
    compare: Callable[[Sequence[Compared]], Blocks] = import_part(model, "compare").compare
    return compare
