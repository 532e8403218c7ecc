"""What a training job learns from, and which reviews an evaluation measures by."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import SOURCE
from worker.context import JobContext
from worker.tasks.sentiment.datasets import Recipe
from worker.tasks.sentiment.job_data import load_set, open_source
from worker.tasks.sentiment.parts import test_part, training_part, validation_part
from worker.tasks.sentiment.split import reviews_to_measure_by, split_for_training
from worker.training.seen_examples import seen_before, validated_before

test_part.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test by its name


def in_folders(root: Path) -> Path:
    """300 training reviews of each label; 100 test reviews of each, of which 60 are training reviews."""
    for label in ("pos", "neg"):
        for part, numbers in (("train", range(300)), ("test", [*range(0, 300, 5), *range(300, 340)])):
            folder = root / part / label
            folder.mkdir(parents=True)
            for number in numbers:
                # As IMDB's files are named and numbered, from its first film to its last one.
                (folder / f"{number * 41}_7.txt").write_text(f"{label} film number {number}")
    return root


@pytest.mark.parametrize(
    ("name", "seed", "split_by", "is_of_version_0_1"),
    [
        ("own", 0, "text", False),
        ("own", 7, "text", False),
        ("aclImdb", 0, "group", False),
        ("aclImdb", 3, "group", False),
        ("aclImdb", 0, "text", True),
    ],
)
def test_reviews_that_chose_the_epoch_are_told_from_those_that_were_learned(
    tmp_path: Path, folders: Settings, name: str, seed: int, split_by: str, is_of_version_0_1: bool
) -> None:
    own = in_folders(tmp_path / name)
    spec = JobSpec.make("sentiment", "train", data=str(own), seed=seed)
    training = JobContext(spec=spec, folder=tmp_path / "train", settings=folders)
    training.folder.mkdir()
    source = open_source(training, str(own))
    reviews = load_set(training, source, Recipe(9, 100))
    if is_of_version_0_1:
        reviews = replace(reviews, groups=np.full_like(reviews.groups, -1))
    split = split_for_training(training, source, reviews)
    assert training.data[str(own)]["split_by"] == split_by
    if is_of_version_0_1:
        del training.data[str(own)]["split_by"]
        grouped = load_set(training, source, Recipe(9, 100))
    job = {"spec": spec.model_dump(mode="json"), "data": training.data}
    write_json(training.folder / "job.json", job)

    evaluation = JobContext(
        spec=JobSpec.make("sentiment", "evaluate", **{"from": SOURCE}),
        folder=tmp_path / "evaluate",
        settings=folders,
        sources={"from": JobFolder(training.folder)},
    )
    open_source(evaluation, str(own))
    places = reviews_to_measure_by(evaluation, source, grouped if is_of_version_0_1 else reviews)
    test, validation = test_part(reviews), validation_part(reviews, seed)
    assert places.tolist() == np.flatnonzero(test).tolist()
    assert set(split.training.tolist()) == set(np.flatnonzero(training_part(reviews, seed)).tolist())

    validated = int(np.isin(reviews.digests[places], reviews.digests[validation]).sum())
    seen, validates = (
        of(evaluation.source, reviews.digests[places]) for of in (seen_before, validated_before)
    )
    assert seen is not None
    assert validates is not None
    assert 0 < validated < 120
    assert int(seen.sum()) + int(validates.sum()) == 120
    assert int(validates.sum()) == validated


def test_copies_of_a_review_are_learned_but_neither_validate_nor_are_measured(
    tmp_path: Path, folders: Settings
) -> None:
    alone = [f"film number {number},{label}" for label in ("pos", "neg") for number in range(200)]
    both = ["film number 7,neg"] * 3  # of the same text with the other label the first
    splits = {}
    for name, rows in (("once", alone), ("thrice", [*alone, *both, *alone, *reversed(alone)])):
        own = tmp_path / f"{name}.csv"
        own.write_text("\n".join(["text,label", *rows]))
        spec = JobSpec.make("sentiment", "train", data=str(own))
        training = JobContext(spec=spec, folder=tmp_path / name, settings=folders)
        training.folder.mkdir()
        source = open_source(training, str(own))
        reviews = load_set(training, source, Recipe(9, 100))
        split = split_for_training(training, source, reviews)
        job = {"spec": spec.model_dump(mode="json"), "data": training.data}
        write_json(training.folder / "job.json", job)
        training.sources = {"from": JobFolder(training.folder)}
        places = reviews_to_measure_by(training, source, reviews)
        splits[name] = len(split.training), split.validation.tolist(), places.tolist(), training.notes
    learned, validation, test, notes = splits["once"]
    assert not [note for note in notes if "repeat" in note]
    assert splits["thrice"][1:3] == (validation, test)
    assert splits["thrice"][0] >= 3 * learned
    copies = [note for note in splits["thrice"][3] if "repeat" in note]
    assert copies == [
        f"{2 * len(part):,} of the {3 * len(part)} {name} reviews repeat the text and label of another one: each "
        "text is measured once."
        for name, part in (("validation", validation), ("test", test))
    ]
