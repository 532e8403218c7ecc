"""What the page of a comparison shows of character models: the same prompt by all of them."""

import json
from pathlib import Path

from tests.tasks.comparing import compared
from worker.report.blocks import Columns
from worker.tasks.textgen.compare import LONGEST_TEXT, compare


def written(prompt: str, *texts: tuple[float, str]) -> dict[str, str | bytes]:
    samples = [{"temperature": at, "number": 1, "text": text} for at, text in texts]
    return {"samples.json": json.dumps({"prompt": prompt, "samples": samples})}


def test_texts_of_the_same_prompt_and_temperature_are_side_by_side(tmp_path: Path) -> None:
    runs = [
        compared(tmp_path, "a", generate=written("Once ", (0.5, "upon"), (0.5, "more"), (1.0, "x" * 5_000))),
        compared(tmp_path, "b", generate=written("Once ", (0.5, "in"), (1.0, "a"))),
        compared(tmp_path, "c", generate=written("Then ", (0.5, "alone"))),
        compared(tmp_path, "d", generate={"samples.json": "["}),
    ]
    cool, warm = compare(runs)
    assert isinstance(cool, Columns)
    assert isinstance(warm, Columns)
    assert cool.title == "Texts after “Once”, temperature 0.5"
    assert [(text.title, text.body) for text in cool.texts] == [
        ("a: units 1", "Once upon"),
        ("b: units 1", "Once in"),
    ]
    assert len(warm.texts[0].body) <= LONGEST_TEXT + 2


def test_nothing_is_shown_where_no_two_had_the_same_prompt(tmp_path: Path) -> None:
    runs = [compared(tmp_path, name, generate=written(name, (0.5, "x"))) for name in "ab"]
    assert list(compare(runs)) == []
