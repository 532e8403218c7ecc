"""What the page of a comparison shows, without what only one model has: as JSON and as texts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jobs.comparison.comparison import Comparison
from jobs.comparison.differences import caveats
from jobs.comparison.run import Run
from jobs.comparison.selection import Selection
from jobs.ledger.sweep_record import SweepRecord
from jobs.store.results import Results
from jobs.sweeps.sweep_spec import Goal, SweepSpec
from worker.report.blocks import Metric
from worker.report.compared_columns import Column, metric_columns, metrics_of, parameter_columns, values_of
from worker.report.compared_notes import counts
from worker.report.compared_points import LONGEST_TEXT, ComparedPoint, Shown, points_of
from worker.report.compared_run import read_losses
from worker.report.formatting import clipped
from worker.report.swept_runs import swept_runs

MOST_CURVE_POINTS = 48_000
"""Of all loss curves together, so that a page of many runs stays small."""

FEWEST_CURVE_POINTS = 40
"""Of one curve, however many there are."""

MOST_SHOWN = 1_000
"""Runs that a page shows, those of the best points."""


@dataclass(frozen=True)
class PageOfRuns:
    """What a page compares.

    Attributes:
        results: the folder of all jobs.
        found: the jobs beside each other, as the table of a terminal has them.
        points: what the page shows, the best first.
        sweep: the sweep that they are of, if they are of one.
        by_id: all jobs of that sweep that have ended.
    """

    results: Results
    found: Comparison
    points: Sequence[ComparedPoint]
    sweep: SweepRecord | None = None
    by_id: Mapping[str, Run] = field(default_factory=dict)

    @property
    def goal(self) -> Goal | None:
        """By which they are ranked; None where there is no number that says so."""
        return self.found.goal

    @cached_property
    def spec(self) -> SweepSpec | None:
        """The description of their sweep."""
        return None if self.sweep is None else self.sweep.spec

    @cached_property
    def best_place(self) -> int | None:
        """Which of the points is the best; None where none can be."""
        groups = self.found.groups
        return next((place for place, group in enumerate(groups) if group is self.found.best), None)

    @property
    def best(self) -> ComparedPoint | None:
        """The best point, if one is."""
        return None if self.best_place is None else self.points[self.best_place]

    @cached_property
    def models(self) -> list[str]:
        """The models of its runs."""
        runs = [*self.found.runs, *self.by_id.values()]
        return list(dict.fromkeys(run.model for run in runs if run.model))

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of these models by name."""
        return metrics_of(self.models)

    @cached_property
    def columns(self) -> list[Column]:
        """The parameters that differ, then the metrics, that of the goal first."""
        return [
            *parameter_columns(self.points, self.found.differing, self.spec),
            *metric_columns(self.points, self.metrics, self.goal),
        ]

    @property
    def goal_column(self) -> Column | None:
        """The column of the goal."""
        name = self.goal.name if self.goal is not None else ""
        return next((column for column in self.columns if column.key == f"m:{name}"), None)


def page_of_runs(results: Results, selection: Selection, sort: str | None = None) -> PageOfRuns:
    """Compare jobs that a person chose.

    Args:
        results: the folder of all jobs.
        selection: the jobs.
        sort: the number by which they are ranked, if not that of their sweep or their model's headline.

    Raises:
        InvalidInput: they have no such number.
    """
    found = Comparison.of(selection, sort)
    return PageOfRuns(results, found, points_of(found, {}, {}))


def page_of_sweep(results: Results, sweep: SweepRecord) -> PageOfRuns:
    """Compare the trials of a sweep.

    Args:
        results: the folder of all jobs.
        sweep: as it stands.

    Raises:
        InvalidInput: this version cannot read the sweep's description.
    """
    _ = sweep.spec
    runs = swept_runs(results, sweep)
    found = Comparison.of(runs.selection)
    epochs = {entry.job: entry.epochs for entry in sweep.entries if entry.epochs is not None}
    return PageOfRuns(results, found, points_of(found, runs.followed, epochs), sweep, runs.by_id)


