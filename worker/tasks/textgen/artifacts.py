"""What a training job leaves besides the weights, for evaluations, generations and the report."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from jobs.errors import DamagedFolder, InvalidJob
from jobs.specs.stored_spec import StoredSpec
from jobs.store.atomic_files import write_text
from jobs.store.job_folder import JobFolder
from jobs.store.regular_files import read_regular
from worker.tasks.textgen.seen_text import write_windows
from worker.tasks.textgen.text import Corpus
from worker.tasks.textgen.vocabulary import Vocabulary
from worker.tasks.textgen.word_stats import common_words, have_meaning

VOCABULARY = "vocabulary.json"
WORDS = "words.txt"
BEGINNING = "beginning.txt"
SAMPLES = "samples.json"
TEMPERATURES = "temperatures.csv"

MOST_SAMPLE_BYTES = 2**28
"""Of `samples.json`: twenty million characters, some of six bytes each."""

MOST_WORDS = 100_000
READ_FOR_WORDS = 5_000_000
"""Characters of the training text whose words are listed."""

_MOST_BEGINNING_BYTES = 2**12
_MOST_WORD_BYTES = 5 * READ_FOR_WORDS
_MOST_LAYERS, _MOST_UNITS = 8, 4_096


class Shape(NamedTuple):
    """What `worker.tasks.textgen.network.build` needs to build a trained network anew."""

    vocab_size: int
    layers: int
    units: int


def save_corpus(folder: Path, corpus: Corpus) -> None:
    """Write what later jobs need to know of a training text into a job's folder.

    Its vocabulary, its beginning, its common words if it consists of words, and the digests of its windows.
    """
    corpus.vocabulary.write(folder / VOCABULARY)
    write_text(folder / BEGINNING, corpus.beginning)
    words = common_words(corpus.vocabulary.decode(corpus.training[:READ_FOR_WORDS]), MOST_WORDS)
    if have_meaning(words):
        write_text(folder / WORDS, "".join(f"{word}\n" for word in words))
    write_windows(folder, corpus.vocabulary, corpus.training)


def read_network(folder: JobFolder) -> tuple[Vocabulary, Shape]:
    """Read the vocabulary and the shape of a trained network; only weights are read from its model file.

    Raises:
        InvalidData: the folder has no vocabulary.
        DamagedFolder: `job.json` cannot be read, or says that the network is larger than any.
    """
    vocabulary = Vocabulary.read(folder.path / VOCABULARY)
    try:
        parameters = StoredSpec.as_it_ran(folder.job).parameters
        layers, units = getattr(parameters, "layers", 0), getattr(parameters, "units", 0)
    except InvalidJob:
        layers = units = 0
    for size, most in ((layers, _MOST_LAYERS), (units, _MOST_UNITS)):
        if type(size) is not int or not 1 <= size <= most:
            raise DamagedFolder(f"{folder.path / 'job.json'}: this is not the record of a text model")
    return vocabulary, Shape(len(vocabulary), layers, units)


def read_words(folder: JobFolder) -> frozenset[str]:
    """Read the common words of the training text; none where it does not consist of words.

    Raises:
        DamagedFolder: they cannot be read.
    """
    path = folder.path / WORDS
    try:
        return frozenset(read_regular(path, _MOST_WORD_BYTES).decode().split())
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError) as error:
        raise DamagedFolder(f"{path} cannot be read ({type(error).__name__})") from None


def read_beginning(folder: JobFolder) -> str | None:
    """Read the beginning of the training text; None where a job of an earlier version kept none.

    Raises:
        DamagedFolder: it cannot be read.
    """
    path = folder.path / BEGINNING
    try:
        return read_regular(path, _MOST_BEGINNING_BYTES).decode()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedFolder(f"{path} cannot be read ({type(error).__name__})") from None


def read_samples(folder: JobFolder) -> dict[str, Any]:
    """Read the texts of a generation, which may be longer than other files of a folder.

    Raises:
        DamagedFolder: they cannot be read.
    """
    path = folder.path / SAMPLES
    try:
        written: dict[str, Any] = json.loads(read_regular(path, MOST_SAMPLE_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFolder(f"{path} cannot be read ({type(error).__name__})") from None
    return written
