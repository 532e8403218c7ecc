"""The addresses that get a message when a job or a sweep ends. They hold secrets: nothing shows one whole."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting, MissingPart
from jobs.secrets import MASK, remember
from jobs.store.regular_files import read_regular
from jobs.wording import reason_of

if TYPE_CHECKING:
    from jobs.settings import Settings

MOST_ADDRESSES, LONGEST_ADDRESS, MOST_BYTES = 10, 2_000, 30_000
SHORTEST_SECRET = 8
"""In characters, of a part of an address; what is shorter is a word like `hooks` or `api`."""

_WORD = re.compile("[a-z-]{1,15}")
"""So are `services`, `webhooks` and `localhost`, which logs may go on to say."""

WEBHOOK = ("http", "https")


@dataclass(frozen=True)
class Address:
    """One address; `https://` and `http://` are webhooks, all others are for the package apprise."""

    url: str = field(repr=False)

    @property
    def is_webhook(self) -> bool:
        """Whether Quartet sends to it by itself."""
        return self.url.partition(":")[0].lower() in WEBHOOK

    @property
    def id(self) -> str:
        """By which Redis knows it, which learns nothing else of it."""
        return sha256(self.url.encode()).hexdigest()[:12]

    @property
    def masked(self) -> str:
        """For messages and logs: a webhook's host alone, of any other address what kind it is."""
        scheme = self.url.partition(":")[0].lower()
        return f"{scheme}://{urlsplit(self.url).hostname}/{MASK}" if self.is_webhook else f"{scheme}://{MASK}"


def checked_addresses(value: SecretStr | None) -> SecretStr | None:
    """The setting `notify`, unchanged.

    Raises:
        ValueError: it holds something that is no address; the message has nothing of it.
    """
    if value is not None:
        _split(value.get_secret_value())
    return value


def masked_addresses(text: str) -> str:
    """The setting `notify` as it is shown."""
    return " ".join(address.masked for address in _split(text))


def read_addresses(settings: "Settings") -> tuple[Address, ...]:
    """The addresses of the settings `notify` and `notify_file`; `jobs.secrets` knows them from then on.

    Raises:
        InvalidSetting: the file cannot be read, or holds something that is no address.
        MissingPart: one of them needs the package apprise, which is not installed.
    """
    text = settings.notify.get_secret_value() if settings.notify is not None else ""
    found = [*_split(text), *(_in_file(settings.notify_file) if settings.notify_file is not None else ())]
    for address in found:
        _remember(address)
        if not address.is_webhook and find_spec("apprise") is None:
            raise MissingPart(
                f"notifications to {address.masked} need the package apprise",
                hint="pip install 'quartet[notify]'",
            )
    return tuple(dict.fromkeys(found))


def _split(text: str) -> list[Address]:
    """The addresses in a text, with white space between them.

    Raises:
        ValueError: one is none; the message has nothing of it.
    """
    words = text.split()
    if len(words) > MOST_ADDRESSES:
        raise ValueError(f"at most {MOST_ADDRESSES} addresses")
    for word in words:
        if len(word) > LONGEST_ADDRESS or not word.isprintable() or not word.isascii():
            raise ValueError(f"addresses of at most {LONGEST_ADDRESS:,} ASCII characters")
        whole = re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://.", word)
        if not whole or (Address(word).is_webhook and not _names_a_host(word)):
            raise ValueError("addresses like https://host/path, with spaces between them")
    return [Address(word) for word in words]


def _names_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that does not close
        return False


def _in_file(path: Path) -> list[Address]:
    try:
        found = _split(read_regular(path, MOST_BYTES, follow=True).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _invalid_file(path, "which cannot be read (not text)") from None
    except OSError as error:
        raise _invalid_file(path, f"which cannot be read ({reason_of(error)})") from None
    except ValueError:
        raise _invalid_file(path, "which holds something else") from None
    if not found:
        raise _invalid_file(path, "which is empty")
    return found


def _invalid_file(path: Path, why: str) -> InvalidSetting:
    return InvalidSetting(
        "QUARTET_NOTIFY_FILE",
        expected=f"a file of at most {MOST_ADDRESSES} addresses like https://host/path, one a line",
        given=f"{shown_path(path)}, {why}",
    )


def _remember(address: Address) -> None:
    """Have logs and errors hide an address, and each part of it that may be a token."""
    remember(address.url)
    rest = address.url.partition("://")[2]
    user, _, host = re.split(r"[/?#]", rest)[0].rpartition("@")
    remember(user.partition(":")[2])
    if address.is_webhook:
        rest = user + rest.partition(host)[2].lstrip("/")  # its host is no secret
    for part in (rest, *re.split(r"[/@:?&=,+#]", rest)):
        if len(part) >= SHORTEST_SECRET and not _WORD.fullmatch(part):
            remember(part)
