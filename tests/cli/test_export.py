"""`quartet export`: what it refuses, before MLflow is loaded."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from jobs.errors import InvalidInput, MissingPart

Command = Callable[..., Result]


def test_wrong_addresses_are_refused_in_one_sentence(
    in_process: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def refused(*arguments: str) -> BaseException | None:
        return in_process("export", "mlflow", *arguments).exception

    nothing, nowhere = refused("--to", "runs"), refused("latest")
    assert isinstance(nothing, InvalidInput)
    assert str(nothing) == "jobs: expected one or more jobs, or --sweep, got none"
    assert isinstance(nowhere, InvalidInput)
    assert "MLFLOW_TRACKING_URI" in (nowhere.hint or "")
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as where it is not installed
    lacking = refused("latest", "--to", "runs")
    assert isinstance(lacking, MissingPart)
    assert (lacking.exit_code, lacking.hint) == (2, "pip install 'quartet[mlflow]'")
    assert not (tmp_path / "runs").exists()
