"""A small record of each accepted job lies beside the results until its folder is published."""

import json
import logging
import os
import shutil
import time
from pathlib import Path

import pytest

from jobs.claim import Claim
from jobs.errors import DamagedFolder
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.results import Results
from jobs.store.saved_records import (
    FOLDER,
    MOST_BYTES,
    SavedRecord,
    needs_of,
    read_saved,
    save_records,
    saved_ids,
)
from tests.store.folders import finished

TRAIN = JobSpec.make("denoiser", "train", data="digits", name="mine", parameters={"epochs": 3})


def save(ledger: Ledger, results: Results) -> None:
    while ledger.changed(10_000):
        save_records(ledger, results)


def claimed(ledger: Ledger, job_id: str) -> Claim:
    claim = ledger.claim(job_id, "w1@host", 7, "0123456789abcdef")
    assert claim is not None
    return claim


def test_a_record_says_what_is_needed_to_queue_the_job_again(ledger: Ledger, results: Results) -> None:
    before, training, evaluation = (new_job_id() for _ in range(3))
    ledger.submit(training, TRAIN, continues=before)
    ledger.submit(evaluation, JobSpec.make("denoiser", "evaluate", data="digits", **{"from": training}))
    save(ledger, results)
    assert saved_ids(results) == [training, evaluation]
    record = read_saved(results, training)
    assert record is not None
    assert StoredSpec.from_json(record.spec).parse() == TRAIN
    assert (record.state, record.attempt, record.continues, record.needs) == ("queued", 0, before, [])
    waiting = read_saved(results, evaluation)
    assert waiting is not None
    assert (waiting.state, waiting.needs) == ("waiting", [training])
    claimed(ledger, training)
    save(ledger, results)
    record = read_saved(results, training)
    assert record is None or record.state in ("queued", "running")


def test_a_record_goes_once_its_folder_is_published(ledger: Ledger, results: Results) -> None:
    published, failed = new_job_id(), new_job_id()
    for job_id, folder in ((published, published), (failed, "")):
        ledger.submit(job_id, TRAIN)
        save(ledger, results)
        claim = claimed(ledger, job_id)
        ledger.finish(claim, "failed", finished=1_000, error="no room", folder=folder)
    save(ledger, results)
    assert saved_ids(results) == [failed]
    record = read_saved(results, failed)
    assert record is not None
    assert (record.state, record.error, record.finished, record.attempt) == ("failed", "no room", 1_000, 1)
    ledger.published(failed, failed)
    save(ledger, results)
    assert saved_ids(results) == []
    assert not list((results.root / FOLDER).iterdir())


def test_what_is_not_saved_yet_is_saved_by_a_later_sweep(ledger: Ledger, results: Results) -> None:
    ids = [new_job_id() for _ in range(250)]
    for job_id in ids:
        ledger.submit(job_id, TRAIN)
    save_records(ledger, results, seconds=0.0)
    assert len(saved_ids(results)) == 100, "one batch, however slow the disk"
    save(ledger, results)
    assert saved_ids(results) == ids
    assert ledger.changed(10) == {}


def test_a_volume_that_takes_no_record_is_logged_once_and_tried_again(
    ledger: Ledger, results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = new_job_id()
    ledger.submit(job_id, TRAIN)
    results.root.mkdir()
    (results.root / FOLDER).write_text("in the way")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            save_records(ledger, results)
    assert caplog.text.count("cannot be saved") == 1
    (results.root / FOLDER).unlink()
    save_records(ledger, results)
    assert saved_ids(results) == [job_id]


def test_a_link_in_place_of_the_folder_leads_nowhere(
    ledger: Ledger, results: Results, tmp_path: Path
) -> None:
    ledger.submit(new_job_id(), TRAIN)
    results.root.mkdir()
    (tmp_path / "outside").mkdir()
    (results.root / FOLDER).symlink_to(tmp_path / "outside", target_is_directory=True)
    save_records(ledger, results)
    assert not list((tmp_path / "outside").iterdir())
    assert saved_ids(results) == []


def test_a_record_that_redis_cannot_read_holds_up_no_other(ledger: Ledger, results: Results) -> None:
    bad, good = new_job_id(), new_job_id()
    for job_id in (bad, good):
        ledger.submit(job_id, TRAIN)
    ledger.redis.hset(f"quartet:job:{bad}", "spec", "{")
    ledger.redis.hset("quartet:changed", mapping={"../../etc": 1, new_job_id(): 1})
    save(ledger, results)
    assert saved_ids(results) == [good]


def test_a_forgotten_job_keeps_no_record_once_it_has_a_folder(ledger: Ledger, results: Results) -> None:
    job_id = new_job_id()
    ledger.submit(job_id, TRAIN)
    save(ledger, results)
    finished(results, job_id)
    ledger.redis.delete(f"quartet:job:{job_id}")
    ledger.redis.hset("quartet:changed", job_id, 9)
    save(ledger, results)
    assert saved_ids(results) == []


def test_the_jobs_that_a_job_needs_are_known_without_its_models_code() -> None:
    training, other = new_job_id(), new_job_id()
    fields = {"model": "unheard", "action": "evaluate", "from": training}
    stored = StoredSpec.read(fields | {"parameters": {"baseline": other, "prompt": "latest", "epochs": 3}})
    assert needs_of(stored) == sorted([training, other])


GOOD = SavedRecord(
    id=new_job_id(), spec=StoredSpec.of(TRAIN).to_json(), state="queued", submitted=1, attempt=0, lost=0, needs=[],
    started=None, finished=None, worker=None, error=None, continues=None, retried=None,
).__dict__  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"id": NaN}', b"{}",
        *(
            json.dumps(GOOD | changes).encode()
            for changes in [
                {"id": "../../etc"}, {"id": new_job_id()}, {"state": "asleep"}, {"state": []}, {"submitted": -1},
                {"submitted": "now"}, {"submitted": 2**60}, {"submitted": 1.5}, {"attempt": None}, {"needs": ["x"]},
                {"needs": "abc"}, {"needs": [[]]}, {"spec": "{"}, {"spec": 7}, {"spec": "[]"}, {"error": {}},
                {"continues": "/"}, {"retried": 3}, {"more": 1},
            ]
        ),
    ],
)  # fmt: skip
def test_a_damaged_record_is_one_sentence(results: Results, content: bytes) -> None:
    folder = results.root / FOLDER
    folder.mkdir(parents=True)
    path = folder / f"{GOOD['id']}.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFolder) as caught:
        read_saved(results, GOOD["id"])
    assert len(str(caught.value)) < 500
    path.write_text(json.dumps(GOOD))
    assert read_saved(results, GOOD["id"]) is not None


def test_whatever_lies_in_place_of_a_record_is_refused_at_once(results: Results) -> None:
    folder = results.root / FOLDER
    folder.mkdir(parents=True)
    path = folder / f"{GOOD['id']}.json"
    os.mkfifo(path)
    with pytest.raises(DamagedFolder):
        read_saved(results, GOOD["id"])
    path.unlink()
    path.write_bytes(b" " * MOST_BYTES + b"{}")
    with pytest.raises(DamagedFolder):
        read_saved(results, GOOD["id"])
    shutil.rmtree(folder)
    assert read_saved(results, GOOD["id"]) is None


def test_ten_thousand_queued_jobs_hold_up_no_sweep(ledger: Ledger, results: Results) -> None:
    for _ in range(1_000):
        ledger.submit(new_job_id(), TRAIN)
    began = time.monotonic()
    save_records(ledger, results, seconds=0.5)
    assert time.monotonic() - began < 20, "it stops at the first batch after its time"
