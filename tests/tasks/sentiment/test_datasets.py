"""The parts that reviews are split into, and the cache of tokenised reviews."""

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings, read_settings
from tests.tasks.sentiment.jobs import Evil
from worker.tasks.sentiment import datasets
from worker.tasks.sentiment.datasets import Recipe, ReviewSet, load_reviews, test_part, validation_part
from worker.tasks.sentiment.reviews import ReviewSource
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokens import ALIGNMENT, Vocabulary

test_part.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test by its name


def csv_of(path: Path, count: int, start: int = 0) -> Path:
    rows = [f"review number {number} film,{number % 2}" for number in range(start, count)]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def loaded(path: Path, folders: Settings, recipe: Recipe | None = None) -> ReviewSet:
    datasets._load.cache_clear()
    source = open_reviews(str(path), folders, labelled=True)
    return load_reviews(source, recipe or Recipe(8, 100), folders.data_dir)


def test_parts_hold_a_fifth_and_a_tenth_of_each_label_and_never_a_review_twice(
    tmp_path: Path, folders: Settings
) -> None:
    reviews = loaded(csv_of(tmp_path / "a.csv", 2_000), folders)
    test, validation = test_part(reviews), validation_part(reviews, seed=0)
    assert not (test & validation).any()
    for label in (0, 1):
        assert int((test & (reviews.labels == label)).sum()) == 200
        assert int((validation & (reviews.labels == label)).sum()) == 80
    assert (test_part(reviews) == test).all()
    assert (validation_part(reviews, seed=0) == validation).all()
    assert (validation_part(reviews, seed=1) != validation).any()


def test_equal_texts_lie_on_one_side_and_the_order_of_lines_is_no_matter(
    tmp_path: Path, folders: Settings
) -> None:
    lines = [f"review {number // 3} film,{number // 3 % 2}" for number in range(3_000)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
    (tmp_path / "b.csv").write_text("\n".join(["text,label", *reversed(lines)]))
    forward, backward = loaded(tmp_path / "a.csv", folders), loaded(tmp_path / "b.csv", folders)
    test = test_part(forward)
    assert all(len(set(test[first : first + 3].tolist())) == 1 for first in range(0, 3_000, 3))
    assert (test_part(backward)[::-1] == test).all()


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
    loaded(path, folders, Recipe(8, 99))
    loaded(path, folders, Recipe(8, Vocabulary(("film",))))
    csv_of(path, 51)
    loaded(path, folders)
    monkeypatch.setattr(datasets, "TOKENISER", 2)
    loaded(path, folders)
    assert len(made) == 6
    assert len(list((folders.data_dir / "tokens").iterdir())) == 6


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
    blocked = read_settings(data_dir=tmp_path / "file")
    assert len(loaded(tmp_path / "a.csv", blocked).labels) == 34


def test_a_file_without_reviews_gets_one_sentence(tmp_path: Path, folders: Settings) -> None:
    (tmp_path / "a.csv").write_text("text,label\n")
    with pytest.raises(InvalidData, match="expected at least one review, got none"):
        loaded(tmp_path / "a.csv", folders)
