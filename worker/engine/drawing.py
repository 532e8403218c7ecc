"""Has reports drawn by a process of their own: matplotlib would hold up the next job in the pool's process.

It knows a job by its folder alone, and loads no TensorFlow.
"""

import gc
import logging
import traceback
from contextlib import suppress
from pathlib import Path

from jobs.errors import QuartetError, ReportNotDrawn
from jobs.local.answering_process import AnsweringProcess, ProcessEnded, answer_questions
from worker.engine.failures import sentence
from worker.engine.wings import wing
from worker.report.job_page import render

log = logging.getLogger(__name__)

_TRIES = 2
"""Somebody may have killed the process under the first."""

_ANSWER_SECONDS = 300.0
"""A process that takes longer is stuck, or was stopped by somebody; a report takes seconds."""

_ROUND = 50_000
"""Objects between two rounds of Python's garbage collector, which by default takes a tenth of a drawing."""

_process: AnsweringProcess | None = None
"""What draws for the pool's process; any other process draws by itself."""


def begin() -> None:
    """In the pool's process: have another process draw from here on.

    It is started by the first job, and loads what it needs while that job works.
    """
    global _process
    _process = AnsweringProcess("worker.engine.drawing", answer_seconds=_ANSWER_SECONDS)


def get_ready() -> None:
    """Start the process that draws, if there is to be one and it does not run."""
    if _process is not None:
        with suppress(OSError):  # `draw` tries again
            _process.start()


def draw(folder: Path, model: str) -> None:
    """Write the report and the figures of a job, as `job_page.render` does.

    Args:
        folder: of the job, which has all files but these.
        model: its name.

    Raises:
        DamagedFolder: a file of the folder is missing or cannot be read.
        InvalidModel: the model lacks its metrics or its report.
        OSError: the folder cannot be written.
        ReportNotDrawn: the model's `present` raised an error, or the process that draws ended twice.
    """
    if _process is None:
        render(folder, wing(model))
        return
    for attempt in range(1, _TRIES + 1):
        try:
            _process.ask(folder, model)
        except ProcessEnded as error:
            if attempt == _TRIES:
                raise ReportNotDrawn(f"the process that draws it ended: {error}") from None
            log.warning("the process that draws reports ended (%s); another one draws", error)
        else:
            return


def _draw_here(folder: Path, model: str) -> None:
    try:
        render(folder, wing(model))
    except (OSError, QuartetError):
        raise
    except Exception as error:  # of a class that the other process may not be able to read
        undrawn = ReportNotDrawn(sentence(error))
        undrawn.add_note(traceback.format_exc())
        raise undrawn from None


def serve() -> None:
    """Draw for the process that started this one."""
    import worker.report.render_blocks  # noqa: F401 - loads matplotlib while the job works

    gc.set_threshold(_ROUND)
    answer_questions(_draw_here)


if __name__ == "__main__":
    from worker.engine import drawing  # the errors that it raises are of this module, not of `__main__`

    drawing.serve()
