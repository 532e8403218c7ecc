"""What a person brought is done whole and comes back under its own names; `--limit` takes less."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.errors import InvalidData
from jobs.store.job_folder import JobFolder
from tests.images.files import npz, png
from tests.images.jobs import arrays_of, as_trained_on, context_for, do, figures_of
from worker.context import JobContext
from worker.images import generation, inference_inputs
from worker.images.job_data import images_for, inputs_for


def context_of(
    folder: Path, source: JobFolder, action: str, data: str | None, **parameters: Any
) -> JobContext:
    return context_for(folder / "job", "autoencoder", action, {"from": source}, data=data, **parameters)


def test_all_of_a_persons_images_go_through_unless_there_is_a_limit(tmp_path: Path, digits: Any) -> None:
    source = as_trained_on(tmp_path / "source", digits.train)
    own = str(npz(tmp_path / "own.npz", x=digits.test[:137], y=digits.test_labels[:137]))
    for number in range(13):
        png(tmp_path / f"d/{number:02d}.png", digits.test[number])
    folder, single = str(tmp_path / "d"), str(tmp_path / "d/03.png")
    for data, parameters, expected in (
        (own, {}, 137),
        (folder, {}, 13),
        (single, {}, 1),
        (own, {"limit": 5}, 5),
        (folder, {"limit": 5}, 5),
        (own, {"limit": 1_000}, 137),
        (own, {"count": 7}, 7),
        ("digits", {}, 10),
        ("digits", {"count": 12}, 12),
        (None, {}, 10),
        (None, {"limit": 3}, 3),
    ):
        context = context_of(tmp_path, source, "generate", data, **parameters)
        inputs = inputs_for(context, context.spec.parameters.model_dump()["count"])
        assert len(inputs.images) == len(inputs.names) == expected
        np.testing.assert_array_equal(
            inputs.images[-1:], digits.test[3:4] if data == single else digits.test[expected - 1 : expected]
        )
        assert any("Only the first" in note for note in context.notes) == (
            data in (own, folder) and expected in (5, 7)
        )


def test_without_data_of_its_own_a_job_takes_a_few_of_what_was_trained_on(
    tmp_path: Path, digits: Any
) -> None:
    own = str(npz(tmp_path / "own.npz", x=digits.test))
    source = as_trained_on(tmp_path / "source", digits.train, own)
    assert len(inputs_for(context_of(tmp_path, source, "generate", None), None).images) == 10


def test_too_many_images_for_a_job_are_refused_with_a_way_out(
    tmp_path: Path, digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_inputs, "MOST_INPUTS", 100)
    own = str(npz(tmp_path / "own.npz", x=digits.test[:137]))
    source = as_trained_on(tmp_path / "source", digits.train)
    with pytest.raises(InvalidData) as raised:
        inputs_for(context_of(tmp_path, source, "generate", own), None)
    assert str(raised.value) == f"{own}: expected at most 100 images in one job, got 137"
    assert raised.value.hint == "take the first with --limit 100, or give the others to a job of their own"
    assert len(inputs_for(context_of(tmp_path, source, "generate", own, limit=100), None).images) == 100


def test_each_image_comes_back_under_its_own_name(
    trained: dict[str, JobFolder], tmp_path: Path, digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "MOST_FILES", 20)
    names = [
        f"{number % 10}/{'a very long name of an image ' * 5}{number:02d} $é.png" for number in range(23)
    ]
    for index, (name, image) in enumerate(zip(names, digits.test, strict=False)):
        png(tmp_path / "d" / name, np.zeros_like(image) if index == 7 else image)
    context = context_of(tmp_path, trained["autoencoder"], "generate", str(tmp_path / "d"))
    folder = do(context)
    with (folder.path / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == sorted(names)
    assert [row["digit"] for row in rows] == [name[0] for name in sorted(names)]
    odd = {row["image"]: row["remark"] for row in rows if row["remark"]}
    assert odd == {names[7]: "nearly empty"}
    saved = arrays_of(folder)
    assert saved["names"].tolist() == sorted(names)
    assert folder.metrics["images"] == len(saved["output"]) == 23
    for row, output in zip(rows[:20], saved["output"], strict=False):
        assert (np.asarray(Image.open(folder.path / row["file"])) == output).all()
    assert {row["file"] for row in rows[20:]} == {""}
    assert len(list(folder.path.glob("reconstructed/*.png"))) == 20
    assert (
        "The first 20 images are in reconstructed/ as PNG files; all 23 are in images.npz, in the order of "
        "images.csv." in context.notes
    )
    assert "The first 20 of 23 are shown." in figures_of(folder)["images"].caption


def test_a_network_is_evaluated_on_all_images_of_other_data(tmp_path: Path, digits: Any) -> None:
    source = as_trained_on(tmp_path / "source", digits.train)
    own = npz(tmp_path / "own.npz", x=digits.test[:13])
    for data, count in ((own, 13), (npz(tmp_path / "t.npz", x_test=digits.test[:3]), 3)):
        images = images_for(context_of(tmp_path, source, "evaluate", str(data)))
        np.testing.assert_array_equal(images.test, digits.test[:count])
    assert (
        "The data has no test part; the test images are all its 13 images."
        in images_for(context_of(tmp_path, source, "evaluate", str(own))).notes
    )
    # Of what it was trained on, the tenth that was set aside.
    large = npz(tmp_path / "large.npz", x=digits.test)
    training = images_for(context_for(tmp_path / "job", "autoencoder", "train", data=str(large)))
    source = as_trained_on(tmp_path / "other", digits.train, str(large), training.record["sha256"])
    images = images_for(context_of(tmp_path, source, "evaluate", str(large)))
    assert images is training
    assert len(images.test) == 30
