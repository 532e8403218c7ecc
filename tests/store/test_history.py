"""The index of published jobs: quick to read, never believed more than the folders, repaired by itself."""

import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.store import appended_lines
from jobs.store.history import FOLDER, History
from jobs.store.history_row import MOST_LINE_BYTES, Row
from jobs.store.results import Results
from tests.store.folders import finished, id_of

HEADLINE = {"label": "PSNR", "value": 17.3, "unit": "dB"}


def add(results: Results, *numbers: int, day: str = "20261126", **changes: object) -> list[str]:
    ids = [id_of(number, day) for number in numbers]
    for job_id in ids:
        History(results).add(finished(results, job_id, **changes))
    return ids


def day_file(results: Results, day: str = "2026-11-26") -> Path:
    return results.root / FOLDER / f"{day}.jsonl"


def shown(results: Results) -> list[str]:
    return [row.id for row in History(results).newest(1_000)]


def test_a_row_says_what_its_folder_says(results: Results) -> None:
    history, source, before = History(results), id_of(1), id_of(2)
    spec = {"model": "denoiser", "action": "evaluate", "name": "Ünï 🎻", "from": source, "parameters": {}}
    failed = finished(
        results, id_of(3), spec=spec, state="failed", error="no luck", headline=HEADLINE, continues=before
    )
    (failed.path / "figures").mkdir()
    (failed.path / "figures" / "thumbnail.png").touch()
    history.add(failed)
    assert history.find(failed.id) == Row(
        failed.id, "failed", "denoiser", "evaluate", "Ünï 🎻", HEADLINE,
        *["2026-11-23T22:15:30.042Z"] * 3, 1, "w1@host", "no luck", 63.2, before, source, thumbnail=True,
    )  # fmt: skip
    assert history.named("Ünï 🎻") == failed.id


def test_a_row_has_the_numbers_the_parameters_that_were_set_and_the_first_warning(results: Results) -> None:
    parameters = {"epochs": 3, "noise": 0.5, "text": ["a" * 500, *"bcdefghijk"], "depth": 2, "nested": [[1]]}
    spec = {"model": "denoiser", "action": "train", "parameters": parameters}
    were_set = ["epochs", "text", "nested"]
    folder = finished(results, id_of(1), spec=spec, set=were_set, warnings=["w" * 1_000, "second"])
    values = {"psnr_db": 17.123456789, "images": 10} | {f"m{number}": 0.1 for number in range(100)}
    (folder.path / "metrics.json").write_text(json.dumps(values))
    History(results).add(folder)
    row = History(results).find(folder.id)
    assert row is not None
    assert row.warning == "w" * 299 + "…"
    assert row.metrics == {"psnr_db": 17.1235, "images": 10} | {f"m{number}": 0.1 for number in range(22)}
    assert row.parameters == {"epochs": 3, "text": ["a" * 79 + "…", *"bcdefgh", "…"], "nested": ["[1]"]}
    assert Row.of_line(row.line()) == row


def test_a_line_of_an_earlier_version_is_read_and_a_damaged_one_is_not() -> None:
    row = Row(id_of(1), "succeeded", "denoiser", "train", "a", HEADLINE, *["2026-11-23T22:15:30Z"] * 3)
    fields = json.loads(row.line())
    old = {name: value for name, value in fields.items() if name not in ("warning", "metrics", "parameters")}
    assert Row.of_line(json.dumps(old).encode()) == row
    for wrong in (
        {"warning": 3}, {"warning": "w" * 400}, {"metrics": []}, {"metrics": {"a": "b"}}, {"metrics": None},
        {"metrics": {str(number): 1 for number in range(25)}}, {"parameters": {"a": {}}}, {"parameters": [1]},
        {"parameters": {"a": [[1]]}}, {"parameters": {"a": [1] * 10}},
    ):  # fmt: skip
        assert Row.of_line(json.dumps(fields | wrong).encode()) is None, wrong


def test_metrics_that_cannot_be_read_leave_the_rest_of_a_row(results: Results) -> None:
    folder = finished(results, id_of(1), name="mine")
    (folder.path / "metrics.json").write_text("[")
    row = Row.of_folder(folder)
    assert (row.state, row.name, row.metrics) == ("succeeded", "mine", {})


def test_the_longest_row_fits_into_a_line(results: Results) -> None:
    odd = "🎻" * 400
    parameters: dict[str, object] = {f"p{number}": [odd] * 10 for number in range(10)} | {odd: odd}
    spec = {"model": "denoiser", "action": "train", "name": odd, "parameters": parameters}
    headline = {"label": odd, "value": 1.0, "unit": odd}
    folder = finished(results, id_of(1), spec=spec, worker=odd, error=odd, warnings=[odd], headline=headline)
    (folder.path / "metrics.json").write_text(json.dumps({str(n) + odd: -1.23456e-300 for n in range(60)}))
    row = Row.of_folder(folder)
    assert row.state == "succeeded"
    assert MOST_LINE_BYTES / 2 < len(row.line()) < MOST_LINE_BYTES
    assert Row.of_line(row.line()) == row


