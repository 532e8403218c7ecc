"""Each host's copy of an object store has what the other hosts did, and nothing that a stranger wrote."""

import hashlib
import json
import shutil
import time
from pathlib import Path

import pytest

from jobs.errors import DamagedFolder, InvalidSetting, LeaseLost
from jobs.ids import new_job_id
from jobs.store import bucket_results
from jobs.store.bucket_results import BucketResults
from jobs.store.copy_of_store import bring_up_to_date
from jobs.store.fingerprints import Fingerprints
from jobs.store.history import History
from jobs.store.job_folder import CHECKPOINT, MANIFEST, MODEL
from jobs.store.labels import Label, Labels
from jobs.store.objects.changes import as_texts
from jobs.store.objects.checkpoints import SharedCheckpoints
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.objects.fetching import FETCHING
from jobs.store.objects.layout import manifest_text
from tests.store.folders import claim, finished


@pytest.fixture
def hosts(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[BucketResults, BucketResults]:
    """Two hosts' copies of one store."""
    monkeypatch.setattr(bucket_results, "_SYNC_SECONDS", 0.0)
    objects = Elsewhere(s3)
    one, two = (BucketResults(tmp_path / name, objects=objects, address=s3) for name in ("one", "two"))
    return one, two


def publish(results: BucketResults) -> str:
    """A job with a model, which lists do not need."""
    job_id = new_job_id()
    staging = results.stage(claim(job_id))
    made = finished(BucketResults(results.root / "made", objects=results.objects, address=""), job_id)
    shutil.copy(made.path / "job.json", staging / "job.json")
    (staging / MODEL).write_bytes(b"weights")
    (staging / "report.html").write_text("page")
    (staging / "metrics.json").write_text('{"loss": 0.5}')
    results.publish(claim(job_id), 0o022)
    return job_id


def names_of(results: BucketResults, job_id: str) -> set[str]:
    return {path.name for path in (results.root / job_id).rglob("*") if path.is_file()}


def test_a_job_is_listed_on_the_other_host_and_its_files_come_when_they_are_read(
    hosts: tuple[BucketResults, BucketResults], tmp_path: Path
) -> None:
    one, two = hosts
    job_id = publish(one)
    [row] = History(two).rows()
    assert (row.id, row.metrics) == (job_id, {"loss": 0.5})
    assert names_of(two, job_id) == {MANIFEST, "job.json", "metrics.json"}
    page = two.with_page(job_id)
    assert page is not None
    assert names_of(two, job_id) == {MANIFEST, "job.json", "metrics.json", "report.html"}
    assert page.verify() == [f"{MODEL} is missing"]
    whole = two.whole(job_id)
    assert whole is not None
    assert whole.verify() == []
    copy = one.fetch(job_id, tmp_path / "fetched")
    assert copy is not None
    assert copy.verify() == []
    assert {path.name for path in (tmp_path / "fetched").iterdir()} == {job_id, ".fetching"}


def test_a_job_is_found_before_anybody_was_told_of_it(hosts: tuple[BucketResults, BucketResults]) -> None:
    one, two = hosts
    job_id = publish(one)
    one.objects.remove([f".changes/{name}" for name in one.objects.names(".changes")])
    assert list(History(two).rows()) == []
    assert two.find(job_id) is not None
    two.tell_again(job_id)
    shutil.rmtree(two.root)
    assert [row.id for row in History(two).rows()] == [job_id]
    assert two.find(new_job_id()) is None


def test_tags_notes_and_deletions_reach_the_other_host(hosts: tuple[BucketResults, BucketResults]) -> None:
    one, two = hosts
    kept, gone = publish(one), publish(one)
    assert len(list(History(two).rows())) == 2
    one.labelled(kept, ["paper"], "the good one")
    shutil.rmtree(one.root / gone)
    one.deleted(gone)
    [row] = History(two).rows()
    assert (row.id, row.tags, row.note) == (kept, ("paper",), "the good one")
    assert not (two.root / gone).exists()
    assert two.objects.names(gone) == []
    Labels(two.root).change(kept, (), remove=["paper"])  # read once more, the change is not made once more
    [row] = History(two).rows()
    assert row.tags == ()


def test_what_a_stranger_wrote_into_the_store_is_neither_shown_nor_leaves_its_folder(
    hosts: tuple[BucketResults, BucketResults],
) -> None:
    one, two = hosts
    job_id = publish(one)
    objects, now = one.objects, f"{round(time.time() * 1000):013}"
    evil = new_job_id()
    objects.write(f"{evil}/{MANIFEST}", f"{'0' * 64}  {'0' * 16}/../../outside\n".encode())
    objects.write(f".changes/{now}-{evil}-published-00000000", b'{"files": {"../outside": "eA=="}}')
    for name in ("x" * 300, "job.json/x"):  # what no disk would take
        other, checksums = new_job_id(), dict.fromkeys(["job.json", name], hashlib.sha256(b"{}").hexdigest())
        manifest = manifest_text(checksums, "0" * 16)
        objects.write(f"{other}/{MANIFEST}", manifest)
        files = as_texts({MANIFEST: manifest, "job.json": b"{}", name: b"{}"})
        objects.write(f".changes/{now}-{other}-published-00000000", json.dumps({"files": files}).encode())
    objects.write(".shared/sweeps/evil/index.html", b"a page")
    two.take_shared(two.root / "sweeps")
    assert not (two.root / "sweeps" / "evil").exists()
    objects.write(f".changes/{now}-{job_id}-labelled-00000000", b'{"tags": 3}')
    objects.write(f".changes/{now}-{job_id}-deleted-00000000", b"[" * 5_000)
    objects.write(".changes/9999999999999-x", b"")
    objects.write(f".changes/9999999999999-{job_id}-labelled-00000000", b'{"tags": [], "note": "later"}')
    assert [row.id for row in History(two).rows()] == [job_id]
    with pytest.raises(DamagedFolder, match=r"MANIFEST\.sha256 in the store cannot be read"):
        two.find(evil)
    assert not list(two.root.parent.rglob("outside"))
    after = publish(one)  # a change of the year 2286 does not hide those of today
    assert {row.id for row in History(two).rows()} == {job_id, after}


def test_a_fingerprint_of_a_stranger_is_written_nowhere(tmp_path: Path) -> None:
    for key in ("/x", "../x", "x" * 64, ""):
        Fingerprints(tmp_path / "results").add(key, new_job_id())
    assert not (tmp_path / "results").exists()


def test_a_file_that_was_changed_in_the_store_is_refused(hosts: tuple[BucketResults, BucketResults]) -> None:
    one, two = hosts
    job_id = publish(one)
    [key] = [name for name in one.objects.names(job_id) if name.endswith(MODEL)]
    one.objects.write(f"{job_id}/{key}", b"others")
    with pytest.raises(DamagedFolder, match=f"{MODEL} in the store does not match its manifest"):
        two.whole(job_id)
    assert MODEL not in names_of(two, job_id)


def test_the_furthest_checkpoint_is_taken_whatever_was_uploaded_last(s3: str, tmp_path: Path) -> None:
    checkpoints, job_id, path = SharedCheckpoints(Elsewhere(s3)), new_job_id(), tmp_path / CHECKPOINT
    for position in ((1, 0), (3, 5), (3, 0), (2, 900)):
        path.write_text(str(position))
        checkpoints.add(job_id, position, path)
    path.unlink()
    assert not checkpoints.take(job_id, path, beyond=(3, 5))
    assert checkpoints.take(job_id, path, beyond=(3, 4))
    assert path.read_text() == "(3, 5)"
    checkpoints.remove(job_id)
    assert not checkpoints.take(job_id, path, beyond=None)


def test_what_an_attempt_uploaded_and_did_not_publish_is_removed(
    hosts: tuple[BucketResults, BucketResults],
) -> None:
    one, _ = hosts
    job_id = new_job_id()
    staging = one.stage(claim(job_id))
    (staging / "job.json").write_text("{}")
    one.objects.write(f"{job_id}/{'f' * 16}/half", b"of an upload")
    SharedCheckpoints(one.objects).add(job_id, (1, 0), staging / "job.json")
    one.publish(claim(job_id), 0o022)
    assert one.objects.names(job_id) == [f"{claim(job_id).token}/job.json", MANIFEST]
    assert one.objects.names(".checkpoints") == []


def test_what_an_attempt_uploads_that_was_frozen_until_another_published_is_removed(
    hosts: tuple[BucketResults, BucketResults],
) -> None:
    one, two = hosts
    job_id = new_job_id()
    for results, attempt in ((one, 1), (two, 2)):
        (results.stage(claim(job_id, attempt)) / "job.json").write_text("{}")
    two.publish(claim(job_id, 2), 0o022)

    def superseded() -> None:
        raise LeaseLost("superseded")

    with pytest.raises(LeaseLost):
        one.publish(claim(job_id), 0o022, superseded)
    assert one.objects.names(job_id) == [f"{claim(job_id, 2).token}/job.json", MANIFEST]
    SharedCheckpoints(one.objects).add(job_id, (1, 0), one.staging(claim(job_id)) / "job.json")
    assert one.objects.names(".checkpoints") == []


class Busy(Elsewhere):
    """Asks the store for a host on which, at each download, another process is told of all jobs."""

    told: BucketResults

    def download(self, key: str, path: Path, most: int) -> bool:
        bring_up_to_date(self.told.objects, self.told.root, lambda *_: None)
        return super().download(key, path, most)


def test_a_job_that_is_fetched_while_another_process_is_told_of_it_is_whole(
    hosts: tuple[BucketResults, BucketResults], s3: str
) -> None:
    one, two = hosts
    job_id = publish(one)
    busy = Busy(s3)
    busy.told = two
    two.root.mkdir()
    whole = BucketResults(two.root, objects=busy, address=s3).whole(job_id)
    assert whole is not None
    assert whole.verify() == []
    assert [path for path in (two.root / FETCHING).iterdir() if path.is_dir()] == []


def test_a_tag_outlives_the_publication_of_a_job_of_which_there_is_a_copy(
    hosts: tuple[BucketResults, BucketResults],
) -> None:
    one, _ = hosts
    publish(one)  # so that there is an index of jobs
    job_id = new_job_id()
    (one.stage(claim(job_id)) / "job.json").write_text("{}")
    Labels(one.root).put(job_id, Label(("paper",), ""))
    finished(one, job_id)  # as another process may have fetched it since the manifest was created
    assert one.publish(claim(job_id), 0o022).verify() == []
    assert Labels(one.root).find(job_id) == Label(("paper",), "")


def test_a_job_is_listed_on_the_other_host_however_large_its_files_are(
    hosts: tuple[BucketResults, BucketResults],
) -> None:
    one, two = hosts
    job_id = new_job_id()
    staging = one.stage(claim(job_id))
    (staging / "job.json").write_text("{}")
    (staging / "history.csv").write_bytes(b"x" * 3 * 2**20)
    one.publish(claim(job_id), 0o022)
    assert [row.id for row in History(two).rows()] == [job_id]
    assert names_of(two, job_id) == {MANIFEST, "job.json", "history.csv"}


def test_small_files_that_every_host_needs_are_shared(hosts: tuple[BucketResults, BucketResults]) -> None:
    one, two = hosts
    mine = one.root / "sweeps" / "first" / "sweep.json"
    mine.parent.mkdir(parents=True)
    mine.write_text(json.dumps({"trials": 3}))
    one.share(mine)
    two.take_shared(two.root / "sweeps")
    assert (two.root / "sweeps" / "first" / "sweep.json").read_bytes() == mine.read_bytes()
    page = two.root / "sweeps" / "first" / "page.json"  # which was never there
    page.write_text("{}")
    mine.unlink()
    one.share(mine)
    assert one.objects.names(".shared") == []
    two.take_shared(two.root / "sweeps")
    assert list((two.root / "sweeps" / "first").iterdir()) == [page]


def test_a_folder_is_the_copy_of_one_store_alone(s3: str, tmp_path: Path) -> None:
    first = BucketResults(tmp_path / "copy", objects=Elsewhere(s3), address=s3)
    first.check_copy()
    first.check_copy()
    other = BucketResults(tmp_path / "copy", objects=Elsewhere(s3), address="s3://other-bucket")
    with pytest.raises(InvalidSetting, match=f"got .*/copy, which is a copy of {s3}"):
        other.check_copy()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".store-id").write_text("0" * 32)
    with pytest.raises(InvalidSetting, match="which is a store itself"):
        BucketResults(tmp_path / "store", objects=Elsewhere(s3), address=s3).check_copy()
    assert len(str(first.give_id())) == 32
    assert first.give_id("0" * 32) == first.id() != "0" * 32


def test_objects_that_are_named_as_a_shared_folder_or_lie_below_a_file_are_left(
    hosts: tuple[BucketResults, BucketResults],
) -> None:
    one, _ = hosts
    mine = one.root / "sweeps" / "first.json" / "sweep.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    one.share(mine)
    one.objects.write(".shared/sweeps", b"no folder")
    one.objects.write(".shared/sweeps/second/sweep.json/other.json", b"{}")
    for host in hosts:
        host.take_shared(host.root / "sweeps" / "second" / "sweep.json")
        assert not (host.root / "sweeps" / "second").exists()
        host.take_shared(host.root / "sweeps")
        assert (host.root / "sweeps" / "first.json" / "sweep.json").read_text() == "{}"
