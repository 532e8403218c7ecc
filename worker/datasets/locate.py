"""Finds what a job's `--data` names: a dataset, which is downloaded if need be, stored data, or a path."""

from pathlib import Path
from typing import NamedTuple

from jobs.data_check import check_form, check_named
from jobs.datasets import Dataset
from jobs.models import datasets
from jobs.parameters import Parameters
from jobs.settings import Settings
from jobs.store.open_results import open_results
from jobs.store.own_data import OwnData
from jobs.store.own_data_pin import Pin
from worker.datasets.download import obtain


class Located(NamedTuple):
    """Where data is.

    Attributes:
        name: of the dataset or of the stored data, or the path as it was given.
        dataset: None where it is a person's own data.
        path: of a file or a folder; None for a dataset that is generated.
    """

    name: str
    dataset: Dataset | None
    path: Path | None


def locate(kind: type[Parameters], data: str, settings: Settings) -> Located:
    """Find data by name or path; a dataset that is not in the data folder is downloaded there.

    Args:
        kind: says which datasets and forms may be read.
        data: a dataset's name, the pin of stored data, or a path.
        settings: its `data_dir` is the data folder, and its `results_dir` has the stored data.

    Raises:
        InvalidData: no dataset has that name, it is of another kind or form, or it cannot be downloaded;
            or stored data is gone, or was changed.
    """
    pin = Pin.read(data)
    if pin is not None:
        path = OwnData.of(open_results(settings, in_pool=True), settings).verified(pin)
        check_form(kind, path, pin.shown)
        return Located(pin.name, None, path)
    name = check_named(kind, data)
    dataset = datasets().get(name)
    if dataset is None:
        return Located(name, None, Path(name))
    return Located(name, dataset, None if dataset.offline else obtain(dataset, settings))
