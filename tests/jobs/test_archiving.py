"""What `archive` writes, `restore` brings back; whatever else is in an archive is refused."""

import hashlib
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from jobs import restoring
from jobs.client import Client
from jobs.errors import DamagedArchive, DamagedFolder, InvalidInput, JobConflict
from jobs.job import Job
from jobs.store.archive_file import zstd
from jobs.store.archive_index import NAME, ArchivedJob, index_text
from jobs.store.job_folder import MANIFEST
from jobs.store.labels import Label
from tests.support.ended_jobs import end

JOB = "20261123-221530-042-k7qd"


@pytest.fixture
def trained(client: Client) -> Job:
    job = client.submit("denoiser", "train", data="digits", name="mine", tags=["first"])
    end(client, job, checkpoint="a checkpoint", history="epoch,loss\n1,0.5\n")
    client.tag(job, add=["paper"])
    return client.note(job, "the best so far – ü")


def files_of(client: Client, job: Job) -> dict[str, bytes]:
    folder = client.results.root / job.id
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_an_archived_job_comes_back_with_its_files_tags_and_note(
    client: Client, trained: Job, tmp_path: Path
) -> None:
    failed = client.submit("denoiser", "train", data="digits", seed=1)
    long = end(client, failed, "failed")
    (long / ("figures" + "-" * 90)).mkdir()
    name = f"figures{'-' * 90}/{'ü' * 60}.png"
    (long / name).write_bytes(b"long")
    manifest = long / MANIFEST
    lines = [*manifest.read_text().splitlines(), f"{hashlib.sha256(b'long').hexdigest()}  {name}"]
    manifest.write_text("".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[66:])))
    before = {job.id: files_of(client, job) for job in (trained, failed)}
    path = client.archive([failed, "mine", trained], tmp_path / "two.tar.zst")
    assert path.read_bytes() == client.archive(["mine", failed], tmp_path / "again.tar.zst").read_bytes()
    assert client.restore(path) == [(trained.id, False), (failed.id, False)]
    (client.results.root / "index").mkdir()  # a page, which hides what is deleted
    client.delete(failed)
    client.delete(trained)
    assert client.jobs() == []
    assert client.restore(path) == [(trained.id, True), (failed.id, True)]
    assert {job.id: files_of(client, job) for job in client.jobs()} == before
    back = client.job("mine")
    assert (back.state, back.tags, back.note) == ("succeeded", ("first", "paper"), "the best so far – ü")
    assert client.folder(back).verify() == []
    assert "[]" in (client.results.root / "index" / "deleted.js").read_text()
    assert client.submit("denoiser", "evaluate", source="mine").state == "queued"
    assert not (client.results.root / restoring.RESTORING).exists()
    with pytest.raises(JobConflict, match="expected one that no unfinished job needs"):
        client.delete(back)


def test_only_whole_jobs_are_archived_into_new_files(client: Client, trained: Job, tmp_path: Path) -> None:
    queued = client.submit("denoiser", "train", data="digits", seed=1)
    there = client.archive([trained], tmp_path / "there.tar.zst")
    new = tmp_path / "new.tar.zst"
    for references, path, kind, sentence in (
        (["mine"], there, InvalidInput, "file: expected a new file"),
        (["mine"], tmp_path / "new.tar", InvalidInput, r"file: expected a name that ends in \.tar\.zst"),
        (["mine"], tmp_path / "none" / "new.tar.zst", DamagedFolder, "cannot be written"),
        (["mine"], client.results.root / trained.id / "new.tar.zst", InvalidInput, "outside the results"),
        ([], new, InvalidInput, "jobs: expected jobs that have ended"),
        ([queued], new, JobConflict, "which is queued"),
    ):
        with pytest.raises(kind, match=sentence):
            client.archive(references, path)
    folder = client.results.root / trained.id
    for damage, sentence in (
        (lambda: (folder / "more").write_text(""), f"'more' is not in {MANIFEST}"),
        (lambda: (folder / "checkpoint.npz").write_text("another here"), "'checkpoint.npz' was changed"),
        (lambda: (folder / "checkpoint.npz").unlink(), "'checkpoint.npz' is missing"),
        (lambda: (folder / MANIFEST).write_text("nothing\n"), f"{MANIFEST} cannot be read"),
    ):
        damage()
        with pytest.raises(DamagedFolder, match=sentence):
            client.archive([trained], new)
        (folder / "more").unlink(missing_ok=True)
    assert sorted(path.name for path in tmp_path.glob("*tar*")) == ["there.tar.zst"]


def test_a_job_that_is_there_with_other_files_or_has_not_ended_is_left_alone(
    client: Client, trained: Job, tmp_path: Path
) -> None:
    path = client.archive([trained], tmp_path / "a.tar.zst")
    checkpoint = client.results.root / trained.id / "checkpoint.npz"
    checkpoint.write_text("another here")
    with pytest.raises(JobConflict, match="which is there with other files"):
        client.restore(path)
    assert checkpoint.read_text() == "another here"
    shutil.rmtree(checkpoint.parent)
    client.ledger.redis.hset(client.ledger.job_key(trained.id), "state", "running")
    with pytest.raises(JobConflict, match=r"expected one that has ended, with a folder, got .* is running"):
        client.restore(path)
    assert client.results.find(trained.id) is None
    assert list(tmp_path.glob("results/.restoring/*")) == []


