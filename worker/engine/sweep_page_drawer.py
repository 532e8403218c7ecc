"""Draws the pages of sweeps beside their advancing, which a page that takes seconds must not hold up."""

import logging
import threading
from typing import TYPE_CHECKING

from jobs.errors import QuartetError
from jobs.ledger.ledger import Ledger
from jobs.store.results import Results

if TYPE_CHECKING:  # it loads matplotlib, which a worker without sweeps need not wait for
    from worker.report.sweep_page import SweepPages

log = logging.getLogger(__name__)


class SweepPageDrawer:
    """Brings the pages of all sweeps up to date in a thread of its own, when asked and not busy with it."""

    def __init__(self, ledger: Ledger, results: Results) -> None:
        """Nothing is drawn, and nothing loaded, before `draw`.

        Args:
            ledger: knows the sweeps.
            results: where the pages are written.
        """
        self._ledger, self._results = ledger, results
        self._pages: SweepPages | None = None
        self._drawing: threading.Thread | None = None

    def draw(self) -> None:
        """Begin to draw the pages that are due, unless that is going on; call it in each round."""
        if self._drawing is not None and self._drawing.is_alive():
            return
        self._drawing = threading.Thread(target=self._draw, name="sweep-pages", daemon=True)
        self._drawing.start()

    def finish(self) -> None:
        """Draw the pages that are due, and wait for them."""
        if self._drawing is not None:
            self._drawing.join()
        self._draw()

    def _draw(self) -> None:
        try:
            states = self._ledger.sweep_states()
            if not states:
                return
            if self._pages is None:
                from worker.report.sweep_page import SweepPages

                self._pages = SweepPages(self._results)
            for name, state in states.items():
                if self._pages.is_due(name, state):
                    self._draw_one(self._pages, name)
            self._pages.forget_all_but(set(states))
        except QuartetError as error:  # Redis is away, which the advancing tells
            log.debug("%s", error)
        except Exception:
            log.exception("the pages of sweeps could not be drawn; this is tried again")

    def _draw_one(self, pages: "SweepPages", name: str) -> None:
        try:
            record = self._ledger.sweep(name)
        except QuartetError as error:
            log.debug("%s", error)
            return
        if record is not None:
            pages.write_if_due(record)
