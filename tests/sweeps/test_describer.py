"""A file's mistakes are all named at once, with their lines and columns; the examples have none."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import InvalidSweep
from jobs.sweeps.description import Description
from jobs.sweeps.distributions import Distribution
from jobs.sweeps.plain_jobs import PlainJob
from jobs.sweeps.reading import name_in
from jobs.sweeps.sweep_spec import SweepSpec
from tests.sweeps.describing import EXAMPLES, describer


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sweeps.yaml"
    path.write_text(text)
    return path


def read(tmp_path: Path, text: str) -> list[Description]:
    return describer().describe_file(written(tmp_path, text))


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InvalidSweep) as error:
        read(tmp_path, text)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in error.value.problems]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_makes_sweeps_and_jobs_on_data_that_needs_no_network(path: Path) -> None:
    for found in describer().describe_file(path):
        first = found.made.spec if isinstance(found.made, PlainJob) else found.made
        varied = found.made.parameters.get("data") if isinstance(found.made, SweepSpec) else None
        used = varied.values if isinstance(varied, Distribution) else (first.data,)
        assert {"digits", "pydoc", "toy-reviews"}.issuperset(used)


def test_a_file_may_have_documents_and_lists() -> None:
    names = [name_in(each.made) for path in EXAMPLES for each in describer().describe_file(path)]
    assert {"writer", "critic", "digits-noise", "digits-grid"} <= {*names}
    assert len(names) == len(set(names))


def test_json_is_read(tmp_path: Path) -> None:
    text = '[{"model": "autoencoder",\n\t"data": "digits"}, {"model": "denoiser", "data": "digits"}]'
    found = [each.made for each in read(tmp_path, text)]
    assert [each.spec.model for each in found if isinstance(each, PlainJob)] == ["autoencoder", "denoiser"]


def test_every_mistake_of_all_descriptions_has_its_line_and_column(tmp_path: Path) -> None:
    text = """\
name: one
model: textgen
data: pydoc
method: grid
parameters:
  learning_rat: {values: [1, 2]}
  units: {values: [64, many]}
---
- name: one
  model: textgn
- name: two
  model: denoiser
  data: digits
- name: two
  model: denoiser
  data: digits
"""
    assert mistakes(tmp_path, text) == [
        "sweeps.yaml:6:3: parameters.learning_rat: expected one of epochs, learning_rate, batch_size, window, "
        "layers, units, got 'learning_rat'",
        "sweeps.yaml:7:24: parameters.units.values[1]: expected an integer, got 'many'",
        "sweeps.yaml:10:10: model: expected one of autoencoder, denoiser, sentiment, textgen, got 'textgn'",
        "sweeps.yaml:14:9: name: expected a name that no other description of the file has, got 'two'",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "sweeps.yaml: expected 1 to 1,000 descriptions of a sweep or a job, got none"),
        ("- a\n" * 1_001, "sweeps.yaml: expected 1 to 1,000 descriptions of a sweep or a job, got 1,001"),
        ("hello", "sweeps.yaml:1:1: description: expected a mapping with model, action and parameters, got"),
        ("model: [", "sweeps.yaml:1:9: expected YAML, got another text"),
        ("model: a\nmodel: b", "sweeps.yaml:2:1: expected each key once, got 'model' again"),
    ],
)
def test_a_file_that_holds_no_description_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    [found] = mistakes(tmp_path, text)
    assert found.startswith(sentence)


def test_of_very_many_mistakes_the_first_are_named(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "- a\n" * 200)
    assert len(found) == 51
    assert found[-1] == "description: expected fewer mistakes, got 150 more"


def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path) -> None:
    for path in (
        tmp_path,
        tmp_path / "no.yaml",
        Path("a\x00b"),
        Path("~nobody-of-that-name/a"),
        Path("/dev/zero"),
    ):
        with pytest.raises(InvalidSweep, match=r"^file: expected a YAML file of sweeps, got "):
            describer().describe_file(path)


def test_a_client_loads_what_reads_descriptions_when_it_is_needed() -> None:
    code = "import sys, jobs.client; print([each for each in ('ruamel', 'jobs.sweeps.reading') if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
