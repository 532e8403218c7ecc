"""What the page of a comparison says and how it is written, without a browser."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from jobs.comparison.selection import Selection
from jobs.comparison.selection_text import selection_of, selection_text
from jobs.ledger.sweep_record import SweepRecord, description
from jobs.store.results import Results
from jobs.sweeps.sweep_spec import Goal, Halving
from tests.report.compared_folders import GOAL, id_of, selected, write_run, write_sweep
from tests.report.pages import Page
from worker.report import compare_blocks, compare_data
from worker.report.blocks import Text
from worker.report.compare_data import page_data, page_of_runs
from worker.report.compare_page import main, write_compare_page, write_sweep_page
from worker.report.costly_parts import CostlyParts
from worker.report.swept_runs import swept_runs


def page_of(root: Path, ids: list[str], sort: str | None = None) -> Page:
    write_compare_page(Results(root), selected(root, ids), root / "compare.html", title="compared", sort=sort)
    return Page(root / "compare.html")


def page_of_trials(root: Path, sweep: SweepRecord) -> Page:
    write_sweep_page(Results(root), sweep, root / "compare.html")
    return Page(root / "compare.html")


def data_of(page: Page) -> Any:
    """What the page's program is given."""
    found = re.search(r"quartetCompare\('(.*)'\);", page.source)
    assert found
    return json.loads(found[1].replace("\\\\", "\\").encode().decode())


def test_only_parameters_that_differ_are_columns(tmp_path: Path) -> None:
    write_run(tmp_path, 1, {"learning_rate": 0.1, "batch_size": 64, "units": 8})
    write_run(tmp_path, 2, {"learning_rate": 0.1, "batch_size": 128, "units": 16})
    columns = data_of(page_of(tmp_path, [id_of(1), id_of(2)]))["columns"]
    assert [column["label"] for column in columns if column["key"].startswith("p:")] == [
        "batch_size",
        "units",
    ]


def test_runs_that_differ_by_their_seed_alone_are_one_point(tmp_path: Path) -> None:
    for number, (rate, seed, loss) in enumerate([(0.1, 0, 0.3), (0.1, 1, 0.5), (0.2, 0, 0.1)]):
        write_run(tmp_path, number, {"learning_rate": rate}, seed=seed, loss=loss)
    data = data_of(page_of(tmp_path, [id_of(0), id_of(1), id_of(2)]))
    place = [column["key"] for column in data["columns"]].index(data["goal"])
    assert data["goal"] == f"m:{GOAL}"
    assert [point["values"][place][0] for point in data["points"]] == [0.1, 0.4]
    assert data["points"][1]["values"][place][1:] == [pytest.approx(0.141421356), 2]
    assert data["best"] == 0
    assert len(data["runs"]) == 3


