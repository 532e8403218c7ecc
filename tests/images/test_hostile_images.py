"""Image files that are damaged or made to exhaust a machine cost a sentence, and neither memory nor time."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from PIL import Image, PngImagePlugin

from jobs.data_check import check_named
from jobs.errors import DamagedFolder, InvalidData
from jobs.models import parameters_of
from jobs.store.job_folder import JobFolder
from tests.tasks.hostile_files import (
    Change,
    assert_linear,
    at_most,
    changes,
    damaged,
    mutations,
    read_or_refused,
)
from worker.images import parameters, picture_folder, png_chunks
from worker.images.artifacts import IMAGES_FILE, saved_images
from worker.images.code_distribution import CodeDistribution
from worker.images.pixels import MAX_IMAGES, MAX_SIDE, as_images, stack
from worker.images.png_chunks import picture_alone
from worker.images.user_files import read_folder, read_npz, read_picture

RNG = np.random.default_rng(0)


def png_file(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png", **options)
    return file.getvalue()


def npz_file(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


GREY = RNG.integers(0, 256, (40, 30), np.uint8)
COLOUR = RNG.integers(0, 256, (20, 20, 4), np.uint8)
PICTURES = {
    "grey": png_file(GREY),
    "colour": png_file(COLOUR),
    "deep": png_file(GREY.astype(np.uint16) * 257),
}
PALETTE = io.BytesIO()
Image.fromarray(GREY).convert("P").save(PALETTE, "png", transparency=3)
PICTURES["palette"] = PALETTE.getvalue()
ARRAYS = npz_file(x_train=RNG.integers(0, 256, (30, 28, 28), np.uint8), y_train=np.arange(30) % 10)


def decoded(content: bytes) -> Any:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_the_same_without_what_is_beside_it(name: str) -> None:
    content = PICTURES[name]
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "x" * 1_000, zip=True)
    assert np.array_equal(decoded(picture_alone(content)), decoded(content))
    beside = (
        chunk(b"tEXt", b"a\0b")
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6)))
        + chunk(b"acTL", bytes(8))
    )
    noisy = content[:33] + beside * 3 + content[33:]
    assert picture_alone(noisy) == picture_alone(content)


@pytest.mark.parametrize("name", PICTURES)
@mutations
@given(done=changes)
def test_a_damaged_picture_is_read_or_refused(tmp_path: Path, name: str, done: list[Change]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(damaged(PICTURES[name], done))
    with read_or_refused(40):
        assert read_picture(path).labelled.images.shape == (1, 28, 28)


@mutations
@given(done=changes)
def test_a_damaged_archive_is_read_or_refused(tmp_path: Path, done: list[Change]) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(damaged(ARRAYS, done))
    with read_or_refused(40):
        assert read_npz(path, ("x_train",)).labelled.images.shape[1:] == (28, 28)


def test_what_is_beside_a_picture_takes_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    content = PICTURES["grey"]

    def work(size: int) -> Callable[[], Any]:
        path.write_bytes(content[:33] + chunk(b"tEXt") * size + content[33:])
        return lambda: read_picture(path)

    with at_most(200):
        assert_linear(work, 20_000)


def test_a_picture_of_countless_pieces_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_chunks, "MOST_CHUNKS", 100)
    path = tmp_path / "a.png"
    path.write_bytes(PICTURES["grey"][:33] + chunk(b"IDAT") * 100 + PICTURES["grey"][33:])
    with pytest.raises(InvalidData, match="expected an intact PNG file"):
        read_picture(path)


def test_a_picture_as_long_as_a_road_is_refused(tmp_path: Path) -> None:
    """To shrink it, a filter of gigabytes would be made."""
    path = tmp_path / "a.png"
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000_000, 1, 8, 0, 0, 0, 0))
    path.write_bytes(
        png_chunks.SIGNATURE + header + chunk(b"IDAT", zlib.compress(bytes(40_000_001))) + chunk(b"IEND")
    )
    with (
        at_most(100),
        pytest.raises(InvalidData, match=f"expected at most {MAX_SIDE:,} pixels in a row or a column"),
    ):
        read_picture(path)


@pytest.mark.parametrize("shape", [(1, 1, 10_000_000), (1, 10_000_000, 1)])
def test_an_array_of_such_images_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidData, match=f"expected at most {MAX_SIDE:,} pixels in a row or a column"):
        stack("x", np.zeros(shape, np.uint8))


def test_an_array_of_countless_tiny_images_is_refused() -> None:
    with pytest.raises(InvalidData, match=f"expected at most {MAX_IMAGES:,} images"):
        stack("x", np.broadcast_to(np.uint8(0), (MAX_IMAGES + 1, 1, 1)))


def test_images_are_scaled_in_linear_time() -> None:
    assert_linear(lambda size: lambda: as_images(np.zeros((size, 3, 5), np.uint8)), 500)


def test_a_folder_of_countless_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_folder, "MAX_FILES", 5)
    (tmp_path / "a.png").write_bytes(PICTURES["grey"])
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
    assert read_folder(tmp_path).to_send.total == 1
    (tmp_path / "5.txt").touch()
    with pytest.raises(InvalidData, match="more"):
        read_folder(tmp_path)


def test_a_client_looks_at_a_bounded_part_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "MOST_LOOKED_AT", 5)
    kind = parameters_of("autoencoder", "train")
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(InvalidData, match=r"a folder without a PNG, JPEG, TIFF, WebP or IDX file"):
        check_named(kind, str(tmp_path))
    (tmp_path / "more.txt").touch()
    assert check_named(kind, str(tmp_path)) == str(tmp_path)  # its reader decides


def test_a_pipe_in_a_folder_of_pictures_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(PICTURES["grey"])
    assert read_folder(tmp_path).to_send.total == 1
    with pytest.raises(InvalidData, match="not a regular file"):
        read_picture(tmp_path / "a.png")


def encrypted() -> bytes:
    content = bytearray(ARRAYS)
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def doubled() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_train.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x_train.npy", b"")
    return file.getvalue()


@pytest.mark.parametrize("make", [encrypted, doubled])
def test_an_archive_that_is_not_plain_is_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(make())
    with pytest.raises(InvalidData, match="damaged or was cut off"):
        read_npz(path, ("x_train",))


def test_an_array_of_fields_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x_train=np.zeros(30, [("a", "f4"), ("b", "f4", (1_000,))]))
    with pytest.raises(InvalidData, match="expected an array of numbers"):
        read_npz(path, ("x_train",))


GAUSSIANS: dict[str, Any] = {
    "digits": np.array([-1]),
    "means": np.zeros((1, 32)),
    "covariances": np.zeros((1, 32, 32)),
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"means": np.full((1, 32), np.nan)},
        {"covariances": np.full((1, 32, 32), np.inf)},
        {"means": np.zeros((2, 32))},
        {"covariances": np.zeros((1, 32))},
        {"digits": np.array([0.5])},
        {"digits": np.zeros(0, int), "means": np.zeros((0, 32)), "covariances": np.zeros((0, 32, 32))},
        {"means": np.array(["a"])},
        {"means": np.array([object()])},
    ],
)
def test_a_distribution_of_codes_that_does_not_fit_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = tmp_path / "code.npz"
    np.savez(path, **GAUSSIANS)
    assert len(CodeDistribution.read(path).digits) == 1
    np.savez(path, **(GAUSSIANS | wrong))
    with pytest.raises(DamagedFolder, match=r"code\.npz"):
        CodeDistribution.read(path)


def test_images_of_a_folder_that_are_something_else_are_refused(tmp_path: Path) -> None:
    for content in (
        b"",
        b"PK",
        npz_file(output=np.array([object()], object)),
        npz_file(output=np.full(3, np.nan)),
    ):
        (tmp_path / IMAGES_FILE).write_bytes(content)
        with pytest.raises(DamagedFolder, match=IMAGES_FILE):
            saved_images(JobFolder(tmp_path))
    (tmp_path / IMAGES_FILE).unlink()
    os.mkfifo(tmp_path / IMAGES_FILE)
    with pytest.raises(DamagedFolder, match="Not a regular file"):
        saved_images(JobFolder(tmp_path))
