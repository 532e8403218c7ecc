"""A temporary folder for a Redis and its socket, wherever the system keeps temporary files."""

import tempfile
from pathlib import Path

import pytest

from jobs.errors import QuartetError
from jobs.local.state_folder import temporary_folder


def test_a_temporary_folder_with_a_long_path_leaves_room_for_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder = temporary_folder()
    try:
        assert len(str(folder / "redis.sock")) < 100
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(QuartetError, match="no temporary folder can be made"):
        temporary_folder()
