"""What a stranger may send, and what it gets: nothing runs, nothing leaves its folder, no page breaks.

Each row is a name, what is sent, and the sentence or the result that it gets. After each row the file
that lies outside of everything is still what it was. Reviews and their archives have tests of their own.
"""

import io
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_folders import HOSTILE, job_record, write_folder

from jobs.client import Client
from jobs.command import command_line
from jobs.datasets import check_data
from jobs.errors import QuartetError
from jobs.files import write_text
from jobs.folder import CHECKPOINT, MANIFEST, STAGING, JobFolder
from jobs.job_id import new_job_id
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.terminal import show_job, show_jobs
from worker.data.images import load_images
from worker.report.index import LOCK, write_index
from worker.report.page import render
from worker.training import Checkpoint

ID = "20261123-221530-042-k7qd"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Bomb:
    """Unpickled, it would write into the working folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch owned",)


@dataclass
class World:
    """A client, its results folder, and a file outside that nothing may touch or show."""

    settings: Settings
    client: Client
    folder: Path
    outside: Path

    @property
    def results(self) -> Path:
        self.settings.results_dir.mkdir(exist_ok=True)
        return self.settings.results_dir

    def spec(self, **fields: Any) -> str:
        return JobSpec.make("autoencoder", "train", **fields).to_json()

    def queued(self, **fields: Any) -> str:
        """A job in Redis whose record somebody changed."""
        job_id = self.client.submit("autoencoder", "train", data="digits").id
        self.client.ledger.redis.hset(f"quartet:job:{job_id}", mapping=fields)
        other = self.client.submit("autoencoder", "train", data="digits").id
        assert [job.id for job in self.client.jobs()] == [other], "it hides no other"
        return str(self.client.job(job_id))

    def finished(self, **changes: Any) -> JobFolder:
        """A folder that came from anywhere."""
        spec = JobSpec.make("autoencoder", "train", data="digits")
        return JobFolder(write_folder(self.results, job_record(spec, job_id=ID) | changes))

    def published(self) -> JobFolder:
        """A folder that we published, with a model and a checkpoint."""
        results = self.client.results
        staging = results.stage(ID, 1)
        (staging / "job.json").write_text(
            json.dumps(job_record(JobSpec.make("autoencoder", "train"), job_id=ID))
        )
        (staging / "model.keras").write_bytes(b"weights")
        Checkpoint(variables=[np.zeros(3, np.float32)]).write(staging / CHECKPOINT)
        return results.publish(ID, 1, 0o022)

    def images(self, name: str, content: bytes) -> str:
        """What reading a file of images gets."""
        path = self.folder / name
        path.write_bytes(content)
        return str(load_images(str(path), self.settings))

    def checkpoint(self, **arrays: Any) -> str:
        path = self.folder / CHECKPOINT
        np.savez(path, **arrays)
        return str(Checkpoint.read(path))

    def shown(self, capsys: pytest.CaptureFixture[str], reference: str) -> str:
        """`quartet list` and `quartet show`, as a terminal gets them."""
        job = self.client.job(reference)
        show_jobs([job])
        show_job(job, self.client.timeline(reference), {}, command_line(job.spec))
        return capsys.readouterr().out

    def page(self, **changes: Any) -> str:
        """A report and the index of a job that says such things."""
        folder = self.finished(state="failed", **changes).path
        render(folder)
        write_index(self.client.results)
        pages = [path.read_text() for path in (folder / "report.html", self.results / "index.html")]
        assert not any("<script>document" in page or "<img src=x" in page for page in pages)
        assert not any(CONTROL.search(page) for page in pages)
        return "the page is whole"


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("a secret")
    return World(settings, Client(settings), tmp_path, outside)


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def header(shape: tuple[int, ...], data: bytes = b"") -> bytes:
    """An .npy file that says it has this shape, whatever it has."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue() + data


def objects() -> Any:
    return np.array([Bomb()], object)


Row = tuple[str, Callable[[World], Any], str]

