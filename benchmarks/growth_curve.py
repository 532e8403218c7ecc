"""How seconds and memory grow with the size of what is worked on: fitted exponents, and their picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.measuring import number

FITTED = 10
"""An exponent is fitted to the sizes from one tenth of the largest on."""


@dataclass
class Curve:
    """What one piece of work took at each size.

    Attributes:
        name: of the work.
        counted: what the sizes are numbers of; those of one kind share a panel of the picture.
        sizes: of what is worked on, ascending.
        seconds: at each size.
        memory: the most that was held at each size, in MB; empty where it was not measured.
        data: what was read at each size, in MB, as it lies on the disk; empty where memory is.
    """

    name: str
    counted: str
    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    data: list[float] = field(default_factory=list)

    def add(self, size: int, seconds: float, memory: float | None = None, data: float | None = None) -> None:
        """Keep what a size took; each is larger than the one before."""
        self.sizes.append(size)
        self.seconds.append(seconds)
        if memory is not None and data is not None:
            self.memory.append(memory)
            self.data.append(data)

    def described(self) -> str:
        """Seconds and memory at each size, and the exponent, as one line."""
        took = [
            f"{size:,}: {number(seconds)} s" for size, seconds in zip(self.sizes, self.seconds, strict=True)
        ]
        if self.memory:
            took = [f"{each}, {number(held)} MB" for each, held in zip(took, self.memory, strict=True)]
        fitted = f"exponent {self.exponent:.2f} from {self.fitted[0]:,} {self.counted} on"
        return f"{self.name}: {fitted}. {'; '.join(took)}."

    @property
    def fitted(self) -> list[int]:
        """The sizes to which the exponent is fitted."""
        return [size for size in self.sizes if size >= self.sizes[-1] / FITTED]

    @property
    def exponent(self) -> float:
        """The power of the size with which the seconds grow: the slope between their logarithms."""
        sizes = self.fitted
        slope = float(np.polyfit(np.log(sizes), np.log(self.seconds[-len(sizes) :]), 1)[0])
        return round(slope, 4) + 0.0  # never -0.0


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves, a panel for each kind of size and one for memory, with both axes logarithmic.

    Args:
        curves: at least one.
        path: of an SVG, the same bytes for the same figures.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    panels: dict[str, list[Curve]] = {}
    for curve in curves:
        panels.setdefault(curve.counted, []).append(curve)
    with_memory = [curve for curve in curves if curve.memory]
    columns = 3
    rows = math.ceil((len(panels) + bool(with_memory)) / columns)
    with rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(11, 4 * rows), layout="constrained")
        places = iter(figure.subplots(rows, columns, squeeze=False).flat)
        for panel, of_panel in panels.items():
            axes = next(places)
            for curve in of_panel:
                label = f"{curve.name}: {curve.exponent:.2f}"
                axes.loglog(curve.sizes, curve.seconds, marker="o", markersize=3, label=label)
            axes.set(xlabel=panel, ylabel="seconds")
        if with_memory:
            axes = next(places)
            for curve in with_memory:
                axes.semilogx(curve.data, curve.memory, marker="o", markersize=3, label=curve.name)
            axes.set(xlabel="data, MB", ylabel="peak memory, MB", ylim=(0, None))
        for axes in places:
            axes.remove()
        for axes in figure.axes:
            axes.grid(visible=True, alpha=0.3)
            for axis in (each for each in (axes.xaxis, axes.yaxis) if each.get_scale() == "log"):
                axis.set_major_locator(LogLocator(10))
                axis.set_minor_locator(NullLocator())  # each tick is an element of the SVG
            axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2))
        figure.savefig(path, format="svg", metadata={"Date": None})
