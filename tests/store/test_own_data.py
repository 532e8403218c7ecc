"""Own data is stored once under its checksum, whole or not at all, and read only as it was added."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import DamagedFolder, InvalidData
from jobs.store import own_data, own_data_files
from jobs.store.own_data import FOLDER, OwnData
from jobs.store.own_data_content import PART_SECONDS
from jobs.store.own_data_entry import MOST_BYTES, StoredData
from jobs.store.own_data_files import OwnFiles
from jobs.store.own_data_pin import Pin, shown_data

READERS = ("sentiment train",)


@pytest.fixture
def store(tmp_path: Path) -> OwnData:
    return OwnData(tmp_path / "results")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\ngood,1\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    for name in ("b/1.png", "a/2.png", "a.png", "a/ä 3.png"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def add(store: OwnData, path: Path, name: str) -> StoredData:
    files = OwnFiles.of(path)
    return store.add(files, name, files.sha256(), READERS)


def left(store: OwnData) -> set[str]:
    """What lies in the store's folder, but for the names and the lock."""
    return {path.name for path in (store.root / FOLDER).iterdir()} - {"names", ".lock"}


def test_a_file_is_stored_once_whatever_its_names_and_places(
    store: OwnData, file: Path, tmp_path: Path
) -> None:
    first = add(store, file, "first")
    other = tmp_path / "elsewhere.CSV"
    file.rename(other)
    second = add(store, other, "second")
    assert first.pin.content == second.pin.content
    assert first.sha256 == hashlib.sha256(other.read_bytes()).hexdigest()
    assert left(store) == {first.sha256}
    assert (
        store.verified(first.pin)
        == store.verified(second.pin)
        == store.root / FOLDER / first.sha256 / file.name
    )
    assert store.verified(first.pin).read_bytes() == other.read_bytes()
    assert [entry.name for entry in store.entries()[0]] == ["first", "second"]
    assert store.named(first.sha256, ".csv") == first.pin


def test_a_folder_has_the_checksum_that_sha256sum_gives_its_list(store: OwnData, folder: Path) -> None:
    entry = add(store, folder, "pictures")
    command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    said = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    assert entry.sha256 == said.stdout.split()[0]
    assert (entry.files, entry.size, entry.suffix) == (
        4,
        sum(len(p.read_bytes()) for p in folder.rglob("*.png")),
        "",
    )
    copy = store.verified(entry.pin)
    assert copy.name == "pictures", "a reader may go by the name"
    assert {p.relative_to(copy) for p in copy.rglob("*")} == {
        p.relative_to(folder) for p in folder.rglob("*")
    }


def test_the_same_bytes_in_another_form_are_read_in_that_form(
    store: OwnData, file: Path, tmp_path: Path
) -> None:
    table = add(store, file, "table")
    lines = add(store, file.rename(tmp_path / "lines.txt"), "lines")
    assert table.sha256 == lines.sha256
    assert store.verified(lines.pin).suffix == ".txt"
    assert store.verified(table.pin).suffix == ".csv"
    assert store.remove("lines")
    assert store.verified(table.pin).suffix == ".csv"


def test_a_name_has_one_content(store: OwnData, file: Path) -> None:
    first = add(store, file, "mine")
    assert add(store, file, "mine") == first, "to add it again changes nothing"
    files = OwnFiles.of(file)
    first = store.add(files, "mine", files.sha256(), ["sentiment evaluate"])
    assert first.models == ("sentiment train", "sentiment evaluate"), "but for who can read it"
    file.write_text("text,label\nbad,0\n")
    with pytest.raises(
        InvalidData, match=r"^name: expected a name that has no other content, got 'mine'"
    ) as refused:
        add(store, file, "mine")
    assert "choose another name" in str(refused.value.hint)
    assert store.known("mine") == first
    assert left(store) == {first.sha256}


def test_a_name_is_no_path(store: OwnData, file: Path) -> None:
    for name in ("", "a/b", "../a", "a.csv", ".a", "-a", "ä", "a" * 81, "a\n", "a b", "a@b"):
        with pytest.raises(InvalidData, match=r"^name: expected 1 to 80 letters"):
            add(store, file, name)
        assert store.pin(name) is None
    assert not store.root.exists()


