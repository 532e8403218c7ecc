"""The groups of films into which IMDB's training reviews fall."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from jobs.settings import Settings, read_settings
from tests.tasks.sentiment.jobs import write_reviews
from worker.tasks.sentiment.imdb_films import films_of
from worker.tasks.sentiment.sources import open_reviews


def groups_of(label: int) -> list[int | None]:
    return [films_of(f"{number}_{9 if label else 2}.txt", label) for number in range(12_500)]


def test_groups_follow_the_numbers_of_the_files_and_are_alike() -> None:
    for label, count in ((1, 30), (0, 50)):
        groups = np.array(groups_of(label), int)
        assert sorted(set(groups.tolist())) == list(range(count))
        assert (np.diff(groups) >= 0).all()
    positive, negative = (np.bincount(np.array(groups_of(label), int), minlength=50) for label in (1, 0))
    assert positive[:30].min() > 300
    assert positive[:30].max() < 550
    assert (positive + negative)[30:].min() > 350
    assert (positive + negative).max() < 700


@pytest.mark.parametrize("name", ["film.txt", "_9.txt", "²_9.txt", "-3_9.txt", "1.5_9.txt"])
def test_a_file_that_is_not_named_like_imdbs_has_no_group(name: str) -> None:
    assert films_of(name, 1) is None


def test_the_unpacked_folder_has_the_groups_whether_it_is_named_or_given_as_a_path(folders: Settings) -> None:
    root = folders.data_dir / "aclImdb"
    names = ["train/pos/0_9.txt", "train/pos/12499_9.txt", "train/neg/12499_1.txt", "test/pos/9_9.txt"]
    write_reviews(root, [(name, name.encode()) for name in [*names, "test/neg/1_1.txt"]])
    for data in ("imdb", str(root)):
        found = {
            review.text: review.group for review in open_reviews(data, folders, labelled=True).read(print)
        }
        assert [found[name] for name in names] == [0, 29, 49, None]


@pytest.mark.quality
def test_reviews_that_share_names_with_a_neighbour_are_in_one_group_with_it() -> None:
    """Names tell films: of 25 reviews at most, most of them of one film."""
    data = os.environ.get("QUARTET_TEST_DATA")
    if not data or not (Path(data) / "aclImdb.tar.gz").exists():
        pytest.skip("QUARTET_TEST_DATA names no folder with aclImdb.tar.gz")
    source = open_reviews("imdb", read_settings(data_dir=Path(data)), labelled=True)
    reviews = [review for review in source.read(lambda _: None) if not review.test]
    groups = np.array([review.group for review in reviews], int)
    labels = np.array([review.label for review in reviews])
    names = TfidfVectorizer(max_df=25, min_df=2, token_pattern=r"\b[A-Z][a-z]+\b", lowercase=False)
    shared = names.fit_transform(review.text for review in reviews)
    pairs = (shared @ shared.T).tocoo()
    one, other = (places[(pairs.data > 0.5) & (pairs.row < pairs.col)] for places in (pairs.row, pairs.col))
    same_label, apart = labels[one] == labels[other], np.abs(groups[one] - groups[other])
    for kind in (same_label, ~same_label):
        near = apart[kind & (apart <= 1)]
        assert len(near) > 1_000
        assert (near == 0).mean() > 0.95  # of groups that tell nothing of films, a third
    assert (apart[~same_label] == 0).mean() > 0.3  # one in thirty; others share names by chance
