"""Own data in an object store: what one host adds another one reads, within the bound of its copy."""

import os
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidData, StoreUnreachable
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.objects.shared_data import SharedData
from jobs.store.own_data import OwnData
from jobs.store.own_data_content import PART_SECONDS
from jobs.store.own_data_entry import StoredData
from jobs.store.own_data_files import OwnFiles

READERS = ("sentiment train",)


@pytest.fixture
def hosts(s3: str, tmp_path: Path) -> tuple[OwnData, OwnData]:
    """Two hosts' copies; the second one keeps little."""
    shared = SharedData(Elsewhere(s3))
    return OwnData(tmp_path / "one", shared=shared), OwnData(
        tmp_path / "two", shared=shared, most_bytes=3_000
    )


def add(store: OwnData, path: Path, content: str, name: str) -> StoredData:
    path.write_text(content)
    files = OwnFiles.of(path)
    return store.add(files, name, files.sha256(), READERS)


def test_what_one_host_adds_another_one_lists_and_reads(
    hosts: tuple[OwnData, OwnData], tmp_path: Path
) -> None:
    one, two = hosts
    entry = add(one, tmp_path / "reviews.csv", "text,label\n", "reviews")
    assert two.names() == ["reviews"]
    assert two.entry("reviews") == entry
    assert two.verified(entry.pin).read_text() == "text,label\n"
    assert two.verified(entry.pin).name == "reviews.csv"
    pictures = tmp_path / "pictures"
    for name in ("a/1.png", "b c/ä #2?.png"):
        (pictures / name).parent.mkdir(parents=True)
        (pictures / name).write_text(name)
    files = OwnFiles.of(pictures)
    folder = one.add(files, "pictures", files.sha256(), ("autoencoder train",))
    there = two.verified(folder.pin)
    assert {path.relative_to(there).as_posix() for path in there.rglob("*.png")} == set(files.names)


def test_a_name_has_one_content_on_all_hosts_and_is_removed_on_all(
    hosts: tuple[OwnData, OwnData], tmp_path: Path
) -> None:
    one, two = hosts
    entry = add(one, tmp_path / "reviews.csv", "text,label\n", "reviews")
    with pytest.raises(InvalidData, match="a name that has no other content"):
        add(two, tmp_path / "reviews.csv", "others\n", "reviews")
    add(two, tmp_path / "reviews.csv", "text,label\n", "again")
    assert not one.remove("reviews")  # its content has another name
    assert two.entry("reviews") is None
    assert two.verified(entry.pin).is_file()
    assert two.remove("again")
    assert one.shared is not None
    assert one.shared.size(entry.pin.form) is None
    assert one.names() == []


def test_a_copy_keeps_what_was_read_last_within_its_bound(
    hosts: tuple[OwnData, OwnData], tmp_path: Path
) -> None:
    one, two = hosts
    pins = [
        add(one, tmp_path / f"{number}.txt", str(number) * 1_400, f"n{number}").pin for number in range(4)
    ]
    for age, pin in zip((3, 2, 1), pins, strict=False):
        path = two.verified(pin)
        os.utime(path.parent, (0, path.stat().st_mtime - age * PART_SECONDS))
    two.verified(pins[3])
    kept = [number for number, pin in enumerate(pins) if two.content.find(pin.sha256, pin.suffix)]
    assert kept == [2, 3]
    assert two.verified(pins[0]).read_text() == "0" * 1_400


def test_what_a_stranger_wrote_leaves_no_folder(hosts: tuple[OwnData, OwnData], tmp_path: Path) -> None:
    one, two = hosts
    pin = add(one, tmp_path / "reviews.csv", "text,label\n", "reviews").pin
    objects = Elsewhere(one.shared.objects.address) if one.shared else None
    assert objects is not None
    objects.write(f".data/content/{pin.form}/reviews.csv", b"others")
    with pytest.raises(InvalidData, match="which was changed since"):
        two.verified(pin)
    objects.write(f".data/content/{pin.form}.json", b'{"../../outside": 3}')
    (two.content.find(pin.sha256, pin.suffix) or Path()).unlink()
    with pytest.raises(InvalidData, match="cannot be read"):
        two.verified(pin)
    objects.write(".data/names/other.json", b"x" * 100_000)
    with pytest.raises(InvalidData, match="a name of stored data"):
        two.entry("other")
    assert not list(tmp_path.rglob("outside"))


