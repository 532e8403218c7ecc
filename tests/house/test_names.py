"""A model's name stands in its wing and nowhere else in the code, and so does a dataset's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.models import datasets, model_names, packages

ROOT = Path(__file__).parents[2]

OF_SEVERAL_WINGS = {
    "worker/images/parameters.py": "where the kit of the image models names the datasets of both",
    "worker/images/digits.py": "which makes the dataset `digits`",
    "worker/images/network.py": "whose network is an autoencoder in both models",
}
"""Files outside the wings that may name a dataset or a model, and why."""


def shared_files() -> Iterator[Path]:
    wings = {package.replace(".", "/") for claims in packages().values() for package in claims}
    for folder in ("jobs", "worker"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            in_a_wing = any(name.startswith(f"{wing}/") for wing in wings)
            if path.suffix in (".py", ".lua", ".html", ".css") and not in_a_wing:
                yield path


@pytest.mark.parametrize("name", model_names())
def test_no_shared_code_names_a_model(name: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in shared_files()
        if path.relative_to(ROOT).as_posix() not in OF_SEVERAL_WINGS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(rf"(?<![\w-]){name}(?![\w-])", line, re.IGNORECASE)
    ]
    assert found == []


@pytest.mark.parametrize("name", datasets())
def test_no_shared_code_names_a_dataset(name: str) -> None:
    quoted = re.compile(rf"""(?<!\[)["']{name}["'.]""")  # `digits` is a word, and an array's name, too
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in shared_files()
        if path.relative_to(ROOT).as_posix() not in OF_SEVERAL_WINGS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if quoted.search(line)
    ]
    assert found == []


def test_every_exception_is_needed() -> None:
    names = re.compile("|".join([*model_names(), *datasets()]))
    for name in OF_SEVERAL_WINGS:
        assert names.search((ROOT / name).read_text(encoding="utf-8")), name
