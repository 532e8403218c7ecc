"""Each line of a worker's log is one event that says which job it is about, as text or as JSON."""

import json
import logging
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from jobs.claim import Claim
from jobs.client import Client
from jobs.settings import Settings
from tests.support.processes import Workers, ended, progress_of, until
from worker.engine.background import FINISHING
from worker.engine.log_lines import NAME_VARIABLE, JsonLines, TextLines, lines_about

JOB, NEXT = "20261127-204340-208-qlgs", "20261127-204341-100-aaaa"


def record(text: str, *arguments: object, error: bool = False, **more: Any) -> logging.LogRecord:
    try:
        raise ValueError("two\nlines \x1b[2J")
    except ValueError:
        found = logging.LogRecord("name", 30, "f.py", 1, text, arguments, sys.exc_info() if error else None)
    found.__dict__.update(more)
    return found


def test_an_event_is_one_line_whatever_its_text_and_only_a_traceback_follows_indented() -> None:
    forged = record("loss %s\n[2026-11-27 20:43:54: INFO] all is well\x1b[2J", 0.5)
    head = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}: WARNING/\w+\]"
    said = TextLines().format(forged)
    assert re.fullmatch(rf"{head} loss 0\.5 \[2026-11-27 20:43:54: INFO\] all is well\[U\+001B\]\[2J", said)
    first, *others = TextLines().format(record("failed", error=True)).splitlines()
    assert re.fullmatch(rf"{head} failed", first)
    assert all(line.startswith("    ") for line in others)
    assert others[-2:] == ["    ValueError: two", "    lines [U+001B][2J"]


def test_json_has_each_part_in_a_field_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME_VARIABLE, "w1@host")
    text = JsonLines().format(record("failed\nbadly", error=True, created=1_800_000_000.25))
    assert "\n" not in text
    found = json.loads(text)
    trace = found.pop("exception")
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: two\nlines [U+001B][2J")
    assert found == {
        "time": "2027-01-15T08:00:00.250Z",
        "level": "WARNING",
        "logger": "name",
        "message": "failed\nbadly",
        "worker": "w1@host",
        "process": os.getpid(),
    }


def test_a_line_says_the_job_of_its_thread_and_celery_which_task_it_means() -> None:
    def job_in(thread: str = "MainThread", **more: Any) -> tuple[str | None, int | None]:
        found = json.loads(JsonLines().format(record("text", threadName=thread, **more)))
        return found.get("job"), found.get("attempt")

    with lines_about(Claim(JOB, 2, "token")):
        assert (job_in(), job_in("heartbeat"), job_in(FINISHING)) == ((JOB, 2), (JOB, 2), (None, None))
        assert f" job {JOB}, attempt 2: text" in TextLines().format(record("text"))
        seen = []

        def end() -> None:
            with lines_about(Claim(NEXT, 1, "token")):
                seen.extend([job_in(), job_in(FINISHING)])

        thread = threading.Thread(target=end, name=FINISHING)
        thread.start()
        thread.join()
        assert seen == [(JOB, 2), (NEXT, 1)]
    assert job_in() == (None, None)
    assert job_in(data={"id": JOB}) == (JOB, None)
    assert job_in(data={"id": "../../etc"}) == (None, None)


PRINTING = """
import os, subprocess, sys
from jobs.settings import read_settings
from worker.engine.log_lines import set_up_logs
settings = read_settings(log_format="json")
set_up_logs(settings, "w1@host")
os.write(2, b"E0000 00:00:1.5 1 cuda.cc:52] no device\\n\\n")
child = "import os; os.write(2, b'last words \\\\xff'); os.write(1, b'x' * 70_000); os.kill(os.getpid(), 9)"
subprocess.run([sys.executable, "-c", child])
print('{"time": broken', file=sys.stderr)
raise SystemExit("the end")
"""


def test_what_is_written_past_all_loggers_becomes_events_to_the_last_line() -> None:
    done = subprocess.run([sys.executable, "-c", PRINTING], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(event["level"], event["message"]) for event in events[:1]] == [
        ("ERROR", "E0000 00:00:1.5 1 cuda.cc:52] no device")
    ]
    whole = "".join(event["message"] for event in events)
    assert "last words \\xff" in whole
    assert whole.count("x") >= 70_000
    assert [event["message"] for event in events[-1:]] == ["the end"]
    assert '{"time": broken' in whole


@pytest.mark.chaos
def test_each_line_of_a_real_worker_is_an_event_also_when_its_process_is_killed(
    settings: Settings, tmp_path: Path
) -> None:
    told = settings.model_copy(update={"log_format": "json"})
    client, workers = Client(told), Workers(told, tmp_path)
    try:
        [worker] = workers.start()
        job = client.submit("autoencoder", "train", data="digits", epochs=100_000)
        until(lambda: progress_of(client, job.id).get("epoch", 0) > 1, 90, "an epoch")
        workers.child_of(worker).kill()
        until(lambda: client.job(job.id).attempt == 2, 60, "the second attempt")
        client.cancel(job.id)
        ended(client, job.id)
    finally:
        workers.end()
    events = [json.loads(line) for line in (tmp_path / "w1.log").read_text().splitlines()]
    assert all({"time", "level", "logger", "message", "worker"} <= event.keys() for event in events)
    assert {event["worker"].partition("@")[0] for event in events} == {"w1"}
    about = {(event["job"], event.get("attempt")) for event in events if "job" in event}
    assert {(job.id, None), (job.id, 1)} <= about
    assert {found for found, _ in about} == {job.id}
    assert any("SIGKILL" in event["message"] + event.get("exception", "") for event in events)
