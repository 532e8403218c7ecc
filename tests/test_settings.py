"""Settings come from the environment and `.env`, and a wrong one is one sentence."""

from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.settings import Settings, masked_url, read_settings


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("QUARTET_LEASE_SECONDS=60\nQUARTET_UMASK=077\nOTHER=1\n")
    monkeypatch.setenv("QUARTET_LEASE_SECONDS", "90")
    settings = read_settings()
    assert (settings.lease_seconds, settings.umask, settings.sweep_seconds) == (90, 0o077, 5)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LEASE_SECONDS", "soon", "setting QUARTET_LEASE_SECONDS: input should be a valid number"),
        ("LEASE_SECONDS", "0", "setting QUARTET_LEASE_SECONDS: input should be greater than or equal to 1"),
        ("UMASK", "9", "setting QUARTET_UMASK: "),
        ("UMASK", "1777", "setting QUARTET_UMASK: input should be less than or equal to 511"),
        ("LOG_LEVEL", "LOUD", "setting QUARTET_LOG_LEVEL: string should match"),
        ("MEMORY_LIMIT_GB", "-1", "setting QUARTET_MEMORY_LIMIT_GB: input should be greater than 0"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"QUARTET_{name}", value)
    with pytest.raises(InvalidSetting) as caught:
        read_settings()
    assert str(caught.value).startswith(sentence)
    assert str(Settings.model_fields[name.lower()].description) in str(caught.value)


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
    )
    for name, value in chosen.environment().items():
        monkeypatch.setenv(name, value)
    assert read_settings() == chosen


def test_a_password_is_never_shown() -> None:
    settings = read_settings(redis_url="redis://user:geheim@host:6379/0")
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(settings.shown())
    assert masked_url("redis://:geheim@host/0") == "redis://:***@host/0"
    assert masked_url("redis://host/0") == "redis://host/0"


def test_a_long_state_folder_gets_a_socket_that_a_path_can_name(tmp_path: Path) -> None:
    short = read_settings(state_dir=Path("/tmp/quartet"))
    assert short.private_socket() == Path("/tmp/quartet/redis.sock")
    long = read_settings(state_dir=tmp_path / ("x" * 120))
    assert len(str(long.private_socket())) < 100
    assert long.private_socket() == read_settings(state_dir=tmp_path / ("x" * 120)).private_socket()
