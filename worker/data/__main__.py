"""`python -m worker.data get NAME`: put a dataset into the data folder.

The path goes to standard output, everything else to standard error.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jobs.datasets import DATASETS, find
from jobs.errors import InvalidData, QuartetError
from jobs.files import sha256_of
from jobs.sentences import unknown_choice
from jobs.settings import read_settings
from worker.data.download import obtain


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m worker.data", description=__doc__)
    actions = parser.add_subparsers(required=True)
    get = actions.add_parser("get", help="download a dataset, unless it is here already")
    get.add_argument("name", help=f"one of: {', '.join(DATASETS)}")
    name = parser.parse_args(arguments).name
    try:
        _get(name)
    except QuartetError as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _say(f"{name}: stopped, nothing was kept")
        return 130
    return 0


def _get(name: str) -> None:
    if name not in DATASETS:
        raise InvalidData(unknown_choice("dataset", name, DATASETS))
    dataset = DATASETS[name]
    if dataset.offline:
        _say(f"{name} needs no download: it is {dataset.origin}")
        return
    settings = read_settings()
    here = find(name, settings.data_dir)
    if here is None:
        original = dataset.originals[0]
        _say(f"{name}: downloading {original.size / 1e6:,.1f} MB from {original.url}")
        _import_keras_quietly()
    path = obtain(name, settings, progress=sys.stderr if sys.stderr.isatty() else None)
    pinned = dataset.pinned(path.name)
    if here is None:
        _say(f"{name} is now here, and its checksum is right")
    elif pinned is None or sha256_of(path) == pinned:
        _say(f"{name} is here already")
    else:
        _say(f"{name} is here already, but not as it is offered for download (its SHA-256 is another one)")
    sys.stdout.write(f"{path}\n")


def _import_keras_quietly() -> None:
    """Import Keras without what TensorFlow's C++ parts say meanwhile, whatever their log level."""
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 2)
        with suppress(ModuleNotFoundError):  # said in a sentence by download
            import keras.utils  # noqa: F401
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
