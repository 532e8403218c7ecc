"""The parts of a set of reviews: for testing, for validation, and to learn from.

Reviews of one film share its names and much of its viewers' mind. Where the network learned from some of
them, its scores of the others are not those that it gives reviews of an unknown film, and a threshold chosen
by such scores does not hold. So where a source tells groups of reviews, as IMDB does, whole groups are for
validation, and for testing where the source does not say. Elsewhere a checksum of each text decides. In both
cases equal texts are never on both sides, and the order of the reviews has no effect.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.reviews import LABEL_NAMES

TEST_SHARE = 0.2
"""Of the different reviews of a source without a test part."""

VALIDATION_SHARE = 0.1
"""Of the different reviews that are not for testing."""

FEWEST_GROUPS = 20
"""Of each label, for a split by groups."""

SplitBy = Literal["group", "text"]

_TEST_SALT = 0x5EED


def split_by(reviews: ReviewSet) -> SplitBy:
    """What a training job keeps together: groups, where all reviews have one and each label has enough."""
    groups = [reviews.groups[~reviews.test & (reviews.labels == label)] for label in range(len(LABEL_NAMES))]
    is_grouped = all((of >= 0).all() and len(np.unique(of)) >= FEWEST_GROUPS for of in groups)
    return "group" if is_grouped else "text"


def test_part(reviews: ReviewSet) -> NDArray[np.bool_]:
    """Which reviews a training job never sees: the source's own test part, or else a fifth.

    Returns:
        (reviews,), true for those.
    """
    if reviews.test.any():
        return reviews.test
    return _part(reviews, np.ones(len(reviews.labels), np.bool_), TEST_SHARE, _TEST_SALT)


def training_part(reviews: ReviewSet, seed: int) -> NDArray[np.bool_]:
    """Which reviews a training job learns from: all that are for neither testing nor validation.

    Args:
        reviews: all of them.
        seed: of the job.

    Returns:
        (reviews,), true for those.
    """
    return ~test_part(reviews) & ~validation_part(reviews, seed)


def validation_part(reviews: ReviewSet, seed: int) -> NDArray[np.bool_]:
    """Which of the other reviews a training job only validates with: a tenth, a function of the seed.

    Args:
        reviews: all of them.
        seed: of the job.

    Returns:
        (reviews,), true for those.
    """
    salt = int(np.random.default_rng([seed, 1]).integers(2**63))
    return _part(reviews, ~test_part(reviews), VALIDATION_SHARE, salt)


def without_copies(reviews: ReviewSet, part: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The places of a part's reviews, of those with one text and label the first alone.

    Copies are no further evidence: an interval or a bound that counted them would be too narrow.

    Args:
        reviews: all of them.
        part: (reviews,), true for those of the part.

    Returns:
        int64, ascending.
    """
    places = np.flatnonzero(part)
    # Neither half of a checksum's bits says anything alone, so that one makes room for the label.
    texts_and_labels = reviews.digests[places] << np.uint64(1) | reviews.labels[places]
    _, first = np.unique(texts_and_labels, return_index=True)
    different: NDArray[np.int64] = places[np.sort(first)]
    return different


def _part(reviews: ReviewSet, among: NDArray[np.bool_], share: float, salt: int) -> NDArray[np.bool_]:
    if split_by(reviews) == "group":
        return _groups(reviews, among, share, salt)
    return _share(reviews, among, share, salt)


def _groups(reviews: ReviewSet, among: NDArray[np.bool_], share: float, salt: int) -> NDArray[np.bool_]:
    """One group `among` all of each so many neighbouring ones, which have about as many of each label."""
    together = round(1 / share)
    groups = np.unique(reviews.groups[among])
    neighbours = groups[: len(groups) // together * together].reshape(-1, together)
    drawn = np.random.default_rng(salt).integers(together, size=len(neighbours))
    chosen = among & np.isin(reviews.groups, neighbours[np.arange(len(neighbours)), drawn])
    # A text that occurs in another group as well lies on one side.
    return among & np.isin(reviews.keys, reviews.keys[chosen])


def _share(reviews: ReviewSet, among: NDArray[np.bool_], share: float, salt: int) -> NDArray[np.bool_]:
    """The same share of the different reviews `among` all of each label: the smallest mixed keys."""
    mixed = _mixed(reviews.keys, salt)
    chosen = np.zeros(len(mixed), np.bool_)
    for label in range(len(LABEL_NAMES)):
        candidates = among & (reviews.labels == label)
        if candidates.any():
            different = np.unique(mixed[candidates])
            largest = different[max(1, round(share * len(different))) - 1]
            chosen |= candidates & (mixed <= largest)
    # A text that occurs with both labels lies on one side as well.
    return among & np.isin(mixed, mixed[chosen])


def _mixed(keys: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """A bijection of 64-bit numbers that leaves no pattern (the finaliser of SplitMix64)."""
    mixed = keys + np.uint64(salt)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
