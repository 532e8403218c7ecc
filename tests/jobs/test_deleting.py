"""A deleted job is gone from disk and from Redis; what an unfinished job needs cannot be deleted."""

from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from jobs import deleting
from jobs.client import Client
from jobs.errors import DamagedFolder, JobConflict, UnknownJob
from jobs.ids import submitted_at
from jobs.job import Job
from jobs.ledger.ledger import Ledger
from jobs.store.history import History
from jobs.store.page_deletions import PAGE_LIST, deleted_of_page, forget_deleted, hide_from_page
from jobs.store.set_aside import FOLDER as DELETED
from jobs.store.set_aside import SetAside
from tests.store.folders import finished
from tests.support.ended_jobs import claimed, end, fail, forget


@pytest.fixture
def trained(client: Client) -> Job:
    job = client.submit("denoiser", "train", data="digits", name="mine")
    end(client, job, checkpoint="a checkpoint")
    return job


def keys_of(client: Client, job: Job) -> set[str]:
    """Where Redis still has the job's id, but for the times of rounds."""
    redis = client.ledger.redis
    return {key for key in redis.keys("quartet:*") if job.id in key or job.id in str(redis.dump(key))}


def test_a_deleted_job_is_in_no_list_and_its_name_is_free(client: Client, trained: Job) -> None:
    assert client.delete("mine") == trained.id
    assert not (client.results.root / trained.id).exists()
    assert not (client.results.root / DELETED).exists()
    assert client.jobs() == []
    assert keys_of(client, trained) <= {"quartet:changed"}
    for reference in ("mine", trained.id):
        with pytest.raises(UnknownJob):
            client.job(reference)


def test_a_job_that_redis_forgot_is_deleted_by_its_folder(client: Client, trained: Job) -> None:
    forget(client, trained)
    client.delete(trained.id)
    assert client.jobs() == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_that_has_not_ended_stays(client: Client, state: str) -> None:
    job = client.submit("denoiser", "train", data="digits")
    if state == "running":
        claimed(client, job)
    with pytest.raises(JobConflict, match=f"expected one that has ended, got {job.id}, which is {state}"):
        client.delete(job.id)
    assert client.job(job.id).state == state


def test_a_failed_job_stays_until_its_checkpoint_is_published(client: Client) -> None:
    job = client.submit("denoiser", "train", data="digits")
    fail(client, job)
    with pytest.raises(JobConflict, match="expected one with a folder"):
        client.delete(job.id)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_model_that_an_unfinished_job_reads_stays(client: Client, trained: Job, state: str) -> None:
    reader = client.submit("denoiser", "evaluate", source=trained.id)
    claim = claimed(client, reader) if state == "running" else None
    with pytest.raises(JobConflict, match=f"got {trained.id}, which job {reader.id} needs"):
        client.delete(trained.id)
    assert (client.results.root / trained.id / "job.json").exists()
    if claim is not None:
        client.ledger.finish(claim, "failed", finished=1, error="no luck", folder=reader.id)
        client.delete(trained.id)


def test_a_checkpoint_that_a_retry_of_a_retry_resumes_from_stays(client: Client) -> None:
    first = client.submit("denoiser", "train", data="digits")
    end(client, first, "failed", checkpoint="a checkpoint", history="epoch\n1\n")
    second = client.retry(first.id)
    client.cancel(second.id)
    third = client.retry(second.id)
    with pytest.raises(JobConflict, match=f"got {first.id}, which job {third.id} needs"):
        client.delete(first.id)


def test_a_job_that_comes_to_need_it_meanwhile_brings_the_folder_back(
    client: Client, trained: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def rename_and_submit(self: Path, target: Path) -> Path:
        if self.name == trained.id and DELETED in str(target):
            client.submit("denoiser", "evaluate", source=trained.id)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_and_submit)
    with pytest.raises(JobConflict, match="needs"):
        client.delete(trained.id)
    assert client.folder(trained.id).job["state"] == "succeeded"


