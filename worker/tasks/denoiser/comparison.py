"""How good each method is at each noise level, as a file that an evaluation leaves for its report."""

import math
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
            leaves images as they are; each other method is a network. The PSNR of images without any error
            is infinite.
    """

    values: Mapping[float, Mapping[str, dict[str, float]]]

    def __post_init__(self) -> None:
        for by_method in self.values.values():
            for measures in by_method.values():
                if measures["mse"] == 0:
                    measures["psnr_db"] = math.inf

    def curves(self, measure: str) -> dict[str, list[float]]:
        """One measure by method: its value at each level, levels ascending."""
        methods = next(iter(self.values.values()))
        return {method: [row[method][measure] for row in self.values.values()] for method in methods}

    def write(self, context: JobContext) -> None:
        """Write `sweep.csv` into the job's folder; an infinite PSNR is an empty cell."""
        rows = [
            {"noise": level, "method": method, **measures}
            for level, by_method in self.values.items()
            for method, measures in by_method.items()
        ]
        cells = [["" if value == math.inf else value for value in row.values()] for row in rows]
        context.write_table(FILE, list(rows[0]), cells)

    @classmethod
    def read(cls, folder: JobFolder) -> "Comparison":
        """Read what `write` wrote.

        Raises:
            OSError: there is no such file.
            ValueError: a value is not a number.
        """
        values: dict[float, dict[str, dict[str, float]]] = {}
        for row in folder.table(FILE):
            of_level = values.setdefault(float(row["noise"]), {})
            measures = {name: float(row[name] or "inf") for name in row if name not in ("noise", "method")}
            of_level[row["method"]] = measures
        return cls(values)
