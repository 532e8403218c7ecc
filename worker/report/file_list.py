"""Lists the files beside a report, as links."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jobs.store.job_folder import CHECKPOINT, HISTORY, MANIFEST, MODEL
from jobs.wording import counted

_KNOWN = {
    MODEL: "the trained network, architecture and weights",
    HISTORY: "the losses, one row per epoch",
    "loss_within_epochs.csv": "the training loss at some steps",
    "metrics.json": "all metrics",
    "job.json": "the job's record, machine-readable",
    CHECKPOINT: "the state that training resumes from",
    "log.txt": "the worker's log",
    "model_summary.json": "the layers of the network",
    "figures": "all figures, as PNG and SVG",
}


@dataclass(frozen=True)
class Listed:
    """A file or a folder; `link` is relative to the report and safe in an attribute."""

    name: str
    link: str
    about: str
    bytes: int | None


def listed_files(folder: Path) -> list[Listed]:
    """Everything in a job's folder but the report itself, with one entry for each subfolder.

    The manifest comes last and need not exist yet: it holds the report's checksum, so it is written later.

    Args:
        folder: of the job.

    Raises:
        OSError: the folder cannot be read.
    """
    others = [path for path in folder.iterdir() if path.name not in ("report.html", MANIFEST)]
    entries = sorted(others, key=lambda path: (path.name not in _KNOWN, path.name))
    manifest = Listed(MANIFEST, f"./{MANIFEST}", "checksums, for `quartet verify`", None)
    return [*(_listed(path) for path in entries), manifest]


def _listed(path: Path) -> Listed:
    about = _KNOWN.get(path.name, "")
    # Without "./", a browser reads what stands before a colon as the scheme of a URL.
    link = f"./{quote(path.name)}"
    if not path.is_dir():
        return Listed(path.name, link, about, path.stat().st_size)
    count = sum(1 for entry in path.rglob("*") if entry.is_file())
    inside = counted(count, "file")
    return Listed(f"{path.name}/", f"{link}/", f"{about}, {inside}" if about else inside, None)
