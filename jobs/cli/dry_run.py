"""Prints what `quartet sweep` would queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.columns import GAP, Column, lines
from jobs.cli.common import print_json
from jobs.errors import QuartetError
from jobs.escape_control import escape_line
from jobs.showing.sweep_text import value_text
from jobs.showing.terminal import line_width, styled
from jobs.spec import JobSpec
from jobs.store.own_data_pin import shown_data
from jobs.sweeps.description import Made
from jobs.sweeps.entry import Outcome
from jobs.sweeps.estimate import Paces
from jobs.sweeps.outcomes import Outcomes
from jobs.sweeps.plain_jobs import PlainJob
from jobs.sweeps.preview import PlainPreview, SweepPreview, plain_preview, preview
from jobs.sweeps.rehearsal import Rehearsal, rehearse
from jobs.sweeps.sweep import STOPPED_WITH_SWEEP
from jobs.sweeps.sweep_spec import Median, SweepSpec
from jobs.wording import alternatives, counted

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.reuse import EqualJobs
    from jobs.sweeps.sweep import Sweep

MOST_POINTS = 50
"""Points of a sweep that are printed."""


def print_dry_run(
    client: "Client", made: Sequence[Made], there: "Sequence[Sweep | None]", *, as_json: bool
) -> None:
    """Print what sweeps and plain jobs would queue, with their points and how long they may take.

    Args:
        client: finds finished jobs, those that would be reused among them.
        made: what a file or a command line describes.
        there: for each, the sweep that has its name already.
        as_json: print JSON instead, with all points.
    """
    paces, equal = Paces(client.results), client.equal_jobs()
    found: list[dict[str, Any]] = []
    for number, (each, before) in enumerate(zip(made, there, strict=True)):
        if not as_json and number:
            click.echo()
        if isinstance(each, SweepSpec):
            previewed = preview(each, paces, _rehearsal(client, each, before, equal))
            queued = _trials(before)
            state = None if before is None else {"state": before.state, "trials": queued}
            found.append({"sweep": each.name, "there": state, **previewed.as_dict()})
            if not as_json:
                _print_sweep(previewed)
                if before is not None:
                    click.echo(_of_another(before, queued, previewed.trials))
                _print_points(previewed)
        else:
            plain = plain_preview(each, paces, lambda spec: equal.find(spec, same_name=True))
            jobs = [spec.model_dump(mode="json", by_alias=True, exclude_unset=True) for spec in each.then]
            spec = each.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
            followers = [{name: value for name, value in job.items() if name != "from"} for job in jobs]
            found.append({"job": spec, "then": followers, **plain.__dict__})
            if not as_json:
                _print_job(each, plain)
    if as_json:
        print_json(found)


def _rehearsal(client: "Client", spec: SweepSpec, before: "Sweep | None", equal: "EqualJobs") -> Rehearsal:
    """Which jobs a sweep would reuse; none where that cannot be found out."""
    folders = Outcomes(client.ledger, client.results, spec.model, spec.metric.name)
    try:
        there = () if before is None else (before.entries, _outcomes_of(before))
        return rehearse(spec, equal.find, lambda ids: folders.look(ids, without_redis=True), *there)
    except (QuartetError, OSError):
        return Rehearsal()


def _outcomes_of(sweep: "Sweep") -> dict[str, Outcome]:
    """What became of its jobs; those that were cancelled when it was stopped are queued when it goes on."""
    found, again = sweep.outcomes, Outcome("queued")
    return {job: again if each.error == STOPPED_WITH_SWEEP else each for job, each in found.items()}


def _print_sweep(found: SweepPreview) -> None:
    spec = found.spec
    data = f" on {escape_line(shown_data(spec.data))}" if spec.data else ""
    goal = f"{spec.method}, to {spec.metric.goal} {spec.metric.name}"
    click.echo(f"{styled(spec.name, bold=True)}: {spec.model} {spec.action}{data}, {goal}")
    seeds = f", {counted(len(spec.seeds), 'seed')} each" if len(spec.seeds) > 1 else ""
    fewest = f"{found.fewest_jobs:,} to " if found.fewest_jobs < found.jobs else ""
    jobs = f"{counted(found.trials, 'trial')}, {fewest}{counted(found.jobs, 'job')}"
    click.echo(f"{counted(found.point_count, 'point')}{seeds}: {jobs}")
    for name, each in spec.parameters.items():
        if each.distribution == "constant":
            click.echo(f"{name} {escape_line(value_text(each.values[0]))}")
    if found.rungs:
        click.echo(
            f"halving: rungs of {alternatives([f'{each:,}' for each in found.rungs], last='and')} epochs"
        )
    if isinstance(spec.early_terminate, Median):
        since = counted(spec.early_terminate.min_iter, "epoch")
        click.echo(f"median: after {since} or more, a trial worse than the median of the others is stopped")
    if spec.then:
        actions = alternatives([then.action for then in spec.then], last="and")
        every = "every trial of the last rung" if found.rungs else "every trial"
        click.echo(f"then {actions} for {every if spec.each else 'the best trial'}")
    _print_reused(found.reused, found.jobs)
    click.echo(_time(found.seconds, found.finished, spec.parallel))


def _trials(sweep: "Sweep | None") -> int:
    """How many trials a sweep has by now."""
    return len({entry.trial for entry in sweep.entries if entry.then is None}) if sweep else 0


def _of_another(before: "Sweep", queued: int, trials: int) -> str:
    """What is there already of a sweep that goes on."""
    state = {"running": "runs", "stopped": "was stopped, and goes on"}.get(before.state, "has ended")
    new = max(0, trials - queued)
    new_text = f"{new:,} {'is' if new == 1 else 'are'} new" if new else "nothing is new"
    return f"a sweep of this name is there and {state}: it has {counted(queued, 'trial')}, {new_text}"


def _print_points(found: SweepPreview) -> None:
    if found.points is None:
        click.echo("its points are not shown: they need SciPy, which a worker's installation has")
        return
    spec, points = found.spec, found.points[:MOST_POINTS]
    if spec.varied and points:
        numbers = Column("POINT", [str(number) for number in range(len(points))])
        columns = [
            Column(name, [value_text(point[name]) for point in points], least=8, leaves=1 + place)
            for place, name in enumerate(spec.varied)
        ]
        header, *rows = lines([numbers, *columns], line_width())
        click.echo(styled((" " * GAP).join(header).rstrip(), bold=True))
        for row in rows:
            click.echo((" " * GAP).join(row).rstrip())
    if spec.method == "tpe" and len(points) < found.point_count:
        click.echo("the points after these are chosen as results come in")
    elif len(points) < found.point_count:
        click.echo(f"and {found.point_count - len(points):,} more; --json prints all")


def _print_job(job: PlainJob, found: PlainPreview) -> None:
    following = "".join(f", then {spec.action}" for spec in job.then)
    name = f"{escape_line(job.spec.name)}: " if job.spec.name else ""
    data = f" on {escape_line(shown_data(job.spec.data))}" if job.spec.data else ""
    click.echo(f"{styled(name, bold=True)}{job.spec.model} {job.spec.action}{data}{following}")
    click.echo(f"{_values(job.spec)}{counted(1 + len(job.then), 'job')}")
    _print_reused(found.reused, 1 + len(job.then))
    click.echo(_time(found.seconds, None, None))


def _print_reused(reused: int, jobs: int) -> None:
    if reused:
        each = "it is" if jobs == 1 else f"{reused:,} of these {'is' if reused == 1 else 'are'}"
        click.echo(f"{each} reused: equal jobs have succeeded")


def _values(spec: JobSpec) -> str:
    values = spec.parameters.model_dump(exclude_unset=True)
    text = ", ".join(f"{name} {escape_line(value_text(value))}" for name, value in values.items())
    return f"{text}; " if text else ""


def _time(seconds: float | None, finished: int | None, parallel: int | None) -> str:
    if seconds is None:
        return "how long it takes is not known: no finished job has the same model, action and data"
    if not seconds:
        return "nothing is left to run"
    at_once = f", {_span(seconds / parallel)} with {parallel:,} at once" if parallel and parallel > 1 else ""
    source = f", by {counted(finished, 'finished job')}" if finished else ""
    return f"about {_span(seconds)} for one worker{at_once}{source}"


def _span(seconds: float) -> str:
    """A time in one unit: `40 s`, `12 min`, `3.5 h`, `2.1 days`."""
    for limit, unit, size in ((120, "s", 1), (7_200, "min", 60), (172_800, "h", 3_600)):
        if seconds < limit:
            return f"{max(seconds / size, 1):.{1 if unit == 'h' else 0}f} {unit}"
    return f"{seconds / 86_400:,.1f} days"
