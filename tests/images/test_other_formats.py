"""JPEG, TIFF and WebP files are read as PNG files are, and a hostile one costs a sentence."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from PIL import Image, ImageOps, ImageSequence

from jobs.errors import InvalidData
from jobs.settings import Settings
from tests.images.files import PIXELS
from tests.tasks.hostile_files import Change, at_most, changes, damaged, mutations, read_or_refused
from worker.images import jpeg_segments
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs
from worker.images.jpeg_segments import picture_alone
from worker.images.pixels import Pixels
from worker.images.tiff_directory import first_picture
from worker.images.user_files import read_picture

SMOOTH = np.add.outer(np.arange(28), np.arange(28)).astype(np.uint8) * 4
"""What JPEG hardly changes."""
COLOUR = np.dstack([SMOOTH, SMOOTH // 2, 255 - SMOOTH])


def encoded(array: Any, form: str, mode: str | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(file, form, **options)
    return file.getvalue()


FILES = {
    "grey.jpg": encoded(SMOOTH, "JPEG", quality=95),
    "progressive.jpeg": encoded(COLOUR, "JPEG", progressive=True, quality=95),
    "cmyk.jpg": encoded(COLOUR, "JPEG", mode="CMYK", quality=95),
    "raw.tif": encoded(SMOOTH, "TIFF"),
    "lzw.tiff": encoded(COLOUR, "TIFF", compression="tiff_lzw"),
    "deflate.tif": encoded(SMOOTH, "TIFF", compression="tiff_adobe_deflate"),
    "packbits.tif": encoded(SMOOTH, "TIFF", compression="packbits"),
    "fax.tif": encoded(SMOOTH > 100, "TIFF", compression="group4"),
    "palette.tif": encoded(COLOUR, "TIFF", mode="P"),
    "deep.tif": encoded(SMOOTH.astype(np.uint16) * 257, "TIFF", compression="tiff_lzw"),
    "lossy.webp": encoded(COLOUR, "WEBP", quality=95),
    "lossless.webp": encoded(np.dstack([COLOUR, SMOOTH]), "WEBP", lossless=True, exact=True),
}


def read(path: Path, content: bytes) -> tuple[Pixels, list[str]]:
    path.write_bytes(content)
    found = read_picture(path)
    return found.labelled.images[0], found.notes


@pytest.mark.parametrize("name", FILES)
def test_what_pillow_shows_is_read(tmp_path: Path, name: str) -> None:
    image, _ = read(tmp_path / name, FILES[name])
    with Image.open(io.BytesIO(FILES[name])) as opened:
        if opened.mode.startswith("I"):
            expected = np.asarray(opened) >> 8
        else:
            shown = (
                opened
                if opened.mode != "RGBA"
                else Image.alpha_composite(Image.new("RGBA", (28, 28), "white"), opened)
            )
            expected = np.asarray((shown if shown.mode in "1L" else shown.convert("RGB")).convert("L"))
    if name != "lossless.webp":
        np.testing.assert_array_equal(image, expected)


def test_a_file_is_read_by_its_content_whatever_its_suffix(tmp_path: Path) -> None:
    for number, content in enumerate(FILES.values()):
        assert read(tmp_path / f"{number}.png", content)[0].any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    for name, options in (("a.jpg", {"quality": 100}), ("a.tif", {}), ("a.webp", {"lossless": True})):
        form = {"a.jpg": "JPEG", "a.tif": "TIFF", "a.webp": "WEBP"}[name]
        lying = encoded(COLOUR, form, exif=exif, **options)
        with Image.open(io.BytesIO(lying)) as opened:
            upright = ImageOps.exif_transpose(opened) if form != "TIFF" else _turned(COLOUR, orientation)
            expected = np.asarray(upright.convert("RGB").convert("L"))
        image, notes = read(tmp_path / name, lying)
        np.testing.assert_array_equal(image, expected)
        assert notes == ["Images were turned upright, as their cameras say."] * (orientation > 1)


def _turned(array: Any, orientation: int) -> Image.Image:
    image = Image.fromarray(array)
    image.getexif()[274] = orientation
    return ImageOps.exif_transpose(image)


def test_of_several_pictures_the_first_is_used_with_a_note(tmp_path: Path) -> None:
    for name in ("a.tif", "a.webp"):
        file = io.BytesIO()
        first, second = Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)
        first.save(
            file, name[2:].replace("tif", "tiff"), save_all=True, append_images=[second], lossless=True
        )
        with Image.open(file) as opened:
            expected = next(iter(ImageSequence.Iterator(opened))).convert("RGB").convert("L")
        image, notes = read(tmp_path / name, file.getvalue())
        np.testing.assert_array_equal(image, np.asarray(expected))
        assert notes == ["Of files with several pictures, the first was used."]


def test_a_tiff_file_of_sixteen_bits_that_uses_ten_is_not_black(tmp_path: Path) -> None:
    image, notes = read(tmp_path / "a.tif", encoded(PIXELS[0].astype(np.uint16) * 8, "TIFF"))
    np.testing.assert_array_equal(image, np.rint(PIXELS[0] * 8.0 * 255 / 1023))
    assert notes == [
        f"The image file of 16 bits has no number above {8 * int(PIXELS[0].max()):,}: 0 was read as black and 1,023 as white."
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (encoded(COLOUR, "TIFF", compression="jpeg"), "a TIFF file without compression, or with one of fax, LZW, deflate, PackBits, got compression 7"),
        (encoded(SMOOTH.astype(np.float32), "TIFF"), "a TIFF file of integers of 1 to 16 bits, without a sign, got other numbers, of 32 bits"),
        (encoded(SMOOTH.astype(np.int32), "TIFF"), "a TIFF file of integers of 1 to 16 bits, without a sign, got other numbers, of 32 bits"),
    ],
)  # fmt: skip
def test_a_tiff_file_of_another_kind_is_refused_with_a_way_out(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(InvalidData) as raised:
        read_picture(tmp_path / "a.tif")
    assert str(raised.value) == f"{tmp_path}/a.tif: expected {sentence}"
    assert raised.value.hint == "save it as a PNG file"


@pytest.mark.quality
@pytest.mark.parametrize("name", FILES)
@mutations
@given(done=changes)
def test_a_damaged_picture_of_another_format_is_read_or_refused(
    tmp_path: Path, name: str, done: list[Change]
) -> None:
    (tmp_path / name).write_bytes(damaged(FILES[name], done))
    with read_or_refused(100):
        assert read_picture(tmp_path / name).labelled.images.shape == (1, 28, 28)


def patched(content: bytes, tag: int, value: int, kind: int | None = None) -> bytes:
    """A little-endian TIFF file with another value of an entry."""
    (place,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, place)
    for start in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, start)[0] == tag:
            changed = bytearray(content)
            struct.pack_into("<HII", changed, start + 2, kind or 4, 1, value)
            return bytes(changed)
    raise AssertionError(tag)


def tiled(across: int, down: int, count: int = 1) -> bytes:
    """A TIFF file of 28 × 28 pixels in tiles of any size, which share their bytes."""
    data = bytes(100)
    entries = [
        *((256, 28), (257, 28), (258, 8), (259, 8), (262, 1), (277, 1), (322, across), (323, down)),
        *((324, 8), (325, len(data))),
    ]
    directory = b"".join(
        struct.pack("<HHII", tag, 4, 1 if tag < 324 else count, value) for tag, value in entries
    )
    place = 8 + len(data)
    return b"II*\0" + struct.pack("<I", place) + data + struct.pack("<H", len(entries)) + directory + bytes(4)


def vp8x(width: int, height: int) -> bytes:
    body = (
        b"VP8X"
        + struct.pack("<IB3x", 10, 0)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


BOMBS = {
    "large.jpg": FILES["grey.jpg"].replace(struct.pack(">HH", 28, 28), struct.pack(">HH", 65_000, 65_000), 1),
    "large.tif": patched(patched(FILES["raw.tif"], 256, 60_000), 257, 60_000),
    "large.webp": vp8x(16_384, 16_384),
    "tiles.tif": tiled(1 << 20, 1 << 20),
    "many tiles.tif": tiled(2, 2, 196),
    "shared strips.tif": patched(FILES["raw.tif"], 278, 1),
    "offsets.tif": patched(FILES["raw.tif"], 273, 2**32 - 1, 13),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_pixel_of_a_bomb_is_decoded(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    for place in ("ImageFile.ImageFile", "TiffImagePlugin.TiffImageFile", "WebPImagePlugin.WebPImageFile"):
        monkeypatch.setattr(f"PIL.{place}.load", decode)
    (tmp_path / name).write_bytes(BOMBS[name])
    with at_most(20), pytest.raises(InvalidData, match=r"at most 50,000,000 pixels|damaged or was cut off"):
        read_picture(tmp_path / name)


def test_a_picture_refined_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = FILES["progressive.jpeg"]
    scan = content.rindex(b"\xff\xda")
    endless = content[:-2] + content[scan:-2] * jpeg_segments.MOST_SCANS + content[-2:]
    (tmp_path / "a.jpg").write_bytes(endless)
    with pytest.raises(InvalidData, match="expected an intact JPEG file"):
        read_picture(tmp_path / "a.jpg")
    monkeypatch.setattr(jpeg_segments, "MOST_SEGMENTS", 3)
    with pytest.raises(ValueError, match="too many segments"):
        picture_alone(content)


def test_a_decoder_sees_the_picture_alone() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret" * 100
    for array in (SMOOTH, COLOUR):
        marked = encoded(array, "JPEG", exif=exif, comment=b"a secret")
        alone, found = picture_alone(marked + b"a secret" + b"\xff\xda" * 1_000)
        assert alone == encoded(array, "JPEG")
        assert b"a secret" in found
    tiff = encoded(SMOOTH, "TIFF", description="words", resolution=300)
    picture = first_picture(tiff)
    with Image.open(io.BytesIO(picture.content)) as opened:
        assert not {270, 282, 283} & set(opened.tag_v2)
        assert {256, 257, 258, 259, 262, 273, 278, 279} <= set(opened.tag_v2)


def test_a_folder_of_all_formats_is_read_and_the_rest_skipped(tmp_path: Path, here: Settings) -> None:
    for number in range(3):
        for name, content in FILES.items():
            (tmp_path / f"{number}{name}").write_bytes(content)
    (tmp_path / "a.gif").write_bytes(b"GIF8")
    images = load_images(str(tmp_path), here)
    assert len(images.train) + len(images.test) == 3 * len(FILES)
    assert "Skipped files that are not PNG, JPEG, TIFF or WebP: 1 (a.gif)." in images.notes
    assert len(load_inputs(str(tmp_path / "0lzw.tiff"), here, None).images) == 1