def test_the_best_is_by_the_goal_that_is_asked_for(tmp_path: Path) -> None:
    for number, loss in enumerate([0.3, 0.2]):
        write_run(
            tmp_path, number, {"units": number}, loss=loss, name=f"run {number}", metrics={"score": loss}
        )
    ids = [id_of(0), id_of(1)]
    assert "run 1: units 1" in " ".join(page_of(tmp_path, ids).text.split())
    page = page_of(tmp_path, ids, sort="score")
    assert "run 0: units 0" in " ".join(page.text.split())
    assert "higher is better" in " ".join(page.text.split())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"digits": {"name": "digits", "sha256": "aa" * 32}}}, "read different data, so their numbers measure different things: digits (aaaaaaaa) in 1 job"),
        ({"code": {"checksum": "b" * 16}}, "different versions of the model's code: bbbbbbbb in 1 job and aaaaaaaa in"),
        ({"versions": {"keras": "3.9"}}, "different versions of keras: 3.9 in 1 job and 3.8 in 1 job"),
    ],
)  # fmt: skip
def test_runs_of_other_data_code_or_libraries_are_told_at_the_top(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    same = {"code": {"checksum": "a" * 16}, "versions": {"keras": "3.8"}}
    write_run(tmp_path, 1, {"units": 1}, **same)
    write_run(tmp_path, 2, {"units": 2}, **same)
    assert "Warning" not in page_of(tmp_path, [id_of(1), id_of(2)]).text
    write_run(tmp_path, 3, {"units": 3}, **(same | changes))
    assert said in page_of(tmp_path, [id_of(1), id_of(3)]).text


def test_importance_needs_twenty_points_and_the_page_says_so(tmp_path: Path) -> None:
    page = page_of_trials(tmp_path, write_sweep(tmp_path, 5))
    assert "from 20 points on; 5 have a result so far" in page.text


def test_an_axis_is_logarithmic_where_the_sweep_is(tmp_path: Path) -> None:
    columns = data_of(page_of_trials(tmp_path, write_sweep(tmp_path, 8)))["columns"]
    logs = {column["label"]: column.get("log", False) for column in columns}
    assert logs["learning_rate"]
    assert logs["batch_size"], "32, 64, 128, 256"
    assert not logs["noise"]


def test_an_evaluation_has_the_parameters_of_its_model_too(tmp_path: Path) -> None:
    for number, units in enumerate([8, 16]):
        write_run(tmp_path, number, {"units": units})
        write_run(
            tmp_path,
            10 + number,
            {},
            loss=None,
            action="evaluate",
            metrics={"bce": 0.1},
            **{"from": id_of(number)},
        )
    data = data_of(page_of(tmp_path, [id_of(10), id_of(11)]))
    labels = [column["label"] for column in data["columns"]]
    assert labels[:2] == ["training.units", "Binary cross-entropy"]


def test_a_job_that_names_itself_as_its_source_is_shown(tmp_path: Path) -> None:
    write_run(tmp_path, 1, {}, action="evaluate", **{"from": id_of(1)})
    assert len(data_of(page_of(tmp_path, [id_of(1)]))["runs"]) == 1


def test_links_lead_from_the_page_to_the_reports(tmp_path: Path) -> None:
    write_run(tmp_path / "my results", 1, {})
    results = Results(tmp_path / "my results")
    comparison = page_of_runs(results, selected(results.root, [id_of(1)]))
    for place in (tmp_path / "my results" / "sweeps" / "a", tmp_path / "else where"):
        place.mkdir(parents=True)
        href = page_data(comparison, place / "compare.html")["runs"][0]["href"]
        assert (place / href.replace("%20", " ")).resolve() == results.root / id_of(1) / "report.html"


@pytest.mark.quality
def test_long_curves_are_thinned_to_a_small_page(tmp_path: Path) -> None:
    for number in range(4):
        write_run(tmp_path, number, {"units": number}, epochs=20_000)
    page = page_of(tmp_path, [id_of(number) for number in range(4)])
    assert len(page.source) < 300_000
    losses = data_of(page)["runs"][0]["losses"]
    assert (losses["x"][0], losses["x"][-1], losses["thinned"]) == (1, 20_000, True)


@pytest.mark.quality
def test_the_page_of_a_sweep_of_two_hundred_is_cheap_once_its_runs_were_read(tmp_path: Path) -> None:
    results, sweep = Results(tmp_path), write_sweep(tmp_path, 200, epochs=50)
    parts = CostlyParts()
    write_sweep_page(results, sweep, tmp_path / "compare.html", parts=parts)
    began = time.process_time()
    write_sweep_page(results, sweep, tmp_path / "compare.html", parts=parts)
    assert time.process_time() - began < 0.6, "0.1 s on a machine at rest"
    assert (tmp_path / "compare.html").stat().st_size < 3_000_000


@pytest.mark.quality
def test_a_process_of_its_own_writes_a_page_without_tensorflow(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 3)
    folder = tmp_path / "sweeps" / sweep.name
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_text(json.dumps(sweep.as_dict()))
    code = (
        "import sys; from worker.report.compare_page import main; code = main(sys.argv[1:]);"
        "assert 'tensorflow' not in sys.modules; sys.exit(code)"
    )
    arguments = ["--results", str(tmp_path), "--path", str(folder / "compare.html"), "--sweep", sweep.name]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=os.environ)
    assert "3 runs" in Page(folder / "compare.html").text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sweep", "none"], "sweep: expected a sweep that has a file, got 'none'"),
        (["--sort", "loss"], "sort: expected nothing, since no number is common to these jobs, got 'loss'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(selection_text(Selection([]))))
    assert main(["--results", str(tmp_path), "--path", str(tmp_path / "page.html"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(selection_text(Selection([]))))
    assert main(["--results", str(tmp_path), "--path", str(tmp_path / "none" / "page.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_numbers_of_jobs_that_follow_a_trial_are_its_columns(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 2)
    followers = []
    for trial, entry in enumerate(sweep.entries):
        job = write_run(
            tmp_path, 100 + trial, {}, loss=None, action="evaluate", metrics={"bce": 0.2 + trial / 10, "psnr_db": 17.0},
            **{"from": entry.job},
        )  # fmt: skip
        followers.append(replace(entry, then=0, job=job))
    page = page_of_trials(tmp_path, replace(sweep, entries=(*sweep.entries, *followers)))
    data = data_of(page)
    assert len(data["runs"]) == 2
    assert {tuple(run["followed"][0]) for run in data["runs"]} == {
        ("evaluate", f"{id_of(100 + trial)}/report.html", "succeeded") for trial in range(2)
    }
    names = [column["key"] for column in data["columns"]]
    place = names.index("m:evaluate: bce")
    assert data["columns"][place]["label"] == "Binary cross-entropy (evaluate)"
    assert data["columns"][place]["shown"]
    assert not data["columns"][names.index("m:evaluate: psnr_db")].get("shown")
    assert sorted(point["values"][place][0] for point in data["points"]) == [0.2, pytest.approx(0.3)]


def test_a_promoted_trial_is_shown_once_by_its_last_job(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 3)
    job = write_run(tmp_path, 100, sweep.entries[0].point, loss=0.001, epochs=36)
    promoted = replace(sweep.entries[0], rung=1, job=job, epochs=36)
    data = data_of(page_of_trials(tmp_path, replace(sweep, entries=(*sweep.entries, promoted))))
    assert len(data["runs"]) == 3
    assert (data["runs"][0]["id"], data["runs"][0]["epochs"]) == (job, 36)


def test_a_sweep_is_ranked_by_its_own_goal(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 3)
    goal = Goal(name="training_bce", goal="maximize")
    other = replace(sweep, described=description(sweep.spec.model_copy(update={"metric": goal})))
    data = data_of(page_of_trials(tmp_path, other))
    place = [column["key"] for column in data["columns"]].index("m:training_bce")
    values = [point["values"][place][0] for point in data["points"]]
    assert (data["goal"], values) == ("m:training_bce", sorted(values, reverse=True))


def test_what_a_process_of_its_own_is_given_is_the_same_selection(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 2, seeds=(0, 1), failed=[1])
    selection = swept_runs(Results(tmp_path), sweep).selection
    read = selection_of(selection_text(selection))
    assert list(read.runs) == list(selection.runs)
    assert list(read.sweeps) == list(selection.sweeps)


def test_a_point_of_which_one_seed_trains_longer_folds_no_numbers_of_other_epochs(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 1, seeds=(0, 1))
    halving = sweep.spec.model_copy(update={"early_terminate": Halving(eta=3, min_iter=4)})
    job = write_run(tmp_path, 100, sweep.entries[0].point, loss=0.001, epochs=36)
    promoted = replace(sweep.entries[0], rung=1, job=job, epochs=36)
    record = replace(sweep, entries=(*sweep.entries, promoted), described=description(halving))
    data = data_of(page_of_trials(tmp_path, record))
    place = [column["key"] for column in data["columns"]].index(f"m:{GOAL}")
    assert [point["values"][place][1:] for point in data["points"]] == [[None, 1], [None, 1]]
    assert data["points"][0]["values"][place][0] == 0.001
    assert "best" not in data or data["best"] is None


def test_a_page_has_room_for_so_many_runs_and_says_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_data, "MOST_SHOWN", 3)
    page = page_of_trials(tmp_path, write_sweep(tmp_path, 5))
    assert len(data_of(page)["runs"]) == 3
    assert "5 runs." in page.text
    assert "The page shows the best; 2 points left out." in page.text


@pytest.mark.parametrize("model", ["autoencoder", "denoiser", "sentiment", "textgen"])
def test_every_model_brings_its_part_of_the_comparison(model: str) -> None:
    assert callable(compare_blocks._compare_of(model))


def test_a_part_that_fails_is_left_out_and_what_it_says_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(compare_blocks, "_compare_of", lambda _: fails)
    page = page_of_trials(tmp_path, write_sweep(tmp_path, 2))
    assert len(data_of(page)["runs"]) == 2
    monkeypatch.setattr(
        compare_blocks, "_compare_of", lambda _: lambda runs: [Text("Own", f"{len(runs)} & <b>")]
    )
    page = page_of_trials(tmp_path / "b", write_sweep(tmp_path / "b", 2))
    assert "2 & <b>" in page.text


def test_runs_whose_long_names_begin_alike_are_all_in_a_models_own_part(tmp_path: Path) -> None:
    for number in range(3):
        write_run(tmp_path, number, {"units": number}, name=f"{'the same beginning ' * 3}{number}")
    comparison = page_of_runs(Results(tmp_path), selected(tmp_path, [id_of(number) for number in range(3)]))
    [runs] = compare_blocks.chosen_runs(comparison).values()
    assert len({run.label for run in runs}) == 3


def test_how_long_halving_had_points_train_is_a_column(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 2)
    halving = sweep.spec.model_copy(update={"early_terminate": Halving(eta=3, min_iter=4)})
    job = write_run(tmp_path, 100, sweep.entries[0].point, loss=0.5, epochs=36)
    promoted = replace(sweep.entries[0], rung=1, job=job, epochs=36)
    record = replace(sweep, entries=(*sweep.entries, promoted), described=description(halving))
    page = page_of_trials(tmp_path, record)
    place = [column["key"] for column in data_of(page)["columns"]].index("p:epochs")
    assert [point["values"][place] for point in data_of(page)["points"]] == [36, 12]
    assert "those trained longest first" in page.text


def test_seeds_of_a_sweeps_points_among_other_jobs_are_told_apart(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path, 2, seeds=(0, 1))
    of_sweep = swept_runs(Results(tmp_path), sweep).selection.runs
    named = [replace(run, name=f"rates-{run.trial}") for run in of_sweep]
    points = page_of_runs(Results(tmp_path), Selection(named)).points
    assert {point.label for point in points} == {"rates, point 0", "rates, point 1"}


def test_losses_are_in_the_unit_of_their_own_model(tmp_path: Path) -> None:
    write_run(tmp_path, 1, {})
    write_run(tmp_path, 2, {}, model="textgen")
    runs = data_of(page_of(tmp_path, [id_of(1), id_of(2)]))["runs"]
    assert {run["unit"] for run in runs} == {"nats per pixel", "nats per character"}
