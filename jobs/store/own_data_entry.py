"""What the store says of data under one name: `.data/names/NAME.json`."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from jobs.store.own_data_pin import NAME, SUFFIX, Pin
from jobs.store.strict_json import parse_json

MOST_BYTES = 16 * 1024
_MOST_MODELS = 300
_SHA256 = re.compile("[0-9a-f]{64}")
_READER = re.compile(r"[a-z][a-z0-9_]{0,79} (train|evaluate|generate)")


@dataclass(frozen=True)
class StoredData:
    """Data in the store under a name.

    Attributes:
        name: what `--data` calls it.
        sha256: of its content, and `suffix`: of the file, as `Pin` has them.
        size: in bytes.
        files: how many there are.
        added: when, in ISO 8601.
        models: the model and action of each kind of job whose reader accepted it, with a space between.
    """

    name: str
    sha256: str
    suffix: str
    size: int
    files: int
    added: str
    models: tuple[str, ...]

    @property
    def pin(self) -> Pin:
        """As a job names it."""
        return Pin(self.name, self.sha256, self.suffix)

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self) | {"models": list(self.models)}

    @classmethod
    def read(cls, content: bytes, name: str) -> "StoredData":
        """Read the content of a file, which a stranger may have written.

        Args:
            content: at most `MOST_BYTES`.
            name: that it is to have.

        Raises:
            ValueError: it is no such entry.
        """
        value = parse_json(content)
        if not isinstance(value, dict) or value.get("name") != name or not NAME.fullmatch(name):
            raise ValueError("another name's entry, or none")
        fields = [value.get(field) for field in cls.__dataclass_fields__]
        _, sha256, suffix, size, files, added, models = fields
        if not _fits(sha256, _SHA256) or not (suffix == "" or _fits(suffix, SUFFIX)):
            raise ValueError("no checksum or suffix")
        if not all(type(count) is int and 0 <= count < 2**53 for count in (size, files)):
            raise ValueError("a number that is none")
        if not isinstance(models, list) or not 0 < len(models) <= _MOST_MODELS:
            raise ValueError("no list of models")
        if not all(_fits(model, _READER) for model in models):
            raise ValueError("a model that is none")
        if not isinstance(added, str) or datetime.fromisoformat(added).tzinfo is None:
            raise ValueError("a time that is none")
        return cls(name, str(sha256), str(suffix), size, files, added, tuple(models))  # type: ignore[arg-type]


def _fits(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
