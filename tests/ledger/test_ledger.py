"""Every job is in exactly one state, and only the attempt that holds it may say so."""

import pytest

from jobs.errors import InvalidJob, JobConflict, LeaseLost, UnknownJob
from jobs.ids import new_job_id
from jobs.ledger.job_record import Claim
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import list_of, lists
from jobs.settings import Settings
from jobs.spec import JobSpec

TRAIN = JobSpec.make("autoencoder", "train", data="digits")


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings.redis_address())


def submit(ledger: Ledger, spec: JobSpec = TRAIN) -> str:
    job_id = new_job_id()
    ledger.submit(job_id, spec)
    return job_id


def evaluate(source: str) -> JobSpec:
    return JobSpec.make("autoencoder", "evaluate", **{"from": source})


def claim(ledger: Ledger, job_id: str, worker: str = "w1") -> Claim:
    found = ledger.claim(job_id, worker, 30, f"{worker}-{new_job_id()}")
    assert found is not None
    return found


def state(ledger: Ledger, job_id: str) -> str:
    record = ledger.record(job_id)
    assert record is not None
    return record.state


def messages(ledger: Ledger) -> int:
    return sum(ledger.redis.llen(name) for name in lists())


def test_a_submitted_job_is_queued_with_one_message(ledger: Ledger) -> None:
    job_id = submit(ledger)
    assert state(ledger, job_id) == "queued"
    assert messages(ledger) == 1


def test_submitting_again_what_may_have_been_sent_queues_nothing_twice(ledger: Ledger) -> None:
    job_id = submit(ledger)
    assert ledger.submit(job_id, TRAIN) == "queued"
    assert messages(ledger) == 1
    with pytest.raises(JobConflict) as caught:
        ledger.submit(job_id, JobSpec.make("denoiser", "train"))
    assert str(caught.value) == f"job: expected a new id, got {job_id}, which another job has"
    assert (caught.value.field, caught.value.given) == ("job", f"{job_id}, which another job has")


def test_only_one_of_two_deliveries_gets_the_job(ledger: Ledger) -> None:
    job_id = submit(ledger)
    assert claim(ledger, job_id).attempt == 1
    assert ledger.claim(job_id, "w2", 30, "other") is None


def test_a_claim_whose_answer_was_lost_can_be_sent_again(ledger: Ledger) -> None:
    job_id = submit(ledger)
    first = ledger.claim(job_id, "w1", 30, "token")
    assert ledger.claim(job_id, "w1", 30, "token") == first


def test_an_unknown_job_cannot_be_claimed(ledger: Ledger) -> None:
    assert ledger.claim(new_job_id(), "w1", 30, "token") is None


def test_a_superseded_attempt_may_neither_renew_nor_finish_nor_report(ledger: Ledger) -> None:
    job_id = submit(ledger)
    old = claim(ledger, job_id)
    assert ledger.record_loss(job_id, old.attempt, 3, "the test said so") == "queued"
    with pytest.raises(LeaseLost):
        ledger.renew(old, 30)
    new = claim(ledger, job_id, "w2")
    assert new.attempt == 2
    with pytest.raises(LeaseLost):
        ledger.asked(old)
    with pytest.raises(LeaseLost):
        ledger.finish(old, "succeeded")
    ledger.progress(old, {"epoch": 9})
    assert ledger.latest_progress(job_id) == {}
    ledger.finish(new, "succeeded", folder=job_id)
    assert state(ledger, job_id) == "succeeded"


