"""A file's format is known by how it begins."""

import gzip
import io

import numpy as np
import pytest
from PIL import Image

from worker.datasets.file_formats import LONGEST_BEGINNING, format_of


@pytest.mark.parametrize(
    ("pillow", "name"),
    [
        ("PNG", "a PNG file"),
        ("JPEG", "a JPEG file"),
        ("GIF", "a GIF file"),
        ("TIFF", "a TIFF file"),
        ("WEBP", "a WebP file"),
        ("BMP", "a BMP file"),
        ("PDF", "a PDF file"),
    ],
)
def test_pictures_are_told_apart(pillow: str, name: str) -> None:
    file = io.BytesIO()
    Image.new("L", (28, 28), 7).save(file, pillow)
    assert format_of(file.getvalue()[:LONGEST_BEGINNING]) == name


def test_other_files_are_told_apart() -> None:
    array, arrays = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(3))
    np.savez(arrays, x=np.arange(3))
    assert format_of(array.getvalue()[:LONGEST_BEGINNING]) == "a .npy file"
    assert format_of(arrays.getvalue()[:LONGEST_BEGINNING]) == "a ZIP file"
    assert format_of(gzip.compress(b"text")) == "a gzip file"
    assert format_of(b"\xef\xbb\xbf\n  <!DOCTYPE html><html>") == "an HTML page"
    assert format_of(b"") is format_of(b"II. The second act") is format_of(b"BM is not a picture") is None
