"""Every setting: its name, default and one-line help. `quartet settings` prints this table."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.errors import InvalidSetting
from jobs.local.private_folders import check_private_socket
from jobs.notifying.addresses import checked_addresses, masked_addresses
from jobs.notifying.rules import checked_rule
from jobs.redis_access.address import (
    masked_url,
    private_socket,
    read_address,
    socket_address,
    with_namespace,
    with_password,
)
from jobs.redis_access.namespace import checked_namespace
from jobs.settings_check import DOTENV, check_environment, check_folders, check_together, folder
from jobs.specs.validation_messages import expected_value, schema_of
from jobs.store.objects.address import checked_store
from jobs.wording import shown


def _home(variable: str, fallback: str) -> Path:
    """The XDG base folder that `variable` names, or its documented fallback in the home folder."""
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():
        return named / "quartet"
    path = Path("~") / fallback / "quartet"
    try:
        return path.expanduser()
    except RuntimeError:  # this user has no home; `check_folders` says so
        return path


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


Folder = Annotated[Path, AfterValidator(folder)]


class Settings(BaseSettings):
    """Settings from the environment (`QUARTET_` before each name) and from `.env` in the working folder."""

    model_config = SettingsConfigDict(
        env_prefix="QUARTET_", env_file=DOTENV, extra="ignore", frozen=True, env_ignore_empty=True
    )

    redis_url: SecretStr | None = Field(
        None,
        description="Redis to use, redis://, rediss://, redis+sentinel:// or unix://; empty: the one that "
        "`quartet up` starts",
    )
    redis_password_file: Folder | None = Field(
        None, description="file that holds Redis' password, for a redis_url that has none; empty: no file"
    )
    namespace: Annotated[str, AfterValidator(checked_namespace)] = Field(
        "",
        description="what each key in Redis begins with, so that Quartets can share one; empty: nothing",
    )
    results_dir: Folder = Field(Path("results"), description="where finished jobs' folders are published")
    results_shown_as: Folder | None = Field(
        None,
        description="what a client calls results_dir in the paths that it prints, for one in a container; "
        "empty: as it is",
    )
    store: Annotated[str, AfterValidator(checked_store)] = Field(
        "",
        description="object store that hosts share, s3://bucket/prefix, gs:// or az://; results_dir is then "
        "each host's own copy; empty: results_dir is the store",
    )
    store_credentials_file: Folder | None = Field(
        None,
        description="file of lines such as AWS_ACCESS_KEY_ID=…: the object store's credentials; empty: those "
        "of the environment",
    )
    data_dir: Folder = Field(
        default_factory=lambda: _home("XDG_CACHE_HOME", ".cache") / "data",
        description="where downloaded datasets are kept",
    )
    data_cache_gb: float = Field(
        50.0,
        gt=0,
        le=1e6,
        description="stored data that a host's copy of an object store keeps, in GB; what was not read for "
        "longest goes first",
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
        60.0,
        ge=0,
        le=3600,
        description="how long a client that follows a job waits for Redis to come back, in seconds",
    )
    history_days: float = Field(
        7.0,
        gt=0,
        le=36_500,
        description="how long Redis remembers a published job, in days; its folder stays",
    )
    min_free_gb: float = Field(
        1.0,
        ge=0,
        le=1e6,
        description="free space on the results volume below which workers take no job, in GB",
    )
    stop_grace_seconds: float = Field(
        25.0, ge=0.1, le=3600, description="how long a job may take to stop when asked, in seconds"
    )
    memory_limit_gb: float | None = Field(
        None, gt=0, le=1e6, description="memory limit of a job's process, in gigabytes; empty: no limit"
    )
    gpu: Literal["exclusive", "shared", "none"] = Field(
        "exclusive",
        description="exclusive: each worker waits for a GPU of its own; shared: it takes the least loaded; "
        "none: it runs on the CPU",
    )
    gpu_others: Literal["wait", "share"] = Field(
        "wait",
        description="a GPU that processes other than Quartet's workers use. wait: an exclusive worker waits "
        "until they have ended; share: it takes the GPU all the same",
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
    log_format: Literal["text", "json"] = Field(
        "text", description="how workers write their log, one line an event: text for people, or json"
    )
    notify: Annotated[SecretStr | None, AfterValidator(checked_addresses)] = Field(
        None,
        description="whom workers tell when a job or a sweep ends: https:// for a webhook, or addresses of "
        "apprise, with spaces between them; empty: nobody",
    )
    notify_file: Folder | None = Field(
        None, description="file that holds such addresses, one a line; empty: no file"
    )
    notify_on: Annotated[str, AfterValidator(checked_rule)] = Field(
        "ended,sweeps",
        description="of what: failed and ended are jobs of no sweep, trials are jobs of sweeps, sweeps are "
        "those as a whole; with commas between them",
    )

    @classmethod
    def defaults(cls) -> Self:
        """The default settings, whatever the environment says."""
        return cls.model_construct()

    def redis_address(self) -> str:
        """The address of the Redis to use: `redis_url`, or the socket of the one that `quartet up` starts.

        It is in its canonical form, which `jobs.redis_access.address` describes, and has the password and the
        namespace.

        Raises:
            InvalidSetting: the address is not valid or has another namespace, the password file cannot be
                read, or the socket may be another user's.
        """
        if self.redis_url is None:
            socket = self.private_socket()
            check_private_socket(socket)
            return with_namespace(read_address(socket_address(socket)), self.namespace).url
        address = read_address(self.redis_url.get_secret_value())
        if self.redis_password_file is not None:
            address = with_password(address, self.redis_password_file)
        return with_namespace(address, self.namespace).url

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
        return {name: self._masked(name, getattr(self, name)) for name in type(self).model_fields}

    def _masked(self, name: str, value: object) -> str:
        if isinstance(value, SecretStr):
            mask = masked_addresses if name == "notify" else masked_url
            return mask(value.get_secret_value())
        return self._text(name, value)

    @staticmethod
    def _text(name: str, value: object) -> str:
        return f"{value:03o}" if name == "umask" else "" if value is None else str(value)


def read_settings(**overrides: Any) -> Settings:
    """Read the settings; a variable that looks like one and is none is logged as a warning, once.

    Args:
        overrides: values that take precedence over the environment and `.env`.

    Raises:
        InvalidSetting: there is no setting of that name, or a value is out of range, of the wrong type, or
            does not fit another one, or what is in a folder's place is none.
    """
    settings = read_values(**overrides)
    check_folders({name: value for name, value in settings if isinstance(value, Path)})
    return settings


def read_values(**overrides: Any) -> Settings:
    """The settings as `read_settings` reads them, without a look at the disk.

    For a process of a worker that has looked at its start: Celery replaces such processes while jobs wait,
    and a folder that became unusable since then fails a job with its reason, not the process.

    Args:
        overrides: values that take precedence over the environment and `.env`.

    Raises:
        InvalidSetting: there is no setting of that name, or a value is out of range, of the wrong type, or
            does not fit another one.
    """
    check_environment([f"QUARTET_{name.upper()}" for name in Settings.model_fields])
    for name in overrides.keys() - Settings.model_fields.keys():
        raise InvalidSetting.unknown("setting", name, Settings.model_fields)
    try:
        # Of a named pipe in its place, pydantic would wait for the writer.
        settings = Settings(**{"_env_file": DOTENV if DOTENV.is_file() else None} | overrides)
    except ValidationError as error:
        raise _invalid(error) from None
    if settings.redis_url is not None:
        with_namespace(read_address(settings.redis_url.get_secret_value()), settings.namespace)
    check_together(settings.lease_seconds, settings.heartbeat_seconds, settings.sweep_seconds)
    return settings


def _invalid(error: ValidationError) -> InvalidSetting:
    problem = error.errors(include_url=False)[0]
    name = str(problem["loc"][0])
    field = Settings.model_fields.get(name)
    secret = field is not None and "SecretStr" in str(field.annotation)
    return InvalidSetting(
        f"QUARTET_{name.upper()}",
        expected=expected_value(problem, schema_of(Settings).get(name, {})),
        given="a value that is not shown" if secret else shown(problem["input"]),
        hint=field.description if field else None,
    )
