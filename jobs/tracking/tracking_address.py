"""Where MLflow keeps runs: a folder, an SQLite database or a server."""

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jobs.datasets import shown_path
from jobs.errors import InvalidInput, MissingPart
from jobs.secrets import hide_secrets, remember
from jobs.wording import shown

VARIABLE = "MLFLOW_TRACKING_URI"
EXPECTED = "a folder, sqlite:///FILE or the http:// address of a server"
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
"""In a folder: the names that MLflow itself gives them."""

_SCHEME = re.compile(r"([a-z][a-z0-9+]*)://")
SQLITE = "sqlite:///"
_SERVERS = ("http", "https", "databricks")


@dataclass(frozen=True)
class TrackingAddress:
    """Where runs go.

    Attributes:
        uri: as MLflow takes it; it may hold a password.
        artifacts: the folder for the files of runs; None where the server decides.
        database: the file of SQLite's database, which may be missing; None for a server.
    """

    uri: str = field(repr=False)
    artifacts: Path | None
    database: Path | None

    @property
    def shown(self) -> str:
        """For people, without a password."""
        return hide_secrets(self.uri)


def read_tracking_address(given: str | None) -> TrackingAddress:
    """What `--to` names, or else the environment variable.

    Raises:
        InvalidInput: neither is given, or it is no folder that can be.
        MissingPart: a package is not installed that it needs.
    """
    field_name = "--to" if given else VARIABLE
    to = given or os.environ.get(VARIABLE, "")
    if not to:
        hint = f"`--to mlruns` makes a folder; {VARIABLE} names one for all commands"
        raise InvalidInput("--to", expected=EXPECTED, given="none", hint=hint)
    if find_spec("mlflow") is None:
        raise _missing("mlflow-skinny")
    if to.startswith("file:"):
        to = unquote(urlsplit(to).path)
    scheme = _SCHEME.match(to)
    if scheme is None and to != "databricks":
        return _in_folder(field_name, Path(to).absolute())
    password = _password(field_name, to)
    if password:
        remember(password)
    if scheme is None or scheme[1] in _SERVERS:
        return TrackingAddress(to, None, None)
    if not to.startswith(SQLITE):
        hint = "`mlflow server --backend-store-uri` serves other databases"
        raise InvalidInput(field_name, expected=EXPECTED, given=shown(hide_secrets(to)), hint=hint)
    _check_database_packages()
    return _in_file(field_name, to)


def _in_file(field_name: str, uri: str) -> TrackingAddress:
    file = Path(uri.removeprefix(SQLITE).partition("?")[0]).absolute()
    # MLflow would try for minutes to open one that it cannot.
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        given = f"{shown_path(file)}, which cannot be written"
        raise InvalidInput(field_name, expected="a file that can be written", given=given)
    return TrackingAddress(uri, file.parent / ARTIFACTS, file)


def _check_database_packages() -> None:
    for package in ("alembic", "sqlalchemy"):
        if find_spec(package) is None:
            raise _missing(package)


def _in_folder(field_name: str, folder: Path) -> TrackingAddress:
    if any(character in str(folder) for character in "?#%"):
        raise InvalidInput(field_name, expected="a path without `?`, `#` and `%`", given=shown_path(folder))
    if os.path.lexists(folder) and not folder.is_dir():
        given, hint = f"{shown_path(folder)}, which is no folder", "sqlite:///FILE names a database"
        raise InvalidInput(field_name, expected=EXPECTED, given=given, hint=hint)
    if not (folder / DATABASE).exists() and next(folder.glob("*/meta.yaml"), None) is not None:
        raise InvalidInput(
            field_name,
            expected=f"a new folder, or one with {DATABASE}",
            given=f"{shown_path(folder)}, in which an old MLflow kept runs as files",
            hint="`mlflow migrate-filestore` makes a database of it",
        )
    _check_database_packages()
    folder.mkdir(parents=True, exist_ok=True)
    return _in_file(field_name, f"{SQLITE}{folder / DATABASE}")


def _password(field_name: str, uri: str) -> str | None:
    try:
        return urlsplit(uri).password
    except ValueError:
        raise InvalidInput(field_name, expected=EXPECTED, given=shown(hide_secrets(uri))) from None


def _missing(package: str) -> MissingPart:
    return MissingPart(f"the export needs the package {package}", hint="pip install 'quartet[mlflow]'")
