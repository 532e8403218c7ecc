"""Whatever dies in whatever order, no checkpoint of a job that has not succeeded is thrown away."""

import contextlib
import itertools
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jobs.errors import JobConflict, LeaseLost
from jobs.ids import new_job_id
from jobs.ledger.job_record import ENDED
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import Results
from worker.context import JobContext
from worker.engine.attempt import Attempt
from worker.engine.ended_jobs import adopt, record_loss
from worker.engine.held_job import HeldJob
from worker.engine.inputs import take_checkpoint
from worker.engine.outcome import Outcome
from worker.engine.publishing import conclude
from worker.engine.upkeep_round import Round
from worker.training.checkpoint import Checkpoint

SPEC = JobSpec.make("autoencoder", "train", data="digits")


@dataclass
class Process:
    """A worker's process and the job that it believes to hold."""

    held: HeldJob
    context: JobContext | None = None


@dataclass
class Trained:
    """How far a job got, as its holders have written it into checkpoints."""

    epochs: int = 0
    continues: str | None = None
    succeeded: bool = False


class StagingMachine(RuleBasedStateMachine):
    """Attempts that stage, write checkpoints, publish and die, and a sweeper beside them."""

    url: str
    folder: Path
    counter = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.settings: Settings = read_settings(
            redis_url=self.url, results_dir=self.folder / str(next(self.counter)), min_free_gb=0
        )
        self.ledger = Ledger(self.url)
        self.ledger.redis.flushall()
        self.results = Results(self.settings.results_dir)
        self.round = Round(self.ledger, self.results, self.settings)
        self.trained: dict[str, Trained] = {}
        self.processes: list[Process] = []
        self.binary = redis.Redis.from_url(self.url)
        self.saved: dict[bytes, Any] = {}

    @precondition(lambda self: len(self.ledger.ids()) < 3)
    @rule()
    def submit(self) -> None:
        self.queue(None)

    @precondition(lambda self: self.ended_badly())
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        with contextlib.suppress(JobConflict):  # it was retried already
            self.queue(data.draw(st.sampled_from(self.ended_badly())))

    def ended_badly(self) -> list[str]:
        return sorted([*self.ledger.ids("failed"), *self.ledger.ids("cancelled")])

    def queue(self, continues: str | None) -> None:
        job_id = new_job_id()
        self.ledger.submit(job_id, SPEC, continues)
        self.trained[job_id] = Trained(continues=continues)

    @precondition(lambda self: self.ledger.ids("queued"))
    @rule(data=st.data(), begins=st.sampled_from([True, True, False]), writes=st.integers(0, 3))
    def claim(self, data: st.DataObject, begins: bool, writes: int) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.ledger.ids("queued"))))
        claim = self.ledger.claim(job_id, "w", 1, secrets.token_hex(8))
        assert claim is not None
        process = Process(HeldJob(self.settings, self.ledger, claim, claim.record(), self.results))
        self.processes.append(process)
        if begins:
            self.begin(process)
        if writes:
            self.write(process, writes)

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def begin_late(self, data: st.DataObject) -> None:
        process = self.one_of_the_processes(data)
        if process.context is None:
            self.begin(process)

    def one_of_the_processes(self, data: st.DataObject) -> Process:
        return self.processes[data.draw(st.integers(0, len(self.processes) - 1))]

    def begin(self, process: Process) -> None:
        held = process.held
        published = self.results.find(held.claim.job_id)
        try:
            if published is not None:
                self.trained[held.claim.job_id].succeeded |= (
                    adopt(held.ledger, held.results, held.claim, published) == "succeeded"
                )
                return
            process.context = Attempt(held)._stage()
            take_checkpoint(process.context, held)
        except LeaseLost:
            return
        reached = epochs_in(held.staging)
        assert reached >= self.expected(held.claim.job_id)
        self.trained[held.claim.job_id].epochs = reached

    def expected(self, job_id: str) -> int:
        """How far the checkpoint of a job goes, or that of the job that it continues, if it has none."""
        seen = self.trained[job_id]
        while seen.epochs == 0 and seen.continues:
            seen = self.trained[seen.continues]
        return seen.epochs

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), more=st.integers(1, 3))
    def write_a_checkpoint(self, data: st.DataObject, more: int) -> None:
        self.write(self.one_of_the_processes(data), more)

    def write(self, process: Process, more: int) -> None:
        if process.context is None:
            return
        held = process.held
        epochs = epochs_in(held.staging) + more
        history = [{"epoch": float(epoch + 1), "loss": 1.0} for epoch in range(epochs)]
        try:
            Checkpoint(epoch=epochs, history=history).write(process.context.checkpoint)
        except FileNotFoundError:
            return  # another attempt has taken the folder over
        job = self.trained[held.claim.job_id]
        job.epochs = max(job.epochs, epochs)

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        self.ledger.hand_back(self.one_of_the_processes(data).held.claim, "the worker is shutting down")

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), most=st.sampled_from([1, 9]))
    def die(self, data: st.DataObject, most: int) -> None:
        claim = self.one_of_the_processes(data).held.claim
        record_loss(self.ledger, self.results, claim, most, "killed")

    @precondition(lambda self: self.processes)
    @rule(
        data=st.data(),
        outcome=st.sampled_from([Outcome("succeeded"), Outcome("cancelled"), Outcome("failed", error="no")]),
    )
    def end(self, data: st.DataObject, outcome: Outcome) -> None:
        process = self.one_of_the_processes(data)
        if process.context is None:
            return
        job_id = process.held.claim.job_id
        try:
            conclude(process.held, process.context, outcome)
        except LeaseLost:
            return
        folder = self.results.find(job_id)
        self.trained[job_id].succeeded |= folder is not None and folder.job["state"] == "succeeded"

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def publish_and_die_before_the_ledger_hears_of_it(self, data: st.DataObject) -> None:
        held = self.one_of_the_processes(data).held
        try:
            self.ledger.renew(held.claim)
            job = json.loads((held.staging / "job.json").read_bytes())
            (held.staging / "job.json").write_text(json.dumps(job | {"state": "cancelled"}))
            self.results.publish(held.claim, 0o022)
        except (LeaseLost, FileNotFoundError):
            return
        self.ledger.record_loss(held.claim, 9, "killed")

    @precondition(lambda self: self.trained)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.trained)))
        if self.ledger.record(job_id) is not None:
            self.ledger.cancel(job_id)

    @precondition(lambda self: self.processes)
    @rule()
    def make_a_round(self) -> None:
        self.round.look()
        self.round.run()

    @precondition(lambda self: self.processes)
    @rule()
    def redis_writes_its_file(self) -> None:
        self.saved = {key: self.binary.dump(key) for key in self.binary.keys("*")}

    @precondition(lambda self: self.saved)
    @rule(really=st.sampled_from([False, False, True]))
    def redis_loses_what_it_had_not_written(self, really: bool) -> None:
        if not really:
            return
        self.binary.flushall()
        for key, dump in self.saved.items():
            self.binary.restore(key, 0, dump)

    @invariant()
    def no_checkpoint_is_lost(self) -> None:
        for job_id, job in self.trained.items():
            if not job.succeeded:
                folder = self.results.find(job_id)
                places = [*self.results.staged(job_id), *([folder.path] if folder else [])]
                assert max(map(epochs_in, places), default=0) >= job.epochs, job_id

    @invariant()
    def ledger_and_folder_agree(self) -> None:
        for record in self.ledger.records(list(self.trained)):
            if record.state in ENDED and record.folder:
                folder = self.results.find(record.id)
                assert folder is not None
                assert folder.job["state"] == record.state


def epochs_in(folder: Path) -> int:
    path = folder / CHECKPOINT
    return Checkpoint.position(path)[0] if path.exists() else 0


def test_no_checkpoint_is_thrown_away_before_its_job_has_succeeded(redis_url: str, tmp_path: Path) -> None:
    StagingMachine.url, StagingMachine.folder = redis_url, tmp_path
    run_state_machine_as_test(
        StagingMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
