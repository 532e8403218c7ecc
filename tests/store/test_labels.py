"""Tags and notes of jobs: no change is lost, and whatever a file holds labels at most what it may."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.errors import InvalidInput, JobConflict
from jobs.store import labels
from jobs.store.history import History
from jobs.store.labels import FOLDER, LONGEST_NOTE, Label, Labels
from jobs.store.results import Results
from jobs.tags import MOST_TAGS
from tests.store.folders import finished, id_of

JOB = id_of(1)
WRITER = """
import sys
from pathlib import Path
from jobs.store.labels import Labels
for number in range(5):
    Labels(Path(sys.argv[1])).change("{job}", [], add=[f"{{sys.argv[2]}}-{{number}}"])
"""


@pytest.fixture
def found(results: Results) -> Labels:
    results.root.mkdir()
    return Labels(results.root)


def day_file(found: Labels) -> Path:
    return found.root / FOLDER / "2026-11-26.jsonl"


def test_a_job_has_the_tags_it_was_given_until_they_are_changed(found: Labels) -> None:
    assert found.find(JOB) is None
    assert found.change(JOB, ["given", "bad"], add=["good"], remove=["bad", "none"]).tags == ("given", "good")
    assert found.find(JOB) == Label(("given", "good"))
    assert found.change(JOB, ["given"], note=" a\nnote ") == Label(("given", "good"), "a\nnote")
    assert found.change(JOB, ["given"], remove=["given", "good"]) == Label((), "a\nnote")
    assert found.change(JOB, ["given"], note="") == found.find(JOB) == Label()


def test_a_change_of_nothing_writes_nothing(found: Labels) -> None:
    found.change(JOB, ["given"], add=["given"], remove=["other"], note="")
    assert not day_file(found).exists()


@pytest.mark.parametrize("tag", ["", "a b", "a,b", "x" * 41, "a\nb", "+a", "-a", "\u200b", "\ud800"])
def test_what_is_no_tag_is_refused_and_changes_nothing(found: Labels, tag: str) -> None:
    with pytest.raises(InvalidInput, match="tag: expected 1 to 40 printable characters"):
        found.change(JOB, [], add=["good", tag])
    assert found.find(JOB) is None


def test_too_many_tags_and_too_long_a_note_are_refused(found: Labels) -> None:
    found.change(JOB, [], add=[f"t{number}" for number in range(MOST_TAGS)], note="n" * LONGEST_NOTE)
    with pytest.raises(InvalidInput, match=f"at most {MOST_TAGS} tags, got {MOST_TAGS + 1}"):
        found.change(JOB, [], add=["more"])
    with pytest.raises(InvalidInput, match="note: expected a text of at most 2,000 characters, got 2,001"):
        found.change(JOB, [], note="n" * (LONGEST_NOTE + 1))
    assert found.change(JOB, [], add=["more"], remove=["t0"]).tags[-1] == "more"


def test_people_who_label_a_job_at_once_lose_nothing(found: Labels) -> None:
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER.format(job=JOB), str(found.root), name], cwd=root)
        for name in "abc"
    ]
    assert [process.wait(120) for process in processes] == [0] * 3
    label = found.find(JOB)
    assert label is not None
    assert set(label.tags) == {f"{name}-{number}" for name in "abc" for number in range(5)}


def test_a_frozen_holder_of_the_lock_is_waited_for_no_longer_than_promised(
    found: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    found.change(JOB, [], add=["one"])
    monkeypatch.setattr(labels, "LOCK_SECONDS", 0.2)
    with (found.root / FOLDER / ".changes.lock").open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(JobConflict, match="labels"):
            found.change(JOB, [], add=["two"])
    assert found.find(JOB) == Label(("one",))


def test_whatever_a_file_holds_labels_at_most_what_it_may(found: Labels) -> None:
    found.change(JOB, [], add=["good"])
    hostile = [
        {"tags": "good", "note": ""}, {"tags": ["a b"], "note": ""}, {"tags": [], "note": 3}, {"tags": [[]]},
        {"tags": [], "note": "n" * 40_000}, {"tags": [f"t{n}" for n in range(99)], "note": ""},
    ]  # fmt: skip
    lines = [json.dumps({"id": id_of(2), **line}, separators=(",", ":")).encode() for line in hostile]
    lines += [
        b'{"id":"' + id_of(3).encode() + b'",' + b"[" * 9_000 + b"}",
        b"\xff\x00",
        b'{"id":"../../etc",}',
    ]
    with day_file(found).open("ab") as file:
        file.write(b"\n".join([*lines, b'{"id":"' + JOB.encode() + b'","tags":["tor']))
    assert found.of_day("20261126") == {JOB: Label(("good",))}
    found.change(JOB, [], add=["more"])  # after half a line
    assert found.of_day("20261126") == {JOB: Label(("good", "more"))}


@pytest.mark.parametrize("there", ["a link", "a folder"])
def test_what_is_no_file_labels_nothing(found: Labels, there: str, tmp_path: Path) -> None:
    found.change(JOB, [], add=["good"])
    day_file(found).unlink()
    if there == "a folder":
        day_file(found).mkdir()
    else:
        (tmp_path / "other").write_text(json.dumps({"id": JOB, "tags": ["bad"], "note": ""}) + "\n")
        day_file(found).symlink_to(tmp_path / "other")
    assert found.find(JOB) is None
    if there == "a link":
        assert found.change(JOB, [], add=["new"]) == found.find(JOB) == Label(("new",))


def test_labels_of_jobs_that_are_gone_go_with_them(found: Labels, results: Results) -> None:
    for number in (1, 2, 3):
        History(results).add(finished(results, id_of(number)))
        found.change(id_of(number), [], add=["good"])
    History(results).drop(id_of(1))
    assert set(found.of_day("20261126")) == {id_of(2), id_of(3)}


@pytest.mark.quality
def test_ten_thousand_labels_are_listed_soon(results: Results) -> None:
    first = finished(results, id_of(0))
    History(results).add(first)
    line = (results.root / ".history" / "2026-11-26.jsonl").read_bytes()
    ids = [id_of(number) for number in range(10_000)]
    for job_id in ids[1:]:
        os.mkdir(f"{results.root}/{job_id}")  # noqa: PTH102 - pathlib's takes longer
    with (results.root / ".history" / "2026-11-26.jsonl").open("wb") as file:
        file.writelines(line.replace(first.id.encode(), job_id.encode()) for job_id in ids)
    History(results)._files.mark_complete()

    def seconds() -> float:
        began = time.process_time()
        assert len(list(History(results).rows())) == len(ids)
        return time.process_time() - began

    without = seconds()
    (results.root / FOLDER).mkdir()
    with (results.root / FOLDER / "2026-11-26.jsonl").open("wb") as file:
        for job_id in ids:
            label = {"id": job_id, "tags": ["good", "noise"], "note": "n" * 100}
            file.write(json.dumps(label, separators=(",", ":")).encode() + b"\n")
    with_labels = seconds()
    assert with_labels - without < 0.6  # 0.3 s on a quiet machine
    assert History(results).newest(1)[0].tags == ("good", "noise")
