"""A worker counts as lost when it is silent, and neither a clock nor an absent Redis makes it so."""

from jobs.claim import Claim
from jobs.ids import new_job_id
from jobs.ledger.job_record import Held
from worker.engine.lease_watch import LeaseWatch

LEASE, SWEEP = 30.0, 5.0


def watch() -> LeaseWatch:
    return LeaseWatch(LEASE, longest_gap=2 * SWEEP)


def held(heard: int, token: str = "a") -> list[Held]:
    return [Held(Claim(JOB, 1, token), str(heard))]


JOB = new_job_id()


def test_a_silent_worker_is_lost_after_a_lease_and_not_before() -> None:
    leases, lost_at = watch(), []
    for second in range(0, 61, 5):
        if leases.look(held(1), second):
            lost_at.append(second)
    assert lost_at[0] == 35


def test_a_worker_that_renews_is_never_lost_whatever_its_times_are() -> None:
    """The time that a heartbeat leaves is Redis' own, which may jump by years, back and forth."""
    leases = watch()
    for second, heard in enumerate([5, 10**13, 3, 4, 10**13, 10**13 + 1] * 20):
        assert leases.look(held(heard), 5.0 * second) == []


def test_a_lid_that_was_closed_counts_as_one_gap_however_long() -> None:
    leases, second = watch(), 0.0
    for heard in range(10):
        assert leases.look(held(heard), second) == []
        second += 8 * 3600


def test_no_time_counts_while_redis_is_away() -> None:
    leases = watch()
    assert leases.look(held(1), 0.0) == []
    for second in range(5, 500, 5):
        leases.look_away()
        if second % 50 == 0:
            assert leases.look(held(1), float(second)) == []


def test_the_next_claim_of_a_job_begins_a_new_lease() -> None:
    leases = watch()
    for second in range(0, 30, 5):
        leases.look(held(1), float(second))
    assert leases.look(held(1, "b"), 36.0) == []


def test_each_of_many_workers_is_watched_alone() -> None:
    leases = watch()
    claims = [Claim(new_job_id(), 1, token) for token in "abc"]
    for second in range(0, 36, 5):
        lost = leases.look(
            [Held(claim, str(second if claim.token == "b" else 0)) for claim in claims], second
        )
    assert lost == [claims[0], claims[2]]
