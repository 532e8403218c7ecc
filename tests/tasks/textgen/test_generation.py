"""A generation writes texts that depend on nothing but themselves, and stops when it should."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Cancelled, InvalidJob
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import SOURCE, do
from worker.context import JobContext
from worker.tasks.textgen import task


def texts_of(folder: Path) -> dict[tuple[float, int], str]:
    samples = json.loads((folder / "samples.json").read_bytes())["samples"]
    return {(sample["temperature"], sample["number"]): sample["text"] for sample in samples}


def test_a_text_depends_on_its_own_seed_and_temperature_alone(tmp_path: Path, trained: JobFolder) -> None:
    shared: dict[str, Any] = {"source": trained, "prompt": "The ", "length": 80}
    several = texts_of(do(tmp_path / "a", "generate", temperature=[0.2, 1.0, 0], samples=2, **shared).folder)
    one = texts_of(do(tmp_path / "b", "generate", temperature=[1.0], samples=2, **shared).folder)
    assert list(several) == [(0.2, 1), (0.2, 2), (1.0, 1), (1.0, 2), (0, 1)]
    assert all(len(text) == 80 for text in several.values())
    assert one == {key: text for key, text in several.items() if key[0] == 1.0}
    assert one[1.0, 1] != one[1.0, 2]


def test_unknown_characters_of_a_prompt_are_named(tmp_path: Path, trained: JobFolder) -> None:
    with pytest.raises(InvalidJob) as caught:
        do(tmp_path / "a", "generate", source=trained, prompt="The Ω and 🎻", length=10)
    assert str(caught.value) == "prompt: expected characters of the model's training text, got 'Ω', '🎻'"
    assert caught.value.hint == "`--on-unknown drop` drops the others"
    context = do(tmp_path / "b", "generate", source=trained, prompt="The\r\nΩ", length=10, on_unknown="drop")
    assert context.notes == ["Dropped from the prompt, because the model has never seen them: 'Ω'."]
    assert json.loads((context.folder / "samples.json").read_bytes())["prompt"] == "The\n"
    with pytest.raises(InvalidJob, match=r"prompt: expected .* got 'Ω'") as caught:
        do(tmp_path / "c", "generate", source=trained, prompt="Ω", length=10, on_unknown="drop")
    assert caught.value.hint is None


def test_writing_stops_within_seconds_of_a_request(tmp_path: Path, trained: JobFolder) -> None:
    spec = JobSpec.make(
        "textgen", "generate", parameters={"length": 1_000_000, "prompt": "The"}, **{"from": SOURCE}
    )
    context = JobContext(spec=spec, folder=tmp_path, settings=read_settings(), sources={"from": trained})
    threading.Timer(0.5, context.stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        task.generate(context)
    assert time.monotonic() - began < 10
