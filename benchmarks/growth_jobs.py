"""What one job more costs when there are many, and what is read of all of them."""

import json
import os
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise

from benchmarks.ended_jobs import end
from benchmarks.growth_curve import Curve
from benchmarks.service import folders, redis_alone
from benchmarks.whole_command import whole_command
from jobs.client import Client
from jobs.ids import new_job_id
from jobs.ledger.rebuild import rebuild
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.day_files import DayFiles
from jobs.store.history import FOLDER
from jobs.store.history_row import Row as IndexRow
from jobs.store.saved_records import save_records
from worker.report.index_page import write_index

TURNS = 5
SECONDS_APART = 10
"""Between two jobs that have ended: a day has 8,640 of them."""

TRAINED = 10
"""One in so many has trained, and a curve for the page of all jobs."""

EPOCHS = 5
PANEL = "jobs"
SPEC = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": EPOCHS})
HEADLINE = {"name": "bce", "label": "Binary cross-entropy", "value": 0.0928, "unit": "nats per pixel"}


def measure_jobs(sizes: Sequence[int]) -> list[Curve]:
    """Fill a ledger and a results folder further and further, and measure at each size.

    Args:
        sizes: numbers of jobs that have ended, ascending.
    """
    one_more = [
        Curve(name, PANEL)
        for name in ("submit one", "claim, publish and end one", "page of all jobs, after one")
    ]
    grown = Curve("page of all jobs, after nine tenths of them", PANEL)
    listed = Curve("`quartet list`", PANEL)
    every = Curve("`quartet list --all`", PANEL)
    with folders(None) as settings, redis_alone(settings) as found:
        client = Client(found)
        for first, last in pairwise([0, *sizes]):
            _fill(client, first, last)
            added = time.perf_counter()
            write_index(client.results)
            grown.add(last, time.perf_counter() - added)
            for curve, seconds in zip(one_more, _one_more(client, last), strict=True):
                curve.add(last, seconds)
            listed.add(last, min(whole_command(found, "list").seconds for _ in range(2)))
            every.add(last, whole_command(found, "list", "--all").seconds)
    return [*one_more, grown, listed, every]


def measure_rebuild(sizes: Sequence[int]) -> Curve:
    """Accept jobs, lose all that Redis has, and restore it.

    Args:
        sizes: numbers of jobs that wait in the queue, ascending.
    """
    curve = Curve("`quartet rebuild` of queued jobs", PANEL)
    for count in sizes:
        with folders(None) as settings:
            with redis_alone(settings) as found:
                _accept(Client(found), count)
            with redis_alone(settings) as found:  # another one, which knows nothing
                curve.add(count, _rebuild(found, count))
    return curve


def _accept(client: Client, count: int) -> None:
    """Queue jobs and have their records saved, as the sweeper does."""
    client.results.root.mkdir(parents=True)
    for _ in range(count):
        client.ledger.submit(new_job_id(), SPEC)
    save_records(client.ledger, client.results, most=count, seconds=600)


def _rebuild(found: Settings, count: int) -> float:
    client = Client(found)
    began = time.perf_counter()
    done = rebuild(client.ledger, client.results)
    seconds = time.perf_counter() - began
    assert done.states["queued"] == count, done
    return seconds


def _one_more(client: Client, there: int) -> list[float]:
    """Run a job as client and worker do, some times; the median seconds of each step."""
    steps: list[tuple[float, ...]] = []
    for turn in range(TURNS):
        began = time.perf_counter()
        job = client.submit("autoencoder", "train", data="digits", seed=there + turn, epochs=EPOCHS)
        submitted = time.perf_counter()
        end(client, job.id, {"validation_bce": 0.1}, EPOCHS)
        ended = time.perf_counter()
        write_index(client.results)
        steps.append((submitted - began, ended - submitted, time.perf_counter() - ended))
    return [statistics.median(seconds) for seconds in zip(*steps, strict=True)]


def _fill(client: Client, first: int, last: int) -> None:
    """Add jobs that have succeeded, by their numbers: to the ledger and to the index, each with a folder."""
    root = client.results.root
    root.mkdir(parents=True, exist_ok=True)
    files, stored = DayFiles(root / FOLDER), StoredSpec.of(SPEC)
    base = time.time() // 86_400 * 86_400 - 30 * 86_400
    rows = []
    for number in range(first, last):
        at = base + number * SECONDS_APART
        moment = datetime.fromtimestamp(at, UTC)
        action = "evaluate" if number % TRAINED else "train"
        rows.append(_row(f"{moment:%Y%m%d-%H%M%S}-000-benc", action, moment.isoformat()))
        job_id, milliseconds = rows[-1].id, int(at * 1000)
        (root / job_id).mkdir()
        fields = {
            "started": milliseconds,
            "finished": milliseconds + 1_000,
            "worker": "bench",
            "error": "",
            "folder": job_id,
            "headline": json.dumps(HEADLINE),
        }
        assert client.ledger.restore(
            job_id, stored, "succeeded", submitted=milliseconds, attempt=1, needs=[], fields=fields
        )
    for day, of_day in groupby(rows, key=lambda row: row.id[:8]):
        files.append(day, [row.line() for row in of_day])
    files.mark_complete()
    os.sync()  # or the next file that is synced waits for all of these


def _row(job_id: str, action: str, moment: str) -> IndexRow:
    return IndexRow(
        job_id,
        "succeeded",
        "autoencoder",
        action,
        headline={name: HEADLINE[name] for name in ("label", "value", "unit")},
        submitted=moment,
        started=moment,
        finished=moment,
        attempt=1,
        worker="bench@host",
        seconds=1.0,
        metrics={"validation_bce": 0.0928, "training_bce": 0.0927},
        parameters={"epochs": EPOCHS},
    )
