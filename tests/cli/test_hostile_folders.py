"""Job folders that a stranger changed: links lead nowhere, and what was changed is noticed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.spec import JobSpec
from jobs.store.atomic_files import write_text
from jobs.store.job_folder import CHECKPOINT, MANIFEST
from jobs.store.results import STAGING
from tests.cli.hostile_world import ID, Row, World, check, table
from tests.support.report_folders import job_record
from worker.report.index_page import LOCK, write_index


def changed(name: str, how: Callable[[Path], Any]) -> Callable[[World], Any]:
    def change(world: World) -> None:
        folder = world.published()
        how(folder.path / name)
        folder.check()

    return change


def link_to_outside(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.parents[2] / "outside" / "secret.txt")


def manifest_that_leads_out(world: World) -> list[str]:
    folder = world.published()
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
    mine = world.client.results.stage(ID, 2)
    assert not mine.is_symlink()
    assert list(mine.iterdir()) == []
    return "a folder of its own"


def linked_leftover(world: World) -> str:
    staging = world.client.results.stage(ID, 1)
    (staging / "figures").symlink_to(world.outside, target_is_directory=True)
    (staging / CHECKPOINT).symlink_to(world.outside / "secret.txt")
    assert list(world.client.results.stage(ID, 2).iterdir()) == []
    return "the links alone are removed"


def linked_staging_folder(world: World) -> Any:
    (world.results / STAGING).symlink_to(world.outside, target_is_directory=True)
    return world.client.results.stage(ID, 1)


def linked_lock(world: World) -> None:
    (world.results / LOCK).symlink_to(world.outside / "secret.txt")
    write_index(world.client.results)


def linked_temporary_file(world: World) -> str:
    (world.results / f".index.html.{os.getpid()}.tmp").symlink_to(world.outside / "secret.txt")
    write_text(world.results / "index.html", "a page")
    return (world.results / "index.html").read_text()


def linked_index(world: World) -> str:
    (world.results / "index.html").symlink_to(world.outside / "secret.txt")
    write_index(world.client.results)
    return "the link is replaced" if not (world.results / "index.html").is_symlink() else "written through"


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
    ("a temporary file that is a link", linked_temporary_file, "a page"),
]  # fmt: skip


@table(FOLDERS)
def test_it_gets_one_sentence_or_does_nothing(world: World, send: Callable[[World], Any], gets: str) -> None:
    check(world, send, gets)
