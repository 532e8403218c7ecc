"""While a job is waited for, a terminal gets lines or a bar, and a notebook one card that changes."""

import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import NotEnded
from jobs.job import Job
from jobs.notebook import progress
from tests.support.ended_jobs import claimed, end
from tests.sweeps.stand_in_worker import StandIn, sweep_of


class Kernel:
    """A notebook: what was displayed, and what then replaced it."""

    def __init__(self) -> None:
        self.cards: list[str] = []
        self.places = 0

    def display(self, content: dict[str, str], raw: bool, display_id: bool) -> "Kernel":
        assert raw
        assert display_id
        self.places += 1
        self.update(content, raw)
        return self

    def update(self, content: dict[str, str], raw: bool) -> None:
        assert raw
        assert content["text/plain"].startswith("<")
        self.cards.append(content["text/html"])


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=found.display))
    return found


def in_a_while(client: Client, job: Job) -> threading.Thread:
    """It runs, reports two epochs, and ends."""

    def work() -> None:
        claim = claimed(client, job)
        for epoch in (1, 2):
            client.ledger.progress(claim, {"epoch": epoch, "epochs": 2, "step": 0, "steps": 5, "loss": 0.5})
            time.sleep(0.4)
        client.ledger.finish(claim, "succeeded", finished=round(time.time() * 1000), error=None, folder="")

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_elsewhere_progress_is_lines_on_standard_error(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    job = client.submit("denoiser", "train", data="digits")
    work = in_a_while(client, job)
    assert job.wait(progress=True).state == "succeeded"
    work.join()
    lines = capsys.readouterr().err.splitlines()
    assert f"{job.id} running: epoch 1/2 done, loss 0.5000" in lines
    assert lines[-1] == f"{job.id} succeeded"


def test_without_progress_nothing_is_shown(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    job = client.submit("denoiser", "train", data="digits")
    end(client, job)
    client.wait(job)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_one_card_which_changes(client: Client, kernel: Kernel) -> None:
    job = client.submit("denoiser", "train", data="digits")
    work = in_a_while(client, job)
    client.wait(job, progress=True)
    work.join()
    assert kernel.places == 1
    assert any("epoch 1/2 done" in card and 'role="progressbar"' in card for card in kernel.cards)
    assert "succeeded" in kernel.cards[-1]
    assert 'role="progressbar"' not in kernel.cards[-1]


def test_a_notebook_without_workers_says_so(client: Client, kernel: Kernel) -> None:
    job = client.submit("denoiser", "train", data="digits")
    with pytest.raises(NotEnded):
        job.wait(timeout=0, progress=True)
    assert "waits for a worker; none is running" in kernel.cards[0]


def test_an_ipython_in_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not progress.in_kernel()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not progress.in_kernel()


@pytest.mark.parametrize("in_notebook", [True, False])
def test_a_sweep_is_followed_to_its_end(
    client: Client, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], in_notebook: bool
) -> None:
    kernel: Any = request.getfixturevalue("kernel") if in_notebook else None
    sweep = client.create_sweep(sweep_of())
    work = threading.Thread(target=StandIn(client).run)
    work.start()
    assert sweep.wait(timeout=60, progress=True).state == "ended"
    work.join()
    if in_notebook:
        assert kernel.places == 1
        assert "3 succeeded" in kernel.cards[-1]
    else:
        assert "best: trial 1 succeeded" in capsys.readouterr().err


def test_a_sweep_is_waited_for_no_longer_than_asked(client: Client) -> None:
    sweep = client.create_sweep(sweep_of())
    with pytest.raises(NotEnded, match="has not ended after 0 s"):
        sweep.wait(timeout=0, progress=True)
