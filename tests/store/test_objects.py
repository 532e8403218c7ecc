"""A real S3 server keeps what an object store promises, and whatever it does wrong is one sentence."""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.errors import DamagedFolder, InvalidSetting, StoreUnreachable
from jobs.secrets import hide_secrets
from jobs.settings import Settings
from jobs.store.bucket_results import BucketResults
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.open_results import open_results
from tests.support.object_stores import BUCKET, CREDENTIALS, FaultyWay


@pytest.fixture
def objects(s3: str) -> Elsewhere:
    return Elsewhere(s3)


@pytest.fixture
def faulty(s3: str, s3_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Elsewhere, FaultyWay]]:
    """A store behind a way that can misbehave."""
    way = FaultyWay(s3_port)
    with way.open() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        yield Elsewhere(s3), way


def test_what_is_written_is_read_listed_in_order_and_removed(objects: Elsewhere, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    objects.write("folder/b", b"text")
    objects.upload("folder/a", tmp_path / "file")
    objects.write("folder/c/d", b"")
    objects.write("folders", b"no part of the folder")
    assert objects.read("folder/a", 100) == b"from a file"
    assert objects.names("folder") == ["a", "b", "c/d"]
    assert objects.names("folder", after="a") == ["b", "c/d"]
    assert objects.names("folder", most=1) == ["a"]
    objects.remove(["folder/a", "folder/none"])
    assert objects.read("folder/a", 100) is None
    assert objects.names("none") == []
    objects.remove([])
    assert objects.read_all(["folder/b", "none", "folder/c/d", "folders"], 10) == [b"text", None, b"", None]


def test_of_many_who_create_the_same_object_one_does(s3: str) -> None:
    each = [Elsewhere(s3) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        won = list(pool.map(lambda number: each[number].create("once", f"{number}".encode()), range(3)))
    assert sorted(won) == [False, False, True]
    assert each[0].read("once", 10) == str(won.index(True)).encode()


def test_whoever_created_an_object_and_lost_the_answer_learns_that_he_did(
    faulty: tuple[Elsewhere, FaultyWay],
) -> None:
    objects, way = faulty
    objects.write("other", b"")  # so that the process is there
    way.lose = 1.0
    with pytest.raises(StoreUnreachable):
        objects.create("once", b"mine")
    way.lose = 0.0
    assert objects.create("once", b"mine")
    assert not objects.create("once", b"another's")
    assert not objects.create("once", b"his")


def test_more_bytes_than_were_ever_written_are_not_read(objects: Elsewhere, tmp_path: Path) -> None:
    objects.write("large", b"x" * 1_000)
    with pytest.raises(DamagedFolder, match="has 1,000 bytes, more than any that Quartet wrote"):
        objects.read("large", 999)
    with pytest.raises(DamagedFolder):
        objects.download("large", tmp_path / "file", 999)


def test_a_download_that_was_stopped_goes_on(faulty: tuple[Elsewhere, FaultyWay], tmp_path: Path) -> None:
    objects, way = faulty
    content = bytes(range(256)) * 100_000
    (tmp_path / "large").write_bytes(content)
    objects.upload("large", tmp_path / "large")
    part = tmp_path / "part"
    part.write_bytes(content[:20_000_000])
    way.seen.clear()
    assert objects.download("large", part, 2**30)
    assert part.read_bytes() == content
    assert [method for method, _ in way.seen] == ["HEAD", "GET"]
    assert not objects.download("none", tmp_path / "none", 2**30)


def test_a_process_that_is_forked_while_another_thread_asks_has_answers_of_its_own(
    objects: Elsewhere,
) -> None:
    objects.write("parent's", b"parent")
    objects.write("child's", b"child")
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            assert objects.read("parent's", 10) == b"parent"

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is what notebooks do
            child = os.fork()
        if child == 0:
            os._exit(0 if objects.read("child's", 10) == b"child" else 1)
        ended = os.waitpid(child, 0)[1]
        over.set()
        asking.result()
    assert ended == 0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AWS_ENDPOINT_URL", "localhost:9000", "AWS_ENDPOINT_URL is no address such as https://host:9000"),
        ("AWS_SECRET_ACCESS_KEY", "secret\r", "AWS_SECRET_ACCESS_KEY has a character that no key has"),
    ],
)
def test_a_variable_that_no_request_can_be_made_with_is_one_sentence(
    s3: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StoreUnreachable, match=f"cannot be used: {reason}") as caught:
        Elsewhere(s3).read("anything", 10)
    assert "secret" not in str(caught.value)


