"""Which passages of an evaluated text a model was trained on, by digests of windows of characters."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import JobFolder
from worker.tasks.textgen.vocabulary import Codes, Vocabulary
from worker.training.seen_examples import digests_of, seen_before, write_seen

WINDOW = 50
"""Characters. In the training text one window follows the other; in an evaluated text one begins at each
character, so that a passage of 99 that both texts have is found wherever it stands."""

MOST_SEEN = 0.1
"""Of measured characters. Where the training text has more of them, the others are no fair sample either."""

MOST_TRAINING = 50_000_000
"""Characters of a training text whose windows are kept: eight megabytes of digests."""

_BLOCK = 1 << 16


def write_windows(folder: Path, vocabulary: Vocabulary, training: Codes) -> None:
    """Write the digests of a training text's windows.

    Args:
        folder: the staging folder of the training job.
        vocabulary: what the codes are of.
        training: codes that the model is trained on, (characters,).
    """
    digests = [digests_of(block) for block in _windows(vocabulary, training[:MOST_TRAINING], WINDOW)]
    write_seen(folder, np.concatenate([np.empty(0, np.uint64), *digests]))


def seen_characters(
    source: JobFolder, vocabulary: Vocabulary, codes: Codes, check_stop: Callable[[], None]
) -> NDArray[np.bool_] | None:
    """Whether each character stands in a window that the training text has too.

    Args:
        source: the folder of the training job.
        vocabulary: what the codes are of.
        codes: of the evaluated text, (characters,).
        check_stop: called several times a second; may raise.

    Returns:
        (characters,); None if the training job kept no digests, as before version 0.2.

    Raises:
        DamagedFolder: the digests cannot be read.
    """
    digests = [np.empty(0, np.uint64)]
    for block in _windows(vocabulary, codes, 1):
        digests.append(digests_of(block))
        check_stop()
    begins = seen_before(source, np.concatenate(digests))
    if begins is None:
        return None
    changes = np.zeros(len(codes) + 1, np.int64)
    changes[: len(begins)] += begins
    changes[WINDOW : WINDOW + len(begins)] -= begins
    seen: NDArray[np.bool_] = np.cumsum(changes)[:-1] > 0
    return seen


def _windows(vocabulary: Vocabulary, codes: Codes, stride: int) -> Iterator[Iterator[bytes]]:
    """The windows of a text in blocks, each as the bytes of its code points."""
    last = len(codes) - WINDOW
    for first in range(0, last + 1, stride * _BLOCK):
        begins = range(first, min(first + stride * _BLOCK, last + 1), stride)
        points = vocabulary.code_points[codes[first : begins[-1] + WINDOW]].tobytes()
        yield (points[4 * (at - first) : 4 * (at - first + WINDOW)] for at in begins)
