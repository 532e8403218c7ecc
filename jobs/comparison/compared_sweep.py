"""`ComparedSweep`: what a comparison needs to know of a sweep whose jobs are compared."""

from dataclasses import dataclass

from jobs.errors import InvalidInput
from jobs.ledger.sweep_record import SweepRecord
from jobs.sweeps.entry import Entry
from jobs.sweeps.halving import rung_epochs
from jobs.sweeps.sweep import Sweep
from jobs.sweeps.sweep_spec import Halving, SweepSpec


@dataclass(frozen=True)
class ComparedSweep:
    """A sweep.

    Attributes:
        spec: its description; None where this version cannot read it.
        entries: its jobs, those that follow trials as well.
    """

    name: str
    spec: SweepSpec | None
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, sweep: Sweep | SweepRecord) -> "ComparedSweep":
        """A sweep as a client or the ledger has it."""
        try:
            spec = sweep.spec
        except InvalidInput:
            spec = None
        return cls(sweep.name, spec, sweep.entries)

    @property
    def halves(self) -> bool:
        """Whether it resumes the best of its trials, so that some are trained longer than others."""
        return self.spec is not None and isinstance(self.spec.early_terminate, Halving)

    @property
    def varies_data(self) -> bool:
        """Whether it is to find the best data."""
        return self.spec is not None and "data" in self.spec.varied

    def left_behind(self) -> set[str]:
        """The jobs of its trials on all rungs but the last one."""
        if self.spec is None:
            return set()
        rungs = ((entry, len(rung_epochs(self.spec, entry.point))) for entry in self.entries)
        return {entry.job for entry, count in rungs if entry.rung + 1 < count}

    def point_of(self, trial: int) -> int | None:
        """The number of a trial's point; None where nobody knows."""
        return None if self.spec is None else trial // len(self.spec.seeds)
