"""What a client knows without Redis, and what it then says."""

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jobs.client import Client
from jobs.errors import InvalidInput, InvalidSetting, NotEnded, RedisUnreachable, UnknownJob
from jobs.ids import new_job_id
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from tests.cli.program import quartet_here
from tests.support.report_folders import job_record, write_folder

SPEC = JobSpec.make("autoencoder", "train", data="digits", name="first one")
AWAY = "Redis cannot be reached at redis://:***@127.0.0.1:1/0"


@pytest.fixture
def finished(settings: Settings) -> str:
    """The id of a finished training job with a folder."""
    results = Results(settings.results_dir)
    folder = JobFolder(write_folder(results.root, job_record(SPEC, job_id=new_job_id(), continues=None)))
    (folder.path / "report.html").write_text("a page")
    History(results).add(folder)
    return folder.id


@pytest.fixture
def away(settings: Settings) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr("redis://:geheim@127.0.0.1:1/0")})


@pytest.fixture
def never_had_one(settings: Settings) -> Settings:
    """Of a person who only ever uses `quartet run`."""
    return settings.model_copy(update={"redis_url": None})


def once_up(settings: Settings) -> Settings:
    """The same person, after the first `quartet up`."""
    (settings.state_dir / "appendonlydir").mkdir(parents=True)
    return settings.model_copy(update={"redis_url": None})


def test_without_redis_a_list_is_what_has_a_folder_and_ends_with_3(away: Settings, finished: str) -> None:
    for arguments in (("list",), ("list", "--json"), ("list", "--state", "succeeded")):
        done = quartet_here(away, *arguments, code=3)
        assert finished in done.stdout
        assert done.stderr == f"quartet: {AWAY}; these are the jobs with a folder\n"
    assert "[]" in quartet_here(away, "list", "--state", "queued", "--json", code=3).stdout
    assert [job.id for job in Client(away).jobs()] == [finished]


@pytest.mark.parametrize("reference", ["id", "first one"])
def test_without_redis_a_full_id_or_a_name_with_a_folder_is_shown(
    away: Settings, finished: str, reference: str
) -> None:
    text = finished if reference == "id" else reference
    done = quartet_here(away, "show", text)
    assert (finished in done.stdout, done.stderr) == (True, "")
    assert quartet_here(away, "report", text).stdout.strip().endswith(f"{finished}/report.html")


def test_without_redis_what_may_name_a_queued_job_ends_with_3(away: Settings, finished: str) -> None:
    client = Client(away)
    for reference in ("latest", finished[:23], finished[:4], "nobody", new_job_id()):
        for call in (client.job, client.timeline, client.cancel, client.retry):
            with pytest.raises(RedisUnreachable, match="Redis cannot be reached"):
                call(reference)
    with pytest.raises(RedisUnreachable):
        client.submit("autoencoder", "evaluate", source="latest")
    assert quartet_here(away, "show", "latest", code=3).stderr == f"quartet: {AWAY}\n"
    assert not client.redis_answers()


def test_who_never_had_a_redis_is_not_told_of_one(never_had_one: Settings, finished: str) -> None:
    client = Client(never_had_one)
    assert [job.id for job in client.jobs()] == [finished]
    for reference in ("latest", finished, finished[:20], "first one"):
        assert client.job(reference).id == finished
    for reference in ("nobody", "1999", new_job_id()):
        with pytest.raises(UnknownJob):
            client.job(reference)
    done = quartet_here(never_had_one, "list", QUARTET_REDIS_URL="")
    assert (finished in done.stdout, done.stderr) == (True, "")
    assert finished in quartet_here(never_had_one, "show", "latest", QUARTET_REDIS_URL="").stdout
    assert client.make_spec("autoencoder", "evaluate", source="latest", parameters={}).source == finished


def test_after_the_first_up_a_stopped_one_is_missed(settings: Settings, finished: str) -> None:
    stopped = once_up(settings)
    done = quartet_here(stopped, "list", code=3, QUARTET_REDIS_URL="")
    assert finished in done.stdout
    sentence, hint = done.stderr.splitlines()
    assert sentence.startswith(f"quartet: Redis cannot be reached at unix://{stopped.private_socket()}")
    assert hint == "hint: `quartet up` starts a private Redis"
    quartet_here(stopped, "show", "latest", code=3, QUARTET_REDIS_URL="")
    quartet_here(stopped, "show", finished, QUARTET_REDIS_URL="")
    runs = Client(stopped, redis_is_optional=True)
    assert runs.make_spec("autoencoder", "evaluate", source="latest", parameters={}).source == finished