@pytest.mark.parametrize("action", ["evaluate", "train"])
def test_a_job_that_is_queued_as_what_it_needs_is_deleted_is_cancelled_and_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    source = client.submit("denoiser", "train", data="digits")
    end(client, source, "succeeded" if action == "evaluate" else "failed", checkpoint="a checkpoint")
    submit = Ledger.submit

    def delete_and_submit(ledger: Ledger, *arguments: Any) -> None:
        monkeypatch.undo()
        client.delete(source.id)
        submit(ledger, *arguments)

    monkeypatch.setattr(Ledger, "submit", delete_and_submit)
    queue = {
        "evaluate": lambda: client.submit("denoiser", "evaluate", source=source),
        "train": lambda: client.retry(source),
    }
    with pytest.raises(UnknownJob, match=f"{source.id}, which was deleted at this moment"):
        queue[action]()
    assert [job.state for job in client.jobs()] == ["cancelled"]


@pytest.mark.parametrize("stays", [False, True])
def test_a_job_is_queued_or_refused_although_another_process_deletes_for_long(
    client: Client, trained: Job, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    monkeypatch.setattr(deleting, "LOCK_SECONDS", 0.3)
    submit, aside = Ledger.submit, SetAside(client.results.root)

    def take_and_submit(ledger: Ledger, *arguments: Any) -> None:
        aside.take(trained.id)
        submit(ledger, *arguments)
        if stays:
            Timer(0.1, aside.put_back, [trained.id]).start()

    with deleting.alone(client._known):
        monkeypatch.setattr(Ledger, "submit", take_and_submit)
        if stays:
            assert client.submit("denoiser", "evaluate", source=trained).state == "queued"
        else:
            with pytest.raises(UnknownJob, match=f"{trained.id}, which was deleted at this moment"):
                client.submit("denoiser", "evaluate", source=trained)
            assert [job.state for job in client.jobs(action="evaluate")] == ["cancelled"]


def test_what_a_command_left_that_died_is_deleted_by_the_next(client: Client, trained: Job) -> None:
    left = client.results.root / DELETED / "20260101-000000-000-abcd"
    left.mkdir(parents=True)
    client.delete(trained.id)
    assert not left.exists()


def test_what_was_undecided_comes_back_and_what_was_decided_goes(client: Client, trained: Job) -> None:
    others = [client.submit("denoiser", "train", data="digits", seed=seed) for seed in (1, 2)]
    for job in others:
        end(client, job)
    aside = SetAside(client.results.root)
    for job in (trained, others[0]):  # as two commands leave them that are killed
        aside.take(job.id)
    aside.give_up(trained.id)
    client.delete(others[1])
    assert [job.id for job in client.jobs()] == client.ledger.ids() == [others[0].id]
    assert client.folder(others[0]).verify() == []
    assert not (client.results.root / DELETED).exists()


def test_two_who_delete_wait_for_each_other(
    client: Client, trained: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "LOCK_SECONDS", 0.1)
    with (
        deleting.alone(client._known),
        pytest.raises(JobConflict, match=r"expected jobs that nobody else deletes, got .* more than 0\.1 s"),
    ):
        client.delete(trained)
    client.delete(trained)


def test_a_model_that_a_running_sweep_will_read_stays(client: Client, trained: Job) -> None:
    sweep = client.sweep(
        "denoiser", "evaluate", parameters={"noise": [0.2, 0.3]}, name="levels", **{"from": trained.id}
    )
    assert sweep.entries == ()
    with pytest.raises(JobConflict, match=f"got {trained.id}, which the sweep levels counts on"):
        client.delete(trained)
    sweep.stop()
    client.delete(trained)


def test_a_folder_that_may_not_be_moved_is_a_sentence(
    client: Client, trained: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, _: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(DamagedFolder, match=r"cannot be deleted \(permission denied\)"):
        client.delete(trained.id)
    assert client.job(trained.id).state == "succeeded"


def test_the_page_of_all_jobs_learns_of_it_at_once(client: Client, trained: Job) -> None:
    place = client.results.root / PAGE_LIST
    place.parent.mkdir()
    client.delete(trained.id)
    assert place.read_text() == f"quartetDeleted('[\"{trained.id}\"]');\n"


def test_where_there_is_no_page_none_is_begun(client: Client, trained: Job, tmp_path: Path) -> None:
    client.delete(trained.id)
    assert not (client.results.root / PAGE_LIST.parent).exists()
    outside = tmp_path / "outside"
    outside.mkdir()
    (client.results.root / PAGE_LIST.parent).symlink_to(outside)
    hide_from_page(client.results.root, trained.id)
    assert list(outside.iterdir()) == []


def test_a_page_that_cannot_be_changed_is_logged_and_the_job_is_deleted(
    client: Client, trained: Job, caplog: pytest.LogCaptureFixture
) -> None:
    (client.results.root / PAGE_LIST).mkdir(parents=True)
    client.delete(trained.id)
    assert client.jobs() == []
    assert f"still shows job {trained.id}" in caplog.text


def test_the_list_for_the_page_is_emptied_of_what_the_page_lacks(tmp_path: Path) -> None:
    ids = {f"20261123-22153{number}-042-k7qd" for number in range(4)}
    (tmp_path / PAGE_LIST.parent).mkdir()
    for job_id in ids:
        hide_from_page(tmp_path, job_id)
        hide_from_page(tmp_path, job_id)
    assert deleted_of_page(tmp_path) == ids
    forget_deleted(tmp_path, sorted(ids)[:3])
    assert deleted_of_page(tmp_path) == {max(ids)}
    (tmp_path / PAGE_LIST).write_bytes(b"\xffcut o")
    forget_deleted(tmp_path, [])
    assert (tmp_path / PAGE_LIST).read_text() == "quartetDeleted('[]');\n"


def test_who_deletes_a_model_reads_which_ended_jobs_used_it(client: Client, trained: Job) -> None:
    other = client.submit("autoencoder", "train", data="digits")
    end(client, other)
    used = [client.submit("denoiser", "evaluate", source=trained, baseline=other) for _ in range(2)]
    for job in used:
        end(client, job)
    failed = client.submit("denoiser", "generate", source=trained)
    end(client, failed, "failed")
    newest = [failed.id, used[1].id, used[0].id]
    assert client.dependents([trained]) == {trained.id: newest}
    assert client.dependents(["mine", other]) == {trained.id: newest, other.id: newest[1:]}
    assert client.dependents([trained, failed, used[0]]) == {trained.id: [used[1].id]}, "what goes with it"
    assert client.dependents(used) == {}
    client.delete(trained)
    assert client.job(used[0]).state == "succeeded"
    for submit in (
        lambda: client.submit("denoiser", "generate", source=trained.id),
        lambda: client.rerun(failed),
    ):
        with pytest.raises(UnknownJob) as caught:
            submit()
        assert caught.value.field == "from"
        assert caught.value.expected == "a denoiser train job"
        assert caught.value.given.startswith(f"job {trained.id}, which was deleted or never was in ")
        assert caught.value.hint == "`quartet list --model denoiser --action train` shows those that are"


def test_a_job_that_was_resumed_from_a_deleted_one_is_named(client: Client, trained: Job) -> None:
    resumed = client.resume(trained, "+5")
    end(client, resumed)
    assert client.dependents([trained]) == {trained.id: [resumed.id]}


@pytest.mark.parametrize("died", [True, False])
def test_a_deletion_that_is_undone_loses_no_tags_notes_or_place_in_the_list(
    client: Client, trained: Job, monkeypatch: pytest.MonkeyPatch, died: bool
) -> None:
    client.tag(trained, add=["good"])
    client.note(trained, "the best one")
    if died:
        other = client.submit("denoiser", "train", data="digits")
        end(client, other)
        SetAside(client.results.root).take(trained.id)
        History(client.results).catch_up()
        client.delete(other)
    else:
        take = SetAside.take

        def take_while_a_worker_catches_up(self: SetAside, job_id: str) -> None:
            client.submit("denoiser", "evaluate", source=trained.id)
            take(self, job_id)
            History(client.results).catch_up()

        monkeypatch.setattr(SetAside, "take", take_while_a_worker_catches_up)
        with pytest.raises(JobConflict, match="needs"):
            client.delete(trained)
    found = client.job(trained.id)
    assert (found.tags, found.note) == (("good",), "the best one")
    assert trained.id in History(client.results).ids()


def test_a_job_that_a_host_with_another_clock_submitted_is_named(client: Client, trained: Job) -> None:
    day = f"{submitted_at(trained.id) - timedelta(hours=2):%Y%m%d}"
    spec = {"model": "denoiser", "action": "evaluate", "from": trained.id, "parameters": {}}
    earlier, long_before = f"{day}-000000-000-abcd", "20200101-000000-000-abcd"
    for job_id in (earlier, long_before):
        History(client.results).add(finished(client.results, job_id, spec=spec))
    assert client.dependents([trained]) == {trained.id: [earlier]}
