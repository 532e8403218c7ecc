"""Every setting: its name, default and one-line help. `quartet settings` prints this table."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.errors import InvalidSetting
from jobs.redis_address import masked_url, private_socket, with_password
from jobs.validation_messages import expected_value, schema_of
from jobs.wording import shown


def _home(variable: str, fallback: str) -> Path:
    """The XDG base folder that `variable` names, or its documented fallback in the home folder."""
    return Path(os.environ.get(variable) or Path.home() / fallback) / "quartet"


def _octal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = int(value, 8)
    except ValueError:
        number = -1
    if not 0 <= number <= 0o777:
        raise ValueError("an octal number from 000 to 777")
    return number


Folder = Annotated[Path, AfterValidator(Path.expanduser)]


class Settings(BaseSettings):
    """Settings from the environment (`QUARTET_` before each name) and from `.env` in the working folder."""

    model_config = SettingsConfigDict(
        env_prefix="QUARTET_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    redis_url: SecretStr | None = Field(
        None,
        description="Redis to use, redis://, rediss:// or unix://; empty: the one that `quartet up` starts",
    )
    redis_password_file: Folder | None = Field(
        None, description="file that holds Redis' password, for a redis_url that has none; empty: no file"
    )
    results_dir: Folder = Field(Path("results"), description="where finished jobs' folders are published")
    data_dir: Folder = Field(
        default_factory=lambda: _home("XDG_CACHE_HOME", ".cache") / "data",
        description="where downloaded datasets are kept",
    )
    state_dir: Folder = Field(
        default_factory=lambda: _home("XDG_STATE_HOME", ".local/state"),
        description="where `quartet up` keeps its Redis and logs",
    )
    lease_seconds: float = Field(
        30.0, ge=1, le=3600, description="how long a worker without a heartbeat keeps its job, in seconds"
    )
    heartbeat_seconds: float = Field(
        10.0, ge=0.2, le=1200, description="how often a worker renews its lease, in seconds"
    )
    sweep_seconds: float = Field(
        5.0, ge=0.2, le=600, description="how often the sweeper looks for lost jobs, in seconds"
    )
    max_lost_workers: int = Field(
        3, ge=1, le=100, description="how many workers may die under a job before it fails"
    )
    checkpoint_seconds: float = Field(
        60.0,
        ge=0.1,
        le=3600,
        description="longest time between two checkpoints of a training job, in seconds",
    )
    redis_patience_seconds: float = Field(
        60.0, ge=0, le=3600, description="how long a worker waits for Redis to come back, in seconds"
    )
    stop_grace_seconds: float = Field(
        25.0, ge=0.1, le=3600, description="how long a job may take to stop when asked, in seconds"
    )
    memory_limit_gb: float | None = Field(
        None, gt=0, description="memory limit of a job's process, in gigabytes; empty: no limit"
    )
    gpu: Literal["exclusive", "shared", "none"] = Field(
        "exclusive",
        description="exclusive: each worker waits for a GPU of its own; shared: it takes the least loaded; "
        "none: it runs on the CPU",
    )
    gpu_lock_dir: Folder = Field(
        default_factory=lambda: _home("XDG_STATE_HOME", ".local/state") / "gpu-locks",
        description="where this machine's workers lock GPUs; they must all share it",
    )
    umask: Annotated[int, BeforeValidator(_octal)] = Field(
        0o022, ge=0, le=0o777, description="permissions removed from published files, octal"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="lowest severity that workers log: DEBUG, INFO, WARNING or ERROR"
    )

    @classmethod
    def defaults(cls) -> Self:
        """The default settings, whatever the environment says."""
        return cls.model_construct()

    def redis_address(self) -> str:
        """The address of the Redis to use: `redis_url`, or the socket of the one that `quartet up` starts.

        Raises:
            InvalidSetting: the password file cannot be read.
        """
        if self.redis_url is None:
            return f"unix://{self.private_socket()}"
        url = self.redis_url.get_secret_value()
        return url if self.redis_password_file is None else with_password(url, self.redis_password_file)

    def private_socket(self) -> Path:
        """The socket of the Redis that `quartet up` starts."""
        return private_socket(self.state_dir)

    def environment(self) -> dict[str, str]:
        """The environment variables that give another process of this machine the same settings."""
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
        """Each setting's name -> its value as text, passwords masked."""
        return {
            name: masked_url(value.get_secret_value())
            if isinstance(value := getattr(self, name), SecretStr)
            else self._text(name, value)
            for name in type(self).model_fields
        }

    @staticmethod
    def _text(name: str, value: object) -> str:
        return f"{value:03o}" if name == "umask" else "" if value is None else str(value)


def read_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Args:
        overrides: values that take precedence over the environment and `.env`.

    Raises:
        InvalidSetting: a value is out of range or of the wrong type.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name)
        raise InvalidSetting(
            f"QUARTET_{name.upper()}",
            expected=expected_value(problem, schema_of(Settings).get(name, {})),
            given=shown(problem["input"]),
            hint=field.description if field else None,
        ) from None
