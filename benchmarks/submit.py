"""Seconds that `quartet submit` takes as a whole process.

Run: `python -m benchmarks.submit [--short]`.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone

RUNS = 15
NEEDED = "import click, pydantic_settings, redis"


def measure(row: Row) -> None:
    """Submit repeatedly, in turn with processes that do less."""
    quartet = str(Path(sys.executable).with_name("quartet"))
    commands = {
        "`quartet submit autoencoder train --data digits`": [
            quartet, "submit", "autoencoder", "train", "--data", "digits",
        ],
        f"`python -c '{NEEDED}'`": [sys.executable, "-c", NEEDED],
        "`python -c pass`": [sys.executable, "-c", "pass"],
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with folders(None) as settings, redis_alone(settings) as found:
        environment = os.environ | found.environment()
        for turn in range(2 if row.short else 1 + RUNS):
            for name, command in commands.items():
                began = time.perf_counter()
                subprocess.run(
                    command, check=True, env=environment, cwd=settings.state_dir, stdout=subprocess.DEVNULL
                )
                if turn:
                    seconds[name].append(time.perf_counter() - began)
    for name, values in seconds.items():
        row.figure(name, "s", values)
    submit, imports, nothing = seconds.values()
    row.judge("the whole process", submit, "≤", 0.4, "s")
    row.limit("a Python process", min(nothing), "s", "the quickest one that does nothing")
    row.limit(
        "with the libraries",
        min(imports),
        "s",
        "the quickest one that only imports what checks, reads and sends",
    )


if __name__ == "__main__":
    run("submit", "`quartet submit`", measure)
