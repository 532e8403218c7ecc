"""The benchmark of growth finds the exponent of what it is given, and makes data of the size that it names."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from benchmarks.growth_curve import Curve, draw
from benchmarks.growth_data import PIECE, GrowthData
from jobs.settings import read_settings


def curve(exponent: float) -> Curve:
    made = Curve("some work", "reviews")
    for size in (1_000, 10_000, 100_000, 300_000):
        made.add(size, 1e-6 * size**exponent, 600 + size / 1_000, size / 1_000)
    return made


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.5, 2.0])
def test_an_exponent_is_the_power_of_the_size(exponent: float) -> None:
    assert curve(exponent).exponent == pytest.approx(exponent)


def test_only_the_upper_sizes_are_fitted() -> None:
    made = Curve("some work", "jobs")
    for size in (10, 100, 1_000, 10_000):
        made.add(size, 1.0 if size < 1_000 else size / 1_000)
    assert made.fitted == [1_000, 10_000]
    assert made.exponent == pytest.approx(1)


def test_a_curve_is_told_in_one_line() -> None:
    assert curve(1.0).described() == (
        "some work: exponent 1.00 from 100,000 reviews on. 1,000: 0.001 s, 601 MB; "
        "10,000: 0.01 s, 610 MB; 100,000: 0.1 s, 700 MB; 300,000: 0.3 s, 900 MB."
    )


def test_the_same_curves_give_the_same_picture(tmp_path: Path) -> None:
    jobs = Curve("`quartet list`", "jobs", sizes=[10, 100], seconds=[0.1, 0.2])
    for name in ("one.svg", "other.svg"):
        draw([curve(1.0), curve(2.0), jobs], tmp_path / name)
    picture = (tmp_path / "one.svg").read_bytes()
    assert picture == (tmp_path / "other.svg").read_bytes()
    assert len(picture) < 100_000
    told = "".join(ET.fromstring(picture).itertext())
    for expected in ("some work: 1.00", "some work: 2.00", "`quartet list`: 0.30", "peak memory", "reviews"):
        assert expected in told


def test_data_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    data = GrowthData(read_settings(data_dir=tmp_path), short=True)
    with data.reviews(700).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 700
    assert {row["label"] for row in rows} == {"positive", "negative"}
    assert max(len(row["text"]) for row in rows) <= PIECE
    assert data.text(12_345).stat().st_size == 12_345
    with np.load(data.images(5_000)) as stored:
        images = stored["x_train"].reshape(5_000, -1)
    assert len(np.unique(images, axis=0)) > 4_900  # a few look the same when shifted