def in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> Path:
    """The credentials that the environment had, and lines of a test's choice, in a file alone."""
    names = [*CREDENTIALS, "AWS_ENDPOINT_URL"]
    given = [f"{name}={os.environ[name]}" for name in names]
    for name in names:
        monkeypatch.delenv(name)
    file = folder / "credentials"
    file.write_text("\n".join(["# of the tests", *given, *lines]))
    return file


def test_credentials_may_be_in_a_file_alone(
    s3: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = in_a_file(tmp_path, monkeypatch)
    with pytest.raises(StoreUnreachable):
        Elsewhere(s3).write("one", b"by nobody")
    changes = {"store": s3, "store_credentials_file": file}
    for in_pool in (False, True):
        results = open_results(settings.model_copy(update=changes), in_pool=in_pool)
        assert isinstance(results, BucketResults)
        results.objects.write("one", b"text")
        assert results.objects.read("one", 10) == b"text"
    assert hide_secrets(f"key {CREDENTIALS['AWS_SECRET_ACCESS_KEY']} in us-east-1") == "key *** in us-east-1"


def test_credentials_that_were_replaced_in_their_file_are_used_at_once(
    s3: str, s3_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = in_a_file(tmp_path, monkeypatch)
    working = file.read_text()
    objects = Elsewhere(s3, file)
    objects.write("one", b"text")
    file.write_text(working.replace(f":{s3_port}", ":1"))
    with pytest.raises(StoreUnreachable):
        objects.read("one", 10)
    file.write_text(working)
    assert objects.read("one", 10) == b"text"


@pytest.mark.parametrize(
    "content",
    [
        *("", "secret", "AWS_ACCESS_KEY_ID=", "PASSWORD=secret", None),
        "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY: secret",
        'AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY="secret',
    ],
)
def test_a_file_without_credentials_is_one_sentence(
    s3: str, settings: Settings, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "credentials"
    if content is not None:
        file.write_text(content)
    changes = {"store": s3, "store_credentials_file": file}
    with pytest.raises(InvalidSetting, match="expected a file of lines such as AWS_ACCESS_KEY_ID") as caught:
        open_results(settings.model_copy(update=changes))
    assert caught.value.field == "QUARTET_STORE_CREDENTIALS_FILE"
    assert "secret" not in str(caught.value)
    with pytest.raises(StoreUnreachable):  # it was there when the process began
        Elsewhere(s3, file).read("one", 10)


def away(way: FaultyWay) -> None:
    way.away = True


def expired(way: FaultyWay) -> None:
    way.expired = True


@pytest.mark.parametrize(
    ("fault", "reason"), [(away, "it does not answer"), (expired, "the credentials have expired")]
)
def test_a_store_that_does_not_serve_is_one_sentence(
    faulty: tuple[Elsewhere, FaultyWay], s3: str, fault: Callable[[FaultyWay], None], reason: str
) -> None:
    objects, way = faulty
    fault(way)
    with pytest.raises(StoreUnreachable) as caught:
        objects.read("anything", 10)
    assert str(caught.value) == f"the store {s3} cannot be used: {reason}"


def test_a_bucket_that_does_not_exist_is_one_sentence(s3: str) -> None:
    address = s3.replace(BUCKET, "no-such-bucket")
    objects = Elsewhere(address)
    for ask in (
        lambda: objects.read("x", 1),
        lambda: objects.write("x", b""),
        lambda: objects.create("x", b""),
        lambda: objects.names("x"),
    ):
        with pytest.raises(StoreUnreachable) as caught:
            ask()
        assert str(caught.value) == f"the store {address} cannot be used: there is no such bucket"
