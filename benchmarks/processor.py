"""How much of the processor running processes have used, whoever started them."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def session_seconds(session: int) -> float | None:
    """Seconds that the processes of a session have used, and those that they waited for; None without /proc.

    Args:
        session: the id of its leader.
    """
    stats = list(Path("/proc").glob("[0-9]*/stat"))
    found = [fields for path in stats if (fields := _fields(path)) and int(fields[3]) == session]
    return sum(sum(map(int, fields[11:15])) for fields in found) / TICKS if stats else None


def _fields(stat: Path) -> list[str]:
    """The fields after the process' name, which may hold anything; empty for one that has ended."""
    try:
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
