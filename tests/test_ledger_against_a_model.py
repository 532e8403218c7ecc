"""Whatever happens in whatever order, the ledger says what a simple model of it says."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jobs.errors import InvalidJob, LeaseLost
from jobs.job_id import new_job_id
from jobs.ledger import ENDED, STATES, Claim, Ledger
from jobs.queue import lists
from jobs.spec import JobSpec

MOST_LOSSES = 2


@dataclass
class Expected:
    """One job as the model sees it."""

    state: str
    needs: set[str] = field(default_factory=set)
    attempt: int = 0
    lost: int = 0
    stop: str = ""


class LedgerMachine(RuleBasedStateMachine):
    """Drives the ledger and the model side by side."""

    url: str
    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(self.url)
        self.ledger.redis.flushall()
        self.model: dict[str, Expected] = {}
        self.worker: dict[str, str] = {}

    def end(self, job_id: str, state: str) -> None:
        job = self.model[job_id]
        job.state, job.stop = state, ""
        for other_id, other in self.model.items():
            if other.state == "waiting" and job_id in other.needs:
                other.needs.discard(job_id)
                if state != "succeeded":
                    self.end(other_id, "failed")
                elif not other.needs:
                    other.state = "queued"

    def queue_again(self, job: Expected) -> None:
        job.state = "queued"
        job.stop = "cancel" if job.stop == "cancel" else ""

    def holds(self, claim: Claim) -> bool:
        job = self.model[claim.job_id]
        return job.state == "running" and job.attempt == claim.attempt

    @rule(target=jobs)
    def submit(self) -> str:
        job_id = new_job_id()
        self.ledger.submit(job_id, JobSpec.make("autoencoder", "train"))
        self.model[job_id] = Expected("queued")
        return job_id

    @rule(target=jobs, source=jobs, baseline=jobs)
    def submit_what_needs_others(self, source: str, baseline: str) -> object:
        job_id = new_job_id()
        spec = JobSpec.make("denoiser", "evaluate", parameters={"baseline": baseline}, **{"from": source})
        states = {needed: self.model[needed].state for needed in (source, baseline)}
        if {"failed", "cancelled"} & set(states.values()):
            with pytest.raises(InvalidJob):
                self.ledger.submit(job_id, spec)
            return multiple()
        self.ledger.submit(job_id, spec)
        needs = {needed for needed, state in states.items() if state != "succeeded"}
        self.model[job_id] = Expected("waiting" if needs else "queued", needs)
        return job_id

    def running(self) -> list[str]:
        return [job_id for job_id, job in self.model.items() if job.state == "running"]

    @rule(target=claims, job_id=jobs, worker=st.sampled_from(["w1", "w2"]))
    def take(self, job_id: str, worker: str) -> object:
        return self.claim(job_id, worker)

    def claim(self, job_id: str, worker: str) -> object:
        claim = self.ledger.claim(job_id, worker, 30, new_job_id())
        job = self.model[job_id]
        assert (claim is not None) == (job.state == "queued")
        if claim is None:
            return multiple()
        job.state, job.attempt = "running", job.attempt + 1
        assert claim.attempt == job.attempt
        self.worker[job_id] = worker
        return claim

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        if self.holds(claim):
            assert self.ledger.renew(claim, 30) == self.model[claim.job_id].stop
        else:
            with pytest.raises(LeaseLost):
                self.ledger.renew(claim, 30)

    @rule(claim=claims, state=st.sampled_from(["succeeded", "failed", "cancelled"]))
    def finish(self, claim: Claim, state: str) -> None:
        job = self.model[claim.job_id]
        said_before = job.state == state and job.attempt == claim.attempt
        if self.holds(claim):
            self.ledger.finish(claim, state, folder="x")
            self.end(claim.job_id, state)
        elif said_before:
            self.ledger.finish(claim, state, folder="x")
        else:
            with pytest.raises(LeaseLost):
                self.ledger.finish(claim, state, folder="x")

    @rule(claim=claims)
    def hand_back(self, claim: Claim) -> None:
        self.ledger.hand_back(claim, "asked")
        if self.holds(claim):
            self.queue_again(self.model[claim.job_id])

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def lose_what_runs_and_start_it_again(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self.running()))
        self.lose(Claim(job_id, self.model[job_id].attempt, None))
        if self.model[job_id].state == "queued":
            self.claim(job_id, "w1")

    @rule(claim=claims)
    def lose_whoever_held_it(self, claim: Claim) -> None:
        self.lose(claim)

    def lose(self, claim: Claim) -> None:
        answer = self.ledger.lose(claim.job_id, claim.attempt, MOST_LOSSES, "killed")
        if not self.holds(claim):
            assert answer is None
            return
        job = self.model[claim.job_id]
        job.lost += 1
        if job.lost >= MOST_LOSSES:
            self.end(claim.job_id, "failed")
        else:
            self.queue_again(job)
        assert answer == job.state

    @rule(worker=st.sampled_from(["w1", "w2"]))
    def ask_back_the_jobs_of_a_worker(self, worker: str) -> None:
        asked = [
            job
            for job_id, job in self.model.items()
            if job.state == "running" and job.stop == "" and self.worker[job_id] == worker
        ]
        assert self.ledger.ask_hand_back(worker) == len(asked)
        for job in asked:
            job.stop = "hand back"

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        job = self.model[job_id]
        assert self.ledger.cancel(job_id) == job.state
        if job.state in ("waiting", "queued"):
            self.end(job_id, "cancelled")
        elif job.state == "running":
            job.stop = "cancel"

    @rule()
    def lose_all_messages(self) -> None:
        self.ledger.redis.delete(*lists())

    @rule()
    def double_a_message(self) -> None:
        for name in lists():
            for message in self.ledger.redis.lrange(name, 0, 0):
                self.ledger.redis.lpush(name, message)

    @rule()
    def sweep(self) -> None:
        self.ledger.settle()
        if self.messages() == 0:
            self.ledger.resend(0)
            self.ledger.resend(0)
            assert self.messages() == len(self.ledger.ids("queued"))

    def messages(self) -> int:
        return sum(self.ledger.redis.llen(name) for name in lists())

    @invariant()
    def every_job_is_in_the_state_of_the_model_and_in_no_other(self) -> None:
        for state in STATES:
            expected = {job_id for job_id, job in self.model.items() if job.state == state}
            assert set(self.ledger.ids(state)) == expected
        for record in self.ledger.records(list(self.model)):
            job = self.model[record.id]
            found = (record.state, record.attempt, record.lost, record.stop)
            assert found == (job.state, job.attempt, job.lost, job.stop)

    @invariant()
    def leases_are_those_of_running_jobs(self) -> None:
        running = {job_id for job_id, job in self.model.items() if job.state == "running"}
        assert set(self.ledger.redis.zrange("quartet:leases", 0, -1)) == running

    @invariant()
    def every_end_is_in_the_timeline_once(self) -> None:
        for job_id, job in self.model.items():
            ends = [entry for entry in self.ledger.timeline(job_id) if entry["text"].split(":")[0] in ENDED]
            assert len(ends) == (job.state in ENDED)


def test_the_ledger_agrees_with_its_model(redis_url: str) -> None:
    LedgerMachine.url = redis_url
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
