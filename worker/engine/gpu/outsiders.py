"""Who computes on a GPU and is no worker of Quartet."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.wording import alternatives, first_few
from worker.engine.gpu.nvml import Card

LEAST_BYTES = 100_000_000
"""In use by processes that are not listed, as those of other containers are not. A CUDA context takes more;
an idle card has a few megabytes in use."""

MOST_NAMED = 3
"""Processes that a message names."""

_MOST_GENERATIONS = 64


def is_used(card: Card) -> bool:
    """Whether anybody computes on a card, Quartet or not."""
    return bool(card.processes) or card.unlisted_bytes >= LEAST_BYTES


def processes_outside(card: Card, holders: Sequence[Mapping[str, Any]]) -> list[int]:
    """The ids of the processes that compute on a card and are neither its holders nor of these.

    Args:
        card: which card.
        holders: as `locks.holders` has them.

    Returns:
        Nothing where a holder is in another container, since its processes have other ids there.
    """
    if any(holder.get("host") != platform.node() for holder in holders):
        return []
    ours = [holder.get("pid") for holder in holders]  # a lock file may hold anything
    return [process for process in card.processes if not any(each in ours for each in _lineage(process))]


def in_words(card: Card, processes: Sequence[int]) -> str:
    """`GPU 0 is used by process 4711, which is no worker of Quartet`.

    Args:
        card: which card.
        processes: those that use it; none where they cannot be seen.
    """
    if not processes:
        gigabytes = f"{card.unlisted_bytes / 1e9:.1f} GB"
        return f"{gigabytes} of GPU {card.index} are in use by a process that cannot be seen from here"
    if len(processes) == 1:
        return f"GPU {card.index} is used by process {processes[0]}, which is no worker of Quartet"
    listed = alternatives(first_few(list(map(str, processes)), MOST_NAMED), last="and")
    return f"GPU {card.index} is used by processes {listed}, which are no workers of Quartet"


def _lineage(process: int) -> list[int]:
    """A process, its parent and so on, as far as they can be seen."""
    found = [process]
    while len(found) < _MOST_GENERATIONS:
        try:
            # After the name, which may hold anything: its state, its parent's id.
            about = Path(f"/proc/{found[-1]}/stat").read_text(errors="replace")
            parent = int(about.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        found.append(parent)
    return found
