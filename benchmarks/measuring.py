"""A row of the results: figures with their spreads, their targets, and the limit of the machine."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.sides import has_pytorch

MEASURED = Path(__file__).parent / "measured"
"""Where each row leaves its figures, which `benchmarks.results` puts together. In git, so that a row can be
measured alone."""


@dataclass(frozen=True)
class Figure:
    """Something that was measured several times."""

    name: str
    unit: str
    values: list[float]

    @property
    def text(self) -> str:
        """The median, with the least and the most."""
        return spread(self.values)


@dataclass(frozen=True)
class Verdict:
    """A figure beside its target.

    Attributes:
        name: what is compared.
        values: one for each pair of runs, or one.
        sign: `≥` or `≤`.
        target: what it should reach.
        unit: `×` for a ratio.
    """

    name: str
    values: list[float]
    sign: str
    target: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the median holds the target."""
        median = statistics.median(self.values)
        return median >= self.target if self.sign == "≥" else median <= self.target


@dataclass(frozen=True)
class Limit:
    """What the machine could do at best, how that was derived, and how much of it is reached."""

    name: str
    value: float
    unit: str
    derivation: str


@dataclass
class Row:
    """All that one benchmark found."""

    name: str
    title: str
    machine: Machine
    short: bool = False
    measured_at: str = ""
    seconds: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def figure(self, name: str, unit: str, values: Sequence[float]) -> None:
        """Keep what was measured."""
        self.figures.append(Figure(name, unit, list(values)))

    def judge(
        self, name: str, values: Sequence[float] | float, sign: str, target: float, unit: str = "×"
    ) -> None:
        """Put the median of `values` beside its target."""
        listed = [values] if isinstance(values, int | float) else list(values)
        self.verdicts.append(Verdict(name, [float(value) for value in listed], sign, target, unit))

    def limit(self, name: str, value: float, unit: str, derivation: str) -> None:
        """Add what the machine could do at best."""
        self.limits.append(Limit(name, value, unit, derivation))

    def note(self, sentence: str) -> None:
        """Add something that a reader should know."""
        self.notes.append(sentence)

    def compared_with(self, notebooks: str, quartet: str, pytorch: str) -> list[str]:
        """The modules of a row's sides; without PyTorch its columns are left out, and a note says so."""
        sides = [f"benchmarks.notebooks.{notebooks}", f"benchmarks.quartet.{quartet}"]
        if has_pytorch():
            return [sides[0], f"benchmarks.pytorch.{pytorch}", sides[1]]
        self.note("PyTorch is not installed (`pip install torch==2.13.0`), so its columns are left out.")
        return sides

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Row":
        """Read what `write` wrote."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        kinds: dict[str, Callable[..., Any]] = {"figures": Figure, "verdicts": Verdict, "limits": Limit}
        for name, kind in kinds.items():
            stored[name] = [kind(**values) for values in stored[name]]
        return cls(**stored | {"machine": Machine(**stored["machine"])})

    def lines(self) -> list[str]:
        """The row's own section of the results, in Markdown."""
        lines = [f"### {self.title}", "", "| measured | median (least to most) | runs |", "|---|---|---|"]
        for figure in self.figures:
            lines.append(f"| {figure.name} | {figure.text} {figure.unit} | {len(figure.values)} |")
        lines += ["", *(verdict_line(verdict) for verdict in self.verdicts)]
        lines += [f"- Limit, {limit_text(limit)}" for limit in self.limits]
        lines += [f"- {note}" for note in self.notes]
        lines.append(
            f"- Measured {self.measured_at} in {self.seconds:.0f} s, with {self.machine.load:g} processes "
            f"wanting a core in the minute before; {_rates(self.machine)}."
        )
        return lines


def spread(values: Sequence[float]) -> str:
    """The median, with the least and the most where there are several."""
    median = number(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Four digits at most, or all whole ones."""
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def verdict_line(verdict: Verdict) -> str:
    """One verdict as a line of a list."""
    word = "met" if verdict.met else "**not met**"
    unit = verdict.unit if verdict.unit == "×" else f" {verdict.unit}"
    target = f"{verdict.sign} {number(verdict.target)}"
    return f"- {verdict.name}: {spread(verdict.values)}{unit}; target {target}: {word}"


def limit_text(limit: Limit) -> str:
    """One limit with its derivation."""
    return f"{limit.name}: {number(limit.value)} {limit.unit}: {limit.derivation}"


def pairs(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Ratios run by run, so that what slows the machine down for a while slows both down."""
    return [one / other for one, other in zip(above, below, strict=True)]


def _rates(machine: Machine) -> str:
    return (
        f"GEMM {machine.gemm_gflops:.0f} GFLOP/s on all cores and {machine.gemm_gflops_core:.0f} on one, "
        f"GEMV {machine.gemv_gflops_core:.0f} on one"
    )
