"""Every job is in exactly one state, and only the attempt that holds it may say so."""

import json
import time

import pytest

from jobs.claim import Claim
from jobs.errors import InvalidJob, JobConflict, LeaseLost, RedisUnreachable, UnknownJob
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import list_of, lists
from jobs.spec import JobSpec

TRAIN = JobSpec.make("autoencoder", "train", data="digits")
TRAINING = list_of("train", "normal")


def submit(ledger: Ledger, spec: JobSpec = TRAIN) -> str:
    job_id = new_job_id()
    ledger.submit(job_id, spec)
    return job_id


def evaluate(source: str) -> JobSpec:
    return JobSpec.make("autoencoder", "evaluate", **{"from": source})


def claim(ledger: Ledger, job_id: str, worker: str = "w1") -> Claim:
    found = ledger.claim(job_id, worker, 1, f"{worker}-{new_job_id()}")
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
    assert ledger.claim(job_id, "w2", 1, "other") is None


def test_a_claim_whose_answer_was_lost_can_be_sent_again(ledger: Ledger) -> None:
    job_id = submit(ledger)
    first = ledger.claim(job_id, "w1", 1, "token")
    assert ledger.claim(job_id, "w1", 1, "token") == first


def test_an_unknown_job_cannot_be_claimed(ledger: Ledger) -> None:
    assert ledger.claim(new_job_id(), "w1", 1, "token") is None


def test_a_superseded_attempt_may_neither_renew_nor_finish_nor_report(ledger: Ledger) -> None:
    job_id = submit(ledger)
    old = claim(ledger, job_id)
    assert ledger.record_loss(old, 3, "the test said so") == "queued"
    with pytest.raises(LeaseLost):
        ledger.renew(old)
    new = claim(ledger, job_id, "w2")
    assert new.attempt == 2
    with pytest.raises(LeaseLost):
        ledger.asked(old)
    with pytest.raises(LeaseLost):
        ledger.finish(old, "succeeded", finished=1)
    ledger.progress(old, {"epoch": 9})
    assert ledger.latest_progress([job_id]) == {job_id: {}}
    ledger.finish(new, "succeeded", finished=1, folder=job_id)
    assert state(ledger, job_id) == "succeeded"