def test_a_name_keeps_content_that_another_one_loses(store: OwnData, file: Path) -> None:
    pin = add(store, file, "first").pin
    add(store, file, "second")
    assert not store.remove("first")
    assert store.verified(pin)
    assert store.remove("second")
    assert left(store) == set()
    with pytest.raises(
        InvalidData,
        match=rf"^data: expected data that is in the store .*, got first \(sha256 {pin.sha256[:12]}…\), which is not$",
    ):
        store.verified(pin)
    with pytest.raises(InvalidData, match=r"^name: expected a name of stored data, got 'second'$"):
        store.remove("second")


def _link(folder: Path) -> None:
    (folder / "b" / "link.png").symlink_to("/etc/passwd")


def _linked_folder(folder: Path) -> None:
    (folder / "b" / "more").symlink_to("/etc")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "b" / "pipe.png")


def _unprintable(folder: Path) -> None:
    (folder / "b" / "a\nb.png").touch()


def _no_utf8(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png"))).touch()


def _deep(folder: Path) -> None:
    (folder / "/".join(["x"] * 40)).mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "given"),
    [
        (_link, "a symbolic link"),
        (_linked_folder, "a symbolic link"),
        (_pipe, "something else"),
        (_unprintable, "one with a name that cannot be printed"),
        (_no_utf8, "one with a name that cannot be printed"),
        (_deep, "one below 32 others"),
    ],
)
def test_what_is_no_plain_file_is_refused(
    store: OwnData, folder: Path, spoil: Callable[[Path], Any], given: str
) -> None:
    spoil(folder)
    with pytest.raises(InvalidData, match=rf"expected a (regular file|folder), got {given}$"):
        add(store, folder, "pictures")
    assert not store.root.exists()


def test_too_many_files_are_refused(store: OwnData, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data_files, "MOST_FILES", 3)
    with pytest.raises(InvalidData, match="expected at most 3 files, got more"):
        add(store, folder, "pictures")


