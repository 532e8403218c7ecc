"""The cache of tokenised reviews, and the vocabulary that is made of them."""

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings
from tests.tasks.sentiment.jobs import Evil
from worker.tasks.sentiment import datasets
from worker.tasks.sentiment.datasets import Recipe, load_reviews
from worker.tasks.sentiment.parts import training_part
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.reviews import ReviewSource
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokens import ALIGNMENT
from worker.tasks.sentiment.vocabulary import Vocabulary


def csv_of(path: Path, count: int, start: int = 0) -> Path:
    rows = [f"review number {number} film,{number % 2}" for number in range(start, count)]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def loaded(path: Path, folders: Settings, recipe: Recipe | None = None, seed: int = 0) -> ReviewSet:
    datasets._load.cache_clear()
    source = open_reviews(str(path), folders, labelled=True)
    return load_reviews(source, recipe or Recipe(8, 100), folders.data_dir, seed)


def test_tokenised_reviews_are_cached_and_made_again_when_what_they_depend_on_changes(
    tmp_path: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = datasets._make

    def counted_make(source: ReviewSource, recipe: Recipe) -> ReviewSet:
        made.append(source.name)
        return make(source, recipe)

    monkeypatch.setattr(datasets, "_make", counted_make)
    path = csv_of(tmp_path / "a.csv", 50)
    first = loaded(path, folders)
    again = loaded(path, folders)
    assert len(made) == 1
    assert again.vocabulary == first.vocabulary
    assert (again.tokens.ids == first.tokens.ids).all()
    assert first.tokens.ids.ctypes.data % ALIGNMENT == again.tokens.ids.ctypes.data % ALIGNMENT == 0
    assert (again.keys == first.keys).all()
    loaded(path, folders, Recipe(7, 100))
    loaded(path, folders, Recipe(8, 99))  # another choice among the same words
    loaded(path, folders, Recipe(8, Vocabulary(("film",))))
    csv_of(path, 51)
    loaded(path, folders)
    monkeypatch.setattr(datasets, "TOKENISER", 99)
    loaded(path, folders)
    assert len(made) == 5
    assert len(list((folders.data_dir / "tokens").iterdir())) == 5


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"x" * 1_000])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, folders: Settings, damage: bytes) -> None:
    path = csv_of(tmp_path / "a.csv", 50)
    first = loaded(path, folders)
    (cache,) = (folders.data_dir / "tokens").iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(damage)
    assert (loaded(path, folders).tokens.ids == first.tokens.ids).all()
    assert cache.read_bytes() == whole
    cache.write_bytes(whole[: len(whole) // 2])
    assert (loaded(path, folders).tokens.ids == first.tokens.ids).all()


def test_a_cache_with_pickles_is_not_opened(tmp_path: Path, folders: Settings) -> None:
    path = csv_of(tmp_path / "a.csv", 50)
    loaded(path, folders)
    (cache,) = (folders.data_dir / "tokens").iterdir()
    np.savez(cache, numbers=np.array([Evil()], object))
    loaded(path, folders)
    assert not (tmp_path / "owned").exists()


def test_old_caches_go_and_a_folder_that_cannot_be_written_costs_nothing(
    tmp_path: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "CACHES_KEPT", 2)
    for count in range(30, 35):
        loaded(csv_of(tmp_path / "a.csv", count), folders)
    assert len(list((folders.data_dir / "tokens").iterdir())) == 2
    (tmp_path / "file").write_text("in the way")
    blocked = folders.model_copy(update={"data_dir": tmp_path / "file"})
    assert len(loaded(tmp_path / "a.csv", blocked).labels) == 34


def test_a_file_without_reviews_gets_one_sentence(tmp_path: Path, folders: Settings) -> None:
    (tmp_path / "a.csv").write_text("text,label\n")
    with pytest.raises(InvalidData, match="expected at least one review, got none"):
        loaded(tmp_path / "a.csv", folders)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_vocabulary_is_counted_in_the_training_reviews_alone(
    tmp_path: Path, folders: Settings, seed: int
) -> None:
    rows = [f"film w{number} w{number},{number % 2}" for number in range(300)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    reviews = loaded(tmp_path / "a.csv", folders, Recipe(8, 1_000), seed)
    learned = np.flatnonzero(training_part(reviews, seed))
    assert len(learned) < 240
    assert set(reviews.vocabulary.words) == {"film", *(f"w{number}" for number in learned)}
    shown = [[reviews.vocabulary.shown(token) for token in reviews.tokens.of(place)] for place in learned]
    assert shown == [["film", f"w{number}", f"w{number}"] for number in learned]


def test_what_a_model_does_not_read_of_a_review_is_not_counted(tmp_path: Path, folders: Settings) -> None:
    rows = [f"early early n{number} late film,{number % 2}" for number in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    assert loaded(tmp_path / "a.csv", folders, Recipe(2, 100)).vocabulary.words == ("late", "film")


def test_reviews_with_entities_or_escapes_are_counted_in_a_note(tmp_path: Path, folders: Settings) -> None:
    rows = ["Tom &amp; Jerry,pos", "good\\nfilm,pos", "plain,neg", "AT&T,neg"]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    for _ in ("read", "from the cache"):
        assert loaded(tmp_path / "a.csv", folders).notes == (
            "2 reviews have HTML entities or backslash escapes, such as &amp; or \\n: they are read as the "
            "characters that they stand for.",
        )
