"""The index of all jobs: its rows, damaged folders, and workers that write it together."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jobs.escape_control import escape_control
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from tests.report.pages import Page, index_of
from tests.support.processes import until
from tests.support.report_folders import (
    HOSTILE,
    JOB_ID,
    SHORT_TRAINING,
    hostile_record,
    job_record,
    write_folder,
)
from worker.engine import background
from worker.report import index_page
from worker.report.index_page import LOCK, MOST_ROWS, write_index

HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(600)
"""
"""A worker that holds the lock of the index."""


def publish(root: Path, job_id: str) -> None:
    written = write_folder(root / ".staging", job_record(SHORT_TRAINING, job_id=job_id))
    folder = written.rename(root / job_id)
    History(Results(root)).add(JobFolder(folder))


def test_the_index_lists_every_job_newest_first_and_links_to_its_report(tmp_path: Path) -> None:
    ids = [f"2026112{day}-120000-00{second}-abcd" for day in (3, 4) for second in (1, 2)]
    best = {"label": "binary cross-entropy", "value": 0.0935, "unit": "nats"}
    for job_id in ids:
        write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=job_id, headline=best))
    page = index_of(tmp_path)
    assert page.values("href")[1:] == [f"./{job_id}/report.html" for job_id in reversed(ids)]
    lines = " ".join(page.text.split())
    assert "24 November 2026" in lines
    assert lines.count("0.0935 nats binary cross-entropy") == 4
    assert lines.count("12:00 · took 1 min 03 s") == 4
    assert "4 jobs, newest first" in lines


def test_an_index_of_one_job_says_one_job(tmp_path: Path) -> None:
    write_folder(tmp_path, job_record(SHORT_TRAINING))
    assert "1 job, newest first" in " ".join(index_of(tmp_path).text.split())


def test_a_job_on_the_index_has_its_thumbnail_or_a_stand_in(tmp_path: Path) -> None:
    figures = write_folder(tmp_path, job_record(SHORT_TRAINING)) / "figures"
    assert "img" not in index_of(tmp_path).elements
    figures.mkdir()
    (figures / "thumbnail.png").write_bytes(b"")
    later = JOB_ID.replace("2215", "2216")
    (write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=later)) / "figures").symlink_to(figures)
    History(Results(tmp_path)).catch_up()
    assert index_of(tmp_path).values("src") == [f"./{later}/figures/thumbnail.png", "./index/gallery.js"]


def test_an_empty_index_says_how_to_make_the_first_job(tmp_path: Path) -> None:
    page = index_of(tmp_path / "not there yet")
    assert "quartet run autoencoder train --data digits" in page.text
    assert "download" in page.text


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe\x00",
        b'{"spec": 3, "state": "failed", "headline": null, "error": null, "seconds": 1}',
        *(
            json.dumps(job_record(SHORT_TRAINING, **{name: value})).encode()
            for name, value in [
                ("headline", "good"),
                ("headline", {"label": "x", "value": "high", "unit": ""}),
                ("headline", {"value": 1}),
                ("seconds", "long"),
                ("error", 7),
            ]
        ),
    ],
)
def test_a_damaged_folder_is_a_row_that_says_so(tmp_path: Path, content: bytes | None) -> None:
    damaged = tmp_path / JOB_ID
    damaged.mkdir()
    if content is not None:
        (damaged / "job.json").write_bytes(content)
    whole = JOB_ID.replace("2215", "2216")
    write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=whole))
    page = index_of(tmp_path)
    assert "damaged" in page.text
    assert "missing or is not a job's record" in page.text
    assert f"./{whole}/report.html" in page.values("href")


def test_the_page_itself_lists_the_newest_hundred_and_says_how_to_see_all(tmp_path: Path) -> None:
    for second in range(MOST_ROWS + 2):
        job_id = f"20261123-{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}-000-abcd"
        write_folder(tmp_path, job_record(SHORT_TRAINING, job_id=job_id))
    page = index_of(tmp_path)
    assert "The newest 100 jobs; quartet list lists all of them" in " ".join(page.text.split())
    assert len(page.values("href")) == 1 + MOST_ROWS
    assert not any("-000000-" in link for link in page.values("href"))