def test_jobs_are_listed_newest_first_in_whatever_order_they_ended(results: Results) -> None:
    old = add(results, 5, 3, day="20261124")
    new = add(results, 7, 1, 4)
    history = History(results)
    assert shown(results) == sorted([*old, *new], reverse=True) == history.ids()
    assert [row.id for row in history.newest(2)] == [id_of(7), id_of(4)]
    assert history.count() == 5
    assert history.matching("20261124-", 10) == sorted(old, reverse=True)
    assert history.matching("2026112", 3) == [id_of(7), id_of(4), id_of(1)]
    assert history.matching(id_of(4), 3) == [id_of(4)]
    assert history.matching("2025", 3) == history.matching("x", 3) == []


def test_a_name_means_the_newest_job_that_has_it(results: Results) -> None:
    add(results, 1, day="20261124", name="first")
    newer, newest = add(results, 1, 2, name="first")
    add(results, 3, name="first one")
    add(results, 4, error='","name":"first"')
    assert History(results).named("first") == newest
    shutil.rmtree(results.root / newest)
    assert History(results).named("first") == newer
    assert History(results).named("none") is None


def test_jobs_in_a_state_are_found_among_many(results: Results) -> None:
    add(results, *range(20))
    failed = add(results, 30, 31, state="failed")
    add(results, *range(40, 50))
    assert [row.id for row in History(results).rows("failed")] == failed[::-1]


def test_the_newest_are_read_without_opening_their_folders(results: Results) -> None:
    ids = add(results, *range(10))
    History(results).catch_up()
    for job_id in ids:
        (results.root / job_id / "job.json").unlink()
        os.mkfifo(results.root / job_id / "job.json")
    rows = History(results).newest(10)
    assert [row.state for row in rows] == ["succeeded"] * 10


def test_folders_of_the_first_edition_are_in_the_index_at_the_first_look(results: Results) -> None:
    for number in range(3):
        finished(results, id_of(number))
    new = add(results, 3)  # a worker that was upgraded has published before anybody caught up
    assert len(shown(results)) == 4
    assert len(day_file(results).read_bytes().splitlines()) == 4
    assert History(results).find(new[0]) is not None


def test_a_folder_whose_worker_died_before_it_was_indexed_is_found(results: Results) -> None:
    add(results, 1)
    assert len(shown(results)) == 1
    finished(results, id_of(2), name="orphan")
    history = History(results)
    found = history.find(id_of(2))
    assert found is not None
    assert found.name == "orphan"
    assert history.catch_up(older_than_seconds=3600) == 0, "it was complete a moment ago"
    assert history.catch_up() == 1
    assert shown(results) == [id_of(2), id_of(1)]
    assert history.catch_up() == 0


def test_catching_up_stops_when_its_time_is_over_and_goes_on_the_next_time(results: Results) -> None:
    for number in range(1_200):
        finished(results, id_of(number))
    history = History(results)
    assert [history.catch_up(3600, seconds=0.0) for _ in range(4)] == [500, 500, 200, 0]
    assert history.count() == 1_200


def test_a_job_whose_folder_is_gone_is_not_shown_and_leaves_the_index(results: Results) -> None:
    add(results, 1, 2)
    [other] = add(results, 1, day="20261124")
    shutil.rmtree(results.root / id_of(2))
    shutil.rmtree(results.root / other)
    assert shown(results) == [id_of(1)]
    assert History(results).find(id_of(2)) is None
    History(results).catch_up()
    assert History(results).ids() == [id_of(1)]
    assert not day_file(results, "2026-11-24").exists()
    (results.root / other).symlink_to(results.root / id_of(1), target_is_directory=True)
    History(results).catch_up()
    assert shown(results) == [id_of(1)], "a link is no job"


def test_where_no_worker_keeps_the_index_readers_look_at_the_folders(results: Results) -> None:
    add(results, 1)
    assert len(shown(results)) == 1
    finished(results, id_of(2))
    assert len(shown(results)) == 1
    long_ago = time.time() - 24 * 3600
    os.utime(results.root / FOLDER / "complete", (long_ago, long_ago))
    assert len(shown(results)) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_results_of_another_user_are_read_and_left_alone(results: Results) -> None:
    finished(results, id_of(1), name="mine")
    os.chown(results.root, 12345, 12345)
    history = History(results)
    assert shown(results) == [id_of(1)] == history.ids()
    assert (history.named("mine"), history.count(), history.matching("2026", 5)) == (id_of(1), 1, [id_of(1)])
    assert not (results.root / FOLDER).exists()


def test_no_results_are_no_jobs(results: Results) -> None:
    history = History(results)
    assert (shown(results), history.ids(), history.count(), history.named("x")) == ([], [], 0, None)
    assert history.find(id_of(1)) is None is history.find("../../etc")
    assert history.catch_up() == 0
    assert not results.root.exists()


