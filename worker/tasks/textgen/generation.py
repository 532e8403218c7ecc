"""Writes texts after a prompt at each temperature, and measures what their words do."""

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.store.atomic_files import write_json, write_text
from worker.context import JobContext
from worker.tasks.textgen.artifacts import SAMPLES, TEMPERATURES, read_beginning
from worker.tasks.textgen.prompt import encode_prompt
from worker.tasks.textgen.sampling import Writer
from worker.tasks.textgen.spec import Generate
from worker.tasks.textgen.vocabulary import Vocabulary
from worker.tasks.textgen.word_stats import have_meaning, word_use


class Samples(NamedTuple):
    """The texts of one temperature.

    Attributes:
        temperature: 0 took the likeliest character each time.
        texts: without the prompt.
        seconds: how long the writing took.
    """

    temperature: float
    texts: list[str]
    seconds: float


def known_prompt(context: JobContext, parameters: Generate, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Encode the prompt as texts are read: composed, its line ends made newlines.

    Args:
        context: of the job; it receives notes on what was changed.
        parameters: with the prompt.
        vocabulary: of the model.

    Returns:
        (characters,), at least one.

    Raises:
        InvalidJob: the prompt has characters that the model has never seen, and they may not be dropped or
            there are no others.
        DamagedFolder: the training job's folder cannot be read.
    """
    if parameters.prompt is None:
        return vocabulary.encode(_default_prompt(context, vocabulary))[0]
    prompt, notes = encode_prompt(parameters, vocabulary)
    for note in notes:
        context.note(note)
    return prompt


def _default_prompt(context: JobContext, vocabulary: Vocabulary) -> str:
    """The beginning of the training text; of a model whose folder has none, something that it knows."""
    beginning = read_beginning(context.source)
    if beginning:
        context.note(f"The prompt is the beginning of the text the model was trained on: {beginning!r}.")
        return beginning
    known = "\n" if "\n" in vocabulary.characters else vocabulary.characters[0]
    context.note(f"The model's folder holds no beginning of its training text; the prompt is {known!r}.")
    return known


def write_samples(
    context: JobContext,
    parameters: Generate,
    writer: Writer,
    prompt: NDArray[np.int32],
    vocabulary: Vocabulary,
) -> Iterator[Samples]:
    """Write the texts, one temperature after the other.

    Text number n at a temperature is a function of the model, the prompt, the limits, the seed, the
    temperature and n; which others are written does not matter.

    Args:
        context: of the job; its seed, progress and stop are used.
        parameters: temperatures, length and number of texts.
        writer: of the model.
        prompt: codes, (characters,), at least one.
        vocabulary: of the model.

    Raises:
        Cancelled: a stop was requested.
    """
    temperatures = list(dict.fromkeys(parameters.temperature))
    if 0 in temperatures and parameters.samples > 1:
        context.note("Temperature 0 always writes the same text, so it was written once.")
    for temperature in temperatures:
        context.progress(force=True, stage=f"writing at temperature {temperature:g}")
        count = parameters.samples if temperature else 1
        rngs = [_rng(context.spec.seed, temperature, index) for index in range(count)]
        began = time.perf_counter()
        codes = writer.write(prompt, parameters.length, temperature, rngs, context.check_stop)
        seconds = time.perf_counter() - began
        yield Samples(temperature, [vocabulary.decode(row) for row in codes], seconds)


def save_samples(context: JobContext, prompt: str, written: list[Samples]) -> None:
    """Write all texts, as `samples.json` and for people as `samples.txt`.

    Args:
        context: of the job.
        prompt: what every text continues.
        written: all texts.
    """
    samples = [
        {"temperature": some.temperature, "number": number, "text": text}
        for some in written
        for number, text in enumerate(some.texts, 1)
    ]
    write_json(context.folder / SAMPLES, {"prompt": prompt, "samples": samples})
    lines = (
        f"=== temperature {sample['temperature']:g}, text {sample['number']} ===\n\n"
        f"{prompt}{sample['text']}\n\n"
        for sample in samples
    )
    write_text(context.folder / "samples.txt", "".join(lines))


def save_word_use(context: JobContext, written: list[Samples], known: frozenset[str]) -> dict[str, float]:
    """Write what the words of each temperature do as `temperatures.csv`, where there are words.

    Args:
        context: of the job; it receives a note where words mean nothing.
        written: all texts.
        known: the common words of the training text.

    Returns:
        The means over all texts that have words, as metrics.
    """
    if not have_meaning(known):
        context.note(
            "Words are not measured: the text the model was trained on does not separate words by spaces, or "
            "has none."
        )
        return {}
    table = []
    for some in written:
        uses = np.array([use for text in some.texts if (use := word_use(text, known)).words])
        if len(uses):
            table.append((some.temperature, len(uses), *uses.mean(axis=0).tolist()))
    if not table:
        return {}
    header = ("temperature", "texts", "words", "different", "repeated", "known")
    context.write_table(TEMPERATURES, header, table)
    means = np.average([row[3:] for row in table], axis=0, weights=[row[1] for row in table])
    different, repeated, known_share = means.tolist()
    return {"known_words": known_share, "different_words": different, "repeated_sequences": repeated}


def _rng(seed: int, temperature: float, index: int) -> np.random.Generator:
    """The random numbers of one text."""
    return np.random.default_rng([seed, *struct.unpack("<II", struct.pack("<d", temperature)), index])
