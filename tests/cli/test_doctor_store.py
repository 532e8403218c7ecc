"""The doctor tells whether the results folder is the store of this Redis, and whether its file system will do."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from jobs.cli.doctor import Check, file_system_checks, results_checks, store_checks
from jobs.ledger.ledger import Ledger
from jobs.ledger.store_of_ledger import join_store
from jobs.settings import Settings
from jobs.store.results import Results
from jobs.store.store_id import ID_FILE, read_store_id


def test_a_store_passes_before_and_after_a_worker_has_given_it_an_id(
    settings: Settings, ledger: Ledger
) -> None:
    root = settings.results_dir
    fresh = f"{root} has no id yet; the first worker gives it one"
    assert [(check.passed, check.finding) for check in store_checks(settings)] == [(True, fresh)]
    assert join_store(ledger, Results(root)) is None
    [check] = store_checks(settings)
    assert (check.passed, check.finding) == (True, f"{root} has the id {read_store_id(root)}")


def test_another_store_fails_and_names_the_right_one(
    settings: Settings, ledger: Ledger, tmp_path: Path
) -> None:
    join_store(ledger, Results(settings.results_dir))
    other = settings.model_copy(update={"results_dir": tmp_path / "other"})
    [check] = store_checks(other)
    assert not check.passed
    known = read_store_id(settings.results_dir)
    assert (
        f"{tmp_path / 'other'} has no store id, and the jobs of this Redis are in the store {known}"
        in check.finding
    )
    assert "QUARTET_RESULTS_DIR" in check.fix
    assert not (tmp_path / "other").exists()


def test_a_store_whose_id_is_none_fails(settings: Settings) -> None:
    settings.results_dir.mkdir()
    (settings.results_dir / ID_FILE).write_text("hello")
    [check] = store_checks(settings)
    assert (check.passed, check.finding) == (False, f"{ID_FILE} in {settings.results_dir} holds no store id")
    assert "remove the file" in check.fix


def test_a_store_that_lacks_its_package_fails_and_says_how_to_get_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.store.open_results.find_spec", lambda _: None)
    [check] = store_checks(settings.model_copy(update={"store": "s3://bucket/results"}))
    assert (check.passed, check.fix) == (False, "pip install 'quartet[store]'")
    assert "needs the package obstore" in check.finding


def test_a_job_submitted_from_another_store_is_queued_with_a_note(
    settings: Settings,
    ledger: Ledger,
    in_process: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = ("submit", "autoencoder", "train", "--data", "digits", "--epochs", "1")
    join_store(ledger, Results(settings.results_dir))
    assert in_process(*job).stderr == ""
    monkeypatch.setenv("QUARTET_RESULTS_DIR", str(tmp_path / "other"))
    submitted = in_process(*job, "--seed", "1", "--json")
    assert json.loads(submitted.stdout)["state"] == "queued"
    note, hint = submitted.stderr.splitlines()
    known = read_store_id(settings.results_dir)
    assert note.startswith(
        f"{tmp_path / 'other'} has no store id, and the jobs of this Redis are in the store {known}"
    )
    assert hint.startswith("hint: mount that store")


def test_the_file_system_is_one_line_where_it_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.local.file_system_check._PROMISES", ())
    monkeypatch.setattr("jobs.cli.doctor.clock_skew", lambda _: -12.4)
    [check] = file_system_checks(tmp_path)
    assert check.passed
    assert check.finding.endswith(
        " renames, syncs, locks and shows files as it should; its clock is 12 s behind"
    )


def test_each_promise_that_its_file_system_breaks_fails_a_check_of_its_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("jobs.local.file_system_check.fsync_folder", refuse)
    checks = {check.name: check for check in results_checks(settings)}
    assert [name for name, check in checks.items() if not check.passed] == ["fsync"]
    assert isinstance(checks["fsync"], Check)
    assert "a job counts as published once its folder is on disk" in checks["fsync"].finding
    assert "file system" not in checks