def test_data_that_no_job_has_read_here_is_looked_up_without_a_copy_of_it(
    hosts: tuple[OwnData, OwnData], tmp_path: Path
) -> None:
    one, two = hosts
    pin = add(one, tmp_path / "reviews.csv", "text,label\n", "reviews").pin
    there = one.here(pin)
    assert there is not None
    assert there.read_text() == "text,label\n"
    os.utime(there.parent, (0, 1_000))
    one.here(pin)
    assert there.parent.stat().st_mtime == 1_000, "it was not read"
    assert two.here(pin) is None
    assert two.content.find(pin.sha256, pin.suffix) is None
    one.remove("reviews")
    for host in hosts:
        with pytest.raises(InvalidData, match="data that is in the store"):
            host.here(pin)


@pytest.mark.parametrize("when", ["before its list is read", "before its files are read"])
def test_data_that_another_host_removes_while_it_is_fetched_is_not_in_the_store(
    hosts: tuple[OwnData, OwnData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    one, two = hosts
    pin = add(one, tmp_path / "reviews.csv", "text,label\n", "reviews").pin
    changed = (SharedData, "download") if when == "before its list is read" else (Elsewhere, "download")
    download = getattr(*changed)

    def remove_and_download(*arguments: Any) -> Any:
        monkeypatch.undo()
        one.remove("reviews")
        return download(*arguments)

    monkeypatch.setattr(*changed, remove_and_download)
    with pytest.raises(InvalidData, match=r"data that is in the store .*, which is not$"):
        two.verified(pin)
    assert [path.name for path in two.content.folder.glob(".part-*")] == []


def test_a_file_that_is_missing_in_the_store_is_said(hosts: tuple[OwnData, OwnData], tmp_path: Path) -> None:
    one, two = hosts
    pin = add(one, tmp_path / "reviews.csv", "text,label\n", "reviews").pin
    objects = one.shared.objects if one.shared else None
    assert objects is not None
    objects.remove([f".data/content/{pin.form}/reviews.csv"])
    with pytest.raises(InvalidData, match=r"reviews\.csv is missing in the store"):
        two.verified(pin)


def test_a_host_without_a_copy_removes_the_content_as_well(
    hosts: tuple[OwnData, OwnData], tmp_path: Path
) -> None:
    one, two = hosts
    add(one, tmp_path / "reviews.csv", "text,label\n", "reviews")
    assert two.remove("reviews")
    assert two.shared is not None
    assert two.shared.objects.names(".data") == []


@pytest.mark.parametrize("fails", ["remove", "remove_entry"])
def test_a_removal_that_the_store_did_not_answer_is_made_by_the_next_one(
    hosts: tuple[OwnData, OwnData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    one, _ = hosts
    add(one, tmp_path / "reviews.csv", "text,label\n", "reviews")

    def fail(*_: Any) -> None:
        raise StoreUnreachable("the store does not answer")

    monkeypatch.setattr(SharedData, fails, fail)
    with pytest.raises(StoreUnreachable):
        one.remove("reviews")
    monkeypatch.undo()
    assert one.remove("reviews")
    assert one.shared is not None
    assert one.shared.objects.names(".data") == []


def test_content_whose_last_name_another_host_removes_while_it_gets_one_is_stored_again(
    hosts: tuple[OwnData, OwnData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = hosts
    add(two, tmp_path / "reviews.csv", "text,label\n", "reviews")
    create_entry = SharedData.create_entry

    def remove_and_create(shared: SharedData, name: str, content: bytes) -> bool:
        two.remove("reviews")
        return create_entry(shared, name, content)

    monkeypatch.setattr(SharedData, "create_entry", remove_and_create)
    pin = add(one, tmp_path / "reviews.csv", "text,label\n", "again").pin
    assert two.verified(pin).read_text() == "text,label\n"
