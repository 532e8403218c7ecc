"""Every benchmark still runs: each in its short form, on data that need no download."""

import math
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as every_row
from benchmarks import results
from benchmarks.machine import Machine, described, measured
from benchmarks.measuring import Row, Verdict, number, pairs, spread
from benchmarks.products import SHORT_RUNS
from benchmarks.results import ROWS

ROOT = Path(__file__).parents[2]
MACHINE = Machine(
    "a processor", 2, "Linux x86_64", {"python": "3.13.1", "torch": ""}, 200.0, 100.0, 50.0, 0.1
)


@pytest.fixture(scope="module")
def short_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    """All of them, two at a time: most of their time goes into imports, and the figures mean nothing."""
    folder = tmp_path_factory.mktemp("short")

    def run(name: str) -> Any:
        command = [sys.executable, "-m", f"benchmarks.{name}", "--short", "--output", folder / f"{name}.json"]
        return folder / f"{name}.json", subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(run, name) for name in ROWS}
        pool.shutdown(cancel_futures=True)


@pytest.mark.quality
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ROWS)
def test_a_benchmark_runs_in_its_short_form(name: str, short_runs: dict[str, Future[Any]]) -> None:
    output, done = short_runs[name].result()
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
    # What it found is printed as it would stand in the results.
    assert row.title in done.stdout


@pytest.mark.quality
def test_the_machine_is_measured() -> None:
    """Once: short rows do without."""
    machine = measured(SHORT_RUNS)
    rates = [machine.gemm_gflops, machine.gemm_gflops_core, machine.gemv_gflops_core]
    unmeasured = described().gemm_gflops
    assert all(math.isfinite(rate) and rate > 0 and rate != unmeasured for rate in rates), rates


def test_a_target_is_held_by_the_median() -> None:
    assert Verdict("ratio", [1.0, 6.0, 9.0], "≥", 6.0, "×").met
    assert not Verdict("ratio", [1.0, 5.9, 9.0], "≥", 6.0, "×").met
    assert Verdict("seconds", [0.1, 0.3, 9.0], "≤", 0.3, "s").met
    assert not Verdict("seconds", [0.1, float("inf"), float("inf")], "≤", 0.3, "s").met


def test_ratios_are_taken_run_by_run() -> None:
    assert pairs([2.0, 30.0], [1.0, 10.0]) == [2.0, 3.0]


def row(name: str, value: float) -> Row:
    made = Row(name, f"The row {name}", MACHINE)
    made.figure("a time", "s", [value, 3 * value, 2 * value])
    made.judge("a ratio", [value], "≥", 2.0)
    made.limit("best", 4.0, "s", "divided by hand")
    return made


def test_a_row_that_is_measured_again_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "MEASURED", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    row("submit", 1.0).write(tmp_path / "submit.json")
    row("sentiment", 5.0).write(tmp_path / "sentiment.json")
    results.write_results()
    row("submit", 7.0).write(tmp_path / "submit.json")
    results.write_results({"memory": "it took longer than 5 seconds"})
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "| The row submit: a ratio | 7× | ≥ 2× | met | best: 4 s: divided by hand |" in text
    assert "| The row sentiment: a ratio | 5× | ≥ 2× | met |" in text
    assert "| a time | 14 (7 to 21) s | 3 |" in text
    assert "| memory | not measured |" in text
    assert "- memory: it took longer than 5 seconds" in text
    assert "a processor, 2 cores, no GPU, Linux x86_64; python 3.13.1." in text
    assert "torch" not in text
    assert "Not measured on a GPU" in text
    assert "busy" not in text


def test_figures_of_a_busy_machine_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MEASURED", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    row("submit", 1.0).write(tmp_path / "submit.json")
    busy = row("memory", 1.0)
    busy.machine = replace(MACHINE, load=9.0)
    busy.write(tmp_path / "memory.json")
    (tmp_path / "sentiment.json").write_text('{"name": "of another version"}')
    results.write_results()
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "**Measured on a busy machine**: memory." in text
    assert "| The row memory: a ratio | 1× | ≥ 2× | **not met** (busy machine) |" in text
    assert "| The row submit: a ratio | 1× | ≥ 2× | **not met** |" in text
    assert "| sentiment | not measured |" in text


def test_a_row_that_fails_does_not_keep_the_others_from_being_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = []

    def measure(name: str) -> str:
        measured.append(name)
        return "ValueError: no such luck" if name == "memory" else ""

    monkeypatch.setattr(results, "MEASURED", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(every_row, "_measure", measure)
    monkeypatch.setattr(every_row, "real_data_folder", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "memory", "submit"])
    assert every_row.main() == 1
    assert measured == ["memory", "submit"]
    assert "failed: memory" in capsys.readouterr().err
    assert "- memory: ValueError: no such luck" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")


def test_figures_are_written_for_a_reader() -> None:
    assert number(123_456.7) == "123,457"
    assert number(0.092834) == "0.09283"
    assert spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"
    assert spread([2.5]) == "2.5"
