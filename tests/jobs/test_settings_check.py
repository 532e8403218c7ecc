"""Settings fit together, folders lead somewhere, and a variable that is no setting is said."""

import os
import re
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.settings import Settings, read_settings
from jobs.settings_check import OWN_VARIABLES, _warn

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"lease_seconds": 5},
            "QUARTET_HEARTBEAT_SECONDS: expected at most half of QUARTET_LEASE_SECONDS, which is 5, got 10",
        ),
        (
            {"heartbeat_seconds": 16},
            "QUARTET_HEARTBEAT_SECONDS: expected at most half of QUARTET_LEASE_SECONDS, which is 30, got 16",
        ),
        (
            {"sweep_seconds": 60},
            "QUARTET_SWEEP_SECONDS: expected at most QUARTET_LEASE_SECONDS, which is 30, got 60",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_both_named(given: dict[str, float], sentence: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_settings(**given)
    assert str(caught.value) == sentence
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("QUARTET_RESULT_DIR", "did you mean QUARTET_RESULTS_DIR?"),
        ("QUARTET_REDISURL", "did you mean QUARTET_REDIS_URL?"),
        ("QUARTET_WHATEVER", "`quartet settings` lists them all"),
        ("quartet_leese_seconds", "did you mean QUARTET_LEASE_SECONDS?"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_variable_that_is_no_setting_is_a_warning_once(
    name: str,
    said: str,
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _warn.cache_clear()
    if place == ".env":
        (tmp_path / ".env").write_text(f"{name}=geheim\n")
    else:
        monkeypatch.setenv(name, "geheim")
    for _ in range(3):
        read_settings()
    assert [record.getMessage() for record in caplog.records] == [f"{name} is not a setting; {said}"]


def test_every_variable_that_quartet_reads_is_known() -> None:
    known = {*OWN_VARIABLES, *(f"QUARTET_{name.upper()}" for name in Settings.model_fields)}
    reads = re.compile(r"""(?:environ(?:\.get\(|\[)|_VARIABLE = )["'](QUARTET_[A-Z_]+)["']""")
    read = {
        name
        for folder in ("jobs", "worker", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for name in reads.findall(path.read_text(encoding="utf-8"))
    }
    assert len(read) >= 4
    assert {name for name in read if not name.startswith("QUARTET_CHAOS_")} <= known


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\xff\xfe\x00", "not text in UTF-8"), (b"#" * 1_100_000, "larger than 1,000,000 bytes")],
)
def test_a_file_of_settings_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(InvalidSetting) as caught:
        read_settings()
    assert str(caught.value) == (
        f".env: expected a file of lines NAME=value in the working folder, got one that cannot be read ({why})"
    )


def test_what_is_no_folder_is_refused_as_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("results_dir", "data_dir", "state_dir", "gpu_lock_dir"):
        for path in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(InvalidSetting) as caught:
                read_settings(**{name: path})
            assert str(caught.value) == (
                f"QUARTET_{name.upper()}: expected a folder, got {path}, which is none"
            )
    assert read_settings(results_dir=tmp_path / "none").results_dir == tmp_path / "none"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("~nobody-is-called-this/x", "a folder of a user who has a home folder"),
        ("x" * 300, "a path of at most 3,000 bytes, 255 in each name"),
        ("/" + "x/" * 2_000, "a path of at most 3,000 bytes, 255 in each name"),
        ("a\0b", "a path without NUL characters"),
    ],
)
def test_a_folder_that_no_system_call_would_take_is_refused(value: str, expected: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_settings(results_dir=value)
    assert caught.value.expected == expected


def test_a_user_without_a_home_must_say_where_the_folders_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)  # nobody's number
    with pytest.raises(InvalidSetting) as caught:
        read_settings()
    assert caught.value.field == "QUARTET_DATA_DIR"
    assert caught.value.given == "~/.cache/quartet/data, and this user has no home folder"
    folders = dict.fromkeys(("data_dir", "state_dir", "gpu_lock_dir"), tmp_path)
    assert read_settings(**folders).data_dir == tmp_path


def test_a_working_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InvalidSetting, match="QUARTET_RESULTS_DIR: expected an absolute path"):
        read_settings()
    assert read_settings(results_dir=tmp_path).results_dir == tmp_path
