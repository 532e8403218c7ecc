"""How good a network is on text that it was not trained on, where other text is among that measured."""

import numpy as np

from worker.context import JobContext
from worker.report.formatting import percentage
from worker.tasks.textgen.evaluation import FEWEST_MEASURED, Values
from worker.tasks.textgen.paired import gain
from worker.tasks.textgen.seen_text import MOST_SEEN, WINDOW

WARNED_SHARE, WARNED_SHARE_OF_SAME = 0.01, MOST_SEEN
"""Of the measured characters, those that the training text has too; fewer are stock phrases. A text repeats
itself more than others repeat it: of Python's documentation 7 % of the held-out part are found before it, of
Shakespeare nothing."""


def gain_over_ngrams(nats: Values, ngrams: Values, seen: Values | None) -> dict[str, float]:
    """Compare a network with n-grams on what it was not trained on.

    Args:
        nats: of the network, (characters,).
        ngrams: of the n-grams, likewise.
        seen: whether each character stands in a window of the training text, (characters,); None if unknown.

    Returns:
        `ngram_gain` with its interval; nothing where so much was trained on that the text cannot tell.
    """
    new = np.ones(len(nats), bool) if seen is None else ~seen
    if new.sum() < max(FEWEST_MEASURED, (1 - MOST_SEEN) * len(nats)):
        return {}
    over = gain(nats[new], ngrams[new])
    return {"ngram_gain": over.mean, "ngram_gain_low": over.low, "ngram_gain_high": over.high}


def seen_metrics(
    context: JobContext, nats: Values, seen: Values | None, *, same_text: bool
) -> dict[str, float]:
    """Count what the training text has too, and average the rest, with a warning or a note.

    Args:
        context: of the evaluation.
        nats: of the network, (characters,).
        seen: whether each character stands in a window of the training text, (characters,); None if unknown.
        same_text: whether the model was trained on another part of this text.

    Returns:
        Metrics by the names of METRICS.
    """
    if seen is None:
        return {}
    count, rest = int(seen.sum()), nats[~seen]
    found: dict[str, float] = {"seen_characters": count}
    if not count:
        return found
    text = (
        f"{count:,} of the {len(nats):,} measured characters ({percentage(count / len(nats), 1)}) stand in "
        f"passages of {WINDOW} or more characters that are also in the text the model was trained on"
    )
    if len(rest) >= FEWEST_MEASURED:
        found["nats_per_character_unseen"] = float(rest.mean(dtype=np.float64))
        text += f"; the others need {found['nats_per_character_unseen']:.3f} nats per character"
    most = WARNED_SHARE_OF_SAME if same_text else WARNED_SHARE
    tell = context.warn if count >= most * len(nats) else context.note
    tell(f"{text}.")
    return found
