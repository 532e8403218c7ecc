"""A file that workers on other machines would not find is put into the store; nothing else is."""

from pathlib import Path

import pytest

from jobs import job_data as module
from jobs.client import Client
from jobs.errors import InvalidData
from jobs.job_data import JobData
from jobs.models import parameters_of
from jobs.store.own_data_pin import Pin
from jobs.store.store_id import give_store_id
from tests.support.own_texts import NOVEL

KIND = parameters_of("textgen", "train")
ELSEWHERE = "redis://queue.example:6379/0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "My novel (2).txt"
    path.write_text(NOVEL)
    return path


def job_data(client: Client, address: str = ELSEWHERE) -> JobData:
    return JobData(client.own_data, client.results, client.ledger, address)


@pytest.mark.parametrize(
    "address",
    [
        "unix:///run/redis.sock",
        "redis://localhost:6379/0",
        "redis://127.0.0.2:6379/0",
        "rediss://[::1]:6379/0",
    ],
)
def test_where_workers_are_here_a_path_stays_a_path(client: Client, file: Path, address: str) -> None:
    assert job_data(client, address).check(KIND, str(file)) == str(file)
    assert client.stored_data() == []


@pytest.mark.parametrize("address", [ELSEWHERE, "redis+sentinel://localhost:1,queue.example:2/main/0"])
def test_where_workers_may_be_elsewhere_a_file_is_stored(client: Client, file: Path, address: str) -> None:
    notes: list[str] = []
    found = Pin.read(job_data(client, address).check(KIND, str(file), note=notes.append))
    assert found is not None
    assert found.name == f"My-novel-2-txt-{found.sha256[:8]}"
    digits = found.sha256[:12]
    assert f"stored {file.name} in the store as {found.name}, 15.1 kB, sha256 {digits}…" in notes
    file.unlink()
    assert client.own_data.verified(found).read_text() == NOVEL


def test_what_is_stored_already_keeps_its_name(client: Client, file: Path) -> None:
    entry = client.add_data(file, name="novel")
    notes: list[str] = []
    assert job_data(client).check(KIND, str(file), note=notes.append) == str(entry.pin)
    assert f"{file.name} is in the store as {entry.pin.shown}" in notes
    assert client.stored_data() == [entry]


def test_datasets_and_stored_data_are_not_stored_again(client: Client, file: Path) -> None:
    entry = client.add_data(file, name="novel")
    assert job_data(client).check(KIND, "pydoc") == "pydoc"
    assert job_data(client).check(KIND, "novel") == str(entry.pin)
    assert client.stored_data() == [entry]


def test_where_the_results_folder_is_not_the_workers_store_a_path_stays_a_path(
    client: Client, file: Path
) -> None:
    give_store_id(client.results.root)
    client.ledger.redis.set("quartet:store", '{"id": "00000000000000000000000000000000", "place": "a:/b"}')
    assert job_data(client).check(KIND, str(file)) == str(file)


def test_much_data_is_stored_only_once_that_is_allowed(
    client: Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_UNASKED", 1_000)
    data = job_data(client)
    with pytest.raises(
        InvalidData,
        match=r"^data: expected at most 1\.0 kB to be stored without a question, got .*, 15\.1 kB$",
    ):
        data.check(KIND, str(file))
    assert client.stored_data() == []
    asked: list[tuple[Path, int]] = []
    data.allow_large = lambda path, size: asked.append((path, size))
    assert Pin.read(data.check(KIND, str(file)))
    assert Pin.read(job_data(client).check(KIND, str(file))), "what is stored needs no question"
    assert asked == [(file, len(NOVEL))]


def test_a_rehearsal_stores_nothing_and_names_the_same(client: Client, file: Path) -> None:
    rehearsed, real = job_data(client), job_data(client)
    rehearsed.keeps = False
    notes: list[str] = []
    said = rehearsed.check(KIND, str(file), note=notes.append)
    assert client.stored_data() == []
    assert not any("stored" in note for note in notes)
    assert said == real.check(KIND, str(file))
