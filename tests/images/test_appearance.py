"""Images that say little to a network are noted: inverted ones, empty ones; no digit of MNIST's kind is."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images.files import npz
from tests.images.jobs import as_trained_on, context_for
from worker.images.appearance import (
    DARK_ON_LIGHT,
    LIGHT_ON_DARK,
    MIXED,
    contrary_notes,
    dark_on_light,
    empty_notes,
    nearly_empty,
    polarity,
    remarks,
)
from worker.images.job_data import images_for, inputs_for


def test_digits_are_light_on_dark_and_not_empty(digits: Any) -> None:
    assert polarity(digits.train) == LIGHT_ON_DARK
    assert polarity(255 - digits.train) == DARK_ON_LIGHT
    assert polarity(np.concatenate([digits.train, 255 - digits.train])) == MIXED
    for images in (digits.train, digits.test, 255 - digits.test, digits.test // 4 + 100):
        assert not nearly_empty(images).any()
        assert empty_notes(digits.test) == []
    assert dark_on_light(digits.train).mean() < 0.02
    assert dark_on_light(255 - digits.train).mean() > 0.98


@pytest.mark.quality
def test_no_image_of_mnist_is_odd() -> None:
    if "QUARTET_TEST_DATA" not in os.environ:
        pytest.skip("QUARTET_TEST_DATA names no folder with the real datasets")
    with np.load(f"{os.environ['QUARTET_TEST_DATA']}/mnist.npz") as stored:
        for images in (stored["x_train"], stored["x_test"]):
            assert not nearly_empty(images).any()
            assert not dark_on_light(images).any()


def test_empty_images_are_counted_and_named(digits: Any) -> None:
    images = digits.test[:6].copy()
    images[1], images[4] = 255, 0
    images[4, 5, 5:12] = 255
    names = [f"{index}.png" for index in range(6)]
    assert empty_notes(images, names) == [
        "2 of 6 images are empty or nearly so: fewer than 8 of 784 pixels stand out from the background (1.png, 4.png)."
    ]
    assert empty_notes(images[1:2], names[:1]) == [
        "The image is empty or nearly so: fewer than 8 of 784 pixels stand out from the background."
    ]
    images[:] = 0
    assert empty_notes(images, names) == [
        "All 6 images are empty or nearly so: fewer than 8 of 784 pixels stand out from the background "
        "(0.png, 1.png, 2.png and 3 more: see remark in images.csv)."
    ]


def test_little_contrast_is_said(digits: Any) -> None:
    assert empty_notes(digits.test // 5 + 90) == [
        "The images have little contrast: their grey levels range from 90 to 141 of 255. It was not changed."
    ]


def test_each_image_with_little_contrast_is_named(digits: Any) -> None:
    images = digits.test[:5].copy()
    images[2] //= 8
    names = [f"{index}.png" for index in range(5)]
    assert empty_notes(images, names) == [
        "1 of 5 images has little contrast, fewer than 64 of 255 grey levels (2.png). It was not changed."
    ]
    images[4] = 255 - images[4] // 8
    assert remarks(images, LIGHT_ON_DARK) == ["", "", "little contrast", "", "dark on light, little contrast"]


def test_images_unlike_those_of_training_are_named(digits: Any) -> None:
    images = digits.test[:13].copy()
    images[3] = 255 - images[3]
    names = [f"{index}.png" for index in range(13)]
    assert contrary_notes(digits.test[:13], LIGHT_ON_DARK, names) is None
    assert contrary_notes(images, MIXED, names) is None
    assert contrary_notes(images, LIGHT_ON_DARK, names) == (
        "1 of 13 images looks dark on light, while the model was trained on images that are light on dark: what it "
        "makes of it says little until it is inverted (3.png).",
        False,
    )
    sentence, many = contrary_notes(images, DARK_ON_LIGHT) or ("", False)
    assert sentence.startswith(
        "12 of 13 images look light on dark, while the model was trained on images that are dark"
    )
    assert many


def test_a_job_warns_of_inverted_images_and_notes_a_few(digits: Any, tmp_path: Path) -> None:
    source = {"from": as_trained_on(tmp_path / "source", digits.train)}
    inverted = str(npz(tmp_path / "inverted.npz", x_test=255 - digits.test))
    some = digits.test.copy()
    some[7] = 255 - some[7]
    few = str(npz(tmp_path / "few.npz", x_test=some))
    for data, warnings in ((inverted, 1), (few, 0), (None, 0), ("digits", 0)):
        for action, read in (
            ("evaluate", images_for),
            ("generate", lambda context: inputs_for(context, None)),
        ):
            context = context_for(tmp_path / "job", "autoencoder", action, source, data=data)
            read(context)
            assert len(context.warnings) == warnings
            said = [text for text in (*context.warnings, *context.notes) if "trained on images that" in text]
            assert len(said) == (data in (inverted, few))
    context = context_for(
        tmp_path / "job", "autoencoder", "train", data=str(npz(tmp_path / "t.npz", x=255 - digits.test))
    )
    images_for(context)
    assert context.warnings == []
    assert "The images look dark on light; the model will expect images that look like them." in context.notes


def test_each_odd_image_has_a_remark(digits: Any) -> None:
    images = digits.test[:4].copy()
    images[1], images[2] = 0, 255 - images[2]
    assert remarks(images, LIGHT_ON_DARK) == ["", "nearly empty", DARK_ON_LIGHT, ""]
    assert remarks(images, MIXED) == ["", "nearly empty", "", ""]