def test_finishing_twice_is_finishing_once(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.finish(held, "succeeded", finished=1, folder=job_id)
    ledger.finish(held, "succeeded", finished=1, folder=job_id)
    with pytest.raises(LeaseLost):
        ledger.finish(held, "failed", finished=1, error="no")


def test_a_job_that_loses_three_workers_has_failed_and_says_so(ledger: Ledger) -> None:
    job_id = submit(ledger)
    for _ in range(3):
        held = claim(ledger, job_id)
        ledger.record_loss(held, 3, "killed")
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


def test_each_heartbeat_is_seen_and_ended_jobs_are_no_longer_held(ledger: Ledger) -> None:
    first, second = claim(ledger, submit(ledger)), claim(ledger, submit(ledger))
    before = {held.claim.job_id: held.heard for held in ledger.held()}
    assert set(before) == {first.job_id, second.job_id}
    time.sleep(0.002)
    ledger.renew(first)
    after = {held.claim.job_id: held.heard for held in ledger.held()}
    assert after[first.job_id] != before[first.job_id]
    assert after[second.job_id] == before[second.job_id]
    ledger.finish(first, "failed", finished=1)
    ledger.hand_back(second, "w1 is shutting down")
    assert ledger.held() == []


def test_a_claim_of_the_same_number_does_not_hold_the_job(ledger: Ledger) -> None:
    """Redis lost the tail of its file, and two workers hold attempt 1."""
    job_id = submit(ledger)
    dump = ledger.redis.dump(f"quartet:job:{job_id}")
    lost = claim(ledger, job_id, "w1")
    ledger.redis.restore(f"quartet:job:{job_id}", 0, dump, replace=True)
    ledger.redis.hdel("quartet:claims", job_id)
    held = claim(ledger, job_id, "w2")
    assert lost.attempt == held.attempt == 1
    for use in (ledger.renew, ledger.asked, lambda old: ledger.finish(old, "succeeded", finished=1)):
        with pytest.raises(LeaseLost):
            use(lost)
    ledger.progress(lost, {"epoch": 1})
    ledger.hand_back(lost, "w1 is shutting down")
    assert ledger.record_loss(lost, 3, "killed") is None
    assert ledger.latest_progress([job_id]) == {job_id: {}}
    assert ledger.renew(held) == ""


def test_a_job_that_no_worker_understands_waits_for_another_kind_of_worker(ledger: Ledger) -> None:
    job_id = submit(ledger)
    for kind in ("one", "one", "two"):
        ledger.redis.delete(*lists())
        ledger.decline(claim(ledger, job_id), kind, f"{kind} knows no such model")
        record = ledger.record(job_id)
        assert record is not None
        assert (record.state, record.attempt, record.lost) == ("queued", 0, 0)
        assert ledger.declined() == [job_id]
        assert ledger.resend(0) == ledger.resend(0) == messages(ledger) == 0, "it wakes nobody"
        assert ledger.offer([job_id]) == messages(ledger) == 1
        assert ledger.offer([job_id]) == 0
    assert record.declined == {"one": "one knows no such model", "two": "two knows no such model"}
    said = [entry["text"] for entry in ledger.timeline(job_id) if "w1" in entry["text"]]
    assert ["understand" in text for text in said] == [False, True, False, True], "a repeat leaves no trace"
    ledger.finish(claim(ledger, job_id), "succeeded", finished=1, folder=job_id)
    assert ledger.declined() == []


def test_a_published_job_is_forgotten_after_its_time_and_leaves_nothing_behind(ledger: Ledger) -> None:
    named = JobSpec.make("autoencoder", "train", name="mine")
    old, new = submit(ledger, named), submit(ledger, named)
    evaluation = submit(ledger, evaluate(old))
    ledger.finish(claim(ledger, old), "succeeded", finished=1, folder=old)
    ledger.cancel(evaluation)
    assert ledger.forget(3600) == 1
    assert ledger.newest_named("mine") == new
    assert ledger.ids() == [evaluation, new], "one that has no folder is remembered"
    ledger.published(evaluation, evaluation)
    ledger.finish(claim(ledger, new), "failed", finished=1, folder=new)
    assert ledger.forget(3600) == 1
    assert ledger.forget(-1) == 1
    for job_id, changes in ledger.changed(100).items():
        ledger.saved(job_id, changes)
    ledger.redis.delete(*lists())
    assert ledger.redis.keys() == ["quartet:sequence"]


def test_a_record_that_changes_while_it_is_saved_is_saved_again(ledger: Ledger) -> None:
    job_id = submit(ledger)
    [(_, changes)] = ledger.changed(100).items()
    ledger.cancel(job_id)
    ledger.saved(job_id, changes)
    [(_, changes)] = ledger.changed(100).items()
    ledger.saved(job_id, changes)
    assert ledger.changed(100) == {}


def test_the_folder_of_a_job_that_redis_lost_makes_no_record(ledger: Ledger) -> None:
    job_id = new_job_id()
    ledger.published(job_id, job_id)
    assert ledger.redis.keys() == []


def test_a_retry_is_remembered_by_the_job_that_failed(ledger: Ledger) -> None:
    job_id, again = submit(ledger), new_job_id()
    ledger.cancel(job_id)
    ledger.submit(again, TRAIN, continues=job_id)
    record = ledger.record(job_id)
    assert record is not None
    assert record.retried == again


def test_jobs_are_found_by_name_and_by_the_beginning_of_their_id(ledger: Ledger) -> None:
    named = JobSpec.make("autoencoder", "train", name="mine")
    first, second, third = submit(ledger, named), submit(ledger, named), submit(ledger)
    assert (ledger.newest_named("mine"), ledger.newest_named("yours")) == (second, None)
    assert ledger.matching(second, 5) == [second]
    assert ledger.matching(first[:4], 2) == [third, second]
    assert ledger.matching("9", 5) == []
    assert ledger.ids(newest=1) == ledger.ids("queued", newest=1) == [third]


def test_a_job_waits_for_the_training_it_needs_and_starts_by_itself(ledger: Ledger) -> None:
    training = submit(ledger)
    evaluation = submit(ledger, evaluate(training))
    assert state(ledger, evaluation) == "waiting"
    assert messages(ledger) == 1
    ledger.finish(claim(ledger, training), "succeeded", finished=1, folder=training)
    assert state(ledger, evaluation) == "queued"
    assert messages(ledger) == 2


def test_a_job_with_two_needs_waits_for_both(ledger: Ledger) -> None:
    denoiser, basic = submit(ledger, JobSpec.make("denoiser", "train")), submit(ledger)
    spec = JobSpec.make("denoiser", "evaluate", parameters={"baseline": basic}, **{"from": denoiser})
    job_id = submit(ledger, spec)
    ledger.finish(claim(ledger, denoiser), "succeeded", finished=1, folder=denoiser)
    assert state(ledger, job_id) == "waiting"
    ledger.finish(claim(ledger, basic), "succeeded", finished=1, folder=basic)
    assert state(ledger, job_id) == "queued"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_what_waits_for_a_job_without_success_fails_with_that_reason(ledger: Ledger, end: str) -> None:
    training = submit(ledger)
    evaluation = submit(ledger, evaluate(training))
    if end == "cancelled":
        ledger.cancel(training)
    else:
        ledger.finish(claim(ledger, training), "failed", finished=1, error="no memory", folder=training)
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
    assert ledger.claim(job_id, "w1", 1, "token") is None


def test_a_running_job_gets_one_request_to_stop(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    assert ledger.asked(held) == ""
    assert ledger.cancel(job_id) == "running"
    assert ledger.asked(held) == ledger.renew(held) == "cancel"
    assert ledger.cancel(job_id) == "running"
    texts = [entry["text"] for entry in ledger.timeline(job_id)]
    assert texts == ["queued", "started on w1", "stop requested"]


@pytest.mark.parametrize("most_losses", [1, 3])
def test_a_job_that_was_to_stop_when_its_worker_died_is_cancelled(ledger: Ledger, most_losses: int) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.cancel(job_id, "worse than the median")
    assert ledger.record_loss(held, most_losses, "killed") == "cancelled"
    record = ledger.record(job_id)
    assert record is not None
    assert (record.state, record.error, record.lost) == ("cancelled", "worse than the median", 1)
    assert ledger.claim(job_id, "w2", 1, "token") is None
    assert ledger.unpublished() == [job_id]


def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_hands_it_back(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.cancel(job_id)
    ledger.hand_back(held, "w1 is shutting down")
    assert state(ledger, job_id) == "cancelled"
    assert ledger.unpublished() == [job_id]


def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_does_not_understand_it(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    ledger.cancel(job_id)
    ledger.decline(held, "old", "no such model")
    assert state(ledger, job_id) == "cancelled"
    assert ledger.declined() == []
    assert ledger.unpublished() == [job_id]


def test_cancelling_what_is_not_there_is_an_unknown_job(ledger: Ledger) -> None:
    job_id = new_job_id()
    with pytest.raises(UnknownJob) as caught:
        ledger.cancel(job_id)
    assert str(caught.value) == f"job: expected the id of a job in this Redis, got '{job_id}'"


def test_a_lost_message_is_sent_again_and_a_long_queue_is_left_alone(ledger: Ledger) -> None:
    jobs = [submit(ledger) for _ in range(20)]
    for _ in range(50):
        assert ledger.resend(0) == 0
    assert messages(ledger) == 20
    ledger.redis.rpop(TRAINING, 3)
    assert ledger.resend(0) == 0, "a message that was taken a moment ago is not missing yet"
    assert ledger.resend(0) == 3
    assert ledger.resend(0) == 0
    assert messages(ledger) == 20
    ledger.redis.delete(*lists())
    ledger.resend(0)
    assert ledger.resend(0) == len(jobs)


def test_a_lost_message_is_found_beside_stale_ones_when_its_turn_comes(ledger: Ledger) -> None:
    """As many messages as jobs say nothing about which job has none."""
    first, second, third = (submit(ledger) for _ in range(3))
    stale = ledger.redis.lrange(TRAINING, 2, 2)
    claim(ledger, first)
    ledger.redis.delete(TRAINING)
    ledger.redis.rpush(TRAINING, *stale, *stale)
    assert ledger.resend(0) == ledger.resend(0) == 0, "a worker drops the stale messages first"
    ledger.redis.rpop(TRAINING, 2)
    assert (ledger.resend(0), ledger.resend(0)) == (0, 2)
    tags = [json.loads(text)["properties"]["delivery_tag"] for text in ledger.redis.lrange(TRAINING, 0, -1)]
    assert [tag.split(".")[0] for tag in tags] == [third, second]


@pytest.mark.parametrize("tag", ["x.9999999999999999", f"x.{'9' * 400}", "x.4", "x"])
def test_the_message_of_a_stranger_makes_no_other_be_sent_again_without_end(ledger: Ledger, tag: str) -> None:
    for _ in range(3):
        submit(ledger)
    strange = json.loads(ledger.redis.lindex(TRAINING, -1))
    strange["properties"]["delivery_tag"] = tag
    ledger.redis.rpush(TRAINING, json.dumps(strange))
    assert [ledger.resend(0) for _ in range(4)] == [0, 0, 0, 0]
    ledger.redis.rpop(TRAINING, 2)  # a worker drops it, and a message is lost
    assert (ledger.resend(0), ledger.resend(0)) == (0, 1)


def test_a_cancelled_job_takes_its_message_along(ledger: Ledger) -> None:
    first, second = submit(ledger), submit(ledger)
    ledger.cancel(first)
    [left] = ledger.redis.lrange(TRAINING, 0, -1)
    assert json.loads(left)["headers"]["id"] == second


def test_a_waiting_job_whose_upstream_ended_unnoticed_is_queued_by_the_next_check(ledger: Ledger) -> None:
    training = submit(ledger)
    evaluation = submit(ledger, evaluate(training))
    ledger.redis.delete(f"quartet:dependents:{training}")
    ledger.finish(claim(ledger, training), "succeeded", finished=1, folder=training)
    assert state(ledger, evaluation) == "waiting"
    assert ledger.recheck_waiting() == (1, "")
    assert state(ledger, evaluation) == "queued"


def test_the_timeline_has_every_event_in_order(ledger: Ledger) -> None:
    first, job_id = submit(ledger), submit(ledger)
    held = claim(ledger, job_id)
    ledger.progress(held, {"epoch": 6, "epochs": 20})
    ledger.record_loss(held, 3, "its lease ran out")
    ledger.finish(claim(ledger, job_id, "w2"), "succeeded", finished=1, folder=job_id)
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


def test_the_end_is_told_after_every_message_even_where_the_clock_stood_still(ledger: Ledger) -> None:
    job_id = submit(ledger)
    held = claim(ledger, job_id)
    key = f"quartet:progress:{job_id}"
    last = ledger.redis.xadd(key, {"values": "{}"}, id=f"{ledger.now() + 60_000}-7")
    ledger.finish(held, "succeeded", finished=1, folder=job_id)
    ((_, messages),) = ledger.redis.xread({key: last})
    assert [fields for _, fields in messages] == [{"ended": "succeeded"}]
    assert ledger.redis.xlen(key) == 1


def test_a_job_ends_whatever_somebody_wrote_in_place_of_its_progress(ledger: Ledger) -> None:
    needed = submit(ledger)
    dependent = submit(ledger, evaluate(needed))
    held = claim(ledger, needed)
    ledger.redis.set(f"quartet:progress:{needed}", "no stream")
    ledger.finish(held, "failed", finished=1, error="no", folder=needed)
    assert [each.state for each in ledger.records([needed, dependent])] == ["failed", "failed"]


def test_a_damaged_record_stops_neither_the_sweep_nor_the_next_claim(ledger: Ledger) -> None:
    gone, no_list, no_number, good = (submit(ledger) for _ in range(4))
    redis = ledger.redis
    redis.delete(f"quartet:job:{gone}")
    redis.hdel(f"quartet:job:{no_list}", "list")
    redis.hset(f"quartet:job:{no_number}", mapping={"attempt": "x", "lost": "y"})
    redis.delete(*lists())
    assert (ledger.resend(0), ledger.resend(0)) == (0, 2)
    assert claim(ledger, good).attempt == 1
    held = claim(ledger, no_number)
    assert held.attempt == 1
    assert ledger.record_loss(held, 3, "killed") == "queued"


def test_a_script_that_fails_at_a_record_is_told_from_a_redis_that_is_away(ledger: Ledger) -> None:
    job_id = submit(ledger)
    ledger.redis.delete(f"quartet:timeline:{job_id}")
    ledger.redis.set("quartet:claims", "no hash")
    with pytest.raises(RedisUnreachable):
        claim(ledger, job_id)
    ledger.redis.delete("quartet:claims")
    ledger.redis.hset(f"quartet:job:{job_id}", "messages", "x")
    ledger.redis.set("quartet:sequence", "no number")
    ledger.redis.hset(f"quartet:job:{job_id}", "state", "queued")
    with pytest.raises(
        InvalidJob, match="record in Redis: expected one that is not damaged, got one at which"
    ):
        ledger.hand_back(claim(ledger, job_id), "w1 is shutting down")


def test_a_submit_that_redis_refuses_leaves_nothing_behind(ledger: Ledger) -> None:
    ledger.redis.set(TRAINING, "no list")
    with pytest.raises(RedisUnreachable):
        submit(ledger)
    assert ledger.redis.keys() == [TRAINING]


def test_one_job_is_retried_by_one_of_two_people_at_once(ledger: Ledger) -> None:
    job_id, first, second = submit(ledger), new_job_id(), new_job_id()
    ledger.cancel(job_id)
    ledger.submit(first, TRAIN, continues=job_id)
    with pytest.raises(JobConflict, match=f"got {job_id}, which {first} continues"):
        ledger.submit(second, TRAIN, continues=job_id)
    ledger.submit(second, TRAIN.model_copy(update={"seed": 7}), continues=job_id)
    ledger.cancel(first)
    ledger.submit(new_job_id(), TRAIN, continues=job_id)
