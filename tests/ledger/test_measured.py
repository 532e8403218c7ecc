"""What `quartet exporter` shows of jobs is exact, whatever happens to them, and costs the same however many there are."""

import random
from collections import Counter

import pytest

from jobs.claim import Claim
from jobs.exporter.snapshot import take_snapshot
from jobs.ids import new_job_id
from jobs.ledger.job_record import ENDED, State
from jobs.ledger.ledger import Ledger
from jobs.ledger.measured import Kind, read_measured
from jobs.ledger.messages import list_of, lists
from jobs.ledger.rebuild import rebuild
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.results import Results
from tests.ledger.test_rebuild import lose_redis, save

TRAIN = JobSpec.make("denoiser", "train")
EVALUATE = JobSpec.make("denoiser", "evaluate", **{"from": "20260101-000000-000-aaaa"}, priority="low")


def counted(ledger: Ledger) -> dict[Kind, int]:
    """A full count."""
    return Counter(
        Kind(record.state, record.stored.model, record.stored.action, record.stored.priority)
        for record in ledger.records(ledger.ids())
    )


class Walk:
    """Random transitions of real jobs."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.ledger, self.random = ledger, random.Random(seed)
        self.claims: list[Claim] = []

    def step(self) -> None:
        steps = [self.submit] * 3 + [self.claim] * 3 + [self.end] * 2
        steps += [self.cancel, self.give_back, self.lose, self.decline, self.offer, self.publish]
        steps += [self.delete, self.forget, self.restore, self.recount, self.recount]
        self.random.choice(steps)()

    def any(self, *states: str) -> str | None:
        found = [job_id for state in states for job_id in self.ledger.ids(state)]
        return self.random.choice(found) if found else None

    def spec(self) -> JobSpec:
        source = self.any("waiting", "queued", "running", "succeeded")
        priority = self.random.choice(["high", "normal", "low"])
        if source is not None and self.random.random() < 0.4:
            return JobSpec.make("autoencoder", "evaluate", **{"from": source}, priority=priority)
        return JobSpec.make(self.random.choice(["textgen", "denoiser"]), "train", priority=priority)

    def submit(self) -> None:
        self.ledger.submit(new_job_id(), self.spec())

    def claim(self) -> None:
        job_id = self.any("queued")
        if job_id is not None:
            claim = self.ledger.claim(job_id, "w1", 1, new_job_id())
            assert claim is not None
            self.claims.append(claim)

    def held(self) -> Claim:
        """One that perhaps holds its job."""
        return self.random.choice(self.claims) if self.claims else Claim(new_job_id(), 1, "x")

    def end(self) -> None:
        claims = [held.claim for held in self.ledger.held()]
        state: State = self.random.choice(["succeeded", "failed", "cancelled"])
        if claims:
            claim = self.random.choice(claims)
            self.ledger.finish(claim, state, finished=1, folder=self.random.choice(["", "x"]))

    def cancel(self) -> None:
        job_id = self.any("waiting", "queued", "running", "failed")
        if job_id is not None:
            self.ledger.cancel(job_id)

    def give_back(self) -> None:
        self.ledger.hand_back(self.held(), "asked")

    def lose(self) -> None:
        self.ledger.record_loss(self.held(), 2, "killed", "process_killed")

    def decline(self) -> None:
        self.ledger.decline(self.held(), "one", "no such model")

    def offer(self) -> None:
        self.ledger.offer(self.ledger.declined())

    def publish(self) -> None:
        for job_id in self.ledger.unpublished()[:1]:
            self.ledger.published(job_id, "x")

    def delete(self) -> None:
        job_id = self.any(*ENDED)
        if job_id is not None and job_id not in self.ledger.unpublished():
            self.ledger.delete(job_id)

    def forget(self) -> None:
        if self.random.random() < 0.2:
            self.ledger.forget(0)

    def restore(self) -> None:
        spec = StoredSpec.of(JobSpec.make("textgen", "train", priority="high"))
        state = self.random.choice(["queued", "failed", "cancelled"])
        self.ledger.restore(new_job_id(), spec, state, submitted=1, attempt=3, needs=[], fields={})

    def recount(self) -> None:
        self.ledger.recount(self.random.randint(1, 4))


@pytest.mark.parametrize(("seed", "steps"), [(1, 150), pytest.param(2, 600, marks=pytest.mark.quality)])
def test_the_counts_are_those_of_a_full_count_after_every_transition(
    ledger: Ledger, seed: int, steps: int
) -> None:
    walk = Walk(ledger, seed)
    seen: Counter[str] = Counter()
    for _ in range(steps):
        walk.step()
        found = ledger.measure()
        assert found.jobs == counted(ledger)
        assert found.declined == len(ledger.declined())
        assert found.unpublished == len(ledger.unpublished())
        assert sum(each.messages for each in found.waiting) == sum(map(ledger.redis.llen, lists()))
        seen.update(kind.state for kind in found.jobs)
    assert len(seen) == 6
    for kind, count in counted(ledger).items():  # the fields of what is no more are gone
        assert ledger.redis.hget(f"{ledger.prefix}counts", f"{kind[0]} {kind[2]} {kind[3]} {kind[1]}") == str(
            count
        )
    assert ledger.redis.hlen(f"{ledger.prefix}counts") == len(counted(ledger))


def test_the_counts_are_right_after_a_rebuild(ledger: Ledger, results: Results) -> None:
    for spec in (TRAIN, TRAIN, JobSpec.make("textgen", "train", priority="low")):
        ledger.submit(new_job_id(), spec)
    ledger.submit(new_job_id(), JobSpec.make("denoiser", "evaluate", **{"from": ledger.ids("queued")[-1]}))
    ledger.cancel(ledger.ids("queued")[1])
    before = ledger.measure().jobs
    assert before == counted(ledger)
    save(ledger, results)
    lose_redis(ledger)
    assert ledger.measure().jobs == {}
    rebuild(ledger, results)
    assert ledger.measure().jobs == before


@pytest.mark.parametrize("damage", ["lost", "wrong", "text", "type", "recount"])
def test_wrong_counts_stop_no_job_and_are_right_after_a_recount(ledger: Ledger, damage: str) -> None:
    for _ in range(5):
        ledger.submit(new_job_id(), TRAIN)
    key, field = f"{ledger.prefix}counts", "queued train normal denoiser"
    assert ledger.redis.hgetall(key) == {field: "5"}
    match damage:
        case "lost":
            ledger.redis.delete(key)
        case "wrong":
            ledger.redis.hset(key, field, 70)
        case "text":
            ledger.redis.hset(key, field, "many")
        case "type":
            ledger.redis.delete(key)
            ledger.redis.set(key, "x")
        case "recount":
            ledger.redis.hset(f"{ledger.prefix}recount", mapping={"upto": "0", field: "many"})
    first = ledger.ids("queued")[0]
    claim = ledger.claim(first, "w1", 1, "t")
    assert claim is not None
    ledger.finish(claim, "succeeded", finished=1)
    assert sum(ledger.measure().jobs.values()) >= 0
    assert any(ledger.recount(2) for _ in range(9))
    assert ledger.measure().jobs == counted(ledger)
    assert not ledger.redis.exists(f"{ledger.prefix}recount")


def test_jobs_of_an_older_version_are_counted_by_the_recount(ledger: Ledger) -> None:
    ledger.submit(new_job_id(), TRAIN)
    ledger.submit(new_job_id(), EVALUATE)
    ledger.redis.delete(f"{ledger.prefix}counts")
    for job_id in ledger.ids():
        ledger.redis.hdel(ledger.job_key(job_id), "queued")
    assert ledger.recount()
    found = ledger.measure()
    assert found.open_jobs() == {"short": 1, "training": 1}
    assert max(each.oldest for each in found.waiting) < 5


def test_a_lost_attempt_is_counted_by_its_reason(ledger: Ledger) -> None:
    for reason in ("process_killed", "process_killed", "lease_expired"):
        ledger.submit(new_job_id(), TRAIN)
        claim = ledger.claim(ledger.ids("queued")[0], "w1", 1, "t")
        assert claim is not None
        ledger.record_loss(claim, 1, "killed", reason)  # type: ignore[arg-type]
        ledger.record_loss(claim, 1, "killed", reason)  # type: ignore[arg-type] # nobody holds it any more
    expected = {"process_killed": 2, "lease_expired": 1, "process_hung": 0, "process_ended": 0}
    assert ledger.measure().losses == expected


def test_the_oldest_wait_is_that_of_the_first_queued_job_since_it_was_queued(ledger: Ledger) -> None:
    first, second = new_job_id(), new_job_id()
    ledger.submit(first, TRAIN)
    ledger.submit(second, TRAIN)

    def wait() -> float:
        [found] = [each.oldest for each in ledger.measure().waiting if each[:2] == ("training", "normal")]
        return found

    def queued_before(job_id: str, seconds: int) -> None:
        ledger.redis.hset(ledger.job_key(job_id), "queued", ledger.now() - 1000 * seconds)

    queued_before(first, 100)
    queued_before(second, 50)
    assert wait() == pytest.approx(100, abs=5)
    claim = ledger.claim(first, "w1", 1, "t")
    assert claim is not None
    assert wait() == pytest.approx(50, abs=5)
    ledger.claim(second, "w1", 1, "u")
    assert wait() == 0
    ledger.hand_back(claim, "asked")
    assert wait() == pytest.approx(0, abs=5)


def test_the_pace_is_that_of_each_running_training_job(ledger: Ledger) -> None:
    for name in ("w1@here", "w2@here"):
        ledger.submit(new_job_id(), TRAIN)
        claim = ledger.claim(ledger.ids("queued")[0], name, 1, "t")
        assert claim is not None
    ledger.progress(claim, {"stage": "preparing"})
    assert ledger.measure().paces == []
    ledger.progress(claim, {"epoch": 1, "epoch_seconds": 2.5, "step_seconds": 0.01})
    assert ledger.measure().paces == [("w2@here", "denoiser", 2.5, 0.01)]
    ledger.progress(claim, {"epoch": 1, "epoch_seconds": "x", "step_seconds": -1})
    ledger.redis.set(f"{ledger.prefix}progress:{ledger.ids('running')[1]}", "no stream")
    assert ledger.measure().paces == []


def test_what_a_stranger_wrote_is_shown_as_no_job(ledger: Ledger) -> None:
    ledger.submit(new_job_id(), TRAIN)
    job_id = ledger.ids()[0]
    for spec in ('{"model": "a b\\n", "action": "dance", "priority": [1]}', "[" * 2000, "1", ""):
        ledger.redis.hset(ledger.job_key(job_id), "spec", spec)
        ledger.recount()
        assert ledger.measure().jobs == {Kind("queued", "unknown", "unknown", "normal"): 1}
    ledger.redis.hset(
        f"{ledger.prefix}counts", mapping={"x": 3, "a b c d": "9" * 400, "e f g h": -4, "a": "b"}
    )
    assert ledger.measure().jobs[Kind("a", "d", "b", "c")] == 2**63 - 1
    ledger.redis.delete(list_of("train", "normal"))
    ledger.redis.set(list_of("train", "normal"), "no list")
    assert all(each.messages == 0 for each in ledger.measure().waiting)
    with pytest.raises(ValueError, match="no object"):
        read_measured("[]")


def test_two_namespaces_are_counted_apart(settings: Settings) -> None:
    ledgers = [Ledger(f"{settings.redis_address()}?namespace={name}") for name in ("one", "two")]
    for number, ledger in enumerate(ledgers, 1):
        for _ in range(number):
            ledger.submit(new_job_id(), TRAIN)
        ledger.recount(1)
    assert [ledger.measure().open_jobs()["training"] for ledger in ledgers] == [1, 2]
    assert not [key for key in ledgers[0].redis.keys("*") if not key.startswith(("one:", "two:"))]


def test_a_scrape_costs_the_same_with_ten_jobs_and_with_a_thousand(ledger: Ledger) -> None:
    ledger.announce_worker("w1@here", {"queues": "short"}, 60)
    take_snapshot(ledger)  # the script is loaded

    def cost() -> tuple[dict[str, int], int]:
        before = ledger.redis.info("all")
        take_snapshot(ledger)
        after = ledger.redis.info("all")
        calls = {
            name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"]
            for name in after
            if name.startswith("cmdstat_")
        }
        info = before["total_net_output_bytes"], after["total_net_output_bytes"]
        return {name: count for name, count in calls.items() if count}, info[1] - info[0]

    def submit(count: int) -> None:
        for number in range(count):
            ledger.submit(new_job_id(), TRAIN if number % 3 else EVALUATE)

    submit(10)
    calls, size = cost()
    submit(990)
    more_calls, more_size = cost()
    assert more_calls == calls
    assert calls["cmdstat_evalsha"] == 1
    assert more_size < size + 500  # some numbers have more digits, INFO's own among them
    assert len(ledger.ids()) == 1000
