"""Finds out a text file's encoding, by its beginning or, with its SHA-256, in one pass, a block at a time."""

import codecs
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import open_regular
from worker.datasets.text_encoding import PLAIN, READABLE, SHOWN, candidates
from worker.tasks.sentiment.reviews import LARGEST_FILE, unreadable

_BLOCK = 1 << 20


def checksum_and_encoding(path: Path) -> tuple[str, str]:
    """The SHA-256 of a text file, and the name of its encoding.

    Raises:
        InvalidData: it cannot be read, is empty, or is not text in an encoding that is supported.
    """
    digest = hashlib.sha256()
    encoding = _known(path, lambda: _encoding(_blocks(path, digest)))
    return digest.hexdigest(), encoding


def encoding_of_beginning(path: Path, most_bytes: int) -> str:
    """The name of the encoding of a text file's first bytes, which may differ from that of all.

    Raises:
        InvalidData: the file cannot be read, is empty, or these bytes are not text in a supported encoding.
    """

    def found() -> str:
        block = next(_blocks(path, hashlib.sha256(), most_bytes))
        return _encoding([block], whole=len(block) < most_bytes)

    return _known(path, found)


class _NotText(Exception):
    """Bytes of no supported encoding: what was found, and perhaps a hint."""

    def __init__(self, given: str, hint: str | None = None) -> None:
        super().__init__(given)
        self.given, self.hint = given, hint


def _known(path: Path, find: Callable[[], str]) -> str:
    """The encoding that `find` finds in a file.

    Raises:
        InvalidData: the file cannot be read, or none was found.
    """
    try:
        return find()
    except OSError as error:
        raise unreadable(path, error) from None
    except _NotText as error:
        raise InvalidData(
            shown_path(path),
            expected=READABLE,
            given=error.given,
            hint=error.hint,
        ) from None


def _blocks(path: Path, digest: "hashlib._Hash", size: int = _BLOCK) -> Iterator[bytes]:
    """The content of a file, which also goes into `digest`.

    Raises:
        InvalidData: it is empty.
    """
    with open_regular(path, LARGEST_FILE, follow=True) as file:
        block = file.read(size)
        if not block:
            raise InvalidData(shown_path(path), expected="a file with reviews", given="an empty one")
        while block:
            digest.update(block)
            yield block
            block = file.read(size)


def _encoding(blocks: Iterable[bytes], *, whole: bool = True) -> str:
    """The first encoding in which all blocks can be read.

    Args:
        blocks: of a file.
        whole: whether the file ends with them, or perhaps within a character.

    Raises:
        _NotText: there is none.
    """
    decoders: dict[str, codecs.IncrementalDecoder] = {}
    faults: dict[str, int] = {}
    passed = 0
    for block in blocks:
        if not decoders:
            decoders = {name: codecs.getincrementaldecoder(name)() for name in candidates(block)}
        if b"\0" in block and not decoders.keys().isdisjoint(PLAIN):
            raise _NotText(
                f"a NUL at byte {passed + block.index(0) + 1:,}",
                "save the file as UTF-8; if it is UTF-16, it has no byte order mark",
            )
        _decode(decoders, faults, block, passed)
        passed += len(block)
    _decode(decoders, faults, b"", passed, final=whole)
    return next(iter(decoders))


def _decode(
    decoders: dict[str, codecs.IncrementalDecoder],
    faults: dict[str, int],
    block: bytes,
    passed: int,
    *,
    final: bool = False,
) -> None:
    """Feed a block to all decoders; those that cannot read it go, and the place of the byte to `faults`.

    Raises:
        _NotText: none is left.
    """
    for name in list(decoders):
        try:
            decoders[name].decode(block, final=final)
        except UnicodeDecodeError as error:
            del decoders[name]
            # What the decoder holds begins before the block, within a character.
            faults[name] = passed + len(block) - len(error.object) + error.start + 1
    if not decoders:
        places = (
            f"byte {place:,} is not {SHOWN[name]}" for name, place in sorted(faults.items(), reverse=True)
        )
        raise _NotText(f"other bytes ({', '.join(places)})")
