"""A file of images that cannot be used is refused in one sentence, and nothing of a hostile one is executed."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some
from PIL import Image

from jobs.errors import InvalidData
from jobs.settings import Settings, read_settings
from tests.images.files import (
    LABELS,
    PIXELS,
    cut_off,
    encrypted,
    linked_outside,
    npz,
    npz_with_header,
    png,
    png_of_size,
    with_bad_png,
    with_content,
    with_method,
    with_wrong_byte,
)
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs
from worker.images.own_data import check_own_data

F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"

NPZ = "{}: expected an .npz file as numpy.savez writes it, got"
DAMAGED = f"{NPZ} one that is damaged or was cut off"
ARRAYS = "{}: expected an array x_train (with y_train, x_test and y_test if there are any), x or images, got"
NUMBERS = "expected an array of numbers, got"
SHAPE = "expected shape (images, height, width), grey levels only, got shape"
VALUES = "expected integers from 0 to 255 or real numbers from 0 to 1, got"
DATA = "data: expected mnist, digits, fashion-mnist, kmnist, an .npz file, an IDX file or a folder of image or IDX files, got {},"
NO_PNG = "{}: expected PNG, JPEG, TIFF or WebP files in it or in its sub-folders, got none"
WHOLE_PNG = "{}/13.png: expected an intact PNG file, got one that is damaged or was cut off"
OTHER_FORMAT = (
    "{}/13.png: expected a PNG, JPEG, TIFF or WebP file, got a file of another format with that suffix"
)

BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    # the file
    "a.npz": (lambda path: path, f"{DATA} which does not exist"),
    "pipe.npz": (os.mkfifo, f"{DATA} which is neither a file nor a folder"),
    "empty.npz": (Path.touch, f"{NPZ} an empty file"),
    "text.npz": (partial(with_content, content=b"hello"), f"{NPZ} a file of another format"),
    "npy.npz": (
        lambda path: with_content(path, b"\x93NUMPY\x01\x00" + bytes(100)),
        f"{NPZ} a .npy file",
    ),
    "half.npz": (lambda path: cut_off(npz(path, x=PIXELS), 0.5), DAMAGED),
    "tail.npz": (lambda path: cut_off(npz(path, x=PIXELS), 0.998), DAMAGED),
    "byte.npz": (with_wrong_byte, DAMAGED),
    "method.npz": (partial(with_method, method=77), DAMAGED),
    "encrypted.npz": (encrypted, DAMAGED),
    "nothing.npz": (npz, f"{ARRAYS} no array"),
    "unnamed.npz": (lambda path: np.savez(path, PIXELS), f"{ARRAYS} arr_0"),
    "test.npz": (partial(npz, x_test=PIXELS, y_test=LABELS), f"{ARRAYS} x_test, y_test"),
    # what the header says
    "pickle.npz": (
        partial(npz, x=np.array([{"a": 1}] * 30, dtype=object)),
        f"{{}}, x: {NUMBERS} Python objects (a pickle), which are never loaded",
    ),
    "bomb.npz": (
        lambda path: npz_with_header(path, (F8 % "(1000000, 1000, 1000)").encode()),
        "{}: expected arrays of at most 4 GiB in all, got 7,450.6 GiB up to x",
    ),
    "lie.npz": (
        lambda path: npz_with_header(path, (F8 % "(600000, 28, 28)").encode(), bytes(1000)),
        DAMAGED,
    ),
    "negative.npz": (lambda path: npz_with_header(path, (F8 % "(-5, 28, 28)").encode()), DAMAGED),
    "deep.npz": (lambda path: npz_with_header(path, b"(" * 9_000), DAMAGED),
    "code.npz": (lambda path: npz_with_header(path, b"__import__('os').abort()"), DAMAGED),
    "version.npz": (
        lambda path: npz_with_header(path, (F8 % "(40, 28, 28)").encode(), version=b"\x02\x00"),
        f"{{}}, x: {NUMBERS} one that is not a plain array",
    ),
    # the arrays
    "vector.npz": (partial(npz, x=PIXELS[:, 0, 0]), f"{{}}, x: {SHAPE} (40)"),
    "flat.npz": (partial(npz, x_train=PIXELS.reshape(40, 784)), f"{{}}, x_train: {SHAPE} (40, 784)"),
    "colour.npz": (partial(npz, x=np.repeat(PIXELS[..., None], 3, 3)), f"{{}}, x: {SHAPE} (40, 28, 28, 3)"),
    "none.npz": (
        partial(npz, x=PIXELS[:0]),
        "{}, x: expected at least one image, got shape (0, 28, 28)",
    ),
    "flat_images.npz": (
        partial(npz, x=PIXELS[:, :0]),
        "{}, x: expected at least one image, got shape (40, 0, 28)",
    ),
    "no_test.npz": (
        partial(npz, x_train=PIXELS, x_test=PIXELS[:0]),
        "{}, x_test: expected at least one image, got shape (0, 28, 28)",
    ),
    "wide.npz": (
        lambda path: np.savez(path, x=np.zeros((1, 5, 10_000_001), np.uint8)),
        "{}, x: expected at most 50,000,000 pixels in an image, got 10,000,001 × 5",
    ),
    "one.npz": (partial(npz, x=PIXELS[0]), "{}: expected at least 20 images to train on, got 1"),
    "few.npz": (partial(npz, x=PIXELS[:19]), "{}: expected at least 20 images to train on, got 19"),
    "text_values.npz": (
        partial(npz, x=np.full((40, 28, 28), "a")),
        f"{{}}, x: {VALUES} values of type str32",
    ),
    "complex.npz": (partial(npz, x=PIXELS * 1j), f"{{}}, x: {VALUES} values of type complex128"),
    "dates.npz": (
        partial(npz, x=PIXELS.astype("M8[s]")),
        f"{{}}, x: {VALUES} values of type datetime64[s]",
    ),
    "nan.npz": (
        partial(npz, x=np.where(PIXELS == 3, np.nan, 0.5)),
        f"{{}}, x: {VALUES} values that are not finite (NaN or infinity)",
    ),
    "infinite.npz": (
        partial(npz, x_train=PIXELS, x_test=np.where(PIXELS == 3, np.inf, 0.5).astype(np.float16)),
        f"{{}}, x_test: {VALUES} values that are not finite (NaN or infinity)",
    ),
    "standardised.npz": (
        partial(npz, x=PIXELS / 127 * 3.25 - 0.5),
        f"{{}}, x: {VALUES} real numbers from -0.5 to 2.75",
    ),
    "odd_range.npz": (partial(npz, x=PIXELS / 127 * 3), f"{{}}, x: {VALUES} real numbers from 0 to 3"),
    "deeper.npz": (
        partial(npz, x=PIXELS.astype(np.int32) * 1_000),
        f"{{}}, x: {VALUES} integers from 0 to 127000",
    ),
    "below.npz": (partial(npz, x=PIXELS.astype(int) - 1), f"{{}}, x: {VALUES} integers from -1 to 126"),
    # folders of image files
    "no_png": (Path.mkdir, f"{DATA} a folder without a PNG, JPEG, TIFF, WebP or IDX file"),
    "links": (linked_outside, NO_PNG),
    "few": (lambda path: png(path / "a.png"), "{}: expected at least 20 images to train on, got 1"),
    "not_png": (lambda path: with_bad_png(path, lambda file: file.write_bytes(b"BM")), OTHER_FORMAT),
    "gif": (
        lambda path: with_bad_png(path, lambda file: Image.new("L", (9, 9)).save(file, "GIF")),
        "{}/13.png: expected a PNG, JPEG, TIFF or WebP file, got a GIF file",
    ),
    "empty_png": (
        lambda path: with_bad_png(path, lambda file: file.write_bytes(b"")),
        "{}/13.png: expected a PNG, JPEG, TIFF or WebP file, got an empty file",
    ),
    "cut_png": (lambda path: with_bad_png(path, lambda file: cut_off(file, 0.6)), WHOLE_PNG),
    "cut_header": (
        lambda path: with_bad_png(path, lambda file: with_content(file, file.read_bytes()[:20])),
        WHOLE_PNG,
    ),
    "bomb": (
        lambda path: with_bad_png(path, lambda file: png_of_size(file, 2**31 - 1, 2**31 - 1)),
        "{}/13.png: expected at most 50,000,000 pixels in an image, got 2,147,483,647 × 2,147,483,647",
    ),
    "small_bomb": (
        lambda path: with_bad_png(path, lambda file: png_of_size(file, 7_072, 7_072)),
        "{}/13.png: expected at most 50,000,000 pixels in an image, got 7,072 × 7,072",
    ),
    "no_pixels": (lambda path: with_bad_png(path, lambda file: png_of_size(file, 0, 5)), WHOLE_PNG),
    "too_few_pixels": (
        lambda path: with_bad_png(path, lambda file: png_of_size(file, 7_000, 7_000)),
        WHOLE_PNG,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_gets_one_sentence(tmp_path: Path, here: Settings, name: str) -> None:
    make, sentence = BAD[name]
    make(tmp_path / name)
    with pytest.raises(InvalidData) as raised:
        load_images(str(tmp_path / name), here)
    message = str(raised.value)
    assert message == sentence.replace("{}", str(tmp_path / name))
    assert message.isprintable()


def test_flat_images_come_with_a_hint(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "flat.npz", x=PIXELS.reshape(40, 784))
    with pytest.raises(InvalidData) as raised:
        load_images(str(path), here)
    assert raised.value.hint == "reshape it to (40, 28, 28)"


def test_no_pixel_of_a_bomb_is_decoded(
    tmp_path: Path, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    path = png_of_size(tmp_path / "bomb.png", 10_000, 10_000)
    with pytest.raises(InvalidData, match="at most 50,000,000 pixels"):
        load_inputs(str(path), here, 1)


def test_a_folder_with_too_much_in_it_is_refused(
    tmp_path: Path, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bad_png(tmp_path / "d", lambda _: None)
    monkeypatch.setattr("worker.images.picture_folder.MAX_FILES", 24)
    with pytest.raises(InvalidData, match=r"/d: expected at most 24 image files, got more$"):
        load_images(str(tmp_path / "d"), here)
    monkeypatch.setattr("worker.images.picture_files.MAX_BYTES", 100)
    with pytest.raises(InvalidData, match=r"/00.png: expected at most 0 MiB in an image file, got more$"):
        load_inputs(str(tmp_path / "d/00.png"), here, 1)


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
            inputs = load_inputs(str(path), read_settings(), 5)
        except InvalidData:
            return
        assert inputs.images.shape[1:] == (28, 28)


def test_files_that_cannot_be_read_are_named_together_and_by_their_format(
    tmp_path: Path, here: Settings
) -> None:
    folder = with_bad_png(tmp_path / "d", lambda file: Image.new("L", (28, 28)).save(file, "GIF"))
    for number in (15, 16, 20):
        with_content(folder / f"{number}.png", b"hello")
    for read in (
        lambda: load_images(str(folder), here),
        lambda: load_inputs(str(folder), here, None),
        lambda: check_own_data(folder, "train"),
    ):
        with pytest.raises(
            InvalidData, match=r"/13\.png: expected a PNG, .* or WebP file, got a GIF file$"
        ) as caught:
            read()
        assert caught.value.hint == (
            "not usable either: 15.png, 16.png, …; --on-bad-row skip leaves out what cannot be read"
        )