NO_JOB = "nothing is called .*; allowed: a job's id, an unambiguous beginning"
REFERENCES: list[Row] = [
    (f"the reference {text[:24]!r}", lambda w, text=text: w.client.job(text), NO_JOB)
    for text in (
        "..",
        "../outside",
        "/etc/passwd",
        f"{ID}/../../outside",
        "~root",
        "x\0y",
        "",
        "*",
        "%2e%2e%2foutside",
        "\x1b]0;owned\x07",
        "a" * 100_000,
    )
]


def spec_row(row: str, gets: str, /, model: str = "autoencoder", action: str = "train", **fields: Any) -> Row:
    return row, lambda w: w.client.submit_spec(JobSpec.make(model, action, **fields)), gets


SPECS: list[Row] = [
    spec_row("a model that is a path", "model '../../x' is unknown", model="../../x"),
    spec_row("a model that is code", "is unknown", model="__import__('os').system('touch owned')"),
    spec_row("an action that is a method", "action: '__class__' is not allowed", action="__class__"),
    spec_row("a training that is a path", "from: '../..': this is not a job id", action="evaluate", **{"from": "../.."}),
    spec_row("a name that moves the cursor", "a name has printable characters", name="\x1b[2J\x1b[H"),
    spec_row("a name that turns the text around", "a name has printable characters", name="\u202egpj.exe"),
    spec_row("a name that is an id", "may not be `latest` or look like a job id", name=ID),
    spec_row("a name that is a path is a name", r"name='\.\./\.\./x'", name="../../x", data="digits"),
    spec_row("a parameter of Python's own", "parameter of autoencoder train '__class__' is unknown", parameters={"__class__": 1}),
    spec_row("a number beyond all numbers", "epochs: .* is not allowed", parameters={"epochs": 10**400}),
    spec_row("a number that is none", "learning_rate: nan is not allowed", parameters={"learning_rate": float("nan")}),
    spec_row("a parameter that is a tree", "epochs: .* is not allowed", parameters={"epochs": {"$gt": ""}}),
    ("a job that is a list", lambda _: JobSpec.from_json("[]"), r"job: \[\] is not a job"),
    ("a job that is a pickle", lambda _: JobSpec.from_json(pickle.dumps(Bomb())), "job: not JSON"),
    ("a job nested very deep", lambda _: JobSpec.from_json("[" * 100_000), "job: not JSON|is not a job"),
]  # fmt: skip


def data_row(name: str, given: str, gets: str) -> Row:
    return name, lambda _: check_data("autoencoder", "train", given), gets


def fifo(world: World) -> str:
    os.mkfifo(world.folder / "images.npz")
    return check_data("autoencoder", "train", str(world.folder / "images.npz"))


def png_link(world: World) -> str:
    """A picture that is a link to something else is not read as a picture."""
    folder = world.folder / "pictures"
    folder.mkdir()
    (folder / "a.png").symlink_to(world.outside / "secret.txt")
    return str(load_images(str(folder), world.settings))


def images_row(name: str, content: Callable[[], bytes], gets: str, file: str = "images.npz") -> Row:
    return name, lambda w: w.images(file, content()), gets


DATA: list[Row] = [
    data_row("data that never ends", "/dev/zero", "data: /dev/zero is neither a file nor a folder"),
    data_row("data that are this process' secrets", "/proc/self/environ", "is a file without an ending"),
    data_row("data with a null byte", "x\0.npz", "cannot be looked at"),
    data_row("data in a home folder that is not", "~nobody-at-all/x.npz", "cannot be looked at"),
    ("data that somebody feeds by hand", fifo, "is neither a file nor a folder"),
    ("a picture that is a link to a secret", png_link, r"holds no \.png file"),
    images_row("an .npz of pickles", lambda: npz(x_train=objects(), x_test=objects()), "pickle"),
    images_row("an .npz of one pickle", lambda: pickle.dumps(Bomb()), "is not an .npz file"),
    images_row(
        "an .npz that says it is huge",
        lambda: zipped(**{"x_train.npy": header((10**9, 28, 28)), "x_test.npy": header((1, 28, 28))}),
        "absurdly large",
    ),
    images_row(
        "an .npz that says less than it has",
        lambda: zipped(**{"x_train.npy": header((1, 28, 28), bytes(2**20)), "x_test.npy": header((0, 28, 28))}),
        "is damaged or was cut off",
    ),
    images_row(
        "an .npz with names that lead out",
        lambda: zipped(**{"../../outside/secret.txt": b"owned", "/etc/owned.npy": header((1, 28, 28))}),
        "images.npz",
    ),
    images_row("an .npz that was cut off", lambda: npz(x_train=np.zeros((9, 28, 28)))[:200], "is damaged"),
]  # fmt: skip


