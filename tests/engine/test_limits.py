"""A job that takes too long or too much fails with that sentence, and its worker is fit for the next."""

from collections.abc import Iterator

import psutil
import pytest

from jobs.client import Client
from jobs.settings import Settings
from jobs.spec import JobSpec
from tests.support.processes import Workers, ended, one_worker_in, until

pytestmark = pytest.mark.chaos

STUCK = """
import ctypes, importlib.machinery, logging, os, pathlib, sys, threading, time
from jobs.settings import read_settings

def chatter():
    while True:
        logging.getLogger("stuck").warning("a library goes on logging")
        time.sleep(0.001)

class Stuck:
    \"\"\"Hangs where the denoiser's task begins.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name == "worker.tasks.denoiser.task":
            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        threading.Thread(target=chatter, daemon=True).start()
        exec(pathlib.Path({hang!r}).read_text())

sys.meta_path.insert(0, Stuck())
"""


NATIVE = "ctypes.CDLL(None).sleep(1000)"
"""Native code that does not come back."""

NATIVE_WITH_THE_LOCK = "ctypes.PyDLL(None).sleep(1000)"
"""As `NATIVE`, and it holds Python's lock."""

UNTIL_GIVEN_UP = """
staging = read_settings().results_dir / ".staging"
mine = os.listdir(staging)
while os.listdir(staging) == mine:
    time.sleep(0.001)
raise RuntimeError("it goes on at the worst moment")
"""
"""What ends as soon as its job's staging folder was moved out of its reach."""


@pytest.fixture(scope="module")
def workers(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """One worker with all limits, which outlives every job of these tests.

    Every denoiser hangs as `hang.py` in the folder of its log says.
    """
    folder = tmp_path_factory.mktemp("limited")
    (folder / "sitecustomize.py").write_text(STUCK.format(hang=str(folder / "hang.py")))
    # TensorFlow and a small training take 0.9 GB.
    limits = {"stop_grace_seconds": 2.0, "max_lost_workers": 2, "memory_limit_gb": 1.25}
    with one_worker_in(folder, redis_url, **limits) as found:
        yield found


@pytest.fixture(scope="module")
def settings(workers: Workers) -> Settings:
    return workers.settings


def stick(hang: str, workers: Workers) -> None:
    """Let every denoiser hang as one of the above does."""
    (workers.folder / "hang.py").write_text(hang)


def fit_for_the_next(client: Client) -> None:
    after = client.submit("autoencoder", "train", data="digits", epochs=1, fresh=True)  # not an earlier one
    assert ended(client, after.id).state == "succeeded"


def test_a_job_that_is_stuck_in_native_code_ends_at_its_time_limit(client: Client, workers: Workers) -> None:
    stick(NATIVE, workers)
    job = client.submit_spec(JobSpec.make("denoiser", "train", data="digits", time_limit=3))
    failed = ended(client, job.id)
    assert failed.error == "exceeded its time limit of 3 seconds"
    assert failed.attempt == 1
    assert client.folder(job.id).verify() == []
    fit_for_the_next(client)


def test_a_job_that_lets_not_even_its_heartbeat_run_counts_like_one_that_kills_its_worker(
    client: Client, workers: Workers
) -> None:
    stick(NATIVE_WITH_THE_LOCK, workers)
    log = workers.folder / "w1.log"
    before = log.read_text().count("did not stir for")
    job = client.submit("denoiser", "train", data="digits")
    failed = ended(client, job.id, 180)
    assert (failed.error, failed.attempt) == ("its worker died twice", 2), workers.logs()
    texts = [entry["text"] for entry in client.timeline(job.id)]
    # Whoever notices first: the sweeper, or the worker itself, which kills the process in any case.
    assert len([text for text in texts if text.startswith("worker died: ")]) == 2, texts
    until(lambda: log.read_text().count("did not stir for") == before + 2, 30, "the end of both processes")
    until(lambda: client.results.find(job.id), 20, "the folder of the failure")
    assert client.folder(job.id).verify() == []
    fit_for_the_next(client)
    assert workers.started[0].process.poll() is None  # the same main process all along


def test_a_stuck_job_that_is_cancelled_ends_so_though_it_fails_while_it_is_given_up(
    client: Client, workers: Workers
) -> None:
    stick(UNTIL_GIVEN_UP, workers)
    job = client.submit("denoiser", "train", data="digits")
    until(lambda: client.results.staged(job.id), 60, "its start")
    client.cancel(job.id)
    cancelled = ended(client, job.id)
    assert (cancelled.state, cancelled.error) == ("cancelled", None), workers.logs()
    assert f"job {job.id} does not stop; its process ends" in (workers.folder / "w1.log").read_text()
    fit_for_the_next(client)


def test_a_job_over_the_memory_limit_fails_and_the_worker_is_fit_for_the_next(
    client: Client, workers: Workers
) -> None:
    fit_for_the_next(client)
    child = workers.child_of(workers.started[0]).pid
    # So many LSTM units take 1.5 GB and more.
    job = client.submit("textgen", "train", data="pydoc", units=1_500, batch_size=256)
    failed = ended(client, job.id, 120)
    assert failed.error == "exceeded its memory limit of 1.25 GB", workers.logs()
    assert (failed.attempt, client.folder(job.id).verify()) == (1, [])
    # A process does not give memory back: the next job, which needs little, has one of its own.
    fit_for_the_next(client)
    until(lambda: not psutil.pid_exists(child), 60, "the end of the process that needed much")