def page_data(comparison: PageOfRuns, path: Path) -> dict[str, Any]:
    """What the page's program draws.

    Args:
        comparison: what is compared.
        path: of the page, from which the runs' reports are linked.
    """
    points = shown_points(comparison)
    shown = [each for point in points for each in point.runs]
    numbers = {id(each): place for place, each in enumerate(shown)}
    most = max(FEWEST_CURVE_POINTS, MOST_CURVE_POINTS // max(1, 2 * len(shown)))
    goal = comparison.goal_column
    return {
        "goal": goal.key if goal is not None else None,
        "best": comparison.best_place,
        "columns": [_column(column) for column in comparison.columns],
        "points": [
            {
                "label": point.label,
                "values": values_of(point, comparison.columns),
                "runs": [numbers[id(each)] for each in point.runs],
            }
            for point in points
        ],
        "runs": [_run(comparison, point, each, path, most) for point in points for each in point.runs],
    }


def shown_points(comparison: PageOfRuns) -> Sequence[ComparedPoint]:
    """The best points, as many as a page has room for."""
    most = max(1, MOST_SHOWN // max((len(point.runs) for point in comparison.points), default=1))
    return comparison.points[:most]


def _column(column: Column) -> dict[str, Any]:
    return {name: value for name, value in column.__dict__.items() if value not in ("", None, False)}


def _run(comparison: PageOfRuns, point: ComparedPoint, shown: Shown, path: Path, most: int) -> dict[str, Any]:
    run = shown.run
    several = f", seed {run.seed}" if len(point.runs) > 1 else ""
    found = {
        "id": run.id,
        "label": clipped((comparison.sweep is None and run.name) or f"{point.label}{several}", LONGEST_TEXT),
        "href": link_to(comparison.results, run.id, path),
        "state": run.state,
        "seed": run.seed if run.kind else None,
        "epochs": shown.epochs,
        "why": clipped((run.error or "").split("\n", 1)[0], LONGEST_TEXT),
        "warning": clipped(run.warnings[0], LONGEST_TEXT) if run.warnings else "",
        "values": [shown.metrics.get(column.name) for column in comparison.columns if column.key[0] == "m"],
        "followed": [
            [each.action, link_to(comparison.results, each.id, path), each.state] for each in shown.followed
        ],
        "losses": _losses(comparison, run, most),
        "unit": _loss_unit(run.kind),
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def link_to(results: Results, job_id: str, path: Path) -> str:
    """The address of a job's report, relative to a page."""
    report = results.root.absolute() / job_id / "report.html"
    return quote(Path(os.path.relpath(report, path.absolute().parent)).as_posix())


@cache
def _loss_unit(kind: str) -> str:
    """What the losses of a training job are measured in; empty where its model does not say so."""
    model, _, action = kind.partition(" ")
    columns = (each.unit for each in metrics_of([model]).values() if each.column == "validation_loss")
    return next(columns, "") if action == "train" else ""


def _losses(comparison: PageOfRuns, run: Run, most: int) -> dict[str, Any] | None:
    """Its losses with at most about so many epochs, the first and the last among them; None without any."""
    if run.action != "train":
        return None
    losses = read_losses(comparison.results.root / run.id)
    if not losses["x"]:
        return None
    count = len(losses["x"])
    step = max(1.0, (count - 1) / (most - 1))
    places = sorted({round(place * step) for place in range(min(count, most))} | {count - 1})
    places = [place for place in places if place < count]
    return {
        "x": [losses["x"][place] for place in places],
        "y": {name: [values[place] for place in places] for name, values in losses["y"].items()},
        **({"thinned": True} if len(places) < losses["epochs"] else {}),
    }


def shown_facts(comparison: PageOfRuns) -> dict[str, Any]:
    """What the top of the page says, as texts."""
    shown = [each.run for point in comparison.points for each in point.runs]
    followed = [each for point in comparison.points for one in point.runs for each in one.followed]
    ids = {run.id for run in shown}
    return {
        "counts": counts(comparison.points, [run for run in comparison.found.others if run.id not in ids]),
        "left_out": len(comparison.points) - len(shown_points(comparison)),
        "doubts": [*comparison.found.caveats, *caveats(followed, of_several_kinds=True)],
        "goal": comparison.goal_column,
        "by_rung": comparison.found.by_rung,
        "kinds": list(dict.fromkeys(run.kind for run in shown if run.model)),
    }
