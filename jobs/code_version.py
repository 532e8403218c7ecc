"""Names the code that a result depends on: the version of Quartet, and a checksum that changes with it.

Files and the metadata of packages are read; no module of a model is imported.
"""

import hashlib
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jobs.models import packages

CHECKSUM_DIGITS = 16

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pandas")
"""Packages that compute or read; each version counts."""

_HARMLESS = ("worker.report", "worker.engine")
"""Rooms whose code decides how a result looks and where it is put, but not what it is."""

_SHOWING = ("report", "compare", "saved_model")
"""The modules of a wing that show results; what they alone import decides none either."""

_FROM = re.compile(r"^[ \t]*from +([\w.]+) +import +(\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import +([\w., \t]+)", re.MULTILINE)
_NAME = re.compile(r"(\w+)(?: +as +\w+)?")
_COMMENT = re.compile(r"#[^\n]*")


def code_version(model: str) -> Mapping[str, Any] | None:
    """The version and the checksum of the code that runs a model's jobs, as its files are now.

    The checksum is of the modules of the model's wing, of those of the kits and of its own package that they
    import, directly or not, and of the versions of Python and of `LIBRARIES`.

    Args:
        model: a model's name.

    Returns:
        `quartet`, the version, and `checksum`, hexadecimal; None where the model, or TensorFlow, is not
        installed.
    """
    claims = packages().get(model, ())
    if len(claims) != 1 or _version("tensorflow") is None:
        return None
    try:
        sources = dict(_sources(claims[0]))
    except (OSError, ImportError, ValueError):  # files that are being replaced, or a stranger's package
        return None
    if not sources:
        return None
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{len(sources[name])}\n".encode() + sources[name])
    for library in LIBRARIES:
        digest.update(f"{library} {_version(library)}\n".encode())
    digest.update(f"python {platform.python_version()}\n".encode())
    return {"quartet": _version("quartet"), "checksum": digest.hexdigest()[:CHECKSUM_DIGITS]}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _sources(package: str) -> Iterator[tuple[str, bytes]]:
    """The name and the content of each module that can change a result of a wing."""
    wing = _folder_of(package)
    if wing is None:
        return
    own = {_module(package, wing, path): path.read_bytes() for path in wing.rglob("*.py")}
    shown = _reached([f"{package}.{name}" for name in _SHOWING], own)
    computed = _reached([name for name in own if name not in shown], own)
    found = {name: own[name] for name in computed}
    roots = _Roots(package)
    pending = [each for name in found for each in imported_by(name, found[name])]
    seen = set(own)
    while pending:
        name = pending.pop()
        if name in seen or name.startswith(_HARMLESS):
            continue
        seen.add(name)
        path = roots.path_of(name)
        if path is not None:
            found[name] = path.read_bytes()
            pending += imported_by(name, found[name])
    yield from found.items()


def _module(package: str, wing: Path, path: Path) -> str:
    return ".".join([package, *path.relative_to(wing).with_suffix("").parts]).removesuffix(".__init__")


def _reached(starts: Iterable[str], modules: Mapping[str, bytes]) -> set[str]:
    """Those of some modules that others of them import, directly or not, and those to start with."""
    found: set[str] = set()
    pending = [name for name in starts if name in modules]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [each for each in imported_by(name, modules[name]) if each in modules]
    return found


def imported_by(name: str, content: bytes) -> Iterator[str]:
    """The modules that a module may import, and names in them that may be modules.

    Args:
        name: of the module, from which relative imports start; that of a package counts as a module's.
        content: its source.
    """
    text = _COMMENT.sub("", content.decode("utf-8", "replace"))
    for origin, names in _FROM.findall(text):
        base = _absolute(name, origin)
        yield base
        yield from (f"{base}.{each}" for each in _NAME.findall(names))
    for names in _IMPORT.findall(text):
        yield from (each.split(" as ")[0].strip() for each in names.split(","))


def _absolute(name: str, origin: str) -> str:
    """The module that `from ..kit import` means in a module."""
    rest = origin.lstrip(".")
    level = len(origin) - len(rest)
    if not level:
        return origin
    parents = name.split(".")[: -level or None]
    return ".".join([*parents, rest] if rest else parents)


class _Roots:
    """Finds the modules of two packages: that of the kits, and that to which a wing belongs."""

    def __init__(self, package: str) -> None:
        names = {"worker", package.partition(".")[0]}
        self._folders = {name: folder for name in names if (folder := _folder_of(name)) is not None}

    def path_of(self, module: str) -> Path | None:
        """The file of a module; None for one of another package, or for what is no module."""
        first, *rest = module.split(".")
        folder = self._folders.get(first)
        if folder is None:
            return None
        path = folder.joinpath(*rest)
        for each in (path.with_suffix(".py"), path / "__init__.py"):
            if each.is_file():
                return each
        return None


def _folder_of(package: str) -> Path | None:
    found = find_spec(package)
    places = found.submodule_search_locations if found is not None else None
    return Path(next(iter(places))) if places else None
