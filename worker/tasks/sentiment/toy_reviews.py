"""Short reviews made by a grammar, to try things out without a download.

They say nothing about real text: a handful of words decides nearly all of them. They are not quite trivial,
since a word may be negated, a review may hold a remark of the other kind, and the remark after `but` counts.
"""

import hashlib
import random
from collections.abc import Iterator

from worker.tasks.sentiment.reviews import Note, Review

TRAIN_REVIEWS = 3_000
TEST_REVIEWS = 1_000

NOTE = "These reviews are made by a grammar; results on them say nothing about real text."

_SUBJECTS = (
    "the acting", "the plot", "the dialogue", "the camera work", "the music", "the ending", "the cast",
    "the pacing", "the script", "the lead", "the humour", "the whole film", "the second half",
    "the director's hand",
)  # fmt: skip
_PRAISE = (
    "wonderful", "moving", "clever", "gripping", "charming", "superb", "fresh", "delightful", "honest",
    "brilliant", "touching", "inventive",
)  # fmt: skip
_BLAME = (
    "dull", "clumsy", "tedious", "shallow", "awful", "lifeless", "predictable", "annoying", "wooden", "messy",
    "pointless", "stale",
)  # fmt: skip
_DEGREES = ("", "", "really ", "quite ", "truly ", "often ", "rather ")
_NEUTRAL = (
    "I saw it on a rainy Sunday.", "It runs for about two hours.", "My brother had the tickets.",
    "It is set in a small harbour town.", "The story follows two sisters and a letter.",
    "I had read the book years ago.", "There were perhaps ten people in the cinema.",
    "It was made on a small budget.", "The titles are in blue.", "We watched it with subtitles.",
)  # fmt: skip
_VERDICTS = (
    ("I did not want it to end.", "I would see it again.", "Do not miss it.", "It stays with you for days."),
    (
        "I could not wait for it to end.",
        "I would not see it again.",
        "Do not bother.",
        "It is two hours lost.",
    ),
)


def sha256() -> str:
    """The SHA-256 of all the reviews: a change of the grammar changes the data."""
    digest = hashlib.sha256()
    for review in _reviews():
        digest.update(f"{review.test} {review.label} {review.text}\n".encode())
    return digest.hexdigest()


def read_toy_reviews(note: Note) -> Iterator[Review]:
    """Yield the reviews, positive and negative in turn, always the same, no text twice."""
    note(NOTE)
    yield from _reviews()


def _reviews() -> Iterator[Review]:
    rng = random.Random("toy-reviews")
    seen: set[str] = set()
    while len(seen) < TRAIN_REVIEWS + TEST_REVIEWS:
        label = 1 - len(seen) % 2
        text = _review(rng, positive=label == 1)
        if text not in seen:
            yield Review(text, label, test=len(seen) >= TRAIN_REVIEWS)
            seen.add(text)


def _review(rng: random.Random, *, positive: bool) -> str:
    sentences = [_remark(rng, positive=positive) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        sentences.append(_turn(rng, positive=positive))
    if rng.random() < 0.5:
        sentences.append(rng.choice(_VERDICTS[0 if positive else 1]))
    sentences += rng.sample(_NEUTRAL, rng.randint(1, 4))
    rng.shuffle(sentences)
    return " ".join(sentences)


def _remark(rng: random.Random, *, positive: bool) -> str:
    return f"{_clause(rng, positive=positive).capitalize()}."


def _turn(rng: random.Random, *, positive: bool) -> str:
    """Two remarks that disagree; the second one counts."""
    first, second = _clause(rng, positive=not positive), _clause(rng, positive=positive)
    return f"{first.capitalize()}, but {second}."


def _clause(rng: random.Random, *, positive: bool) -> str:
    negated = rng.random() < 0.25
    word = rng.choice(_PRAISE if positive is not negated else _BLAME)
    return f"{rng.choice(_SUBJECTS)} is {'not ' if negated else ''}{rng.choice(_DEGREES)}{word}"
