"""How the options of a person's own file reach a job, and the jobs with its model."""

from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidJob
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import SOURCE
from worker.context import JobContext
from worker.tasks.sentiment import datasets
from worker.tasks.sentiment.datasets import Recipe
from worker.tasks.sentiment.file_options import NO_OPTIONS, FileOptions
from worker.tasks.sentiment.job_data import load_set, open_source, options_for
from worker.tasks.sentiment.parts import test_part
from worker.tasks.sentiment.split import reviews_to_measure_by, split_for_training

test_part.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test by its name

OPTIONS: dict[str, Any] = {
    "text_column": "Text",
    "label_column": "Score",
    "positive": "4, 5",
    "negative": [1, "2"],
    "on_bad_row": "skip",
}
AS_READ = FileOptions("Text", "Score", ("4", "5"), ("1", "2"), skip=True)


def rated(path: Path) -> str:
    """100 reviews of each number of stars, and a row that is none."""
    rows = "".join(f"{n % 5 + 1},film number {n}\n" for n in range(500))
    path.write_text(f"Score,Text\n{rows}so\n")
    return str(path)


def trained(folder: Path, settings: Settings, data: str, **options: Any) -> JobFolder:
    """A training job that has split its data."""
    spec = JobSpec.make("sentiment", "train", data=data, parameters=options)
    context = JobContext(spec=spec, folder=folder, settings=settings)
    folder.mkdir()
    source = open_source(context, data)
    split_for_training(context, source, load_set(context, source, Recipe(9, 100)))
    record = {"spec": spec.model_dump(mode="json"), "data": context.data, "notes": context.notes}
    write_json(folder / "job.json", record)
    return JobFolder(folder)


def evaluation(source: JobFolder, settings: Settings, data: str | None, **options: Any) -> JobContext:
    spec = JobSpec.make("sentiment", "evaluate", data=data, parameters=options, **{"from": SOURCE})
    folder = source.path.with_name("evaluated")
    return JobContext(spec=spec, folder=folder, settings=settings, sources={"from": source})


def test_options_are_given_as_people_write_them() -> None:
    spec = JobSpec.make("sentiment", "train", data="/a.csv", parameters=OPTIONS)
    assert FileOptions.of(dict(spec.parameters)) == AS_READ
    stored = spec.model_dump(mode="json")["parameters"]
    assert FileOptions.of(stored) == AS_READ
    assert (
        FileOptions.of({})
        == NO_OPTIONS
        == FileOptions.of(dict(JobSpec.make("sentiment", "train").parameters))
    )


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        ("/a.csv", {"positive": "5"}, "negative: expected labels, since --positive has some, got none"),
        ("/a.csv", {"negative": "1"}, "positive: expected labels, since --negative has some, got none"),
        ("/a.csv", {"positive": "Pos,x", "negative": "y,pos"}, "negative: expected labels that --positive does not have, got 'pos'"),
        ("/a.csv", {"positive": "4,,5", "negative": "1"}, "positive: expected "),
        (None, {"text_column": "x"}, "text_column: expected --data with a file of your own beside it, got none"),
        ("imdb", {"label_column": "x"}, "label_column: expected --data with a file of your own beside it, got 'imdb'"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused(
    data: str | None, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidJob) as caught:
        JobSpec.make("sentiment", "train", data=data, parameters=options)
    assert str(caught.value).startswith(sentence)


def test_a_job_reads_the_data_of_its_training_job_as_that_did(tmp_path: Path, folders: Settings) -> None:
    data = rated(tmp_path / "a.csv")
    source = trained(tmp_path / "trained", folders, data, **OPTIONS)
    (record,) = source.job["data"].values()
    assert "text_column" not in record  # since its name is usual
    assert (record["label_column"], record["positive"], record["negative"]) == ("Score", "4, 5", "1, 2")
    assert record["reviews"] == 400
    assert "a.csv: left out 100 reviews with other labels: 3 (100)." in source.job["notes"]
    own = evaluation(source, folders, None)
    assert options_for(own) == AS_READ
    assert options_for(evaluation(source, folders, data)) == NO_OPTIONS
    assert options_for(evaluation(source, folders, data, **OPTIONS)) == AS_READ


@pytest.mark.parametrize(
    ("options", "is_same"),
    [
        (OPTIONS, True),
        ({"on_bad_row": "skip"}, True),  # the same columns and stars, guessed
        (OPTIONS | {"positive": "5"}, False),
        (OPTIONS | {"negative": "1,2,3"}, False),
    ],
)
def test_reviews_that_a_model_was_trained_on_are_known_by_file_and_labels(
    tmp_path: Path, folders: Settings, options: dict[str, Any], is_same: bool
) -> None:
    data = rated(tmp_path / "a.csv")
    source = trained(tmp_path / "trained", folders, data, **OPTIONS)
    context = evaluation(source, folders, data, **options)
    reviews = load_set(context, found := open_source(context, data), Recipe(9, 100))
    places = reviews_to_measure_by(context, found, reviews)
    assert len(places) == (test_part(reviews).sum() if is_same else len(reviews.labels))
    other = "The model was trained on this file with other columns or labels. Every review of it is measured."
    assert (other in context.notes) is not is_same


def test_a_cache_is_that_of_the_same_options(tmp_path: Path, folders: Settings) -> None:
    data = rated(tmp_path / "a.csv")
    counts = []
    for number, positive in enumerate(("4,5", "5", "4,5")):
        datasets._load.cache_clear()
        source = trained(tmp_path / str(number), folders, data, **OPTIONS | {"positive": positive})
        counts += [record["reviews"] for record in source.job["data"].values()]
    assert counts == [400, 300, 400]
    assert len(list((folders.data_dir / "tokens").iterdir())) == 2


def test_texts_with_both_labels_are_counted(tmp_path: Path, folders: Settings) -> None:
    rows = [f"film number {n},{n % 2}" for n in range(60)]
    (tmp_path / "a.csv").write_text(
        "\n".join(["text,label", *rows, "film number  7,0", "film number 8,1"] * 2)
    )
    source = trained(tmp_path / "trained", folders, str(tmp_path / "a.csv"), on_bad_row="skip")
    assert "2 texts appear with both labels, as positive here and as negative there." in source.job["notes"]