def test_finishing_twice_is_finishing_once(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.finish(held, "succeeded", folder=job_id)
    ledger.finish(held, "succeeded", folder=job_id)
    with pytest.raises(LeaseLost):
        ledger.finish(held, "failed", error="no")


def test_a_job_that_loses_three_workers_has_failed_and_says_so(ledger: Ledger) -> None:
    job_id = submit(ledger)
    for _ in range(3):
        held = claim(ledger, job_id)
        ledger.record_loss(job_id, held.attempt, 3, "killed")
    record = ledger.record(job_id)
    assert record is not None
    assert (record.state, record.error) == ("failed", "its worker died three times")
    assert ledger.unpublished() == [job_id]


def test_handing_back_is_not_counted_as_a_loss(ledger: Ledger) -> None:
    job_id = submit(ledger)
    for _ in range(5):
        ledger.hand_back(claim(ledger, job_id), "w1 is shutting down")
    record = ledger.record(job_id)
    assert record is not None
    assert (record.state, record.lost, record.attempt) == ("queued", 0, 5)


def test_a_lease_that_ran_out_is_found_and_a_renewed_one_is_not(ledger: Ledger) -> None:
    short, long = submit(ledger), submit(ledger)
    ledger.claim(short, "w1", -1, "a")
    held = claim(ledger, long)
    ledger.renew(held, 30)
    assert ledger.expired() == [(short, 1)]


def test_a_job_waits_for_the_training_it_needs_and_starts_by_itself(ledger: Ledger) -> None:
    training = submit(ledger)
    evaluation = submit(ledger, evaluate(training))
    assert state(ledger, evaluation) == "waiting"
    assert messages(ledger) == 1
    ledger.finish(claim(ledger, training), "succeeded", folder=training)
    assert state(ledger, evaluation) == "queued"
    assert messages(ledger) == 2


def test_a_job_with_two_needs_waits_for_both(ledger: Ledger) -> None:
    denoiser, basic = submit(ledger, JobSpec.make("denoiser", "train")), submit(ledger)
    spec = JobSpec.make("denoiser", "evaluate", parameters={"baseline": basic}, **{"from": denoiser})
    job_id = submit(ledger, spec)
    ledger.finish(claim(ledger, denoiser), "succeeded", folder=denoiser)
    assert state(ledger, job_id) == "waiting"
    ledger.finish(claim(ledger, basic), "succeeded", folder=basic)
    assert state(ledger, job_id) == "queued"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_what_waits_for_a_job_without_success_fails_with_that_reason(ledger: Ledger, end: str) -> None:
    training = submit(ledger)
    evaluation = submit(ledger, evaluate(training))
    if end == "cancelled":
        ledger.cancel(training)
    else:
        ledger.finish(claim(ledger, training), "failed", error="no memory", folder=training)
    record = ledger.record(evaluation)
    assert record is not None
    word = "was cancelled" if end == "cancelled" else "failed"
    assert record.error == f"job {training}, which it depends on, {word}"
    with pytest.raises(InvalidJob) as caught:
        submit(ledger, evaluate(training))
    error = caught.value
    assert (error.field, error.given) == ("from", f"job {training}, which {word}")
    assert error.expected == "a training job that succeeded or will run"


def test_a_job_that_needs_two_jobs_which_fail_together_fails_once(ledger: Ledger) -> None:
    training = submit(ledger)
    middle = submit(ledger, evaluate(training))
    spec = JobSpec.make("denoiser", "evaluate", parameters={"baseline": middle}, **{"from": training})
    last = submit(ledger, spec)
    ledger.cancel(training)
    texts = [entry["text"] for entry in ledger.timeline(last)]
    assert [text.split(":")[0] for text in texts].count("failed") == 1, texts


def test_a_queued_job_is_cancelled_at_once_and_its_message_wakes_nobody(ledger: Ledger) -> None:
    job_id = submit(ledger)
    assert ledger.cancel(job_id) == "queued"
    assert state(ledger, job_id) == "cancelled"
    assert ledger.claim(job_id, "w1", 30, "token") is None


def test_a_running_job_gets_one_request_to_stop(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    assert ledger.asked(held) == ""
    assert ledger.cancel(job_id) == "running"
    assert ledger.asked(held) == ledger.renew(held, 30) == "cancel"
    assert ledger.cancel(job_id) == "running"
    texts = [entry["text"] for entry in ledger.timeline(job_id)]
    assert texts == ["queued", "started on w1", "stop requested"]


def test_a_cancel_survives_the_death_of_the_worker(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.cancel(job_id)
    ledger.record_loss(job_id, held.attempt, 3, "killed")
    assert ledger.asked(claim(ledger, job_id, "w2")) == "cancel"


def test_cancelling_what_is_not_there_is_an_unknown_job(ledger: Ledger) -> None:
    job_id = new_job_id()
    with pytest.raises(UnknownJob) as caught:
        ledger.cancel(job_id)
    assert str(caught.value) == f"job: expected the id of a job in this Redis, got '{job_id}'"


def test_only_the_worker_that_shuts_down_is_asked_to_hand_back_its_jobs(ledger: Ledger) -> None:
    mine, other = submit(ledger), submit(ledger)
    held, foreign = claim(ledger, mine, "w1"), claim(ledger, other, "w2")
    assert ledger.ask_hand_back("w1") == 1
    assert (ledger.asked(held), ledger.asked(foreign)) == ("hand back", "")


def test_a_lost_message_is_sent_again_and_a_long_queue_is_left_alone(ledger: Ledger) -> None:
    jobs = [submit(ledger) for _ in range(20)]
    for _ in range(50):
        assert ledger.resend(0) == 0
    assert messages(ledger) == 20
    ledger.redis.lpop(list_of(TRAIN), 3)
    assert ledger.resend(0) == 0, "a message that was taken a moment ago is not missing yet"
    assert ledger.resend(0) == 3
    assert ledger.resend(0) == 0
    assert messages(ledger) == 20
    ledger.redis.delete(*lists())
    ledger.resend(0)
    assert ledger.resend(0) == len(jobs)


def test_a_waiting_job_whose_upstream_ended_unnoticed_is_queued_by_the_next_check(ledger: Ledger) -> None:
    training = submit(ledger)
    evaluation = submit(ledger, evaluate(training))
    ledger.redis.delete(f"quartet:dependents:{training}")
    ledger.finish(claim(ledger, training), "succeeded", folder=training)
    assert state(ledger, evaluation) == "waiting"
    assert ledger.recheck_waiting() == 1
    assert state(ledger, evaluation) == "queued"


def test_the_timeline_has_every_event_in_order(ledger: Ledger) -> None:
    first, job_id = submit(ledger), submit(ledger)
    held = claim(ledger, job_id)
    ledger.progress(held, {"epoch": 6, "epochs": 20})
    ledger.record_loss(job_id, held.attempt, 3, "its lease ran out")
    ledger.finish(claim(ledger, job_id, "w2"), "succeeded", folder=job_id)
    assert [entry["text"] for entry in ledger.timeline(job_id)] == [
        "queued behind 1 job",
        "started on w1",
        "worker died in epoch 7: its lease ran out",
        "queued again behind 2 jobs",
        "attempt 2 started on w2",
        "published",
        "succeeded",
    ]
    assert first != job_id


def test_progress_is_followed_from_the_beginning_of_the_attempt(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    for epoch in range(3):
        ledger.progress(held, {"epoch": epoch})
    stream = ledger.follow(job_id, wait_seconds=0.05)
    assert [next(stream) for _ in range(4)] == [{"epoch": 0}, {"epoch": 1}, {"epoch": 2}, {}]
