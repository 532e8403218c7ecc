"""Which store a ledger goes with: it remembers the id of the store that its workers first had.

Two hosts with a results folder each, on one Redis, would otherwise lose each other's checkpoints and folders.
"""

import json
from typing import Any

from jobs.ledger.scripts import ScriptRunner
from jobs.store.results import Results
from jobs.store.store_id import ID_FILE, UNREADABLE


def join_store(ledger: ScriptRunner, results: Results) -> str | None:
    """What is wrong with a worker's store, None if it is the ledger's; what has no id yet gets one.

    A results folder that was removed is made anew where it was: at the same path of the same host it gets
    its id back. Nothing is wrong with a volume that is full or gone: a job that is taken says so.

    Args:
        ledger: that remembers the store.
        results: the store.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    known = _remembered(ledger)
    try:
        found = results.id()
        if not known:
            if found == UNREADABLE:
                return f"{ID_FILE} in {results.name} holds no store id"
            found = found or results.give_id()
            about = json.dumps({"id": found, "place": results.place()})
            ledger.ask(lambda redis: redis.set(_key(ledger), about, nx=True))
            known = _remembered(ledger)  # another worker may have been first
        elif found is None and known["place"] == results.place():
            found = results.give_id(known["id"])
    except OSError:
        return None
    return _difference(known, found, results)


def other_store(ledger: ScriptRunner, results: Results) -> str | None:
    """What is wrong with a results folder, None if it is the store of the ledger or the ledger knows none.

    Args:
        ledger: that remembers the store.
        results: the store.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    known = _remembered(ledger)
    try:
        return _difference(known, results.id(), results) if known else None
    except OSError:
        return None


def remedy(results: Results) -> str:
    """What to do about the store that `other_store` names."""
    return (
        "mount that store and set QUARTET_RESULTS_DIR to it, or name it in QUARTET_STORE; "
        f"if it is gone for good, write its id into {ID_FILE} in {results.name}"
    )


def _difference(known: dict[str, Any], found: str | None, results: Results) -> str | None:
    """What is wrong with a store of the id `found`, None if it is the one that is known, or none is."""
    if not known or found == known["id"]:
        return None
    what = f"{results.name} has {'no store id' if found is None else f'the store id {found}'}"
    return f"{what}, and the jobs of this Redis are in the store {known['id']} ({known['place']})"


def _key(ledger: ScriptRunner) -> str:
    return f"{ledger.prefix}store"


def _remembered(ledger: ScriptRunner) -> dict[str, Any]:
    """The id and the place of the ledger's store; empty if it knows none, or a stranger wrote there."""
    text = ledger.ask(lambda redis: redis.get(_key(ledger)))
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    whole = isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("id", "place"))
    return value if whole else {}