def checkpoint_row(name: str, gets: str, **arrays: Any) -> Row:
    return name, lambda w: w.checkpoint(**arrays), gets


def text_checkpoint(world: World) -> Any:
    (world.folder / CHECKPOINT).write_bytes(pickle.dumps(Bomb()))
    return Checkpoint.read(world.folder / CHECKPOINT)


def foreign_checkpoint(world: World) -> Any:
    """A checkpoint of another network: whole, but it fits nothing here."""
    path = world.folder / CHECKPOINT
    Checkpoint(epoch=1, variables=[np.zeros((4, 4), np.float32)]).write(path)
    mine = [np.zeros((784, 32), np.float32)]
    Checkpoint.read(path).restore(path, mine)


POSITION = {"epoch": 1, "step": 0, "columns": [], "variables": 1, "best_weights": 0}
NO_CHECKPOINT = "this is not a checkpoint of Quartet"
CHECKPOINTS: list[Row] = [
    checkpoint_row("a checkpoint of pickles", NO_CHECKPOINT, position=objects()),
    checkpoint_row(
        "a checkpoint with one pickle", NO_CHECKPOINT,
        position=json.dumps(POSITION), history=np.zeros((0, 0)), variable_0=objects(),
    ),
    checkpoint_row("a checkpoint without its place", NO_CHECKPOINT, variable_0=np.zeros(3)),
    checkpoint_row("a checkpoint whose place is no JSON", NO_CHECKPOINT, position="{"),
    checkpoint_row("a checkpoint that lacks an array", NO_CHECKPOINT, position=json.dumps(POSITION), history=np.zeros((0, 0))),
    ("a checkpoint that is a pickle", text_checkpoint, NO_CHECKPOINT),
    ("a checkpoint of another training", foreign_checkpoint, "belongs to another training: its arrays do not fit"),
]  # fmt: skip


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
    ("a job that is a link", linked_job, f"job: there is no job {ID}"),
    ("staging that is a link", linked_staging, "a folder of its own"),
    ("links in staging", linked_leftover, "the links alone are removed"),
    ("a folder for staging that is a link", linked_staging_folder, "the folder for staging is a symbolic link"),
    ("the index' lock that is a link", linked_lock, "symbolic link"),
    ("an index that is a link", linked_index, "the link is replaced"),
    ("a temporary file that is a link", linked_temporary_file, "a page"),
]  # fmt: skip

UNREADABLE = "its record in Redis cannot be read"
RECORDS: list[Row] = [
    ("a record that is no JSON", lambda w: w.queued(spec="{"), UNREADABLE),
    ("a record that is a list", lambda w: w.queued(spec="[]"), UNREADABLE),
    ("a record that is a pickle", lambda w: w.queued(spec=pickle.dumps(Bomb())), UNREADABLE),
    ("a record of an unknown model", lambda w: w.queued(spec='{"model": "../x", "action": "train"}'), UNREADABLE),
    ("a record in no state", lambda w: w.queued(state="owned"), UNREADABLE),
    ("a record with an attempt that is none", lambda w: w.queued(attempt="many"), UNREADABLE),
    ("a record with half a headline", lambda w: w.queued(headline="{"), UNREADABLE),
]  # fmt: skip


def folder_row(name: str, gets: str, **changes: Any) -> Row:
    def look(world: World) -> Any:
        world.finished(**changes)
        world.client.ledger.redis.flushall()
        assert world.client.jobs() == []
        return world.client.job(ID)

    return name, look, gets


