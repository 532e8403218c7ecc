"""Runs to compare, as the page of a comparison hands them to a wing."""

from collections.abc import Mapping
from pathlib import Path

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Compared


def compared(root: Path, label: str, **actions: Mapping[str, str | bytes]) -> Compared:
    """A run with a folder for each action, which holds these files."""
    folders = {}
    for action, files in actions.items():
        path = root / f"{label} {action}"
        path.mkdir(parents=True)
        for name, content in files.items():
            (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        folders[action] = JobFolder(path)
    return Compared(label, f"units {len(label)}", folders)
