"""What the command line shows of sweeps: a line for each, and all of one."""

import sys
from collections.abc import Sequence

import click

from jobs.cli.columns import GAP, Column, lines
from jobs.errors import InvalidInput
from jobs.escape_control import escape_line
from jobs.ledger.job_record import ENDED
from jobs.moments import ago
from jobs.showing.sweep_text import (
    number_text,
    point_text,
    promotion_text,
    score_text,
    state_text,
    states_text,
    value_text,
)
from jobs.showing.terminal import line_width, padded, styled
from jobs.store.history import History
from jobs.store.history_row import Row
from jobs.store.own_data_pin import shown_data
from jobs.sweeps.data_read import NONE_IS_BEST
from jobs.sweeps.entry import Outcome
from jobs.sweeps.outcomes import STOPPED
from jobs.sweeps.scores import Score, best_point, scores
from jobs.sweeps.sweep import LOST, Sweep
from jobs.sweeps.trial import Trial
from jobs.wording import counted

COLOURS = {"running": "blue", "stopped": "magenta", "ended": "green"}
END_OF_ID = len("027-idxe")
MOST_POINTS = 10
"""Points that `show` has, the best ones, unless it is asked for all."""

MOST_FOLLOWING = 3
"""Jobs that follow trials which `show` names; of more it says how many there are."""


def show_sweeps(sweeps: Sequence[Sweep], history: History) -> None:
    """Print a line for each sweep; what its trials came to is taken from the index of jobs.

    Args:
        sweeps: in the order in which they are shown.
        history: of the results folder.
    """
    wanted = {entry.job for sweep in sweeps for entry in sweep.entries}
    rows = {row.id: row for row in history.rows() if row.id in wanted} if wanted else {}
    columns = [
        Column("SWEEP", [sweep.name for sweep in sweeps]),
        Column("STATE", ["lost" if sweep.why == LOST else sweep.state for sweep in sweeps]),
        Column("WHAT", [escape_line(_what(sweep)) for sweep in sweeps], leaves=3),
        Column("TRIALS", [_trials_in(sweep, rows) for sweep in sweeps], leaves=1),
        Column("BEST", [escape_line(_best_in(sweep, rows)) for sweep in sweeps], least=16, leaves=2),
        Column("BEGAN", [ago(sweep.created) for sweep in sweeps], leaves=4),
    ]
    header, *found = lines(columns, line_width())
    _write(header, bold=True)
    for sweep, (name, state, *others) in zip(sweeps, found, strict=True):
        _write((name, styled(state, fg="red" if sweep.why == LOST else COLOURS[sweep.state]), *others))
    lost = sum(sweep.why == LOST for sweep in sweeps)
    if lost:
        click.echo(f"{counted(lost, 'sweep')}: {LOST}", err=True)


def _what(sweep: Sweep) -> str:
    if sweep.problem:
        return "cannot be read"
    return f"{sweep.spec.model} {sweep.spec.action} {sweep.spec.method}"


def _trials_in(sweep: Sweep, rows: dict[str, Row]) -> str:
    trials = {entry.trial: entry for entry in sweep.entries if entry.then is None}.values()
    done = [rows[entry.job].state for entry in trials if entry.job in rows]
    runs = sweep.state == "running" and not sweep.problem
    failed = f", {done.count('failed')} failed" if "failed" in done else ""
    return f"{len(done)}/{sweep.spec.most_trials() if runs else len(trials)}{failed}"


def _best_in(sweep: Sweep, rows: dict[str, Row]) -> str:
    if sweep.problem or NONE_IS_BEST in sweep.why:
        return ""
    goal = sweep.spec.metric.name
    found = {each.job: _outcome(rows.get(each.job), goal, sweep) for each in sweep.entries}
    try:
        ranked = scores(sweep.spec, sweep.entries, found)
    except InvalidInput:  # of a model that is not installed here
        return ""
    first = best_point(ranked) or next(iter(ranked), None)
    if first is None or first.mean is None:
        return ""
    return f"{goal} {number_text(first.mean)}: {point_text(first.point)}"


def _outcome(row: Row | None, goal: str, sweep: Sweep) -> Outcome:
    state = next((each for each in ENDED if row is not None and each == row.state), None)
    if row is None or state is None:
        return Outcome("gone" if sweep.state == "ended" else "queued")
    stopped = state == "cancelled" and (row.error or "").startswith(STOPPED)
    return Outcome(state, row.metrics.get(goal), {}, row.error, stopped)  # type: ignore[arg-type]


