"""Settings come from the environment and `.env`, and a wrong one is one sentence."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.redis_access.address import read_address
from jobs.settings import Settings, read_settings
from jobs.wording import shown

ROOT = Path(__file__).parents[2]


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("QUARTET_LEASE_SECONDS=60\nQUARTET_UMASK=077\nOTHER=1\n")
    monkeypatch.setenv("QUARTET_LEASE_SECONDS", "90")
    settings = read_settings()
    assert (settings.lease_seconds, settings.umask, settings.sweep_seconds) == (90, 0o077, 5)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LEASE_SECONDS", "soon", "a number"),
        ("LEASE_SECONDS", "0", "a number ≥ 1"),
        ("LEASE_SECONDS", "1e9", "a number ≤ 3,600"),
        ("MAX_LOST_WORKERS", "1.5", "an integer"),
        ("UMASK", "9", "an octal number from 000 to 777"),
        ("UMASK", "1777", "an octal number from 000 to 777"),
        ("UMASK", "-1", "an octal number from 000 to 777"),
        ("UMASK", "rwx", "an octal number from 000 to 777"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
        ("GPU", "all", "one of exclusive, shared, none"),
        ("MEMORY_LIMIT_GB", "-1", "a number > 0"),
        ("MEMORY_LIMIT_GB", "much", "a number"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"QUARTET_{name}", value)
    with pytest.raises(InvalidSetting) as caught:
        read_settings()
    error, given = caught.value, shown(value)
    assert str(error) == f"QUARTET_{name}: expected {expected}, got {given}"
    assert (error.field, error.expected, error.given) == (f"QUARTET_{name}", expected, given)
    assert error.hint == Settings.model_fields[name.lower()].description


def test_a_wrong_setting_given_in_python_gets_one_sentence_as_well() -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_settings(umask=0o1777)
    assert str(caught.value) == "QUARTET_UMASK: expected an integer ≤ 511, got 1023"


def test_a_home_folder_is_meant_by_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTET_DATA_DIR", "~/data")
    assert read_settings().data_dir == Path.home() / "data"


def test_a_worker_gets_every_setting_of_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = read_settings(
        redis_url="redis://:secret@host/1",
        results_dir=tmp_path / "r",
        umask=0o027,
        memory_limit_gb=2,
        lease_seconds=7,
        heartbeat_seconds=2,
        gpu="shared",
        gpu_lock_dir=tmp_path / "locks",
    )
    for name, value in chosen.environment().items():
        monkeypatch.setenv(name, value)
    assert read_settings() == chosen


def test_a_password_may_lie_in_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("ge/h:ei@m\n")
    monkeypatch.setenv("QUARTET_REDIS_PASSWORD_FILE", "password")
    for given, address in [
        ("redis://host:6379/0", "redis://:ge%2Fh%3Aei%40m@host:6379/0"),
        ("rediss://user@host/1", "rediss://user:ge%2Fh%3Aei%40m@host:6379/1"),
        ("redis://user:@host?db=2", "redis://user:ge%2Fh%3Aei%40m@host:6379/2"),
        ("redis://:different@host/1", "redis://:different@host:6379/1"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ]:
        settings = read_settings(redis_url=given)
        assert settings.redis_address() == address
        assert "ei@m" not in str(settings.shown()) + repr(settings)


def test_a_password_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing", tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for path, why in [
        (missing, "no such file or directory"),
        (tmp_path, "not a regular file"),
        (binary, "not text"),
        (Path("/dev/zero"), "not a regular file"),
    ]:
        settings = read_settings(redis_url="redis://host", redis_password_file=path)
        with pytest.raises(InvalidSetting) as caught:
            settings.redis_address()
        error = caught.value
        assert error.field == "QUARTET_REDIS_PASSWORD_FILE"
        assert error.expected == "a file that holds Redis' password"
        assert error.given == f"{path}, which cannot be read ({why})"
        assert str(error) == f"{error.field}: expected {error.expected}, got {error.given}"
        assert error.hint == "`make env` writes one"


def test_the_example_has_every_setting_with_its_default_and_its_help(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    values = Settings.defaults().shown()
    first = lines.index(f"#QUARTET_{next(iter(values)).upper()}=") - 1
    expected = []
    for name, value in values.items():
        default = value.replace(str(Path.home()), "~")
        expected += [f"# {Settings.model_fields[name].description}", f"#QUARTET_{name.upper()}={default}"]
    assert lines[first:] == expected


def test_the_example_has_every_variable_that_compose_reads_with_its_default() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    read = {}
    for path in ROOT.glob("docker-compose*.yml"):
        text = path.read_text(encoding="utf-8")
        for name, how, default in re.findall(r"\$\{(\w+)(?::([-?])([^}]*))?\}", text):
            read[name] = "" if how == "?" else default
    assert len(read) >= 8
    for name, default in read.items():
        if name in ("WORKER_UID", "WORKER_GID"):
            assert re.search(rf"^{name}=1000$", example, re.MULTILINE)
        else:
            assert f"#{name}={default}\n" in example


def test_make_env_writes_the_callers_numbers_and_random_passwords_and_keeps_what_is_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "results").mkdir()
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    make = ["make", "-s", "-C", str(tmp_path), "env"]
    said = subprocess.check_output(make, text=True)
    user, group = (os.getuid(), os.getgid()) if os.getuid() else (1000, 1000)
    assert f"WORKER_UID={user}\nWORKER_GID={group}\n" in (tmp_path / ".env").read_text()
    assert re.search(
        r"^COMPOSE_PROJECT_NAME=quartet-[0-9a-f]{8}$", (tmp_path / ".env").read_text(), re.MULTILINE
    )
    assert ("you are root" in said) == (os.getuid() == 0)
    assert (tmp_path / "results").stat().st_uid == user
    passwords = [(tmp_path / "secrets" / f"{name}_password").read_text() for name in ("redis", "flower")]
    assert passwords[0] != passwords[1]
    assert all(re.fullmatch("[0-9a-f]{64}", password) for password in passwords)
    assert not any(password in said for password in passwords)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    (tmp_path / ".env").write_text("WORKER_UID=7\n")
    assert subprocess.check_output(make, text=True) == ""
    assert (tmp_path / ".env").read_text() == "WORKER_UID=7\n"
    assert (tmp_path / "secrets" / "redis_password").read_text() == passwords[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "which is empty"),
        (b"\r\n", "which is empty"),
        (b"\xef\xbb\xbf\n", "which is empty"),
        (b"one\ntwo\n", "which has several lines, or characters that cannot be printed"),
        (b"geh\x00eim", "which has several lines, or characters that cannot be printed"),
        ("geheim".encode("utf-16"), "which cannot be read (not text)"),
        (b"x" * 9_000, "which cannot be read (larger than 8,000 bytes)"),
    ],
)
def test_a_file_that_does_not_hold_one_password_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(InvalidSetting) as caught:
        read_settings(redis_url="redis://host", redis_password_file=file).redis_address()
    assert caught.value.given == f"{file}, {why}"


def test_a_named_pipe_in_the_place_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "password")
    with pytest.raises(InvalidSetting, match="not a regular file"):
        read_settings(redis_url="redis://host", redis_password_file=tmp_path / "password").redis_address()
    os.mkfifo(tmp_path / ".env")
    read_settings()


def test_a_wrong_address_is_refused_when_the_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTET_REDIS_URL", "redis://:ge#heim@host/0")
    with pytest.raises(InvalidSetting) as caught:
        read_settings()
    assert caught.value.field == "QUARTET_REDIS_URL"
    assert "heim" not in caught.value.explanation


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_settings(redis_url=["redis://:geheim@host"])
    assert str(caught.value) == "QUARTET_REDIS_URL: expected text, got a value that is not shown"


def test_a_private_socket_may_have_any_characters_in_its_path() -> None:
    settings = read_settings(state_dir="/tmp/50% off?#1 é")
    arguments = read_address(settings.redis_address()).connection_arguments()
    assert arguments["path"] == "/tmp/50% off?#1 é/redis.sock"


def test_a_long_state_folder_gets_a_socket_that_a_path_can_name(tmp_path: Path) -> None:
    short = read_settings(state_dir=Path("/tmp/quartet"))
    assert short.private_socket() == Path("/tmp/quartet/redis.sock")
    long = read_settings(state_dir=tmp_path / ("x" * 120))
    assert len(str(long.private_socket())) < 100
    assert long.private_socket() == read_settings(state_dir=tmp_path / ("x" * 120)).private_socket()