LINES = {
    "half a line": b'{"id":"20261126-000000-002-abcd","state":"succ',
    "no JSON": b'{"id":"20261126-000000-002-abcd",}',
    "another type": b'{"id":"20261126-000000-002-abcd","state":7}',
    "an unknown field": b'{"id":"20261126-000000-002-abcd","state":"failed","x":1}',
    "NaN": b'{"id":"20261126-000000-002-abcd","state":"failed","seconds":NaN}',
    "deep nesting": b'{"id":"20261126-000000-002-abcd","state":' + b"[" * 8_000 + b"}",
    "a huge line": b'{"id":"20261126-000000-002-abcd","state":"' + b"x" * 10_000_000 + b'"}',
    "a time that is none": b'{"id":"20261126-999999-002-abcd","state":"succeeded"}',
    "another day's job": b'{"id":"20250101-000000-002-abcd","state":"succeeded"}',
    "bytes": bytes(range(256)),
    "a damaged row with more": b'{"id":"20261126-000000-002-abcd","state":"damaged","error":{"a":[]}}',
}


@pytest.mark.parametrize("name", LINES)
def test_a_damaged_line_hides_no_job_and_is_mended(results: Results, name: str) -> None:
    add(results, 1, 2)
    assert len(shown(results)) == 2
    with day_file(results).open("ab") as file:
        file.write(LINES[name])  # and no end of the line, as after a death
    assert all(isinstance(row.error, str | None) for row in History(results).newest(10))
    add(results, 3)
    History(results).catch_up()
    rows = History(results).newest(10)
    assert [(row.id, row.state) for row in rows] == [(id_of(number), "succeeded") for number in (3, 2, 1)]


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "2 GB", "unreadable index"])
def test_whatever_lies_in_place_of_the_index_holds_nobody_up(results: Results, kind: str) -> None:
    add(results, 1, 2)
    assert len(shown(results)) == 2
    path = day_file(results)
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "2 GB":
        with path.open("wb") as file:
            file.truncate(2 * 2**30)
    else:
        shutil.rmtree(results.root / FOLDER)
        (results.root / FOLDER).symlink_to("/etc", target_is_directory=True)
    began = time.monotonic()
    assert shown(results) == [id_of(2), id_of(1)]
    add(results, 3)
    if kind in ("pipe", "link", "2 GB"):
        History(results).catch_up()
        assert day_file(results).is_file()
    assert shown(results)[-2:] == [id_of(2), id_of(1)]
    assert time.monotonic() - began < 30


def test_a_damaged_folder_is_a_row_until_it_is_mended(results: Results) -> None:
    good = finished(results, id_of(2))
    text = (good.path / "job.json").read_text()
    (good.path / "job.json").write_text("{")
    History(results).add(good)
    [row] = History(results).newest(5)
    assert row.damaged
    (good.path / "job.json").write_text(text)
    assert History(results).catch_up() == 1
    [row] = History(results).newest(5)
    assert not row.damaged


def test_a_full_or_read_only_volume_fails_no_job(results: Results, caplog: pytest.LogCaptureFixture) -> None:
    folder = finished(results, id_of(1))
    (results.root / FOLDER).write_text("in the way")
    with caplog.at_level(logging.WARNING):
        History(results).add(folder)
    assert f"job {folder.id} is not in the index of jobs yet" in caplog.text


WRITER = """
import sys
from pathlib import Path
from jobs.store.history import History
from jobs.store.results import Results
from tests.store.folders import finished, id_of
results, first = Results(Path(sys.argv[1])), int(sys.argv[2])
for number in range(first, first + 25):
    History(results).add(finished(results, id_of(number), error="x" * 300))
    if number % 10 == 0:
        History(results).catch_up()
"""


def test_workers_that_publish_at_once_lose_no_line(results: Results) -> None:
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(results.root), str(100 * n)], cwd=root)
        for n in range(4)
    ]
    assert [process.wait(120) for process in processes] == [0] * 4
    History(results).catch_up()
    for line in day_file(results).read_bytes().splitlines():
        json.loads(line)
    assert len(set(History(results).ids())) == 100


def test_a_frozen_holder_of_the_lock_holds_nobody_up(
    results: Results, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add(results, 1)
    monkeypatch.setattr(appended_lines, "LOCK_SECONDS", 0.2)
    with (results.root / FOLDER / ".lock").open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        began = time.monotonic()
        with caplog.at_level(logging.WARNING):
            add(results, 2)
        assert time.monotonic() - began < 5
    assert "another process has held the lock" in caplog.text
    assert shown(results) == [id_of(2), id_of(1)]


def test_the_newest_of_a_hundred_thousand_jobs_are_read_soon(results: Results) -> None:
    folder = results.root / FOLDER
    folder.mkdir(parents=True)
    row = Row(id_of(0), "succeeded", "denoiser", "train", "a name", HEADLINE, seconds=1.0, error="x" * 200)
    line = row.line().decode()
    with day_file(results).open("w") as file:
        file.writelines(line.replace(id_of(0), id_of(number)) + "\n" for number in range(100_000))
    History(results)._files.mark_complete()
    for number in range(99_000, 100_000):
        (results.root / id_of(number)).mkdir()
    began = time.process_time()
    assert len(History(results).newest(1_000)) == 1_000
    assert History(results).count() == 100_000
    assert time.process_time() - began < 3
