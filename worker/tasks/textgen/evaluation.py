"""Evaluates the scores of the last tenth of a text: against n-grams, by place and kind, calibration."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.context import JobContext
from worker.tasks.textgen.baselines import MOST_COUNTED, Baselines
from worker.tasks.textgen.paired import gain
from worker.tasks.textgen.scoring import Scores
from worker.tasks.textgen.text import MOST_MEASURED, STRETCHES, VALIDATION_SHARE, Text
from worker.tasks.textgen.vocabulary import Codes, Vocabulary, quoted
from worker.tasks.textgen.word_stats import is_unspaced

FEWEST_MEASURED = 90
"""The last tenth of the shortest usable text has 100."""

FEWEST_COUNTED = STRETCHES * VALIDATION_SHARE
"""Characters before it; of fewer there are none to choose the n-grams' order by."""

MOST_NATS = 700
"""Above this the perplexity is too large for a float; only a broken model gets there."""

LONGEST_LINE = 120
"""Places in a line that are distinguished."""

FEWEST_IN_A_MEAN = 50
"""Characters; the mean of fewer says little."""

BINS = 10
"""Of equal width, for the confidence in the likeliest character."""

Values = NDArray[Any]


def held_out(
    context: JobContext, text: Text, vocabulary: Vocabulary, *, same_text: bool
) -> tuple[Codes, int]:
    """Choose what is measured, with notes on what is left out.

    Args:
        context: of the evaluation; it receives the notes.
        text: its last tenth is held out.
        vocabulary: the characters that the model knows.
        same_text: whether the model was trained on this text.

    Returns:
        Codes, (characters,), and the position of the first that is measured; the n-grams count those before.

    Raises:
        InvalidData: the model knows hardly any characters of the text.
    """
    begin, end = max(0, text.held_out - MOST_COUNTED), text.held_out + MOST_MEASURED
    before, _, _ = text.codes_in(vocabulary, begin, text.held_out)
    measured, unknown, left_out = text.codes_in(vocabulary, text.held_out, end)
    if len(measured) < FEWEST_MEASURED or len(before) < FEWEST_COUNTED:
        raise InvalidData(
            shown_path(text.name),
            expected=f"at least {FEWEST_MEASURED} characters known to the model in the last tenth, and "
            f"{FEWEST_COUNTED} before",
            given=f"{len(measured):,} and {len(before):,}",
        )
    if not same_text:
        context.note(
            "The model was trained on another text. The last tenth of this one is measured; the n-grams have "
            f"counted {len(before):,} characters before it."
        )
    if unknown:
        context.note(
            "Left out of the last tenth, because the model has never seen them: "
            f"{left_out:,} of {left_out + len(measured):,} characters ({quoted(unknown)})."
        )
    if begin:
        context.note(f"The n-grams count the last {MOST_COUNTED:,} characters before that tenth.")
    if end < len(text.codes):
        context.note(f"The first {MOST_MEASURED:,} characters of the last tenth are measured.")
    context.data[text.name] |= {"measured_characters": len(measured), "unknown_characters": left_out}
    return np.concatenate([before, measured]), len(before)


def metrics(context: JobContext, scores: Scores, without: Baselines) -> dict[str, float]:
    """Average the scores.

    Args:
        context: of the evaluation; it receives a warning if the network is not clearly better than
            frequencies.
        scores: of the network.
        without: what predicts the same text without a network.

    Returns:
        Metrics by the names of METRICS.
    """
    nats, frequencies = (
        float(values.mean(dtype=np.float64)) for values in (scores.nats, without.frequencies)
    )
    over = gain(scores.nats, without.frequencies)
    if over.low <= 0:
        context.warn(
            f"The network is {'not clearly' if over.mean > 0 else 'no'} better than knowing how frequent "
            f"each character is: it needs {nats:.3f} nats per character, and character frequencies need "
            f"{frequencies:.3f}; the 95 % interval of the gain is {over.low:.3f} to {over.high:.3f}."
        )
    return {
        "nats_per_character": nats,
        "bits_per_character": nats / math.log(2),
        "perplexity": math.exp(min(nats, MOST_NATS)),
        "accuracy": float(scores.right.mean()),
        "ngram_nats": float(without.ngrams.mean()),
        "ngram_order": without.order,
        "baseline_nats_per_character": frequencies,
    }


