"""A sweep as a card: its state, its best points, the picture of the best trial, and a link to the page."""

from typing import TYPE_CHECKING

from jobs.errors import QuartetError
from jobs.notebook import markup
from jobs.notebook.markup import block, escaped
from jobs.notebook.pictures import thumbnail
from jobs.showing.sweep_text import promotion_text, score_text, states_text, value_text
from jobs.store.results import Results
from jobs.sweeps.scores import Score, best_point
from jobs.sweeps.sweep_folder import sweep_folder
from jobs.wording import counted

if TYPE_CHECKING:
    from jobs.sweeps.sweep import Sweep

MOST_POINTS, MOST_PARAMETERS = 5, 6
PAGE = "compare.html"


def sweep_card(sweep: "Sweep", results: Results) -> str:
    """A sweep as HTML.

    Args:
        sweep: as it was at the last look.
        results: the folder of its jobs.
    """
    try:
        content, picture = _whole(sweep), _picture(sweep, results)
    except QuartetError as error:  # what is known of it without its jobs
        content, picture = _title(sweep) + markup.said(error, "error"), None
    page = sweep_folder(results, sweep.name) / PAGE
    to_page = markup.link(page, "Compare the trials") if page.is_file() else ""
    return markup.card(content + block(to_page), picture)


def _title(sweep: "Sweep") -> str:
    kind = None if sweep.problem else f"{sweep.spec.model} {sweep.spec.action}, {sweep.spec.method}"
    names = [escaped(each, 80) for each in (kind, sweep.name) if each]
    return block(" · ".join([markup.state_text(sweep.state), *names]))


def _whole(sweep: "Sweep") -> str:
    ranked, goal = sweep.scores, sweep.spec.metric.name
    shown = [score for score in ranked if score.mean is not None][:MOST_POINTS]
    varied = list(sweep.spec.varied)[:MOST_PARAMETERS]
    rows = [
        [*(value_text(score.point.get(name)) for name in varied), score_text(score), *_remark(sweep, score)]
        for score in shown
    ]
    first = None if sweep.warning else best_point(ranked) or (shown[0] if shown else None)
    result = f"{escaped(goal, 80)} <b>{escaped(score_text(first), 60)}</b>" if first else ""
    return "".join(
        (
            _title(sweep),
            block(result, "result"),
            markup.bar(_share(sweep)) if sweep.state == "running" else "",
            block(escaped(_counts(sweep))),
            markup.table([*varied, goal], rows, len(varied)) if rows else "",
            block(escaped(f"{len(shown)} best of {len(ranked)} points"), "faint")
            if len(ranked) > len(shown) > 0
            else "",
            block(escaped(sweep.warning or ""), "faint"),
            block("" if sweep.state == "running" else escaped(sweep.why), "faint"),
        )
    )


def _counts(sweep: "Sweep") -> str:
    counts = states_text(sweep)
    trials = counted(len(sweep.trials), "trial")
    more = f" of at most {sweep.spec.most_trials():,}" if sweep.state == "running" else ""
    return trials + more + (f": {counts}" if counts else "")


def _share(sweep: "Sweep") -> float:
    moving = sum(sweep.counts.get(state, 0) for state in ("waiting", "queued", "running"))
    return (len(sweep.trials) - moving) / max(1, sweep.spec.most_trials())


def _remark(sweep: "Sweep", score: Score) -> list[str]:
    """Why a point's number is not that of a whole run; with halving, after how many epochs it is."""
    if score.whole:
        return []
    epochs = f" after {counted(score.epochs, 'epoch')}" if score.epochs is not None else ""
    return [(promotion_text(sweep, score) or "not complete") + epochs]


def _picture(sweep: "Sweep", results: Results) -> str | None:
    best = sweep.best
    return None if best is None else thumbnail(results.root / best.job)
