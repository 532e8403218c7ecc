"""What format a file has, whatever its suffix says, by the bytes that it begins with."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG file"),
    (b"\xff\xd8\xff", "a JPEG file"),
    (b"GIF8", "a GIF file"),
    (b"II*\0", "a TIFF file"),
    (b"MM\0*", "a TIFF file"),
    (b"\0\0\x01\0", "an icon file"),
    (b"%PDF-", "a PDF file"),
    (b"{\\rtf", "an RTF file"),
    (b"\x93NUMPY", "a .npy file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a file of an old Office format"),
)
_MARKUP = ((b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<svg", "an SVG file"))
_BRANDS = {b"heic": "a HEIC file", b"heix": "a HEIC file", b"mif1": "a HEIC file", b"avif": "an AVIF file"}

LONGEST_BEGINNING = 64
"""Bytes of a file that say which format it has."""


def format_of(beginning: bytes) -> str | None:
    """Name the format of a file: `a JPEG file`; None where it is none of those that are known.

    Args:
        beginning: its first `LONGEST_BEGINNING` bytes, or all.
    """
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "a WebP file"
    if beginning[4:8] == b"ftyp":
        return _BRANDS.get(beginning[8:12])
    if beginning[:2] == b"BM" and beginning[6:10] == bytes(4):
        return "a BMP file"
    markup = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in _MARKUP:
        if markup.startswith(start):
            return name
    return next((name for start, name in _BEGINNINGS if beginning.startswith(start)), None)
