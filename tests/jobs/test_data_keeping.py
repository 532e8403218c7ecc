"""Data under a name: which models read it, what a job that was submitted with it reads, and when it may go."""

from pathlib import Path
from typing import Any

import pytest

from jobs.client import Client
from jobs.errors import InvalidData, InvalidJob, JobConflict
from jobs.reuse import Fingerprint
from jobs.specs.stored_spec import StoredSpec
from jobs.store.own_data_pin import Pin
from tests.support.ended_jobs import end
from tests.support.own_texts import NOVEL
from tests.sweeps.stand_in_worker import sweep_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "novel.txt"
    path.write_text(NOVEL)
    return path


def test_a_file_is_stored_with_the_jobs_that_can_read_it(client: Client, file: Path) -> None:
    entry = client.add_data(file, name="novel")
    assert {"textgen train", "textgen evaluate", "sentiment generate"} <= set(entry.models)
    assert "autoencoder train" not in entry.models
    assert client.stored_data() == [entry] == [client.find_data("novel")]


def test_parameters_say_how_it_is_read_where_it_does_not_itself(client: Client, tmp_path: Path) -> None:
    rows = [
        f"title {n},a {'good' if n % 2 else 'bad'} film {n},{'yes' if n % 2 else 'no'}" for n in range(100)
    ]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["title,body,verdict", *rows]))
    columns = {"text_column": "body", "label_column": "verdict", "positive": "yes", "negative": "no"}
    assert "sentiment train" not in client.add_data(table, name="table").models
    assert "sentiment train" in client.add_data(table, name="table", **columns).models
    with pytest.raises(InvalidJob, match=r"^parameter: expected one of .*, got 'textcolumn'$"):
        client.add_data(table, name="table", textcolumn="body")
    with pytest.raises(InvalidJob, match=r"^on_bad_row: expected one of refuse, skip, got 'x'$"):
        client.add_data(table, name="table", on_bad_row="x")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.docx", "x", r"^data: expected an \.npz file, .* got .*a\.docx, which has no such form$"),
        ("a.txt", "\0" * 2_000, r"a\.txt: expected data that a model can read, got none: "),
        ("a.npz", "no archive", r"a\.npz"),
    ],
)
def test_what_no_model_reads_is_refused(
    client: Client, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidData, match=message):
        client.add_data(tmp_path / name, name="mine")
    assert client.stored_data() == []


def test_what_is_not_there_and_a_dataset_s_name_are_refused(client: Client, file: Path) -> None:
    with pytest.raises(InvalidData, match=r"got .*/nowhere\.txt, which does not exist$"):
        client.add_data(file.with_name("nowhere.txt"), name="mine")
    with pytest.raises(InvalidData, match=r"^name: expected a name that no dataset has, got 'shakespeare'$"):
        client.add_data(file, name="shakespeare")


def test_a_queued_job_reads_what_the_name_meant_when_it_was_submitted(client: Client, file: Path) -> None:
    first = client.add_data(file, name="novel")
    job = client.submit("textgen", "train", data="novel")
    assert job.spec.data == str(first.pin)
    client.own_data.remove("novel")  # as somebody may who does not ask Redis
    file.write_text(NOVEL * 2)
    second = client.add_data(file, name="novel")
    assert client.job(job.id).spec.data == str(first.pin)
    assert client.submit("textgen", "train", data="novel").spec.data == str(second.pin)
    with pytest.raises(InvalidData, match="expected data that is in the store"):
        client.submit("textgen", "train", data=str(first.pin))


def test_a_name_that_is_misspelled_or_of_another_form_is_refused(client: Client, file: Path) -> None:
    client.add_data(file, name="novel")
    with pytest.raises(InvalidData, match="got 'novell'") as refused:
        client.submit("textgen", "train", data="novell")
    assert refused.value.hint == "did you mean 'novel'?"
    with pytest.raises(InvalidData, match=r"got novel \(sha256 [0-9a-f]{12}…\), a \.txt file$"):
        client.submit("autoencoder", "train", data="novel")


def test_a_sweep_s_data_may_be_varied_by_names(client: Client, file: Path) -> None:
    first = client.add_data(file, name="novel")
    file.write_text(NOVEL * 2)
    second = client.add_data(file, name="longer")
    data = ["novel", "longer"]
    sweep = client.sweep("textgen", data=data, parameters={"epochs": 1}, name="which")
    assert sweep.spec.parameters["data"].values == (str(first.pin), str(second.pin))


def _submit(client: Client) -> str:
    return client.submit("textgen", "train", data="novel").id


def _evaluate(client: Client) -> str:
    trained = client.submit("textgen", "train", data="novel")
    evaluated = client.submit("textgen", "evaluate", source=trained.id)
    end(client, trained)
    return evaluated.id


def _sweep(client: Client) -> str:
    name = "bowl"
    client.create_sweep(sweep_of(name, data=str(client.find_data("novel").pin)))
    return name


def _then(client: Client) -> str:
    then = [{"action": "evaluate", "data": "novel"}]
    return client.sweep("textgen", parameters={"epochs": [1, 2]}, then=then, data="pydoc", name="s").name


@pytest.mark.parametrize("read", [_submit, _evaluate, _sweep, _then])
def test_what_an_unfinished_job_reads_is_not_removed(client: Client, file: Path, read: Any) -> None:
    client.add_data(file, name="novel")
    reader = read(client)
    with pytest.raises(
        JobConflict, match=f"expected data that no unfinished job reads, got novel, which .*{reader}"
    ):
        client.remove_data("novel")
    client.add_data(file, name="also")
    assert not client.remove_data("novel"), "the content has another name"
    with pytest.raises(JobConflict, match=reader):
        client.remove_data("also")


def test_what_ended_jobs_read_may_be_removed(client: Client, file: Path) -> None:
    pin = client.add_data(file, name="novel").pin
    job = client.submit("textgen", "train", data="novel")
    end(client, job)
    assert client.remove_data("novel")
    assert client.stored_data() == []
    assert StoredSpec.of_folder(client.folder(job.id).job).data == str(pin)


def test_equal_content_has_one_fingerprint_whatever_its_name(client: Client) -> None:
    def fingerprint(pin: Pin) -> Fingerprint | None:
        spec = client.submit("textgen", "train", data="pydoc").spec.model_copy(update={"data": str(pin)})
        return Fingerprint.of(spec, "code", client.results, client.settings.data_dir)

    pin = Pin("a", "0" * 64, ".txt")
    found = fingerprint(pin)
    assert found is not None
    assert found.data == pin.sha256
    assert found == fingerprint(Pin("b", "0" * 64, ".txt"))
    assert found != fingerprint(Pin("a", "1" * 64, ".txt"))
