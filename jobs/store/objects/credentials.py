"""The credentials of an object store in a file: `docker inspect` shows every variable of a container."""

import io
from pathlib import Path

from dotenv.parser import parse_stream

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting
from jobs.secrets import remember
from jobs.store.regular_files import read_regular
from jobs.wording import reason_of

MOST_BYTES = 64 * 1024
PREFIXES = ("AWS_", "GOOGLE_", "AZURE_")

_SECRET = ("KEY", "SECRET", "TOKEN", "SIGNATURE")
"""Parts of the names of variables whose values nobody may see."""


def credentials_in(path: Path) -> dict[str, str]:
    """The variables that a file sets, a line each, as `.env` does; `jobs.secrets` knows them from then on.

    Args:
        path: of the file, which the setting `store_credentials_file` names.

    Raises:
        InvalidSetting: it cannot be read, or sets something else or nothing. The message shows no value.
    """
    try:
        text = read_regular(path, MOST_BYTES, follow=True).decode()
    except UnicodeDecodeError:
        raise _invalid(path, "which is not text") from None
    except OSError as error:
        raise _invalid(path, f"which cannot be read ({reason_of(error)})") from None
    # Not by `dotenv_values`, which logs a line that it does not understand and passes over it.
    lines = list(parse_stream(io.StringIO(text)))
    found = {line.key: line.value for line in lines if line.key is not None}
    values = {name: value for name, value in found.items() if value and name.startswith(PREFIXES)}
    if not values or len(values) < len(found) or any(line.error for line in lines):
        raise _invalid(path, "which holds something else")
    for name, value in values.items():
        if any(part in name for part in _SECRET):
            remember(value)
    return values


def _invalid(path: Path, why: str) -> InvalidSetting:
    return InvalidSetting(
        "QUARTET_STORE_CREDENTIALS_FILE",
        expected="a file of lines such as AWS_ACCESS_KEY_ID=…",
        given=f"{shown_path(path)}, {why}",
    )
