"""How a job says which stored data it reads: `reviews2026@sha256:3f2a….csv`, a name and what it meant then.

A name can be removed and given to other content later; the checksum keeps a queued job to the content that
was meant when it was submitted.
"""

import re
from dataclasses import dataclass

from jobs.errors import InvalidData
from jobs.wording import shown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
"""A name of stored data. Without a dot or a slash, so that it is no path and hides no file."""

NAMES = "1 to 80 letters, digits, hyphens and underscores, beginning with a letter or a digit"

SUFFIX = re.compile(r"\.[a-z0-9][a-z0-9-]{0,19}")
SHOWN_DIGITS = 12

_PIN = re.compile(f"({NAME.pattern})@sha256:([0-9a-f]{{64}})((?:{SUFFIX.pattern})?)")


@dataclass(frozen=True)
class Pin:
    """Stored data by name and content.

    Attributes:
        name: under which it was found.
        sha256: of a file; or of a folder, as `own_data_files` has it.
        suffix: of a file, in lower case, since that says how it is read; empty for a folder.
    """

    name: str
    sha256: str
    suffix: str

    @classmethod
    def read(cls, text: str) -> "Pin | None":
        """The pin that a text is; None if it is none."""
        match = _PIN.fullmatch(text)
        return None if match is None else cls(*match.groups())

    def __str__(self) -> str:
        return f"{self.name}@sha256:{self.sha256}{self.suffix}"

    @property
    def form(self) -> str:
        """What tells its content, and how that is read, from all other: the checksum with the suffix."""
        return f"{self.sha256}{self.suffix}"

    @property
    def content(self) -> str:
        """What it means whatever the name: equal content has an equal one."""
        return f"sha256:{self.sha256}{self.suffix}"

    @property
    def shown(self) -> str:
        """For people: the name with the beginning of the checksum."""
        return f"{self.name} (sha256 {self.sha256[:SHOWN_DIGITS]}…)"


def check_name(name: object) -> str:
    """Return what may be a name of stored data.

    Raises:
        InvalidData: it may not.
    """
    if isinstance(name, str) and NAME.fullmatch(name):
        return name
    raise InvalidData("name", expected=NAMES, given=shown(name))


def shown_data(text: str) -> str:
    """What `--data` names, for people: a pin by its name and the beginning of its checksum."""
    pin = Pin.read(text)
    return text if pin is None else pin.shown
