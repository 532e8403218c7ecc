"""Tokenised reviews with their labels, as plain arrays in memory and in a file."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.store.atomic_files import whole_file
from worker.tasks.sentiment.tokens import Tokens
from worker.tasks.sentiment.vocabulary import UNKNOWN, Vocabulary
from worker.training.plain_arrays import open_arrays
from worker.training.seen_examples import Digests

_ARRAYS = {
    "numbers": np.int32,
    "offsets": np.int64,
    "lengths": np.int32,
    "labels": np.uint8,
    "test": np.bool_,
    "keys": np.uint64,
    "digests": np.uint64,
    "groups": np.int64,
}


@dataclass(frozen=True)
class ReviewSet:
    """Reviews as token ids, in the order of their source, with what is known of each.

    Attributes:
        tokens: the reviews.
        labels: (reviews,), uint8, 1 for positive.
        test: (reviews,), bool, whether the source reserves a review for testing.
        keys: (reviews,), uint64, a checksum by which reviews are split, the same for equal ones.
        digests: (reviews,), as `write_seen` and `seen_before` take them.
        groups: (reviews,), int64, the group of each, neighbouring groups being alike; -1 for none.
        vocabulary: what the ids of the tokens mean.
        notes: what the reader skipped or found odd.
    """

    tokens: Tokens
    labels: NDArray[np.uint8]
    test: NDArray[np.bool_]
    keys: NDArray[np.uint64]
    digests: Digests
    groups: NDArray[np.int64]
    vocabulary: Vocabulary
    notes: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write it atomically."""
        words = json.dumps({"words": self.vocabulary.words, "notes": self.notes}).encode()
        with whole_file(path) as file:
            np.savez(
                file,
                allow_pickle=False,
                numbers=self.tokens.ids,
                offsets=self.tokens.offsets,
                lengths=self.tokens.lengths,
                labels=self.labels,
                test=self.test,
                keys=self.keys,
                digests=self.digests,
                groups=self.groups,
                words=np.frombuffer(words, np.uint8),
            )

    @classmethod
    def read(cls, path: Path) -> "ReviewSet":
        """Read what `write` wrote.

        Raises:
            DamagedFolder: it is damaged.
            OSError: there is none.
        """
        # What is not compressed is no larger than its file.
        with open_arrays(path, path.stat().st_size, "a cache of reviews") as stored:
            arrays = {name: stored.read(name) for name in _ARRAYS}
            words = json.loads(stored.read("words").tobytes())
            if any(arrays[name].dtype != kind or arrays[name].ndim != 1 for name, kind in _ARRAYS.items()):
                raise ValueError("its arrays have other types")
            tokens = Tokens(arrays["numbers"], arrays["offsets"], arrays["lengths"])
            found = cls(
                tokens, arrays["labels"], arrays["test"], arrays["keys"], arrays["digests"],
                arrays["groups"],
                Vocabulary(tuple(map(str, words["words"]))), tuple(map(str, words["notes"])),
            )  # fmt: skip
            found._check()
            return found

    def _check(self) -> None:
        """Refuse arrays that do not fit together.

        Raises:
            ValueError: they do not.
        """
        ids, offsets = self.tokens.ids, self.tokens.offsets
        count = len(self.tokens)
        known = (self.labels, self.test, self.keys, self.digests, self.groups)
        sizes = {len(array) for array in known}
        if not count or sizes != {count} or len(offsets) != count + 1:
            raise ValueError("its arrays have other lengths")
        if offsets[0] != 0 or offsets[-1] != len(ids) or self.tokens.sizes.min() < 1:
            raise ValueError("its reviews have other lengths")
        if ids.min() < UNKNOWN or ids.max() >= self.vocabulary.vocab_size or self.labels.max() > 1:
            raise ValueError("its numbers are out of range")
