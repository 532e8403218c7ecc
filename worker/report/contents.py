"""The files that lie beside a report, as links."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jobs.folder import CHECKPOINT, MANIFEST

_KNOWN = {
    "model.keras": "the trained network, architecture and weights",
    "history.csv": "the losses, one row an epoch",
    "metrics.json": "every number of this job",
    "job.json": "this job's record, for programs",
    CHECKPOINT: "everything needed to go on with the training",
    "log.txt": "what the worker logged",
    "figures": "every figure as PNG and SVG",
}


@dataclass(frozen=True)
class Listed:
    """A file or a folder; `link` is relative to the report and safe in an attribute."""

    name: str
    link: str
    about: str
    bytes: int | None


def listed_files(folder: Path) -> list[Listed]:
    """Everything in a job's folder but the report itself; folders within it as one entry each.

    The manifest comes last: it is written after the report, of which it holds the checksum.
    """
    others = [path for path in folder.iterdir() if path.name not in ("report.html", MANIFEST)]
    entries = sorted(others, key=lambda path: (path.name not in _KNOWN, path.name))
    manifest = Listed(MANIFEST, f"./{MANIFEST}", "checksums; `quartet verify` compares them", None)
    return [*(_listed(path) for path in entries), manifest]


def _listed(path: Path) -> Listed:
    about = _KNOWN.get(path.name, "")
    # "./" keeps a name with a colon from being read as an address of another kind.
    link = f"./{quote(path.name)}"
    if not path.is_dir():
        return Listed(path.name, link, about, path.stat().st_size)
    count = sum(1 for entry in path.rglob("*") if entry.is_file())
    inside = f"{count:,} {'file' if count == 1 else 'files'}"
    return Listed(f"{path.name}/", f"{link}/", f"{about}, {inside}" if about else inside, None)
