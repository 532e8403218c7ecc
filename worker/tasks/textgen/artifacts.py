"""What a training job leaves besides the weights, for evaluations, generations and the report."""

from pathlib import Path
from typing import NamedTuple

from jobs.store.atomic_files import write_text
from jobs.store.job_folder import JobFolder
from worker.tasks.textgen.vocabulary import Codes, Vocabulary
from worker.tasks.textgen.word_stats import common_words

VOCABULARY = "vocabulary.json"
WORDS = "words.txt"

MOST_WORDS = 100_000
READ_FOR_WORDS = 5_000_000
"""Characters of the training text whose words are listed."""


class Shape(NamedTuple):
    """What `worker.tasks.textgen.network.build` needs to build a trained network anew."""

    vocab_size: int
    layers: int
    units: int


def save_vocabulary(folder: Path, vocabulary: Vocabulary, training: Codes) -> None:
    """Write a vocabulary, and the common words of the training text, into a job's folder.

    Args:
        folder: of the training job.
        vocabulary: all characters that the model will know.
        training: codes that it is trained on, (characters,).
    """
    vocabulary.write(folder / VOCABULARY)
    words = common_words(vocabulary.decode(training[:READ_FOR_WORDS]), MOST_WORDS)
    write_text(folder / WORDS, "".join(f"{word}\n" for word in words))


def read_network(folder: JobFolder) -> tuple[Vocabulary, Shape]:
    """Read the vocabulary and the shape of a trained network; only weights are read from its model file.

    Raises:
        InvalidData: the folder has no vocabulary.
        DamagedFolder: `job.json` cannot be read.
    """
    vocabulary = Vocabulary.read(folder.path / VOCABULARY)
    parameters = folder.job["spec"]["parameters"]
    return vocabulary, Shape(len(vocabulary), parameters["layers"], parameters["units"])


def read_words(folder: JobFolder) -> frozenset[str]:
    """Read the common words of the training text."""
    return frozenset((folder.path / WORDS).read_text(encoding="utf-8").split())
