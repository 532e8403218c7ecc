"""Compared jobs as rows: nothing rounded, the same keys everywhere, and files that others can read."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.comparison import table_rows
from jobs.comparison.table_rows import csv_text, write_parquet
from jobs.errors import MissingPart
from tests.comparison.published import evaluated, trained
from tests.support.report_folders import HOSTILE
from tests.sweeps.stand_in_worker import StandIn, sweep_of

EXACT = 0.12345678901234566


def test_a_row_has_all_that_is_known_of_a_job_and_nothing_is_rounded(client: Client) -> None:
    first = trained(client, EXACT, seed=3, name="a name", tags=("x",), learning_rate=1e-3)
    second = evaluated(client, first, 20.0)
    rows = client.table(first, second)
    assert [list(row) for row in rows] == [list(rows[0])] * 2
    [row] = [row for row in rows if row["id"] == first]
    assert row["metrics.validation_bce"] == EXACT
    about = ("name", "state", "model", "action", "seed", "tags", "data", "epochs_done", "sweep")
    assert [row[name] for name in about] == [
        "a name", "succeeded", "autoencoder", "train", 3, ["x"], "digits", 2, None,
    ]  # fmt: skip
    assert row["parameters.learning_rate"] == 1e-3
    assert row["parameters.batch_size"] == 256
    assert row["report"] == str(client.results.root / first / "report.html")
    assert row["metrics.psnr_db"] is None
    assert rows[1 - rows.index(row)]["training.learning_rate"] == 1e-3
    assert rows[1 - rows.index(row)]["from"] == first


def test_trials_have_their_numbers_and_histories_are_rows(client: Client) -> None:
    client.create_sweep(sweep_of(seeds=(0, 1)))
    StandIn(client).run()
    rows = client.table(sweep="bowl")
    places = [(row["sweep"], row["trial"], row["point"], row["rung"], row["seed"]) for row in rows]
    assert sorted(places) == [("bowl", trial, trial // 2, 0, trial % 2) for trial in range(6)]
    histories = client.histories(sweep="bowl")
    assert len(histories) == 6 * 2
    assert histories[0] == {
        "id": rows[0]["id"], "epoch": 1, "loss": rows[0]["metrics.validation_bce"],
        "validation_loss": rows[0]["metrics.validation_bce"],
    }  # fmt: skip


def test_a_job_that_a_sweep_took_over_is_a_trial_of_that_sweep(client: Client) -> None:
    for name in ("bowl", "other"):
        client.create_sweep(sweep_of(name))
        StandIn(client).run()
    first, second = client.find_sweep("bowl"), client.find_sweep("other")
    rows = client.table(sweep="other")
    assert {row["sweep"] for row in rows} == {"other"}
    assert {row["id"] for row in rows} == {trial.job for trial in second.trials}
    both = client.table(sweep=["bowl", "other"])
    assert len(both) == len({trial.job for sweep in (first, second) for trial in sweep.trials})


def test_csv_holds_every_number_exactly(client: Client) -> None:
    trained(client, EXACT, tags=("x", "y"))
    trained(client, 1.0)
    rows = client.table(last=2)
    read = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [float(row["metrics.validation_bce"]) for row in read] == [EXACT, 1.0]
    assert read[0]["tags"] == '["x", "y"]'
    assert read[0]["sweep"] == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", " =1", '=HYPERLINK("http://x","y")', *HOSTILE]
)
def test_no_text_is_a_formula_or_controls_a_terminal(text: str) -> None:
    written = csv_text([{"id": "1", "name": text, "metrics.x": -1.5}])
    [_, [job_id, name, number]] = csv.reader(io.StringIO(written))
    assert (job_id, number) == ("1", "-1.5")
    assert not name.lstrip().startswith(("=", "+", "-", "@"))
    assert not any(ord(character) < 32 and character != "\t" for character in name)
    assert "\x1b" not in written


def test_parquet_has_one_type_a_column(client: Client, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    trained(client, 1, learning_rate=1e-3, tags=("x",))
    trained(client, EXACT, name="=1+1")
    rows = client.table(last=2)
    write_parquet(rows, tmp_path / "jobs.parquet")
    table = parquet.read_table(tmp_path / "jobs.parquet")
    assert table.to_pylist() == rows
    types = {name: str(table.schema.field(name).type) for name in table.schema.names}
    wanted = {"id": "string", "seed": "int64", "metrics.validation_bce": "double", "name": "string"}
    assert types | wanted == types
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == ["jobs.parquet"]


def test_values_of_several_types_are_text_in_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    values: list[Any] = [[0.5, 1], "auto", 2**70, None]
    write_parquet([{"tags": [], "p": value} for value in values], tmp_path / "a")
    read = parquet.read_table(tmp_path / "a").column("p").to_pylist()
    assert [None if text is None else json.loads(text) for text in read] == values


def test_without_pyarrow_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(table_rows, "import_module", missing)
    with pytest.raises(MissingPart, match="pyarrow") as error:
        write_parquet([{"id": "1"}], tmp_path / "a")
    assert "quartet[parquet]" in str(error.value.hint)
    assert not (tmp_path / "a").exists()
