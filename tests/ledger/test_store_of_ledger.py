"""The ledger remembers its store: another one is refused, the same one elsewhere is not."""

import shutil
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.ledger.ledger import Ledger
from jobs.ledger.rebuild import rebuild
from jobs.ledger.store_of_ledger import join_store, other_store
from jobs.store.bucket_results import BucketResults
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.results import Results
from jobs.store.store_id import ID_FILE, read_store_id


def test_the_first_store_is_the_ledgers_and_any_other_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    ledger.redis.flushall()
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()  # as an older version left it
    assert other_store(ledger, Results(first)) is None
    assert join_store(ledger, Results(first)) is None
    known = read_store_id(first)
    assert other_store(ledger, Results(second)) == (
        f"{second} has no store id, and the jobs of this Redis are in the store "
        f"{known} ({Results(first).place()})"
    )
    assert "has no store id" in str(join_store(ledger, Results(second)))
    assert not second.exists()
    second.mkdir()
    (second / ID_FILE).write_text("0" * 32)
    assert f"has the store id {'0' * 32}" in str(join_store(ledger, Results(second)))


def test_a_store_that_moved_and_one_whose_redis_is_new_stay_the_ledgers(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.redis.flushall()
    first, second = tmp_path / "first", tmp_path / "second"
    assert join_store(ledger, Results(first)) is None
    shutil.move(first, second)
    assert join_store(ledger, Results(second)) is None
    known = read_store_id(second)
    ledger.redis.flushall()
    assert join_store(ledger, Results(second)) is None
    assert read_store_id(second) == known


def test_a_removed_folder_gets_its_id_back_where_it_was_and_nowhere_else(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.redis.flushall()
    root = tmp_path / "results"
    assert join_store(ledger, Results(root)) is None
    known = read_store_id(root)
    shutil.rmtree(root)
    assert join_store(ledger, Results(root)) is None
    assert read_store_id(root) == known
    shutil.rmtree(root)
    monkeypatch.setattr("platform.node", lambda: "another-host")  # where the same path is another disk
    assert "has no store id" in str(join_store(ledger, Results(root)))


def test_what_a_stranger_wrote_as_the_ledgers_store_stops_nobody(ledger: Ledger, tmp_path: Path) -> None:
    for text in ("{", "[]", '{"id": 1, "place": "x"}'):
        ledger.redis.set(f"{ledger.prefix}store", text)
        assert join_store(ledger, Results(tmp_path / "results")) is None


def test_a_rebuild_gives_the_store_its_id_and_restores_nothing_from_another_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.redis.flushall()
    first = tmp_path / "first"
    rebuild(ledger, Results(first))
    assert read_store_id(first)
    with pytest.raises(
        InvalidSetting, match="QUARTET_RESULTS_DIR: expected the store of this Redis, got another"
    ):
        rebuild(ledger, Results(tmp_path / "second"))


def test_an_object_store_is_the_ledgers_wherever_its_copies_are(
    ledger: Ledger, s3: str, tmp_path: Path
) -> None:
    ledger.redis.flushall()
    one, two = (BucketResults(tmp_path / name, objects=Elsewhere(s3), address=s3) for name in ("one", "two"))
    assert join_store(ledger, one) is None
    assert join_store(ledger, two) is None
    assert other_store(ledger, two) is None
    other = BucketResults(tmp_path / "other", objects=Elsewhere(f"{s3}-other"), address=f"{s3}-other")
    assert f"{s3}-other has no store id, and the jobs of this Redis are in the store {one.id()} ({s3})" == (
        join_store(ledger, other)
    )
