"""Images from datasets and from anyone's own files: what is read, what is said, what is refused."""

import http.server
import io
import os
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some
from PIL import Image

from jobs.datasets import DATASETS, Original
from jobs.errors import InvalidData
from jobs.files import sha256_of
from jobs.settings import Settings, read_settings
from worker.data.__main__ import main
from worker.data.download import download, obtain
from worker.data.images import load_images
from worker.data.pictures import load_pictures

random = np.random.RandomState(7)
PIXELS = random.randint(0, 256, (40, 28, 28)).astype(np.uint8) // 2
LABELS = np.arange(40) % 10


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """Settings with a data folder of this test's own; no Redis."""
    return read_settings(data_dir=tmp_path / "data")


def npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def png(path: Path, pixels: Any = PIXELS[0], mode: str | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, "PNG", **options)
    return path


def npz_with_header(path: Path, header: bytes, data: bytes = b"", version: bytes = b"\x01\x00") -> Path:
    """An .npz whose one array, x, has a header of our own."""
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\x93NUMPY" + version + length + header + data)
    return path


def png_of_size(path: Path, width: int, height: int) -> Path:
    """A PNG that is whole but for its pixels: what a decompression bomb begins with."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def cut_off(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def with_wrong_byte(path: Path) -> Path:
    """Pixels that no longer match the archive's checksum."""
    np.savez(path, x=PIXELS)
    content = bytearray(path.read_bytes())
    content[5_000] ^= 0xFF
    path.write_bytes(content)
    return path