def test_hostile_text_on_the_index_changes_no_element(tmp_path: Path) -> None:
    def rows(root: Path, texts: tuple[str, ...]) -> Page:
        best = {"label": texts[0], "value": 1e300, "unit": texts[1]}
        for second, text in enumerate(texts):
            job_id = f"20261123-2215{second:02d}-042-k7qd"
            record = hostile_record(texts, error=text, headline=best)
            record["spec"] |= {"name": text, "model": text[:60], "action": text[:60]}
            record["id"] = job_id
            write_folder(root, record)
        return index_of(root)

    hostile = rows(tmp_path / "hostile", HOSTILE)
    expected = rows(tmp_path / "harmless", tuple(f"harmless {index}" for index in range(len(HOSTILE))))
    assert hostile.elements == expected.elements
    assert all(escape_control(text) in hostile.text for text in HOSTILE)
    assert "1.000 × 10³⁰⁰" in hostile.text


def test_workers_that_finish_together_leave_an_index_with_all_their_jobs(tmp_path: Path) -> None:
    ids = [f"20261123-2215{second:02d}-042-k7qd" for second in range(16)]

    def finish(job_id: str) -> None:
        publish(tmp_path, job_id)
        write_index(Results(tmp_path))

    threads = [threading.Thread(target=finish, args=(job_id,)) for job_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = Page(tmp_path / "index.html")
    assert sorted(page.values("href")[1:]) == [f"./{job_id}/report.html" for job_id in ids]


def test_jobs_published_one_soon_after_another_are_all_on_an_index_that_is_written_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(tmp_path)
    written: list[Results] = []

    def noting_write_index(results: Results) -> bool:
        written.append(results)
        return write_index(results)

    monkeypatch.setattr(index_page, "write_index", noting_write_index)
    ids = [f"20261123-2215{second:02d}-042-k7qd" for second in range(16)]
    for job_id in ids:
        publish(tmp_path, job_id)
        background.update_index(results)
    background.wait_for_index()
    page = Page(tmp_path / "index.html")
    assert sorted(page.values("href")[1:]) == [f"./{job_id}/report.html" for job_id in ids]
    assert len(written) <= 3


def test_a_frozen_worker_that_writes_the_index_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(index_page, "LOCK_SECONDS", 0.2)
    results = Results(tmp_path)
    publish(tmp_path, JOB_ID)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / LOCK)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder, holder.stdout:
        holder.stdout.readline()
        holder.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            with caplog.at_level(logging.WARNING):
                assert not background.write_index(results)
                background.update_index(results)
                background.wait_for_index()
            assert time.monotonic() - began < 10, "a worker that ends waits no longer"
            assert "another worker has been at it" in caplog.text
            assert not (tmp_path / "index.html").exists()
            monkeypatch.setattr(background, "RETRY_SECONDS", 0.1)
            background.update_index(results)
        finally:
            holder.kill()
        until(lambda: (tmp_path / "index.html").exists(), 30, "an index once the lock is free")
        background.wait_for_index()
    assert JOB_ID in Page(tmp_path / "index.html").text


def test_the_index_opens_no_folder_that_was_indexed(tmp_path: Path) -> None:
    publish(tmp_path, JOB_ID)
    assert "succeeded" in index_of(tmp_path).text
    (tmp_path / JOB_ID / "job.json").unlink()
    os.mkfifo(tmp_path / JOB_ID / "job.json")
    assert "succeeded" in index_of(tmp_path).text


def test_a_published_folder_is_read_once_and_a_removed_one_is_no_longer_shown(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, job_record(SHORT_TRAINING))
    assert "succeeded" in index_of(tmp_path).text
    (folder / "job.json").write_text("{")
    assert "succeeded" in index_of(tmp_path).text
    folder.rename(tmp_path / "elsewhere")
    assert "No jobs yet" in index_of(tmp_path).text


def test_a_folder_whose_name_is_nearly_a_job_id_is_no_job_and_hides_none(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, job_record(SHORT_TRAINING))
    (tmp_path / "99999999-221530-042-k7qd").mkdir()
    page = index_of(tmp_path)
    assert folder.name in page.text
    assert "99999999" not in page.text
