"""`python -m worker.datasets get NAME`: put a dataset into the data folder.

The path goes to standard output, everything else to standard error.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jobs.dataset_files import stored_dataset
from jobs.datasets import Dataset, shown_path
from jobs.error_output import print_error
from jobs.errors import InvalidData, QuartetError
from jobs.models import datasets
from jobs.settings import read_settings
from worker.datasets.download import Received, obtain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows the program's name; without it, this process's own.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m worker.datasets", description=__doc__)
    actions = parser.add_subparsers(required=True)
    get = actions.add_parser("get", help="download a dataset, unless it is already there")
    get.add_argument("name", help=f"one of: {', '.join(datasets())}")
    name = parser.parse_args(arguments).name
    try:
        _get(name)
    except QuartetError as error:
        return print_error("quartet", error)
    except KeyboardInterrupt:
        _say(f"{name}: interrupted, nothing was saved")
        return 130
    return 0


def _get(name: str) -> None:
    if name not in datasets():
        raise InvalidData.unknown("dataset", name, datasets())
    dataset = datasets()[name]
    if dataset.offline:
        _say(f"{name} needs no download: it is {dataset.origin}")
        return
    settings = read_settings()
    if (found := dataset.find(settings.data_dir)) is not None:
        path = found.absolute()
        _say(_already_there(dataset, settings.data_dir))
    else:
        with _progress_bar(dataset) as received:
            path = obtain(dataset, settings, received)
        _say(f"{name}: downloaded, SHA-256 verified")
    sys.stdout.write(f"{path}\n")


def _already_there(dataset: Dataset, data_dir: Path) -> str:
    stored = stored_dataset(dataset, data_dir)
    again = f"delete it, then `quartet data get {dataset.name}` downloads it"
    if stored.here == "damaged":
        raise InvalidData(
            shown_path(stored.path or data_dir),
            expected=f"the whole of {dataset.name}",
            given=f"a damaged one: {stored.problem}",
            hint=again,
        )
    if stored.here == "differs":
        return f"{dataset.name} is already there, but not as published: {stored.problem}; {again}"
    return f"{dataset.name} is already there"


@contextmanager
def _progress_bar(dataset: Dataset) -> Iterator[Received]:
    """Say what is downloaded, and show a progress bar if standard error is a terminal."""
    downloads = dataset.downloads
    if not downloads:  # the download fails with the reason
        yield lambda _: None
        return
    size, first = sum(original.size for original in downloads), downloads[0].url
    source = first if len(downloads) == 1 else f"{first.rpartition('/')[0]}/, {len(downloads)} files"
    _say(f"{dataset.name}: downloading {size / 1e6:,.1f} MB from {source}")
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task(dataset.name, total=size)
        yield lambda count: bar.advance(task, count)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