def test_a_link_is_refused_with_what_it_leads_to(store: OwnData, file: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(file)
    with pytest.raises(InvalidData, match="got a symbolic link") as refused:
        add(store, tmp_path / "link.csv", "mine")
    assert refused.value.hint == f"name what it leads to: {file}"


def test_data_that_changes_while_it_is_stored_leaves_nothing(store: OwnData, folder: Path) -> None:
    files = OwnFiles.of(folder)
    sha256 = files.sha256()
    (folder / "a.png").write_text("other")
    with pytest.raises(InvalidData, match="expected data that nobody changes while it is stored"):
        store.add(files, "pictures", sha256, READERS)
    (folder / "a.png").unlink()
    with pytest.raises(InvalidData, match="expected a file that can be read, got no such file"):
        store.add(files, "pictures", sha256, READERS)
    assert left(store) == set()
    assert store.names() == []


def _change(path: Path) -> None:
    (path / "a.png").chmod(0o644)
    (path / "a.png").write_text("other")


def _take(path: Path) -> None:
    (path / "a.png").unlink()


@pytest.mark.parametrize("spoil", [_change, _take, _link])
def test_content_that_was_changed_is_refused_until_it_is_added_again(
    store: OwnData, folder: Path, spoil: Callable[[Path], Any]
) -> None:
    pin = add(store, folder, "pictures").pin
    spoil(store.verified(pin))
    with pytest.raises(
        InvalidData,
        match=r"^data: expected stored data as it was added, got pictures \(sha256 .*which was changed since: ",
    ):
        store.verified(pin)
    add(store, folder, "pictures")
    assert {p.name for p in store.verified(pin).rglob("*.png")} == {p.name for p in folder.rglob("*.png")}
    assert left(store) == {pin.sha256}


def test_content_is_hashed_once_in_a_process(
    store: OwnData, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = add(store, folder, "pictures").pin
    store.verified(pin)
    monkeypatch.setattr(OwnFiles, "sha256", lambda _: pytest.fail("it was hashed again"))
    assert store.verified(pin)


def test_what_a_process_left_half_written_goes_once_it_is_old(
    store: OwnData, file: Path, tmp_path: Path
) -> None:
    add(store, file, "mine")
    old, young, link = (store.root / FOLDER / f".part-{name}" for name in ("old", "young", "link"))
    (tmp_path / "outside").mkdir()
    for part in (old, young):
        (part / "folder").mkdir(parents=True)
    link.symlink_to(tmp_path / "outside")
    long_ago = file.stat().st_mtime - PART_SECONDS - 60
    for part in (old, link):
        os.utime(part, (long_ago, long_ago), follow_symlinks=False)
    add(store, file, "another")
    assert not old.exists()
    assert young.exists()
    assert not link.is_symlink()
    assert (tmp_path / "outside").is_dir()


def _entry(**changes: Any) -> dict[str, Any]:
    entry = StoredData("mine", "0" * 64, ".csv", 3, 1, "2026-11-27T10:00:00Z", READERS).as_dict()
    return {**entry, **changes}


STRANGE: list[bytes | dict[str, Any]] = [
    b"",
    b"[" * 10_000,
    b"{}",
    b" " * (MOST_BYTES + 1),
    _entry(name="other"),
    _entry(sha256="../../etc"),
    _entry(suffix="/../x"),
    _entry(suffix=3),
    _entry(size=-1),
    _entry(size=True),
    _entry(files=1e300),
    _entry(added="yesterday"),
    _entry(added="2026-11-27"),
    _entry(models=[]),
    _entry(models=["<b>x</b> train"]),
    _entry(models=["sentiment train"] * 301),
]


def test_an_entry_of_a_stranger_is_refused_and_hides_no_other(store: OwnData, file: Path) -> None:
    add(store, file, "good")
    path = store.root / FOLDER / "names" / "mine.json"
    for content in STRANGE:
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        refused = r"^data: expected a name of stored data, got 'mine', of which .* cannot be read"
        with pytest.raises(InvalidData, match=refused):
            store.pin("mine")
        entries, unreadable = store.entries()
        assert ([entry.name for entry in entries], unreadable) == (["good"], ["mine"]), content
    path.write_text(json.dumps(_entry()))
    assert [entry.name for entry in store.entries()[0]] == ["good", "mine"], "without a flaw it is read"
    path.write_bytes(b"")
    assert not store.remove("good"), "the other name may have this content"


def test_an_entry_that_leads_elsewhere_is_not_followed(store: OwnData, file: Path, tmp_path: Path) -> None:
    add(store, file, "good")
    names = store.root / FOLDER / "names"
    (names / "good.json").rename(tmp_path / "good.json")
    (names / "good.json").symlink_to(tmp_path / "good.json")
    os.mkfifo(names / "pipe.json")
    for name in ("good", "pipe"):
        with pytest.raises(InvalidData, match="cannot be read"):
            store.entry(name)


def test_a_content_folder_that_is_a_link_is_not_followed(store: OwnData, file: Path, tmp_path: Path) -> None:
    pin = add(store, file, "mine").pin
    content = store.root / FOLDER / pin.sha256
    content.rename(tmp_path / "moved")
    content.symlink_to(tmp_path / "moved")
    with pytest.raises(InvalidData, match=r"which is not$"):
        store.find(pin)
    add(store, file, "mine")
    assert store.verified(pin).read_bytes() == file.read_bytes()
    assert not content.is_symlink()


def test_names_are_bounded_and_others_are_left_out(
    store: OwnData, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        add(store, file, name)
    (store.root / FOLDER / "names" / "no name.json").touch()
    assert store.names() == ["a", "b", "c"]
    monkeypatch.setattr(own_data, "MOST_NAMES", 2)
    assert store.names() == ["a", "b"]


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(store: OwnData, file: Path) -> None:
    store.root.write_text("no folder")
    with pytest.raises(DamagedFolder, match=r"reviews\.csv was not stored in .* \("):
        add(store, file, "mine")


def test_a_pin_reads_back_and_nothing_else_is_one() -> None:
    pin = Pin("reviews2026", "3f" * 32, ".csv")
    assert Pin.read(str(pin)) == pin
    assert shown_data(str(pin)) == "reviews2026 (sha256 3f3f3f3f3f3f…)"
    for text in (
        "digits",
        "/a/b.csv",
        "a/b@sha256:" + "3f" * 32,
        str(pin) + "/x",
        str(pin).replace("3f", "3F"),
    ):
        assert Pin.read(text) is None
        assert shown_data(text) == text
