"""Tokenised reviews with their labels, cached in the data folder.

A cache is a plain `.npz` without pickles, named by a checksum of all that it depends on; a damaged one is
made again. The process keeps the latest in memory as well.

Reading a million reviews from a CSV of 461 MB and training on them takes 2.5 times that size, on top of the
0.6 GB that TensorFlow itself takes.

A checksum of each text decides which reviews are for validation, and for testing where the source does not
say: equal texts are never on both sides, and the order of the reviews has no effect.
"""

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import whole_file
from worker.tasks.sentiment.reviews import LABEL_NAMES, ReviewSource
from worker.tasks.sentiment.tokens import TOKENISER, TokenCollector, Tokens, Vocabulary, choose_vocabulary

TEST_SHARE = 0.2
"""Of the reviews of a source without a test part."""

VALIDATION_SHARE = 0.1
"""Of the training reviews."""

CACHES_KEPT = 16

_FORMAT = 1
_TEST_SALT = 0x5EED
_ARRAYS = {
    "numbers": np.int32,
    "offsets": np.int64,
    "lengths": np.int32,
    "labels": np.uint8,
    "test": np.bool_,
    "keys": np.uint64,
}


@dataclass(frozen=True)
class Recipe:
    """How reviews become token ids.

    Attributes:
        length: words of a review that are read, the last ones.
        vocabulary: that of a model, or the size of one to be made from the training reviews.
    """

    length: int
    vocabulary: Vocabulary | int

    def key(self, source: ReviewSource) -> str:
        """A SHA-256 of all that the tokenised reviews depend on."""
        words = self.vocabulary.digest if isinstance(self.vocabulary, Vocabulary) else self.vocabulary
        parts = [
            _FORMAT,
            TOKENISER,
            source.sha256,
            source.path.name if source.path else source.name,
            self.length,
            words,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class ReviewSet:
    """Reviews as token ids, in the order of their source, with what is known of each.

    Attributes:
        tokens: the reviews.
        labels: (reviews,), uint8, 1 for positive.
        test: (reviews,), bool, whether the source reserves a review for testing.
        keys: (reviews,), uint64, a checksum of the text.
        vocabulary: what the ids of the tokens mean.
        notes: what the reader skipped or found odd.
    """

    tokens: Tokens
    labels: NDArray[np.uint8]
    test: NDArray[np.bool_]
    keys: NDArray[np.uint64]
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
                words=np.frombuffer(words, np.uint8),
            )

    @classmethod
    def read(cls, path: Path) -> "ReviewSet":
        """Read what `write` wrote.

        Raises:
            ValueError: it is damaged.
            OSError: it cannot be read.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in _ARRAYS}
                words = json.loads(stored["words"].tobytes())
        except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, NotImplementedError) as error:
            raise ValueError(f"{path} is damaged ({error})") from None
        if any(arrays[name].dtype != kind for name, kind in _ARRAYS.items()):
            raise ValueError(f"{path} has arrays of other types")
        tokens = Tokens(arrays["numbers"], arrays["offsets"], arrays["lengths"])
        return cls(
            tokens, arrays["labels"], arrays["test"], arrays["keys"],
            Vocabulary(tuple(words["words"])), tuple(words["notes"]),
        )  # fmt: skip


def load_reviews(source: ReviewSource, recipe: Recipe, data_dir: Path) -> ReviewSet:
    """Load the reviews of a source as token ids: from memory, from the cache, or from the source itself.

    Args:
        source: of labelled reviews.
        recipe: how they become ids.
        data_dir: the data folder, where the cache is; one that cannot be written costs time, not the job.

    Returns:
        All reviews, in the order of the source.

    Raises:
        InvalidData: the source cannot be read, or holds no reviews.
        Cancelled: a stop was requested while the source was read.
    """
    return _load(source, recipe, data_dir / "tokens")


@lru_cache(maxsize=1)
def _load(source: ReviewSource, recipe: Recipe, folder: Path) -> ReviewSet:
    reviews = _read_or_make(source, recipe, folder)
    # Only here, where the memory of the counted words is free again.
    return replace(reviews, tokens=reviews.tokens.aligned())


def _read_or_make(source: ReviewSource, recipe: Recipe, folder: Path) -> ReviewSet:
    path = folder / f"{recipe.key(source)}.npz"
    try:
        return ReviewSet.read(path)
    except (OSError, ValueError):
        made = _make(source, recipe)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made.write(path)
        newest_last = sorted(folder.glob("*.npz"), key=lambda cache: cache.stat().st_mtime)
        for old in newest_last[:-CACHES_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return made  # the data folder is read-only or full
    return made


def _make(source: ReviewSource, recipe: Recipe) -> ReviewSet:
    notes: list[str] = []
    known = recipe.vocabulary if isinstance(recipe.vocabulary, Vocabulary) else None
    collector = TokenCollector(recipe.length, known)
    labels, test, keys = bytearray(), bytearray(), bytearray()
    for review in source.read(notes.append):
        if review.label is None:
            raise ValueError(f"{source.name} was opened without labels")
        collector.add(review.text)
        labels.append(review.label)
        test.append(review.test)
        keys += hashlib.blake2b(review.text.encode(), digest_size=8).digest()
    if not labels:
        raise InvalidData(shown_path(source.name), expected="at least one review", given="none")
    made = ReviewSet(
        collector.tokens(),
        np.frombuffer(labels, np.uint8),
        np.frombuffer(test, np.bool_),
        np.frombuffer(keys, np.dtype("<u8")),
        known or Vocabulary(()),
        tuple(notes),
    )
    if not isinstance(recipe.vocabulary, Vocabulary):
        vocabulary = choose_vocabulary(made.tokens, collector.words, ~test_part(made), recipe.vocabulary)
        made = replace(made, vocabulary=vocabulary)
    return made


def test_part(reviews: ReviewSet) -> NDArray[np.bool_]:
    """Which reviews a training job never sees: the source's own test part, or else a fixed fifth of all.

    Returns:
        (reviews,), true for those.
    """
    if reviews.test.any():
        return reviews.test
    return _share(reviews, np.ones(len(reviews.labels), np.bool_), TEST_SHARE, _TEST_SALT)


def validation_part(reviews: ReviewSet, seed: int) -> NDArray[np.bool_]:
    """Which of the other reviews a training job only validates with: a tenth, a function of the seed.

    Args:
        reviews: all of them.
        seed: of the job.

    Returns:
        (reviews,), true for those.
    """
    salt = int(np.random.default_rng([seed, 1]).integers(2**63))
    return _share(reviews, ~test_part(reviews), VALIDATION_SHARE, salt)


def _share(reviews: ReviewSet, among: NDArray[np.bool_], share: float, salt: int) -> NDArray[np.bool_]:
    """The same share of each label of the reviews `among`: those with the smallest mixed keys."""
    mixed = _mixed(reviews.keys, salt)
    chosen = np.zeros(len(mixed), np.bool_)
    for label in range(len(LABEL_NAMES)):
        candidates = among & (reviews.labels == label)
        count = max(1, round(share * int(candidates.sum())))
        if candidates.any():
            largest = np.partition(mixed[candidates], count - 1)[count - 1]
            chosen |= candidates & (mixed <= largest)
    return chosen


def _mixed(keys: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """A bijection of 64-bit numbers that leaves no pattern (the finaliser of SplitMix64)."""
    mixed = keys + np.uint64(salt)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
