"""Job ids sort by time, and nothing else is taken for one."""

from datetime import UTC, datetime

import pytest

from jobs.errors import UnknownJob
from jobs.ids import check_job_id, is_job_id, new_job_id, submitted_at


def test_ids_sort_by_time_also_within_a_millisecond() -> None:
    ids = [new_job_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000
    assert all(is_job_id(job_id) for job_id in ids)


@pytest.mark.parametrize(
    "text",
    [
        *("", "latest", "20261123-221530-042", "20261123-221530-042-K7QD", "20261123-221530-042-k7q1"),
        *("20261323-221530-042-k7qd", "20261123-251530-042-k7qd", "20261123-221530-042-k7qd\n"),
        *("../20261123-221530-042-k7qd", "20261123-221530-042-k7qd/..", "x" * 500),
    ],
)
def test_what_is_not_an_id_is_refused_in_one_sentence(text: str) -> None:
    assert not is_job_id(text)
    with pytest.raises(UnknownJob) as caught:
        check_job_id(text)
    error = caught.value
    assert (error.field, error.expected) == ("job", "a job id like 20261123-221530-042-k7qd")
    assert error.given == repr(text[:80])


def test_an_id_says_when_it_was_made() -> None:
    assert submitted_at("20261123-221530-042-k7qd") == datetime(2026, 11, 23, 22, 15, 30, tzinfo=UTC)
    assert check_job_id("20261123-221530-042-k7qd") == "20261123-221530-042-k7qd"
