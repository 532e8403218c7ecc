"""An array of objects is read in blocks: wherever one ends, the reviews are the same."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import InvalidData
from tests.tasks.hostile_files import at_most
from tests.tasks.sentiment.conftest import Read
from worker.tasks.sentiment.file_options import NO_OPTIONS
from worker.tasks.sentiment.user_files import ReviewFile

OBJECTS = [
    {"text": 'good "film" \\ \n ✓ \u0007 {[', "label": 1, "more": [1.5e-7, -3, None, True, {"a": {}}, [[]]]},
    {"label": "neg", "id": 123456789012345678901234567890, "text": "bad film", "x": -12.25, "y": False},
    {"text": "", "label": 0},
    {"text": "so" * 300, "label": True},
]
READ = [(each["text"], 0 if each["label"] == "neg" else 1) for each in OBJECTS if each["text"]]


@pytest.mark.parametrize("block", [1, 2, 3, 5, 17, 64, 1 << 16])
@pytest.mark.parametrize("indent", [None, 3])
def test_it_does_not_matter_where_a_block_ends(
    tmp_path: Path, read: Callable[..., Read], monkeypatch: pytest.MonkeyPatch, block: int, indent: int | None
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.bounded_file.BLOCK", block)
    for is_ascii in (True, False):
        content = json.dumps(OBJECTS, indent=indent, ensure_ascii=is_ascii)
        (tmp_path / "a.json").write_text(f" \n{content} \n")
        assert read(tmp_path / "a.json")[0] == READ
        for fault in (content.replace("-12.25", "-12.25."), content[:-2], content.replace("null", "nul")):
            (tmp_path / "a.json").write_text(fault)
            with pytest.raises(InvalidData, match=r"review \d: expected JSON, an object like"):
                read(tmp_path / "a.json")


def test_an_array_takes_little_memory(tmp_path: Path) -> None:
    record = '{"text": "a", "label": 1, "more": "so"}'
    (tmp_path / "a.json").write_text(f"[{', '.join([record] * 25_000)}]")
    file = ReviewFile.inspect(tmp_path / "a.json", NO_OPTIONS, labelled=True)
    with at_most(0.8):  # MB; the file has 1.0
        assert sum(1 for _ in file.read(lambda _: None)) == 25_000
