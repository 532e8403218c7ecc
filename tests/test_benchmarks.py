"""Every benchmark still runs: each in its short form, on data that need no download."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import ROWS
from benchmarks.measuring import Row, Verdict, number, pairs, spread

ROOT = Path(__file__).parent.parent


@pytest.mark.quality
@pytest.mark.parametrize("name", ROWS)
def test_a_benchmark_runs_in_its_short_form(name: str, tmp_path: Path) -> None:
    output = tmp_path / "row.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--short", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    row = Row.read(output)
    assert row.short
    assert row.name == name
    assert row.figures
    for found in [*row.figures, *row.verdicts]:
        assert found.values
        assert all(math.isfinite(value) for value in found.values), found
    assert all(value > 0 for figure in row.figures for value in figure.values if figure.unit != "s"), (
        row.figures
    )
    assert all(limit.value > 0 and limit.derivation for limit in row.limits)
    assert row.machine.gemm_gflops > 0
    # What it found is printed as it would stand in the results.
    assert row.title in done.stdout


def test_a_target_is_held_by_the_median() -> None:
    assert Verdict("ratio", [1.0, 6.0, 9.0], "≥", 6.0, "×").met
    assert not Verdict("ratio", [1.0, 5.9, 9.0], "≥", 6.0, "×").met
    assert Verdict("seconds", [0.1, 0.3, 9.0], "≤", 0.3, "s").met
    assert not Verdict("seconds", [0.1, float("inf"), float("inf")], "≤", 0.3, "s").met


def test_ratios_are_taken_run_by_run() -> None:
    assert pairs([2.0, 30.0], [1.0, 10.0]) == [2.0, 3.0]


def test_figures_are_written_for_a_reader() -> None:
    assert number(123_456.7) == "123,457"
    assert number(0.092834) == "0.09283"
    assert spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"
    assert spread([2.5]) == "2.5"
