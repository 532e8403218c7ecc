"""A checkpoint that was damaged or made by a stranger costs a sentence, and neither memory nor time."""

import io
import json
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from jobs.errors import DamagedFolder
from tests.tasks.hostile_files import Change, at_most, changes, damaged, mutations
from worker.training.checkpoint import Checkpoint
from worker.training.plain_arrays import open_arrays

ROWS = [{"epoch": epoch, "loss": 0.5, "validation_loss": 0.25, "seconds": 1.5} for epoch in (1, 2)]
VARIABLES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)]
POSITION = {"epoch": 0, "step": 0, "columns": [], "variables": 1, "best_weights": 0}


def valid() -> bytes:
    file = io.BytesIO()
    position = {"epoch": 2, "step": 1, "columns": list(ROWS[0]), "variables": 2, "best_weights": 1}
    np.savez(
        file,
        position=np.array(json.dumps(position)),
        history=np.array([list(row.values()) for row in ROWS]),
        variable_0=VARIABLES[0],
        variable_1=VARIABLES[1],
        best_weight_0=np.ones(2, np.float32),
    )
    return file.getvalue()


VALID = valid()


def refused(path: Path, variables: Any = None) -> str:
    """The one sentence that reading gets, soon and in little memory."""
    began = time.monotonic()
    with at_most(40), pytest.raises(DamagedFolder) as caught:
        Checkpoint.read(path, variables)
    assert time.monotonic() - began < 20
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 500
    return message


def npy(descr: Any, shape: Any, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}}}".encode()
    length = struct.pack("<H" if version[0] == 1 else "<I", len(header) + 1)
    return b"\x93NUMPY" + version + length + header + b"\n" + data


def archive(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in members:
            made.writestr(name, content)
    return file.getvalue()


def with_variable(content: bytes, compression: int = zipfile.ZIP_STORED, **changes: Any) -> bytes:
    text = json.dumps(POSITION | changes)
    return archive(
        [
            ("position.npy", npy(f"<U{len(text)}", "()", text.encode("utf-32-le"))),
            ("history.npy", npy("<f8", "(0,)")),
            ("variable_0.npy", content),
        ],
        compression,
    )


PLAIN = npy("<f4", "(2,)", bytes(8))
HEADERS = {
    "a shape that is huge": npy("<f4", "(1000000000, 1000000000)"),
    "a shape of a thousand digits": npy("<f4", f"({'9' * 1000},)"),
    "a shape of ten thousand digits": npy("<f4", f"({'9' * 9900},)"),
    "a negative shape": npy("<f4", "(-1, -2)", bytes(8)),
    "a shape of truths": npy("<f4", "(True, 2)", bytes(8)),
    "a shape of fractions": npy("<f4", "(1e309,)", bytes(8)),
    "a hundred dimensions": npy("<f4", f"({'1, ' * 100})", bytes(4)),
    "a nested shape": npy("<f4", "(" * 900 + ")" * 900),
    "a header of fields": npy([("a", "<f4"), ("b", "<f4")], "(1,)", bytes(8)),
    "a header of arrays": npy([("a", "<f4", (1000, 1000))], "(1,)", bytes(4_000_000)),
    "objects": npy("|O", "(1,)", bytes(8)),
    "numbers of no bytes": npy("|V0", "(4611686018427387904,)"),
    "complex numbers": npy("<c16", "(1,)", bytes(16)),
    "another version's header": npy("<f4", "(2,)", bytes(8), b"\x02\x00"),
    "no array": b"hello",
    "less than it says": npy("<f4", "(2,)", bytes(7)),
    "more than it says": npy("<f4", "(2,)", bytes(9)),
}


@pytest.mark.parametrize("name", HEADERS)
def test_an_array_that_is_not_plain_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(with_variable(HEADERS[name]))
    assert "this is not a checkpoint of Quartet" in refused(path)


@pytest.mark.parametrize(
    "given_instead",
    [
        {"epoch": 1e309}, {"epoch": float("nan")}, {"epoch": -1}, {"step": -1}, {"epoch": 1.5}, {"epoch": "1"},
        {"epoch": True}, {"epoch": [1]}, {"step": {"a": 1}}, {"step": 10**30}, {"epoch": None}, {"columns": 3},
        {"columns": [[["epoch"]]]}, {"columns": ["a", "a"]}, {"columns": {"epoch": 1}}, {"variables": -1},
        {"variables": 10**12}, {"variables": 2}, {"variables": 0}, {"best_weights": 1}, {"best_weights": 1e9},
        {"seconds": -1.0}, {"seconds": float("nan")}, {"seconds": 1e300}, {"seconds": "1"}, {"seconds": True},
    ],
)  # fmt: skip
def test_a_position_that_is_out_of_range_is_refused(tmp_path: Path, given_instead: dict[str, Any]) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(with_variable(PLAIN, **given_instead))
    refused(path)
    if {"epoch", "step"} & given_instead.keys():
        with pytest.raises(DamagedFolder):
            Checkpoint.position(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, '{"epoch": 1', "null", "[]", '"x"', "{}"])
