"""A sweep beside its jobs: `results/sweeps/<name>/sweep.json`, by which it outlives Redis.

The worker that advances sweeps writes it, and no client does.
"""

import os
import shutil
from pathlib import Path

from jobs.errors import DamagedFolder
from jobs.ledger.sweep_record import SweepRecord, unreadable_sweep
from jobs.store.atomic_files import write_json
from jobs.store.regular_files import read_regular
from jobs.store.results import Results
from jobs.store.strict_json import parse_json
from jobs.sweeps.sweep_spec import names_a_folder
from jobs.wording import reason_of

FOLDER, FILE = "sweeps", "sweep.json"
MOST_BYTES = 256 * 2**20
"""The largest file that is read: ten thousand trials, each of which had seen all others."""


def sweep_folder(results: Results, name: str) -> Path:
    """Where what is known of a sweep lies."""
    return results.root / FOLDER / name


def write_sweep(results: Results, record: SweepRecord) -> None:
    """Write a sweep's file.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    folder = sweep_folder(results, record.name)
    folder.mkdir(parents=True, exist_ok=True)
    if folder.is_symlink() or folder.parent.is_symlink():
        raise NotADirectoryError(20, "Not a folder of its own", str(folder))
    write_json(folder / FILE, record.as_dict())
    results.share(folder / FILE)


def read_sweep(results: Results, name: str) -> SweepRecord | None:
    """What a sweep's file says, None if there is none.

    Raises:
        InvalidInput: it cannot be read.
    """
    if not names_a_folder(name):
        return None
    results.take_shared(sweep_folder(results, name) / FILE)
    try:
        value = parse_json(read_regular(sweep_folder(results, name) / FILE, MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unreadable_sweep(name, error) from None
    if not isinstance(value, dict):
        raise unreadable_sweep(name, "its file holds something else")
    return SweepRecord.of_file(name, value)


def delete_sweep(results: Results, name: str) -> None:
    """Delete a sweep's folder, if it has one.

    Raises:
        DamagedFolder: it cannot be deleted.
    """
    folder = sweep_folder(results, name)
    try:
        (folder / FILE).unlink(missing_ok=True)  # first: then there is no such sweep, whatever comes
        results.share(folder / FILE)
        shutil.rmtree(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        why = reason_of(error)
        raise DamagedFolder(f"{folder} cannot be deleted ({why})") from None


def sweeps_with_file(results: Results) -> list[str]:
    """The names of the sweeps that have a file, in alphabetical order.

    Raises:
        OSError: the results folder cannot be read.
    """
    results.take_shared(results.root / FOLDER)
    try:
        with os.scandir(results.root / FOLDER) as entries:
            names = [entry.name for entry in entries if names_a_folder(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if (sweep_folder(results, name) / FILE).is_file())