NO_RECORD = r"job\.json is not a job's record"
FOREIGN: list[Row] = [
    folder_row("a finished job in no state", NO_RECORD, state="owned"),
    folder_row("a finished job at no time", NO_RECORD, times=[]),
    folder_row("a finished job of an unknown model", NO_RECORD, spec={"model": "../x", "action": "train"}),
    folder_row("a finished job with half a headline", NO_RECORD, headline={"value": 1}),
]

PAGES: list[Row] = [
    (
        f"the page of an error, a note and a log that say {text[:20]!r}",
        lambda w, text=text: w.page(error=text, notes=[text], log_end=text, worker=text),
        "the page is whole",
    )
    for text in HOSTILE
]


def table(*groups: list[Row]) -> Any:
    rows = [row for group in groups for row in group]
    assert len(rows) >= 40
    return pytest.mark.parametrize(
        ("send", "gets"), [row[1:] for row in rows], ids=[ascii(row[0]) for row in rows]
    )


@table(REFERENCES, SPECS, DATA, CHECKPOINTS, FOLDERS, RECORDS, FOREIGN, PAGES)
def test_what_a_stranger_sends_gets_one_sentence_or_does_nothing(
    world: World, send: Callable[[World], Any], gets: str
) -> None:
    try:
        found = str(send(world))
    except (QuartetError, OSError) as error:
        found = str(error).replace("Too many levels of symbolic links", "symbolic link")
    assert re.search(gets, found), found
    assert len(found) < 2_000
    assert "a secret" not in found
    assert [path.name for path in world.outside.iterdir() if path.name != "job.json"] == ["secret.txt"]
    assert (world.outside / "secret.txt").read_text() == "a secret"
    assert not list(world.folder.rglob("owned")), "code of a stranger ran"
    assert not Path("owned").exists()


SAID = {
    "an escape sequence": "\x1b]0;owned\x07\x1b[2J",
    "a C1 control": "\x9b2Jowned",
    "markup of the terminal's library": "[red]owned[/red] [/] [link=file:///etc/passwd]x",
    "turned text": "\u202egpj.exe\u202c",
    "half a character": "\ud800",
    "a carriage return": "all is well\rowned",
}


@pytest.mark.parametrize("name", SAID)
def test_the_terminal_shows_what_a_stranger_wrote_and_does_not_obey_it(
    world: World, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = SAID[name]
    event = {"time": "2026-11-23T22:15:30.042Z", "text": text}
    folder = world.finished(
        state="failed",
        error=text,
        worker=text,
        headline={"label": text, "value": 1, "unit": text},
        timeline=[event],
    )
    said = world.shown(capsys, ID)
    assert not CONTROL.search(said)
    if "red" in text:
        assert said.count(text) >= 4, "it is no markup of ours"
    # The commands that programs read: JSON that says the same, in characters that move nothing.
    environment = os.environ | world.settings.environment()
    quartet = str(Path(sys.executable).with_name("quartet"))
    done = subprocess.run([quartet, "show", "--json", ID], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert not CONTROL.search(done.stdout.decode())
    assert json.loads(done.stdout)["error"] == text
    assert folder.job["error"] == text


def test_a_prompt_that_moves_the_terminal_is_shown_as_a_command_that_can_be_typed(world: World) -> None:
    prompt = "a\x1b]0;owned\x07'\\ \n\u202e é\x9b $(touch owned) `touch owned`"
    spec = JobSpec.make("textgen", "generate", parameters={"prompt": prompt}, **{"from": ID})
    command = command_line(spec)
    assert not CONTROL.search(command)
    assert "\n" not in command
    typed = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, cwd=world.folder)
    assert prompt in typed.stdout.decode().split("\0")
    assert not (world.folder / "owned").exists()


@pytest.mark.parametrize("reference", ["", "x" * 5_000, "\x1b[31mred", "new_id"])
def test_the_command_line_refuses_in_one_line_that_moves_no_terminal(world: World, reference: str) -> None:
    reference = new_job_id() if reference == "new_id" else reference
    environment = os.environ | world.settings.environment()
    quartet = str(Path(sys.executable).with_name("quartet"))
    done = subprocess.run([quartet, "show", reference], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert not CONTROL.search(done.stderr.rstrip("\n"))
    assert len(done.stderr) < 500
