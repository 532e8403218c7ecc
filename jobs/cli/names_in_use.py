"""Looks at the names of sweeps that are to begin: which are in use, and whether those sweeps can go on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.errors import InvalidInput, InvalidSweep, JobConflict, RedisUnreachable
from jobs.sweeps.extension import check_extension
from jobs.sweeps.sweep_spec import SweepSpec

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.sweeps.description import Description
    from jobs.sweeps.sweep import Sweep


def sweeps_there(
    client: "Client", described: Sequence["Description"], *, without_redis: bool = False
) -> "list[Sweep | None]":
    """The sweep that has a description's name already, for each; None for a new name, and for plain jobs.

    Args:
        client: finds sweeps.
        described: what a file or a line describes.
        without_redis: take a name for new where Redis, which would know it, cannot be reached.

    Raises:
        InvalidSweep: some are not what a description adds to; `problems` has each of them.
        RedisUnreachable: Redis cannot be reached.
    """
    found: list[Sweep | None] = []
    wrong: list[InvalidSweep] = []
    for each in described:
        found.append(None)
        if not isinstance(each.made, SweepSpec):
            continue
        try:
            there = client.find_sweep(each.made.name)
        except InvalidInput:  # the name is new
            continue
        except RedisUnreachable:
            if not without_redis:
                raise
            continue
        try:
            check_extension(there.spec, each.made)
        except JobConflict as error:
            field = each.called(error.field)
            wrong.append(InvalidSweep(field, expected=error.expected, given=error.given, hint=error.hint))
        found[-1] = there
    if wrong:
        raise InvalidSweep.of(wrong)
    return found
