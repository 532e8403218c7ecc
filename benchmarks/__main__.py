"""Measure every row, or those named, and write `benchmarks/RESULTS.md`.

A row that fails does not keep the others from being measured: it keeps its earlier figures, and the file and
the exit code say that it failed. Run: `python -m benchmarks [row ...]`.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

from benchmarks.data import real_data_folder
from benchmarks.results import RESULTS, ROWS, write_results
from benchmarks.sides import ROOT

SECONDS_ALLOWED = 1_800
"""The time limit of one row."""

MOST_SETTLING = 150.0
"""Seconds to wait at most, before a row, until the processes of the one before no longer count as load."""


def main() -> int:
    """Measure; the exit code is 1 if a row failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="row", help=f"one of {', '.join(ROWS)}; without any, all are measured"
    )
    rows = parser.parse_args().rows or list(ROWS)
    unknown = [name for name in rows if name not in ROWS]
    if unknown:
        parser.error(f"row: expected one of {', '.join(ROWS)}, got {unknown[0]!r}")
    real_data_folder()
    began, failures = time.monotonic(), {}
    for name in rows:
        print(f"== {name} ({time.monotonic() - began:.0f} s so far)", flush=True)
        reason = _measure(name)
        if reason:
            failures[name] = reason
            print(f"{name} failed: {reason}", flush=True)
    write_results(failures)
    print(f"{RESULTS} written after {time.monotonic() - began:.0f} s")
    if failures:
        print(f"failed: {', '.join(failures)}", file=sys.stderr)
    return 1 if failures else 0


def _settle() -> None:
    deadline = time.monotonic() + MOST_SETTLING
    while os.getloadavg()[0] > (os.cpu_count() or 1) and time.monotonic() < deadline:
        time.sleep(1)


def _measure(name: str) -> str:
    """Measure one row in a process of its own; return why it failed, empty if it did not."""
    _settle()
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _, errors = process.communicate(timeout=SECONDS_ALLOWED)
    except subprocess.TimeoutExpired:
        _kill_all_of(process)
        return f"it took longer than {SECONDS_ALLOWED} seconds"
    if process.returncode == 0:
        return ""
    sys.stderr.write(errors)
    last = (errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
    return last[:300]


def _kill_all_of(process: subprocess.Popen[str]) -> None:
    """Kill a row that hangs, with its sides; its workers see that it is gone, and end with their Redis."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


if __name__ == "__main__":
    sys.exit(main())
