"""How good each method is at each noise level, as a file that an evaluation leaves for its report."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.store.job_folder import JobFolder
from worker.context import JobContext

FILE = "sweep.csv"


@dataclass(frozen=True)
class Comparison:
    """How good each method is at each noise level.

    Attributes:
        values: noise level, ascending -> method -> measure -> mean over the images. The method `noisy`
            leaves images as they are; each other method is a network.
    """

    values: Mapping[float, Mapping[str, Mapping[str, float]]]

    def curves(self, measure: str) -> dict[str, list[float]]:
        """One measure by method: its value at each level, levels ascending."""
        methods = next(iter(self.values.values()))
        return {method: [row[method][measure] for row in self.values.values()] for method in methods}

    def write(self, context: JobContext) -> None:
        """Write `sweep.csv` into the job's folder."""
        rows = [
            {"noise": level, "method": method, **measures}
            for level, by_method in self.values.items()
            for method, measures in by_method.items()
        ]
        context.write_table(FILE, list(rows[0]), [list(row.values()) for row in rows])

    @classmethod
    def read(cls, folder: JobFolder) -> "Comparison":
        """Read what `write` wrote."""
        values: dict[float, dict[str, dict[str, float]]] = {}
        with (folder.path / FILE).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                of_level = values.setdefault(float(row["noise"]), {})
                measures = {name: float(row[name]) for name in row if name not in ("noise", "method")}
                of_level[row["method"]] = measures
        return cls(values)
