"""The doctor's look at the jobs that have not begun: whether this version understands them."""

from collections.abc import Iterator

from jobs.cli.doctor_redis import PATIENCE_SECONDS
from jobs.errors import InvalidInput, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.wording import first_few

MOST_JOBS = 1_000
"""In each state: those that were submitted last."""

MOST_NAMED = 3


def job_checks(settings: Settings) -> Iterator[tuple[str, bool, str, str]]:
    """Name, passed, finding and fix of the check, if there are such jobs.

    It is no fault of this installation that another version wrote a job.

    Args:
        settings: say where Redis is.
    """
    ledger = Ledger(settings.redis_address(), answer_seconds=PATIENCE_SECONDS)
    try:
        ids = [job_id for state in ("waiting", "queued") for job_id in ledger.ids(state, newest=MOST_JOBS)]
        records = ledger.records(ids)
    except RedisUnreachable:  # which another check says
        return
    if not records:
        return
    strange = {}
    for record in records:
        try:
            record.spec  # noqa: B018 - it is parsed here
        except InvalidInput as error:
            strange[record.id] = str(error)
    finding = f"this version understands all {len(records):,}"
    if strange:
        named = first_few([f"{job_id} ({why})" for job_id, why in sorted(strange.items())], MOST_NAMED)
        count = f"{len(strange):,} of {len(records):,}"
        finding = f"this version does not understand {count}: {'; '.join(named)}"
    yield "unfinished jobs", True, finding, ""
