"""Short reviews made by a grammar, for trying things out without a download.

They are no evidence about real text: a handful of words decides nearly all of them. What keeps
them from being trivial is that a word may be negated, that a review may hold a remark of the other
kind, and that the remark after `but` is the one that counts.
"""

import hashlib
import random
from collections.abc import Iterator

from worker.data.reviews import Note, Review

TRAIN_REVIEWS = 3_000
TEST_REVIEWS = 1_000

NOTE = "These reviews were made by a grammar; they are no evidence about real text"

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
    """The SHA-256 of all the reviews, so that a change of the grammar is a change of the data."""
    digest = hashlib.sha256()
    for review in _reviews():
        digest.update(f"{review.test} {review.label} {review.text}\n".encode())
    return digest.hexdigest()


def read_toy_reviews(note: Note) -> Iterator[Review]:
    """Yield the reviews, positive and negative in turn, the same ones always, no text twice."""
    note(NOTE)
    yield from _reviews()


def _reviews() -> Iterator[Review]:
    chance = random.Random("toy-reviews")
    seen: set[str] = set()
    while len(seen) < TRAIN_REVIEWS + TEST_REVIEWS:
        label = 1 - len(seen) % 2
        text = _review(chance, positive=label == 1)
        if text not in seen:
            yield Review(text, label, test=len(seen) >= TRAIN_REVIEWS)
            seen.add(text)


def _review(chance: random.Random, *, positive: bool) -> str:
    sentences = [_remark(chance, positive=positive) for _ in range(chance.randint(1, 3))]
    if chance.random() < 0.3:
        sentences.append(_turn(chance, positive=positive))
    if chance.random() < 0.5:
        sentences.append(chance.choice(_VERDICTS[0 if positive else 1]))
    sentences += chance.sample(_NEUTRAL, chance.randint(1, 4))
    chance.shuffle(sentences)
    return " ".join(sentences)


def _remark(chance: random.Random, *, positive: bool) -> str:
    return f"{_clause(chance, positive=positive).capitalize()}."


def _turn(chance: random.Random, *, positive: bool) -> str:
    """Two remarks that disagree: the second counts."""
    first, second = _clause(chance, positive=not positive), _clause(chance, positive=positive)
    return f"{first.capitalize()}, but {second}."


def _clause(chance: random.Random, *, positive: bool) -> str:
    negated = chance.random() < 0.25
    word = chance.choice(_PRAISE if positive is not negated else _BLAME)
    return f"{chance.choice(_SUBJECTS)} is {'not ' if negated else ''}{chance.choice(_DEGREES)}{word}"
