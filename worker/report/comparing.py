"""What the `compare` of several wings needs: files of several runs, and lines that can be told apart."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder
from worker.report.blocks import Compared
from worker.report.theme import COLOURS

log = logging.getLogger(__name__)

_STYLES: tuple[Any, ...] = (
    "-",
    (0, (6, 2.5)),
    (0, (2, 1.6)),
    (0, (8, 2, 1.5, 2)),
    (0, (4, 1.5, 1, 1.5, 1, 1.5)),
)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

T = TypeVar("T")


def read_each(
    runs: Sequence[Compared], action: str, read: Callable[[JobFolder], T]
) -> list[tuple[Compared, T]]:
    """What is read from the folders of one action; a run whose folder lacks it, or was changed, is left out.

    Args:
        runs: the best first.
        action: of the jobs whose folders are read.
        read: reads one.
    """
    found = []
    for run in runs:
        if action in run.folders:
            try:
                found.append((run, read(run.folders[action])))
            except (DamagedFolder, OSError, LookupError, ValueError, TypeError) as error:
                log.info("%s is not compared: %s", run.folders[action].id, error)
    return found


def line_look(number: int) -> dict[str, Any]:
    """Colour, dashes and marker of a line, as `Axes.plot` takes them: no two of the first thirty are alike.

    Args:
        number: of the line, from 0.
    """
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": _STYLES[number % len(_STYLES)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 4,
    }
