"""Finds out a text file's encoding and its SHA-256 in one pass, a block at a time."""

import codecs
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.tasks.sentiment.reviews import unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 20


def checksum_and_encoding(path: Path) -> tuple[str, str]:
    """The SHA-256 of a text file, and the name of its encoding.

    Raises:
        InvalidData: it cannot be read, is empty, or is not text in an encoding that is supported.
    """
    digest = hashlib.sha256()
    try:
        encoding = _encoding(_blocks(path, digest))
    except OSError as error:
        raise unreadable(path, error) from None
    if encoding is None:
        raise InvalidData(
            shown_path(path),
            expected="text in UTF-8, UTF-16 with a byte order mark or Windows-1252",
            given="other bytes",
        )
    return digest.hexdigest(), encoding


def _blocks(path: Path, digest: "hashlib._Hash") -> Iterator[bytes]:
    """The content of a file, which also goes into `digest`.

    Raises:
        InvalidData: it is empty.
    """
    with path.open("rb") as file:
        block = file.read(_BLOCK)
        if not block:
            raise InvalidData(shown_path(path), expected="a file with reviews", given="an empty one")
        while block:
            digest.update(block)
            yield block
            block = file.read(_BLOCK)


def _encoding(blocks: Iterable[bytes]) -> str | None:
    """The first encoding in which all blocks can be read; all are consumed whatever they hold."""
    decoders: dict[str, codecs.IncrementalDecoder] | None = None
    plain = False
    for block in blocks:
        if decoders is None:
            marked = [name for mark, name in _MARKS if block.startswith(mark)][:1]
            plain = not marked
            decoders = {name: codecs.getincrementaldecoder(name)() for name in marked or ("utf-8", "cp1252")}
        if plain and b"\0" in block:
            decoders.clear()
        _decode(decoders, block)
    _decode(decoders or {}, b"", final=True)
    return next(iter(decoders or {}), None)


def _decode(decoders: dict[str, codecs.IncrementalDecoder], block: bytes, *, final: bool = False) -> None:
    """Feed a block to all decoders, and drop those that cannot read it."""
    for name in list(decoders):
        try:
            decoders[name].decode(block, final=final)
        except UnicodeError:
            del decoders[name]
