"""Scripts that hand a page on a disk its data, since such a page may read no JSON."""

import json
import stat
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jobs.escape_control import escape_control
from jobs.store.atomic_files import whole_file
from jobs.store.regular_files import read_regular


def script_of(function: str, value: Any) -> bytes:
    """A script that calls a function with a value; ASCII, and harmless even within a page.

    The value is a text for the page to parse, which is fast and gives a key `__proto__` no meaning.

    Args:
        function: a global function of the page, of one argument: the JSON.
        value: what JSON can hold, without a NaN or an infinity.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"{function}('{text.replace(chr(92), chr(92) * 2)}');\n".encode("ascii")


@cache
def program_of(scripts: tuple[str, ...]) -> str:
    """A page's program: its scripts in one function, so that none of their names is global.

    Args:
        scripts: their names in the folder of templates, without the suffix.
    """
    folder = resources.files("worker.report").joinpath("templates")
    files = [folder.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in scripts]
    return '"use strict";\n(() => {\n' + "\n".join(files) + "})();\n"


def harmless(value: Any) -> Any:
    """Escape control characters in every text of a JSON value."""
    if isinstance(value, str):
        return escape_control(value)
    if isinstance(value, list):
        return [harmless(each) for each in value]
    if isinstance(value, dict):
        return {harmless(key): harmless(each) for key, each in value.items()}
    return value


def write_if_changed(path: Path, content: bytes) -> None:
    """Write a file, unless it has this content already.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    try:
        if read_regular(path, len(content)) == content:
            return
    except OSError:
        pass
    with whole_file(path) as file:
        file.write(content)


def make_folder(folder: Path) -> None:
    """Make a folder of its own; a link or a file in its place goes.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            folder.unlink()
    except FileNotFoundError:
        pass
    folder.mkdir(exist_ok=True)