def test_a_position_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "checkpoint.npz"
    np.savez(path, position=np.array(text), history=np.zeros(0), variable_0=np.zeros(2))
    refused(path)
    with pytest.raises(DamagedFolder):
        Checkpoint.position(path)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((2, 4)), np.zeros(5), np.zeros((1, 5)), np.full((1, 5), np.nan), np.full((1, 5), 1e300),
        np.ones((5_000, 5)), np.ones((1, 5), np.float32), np.array([[0, 3, 2, 0.5, 0.5]]),
    ],
)  # fmt: skip
def test_losses_within_epochs_that_no_run_has_are_refused(tmp_path: Path, points: Any) -> None:
    path = tmp_path / "checkpoint.npz"
    position = np.array(json.dumps(POSITION))
    np.savez(path, position=position, history=np.zeros(0), variable_0=np.zeros(2), loss_points=points)
    refused(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["variable_1", "best_weight_0", "history"])
def test_numbers_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float, which: str) -> None:
    path = tmp_path / "checkpoint.npz"
    parts: dict[str, list[Any]] = {"variables": [np.zeros(3), np.zeros(3)], "best_weights": [np.zeros(3)]}
    rows = [dict(row) for row in ROWS]
    {"variable_1": parts["variables"][1], "best_weight_0": parts["best_weights"][0]}.get(which, np.zeros(3))[
        1
    ] = value
    if which == "history":
        rows[1]["loss"] = value
    Checkpoint(2, 0, rows, **parts).write(path)
    assert refused(path) == f"{path}: {which} has values that are not finite numbers"


@pytest.mark.parametrize(
    "rows",
    [[ROWS[0]], [*ROWS, ROWS[0] | {"epoch": 3}], [ROWS[1], ROWS[0]], [{"epoch": 1.5}, {"epoch": 2}], [{"loss": 1.0}] * 2],
)  # fmt: skip
def test_a_history_that_lacks_epochs_is_refused(tmp_path: Path, rows: list[dict[str, float]]) -> None:
    path = tmp_path / "checkpoint.npz"
    Checkpoint(2, 0, rows, [np.zeros(3)]).write(path)
    refused(path)


def bomb() -> bytes:
    """A gigabyte of zeros in a megabyte, which says so."""
    return with_variable(npy("<f4", "(250000000,)", bytes(10**9)), zipfile.ZIP_DEFLATED)


def lying_bomb() -> bytes:
    """A hundred megabytes of zeros that say they are eight bytes."""
    content = with_variable(npy("<f4", "(2,)", bytes(10**8)), zipfile.ZIP_DEFLATED)
    size = struct.pack("<I", len(npy("<f4", "(2,)", bytes(10**8))))
    return content.replace(size, struct.pack("<I", len(PLAIN)))


def zip64() -> bytes:
    """A member that says it has an exabyte."""
    content = bytearray(with_variable(PLAIN))
    at = content.rindex(b"PK\x01\x02")
    content[at + 20 : at + 28] = b"\xff" * 8
    extra = struct.pack("<HHQQ", 1, 16, 2**60, 2**60)
    content[at + 30 : at + 32] = struct.pack("<H", len(extra))
    name = at + 46 + len("variable_0.npy")
    content[name:name] = extra
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<I", end - content.index(b"PK\x01\x02"))
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(with_variable(PLAIN))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.rindex(mark) + place] |= 1
    return bytes(content)


def compressed_otherwise() -> bytes:
    return with_variable(PLAIN, zipfile.ZIP_LZMA)


def doubled() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return archive([("position.npy", PLAIN), ("position.npy", PLAIN)])


def crowded() -> bytes:
    """A hundred thousand empty members."""
    return archive([(f"{number}.npy", b"") for number in range(100_000)])


def wrong_checksum() -> bytes:
    return with_variable(npy("<f4", "(64,)", b"\0\0\x80?" * 64)).replace(b"\0\0\x80?" * 2, b"\0\0\0@" * 2, 1)


@pytest.mark.quality
@pytest.mark.parametrize(
    "make", [bomb, lying_bomb, zip64, encrypted, compressed_otherwise, doubled, crowded, wrong_checksum]
)
def test_an_archive_that_is_hostile_is_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(make())
    refused(path, [np.zeros(2, np.float32)])


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "checkpoint.npz"
    make(path)
    assert "Not a regular file" in refused(path)


def test_a_checkpoint_of_another_network_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    Checkpoint(0, 0, [], [np.zeros((50_000, 1_000), np.uint8)]).write(path)
    assert "belongs to another training job" in refused(path, [np.zeros((50_000, 1_000), np.float32)])


def test_a_larger_file_than_the_network_needs_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    with path.open("wb") as file:
        file.truncate(2**42)
    refused(path)
    refused(path, [np.zeros(2, np.float32)])


@mutations
@given(changes)
def test_a_damaged_checkpoint_is_refused_or_as_it_was(tmp_path: Path, done: list[Change]) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(damaged(VALID, done))
    with at_most(40):
        try:
            found = Checkpoint.read(path)
        except DamagedFolder:
            return
    assert (found.epoch, found.history) in ((2, ROWS), (2, []))
    assert np.array_equal(found.variables[0], VARIABLES[0])


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_arrays(tmp_path / "images.npz", 100, "what a job wrote"):
        pass
