"""Whether a worker of this host is healthy: `python -m worker.health`. It costs next to nothing.

The worker's main process writes what it knows of itself to a small file in the state folder, every few
seconds. This reads it, and asks nobody: neither Redis nor the worker. Times are of the monotonic clock, which
all processes of a machine share.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from jobs.escape_control import escape_line

WORKERS = "workers"
"""The folder in the state folder, with a file for each worker."""

SILENT_SECONDS = 60.0
"""A worker, its loop or its Redis that was silent for longer is not healthy."""

MOST_BYTES = 100_000
"""Of a state file."""

HEALTHY, UNHEALTHY, NO_REDIS = 0, 1, 3


def state_file(state_dir: Path, name: str, redis: str = "") -> Path:
    """The file in which a worker's main process says how it is.

    Args:
        state_dir: the setting.
        name: of the worker, with its host.
        redis: as `worker.engine.name_lock.server` names its Redis.
    """
    return state_dir / WORKERS / f"{_digest(name)}-{_digest(redis)}.json"


def examine(state_dir: Path, name: str) -> tuple[int, str]:
    """Judge the worker of that name.

    Args:
        state_dir: the setting.
        name: of the worker, with its host.

    Returns:
        The exit code, 0 if it is healthy, and a sentence.
    """
    states = [read_state(path) for path in (state_dir / WORKERS).glob(f"{_digest(name)}-*.json")]
    judged = [_judge(state, name) for state in states if state and is_alive(state["pid"])]
    # Two workers of one name serve two Redis; each should be well.
    code, sentence = max(judged, default=(UNHEALTHY, f"{name} is not running"))
    return code, escape_line(sentence)


def _judge(state: dict[str, Any], name: str) -> tuple[int, str]:
    silent = _since(state["alive"])
    if silent > SILENT_SECONDS:
        return UNHEALTHY, f"{name} did not answer for {silent:.0f} seconds"
    if state["waits"]:
        return HEALTHY, f"{name} waits {state['waits']}"
    if state["stopping"]:
        return HEALTHY, f"{name} is shutting down"
    silent = _since(state["redis"])
    if silent > SILENT_SECONDS:
        return NO_REDIS, f"{name}: Redis cannot be reached, for {silent:.0f} seconds now"
    if not state["loop"]:
        return UNHEALTHY, f"{name} is starting"
    silent = _since(state["loop"])
    if silent > SILENT_SECONDS:
        return UNHEALTHY, f"{name} did not answer for {silent:.0f} seconds: its event loop is stuck"
    return HEALTHY, f"{name} answers"


def _since(seconds: float) -> float:
    """How long ago that was; for ever, if the machine was started since."""
    passed = time.monotonic() - seconds
    return passed if passed >= 0 else float("inf")


def read_state(path: Path) -> dict[str, Any] | None:
    """What a worker says of itself; None if the file is not one of ours.

    Args:
        path: as `state_file` names it.
    """
    try:
        with path.open("rb") as file:
            state = json.loads(file.read(MOST_BYTES))
        kinds = {"pid": int, "folder": str, "waits": str, "stopping": bool}
        kinds |= dict.fromkeys(("alive", "redis", "loop"), float)
        return {key: kind(state[key]) for key, kind in kinds.items()}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def is_alive(process: int) -> bool:
    """Whether a process of this id is there, or one that nobody has waited for."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's worker
        return True
    return True


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def state_dir() -> Path:
    """The setting `state_dir`, without the second that reading all settings takes, where that is safe."""
    given = [value for key, value in os.environ.items() if key.upper() == "QUARTET_STATE_DIR" and value]
    if given and "~" not in given[0]:
        return Path(given[0])
    if not given and not Path(".env").exists():
        base = os.environ.get("XDG_STATE_HOME")
        return (Path(base) if base else Path.home() / ".local/state") / "quartet"
    from jobs.settings import read_settings

    return read_settings().state_dir


def main(arguments: list[str]) -> int:
    """Print the sentence, healthy to standard output and otherwise to standard error; return the exit code.

    Args:
        arguments: `--name NAME`, or none.
    """
    name = arguments[1] if len(arguments) == 2 and arguments[0] == "--name" else "worker"
    if arguments and len(arguments) != 2:
        sys.stderr.write("usage: python -m worker.health [--name NAME]\n")
        return 2
    try:
        code, sentence = examine(state_dir(), f"{name}@{os.uname().nodename}")
    except Exception as error:  # settings that cannot be read, which the worker refused as well
        code, sentence = 2, str(error)
    (sys.stdout if code == HEALTHY else sys.stderr).write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