def show_sweep(sweep: Sweep, waits: str | None, folder: str, every: bool) -> None:
    """Print what a sweep is, how far it is, and its points with what they came to, the best first.

    Args:
        sweep: the sweep.
        waits: what it waits for, if that is known.
        folder: the path of its folder.
        every: show all points, not only the best.
    """
    spec = None if sweep.problem else sweep.spec
    data = f", {shown_data(spec.data)}" if spec and spec.data else ""
    rows: list[tuple[str, str | None]] = [
        ("sweep", sweep.name),
        ("what", _what(sweep) + data),
        ("state", sweep.state),
        ("why", sweep.why or sweep.problem),
        ("waits", waits),
        ("warning", sweep.warning if spec else None),
        ("goal", f"{spec.metric.goal} {spec.metric.name}" if spec else None),
        ("trials", _counts(sweep) if spec else None),
        ("follow", _following(sweep) if spec else None),
        ("folder", folder),
    ]
    _show_fields(rows, sweep.state)
    if spec is None:
        return
    ranked = sweep.scores
    shown = ranked if every else ranked[:MOST_POINTS]
    if shown:
        sys.stdout.write("\n")
        _show_points(sweep, shown)
    if len(shown) < len(ranked):
        sys.stdout.write(
            f"these are the best {MOST_POINTS} of {counted(len(ranked), 'point')}; --all shows all\n"
        )


def _show_fields(rows: Sequence[tuple[str, str | None]], state: str) -> None:
    indent = max(len(label) for label, value in rows if value) + 2
    for label, value in rows:
        if value:
            text = styled(escape_line(value), fg=COLOURS[state] if label == "state" else None)
            sys.stdout.write(styled(label, bold=True) + " " * (indent - len(label)) + text + "\n")


def _show_points(sweep: Sweep, ranked: Sequence[Score]) -> None:
    trials = {each.trial: each for each in sweep.trials}
    jobs = [_job_of(score, sweep, {number: each.job for number, each in trials.items()}) for score in ranked]
    states = [
        _state_of_point(
            sweep, score, [t for t in trials.values() if _point_of(sweep, t.trial) == score.number]
        )
        for score in ranked
    ]
    columns = [
        Column("POINT", [str(score.number) for score in ranked]),
        Column(sweep.spec.metric.name, [score_text(score) for score in ranked]),
        *[
            Column(name, [value_text(score.point.get(name)) for score in ranked], leaves=5 + place)
            for place, name in enumerate(sweep.spec.varied)
        ],
        Column("EPOCHS", [f"{score.epochs:,}" if score.epochs else "" for score in ranked], leaves=2),
        Column("STATE", states, leaves=3),
        Column("JOB", jobs, least=END_OF_ID, leaves=4, fitted=_end_of_id),
    ]
    kept = [column for column in columns if any(column.cells)]
    header, *rows = lines(kept, line_width())
    _write(header, bold=True)
    for row in rows:
        _write(row)


def _end_of_id(job_id: str, width: int) -> str:
    """The end of an id, by which `quartet show` finds the job too."""
    return padded(job_id[-width:], width)


def _job_of(score: Score, sweep: Sweep, jobs: dict[int, str]) -> str:
    """The best trial's job; the first trial's where none has a value."""
    trial = score.number * len(sweep.spec.seeds) if score.best_trial is None else score.best_trial
    return jobs.get(trial, "")


def _point_of(sweep: Sweep, trial: int) -> int:
    return trial // len(sweep.spec.seeds)


def _state_of_point(sweep: Sweep, score: Score, trials: Sequence[Trial]) -> str:
    """What became of a point's trials, and of one that halving left behind that it did not get on."""
    states = _states([state_text(trial) for trial in trials])
    return (promotion_text(sweep, score) if states == "succeeded" else "") or states


def _states(states: Sequence[str]) -> str:
    """The states of a point's trials: `running`, `2 failed, 1 running`."""
    if len(set(states)) == 1:
        return states[0]
    return ", ".join(f"{states.count(each)} {each}" for each in dict.fromkeys(states))


def _counts(sweep: Sweep) -> str:
    counts = states_text(sweep)
    number = len(sweep.trials)
    more = f" of at most {sweep.spec.most_trials():,}" if sweep.state == "running" else ""
    return f"{number:,}{more}" + (f": {counts}" if counts else "")


def _following(sweep: Sweep) -> str:
    """The jobs that follow trials; of many, how many of each action are in each state."""
    found: dict[str, list[Trial]] = {}
    for entry in sweep.entries:
        if entry.then is not None:
            trial = Trial.of(entry, sweep.outcomes[entry.job])
            found.setdefault(sweep.spec.then[entry.then].action, []).append(trial)
    if sum(map(len, found.values())) <= MOST_FOLLOWING:
        named = (f"{action} {t.job} {state_text(t)}" for action, trials in found.items() for t in trials)
        return ", ".join(named)
    return "; ".join(
        f"{counted(len(trials), f'{action} job')}: {_states([state_text(trial) for trial in trials])}"
        for action, trials in found.items()
    )


def _write(cells: Sequence[str], bold: bool = False) -> None:
    text = (" " * GAP).join(cells).rstrip()
    sys.stdout.write((styled(text, bold=True) if bold else text) + "\n")