def save_breakdowns(
    context: JobContext, vocabulary: Vocabulary, codes: Codes, first: int, nats: Values, ngrams: Values
) -> None:
    """Write the means by place in the line and by kind of character.

    Args:
        context: of the evaluation.
        vocabulary: what the codes are of.
        codes: (characters,).
        first: position of the first character that is measured.
        nats: of the network, (characters from `first` on,).
        ngrams: nats of the n-grams, likewise.
    """
    line_end = vocabulary.characters.find("\n")
    places = by_place(line_end, codes, first, nats, ngrams)
    kinds = by_kind(vocabulary, codes, first, nats, ngrams)
    context.write_table("place_in_line.csv", ("place", "characters", "nats", "ngram_nats"), places)
    context.write_table("kinds.csv", ("kind", "characters", "nats", "ngram_nats"), kinds)


def save_calibration(context: JobContext, scores: Scores) -> float:
    """Write the bins of confidence.

    Args:
        context: of the evaluation.
        scores: of the network.

    Returns:
        The expected calibration error.
    """
    bins = calibration(scores)
    context.write_table("calibration.csv", ("from", "to", "characters", "confidence", "right"), bins)
    return expected_calibration_error(bins)


def by_place(line_end: int, codes: Codes, first: int, *nats: Values) -> list[tuple[float, ...]]:
    """Average by place in the line.

    Args:
        line_end: the code of the newline, -1 if there is none.
        codes: (characters,); those before `first` only say where in its line the first one stands.
        first: position of the first character that counts.
        nats: (characters from `first` on,) each.

    Returns:
        Rows of place (1 is the first), characters, and the mean of each of `nats`.
    """
    at = np.arange(len(codes))
    after_line_end = np.concatenate([[False], codes[:-1] == line_end])
    places = (at - np.maximum.accumulate(np.where(after_line_end, at, 0)) + 1)[first:]
    return [
        (place, int(here.sum()), *(float(values[here].mean()) for values in nats))
        for place in range(1, min(LONGEST_LINE, int(places.max())) + 1)
        if (here := places == place).sum() >= FEWEST_IN_A_MEAN
    ]


def by_kind(vocabulary: Vocabulary, codes: Codes, first: int, *nats: Values) -> list[tuple[str | float, ...]]:
    """Average by kind of character.

    Args:
        vocabulary: what the codes are of.
        codes: (characters,).
        first: position of the first character that counts, at least 1: whether a letter begins a word depends
            on the character before it.
        nats: (characters from `first` on,) each.

    Returns:
        Rows of kind, characters, and the mean of each of `nats`.
    """
    characters = vocabulary.characters
    unspaced, letter, digit = (
        np.array(list(map(test, characters))) for test in (is_unspaced, str.isalpha, str.isdigit)
    )
    letter &= ~unspaced
    line_end, space = (np.array([character == kind for character in characters]) for kind in "\n ")
    now, before = codes[first:], codes[first - 1 : -1]
    kinds = {
        "first letter of a word": letter[now] & ~letter[before],
        "later letter": letter[now] & letter[before],
        "of a script without spaces": unspaced[now],
        "space": space[now],
        "line end": line_end[now],
        "digit": digit[now],
        "any other": ~(letter | unspaced | digit | space | line_end)[now],
    }
    return [
        (kind, int(here.sum()), *(float(values[here].mean()) for values in nats))
        for kind, here in kinds.items()
        if here.any()
    ]


def calibration(scores: Scores) -> list[tuple[float, ...]]:
    """Compare confidence with the share of correct predictions, after Guo et al. (2017).

    https://arxiv.org/abs/1706.04599

    Returns:
        Rows of confidence from, to, characters, their mean confidence and the share predicted correctly.
    """
    bins = np.minimum((scores.confidence * BINS).astype(np.int64), BINS - 1)
    return [
        (
            index / BINS,
            (index + 1) / BINS,
            int(here.sum()),
            float(scores.confidence[here].mean(dtype=np.float64)),
            float(scores.right[here].mean()),
        )
        for index in range(BINS)
        if (here := bins == index).any()
    ]


def expected_calibration_error(rows: list[tuple[float, ...]]) -> float:
    """Return the mean distance between confidence and share of correct predictions, weighted by characters.

    Args:
        rows: as `calibration` returns them.
    """
    total = sum(count for _, _, count, _, _ in rows)
    return sum(count * abs(confidence - right) for _, _, count, confidence, right in rows) / total