def with_content(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def with_bad_png(folder: Path, spoil: Callable[[Path], object]) -> Path:
    """A folder of good PNG, but for one."""
    for index in range(25):
        png(folder / f"{index:02d}.png")
    spoil(folder / "13.png")
    return folder


def linked_outside(folder: Path) -> Path:
    png(folder.parent / "outside.png")
    folder.mkdir()
    (folder / "link.png").symlink_to("../outside.png")
    return folder


def with_method(path: Path, method: int) -> Path:
    """An .npz that says it is compressed in a way that nobody knows."""
    content = npz(path, x=PIXELS).read_bytes()
    local, central = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[local + 8 : local + 10] = changed[central + 10 : central + 12] = struct.pack("<H", method)
    path.write_bytes(changed)
    return path


def encrypted(path: Path) -> Path:
    content = bytearray(npz(path, x=PIXELS).read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    return path


F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"
VALUES = "allowed: whole numbers from 0 to 255, or real numbers from 0 to 1"
WHOLE = "allowed: an .npz file as numpy.savez writes it"
SHAPES = "allowed: (images, height, width), grey levels only"

BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    # the file
    "a.npz": (lambda path: path, "{} is not there, or not to be read, on the machine of this worker"),
    "pipe.npz": (os.mkfifo, "{} is neither a file nor a folder; allowed: one of them"),
    "empty.npz": (Path.touch, f"{{}}: is empty; {WHOLE}"),
    "text.npz": (partial(with_content, content=b"hello"), f"{{}}: is not an .npz file; {WHOLE}"),
    "npy.npz": (
        lambda path: with_content(path, b"\x93NUMPY\x01\x00" + bytes(100)),
        f"{{}}: is not an .npz file; {WHOLE}",
    ),
    "half.npz": (lambda path: cut_off(npz(path, x=PIXELS), 0.5), f"{{}}: is damaged or was cut off; {WHOLE}"),
    "tail.npz": (
        lambda path: cut_off(npz(path, x=PIXELS), 0.998),
        f"{{}}: is damaged or was cut off; {WHOLE}",
    ),
    "byte.npz": (with_wrong_byte, f"{{}}: is damaged or was cut off; {WHOLE}"),
    "method.npz": (partial(with_method, method=77), f"{{}}: is damaged or was cut off; {WHOLE}"),
    "encrypted.npz": (encrypted, f"{{}}: is damaged or was cut off; {WHOLE}"),
    "nothing.npz": (npz, "{} has no array of images (found: nothing); allowed: x_train with y_train"),
    "unnamed.npz": (
        lambda path: np.savez(path, PIXELS),
        "{} has no array of images (found: arr_0); allowed: x_train with y_train",
    ),
    "test.npz": (
        partial(npz, x_test=PIXELS, y_test=LABELS),
        "{} has no array of images (found: x_test, y_test); allowed: x_train",
    ),
    # what the header says
    "pickle.npz": (
        partial(npz, x=np.array([{"a": 1}] * 30, dtype=object)),
        "{}: x holds Python objects (a pickle), which are never loaded; allowed: arrays of numbers",
    ),
    "labels.npz": (
        partial(npz, x=PIXELS, y=np.array([None] * 40)),
        "{}: y holds Python objects (a pickle), which are never loaded; allowed: arrays of numbers",
    ),
    "bomb.npz": (
        lambda path: npz_with_header(path, (F8 % "(1000000, 1000, 1000)").encode()),
        "{}: up to x its arrays take 7,450.6 GiB of memory, which is absurdly large; allowed: 4 GiB in all",
    ),
    "lie.npz": (
        lambda path: npz_with_header(path, (F8 % "(600000, 28, 28)").encode(), bytes(1000)),
        f"{{}}: is damaged or was cut off; {WHOLE}",
    ),
    "negative.npz": (
        lambda path: npz_with_header(path, (F8 % "(-5, 28, 28)").encode()),
        f"{{}}: is damaged or was cut off; {WHOLE}",
    ),
    "deep.npz": (
        lambda path: npz_with_header(path, b"(" * 9_000),
        f"{{}}: is damaged or was cut off; {WHOLE}",
    ),
    "code.npz": (
        lambda path: npz_with_header(path, b"__import__('os').abort()"),
        f"{{}}: is damaged or was cut off; {WHOLE}",
    ),
    "version.npz": (
        lambda path: npz_with_header(path, (F8 % "(40, 28, 28)").encode(), version=b"\x02\x00"),
        "{}: x is not a plain array; allowed: arrays of numbers",
    ),
    # the arrays
    "vector.npz": (partial(npz, x=PIXELS[:, 0, 0]), f"{{}}: x has shape (40); {SHAPES}"),
    "flat.npz": (
        partial(npz, x_train=PIXELS.reshape(40, 784)),
        f"{{}}: x_train has shape (40, 784); {SHAPES}; reshape it to (40, 28, 28)",
    ),
    "colour.npz": (
        partial(npz, x=np.repeat(PIXELS[..., None], 3, 3)),
        f"{{}}: x has shape (40, 28, 28, 3); {SHAPES}",
    ),
    "none.npz": (
        partial(npz, x=PIXELS[:0]),
        "{}: x has shape (0, 28, 28), no image at all; allowed: at least",
    ),
    "flat_images.npz": (partial(npz, x=PIXELS[:, :0]), "{}: x has shape (40, 0, 28), no image at all"),
    "no_test.npz": (partial(npz, x_train=PIXELS, x_test=PIXELS[:0]), "{}: x_test has shape (0, 28, 28), no"),
    "wide.npz": (
        lambda path: np.savez(path, x=np.zeros((1, 5, 10_000_001), np.uint8)),
        "{}: x has images of 10,000,001 × 5 pixels, which is absurdly large; allowed: 50,000,000 pixels each",
    ),
    "one.npz": (partial(npz, x=PIXELS[0]), "{} has 1 to train on; allowed: at least 20 images"),
    "few.npz": (partial(npz, x=PIXELS[:19]), "{} has 19 to train on; allowed: at least 20 images"),
    "text_values.npz": (
        partial(npz, x=np.full((40, 28, 28), "a")),
        f"{{}}: x has values of type str32; {VALUES}",
    ),
    "complex.npz": (partial(npz, x=PIXELS * 1j), f"{{}}: x has values of type complex128; {VALUES}"),
    "dates.npz": (
        partial(npz, x=PIXELS.astype("M8[s]")),
        f"{{}}: x has values of type datetime64[s]; {VALUES}",
    ),
    "nan.npz": (
        partial(npz, x=np.where(PIXELS == 3, np.nan, 0.5)),
        f"{{}}: x has values that are not finite (NaN or infinity); {VALUES}",
    ),
    "infinite.npz": (
        partial(npz, x_train=PIXELS, x_test=np.where(PIXELS == 3, np.inf, 0.5).astype(np.float16)),
        f"{{}}: x_test has values that are not finite (NaN or infinity); {VALUES}",
    ),
    "bright.npz": (
        partial(npz, x=PIXELS.astype(np.float32)),
        f"{{}}: x has real numbers from 0 to 127; {VALUES}",
    ),
    "centred.npz": (
        partial(npz, x=PIXELS / 127 * 2 - 1),
        f"{{}}: x has real numbers from -1 to 1; {VALUES}",
    ),
    "deeper.npz": (
        partial(npz, x=PIXELS.astype(np.int16) * 100),
        f"{{}}: x has whole numbers from 0 to 12700; {VALUES}",
    ),
    "below.npz": (
        partial(npz, x=PIXELS.astype(int) - 1),
        f"{{}}: x has whole numbers from -1 to 126; {VALUES}",
    ),
    "short_labels.npz": (
        partial(npz, x_train=PIXELS, y_train=LABELS[:39]),
        "{}: y_train has shape (39) and type int64; allowed: 40 whole numbers, one for each image",
    ),
    "one_hot.npz": (
        partial(npz, x=PIXELS, labels=np.eye(10)[LABELS]),
        "{}: labels has shape (40, 10) and type float64; allowed: 40 whole numbers, one for each image",
    ),
    # folders of PNG
    "no_png": (Path.mkdir, "{} holds no .png file; allowed: .png files in it or in its sub-folders 0 to 9"),
    "links": (
        linked_outside,
        "{} holds no .png file; allowed: .png files in it or in its sub-folders 0 to 9",
    ),
    "few": (lambda path: png(path / "a.png"), "{} has 1 to train on; allowed: at least 20 images"),
    "not_png": (
        lambda path: with_bad_png(path, lambda file: file.write_bytes(b"GIF89a")),
        "{}/13.png is not a PNG file in spite of its name; allowed: PNG",
    ),
    "jpeg": (
        lambda path: with_bad_png(path, lambda file: Image.new("L", (9, 9)).save(file, "JPEG")),
        "{}/13.png is not a PNG file in spite of its name; allowed: PNG",
    ),
    "empty_png": (
        lambda path: with_bad_png(path, lambda file: file.write_bytes(b"")),
        "{}/13.png is not a PNG file in spite of its name; allowed: PNG",
    ),
    "cut_png": (
        lambda path: with_bad_png(path, lambda file: cut_off(file, 0.6)),
        "{}/13.png is a damaged PNG file or was cut off; allowed: whole PNG files",
    ),
    "bomb": (
        lambda path: with_bad_png(path, lambda file: png_of_size(file, 2**31 - 1, 2**31 - 1)),
        "{}/13.png has 2,147,483,647 × 2,147,483,647 pixels, which is absurdly large; "
        "allowed: 50,000,000 pixels",
    ),
    "no_pixels": (
        lambda path: with_bad_png(path, lambda file: png_of_size(file, 0, 5)),
        "{}/13.png is a damaged PNG file or was cut off; allowed: whole PNG files",
    ),
    "too_few_pixels": (
        lambda path: with_bad_png(path, lambda file: png_of_size(file, 7_000, 7_000)),
        "{}/13.png is a damaged PNG file or was cut off; allowed: whole PNG files",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_gets_one_sentence(tmp_path: Path, here: Settings, name: str) -> None:
    make, sentence = BAD[name]
    make(tmp_path / name)
    with pytest.raises(InvalidData) as raised:
        load_images(str(tmp_path / name), here)
    message = str(raised.value)
    assert message.startswith(sentence.replace("{}", str(tmp_path / name)))
    assert "; allowed: " in message
    assert message.isprintable()


@pytest.mark.parametrize("name", ["shakespeare", "imdb", "toy-reviews"])
def test_a_dataset_of_another_kind_is_refused_by_the_worker_too(here: Settings, name: str) -> None:
    for load in (load_images, partial(load_pictures, count=3)):
        with pytest.raises(
            InvalidData, match=f"^data: {name} holds (text|reviews), not images; allowed: mnist"
        ):
            load(name, here)


@hypothesis_settings(max_examples=150, deadline=None, derandomize=True)
@given(some.sampled_from(["a.npz", "b.npz", "c.png"]), some.data())
def test_whatever_is_damaged_in_a_file_it_is_read_or_refused(name: str, data: some.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if name == "a.npz":
            npz(path, x=PIXELS[:2], y=LABELS[:2])
        elif name == "b.npz":
            np.savez(path, x=PIXELS[:2], y=LABELS[:2])
        else:
            png(path, pixels=np.stack([PIXELS[0]] * 3, 2), mode="P")
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(some.integers(1, 3))):
            content[data.draw(some.integers(0, len(content) - 1))] = data.draw(some.integers(0, 255))
        path.write_bytes(content)
        try:
            pictures = load_pictures(str(path), read_settings(), 5)
        except InvalidData:
            return
        assert pictures.images.shape[1:] == (28, 28)


# --- what is read ---------------------------------------------------------------------


def test_kerass_layout_is_read_as_it_is(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "k.npz", x_train=PIXELS, y_train=LABELS, x_test=PIXELS[:5], y_test=LABELS[:5])
    images = load_images(str(path), here)
    assert images.train_labels is not None
    assert images.test_labels is not None
    np.testing.assert_array_equal(images.train, PIXELS)
    np.testing.assert_array_equal(images.train_labels, LABELS)
    np.testing.assert_array_equal(images.test, PIXELS[:5])
    np.testing.assert_array_equal(images.test_labels, LABELS[:5])
    assert (images.train.dtype.name, images.train_labels.dtype.name) == ("uint8", "int64")
    assert images.name == "k.npz"
    assert images.notes == ()
    assert images.record == {
        "name": "k.npz",
        "path": str(path),
        "sha256": sha256_of(path),
        "examples": {"train": 40, "test": 5},
    }


@pytest.mark.parametrize(
    "array",
    [
        PIXELS.astype(">i8"),
        PIXELS.astype(np.float32) / 255,
        (PIXELS / 255)[..., None],
        np.asfortranarray(PIXELS),
    ],
    ids=["big-endian", "float32", "one channel", "fortran"],
)
def test_other_number_types_and_orders_give_the_same_images(
    tmp_path: Path, here: Settings, array: np.ndarray[Any, Any]
) -> None:
    images = load_images(str(npz(tmp_path / "a.npz", x_train=array, x_test=array)), here)
    np.testing.assert_array_equal(images.train, PIXELS)


def test_half_precision_and_booleans_are_scaled(tmp_path: Path, here: Settings) -> None:
    half = npz(
        tmp_path / "half.npz", images=np.linspace(0, 1, 20 * 784, dtype=np.float16).reshape(20, 28, 28)
    )
    assert {0, 128, 255} <= set(load_images(str(half), here).train.flat)
    boolean = npz(tmp_path / "boolean.npz", images=PIXELS > 100)
    assert set(load_images(str(boolean), here).train.flat) == {0, 255}


def test_a_tenth_is_set_aside_where_there_is_no_test_part(tmp_path: Path, here: Settings) -> None:
    first = load_images(str(npz(tmp_path / "a.npz", x=PIXELS, y=LABELS)), here)
    again = load_images(str(npz(tmp_path / "b.npz", images=PIXELS, labels=LABELS)), here)
    assert first.notes == (
        "There is no test part, so 4 of 40 images were set aside as one, always the same.",
    )
    assert len(first.train) == 36
    np.testing.assert_array_equal(first.test, again.test)
    np.testing.assert_array_equal(first.test_labels, again.test_labels)
    # Pinned: a model evaluated later must be tested on the images that it was not trained on.
    assert [int(np.flatnonzero((image == PIXELS).all((1, 2)))[0]) for image in first.test] == [4, 20, 22, 25]


def test_images_of_another_size_are_resized_and_said_so(tmp_path: Path, here: Settings) -> None:
    square = load_images(str(npz(tmp_path / "a.npz", x=np.full((20, 8, 8), 200, np.uint8))), here)
    assert square.notes[0] == "Images were resized from 8 × 8 to 28 × 28."
    assert set(square.train.flat) == {200}
    wide = load_images(str(npz(tmp_path / "b.npz", x=np.full((20, 14, 56), 200, np.uint8))), here)
    assert wide.notes[0] == (
        "Images were resized from 56 × 14 to 28 × 28, keeping their proportions, with black around them."
    )
    rows = wide.train[0].max(axis=1)
    assert rows.tolist() == [0] * 10 + [200] * 7 + [0] * 11


def test_labels_that_are_no_digits_are_left_out_and_said_so(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "letters.npz", x_train=PIXELS, y_train=LABELS + 1, x_test=PIXELS)
    images = load_images(str(path), here)
    assert images.train_labels is None
    assert images.notes == (
        f"Labels in {path}: y_train run from 1 to 10; only digits 0 to 9 are used as labels, "
        "so they were left out.",
    )


def test_odd_brightness_is_said_and_nothing_is_changed(tmp_path: Path, here: Settings) -> None:
    dark = npz(tmp_path / "dark.npz", x_train=PIXELS // 8, x_test=PIXELS)
    images = load_images(str(dark), here)
    assert images.notes == (f"The brightest pixel of {dark}: x_train is 15 of 255; nothing was stretched.",)
    light = load_images(str(npz(tmp_path / "light.npz", x_train=255 - PIXELS, x_test=PIXELS)), here)
    assert light.notes == (
        "The images look dark on light (mean grey level 192 of 255); MNIST is light on dark; "
        "nothing was inverted.",
    )
    np.testing.assert_array_equal(light.train, 255 - PIXELS)


def test_a_folder_with_too_much_in_it_is_refused(
    tmp_path: Path, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bad_png(tmp_path / "d", lambda _: None)
    monkeypatch.setattr("worker.data.png.MAX_FILES", 24)
    with pytest.raises(InvalidData, match=r"/d holds too many images; allowed: 24$"):
        load_images(str(tmp_path / "d"), here)
    monkeypatch.setattr("worker.data.png.MAX_BYTES", 100)
    with pytest.raises(InvalidData, match=r"/00.png is absurdly large; allowed: 0 MiB in one PNG file$"):
        load_pictures(str(tmp_path / "d/00.png"), here, 1)


def test_a_folder_of_png_is_read_in_the_order_of_names_with_labels(tmp_path: Path, here: Settings) -> None:
    for index in reversed(range(30)):
        png(tmp_path / f"d/{index % 3}/{index:02d}.{'PNG' if index % 2 else 'png'}", PIXELS[index])
    images = load_images(str(tmp_path / "d"), here)
    order = [*range(0, 30, 3), *range(1, 30, 3), *range(2, 30, 3)]
    both = np.concatenate([images.train, images.test])
    labels = np.concatenate([images.train_labels, images.test_labels])
    assert len(both) == 30
    for index, image in zip(order, PIXELS[order], strict=True):
        (row,) = np.flatnonzero((both == image).all((1, 2)))
        assert labels[row] == index % 3
    pictures = load_pictures(str(tmp_path / "d"), here, 12)
    assert pictures.names[:2] == ("0/00.png", "0/03.PNG")
    np.testing.assert_array_equal(pictures.images, PIXELS[order[:12]])
    np.testing.assert_array_equal(pictures.labels, [0] * 10 + [1] * 2)


def test_what_is_no_png_of_the_folder_is_skipped_and_said_so(tmp_path: Path, here: Settings) -> None:
    folder = tmp_path / "d"
    for index in range(20):
        png(folder / f"{index}.png")
    png(folder / "3/labelled.png")
    png(folder / "backup/old.png")
    png(tmp_path / "outside/3.png")
    (folder / ".DS_Store").touch()
    (folder / "._0.png").write_bytes(b"not a picture")
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (folder / name).touch()
    os.mkfifo(folder / "pipe.png")
    (folder / "inside.png").symlink_to("0.png")
    (folder / "out.png").symlink_to(tmp_path / "outside/3.png")
    (folder / "7").symlink_to(tmp_path / "outside")
    (folder / "5").symlink_to(".")
    (folder / "gone.png").symlink_to("nothing.png")
    images = load_images(str(folder), here)
    assert set(images.notes) >= {
        "Skipped files that are not PNG: 5 (a.txt, b.txt, c.txt, …).",
        "Skipped links out of the folder or to folders: 4 (5, 7, gone.png, …).",
        "Some images lie outside the sub-folders 0 to 9, so no labels were used.",
    }
    assert images.train_labels is None


@pytest.mark.parametrize(
    ("make", "expected", "notes"),
    [
        (partial(png, pixels=PIXELS[0]), PIXELS[0], ()),
        (partial(png, pixels=np.stack([PIXELS[0]] * 3, 2)), PIXELS[0], ()),
        (partial(png, pixels=(PIXELS[0] > 90).astype(np.uint8) * 255, mode="1"), (PIXELS[0] > 90) * 255, ()),
        (partial(png, pixels=PIXELS[0], mode="P"), PIXELS[0], ()),
        (partial(png, pixels=PIXELS[0].astype(np.uint16) << 8), PIXELS[0], ()),
        (
            partial(png, pixels=np.stack([PIXELS[0], np.full((28, 28), 255, np.uint8)], 2)),
            PIXELS[0],
            (),
        ),
        (
            partial(png, pixels=np.stack([np.full((28, 28), 255, np.uint8)] * 3 + [PIXELS[0]], 2)),
            PIXELS[0],
            ("Transparent parts became black in 1 of 1 images.",),
        ),
        (
            partial(png, pixels=(PIXELS[0] // 64), transparency=1),
            np.where(PIXELS[0] // 64 == 1, 0, PIXELS[0] // 64),
            ("Transparent parts became black in 1 of 1 images.",),
        ),
        (
            partial(png, pixels=np.full((10, 300), 250, np.uint8)),
            None,
            (
                "Images were resized from 300 × 10 to 28 × 28, keeping their proportions, "
                "with black around them.",
            ),
        ),
        (partial(png, pixels=np.full((1, 1), 9, np.uint8)), np.full((28, 28), 9), ("Images were resized from 1 × 1 to 28 × 28.",)),
    ],
    ids=["grey", "colour", "one bit", "palette", "16 bits", "opaque", "alpha", "key", "wide", "dot"],
)  # fmt: skip
def test_a_png_of_any_kind_becomes_grey(
    tmp_path: Path, here: Settings, make: Callable[[Path], Path], expected: Any, notes: tuple[str, ...]
) -> None:
    path = make(tmp_path / "seven.png")
    pictures = load_pictures(str(path), here, 10)
    assert pictures.names == ("seven.png",)
    assert pictures.notes == notes
    assert pictures.record == {
        "name": "seven.png",
        "path": str(path),
        "sha256": sha256_of(path),
        "examples": 1,
    }
    assert pictures.images.shape == (1, 28, 28)
    if expected is not None:
        np.testing.assert_array_equal(pictures.images[0], expected)


def test_pictures_are_the_first_of_an_npz(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "a.npz", x_train=PIXELS, x_test=PIXELS[20:], y_test=LABELS[20:])
    pictures = load_pictures(str(path), here, 3)
    np.testing.assert_array_equal(pictures.images, PIXELS[20:23])
    np.testing.assert_array_equal(pictures.labels, LABELS[20:23])
    assert pictures.names == ("x_test[0]", "x_test[1]", "x_test[2]")
    assert pictures.notes == ("Of 20 images the first 3 were used.",)
    single = load_pictures(str(npz(tmp_path / "b.npz", images=PIXELS[0])), here, 10)
    np.testing.assert_array_equal(single.images, PIXELS[:1])
    assert single.labels is None


def test_a_file_with_an_odd_name_has_a_name_that_can_be_shown(tmp_path: Path, here: Settings) -> None:
    png(tmp_path / "d" / os.fsdecode(b"<b>\xff\n.png"))
    (name,) = load_pictures(str(tmp_path / "d"), here, 1).names
    assert name.isprintable()
    name.encode()


# --- datasets -------------------------------------------------------------------------


def test_digits_need_no_file_and_are_always_split_the_same(here: Settings) -> None:
    images = load_images("digits", here)
    assert images.train.shape == (1497, 28, 28)
    assert images.test.shape == (300, 28, 28)
    assert images.train.max() == 255
    assert images.train_labels is not None
    assert images.train_labels[:10].tolist() == list(range(10))
    assert images.record["sha256"].startswith("87ff0c9e40dc7e2c")
    assert images.notes[0] == "Images were resized from 8 × 8 to 28 × 28."
    pictures = load_pictures("digits", here, 5)
    np.testing.assert_array_equal(pictures.images, images.test[:5])
    assert pictures.names[:2] == ("digits 0", "digits 1")
    assert pictures.record["examples"] == 5
    assert not here.data_dir.exists()


def test_the_last_data_stays_in_memory_until_its_file_changes(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "a.npz", x_train=PIXELS, x_test=PIXELS)
    first = load_images(str(path), here)
    assert load_images(str(path), here) is first
    with pytest.raises(ValueError, match="read-only"):
        first.train[0] = 0
    npz(path, x_train=PIXELS[::-1], x_test=PIXELS)
    os.utime(path, ns=(0, 12345))
    changed = load_images(str(path), here)
    np.testing.assert_array_equal(changed.train, PIXELS[::-1])
    other = npz(tmp_path / "b.npz", x=PIXELS)
    load_images(str(other), here)
    assert load_images(str(path), here) is not changed


def test_a_folder_stays_in_memory_until_one_of_its_files_changes(tmp_path: Path, here: Settings) -> None:
    for index in range(20):
        png(tmp_path / f"d/{index}.png")
    first = load_images(str(tmp_path / "d"), here)
    assert load_images(str(tmp_path / "d"), here) is first
    png(tmp_path / "d/3.png", PIXELS[3][:20])
    assert load_images(str(tmp_path / "d"), here).record["sha256"] != first.record["sha256"]


def test_a_mnist_that_is_there_is_used_and_its_checksum_recorded(here: Settings) -> None:
    here.data_dir.mkdir()
    path = npz(here.data_dir / "mnist.npz", x_train=PIXELS, y_train=LABELS, x_test=PIXELS, y_test=LABELS)
    images = load_images(None, here)
    sha256 = sha256_of(path)
    assert images.name == "mnist"
    assert images.record == {
        "name": "mnist",
        "path": str(path),
        "sha256": sha256,
        "examples": {"train": 40, "test": 40},
        "original": False,
    }
    assert images.notes == (
        "mnist.npz in the data folder is not the file that is offered for download: "
        f"its SHA-256 begins with {sha256[:8]}, not 731c5ac6.",
    )
    assert sorted(file.name for file in here.data_dir.iterdir()) == ["mnist.npz"]


def test_the_real_mnist_is_read() -> None:
    if "QUARTET_TEST_DATA" not in os.environ:
        pytest.skip("QUARTET_TEST_DATA names no folder with the real datasets")
    images = load_images("mnist", read_settings(data_dir=Path(os.environ["QUARTET_TEST_DATA"])))
    assert images.train.shape == (60_000, 28, 28)
    assert images.test.shape == (10_000, 28, 28)
    assert images.test_labels is not None
    assert np.bincount(images.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # https://keras.io/api/datasets/mnist: the mean that everyone normalizes by, 0.1307
    assert images.train.mean() / 255 == pytest.approx(0.1307, abs=5e-4)
    pictures = load_pictures(None, read_settings(data_dir=Path(os.environ["QUARTET_TEST_DATA"])), 5)
    assert pictures.labels is not None
    assert pictures.labels.tolist() == [7, 2, 1, 0, 4]


# --- downloads ------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server of this test's own; what is in `tmp_path / "web"` is on it."""
    (tmp_path / "web").mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = partial(Handler, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()


def test_a_download_arrives_whole_and_checked(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web/a.txt").write_text("hello")
    original = Original("a.txt", f"{server}/a.txt", 5, sha256_of(tmp_path / "web/a.txt"))
    bar = io.StringIO()
    path = download(original, tmp_path / "data", bar)
    assert path == tmp_path / "data/a.txt"
    assert path.read_text() == "hello"
    assert "Downloading data from http://" in bar.getvalue()
    assert capsys.readouterr().out == ""


def test_a_download_that_is_another_file_is_thrown_away(tmp_path: Path, server: str) -> None:
    (tmp_path / "web/a.txt").write_text("hullo")
    with pytest.raises(InvalidData) as raised:
        download(Original("a.txt", f"{server}/a.txt", 5, "0" * 64), tmp_path / "data")
    assert str(raised.value) == (
        f"{server}/a.txt sent another file than the one that is expected (SHA-256 {'0' * 64}), so it was "
        f"thrown away; allowed: a network that reaches it, or a.txt put into {tmp_path / 'data'}"
    )
    assert not list((tmp_path / "data").rglob("a.txt"))


def test_a_download_that_is_not_on_the_server_gets_one_sentence(tmp_path: Path, server: str) -> None:
    with pytest.raises(InvalidData) as raised:
        download(Original("a.txt", f"{server}/a.txt", 5, "0" * 64), tmp_path / "data")
    assert str(raised.value) == (
        f"{server}/a.txt cannot be downloaded (File not found); "
        f"allowed: a network that reaches it, or a.txt put into {tmp_path / 'data'}"
    )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that is not there: what a machine without a network looks like, on any machine."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies it began with


@pytest.mark.usefixtures("no_network")
def test_without_a_network_get_says_what_to_do_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUARTET_DATA_DIR", str(tmp_path / "data"))
    assert main(["get", "mnist"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    url = DATASETS["mnist"].originals[0].url
    assert said.err == (
        f"mnist: downloading 11.5 MB from {url}\n"
        f"{url} cannot be downloaded (Connection refused); "
        f"allowed: a network that reaches it, or mnist.npz put into {tmp_path / 'data'}\n"
    )


@pytest.mark.parametrize("written", ["~/data", "data"])
def test_the_data_folder_may_be_written_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mnist.npz").touch()
    assert obtain("mnist", read_settings(data_dir=Path(written))) == tmp_path / "data/mnist.npz"


def test_a_data_folder_that_cannot_be_written_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidData) as raised:
        obtain("mnist", read_settings(data_dir=tmp_path / "file/data"))
    assert str(raised.value) == (
        f"mnist: nothing can be kept in the data folder {tmp_path}/file/data (not a directory); "
        "allowed: a folder that can be written, or one that holds mnist.npz already"
    )


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("digits", 0, "digits needs no download: it is made from scikit-learn's load_digits\n"),
        ("toy-reviews", 0, "toy-reviews needs no download: it is made by a grammar\n"),
        ("MNIST", 2, "dataset 'MNIST' is unknown; did you mean 'mnist'? allowed: mnist, digits, "),
    ],
)
def test_get_says_when_there_is_nothing_to_get(
    capsys: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    assert main(["get", name]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(said)
    assert captured.out == ""


def test_get_as_a_process_prints_the_path_of_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "shakespeare.txt").write_text("To be")
    done = subprocess.run(
        [sys.executable, "-m", "worker.data", "get", "shakespeare"],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"QUARTET_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/shakespeare.txt\n")
    assert done.stderr == (
        "shakespeare is here already, but not as it is offered for download (its SHA-256 is another one)\n"
    )


def test_images_are_read_without_tensorflow(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz", x=PIXELS)
    code = (
        "import sys; from jobs.settings import read_settings; from worker.data.images import load_images; "
        "from worker.data.pictures import load_pictures; "
        "light = {'PIL', 'sklearn'} & set(sys.modules); "
        f"load_images({str(tmp_path / 'a.npz')!r}, read_settings()); "
        "print(light | ({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
