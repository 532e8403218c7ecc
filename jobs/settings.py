"""Every setting: its name, default and one-line help. `quartet settings` prints this table."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.errors import InvalidSetting


def _home(variable: str, fallback: str) -> Path:
    """The XDG base folder that `variable` names, or its documented fallback in the home folder."""
    return Path(os.environ.get(variable) or Path.home() / fallback) / "quartet"


def _octal(value: Any) -> Any:
    return int(value, 8) if isinstance(value, str) else value


Folder = Annotated[Path, AfterValidator(Path.expanduser)]


class Settings(BaseSettings):
    """Read from the environment (`QUARTET_` before each name) and from `.env` in the working folder."""

    model_config = SettingsConfigDict(
        env_prefix="QUARTET_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    redis_url: SecretStr | None = Field(
        None,
        description="Redis to use, redis://, rediss:// or unix://; empty: the one that `quartet up` keeps",
    )
    redis_password_file: Folder | None = Field(
        None, description="file that holds Redis' password, for a redis_url that has none; empty: no file"
    )
    results_dir: Folder = Field(Path("results"), description="where finished jobs' folders are published")
    data_dir: Folder = Field(
        default_factory=lambda: _home("XDG_CACHE_HOME", ".cache") / "data",
        description="where datasets are kept once downloaded",
    )
    state_dir: Folder = Field(
        default_factory=lambda: _home("XDG_STATE_HOME", ".local/state"),
        description="where `quartet up` keeps its Redis and logs",
    )
    lease_seconds: float = Field(
        30.0, ge=1, le=3600, description="how long a silent worker keeps its job, in seconds"
    )
    heartbeat_seconds: float = Field(
        10.0, ge=0.2, le=1200, description="how often a worker renews its lease, in seconds"
    )
    sweep_seconds: float = Field(
        5.0, ge=0.2, le=600, description="how often lost jobs are looked for, in seconds"
    )
    max_lost_workers: int = Field(
        3, ge=1, le=100, description="after how many lost workers a job counts as failed"
    )
    checkpoint_seconds: float = Field(
        60.0, ge=0.1, le=3600, description="longest time between two checkpoints of a training, in seconds"
    )
    redis_patience_seconds: float = Field(
        60.0, ge=0, le=3600, description="how long a worker waits for a Redis that went away, in seconds"
    )
    stop_grace_seconds: float = Field(
        25.0, ge=0.1, le=3600, description="how long a job that was asked to stop may take, in seconds"
    )
    memory_limit_gb: float | None = Field(
        None, gt=0, description="most memory that a job's process may use, in gigabytes; empty: no limit"
    )
    gpu: Literal["exclusive", "shared", "none"] = Field(
        "exclusive",
        description="exclusive: each worker waits for a GPU of its own; shared: it takes the least loaded; "
        "none: it uses the processor",
    )
    gpu_lock_dir: Folder = Field(
        default_factory=lambda: _home("XDG_STATE_HOME", ".local/state") / "gpu-locks",
        description="where this machine's workers note who holds which GPU; they must all share it",
    )
    umask: Annotated[int, BeforeValidator(_octal)] = Field(
        0o022, ge=0, le=0o777, description="permissions taken away from published files, octal"
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )

    @classmethod
    def defaults(cls) -> Self:
        """What the settings are where nobody sets any."""
        return cls.model_construct()

    def redis_address(self) -> str:
        """The Redis to use: the one that is set, else the socket of the one that `quartet up` keeps.

        Raises:
            InvalidSetting: the file that should hold the password cannot be read.
        """
        if self.redis_url is None:
            return f"unix://{self.private_socket()}"
        url = self.redis_url.get_secret_value()
        parts = urlsplit(url)
        if self.redis_password_file is None or parts.scheme == "unix" or parts.password is not None:
            return url
        password, host = quote(self._redis_password(), safe=""), parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{password}@{host}"))

    def _redis_password(self) -> str:
        path = self.redis_password_file
        assert path is not None
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise InvalidSetting(
                f"setting QUARTET_REDIS_PASSWORD_FILE: {path}: {why}; "
                "allowed: a file that holds Redis' password (`make env` writes one)"
            ) from None

    def private_socket(self) -> Path:
        """Where `quartet up` puts its Redis' socket.

        The path of a Unix socket has at most 104 characters on macOS and 108 on Linux, so a long
        state folder gets its socket in the folder for temporary files.
        """
        path = self.state_dir.absolute() / "redis.sock"
        if len(str(path)) < 100:
            return path
        digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"quartet-{os.getuid()}-{digest}" / "redis.sock"

    def environment(self) -> dict[str, str]:
        """The variables that give a process of this machine the same settings, in any folder."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            f"QUARTET_{name.upper()}": (
                value.get_secret_value()
                if isinstance(value, SecretStr)
                else str(value.absolute())
                if isinstance(value, Path)
                else self._text(name, value)
            )
            for name, value in values.items()
        }

    def shown(self) -> dict[str, str]:
        """Name to value as text, secrets masked."""
        return {
            name: masked_url(value.get_secret_value())
            if isinstance(value := getattr(self, name), SecretStr)
            else self._text(name, value)
            for name in type(self).model_fields
        }

    @staticmethod
    def _text(name: str, value: object) -> str:
        return f"{value:03o}" if name == "umask" else "" if value is None else str(value)


def masked_url(url: str) -> str:
    """`url` with its password replaced, safe for messages and logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))


def read_settings(**overrides: Any) -> Settings:
    """Read the settings, with some given here.

    Raises:
        InvalidSetting: a value is out of range or of the wrong kind.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name)
        allowed = f"; it is {field.description}" if field else ""
        raise InvalidSetting(
            f"setting QUARTET_{name.upper()}: {problem['msg'][0].lower()}{problem['msg'][1:]}{allowed}"
        ) from None
