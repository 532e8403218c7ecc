"""A stranger's data and checkpoints: nothing in them runs, and nothing outside of them is read."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from jobs.data_check import check_data
from jobs.models import parameters_of
from jobs.store.job_folder import CHECKPOINT
from tests.cli.hostile_world import Bomb, Row, World, check, table
from worker.images.datasets import load_images
from worker.training.checkpoint import Checkpoint

TRAIN = parameters_of("autoencoder", "train")


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


def data_row(name: str, given: str, gets: str) -> Row:
    return name, lambda _: check_data(TRAIN, given), gets


def fifo(world: World) -> str:
    os.mkfifo(world.folder / "images.npz")
    return check_data(TRAIN, str(world.folder / "images.npz"))


def png_link(world: World) -> str:
    """A picture that is a link to something else is not read as a picture."""
    folder = world.folder / "pictures"
    folder.mkdir()
    (folder / "a.png").symlink_to(world.outside / "secret.txt")
    return str(load_images(str(folder), world.settings))


def images_row(name: str, content: Callable[[], bytes], gets: str, file: str = "images.npz") -> Row:
    return name, lambda w: w.images(file, content()), gets


DATA: list[Row] = [
    data_row("data that never ends", "/dev/zero", "data: expected .*, got /dev/zero, which is neither a file nor a folder"),
    data_row("data that are this process' secrets", "/proc/self/environ", "got /proc/self/environ, a file without a suffix"),
    data_row("data with a null byte", "x\0.npz", r"x\\x00\.npz', which is not a valid path, since it holds a NUL"),
    data_row("data in a home folder that is not", "~nobody-at-all/x.npz", "which names the home folder of an unknown user"),
    ("data that somebody feeds by hand", fifo, "is neither a file nor a folder"),
    ("a picture that is a link to a secret", png_link, r"expected PNG, JPEG, TIFF or WebP files in it or in its sub-folders, got none"),
    images_row("an .npz of pickles", lambda: npz(x_train=objects(), x_test=objects()), "pickle"),
    images_row("an .npz of one pickle", lambda: pickle.dumps(Bomb()), "expected an .npz file as numpy.savez writes it, got a file of another format"),
    images_row(
        "an .npz that says it is huge",
        lambda: zipped(**{"x_train.npy": header((10**9, 28, 28)), "x_test.npy": header((1, 28, 28))}),
        "expected arrays of at most 4 GiB in all, got 730.2 GiB up to x_train",
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
    ("a checkpoint of another training job", foreign_checkpoint, "belongs to another training job: its arrays do not fit"),
]  # fmt: skip


@table(DATA, CHECKPOINTS)
def test_it_gets_one_sentence_or_does_nothing(world: World, send: Callable[[World], Any], gets: str) -> None:
    check(world, send, gets)
