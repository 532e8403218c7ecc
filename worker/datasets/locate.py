"""Finds what a job's `--data` names: a dataset, which is downloaded if need be, or a person's own path."""

from pathlib import Path
from typing import NamedTuple

from jobs.data_check import check_data
from jobs.datasets import Dataset
from jobs.models import datasets
from jobs.parameters import Parameters
from jobs.settings import Settings
from worker.datasets.download import obtain


class Located(NamedTuple):
    """Where data is.

    Attributes:
        name: the dataset's name, or the path as it was given.
        dataset: None where a person's own path was given.
        path: of a file or a folder; None for a dataset that is generated.
    """

    name: str
    dataset: Dataset | None
    path: Path | None


def locate(kind: type[Parameters], data: str, settings: Settings) -> Located:
    """Find data by name or path; a dataset that is not in the data folder is downloaded there.

    Args:
        kind: says which datasets and forms may be read.
        data: a dataset's name, or a path.
        settings: its `data_dir` is the data folder.

    Raises:
        InvalidData: no dataset has that name, it is of another kind or form, or it cannot be downloaded.
    """
    name = check_data(kind, data)
    dataset = datasets().get(name)
    if dataset is None:
        return Located(name, None, Path(name))
    return Located(name, dataset, None if dataset.offline else obtain(dataset, settings))
