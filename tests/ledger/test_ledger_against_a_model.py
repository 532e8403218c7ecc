"""Whatever happens in whatever order, the ledger says what a simple model of it says."""

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

from jobs.claim import Claim
from jobs.errors import InvalidJob, JobConflict, LeaseLost
from jobs.ids import new_job_id
from jobs.ledger.job_record import ENDED, STATES
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import lists
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from tests.ledger.model import Expected, Model

MOST_LOSSES = 2


class LedgerMachine(RuleBasedStateMachine):
    """Drives the ledger and the model side by side."""

    url: str
    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(self.url)
        self.ledger.redis.flushall()
        self.model = Model()

    @rule(target=jobs)
    def submit(self) -> str:
        job_id = new_job_id()
        self.ledger.submit(job_id, JobSpec.make("autoencoder", "train"))
        self.model.jobs[job_id] = Expected("queued")
        return job_id

    @rule(target=jobs, source=jobs, baseline=jobs)
    def submit_what_needs_others(self, source: str, baseline: str) -> object:
        job_id = new_job_id()
        spec = JobSpec.make("denoiser", "evaluate", parameters={"baseline": baseline}, **{"from": source})
        states = {needed: self.model.jobs[needed].state for needed in (source, baseline)}
        if {"failed", "cancelled"} & set(states.values()):
            with pytest.raises(InvalidJob):
                self.ledger.submit(job_id, spec)
            return multiple()
        self.ledger.submit(job_id, spec)
        needs = {needed for needed, state in states.items() if state != "succeeded"}
        self.model.jobs[job_id] = Expected("waiting" if needs else "queued", needs)
        return job_id

    @rule(job_id=jobs)
    def submit_what_may_have_been_submitted(self, job_id: str) -> None:
        record = self.ledger.record(job_id)
        assert record is not None
        assert self.ledger.submit(job_id, record.spec) == self.model.jobs[job_id].state
        with pytest.raises(JobConflict):
            self.ledger.submit(job_id, record.spec.model_copy(update={"seed": 7}))

    @rule(target=jobs, state=st.sampled_from(["queued", "succeeded", "failed", "cancelled"]))
    def restore_a_job_that_was_lost(self, state: str) -> str:
        job_id = new_job_id()
        assert self.restore(job_id, state)
        self.model.jobs[job_id] = Expected(state, attempt=3)
        return job_id

    @rule(job_id=jobs)
    def restore_a_job_that_is_there(self, job_id: str) -> None:
        assert not self.restore(job_id, "failed")

    def restore(self, job_id: str, state: str) -> bool:
        stored = StoredSpec.of(JobSpec.make("autoencoder", "train"))
        fields = {"folder": "x"} if state in ENDED else {}
        return self.ledger.restore(job_id, stored, state, submitted=1, attempt=3, needs=[], fields=fields)

    @rule(target=claims, job_id=jobs, worker=st.sampled_from(["w1", "w2"]))
    def take(self, job_id: str, worker: str) -> object:
        return self.claim(job_id, worker)

    def claim(self, job_id: str, worker: str) -> object:
        token = new_job_id()
        claim = self.ledger.claim(job_id, worker, 1, token)
        job = self.model.jobs[job_id]
        assert (claim is not None) == (job.state == "queued")
        if claim is None:
            return multiple()
        job.state, job.attempt = "running", job.attempt + 1
        job.said, job.token, job.declined = {}, token, False
        assert claim.attempt == job.attempt
        assert self.ledger.claim(job_id, worker, 1, token) == claim, "its answer was lost on the way"
        return claim

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        if self.model.holds(claim):
            asked = self.model.jobs[claim.job_id].stop
            assert self.ledger.renew(claim) == self.ledger.asked(claim) == asked
        else:
            for ask in (self.ledger.renew, self.ledger.asked):
                with pytest.raises(LeaseLost):
                    ask(claim)

    @rule(claim=claims, kind=st.sampled_from(["one", "two"]))
    def decline(self, claim: Claim, kind: str) -> None:
        self.ledger.decline(claim, kind, "no such model")
        if self.model.holds(claim):
            job = self.model.jobs[claim.job_id]
            self.model.queue_again(claim.job_id)
            job.attempt, job.token, job.declined = job.attempt - 1, "", job.state == "queued"

    @rule()
    def offer_what_was_declined(self) -> None:
        declined = [job_id for job_id, job in self.model.jobs.items() if job.declined]
        assert self.ledger.offer(list(self.model.jobs)) == len(declined)
        for job_id in declined:
            self.model.jobs[job_id].declined = False

    @rule(claim=claims, epoch=st.integers(0, 9))
    def report(self, claim: Claim, epoch: int) -> None:
        before = len(self.ledger.timeline(claim.job_id))
        self.ledger.progress(claim, {"epoch": epoch})
        self.ledger.log_event(claim, "an event")
        if self.model.holds(claim):
            self.model.jobs[claim.job_id].said = {"epoch": epoch}
        assert len(self.ledger.timeline(claim.job_id)) == before + self.model.holds(claim)

    @rule(job_id=jobs)
    def publish_an_ended_job(self, job_id: str) -> None:
        if self.model.jobs[job_id].unpublished:
            self.ledger.published(job_id, "x")
            self.model.jobs[job_id].unpublished = False

    @rule(
        claim=claims,
        state=st.sampled_from(["succeeded", "failed", "cancelled"]),
        folder=st.sampled_from(["", "x"]),
    )
    def finish(self, claim: Claim, state: str, folder: str) -> None:
        job = self.model.jobs[claim.job_id]
        said_before = job.state == state and job.token == claim.token
        if self.model.holds(claim):
            self.ledger.finish(claim, state, finished=1, folder=folder)
            self.model.end(claim.job_id, state, folder)
        elif said_before:
            self.ledger.finish(claim, state, finished=1, folder=folder)
        else:
            with pytest.raises(LeaseLost):
                self.ledger.finish(claim, state, finished=1, folder=folder)

    @rule(claim=claims)
    def hand_back(self, claim: Claim) -> None:
        self.ledger.hand_back(claim, "asked")
        if self.model.holds(claim):
            self.model.queue_again(claim.job_id)

    @precondition(lambda self: self.model.running())
    @rule(data=st.data())
    def lose_a_running_job_and_claim_it_again(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self.model.running()))
        self.record_loss(Claim(job_id, self.model.jobs[job_id].attempt, self.model.jobs[job_id].token))
        if self.model.jobs[job_id].state == "queued":
            self.claim(job_id, "w1")

    @rule(claim=claims)
    def lose_the_worker_of_a_claim(self, claim: Claim) -> None:
        self.record_loss(claim)

    def record_loss(self, claim: Claim) -> None:
        answer = self.ledger.record_loss(claim, MOST_LOSSES, "killed")
        if not self.model.holds(claim):
            assert answer is None
            return
        job = self.model.jobs[claim.job_id]
        job.lost += 1
        if job.lost >= MOST_LOSSES and job.stop != "cancel":
            self.model.end(claim.job_id, "failed")
        else:
            self.model.queue_again(claim.job_id)
        assert answer == job.state

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        job = self.model.jobs[job_id]
        assert self.ledger.cancel(job_id) == job.state
        if job.state in ("waiting", "queued"):
            self.model.end(job_id, "cancelled")
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
        assert self.ledger.recheck_waiting()[0] == 0, "every end reached the jobs that wait for it"
        if self.messages() == 0:
            self.ledger.resend(0)
            self.ledger.resend(0)
            declined = sum(job.declined for job in self.model.jobs.values())
            assert self.messages() == len(self.ledger.ids("queued")) - declined

    def messages(self) -> int:
        return sum(self.ledger.redis.llen(name) for name in lists())

    @invariant()
    def every_job_is_in_the_state_of_the_model_and_in_no_other(self) -> None:
        for state in STATES:
            expected = {job_id for job_id, job in self.model.jobs.items() if job.state == state}
            assert set(self.ledger.ids(state)) == expected
        for record in self.ledger.records(list(self.model.jobs)):
            job = self.model.jobs[record.id]
            found = (record.state, record.attempt, record.lost, record.stop)
            assert found == (job.state, job.attempt, job.lost, job.stop)

    @invariant()
    def the_claims_are_those_of_the_running_jobs(self) -> None:
        running = {
            Claim(job_id, job.attempt, job.token)
            for job_id, job in self.model.jobs.items()
            if job.state == "running"
        }
        assert {held.claim for held in self.ledger.held()} == running

    @invariant()
    def declined_jobs_are_remembered(self) -> None:
        expected = {job_id for job_id, job in self.model.jobs.items() if job.declined}
        assert set(self.ledger.declined()) == expected

    @invariant()
    def the_latest_progress_is_from_the_attempt_that_holds_it(self) -> None:
        for job_id, job in self.model.jobs.items():
            assert self.ledger.latest_progress([job_id])[job_id] == job.said

    @invariant()
    def ended_jobs_without_a_folder_are_remembered(self) -> None:
        expected = {job_id for job_id, job in self.model.jobs.items() if job.unpublished}
        assert set(self.ledger.unpublished()) == expected

    @invariant()
    def every_end_is_in_the_timeline_once(self) -> None:
        for job_id, job in self.model.jobs.items():
            texts = [entry["text"].removeprefix("restored: ") for entry in self.ledger.timeline(job_id)]
            ends = [text for text in texts if text.split(":")[0] in ENDED]
            assert len(ends) == (job.state in ENDED)


def test_the_ledger_agrees_with_its_model(redis_url: str) -> None:
    LedgerMachine.url = redis_url
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=10,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
