"""The scripts with all jobs: what they hold, what one more job costs, and strangers' texts and files."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobs.escape_control import escape_control
from jobs.store import day_parts
from jobs.store.day_files import DayFiles
from jobs.store.history import FOLDER as HISTORY
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.page_deletions import PAGE_LIST, deleted_of_page, hide_from_page
from jobs.store.results import Results
from tests.support.report_folders import (
    HOSTILE,
    SHORT_TRAINING,
    hostile_record,
    job_record,
    write_folder,
)
from worker.report import index_data
from worker.report.index_page import write_index

CALL = re.compile(r"(quartet\w+)\('(.*)'\);\n")


def id_of(number: int, day: str = "20261123") -> str:
    return f"{day}-2{number // 3600 % 4}{number // 60 % 60:02d}{number % 60:02d}-042-k7qd"


def publish(root: Path, job_id: str, **changes: Any) -> Path:
    record = job_record(SHORT_TRAINING, job_id=job_id, **changes)
    metrics = json.dumps({"bce": 0.09, "psnr_db": 18.5})
    folder = write_folder(root / ".staging", record, {"metrics.json": metrics}).rename(root / job_id)
    History(Results(root)).add(JobFolder(folder))
    return folder


def given(script: Path) -> Any:
    """What a script calls the page with."""
    found = CALL.fullmatch(script.read_text("ascii"))
    assert found
    return json.loads(re.sub(r"\\\\", r"\\", found[2]))


def rows(root: Path) -> dict[str, dict[str, Any]]:
    """All jobs that the scripts hold, as the page reads them: of two rows of a job the later one."""
    days = given(root / "index" / "contents.js")["days"]
    scripts = [root / "index" / f"{day}-{part}.js" for day, count in days.items() for part in range(count)]
    assert set(scripts) == set((root / "index").glob("2*.js"))
    return {row["id"]: row for script in scripts for row in given(script)}


def versions(root: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (root / "index").iterdir()}


def test_the_scripts_hold_every_job_with_its_metrics_and_the_parameters_that_were_set(tmp_path: Path) -> None:
    best = {"label": "PSNR", "value": 18.5, "unit": "dB"}
    publish(tmp_path, id_of(1), headline=best, warnings=["No better than the mean image.", "second"])
    publish(tmp_path, id_of(2, "20261124"), state="failed", error="first line\nsecond")
    write_index(Results(tmp_path))
    found = rows(tmp_path)
    assert (tmp_path / "index.html").read_text().count("No better than the mean image.") == 1
    assert found[id_of(1)] == {
        "id": id_of(1), "state": "succeeded", "model": "autoencoder", "action": "train",
        "headline": ["PSNR", "18.5", "dB"], "took": "1 min 03 s", "seconds": 63.2,
        "warning": "No better than the mean image.", "metrics": {"bce": 0.09, "psnr_db": 18.5},
        "parameters": found[id_of(1)]["parameters"],
    }  # fmt: skip
    assert found[id_of(1)]["parameters"]["epochs"] == 2
    assert found[id_of(2, "20261124")]["reason"] == "first line"
    contents = given(tmp_path / "index" / "contents.js")
    assert contents["metrics"]["denoiser"]["psnr_db"] == ["PSNR, denoised", "dB", 2, "higher"]


def test_the_ends_of_an_interval_are_no_columns_of_the_page(tmp_path: Path) -> None:
    spec = SHORT_TRAINING.model_dump(mode="json", by_alias=True) | {"model": "sentiment"}
    measured = {"validation_accuracy": 0.9, "validation_accuracy_low": 0.8, "validation_accuracy_high": 0.95}
    folder = write_folder(tmp_path, job_record(spec), {"metrics.json": json.dumps(measured)})
    History(Results(tmp_path)).add(JobFolder(folder))
    write_index(Results(tmp_path))
    (row,) = rows(tmp_path).values()
    assert row["metrics"] == {"validation_accuracy": 0.9}


def test_one_more_job_costs_one_script_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_parts, "PART_BYTES", 2_000)
    for number in range(20):
        publish(tmp_path, id_of(number))
    write_index(Results(tmp_path))
    monkeypatch.setattr(DayFiles, "content", lambda *_: pytest.fail("a whole day's file is read"))
    for number in range(20, 25):
        before = versions(tmp_path)
        publish(tmp_path, id_of(number))
        write_index(Results(tmp_path))
        after = versions(tmp_path)
        changed = {name for name in after if after[name] != before.get(name)}
        assert 1 <= len([name for name in changed if name.startswith("2")]) <= 2
        assert "gallery.js" not in changed
    assert len(rows(tmp_path)) == 25
    before = versions(tmp_path)
    write_index(Results(tmp_path))
    assert versions(tmp_path) == before, "nothing new, nothing written"


def test_a_removed_job_is_gone_once_the_index_has_caught_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_parts, "PART_BYTES", 1_000)
    folders = [publish(tmp_path, id_of(number)) for number in range(12)]
    publish(tmp_path, id_of(1, "20261124")).rename(tmp_path / "elsewhere")
    write_index(Results(tmp_path))
    for folder in folders[2:9]:
        folder.rename(tmp_path / f"not {folder.name}")
    History(Results(tmp_path)).catch_up()
    write_index(Results(tmp_path))
    assert sorted(rows(tmp_path)) == [id_of(number) for number in (0, 1, 9, 10, 11)]


def test_a_job_that_was_deleted_is_hidden_until_the_scripts_lack_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still_indexed = id_of(1, "20261124")
    folders = [publish(tmp_path, job_id) for job_id in (id_of(0), still_indexed, id_of(2), id_of(3))]
    write_index(Results(tmp_path))
    assert given(tmp_path / PAGE_LIST) == []
    for folder in folders[:2]:
        folder.rename(tmp_path / f"not {folder.name}")
        hide_from_page(tmp_path, folder.name)
    History(Results(tmp_path)).drop(id_of(0))  # and another process held the lock for the other one
    assert given(tmp_path / PAGE_LIST) == [id_of(0), still_indexed]
    write_rows = index_data._write_day

    def delete_meanwhile(*given: Any) -> Any:
        mark = write_rows(*given)
        hide_from_page(tmp_path, id_of(2))
        return mark

    monkeypatch.setattr(index_data, "_write_day", delete_meanwhile)
    write_index(Results(tmp_path))
    assert sorted(rows(tmp_path)) == [id_of(2), id_of(3)]
    assert deleted_of_page(tmp_path) == {id_of(2)}, "the page does not lack this one yet"


@pytest.mark.parametrize(
    ("mode", "opaque"), [("RGB", True), ("L", True), ("P", True), ("RGBA", None), ("LA", None)]
)
def test_a_thumbnail_with_a_ground_of_its_own_is_marked(
    tmp_path: Path, mode: str, opaque: bool | None
) -> None:
    folder = publish(tmp_path, id_of(1))
    (folder / "figures").mkdir()
    Image.new(mode, (320, 240)).save(folder / "figures" / "thumbnail.png")
    shutil.rmtree(tmp_path / HISTORY)
    write_index(Results(tmp_path))
    assert rows(tmp_path)[id_of(1)].get("opaque") is opaque
    assert ('class="picture opaque"' in (tmp_path / "index.html").read_text()) is bool(opaque)


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"not a picture, but as long as the header of one"])
def test_a_thumbnail_that_is_no_picture_breaks_nothing(tmp_path: Path, content: bytes) -> None:
    folder = publish(tmp_path, id_of(1))
    (folder / "figures").mkdir()
    (folder / "figures" / "thumbnail.png").write_bytes(content)
    shutil.rmtree(tmp_path / HISTORY)
    assert write_index(Results(tmp_path))
    assert rows(tmp_path)[id_of(1)]["thumbnail"] is True


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"null", b'{"format": 0, "days": {}}', b'{"format": 2, "days": {"20261123": [1]}}',
        b'{"format": 2, "days": {"../../secret": [9, "x"]}}', b'{"format": 2, "days": {"20261123": [1e300, "x"]}}',
        b'{"format": 2, "days": {"20261123": [99999999999999999999, "x"]}}', b'{"format": 2, "days": [1]}',
        b'{"format": 2, "days": {"20261123": [400, "of another file"]}}',
    ],
)  # fmt: skip
def test_marks_that_were_lost_or_forged_only_cost_the_scripts_to_be_written_again(
    tmp_path: Path, content: bytes
) -> None:
    root, outside = tmp_path / "results", tmp_path / "secret-0.js"
    outside.touch()
    publish(root, id_of(1))
    write_index(Results(root))
    (root / "index" / ".marks.json").write_bytes(content)
    publish(root, id_of(2))
    write_index(Results(root))
    assert sorted(rows(root)) == [id_of(1), id_of(2)]
    assert outside.exists()


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "results", tmp_path / "outside"
    outside.mkdir()
    publish(root, id_of(1))
    (root / "index").symlink_to(outside)
    write_index(Results(root))
    assert list(outside.iterdir()) == []
    assert list(rows(root)) == [id_of(1)]
    (root / "index" / "contents.js").unlink()
    (root / "index" / "contents.js").symlink_to(outside / "secret")
    write_index(Results(root))
    assert list(outside.iterdir()) == []


def test_hostile_texts_are_the_same_texts_and_can_end_no_script(tmp_path: Path) -> None:
    texts = (
        *HOSTILE,
        "a\u2028b\u2029c",
        "'); alert(1); ('",
        "\\'); alert(1)//",
        "__proto__",
        "</script><!--",
    )
    for number, text in enumerate(texts):
        record = hostile_record(texts, id=id_of(number), error=text, warnings=[text])
        record["spec"] |= {"name": text, "parameters": {"__proto__": text, text: text}}
        write_folder(tmp_path, record, {"metrics.json": json.dumps({"__proto__": 1.0, text: 2.0})})
    write_index(Results(tmp_path))
    found = rows(tmp_path)
    for number, text in enumerate(texts):
        row = found[id_of(number)]
        assert row["name"] == row["warning"] == row["reason"] == escape_control(text)
        assert row["parameters"]["__proto__"] == escape_control(text[:80]) or len(text) > 79
    for script in (tmp_path / "index").glob("*-*.js"):
        assert not re.search("[<>&]|\u2028", script.read_text("ascii"))
        assert script.read_text("ascii").count("'") == 2


def test_a_day_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    publish(tmp_path, id_of(1))
    publish(tmp_path, id_of(1, "20261124"))
    write_index(Results(tmp_path))
    (tmp_path / HISTORY / "2026-11-24.jsonl").unlink()
    (tmp_path / HISTORY / "2026-11-24.jsonl").symlink_to(tmp_path / "nowhere")
    write_index(Results(tmp_path))
    assert list(rows(tmp_path)) == [id_of(1)]
    page = (tmp_path / "index.html").read_text()
    assert page.index(id_of(1, "20261124")) < page.index(id_of(1)), "the list in the page reads the folders"


def test_scripts_of_another_format_are_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, id_of(1))
    monkeypatch.setattr(index_data, "FORMAT", 0)
    write_index(Results(tmp_path))
    before = versions(tmp_path)
    monkeypatch.undo()
    write_index(Results(tmp_path))
    assert versions(tmp_path)["20261123-0.js"] != before["20261123-0.js"]
    assert given(tmp_path / "index" / "contents.js")["format"] == index_data.FORMAT
