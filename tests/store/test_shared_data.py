"""Own data in an object store: what one host adds another one reads, within the bound of its copy."""

import os
from pathlib import Path

import pytest

from jobs.errors import InvalidData
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
