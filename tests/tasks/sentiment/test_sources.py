"""Where reviews come from, and the ones that are made here."""

import threading

import pytest

from jobs.errors import Cancelled
from jobs.models import datasets
from jobs.settings import Settings
from worker.tasks.sentiment import toy_reviews
from worker.tasks.sentiment.sources import open_reviews


def test_reading_stops_on_request(folders: Settings) -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled("a stop was requested")

    reviews = open_reviews("toy-reviews", folders, labelled=True, check_stop=check).read(lambda _: None)
    next(reviews)
    stop.set()
    with pytest.raises(Cancelled):
        list(reviews)


def test_the_toy_reviews_are_always_the_same_and_say_what_they_are() -> None:
    notes: list[str] = []
    reviews = list(toy_reviews.read_toy_reviews(notes.append))
    assert notes == ["These reviews are made by a grammar; results on them say nothing about real text."]
    assert len({review.text for review in reviews}) == len(reviews) == 4_000
    assert sum(review.test for review in reviews) == 1_000
    assert sum(review.label or 0 for review in reviews) == 2_000
    assert toy_reviews.sha256() == "72aa0db6fa28ac391c965713c38ce235a151a91d4e11090ae4ce645192eff654"
    assert datasets()["toy-reviews"].offline
