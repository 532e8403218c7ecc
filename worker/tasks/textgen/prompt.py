"""The prompt of a job as codes of a model's characters; a client checks it too, without TensorFlow."""

import re

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidJob
from worker.datasets.composed_text import composed
from worker.tasks.textgen.spec import Generate
from worker.tasks.textgen.vocabulary import Vocabulary, quoted

_ESCAPE = re.compile(r"\\([nt])")


def encode_prompt(parameters: Generate, vocabulary: Vocabulary) -> tuple[NDArray[np.int32], list[str]]:
    """Encode a prompt as texts are read: composed, its line ends made newlines.

    Args:
        parameters: with a prompt.
        vocabulary: of the model.

    Returns:
        (characters,), at least one; and notes on what was changed.

    Raises:
        InvalidJob: the prompt has characters that the model has never seen, and they may not be dropped or
            there are no others.
    """
    notes = []
    text = composed((parameters.prompt or "").replace("\r\n", "\n").replace("\r", "\n"))
    if "\\" not in vocabulary.characters and (meant := _ESCAPE.sub(_unescaped, text)) != text:
        notes.append("In the prompt, \\n was read as the end of a line and \\t as a tab.")
        text = meant
    prompt, unknown = vocabulary.encode(text)
    if unknown and (parameters.on_unknown == "error" or not len(prompt)):
        raise InvalidJob(
            "prompt",
            expected="characters of the model's training text",
            given=quoted(unknown),
            hint="`--on-unknown drop` drops the others" if len(prompt) else None,
        )
    if unknown:
        notes.append(f"Dropped from the prompt, because the model has never seen them: {quoted(unknown)}.")
    return prompt, notes


def _unescaped(escape: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}[escape[1]]
