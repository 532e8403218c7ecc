"""A generation writes texts that depend on nothing but themselves, and stops when it should."""

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Cancelled, InvalidJob
from jobs.models import parameters_of
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import MARKUP, SOURCE, do
from worker.context import JobContext
from worker.tasks.textgen import task
from worker.tasks.textgen.artifacts import BEGINNING, TEMPERATURES
from worker.tasks.textgen.generation import Samples, known_prompt, save_word_use
from worker.tasks.textgen.spec import Generate
from worker.tasks.textgen.text import LONGEST_BEGINNING
from worker.tasks.textgen.vocabulary import Vocabulary


def texts_of(folder: Path) -> dict[tuple[float, int], str]:
    samples = json.loads((folder / "samples.json").read_bytes())["samples"]
    return {(sample["temperature"], sample["number"]): sample["text"] for sample in samples}


def prompt_of(context: JobContext) -> str:
    prompt: str = json.loads((context.folder / "samples.json").read_bytes())["prompt"]
    return prompt


def test_a_text_depends_on_its_own_seed_and_temperature_alone(tmp_path: Path, trained: JobFolder) -> None:
    shared: dict[str, Any] = {"source": trained, "prompt": "The ", "length": 80}
    job = do(tmp_path / "a", "generate", temperature=[0.2, 1.0, 0], samples=2, **shared)
    several = texts_of(job.folder)
    assert JobFolder(job.folder).metrics["written_characters"] == sum(map(len, several.values()))
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
    assert prompt_of(context) == "The\n"
    with pytest.raises(InvalidJob, match=r"prompt: expected .* got 'Ω'") as caught:
        do(tmp_path / "c", "generate", source=trained, prompt="Ω", length=10, on_unknown="drop")
    assert caught.value.hint is None


def test_without_a_prompt_the_training_text_s_beginning_is_continued(
    tmp_path: Path, trained: JobFolder
) -> None:
    context = do(tmp_path / "a", "generate", source=trained, length=10, temperature=[0])
    beginning = MARKUP[:LONGEST_BEGINNING].rpartition(" ")[0]
    assert prompt_of(context) == beginning
    assert context.notes == [
        f"The prompt is the beginning of the text the model was trained on: {beginning!r}."
    ]


def test_a_model_that_kept_no_beginning_is_given_a_line_end(tmp_path: Path, trained: JobFolder) -> None:
    shutil.copytree(trained.path, tmp_path / "old")
    (tmp_path / "old" / BEGINNING).unlink()
    context = do(tmp_path / "a", "generate", source=JobFolder(tmp_path / "old"), length=10, temperature=[0])
    assert prompt_of(context) == "\n"
    (note,) = context.notes
    assert note.endswith(r"the prompt is '\n'.")


def test_a_prompt_is_read_as_texts_are(context: JobContext) -> None:
    def read(prompt: str, characters: str) -> str:
        vocabulary = Vocabulary("".join(sorted(characters)))
        parameters = parameters_of("textgen", "generate")(prompt=prompt)
        assert isinstance(parameters, Generate)
        return vocabulary.decode(known_prompt(context, parameters, vocabulary))

    assert read("cafe\u0301", "acefé") == "café"
    assert read("caf\u00e9", "acfe\u0301") == "cafe\u0301"  # as a model of an earlier version knows it
    assert context.notes == []
    assert read(r"a\n\tb", "ab\n\t") == "a\n\tb"
    assert len(context.notes) == 1
    assert read(r"a\nb", "ab\\n") == r"a\nb"  # a model of source code knows the backslash
    marks = "\u0315\u0300" * 4_000
    began = time.process_time()
    with pytest.raises(InvalidJob):
        read(f"a{marks}", "a")
    assert time.process_time() - began < 1


def test_words_are_measured_where_there_are_words(context: JobContext) -> None:
    written = [Samples(0.5, ["to be to", "..."], 1.0), Samples(1.0, ["..."], 1.0)]
    assert save_word_use(context, written, frozenset(["to"])) == {
        "known_words": pytest.approx(2 / 3),
        "different_words": pytest.approx(2 / 3),
        "repeated_sequences": 0,
    }
    assert JobFolder(context.folder).numbers(TEMPERATURES) == [
        {"temperature": 0.5, "texts": 1, "words": 3, "different": pytest.approx(2 / 3), "repeated": 0,
         "known": pytest.approx(2 / 3)}
    ]  # fmt: skip
    assert context.notes == []


@pytest.mark.parametrize("known", [["道可道", "非常道"], []])
def test_words_are_not_measured_where_they_mean_nothing(context: JobContext, known: list[str]) -> None:
    assert save_word_use(context, [Samples(0.5, ["道可道"], 1.0)], frozenset(known)) == {}
    assert not (context.folder / TEMPERATURES).exists()
    assert len(context.notes) == 1


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
