"""`benchmarks/RESULTS.md`, put together from what each row left in `benchmarks/measured/`.

Run: `python -m benchmarks.results`.
"""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.measuring import MEASURED, Row, limit_text, number, spread

RESULTS = Path(__file__).parent / "RESULTS.md"

ROWS = (
    "autoencoder",
    "denoiser",
    "textgen_training",
    "textgen_generation",
    "sentiment",
    "tokenising",
    "memory",
    "first_step",
    "worker_start",
    "whole_commands",
    "queue_cost",
    "submit",
    "list_jobs",
    "compare_jobs",
    "compare_page",
    "tenth_job",
    "sweep_trials",
    "advance_sweep",
    "many_at_once",
    "image_quality",
    "adam",
    "ledger_memory",
    "recovery",
    "growth",
    "scale",
)
"""In the order in which they are measured and shown; each is a module of this package. The last one leaves
the machine busy for a while."""

HEAD = """# Results

Written by `make bench`; do not edit. Each row can be measured alone (`python -m benchmarks.autoencoder`),
which writes its part anew. Ratios are taken run by run from sides that take turns on one machine (A B A B …),
each in a process of its own; shown is the median, with the least and the most in brackets. Absolute figures
move with the machine; ratios move less.
"""


def write_results(failures: Mapping[str, str] | None = None) -> None:
    """Write the file from all rows that were ever measured here.

    Args:
        failures: each row that failed just now -> the reason.
    """
    rows = {name: row for name in ROWS if (row := _kept(name))}
    failures = failures or {}
    lines = [
        HEAD,
        *_machine(rows),
        "",
        "## Targets",
        "",
        "| | measured | target | | limit |",
        "|---|---|---|---|---|",
    ]
    for name in ROWS:
        if name in rows:
            lines += _summary(rows[name])
        else:
            lines.append(f"| {name.replace('_', ' ')} | not measured | | | |")
    lines += ["", "## Row by row", ""]
    for name, row in rows.items():
        lines += [*row.lines(), f"- `python -m benchmarks.{name}`", ""]
    if failures:
        lines += ["## Failed in the last run", ""]
        lines += [f"- {name}: {reason}" for name, reason in failures.items()] + [""]
    RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _kept(name: str) -> Row | None:
    """What a row left, None if it cannot be read: another version may have written it."""
    try:
        return Row.read(MEASURED / f"{name}.json")
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _summary(row: Row) -> list[str]:
    if not row.verdicts:
        return [f"| {row.title} | below | none | | {'; '.join(map(limit_text, row.limits))} |"]
    lines = []
    for place, verdict in enumerate(row.verdicts):
        unit = verdict.unit if verdict.unit == "×" else f" {verdict.unit}"
        word = ("met" if verdict.met else "**not met**") + (" (busy machine)" if _busy(row) else "")
        # A row's limits stand beside its first verdict.
        limit = "; ".join(map(limit_text, row.limits)) if place == 0 else ""
        lines.append(
            f"| {row.title}: {verdict.name} | {spread(verdict.values)}{unit} "
            f"| {verdict.sign} {number(verdict.target)}{unit} | {word} | {limit} |"
        )
    return lines


def _machine(rows: Mapping[str, Row]) -> list[str]:
    described: dict[str, list[str]] = {}
    for name, row in rows.items():
        described.setdefault(_description(row.machine), []).append(name)
    gpus = any(row.machine.gpu for row in rows.values())
    lines = [] if gpus else ["**Not measured on a GPU**: the machine of these figures has none.", ""]
    busy = [name for name, row in rows.items() if _busy(row)]
    if busy:
        lines += [
            f"**Measured on a busy machine**: {', '.join(busy)}. More processes wanted its cores than it "
            "has, so these figures and their ratios say little.",
            "",
        ]
    if len(described) == 1:
        return [*lines, f"Machine: {next(iter(described))}"]
    for description, names in described.items():
        lines += [f"Machine of {', '.join(names)}: {description}", ""]
    return lines


def _busy(row: Row) -> bool:
    """Whether other processes wanted the cores when the row began; the row before it uses all of them."""
    return row.machine.load > row.machine.cores + 1


def _description(machine: Machine) -> str:
    device = machine.gpu or "no GPU"
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items() if version)
    return f"{machine.processor}, {machine.cores} cores, {device}, {machine.system}; {versions}."


if __name__ == "__main__":
    write_results()