WRONG: dict[str, tuple[Callable[[Client], Any], str]] = {
    "a reference that is a number": (lambda c: c.wait(3), "job"),  # type: ignore[arg-type]
    "a reference that is none": (lambda c: c.job(None), "job"),  # type: ignore[arg-type]
    "a reference that is bytes": (lambda c: c.cancel(b"x"), "job"),  # type: ignore[arg-type]
    "half a character": (lambda c: c.job("\ud800"), "job"),
    "a NUL": (lambda c: c.job("x\0y"), "job"),
    "a source that is a number": (lambda c: c.submit("denoiser", "evaluate", source=3), "from"),  # type: ignore[arg-type]
    "a source that is nothing": (lambda c: c.submit("denoiser", "evaluate", source=""), "from"),
    "a baseline that is a list": (
        lambda c: c.submit("denoiser", "evaluate", source="t", baseline=["t"]),
        "baseline",
    ),
    "a model that is a list": (lambda c: c.submit(["denoiser"], "train"), "model"),  # type: ignore[arg-type]
    "data that are a path": (lambda c: c.submit("denoiser", "train", data=Path("x")), "data"),  # type: ignore[arg-type]
    "a limit that is a text": (lambda c: c.submit("denoiser", "train", time_limit="soon"), "time_limit"),  # type: ignore[arg-type]
    "a timeout that is a text": (lambda c: c.wait("x", "5"), "timeout"),  # type: ignore[arg-type]
    "tags that are a number": (lambda c: c.submit("denoiser", "train", tags=5), "tags"),  # type: ignore[arg-type]
    "a limit of nothing": (lambda c: c.submit("denoiser", "train", time_limit=0), "time_limit"),
    "a spec that is a dictionary": (lambda c: c.submit_spec({"model": "denoiser"}), "spec"),  # type: ignore[arg-type]
    "a retry of a number": (lambda c: c.retry_failed([3]), "job"),  # type: ignore[list-item]
    "a state that is a list": (lambda c: c.jobs(["failed"]), "state"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_from_python_is_one_sentence(client: Client, name: str) -> None:
    client.submit("denoiser", "train", data="digits", name="t")
    call, field = WRONG[name]
    with pytest.raises(InvalidInput) as caught:
        call(client)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)
    assert len(client.jobs()) == 1


@pytest.mark.parametrize("settings", ["nonsense", 3, {"redis_url": "x"}, "", 0, False])
def test_a_client_wants_settings(settings: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"settings: expected jobs\.Settings"):
        Client(settings)


def test_a_time_limit_may_be_given_from_python(client: Client) -> None:
    job = client.submit("denoiser", "train", data="digits", time_limit=50)
    assert (job.spec.time_limit, job.stored.time_limit) == (50, 50)


def test_a_job_that_has_left_redis_cannot_be_cancelled(client: Client, finished: str) -> None:
    assert client.ledger.record(finished) is None
    with pytest.raises(InvalidInput) as caught:
        client.cancel(finished)
    assert caught.value.given == f"{finished}, which succeeded"


def test_a_job_that_is_watched_while_it_leaves_redis_ends(client: Client) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    updates = client.watch(job.id)
    assert next(updates)[0].state == "queued"
    claim = client.ledger.claim(job.id, "w", 30, secrets.token_hex(8))
    assert claim is not None
    write_folder(client.results.root, job_record(SPEC, job_id=job.id, continues=None))
    client.ledger.finish(claim, "succeeded", finished=round(time.time() * 1000) - 10_000, folder=job.id)
    client.ledger.forget(1)
    assert client.ledger.record(job.id) is None
    assert [seen.state for seen, _ in updates][-1] == "succeeded"


def test_waiting_ends_after_a_timeout_and_the_job_goes_on(client: Client) -> None:
    job = client.submit("autoencoder", "train", data="digits")
    for timeout in (0, timedelta(seconds=0.1)):
        with pytest.raises(NotEnded, match=f"job {job.id} has not ended after .* s; it is queued"):
            client.wait(job.id, timeout)
    assert client.job(job.id).state == "queued"
