"""Reads reviews as token ids, with a cache in the data folder.

A cache is a plain `.npz` without pickles, named by a checksum of all that it depends on; a damaged one is
made again. The process keeps the latest in memory as well. Where no vocabulary is given, the cache has all
words: which of them a training job knows depends on its seed, since its validation reviews are not counted.

Reading a million reviews from a CSV of 461 MB and training on them takes 2.5 times that size, on top of the
0.6 GB that TensorFlow itself takes.
"""

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import DamagedFolder, InvalidData
from jobs.wording import counted
from worker.tasks.sentiment.meant_text import note_on_encoded
from worker.tasks.sentiment.parts import training_part
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.reviews import ReviewSource, digest_bytes
from worker.tasks.sentiment.token_block import blocks_of
from worker.tasks.sentiment.tokens import TokenCollector
from worker.tasks.sentiment.vocabulary import TOKENISER, Vocabulary
from worker.tasks.sentiment.vocabulary_choice import choose_vocabulary
from worker.training.seen_examples import Digests, digests_of

CACHES_KEPT = 16

_FORMAT = 4


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
        """A SHA-256 of all that the cached reviews depend on."""
        words = self.vocabulary.digest if isinstance(self.vocabulary, Vocabulary) else None
        parts = [
            _FORMAT,
            TOKENISER,
            source.sha256,
            astuple(source.options),
            source.path.name if source.path else source.name,
            self.length,
            words,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def load_reviews(source: ReviewSource, recipe: Recipe, data_dir: Path, seed: int = 0) -> ReviewSet:
    """Load the reviews of a source as token ids: from memory, from the cache, or from the source itself.

    Args:
        source: of labelled reviews.
        recipe: how they become ids.
        data_dir: the data folder, where the cache is; one that cannot be written costs time, not the job.
        seed: of the training job that a vocabulary is made for, which chooses its training reviews.

    Returns:
        All reviews, in the order of the source.

    Raises:
        InvalidData: the source cannot be read, or holds no reviews.
        Cancelled: a stop was requested while the source was read.
    """
    depends_on_seed = not isinstance(recipe.vocabulary, Vocabulary)
    return _load(source, recipe, data_dir / "tokens", seed if depends_on_seed else 0)


@lru_cache(maxsize=1)
def _load(source: ReviewSource, recipe: Recipe, folder: Path, seed: int) -> ReviewSet:
    reviews = _read_or_make(source, recipe, folder)
    if not isinstance(recipe.vocabulary, Vocabulary):
        reviews = _with_vocabulary(reviews, recipe.vocabulary, seed)
    # Only here, where the memory of the counted words is free again.
    return replace(reviews, tokens=reviews.tokens.aligned())


def _with_vocabulary(reviews: ReviewSet, size: int, seed: int) -> ReviewSet:
    """Reviews whose ids are places among all words, with those of the words that a training job will know."""
    training = training_part(reviews, seed)
    vocabulary = choose_vocabulary(reviews.tokens, reviews.vocabulary.words, training, size)
    return replace(reviews, vocabulary=vocabulary)


def _read_or_make(source: ReviewSource, recipe: Recipe, folder: Path) -> ReviewSet:
    path = folder / f"{recipe.key(source)}.npz"
    try:
        return ReviewSet.read(path)
    except (OSError, DamagedFolder):
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
    labels, test, checksums, groups = bytearray(), bytearray(), bytearray(), array("q")

    def read_texts() -> Iterator[str]:
        for review in source.read(notes.append):
            if review.label is None:
                raise ValueError(f"{source.name} was opened without labels")
            labels.append(review.label)
            test.append(review.test)
            groups.append(-1 if review.group is None else review.group)
            yield review.text

    def collected() -> Iterator[bytes]:
        for texts in blocks_of(read_texts()):
            collector.add_all(texts)
            for text in texts:
                checksums.extend(hashlib.blake2b(text.encode(), digest_size=8).digest())
                yield digest_bytes(text)

    digests = digests_of(collected())
    if not labels:
        raise InvalidData(shown_path(source.name), expected="at least one review", given="none")
    if collector.encoded:
        notes.append(note_on_encoded(collector.encoded))
    if contrary := _contrary(digests, np.frombuffer(labels, np.uint8)):
        texts = counted(contrary, "text appears", "texts appear")
        notes.append(f"{texts} with both labels, as positive here and as negative there.")
    return ReviewSet(
        collector.tokens(),
        np.frombuffer(labels, np.uint8),
        np.frombuffer(test, np.bool_),
        _keys(np.frombuffer(checksums, np.dtype("<u8")), digests),
        digests,
        np.frombuffer(groups, np.int64),
        known or Vocabulary(tuple(collector.words)),
        tuple(notes),
    )


def _keys(checksums: NDArray[np.uint64], digests: Digests) -> NDArray[np.uint64]:
    """The smallest checksum of all texts with the same digest: a text that has no twin keeps its own."""
    different, group = np.unique(digests, return_inverse=True)
    smallest = np.full(len(different), np.iinfo(np.uint64).max)
    np.minimum.at(smallest, group, checksums)
    return smallest[group]


def _contrary(digests: Digests, labels: NDArray[np.uint8]) -> int:
    """How many texts occur with both labels."""
    different, text = np.unique(digests, return_inverse=True)
    has = [np.zeros(len(different), np.bool_) for _ in range(2)]
    for label, of_label in enumerate(has):
        of_label[text[labels == label]] = True
    return int((has[0] & has[1]).sum())
