"""A job's log is read where it is: in a staged folder, then in the published one."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from jobs.client import Client
from jobs.errors import JobConflict
from jobs.job import Job
from tests.support.ended_jobs import claimed, end
from tests.support.processes import until
from tests.support.report_folders import job_record


@pytest.fixture
def job(client: Client) -> Job:
    return client.submit("denoiser", "train", data="digits")


class Follower:
    """Follows a job's log in a thread."""

    def __init__(self, client: Client, job: Job) -> None:
        self.text = ""
        self._thread = threading.Thread(target=self._follow, args=[client, job])
        self._thread.start()

    def _follow(self, client: Client, job: Job) -> None:
        for piece in client.logs(job.id, follow=True):
            self.text += piece

    def ended(self) -> str:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.text


def log_of(client: Client, job: Job) -> Path:
    claim = claimed(client, job)
    return client.results.stage(claim) / "log.txt"


def test_a_log_is_followed_over_attempts_and_publication_each_line_once(client: Client, job: Job) -> None:
    follower = Follower(client, job)
    first = claimed(client, job)
    log = client.results.stage(first) / "log.txt"
    log.write_bytes("one é".encode()[:-1])  # half a character
    until(lambda: follower.text == "one ")
    with log.open("ab") as file:
        file.write("é\n".encode()[1:])
    until(lambda: follower.text == "one é\n")
    client.ledger.hand_back(first, "a test")
    time.sleep(1)
    second = claimed(client, job)
    (client.results.stage(second) / "log.txt").write_text("two\n")
    until(lambda: follower.text == "one é\ntwo\n")
    with (client.results.staging(second) / "log.txt").open("a") as file:
        file.write("three\n")
    record = job_record(job.stored.complete(), job_id=job.id, attempt=second.attempt)
    (client.results.staging(second) / "job.json").write_text(json.dumps(record))
    client.results.publish(second, 0o022)
    client.ledger.finish(second, "succeeded", finished=client.ledger.now(), folder=job.id)
    assert follower.ended() == "one é\ntwo\nthree\n"


def test_a_published_log_is_printed_whole(client: Client, job: Job) -> None:
    end(client, job, log="all of it\n")
    assert "".join(client.logs(job.id)) == "all of it\n" == "".join(client.logs(job.id, follow=True))


def test_a_job_without_a_log_says_why(client: Client, job: Job) -> None:
    with pytest.raises(JobConflict, match="which is queued"):
        list(client.logs(job.id))
    log = log_of(client, job)
    os.mkfifo(log)
    with pytest.raises(JobConflict, match="which has logged nothing here so far"):
        list(client.logs(job.id))


def test_an_ended_job_without_a_log_says_so(client: Client, job: Job) -> None:
    end(client, job)
    for follow in (False, True):
        with pytest.raises(JobConflict, match="which logged nothing"):
            list(client.logs(job.id, follow=follow))
