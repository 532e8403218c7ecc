"""Job folders that a stranger changed: links lead nowhere, what was changed is noticed, and nothing hangs."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.claim import Claim
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store import atomic_files
from jobs.store.atomic_files import write_text
from jobs.store.history import FOLDER, History
from jobs.store.job_folder import CHECKPOINT, MANIFEST, JobFolder
from jobs.store.results import Results
from jobs.store.staging import STAGING
from tests.cli.hostile_world import CONTROL, ID, Row, World, check, table
from tests.cli.program import QUARTET, environment
from tests.store.folders import finished, id_of
from tests.support.report_folders import job_record
from worker.report.index_page import LOCK, write_index
from worker.training.checkpoint import Checkpoint

pytestmark = pytest.mark.chaos

CLAIM, LATER = Claim(ID, 1, "0123456789abcdef"), Claim(ID, 2, "fedcba9876543210")


def published(world: World) -> JobFolder:
    """A folder that we published, with a model and a checkpoint."""
    staging = world.client.results.stage(CLAIM)
    record = job_record(JobSpec.make("autoencoder", "train"), job_id=ID)
    (staging / "job.json").write_text(json.dumps(record))
    (staging / "model.keras").write_bytes(b"weights")
    Checkpoint(variables=[np.zeros(3, np.float32)]).write(staging / CHECKPOINT)
    return world.client.results.publish(CLAIM, 0o022)


def changed(name: str, how: Callable[[Path], Any]) -> Callable[[World], Any]:
    def change(world: World) -> None:
        folder = published(world)
        how(folder.path / name)
        folder.check()

    return change


def link_to_outside(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.parents[2] / "outside" / "secret.txt")


def manifest_that_leads_out(world: World) -> list[str]:
    folder = published(world)
    with (folder.path / MANIFEST).open("a") as file:
        file.write(f"{'0' * 64}  ../../outside/secret.txt\n")
    return folder.verify()


def linked_job(world: World) -> Any:
    (world.outside / "job.json").write_text(
        json.dumps(job_record(JobSpec.make("autoencoder", "train"), job_id=ID))
    )
    (world.results / ID).symlink_to(world.outside, target_is_directory=True)
    assert world.client.jobs() == []
    write_index(world.client.results)
    assert ID not in (world.results / "index.html").read_text()
    return world.client.folder(ID)


def linked_staging(world: World) -> str:
    (world.results / STAGING).mkdir()
    (world.results / STAGING / f"{ID}.1").symlink_to(world.outside, target_is_directory=True)
    mine = world.client.results.stage(LATER)
    assert not mine.is_symlink()
    assert list(mine.iterdir()) == []
    return "a folder of its own"


def linked_leftover(world: World) -> str:
    staging = world.client.results.stage(CLAIM)
    (staging / "figures").symlink_to(world.outside, target_is_directory=True)
    (staging / CHECKPOINT).symlink_to(world.outside / "secret.txt")
    assert list(world.client.results.stage(LATER).iterdir()) == []
    return "the links alone are removed"


def linked_staging_folder(world: World) -> Any:
    (world.results / STAGING).symlink_to(world.outside, target_is_directory=True)
    return world.client.results.stage(CLAIM)


def linked_lock(world: World) -> None:
    (world.results / LOCK).symlink_to(world.outside / "secret.txt")
    write_index(world.client.results)


def linked_temporary_file(world: World) -> str:
    (world.results / f".index.html.{atomic_files._HOST}-{os.getpid()}.tmp").symlink_to(
        world.outside / "secret.txt"
    )
    write_text(world.results / "index.html", "a page")
    return (world.results / "index.html").read_text()


def linked_index(world: World) -> str:
    (world.results / "index.html").symlink_to(world.outside / "secret.txt")
    write_index(world.client.results)
    return "the link is replaced" if not (world.results / "index.html").is_symlink() else "written through"


def linked_history(world: World) -> str:
    (world.results / FOLDER).symlink_to(world.outside, target_is_directory=True)
    history = History(world.client.results)
    history.add(published(world))
    assert [row.id for row in history.newest(5)] == [ID]
    return f"{len(list(world.outside.glob('*.jsonl')))} lines outside"


FOLDERS: list[Row] = [
    ("a model that was changed", changed("model.keras", lambda p: p.write_bytes(b"x")), "model.keras was changed after"),
    ("a checkpoint that was changed", changed(CHECKPOINT, lambda p: p.write_bytes(b"x")), "was changed after"),
    ("a model that is a link", changed("model.keras", link_to_outside), "model.keras is missing"),
    ("a file that was slipped in", changed("vocabulary.json", lambda p: p.write_text("{}")), "is not in MANIFEST"),
    ("a link that was slipped in", changed("words.txt", link_to_outside), "words.txt is a symbolic link"),
    ("a manifest that leads out", manifest_that_leads_out, "secret.txt is missing"),
    ("a job that is a link", linked_job, f"job: expected a job's id, .*, got '{ID}'"),
    ("staging that is a link", linked_staging, "a folder of its own"),
    ("links in staging", linked_leftover, "the links alone are removed"),
    ("a folder for staging that is a link", linked_staging_folder, "the folder for staging is a symbolic link"),
    ("the index' lock that is a link", linked_lock, "symbolic link"),
    ("an index that is a link", linked_index, "the link is replaced"),
    ("an index of jobs that is a link", linked_history, "0 lines outside"),
    ("a temporary file that is a link", linked_temporary_file, "a page"),
]  # fmt: skip


@table(FOLDERS)
def test_it_gets_one_sentence_or_does_nothing(world: World, send: Callable[[World], Any], gets: str) -> None:
    check(world, send, gets)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2 * 2**30)


def holding(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def recording(**changes: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return write


def crowded(path: Path) -> None:
    for number in range(10_100):
        (path.parent / f"file {number}").touch()


def oddly_named(path: Path) -> None:
    for name in (b"line\nbreak", b"\x1b[31m", b"\xff\xfe", "\u202egnp".encode(), b"-rf", b"x" * 255):
        (path.parent / os.fsdecode(name)).touch()


def nested(path: Path) -> None:
    above = path.parent
    for _ in range(60):
        above = above / ("d" * 60)
        above.mkdir()
    for _ in range(60):
        os.mkfifo(above / f"p{_}")


STRANGE: dict[str, Callable[[Path], None]] = {
    "a pipe": pipe,
    "a device": device,
    "a folder": directory,
    "2 GB": huge,
    "nothing": Path.unlink,
    "no UTF-8": holding(b'{"id": "\xff"}'),
    "deep nesting": holding(b"[" * 1_000_000),
    "deep nesting inside": holding(b'{"spec": ' + b'{"a":' * 100_000),
    "an infinity": holding(b'{"seconds": 1e309}'),
    "NaN": holding(b'{"seconds": NaN}'),
    "a huge integer": holding(b'{"seconds": ' + b"9" * 100_000 + b"}"),
    "a list": holding(b"[]"),
    "half a pair": recording(error="\ud800", state="failed", worker="\udfff"),
    "a huge attempt": recording(attempt=10**4000),
    "a time that is none": recording(times={"submitted": "0000", "started": None, "finished": []}),
    "a name that is a list": recording(spec={"model": "denoiser", "action": "train", "name": []}),
    "a timeline that is none": recording(timeline={"a": 1}),
    "escapes": recording(error="\x1b[2J\n" * 1_000, state="failed"),
    "a crowd": crowded,
    "odd names": oddly_named,
    "deep folders": nested,
}


@pytest.fixture(scope="module")
def strange(service_settings: Settings) -> dict[str, str]:
    """For each kind, the id of a job whose `job.json`, or whose folder, is of that kind."""
    results, ids = Results(service_settings.results_dir), {}
    for number, (kind, make) in enumerate(STRANGE.items()):
        folder = finished(results, id_of(number))
        (folder.path / "report.html").touch()
        (folder.path / MANIFEST).write_text(f"{'0' * 64}  job.json\n")
        make(folder.path / "job.json")
        ids[kind] = folder.id
    for kind in ("a pipe", "a device", "a folder", "2 GB", "no UTF-8"):
        folder = finished(results, id_of(len(ids)))
        (folder.path / MANIFEST).write_bytes(b"x")
        STRANGE[kind](folder.path / MANIFEST)
        ids[f"{kind} as the manifest"] = folder.id
    return ids


@pytest.fixture(scope="module")
def service_settings(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("strange")
    return Settings(
        redis_url=redis_url,
        results_dir=folder / "results",
        data_dir=folder / "data",
        state_dir=folder / "state",
    )


def said(settings: Settings, *arguments: str) -> str:
    """What the program says of it, at once and in a few words."""
    began = time.monotonic()
    done = subprocess.run(
        [QUARTET, *arguments], env=environment(settings), capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, 1, 2), done
    assert "Traceback" not in done.stderr
    assert not CONTROL.search(done.stdout + done.stderr)
    assert len(done.stderr) < 8_000
    assert time.monotonic() - began < 60
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind", [*STRANGE, "a pipe as the manifest", "2 GB as the manifest"])
def test_no_strange_folder_hangs_or_breaks_the_program(
    service_settings: Settings, strange: dict[str, str], kind: str
) -> None:
    job_id = strange[kind]
    assert said(service_settings, "show", job_id).strip()
    if kind in ("a pipe", "2 GB", "deep nesting", "half a pair"):
        assert said(service_settings, "report", job_id).strip()
    told = said(service_settings, "verify", job_id)
    if kind not in ("a pipe", "a device", "a folder", "nothing"):  # whose folders are no jobs
        assert re.search("was changed after|cannot be read|not a job's record|more than|no job writes", told)


@pytest.mark.usefixtures("strange")
def test_strange_folders_hide_no_other_in_a_list(service_settings: Settings) -> None:
    whole = finished(Results(service_settings.results_dir), id_of(100_000))
    History(Results(service_settings.results_dir)).catch_up()
    for arguments in (("list",), ("list", "--json"), ("list", "--state", "succeeded")):
        assert whole.id in said(service_settings, *arguments)
    assert write_index(Results(service_settings.results_dir))
    page = (service_settings.results_dir / "index.html").read_text()
    assert page.count("missing or is not a job") >= 12
    assert whole.id in page
