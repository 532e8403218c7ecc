"""Notices in Redis, where strangers may write too."""

from jobs.client import Client
from jobs.notifying.notices import Notices

KEY = "quartet:notices:an-address"


def test_what_a_stranger_wrote_is_removed_and_the_next_notice_is_read(client: Client) -> None:
    notices, redis = Notices(client.ledger, "an-address"), client.ledger.redis
    for strange in (
        b'{"event": "job.failed", "subject": "x", "time": Infinity}',
        b'{"event": "job.failed", "subject": "x", "time": 1e300}',
        b'{"event": "job.failed", "subject": "x", "time": "1"}',
        b'{"event": "job.failed", "subject": "\\ud800", "time": 1}',
        b'{"event": "job.failed", "subject": "../x", "time": 1}',
        b'{"event": "job.failed", "subject": "\xff", "time": 1}',
        b'{"event": "job.failed", "subject": "x", "time": 1, "more": "\xff"}',
        b'{"event": ["job.failed"], "subject": "x", "time": 1}',
        b'{"event": "\x1b", "subject": "x", "time": 1}',
        b"[" * 100_000,
        b"\xff",
    ):
        redis.lpush(KEY, strange)
    redis.lpush(KEY, '{"event": "job.paused", "subject": "x", "time": 1}')
    found = notices.oldest()
    assert found is not None
    assert found.id == "job.paused:x:1"  # an event that only a newer version knows
    notices.remove(found.text)
    assert (notices.oldest(), redis.exists(KEY)) == (None, 0)


def test_a_count_that_is_no_number_counts_for_nothing(client: Client) -> None:
    notices, redis = Notices(client.ledger, "an-address"), client.ledger.redis
    for value, count in (("many", 0), ("-1", 0), ("7", 7)):
        redis.hset("quartet:notices_dropped", "an-address", value)
        assert (notices.take_dropped(), notices.take_dropped()) == (count, 0)
