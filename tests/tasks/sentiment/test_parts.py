"""The parts that reviews are split into."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.settings import Settings
from worker.tasks.sentiment import datasets
from worker.tasks.sentiment.datasets import Recipe, load_reviews
from worker.tasks.sentiment.parts import split_by, test_part, training_part, validation_part
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.sources import open_reviews

test_part.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test by its name


def loaded(path: Path, folders: Settings, rows: list[str]) -> ReviewSet:
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    datasets._load.cache_clear()
    source = open_reviews(str(path), folders, labelled=True)
    return load_reviews(source, Recipe(8, 100), folders.data_dir)


def test_parts_hold_a_fifth_and_a_tenth_of_each_label_and_never_a_review_twice(
    tmp_path: Path, folders: Settings
) -> None:
    rows = [f"review number {number} film,{number % 2}" for number in range(2_000)]
    reviews = loaded(tmp_path / "a.csv", folders, rows)
    test, validation = test_part(reviews), validation_part(reviews, seed=0)
    assert not (test & validation).any()
    assert (training_part(reviews, seed=0) == ~(test | validation)).all()
    for label in (0, 1):
        assert int((test & (reviews.labels == label)).sum()) == 200
        assert int((validation & (reviews.labels == label)).sum()) == 80
    assert (test_part(reviews) == test).all()
    assert (validation_part(reviews, seed=0) == validation).all()
    assert (validation_part(reviews, seed=1) != validation).any()


def test_equal_texts_lie_on_one_side_and_the_order_of_lines_is_no_matter(
    tmp_path: Path, folders: Settings
) -> None:
    rows = [f"review {number // 3} film,{number // 3 % 2}" for number in range(3_000)]
    forward = loaded(tmp_path / "a.csv", folders, rows)
    backward = loaded(tmp_path / "b.csv", folders, rows[::-1])
    test = test_part(forward)
    assert all(len(set(test[first : first + 3].tolist())) == 1 for first in range(0, 3_000, 3))
    assert (test_part(backward)[::-1] == test).all()


@pytest.mark.parametrize(
    "twin",
    [
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace("  ", " \t "),
        lambda text: text.replace("é", "&eacute;"),
        lambda text: text.replace("é", "\\u00e9"),
    ],
    ids=["decomposed", "spaces", "entity", "escape"],
)
def test_texts_that_differ_in_their_encoding_alone_lie_on_one_side(
    tmp_path: Path, folders: Settings, twin: Callable[[str], str]
) -> None:
    texts = [f"été  number {number}" for number in range(200)]
    rows = [f"{text},{place % 2}" for place, text in enumerate([*texts, *map(twin, texts)])]
    reviews = loaded(tmp_path / "a.csv", folders, rows)
    for part in (test_part(reviews), validation_part(reviews, 0), training_part(reviews, 0)):
        assert (part[:200] == part[200:]).all()
        assert part.any()
    alone = loaded(tmp_path / "b.csv", folders, [f"{text},{place % 2}" for place, text in enumerate(texts)])
    assert (alone.digests == reviews.digests[200:]).all()


def test_a_text_with_both_labels_lies_on_one_side(tmp_path: Path, folders: Settings) -> None:
    rows = [f"film {number},pos" for number in range(300)] + [f"film {number},neg" for number in range(900)]
    reviews = loaded(tmp_path / "a.csv", folders, rows)
    for part in (test_part(reviews), validation_part(reviews, 0), training_part(reviews, 0)):
        assert not np.isin(reviews.keys[part], reviews.keys[~part]).any()


def test_a_text_that_occurs_a_thousand_times_leaves_reviews_for_each_part(
    tmp_path: Path, folders: Settings
) -> None:
    for favourite in range(5):
        different = [f"film {number},{label}" for label in ("pos", "neg") for number in range(favourite, 60)]
        rows = [f"film {favourite},pos"] * 1_000 + different
        reviews = loaded(tmp_path / "a.csv", folders, rows)
        for part in (test_part(reviews), validation_part(reviews, 0), training_part(reviews, 0)):
            assert set(reviews.labels[part].tolist()) == {0, 1}


def grouped(tmp_path: Path, folders: Settings, count: int = 50) -> ReviewSet:
    """2,000 reviews in groups of neighbours; the last 40 have the texts of the first 40."""
    rows = [f"review number {number % 1_960} film,{number % 2}" for number in range(2_000)]
    reviews = loaded(tmp_path / "a.csv", folders, rows)
    return replace(reviews, groups=np.arange(2_000) * count // 2_000)


def test_a_group_lies_on_one_side_and_a_part_has_one_of_each_ten_or_five(
    tmp_path: Path, folders: Settings
) -> None:
    reviews = grouped(tmp_path, folders)
    assert split_by(reviews) == "group"
    test, parts = test_part(reviews), set()
    assert set(np.diff(np.unique(reviews.groups[test]) // 5)) == {1}
    for seed in range(6):
        validation = validation_part(reviews, seed)
        assert not (test & validation).any()
        # Equal texts lie on one side as well, though they are of the first and the last group.
        assert (validation[:40] == validation[-40:]).all()
        alone = (reviews.groups > 0) & (reviews.groups < 49)
        for group in np.unique(reviews.groups[alone]):
            assert len(set(validation[reviews.groups == group].tolist())) == 1
        for label in (0, 1):
            rest = ~test & (reviews.labels == label)
            assert 0.09 < validation[rest].mean() < 0.13
        assert (validation_part(reviews, seed) == validation).all()
        parts.add(validation.tobytes())
    assert len(parts) == 6


def test_reviews_of_few_groups_or_some_without_one_are_split_by_their_texts(
    tmp_path: Path, folders: Settings
) -> None:
    reviews = grouped(tmp_path, folders)
    alone = replace(reviews, groups=np.full(2_000, -1))
    some = replace(reviews, groups=np.where(np.arange(2_000) == 7, -1, reviews.groups))
    few_of_a_label = replace(
        reviews, groups=np.where(reviews.labels == 1, reviews.groups % 19, reviews.groups)
    )
    for other in (alone, some, few_of_a_label):
        assert split_by(other) == "text"
        assert (validation_part(other, 3) == validation_part(alone, 3)).all()
        assert (test_part(other) == test_part(alone)).all()
