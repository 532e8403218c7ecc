"""Checks a person's own text, and a prompt, when a job is submitted, by what a worker uses."""

from pathlib import Path

from jobs.datasets import shown_path
from jobs.spec import JobSpec
from worker.tasks.textgen.artifacts import VOCABULARY
from worker.tasks.textgen.prompt import encode_prompt
from worker.tasks.textgen.repetition import repetition_of
from worker.tasks.textgen.spec import Generate
from worker.tasks.textgen.text_file import read_beginning
from worker.tasks.textgen.vocabulary import Vocabulary


def check_own_data(path: Path, action: str) -> tuple[str, ...]:
    """Refuse a text that a worker would refuse; of a long one, the beginning is read.

    Args:
        path: of it.
        action: of the job, as every action reads texts alike, but only training learns from them.

    Returns:
        How it is read, where that may surprise, and what makes it a doubtful text to train on.

    Raises:
        InvalidData: it cannot be read, is not a text, or is too short, too long or too varied.
    """
    encoded, notes = read_beginning(path)
    repetition = repetition_of(encoded.codes) if encoded and action == "train" else None
    return notes if repetition is None else (*notes, repetition.warning(shown_path(path.name)))


def check_source(folder: Path, spec: JobSpec) -> None:
    """Refuse a model whose vocabulary cannot be read, and a prompt that the model cannot continue.

    Args:
        folder: of the finished training job.
        spec: of the job that will use its model.

    Raises:
        InvalidData: the folder has no vocabulary.
        InvalidJob: the model does not know the prompt's characters.
    """
    vocabulary = Vocabulary.read(folder / VOCABULARY)
    if isinstance(spec.parameters, Generate) and spec.parameters.prompt is not None:
        encode_prompt(spec.parameters, vocabulary)