def member(name: str, content: bytes = b"", **changes: Any) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in changes.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def hostile(**changes: Any) -> bytes:
    """An archive of one job, each part of which may be something else."""
    files = changes.pop("files", {"job.json": b"{}"})
    listed = changes.pop("listed", [ArchivedJob(JOB, len(files), sum(map(len, files.values())))])
    manifest = "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items())
    parts = {
        "index": member(NAME, changes.pop("text", index_text(listed))),
        "manifest": member(f"{JOB}/{MANIFEST}", changes.pop("sums", manifest.encode())),
        "content": b"".join(member(f"{JOB}/{name}", text) for name, text in sorted(files.items())),
        "end": bytes(1024),
    }
    return zstd.compress(b"".join((parts | changes).values()))


def link(kind: bytes) -> bytes:
    return member(f"{JOB}/job.json", type=kind, linkname="/etc/passwd")


HUGE = index_text([ArchivedJob(JOB, 1, 10**15)])
HOSTILE = {
    "no zstd file": b"PK\x03\x04" + bytes(100),
    "it is cut off": hostile()[:-20],
    "it ends early": hostile(content=b""),
    "has no job.json that is the record": hostile(),
    "'../../evil' is no name of a file": hostile(files={"../../evil": b"{}"}),
    "'/etc/evil' is no name of a file": hostile(files={"/etc/evil": b"{}"}),
    "'.hidden' is no name of a file": hostile(files={".hidden": b"{}"}),
    r"'job\.json/x' is no name of a file": hostile(files={"job.json": b"{}", "job.json/x": b"{}"}),
    "in it is a symbolic link": hostile(content=link(tarfile.SYMTYPE)),
    "in it is a hard link": hostile(content=link(tarfile.LNKTYPE)),
    "in it is a device": hostile(content=link(tarfile.BLKTYPE)),
    "in it is of a kind that Quartet never writes": hostile(content=link(tarfile.XHDTYPE)),
    r"it has '\.\./evil' where": hostile(content=member("../evil", b"{}")),
    "a name in it has 2,000,000 bytes": hostile(
        content=member("n", type=tarfile.GNUTYPE_LONGNAME, size=2_000_000)
    ),
    r"job\.json' has 5 bytes, more than": hostile(content=member(f"{JOB}/job.json", b"{   }")),
    "does not match its manifest": hostile(content=member(f"{JOB}/job.json", b"[]")),
    "each name once": hostile(sums=f"{'0' * 64}  a\n".encode() * 2),
    "job .* has 1 files and not 2": hostile(listed=[ArchivedJob(JOB, 2, 2)]),
    "would become": hostile(text=HUGE),
    "is no job's id": hostile(listed=[ArchivedJob("../evil", 1, 2)]),
    "lists a job twice": hostile(listed=[ArchivedJob(JOB, 1, 2)] * 2),
    "the note of job .* is no text": hostile(
        text=b'{"form": 1, "jobs": [{"id": "%s", "files": 1, "bytes": 2, "tags": [], "note": "\\ud800"}]}'
        % JOB.encode()
    ),
    "has tags other than 1 to 40": hostile(listed=[ArchivedJob(JOB, 1, 2, Label(("a b",)))]),
    "does not list jobs": hostile(text=b"[]"),
    "which another version of Quartet wrote": hostile(text=b'{"form": 2, "jobs": []}'),
    "has bytes, more than its archive|has 99,999,999 bytes": hostile(index=member(NAME, size=99_999_999)),
}


def test_hostile_archives_are_refused_and_leave_nothing(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.zst"
    client.results.root.mkdir()
    for sentence, content in HOSTILE.items():
        path.write_bytes(content)
        with pytest.raises(DamagedArchive, match=sentence):
            client.restore(path)
        left = {found.name for found in client.results.root.iterdir() if found.is_dir()}
        assert left == set(), (sentence, left)
    assert {found.name for found in tmp_path.iterdir()} <= {"evil.tar.zst", "results", "state", "data"}


def test_jobs_are_restored_whether_or_not_anybody_reads_which(
    client: Client, trained: Job, tmp_path: Path
) -> None:
    path = client.archive([trained], tmp_path / "a.tar.zst")
    client.delete(trained)
    client.restore(path)
    assert client.folder(trained).verify() == []
    told: list[tuple[str, bool]] = []
    assert client.restore(path, lambda *each: told.append(each)) == told == [(trained.id, False)]


def test_what_follows_the_last_file_is_refused(client: Client, trained: Job, tmp_path: Path) -> None:
    path = client.archive([trained], tmp_path / "a.tar.zst")
    content = zstd.decompress(path.read_bytes())
    for more in (content[:-1024] + member(f"{trained.id}/more", b"x") + bytes(1024), content + b"x"):
        path.write_bytes(zstd.compress(more))
        with pytest.raises(DamagedArchive, match="it goes on after its last file"):
            client.restore(path)


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_written(
    client: Client, trained: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = client.archive([trained], tmp_path / "a.tar.zst")
    shutil.rmtree(client.results.root / trained.id)
    monkeypatch.setattr(restoring.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 10))  # type: ignore[attr-defined]
    with pytest.raises(DamagedArchive, match=r"it needs \d+ B, and .* has 10 B left"):
        client.restore(path)
    with pytest.raises(InvalidInput, match="file: expected an archive that `quartet archive` wrote"):
        client.restore(tmp_path / "none.tar.zst")
