"""A side of a comparison: a process of its own that does one thing at a time, on request.

Each side stays warm and needs no processor while it waits, so two or three of them can take turns
(A B A B …), and what slows the machine down for a while slows all of them down.
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SECONDS_TO_END = 5


class SideFailed(RuntimeError):
    """A side ended before it answered; the message has the end of what it printed."""


class Side:
    """A process that holds what `module.start(**options)` returns, and calls its methods by name."""

    def __init__(self, module: str, **options: Any) -> None:
        """Start it without waiting until it is ready."""
        self.name = module
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the side ends
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sides", module, json.dumps(options, default=str)],
            cwd=ROOT,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call a method and wait for what it returns.

        Raises:
            SideFailed: the process ended instead.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([method, arguments]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing answer is explained below
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            end = self._errors.read().decode(errors="replace").strip().splitlines()[-8:]
            raise SideFailed(f"{self.name} ended: " + "\n".join(end))
        return json.loads(answer)

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()  # it then ends by itself and removes its folder
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._errors):
            assert pipe is not None
            pipe.close()


def started(stack: ExitStack, modules: Sequence[str], **options: Any) -> dict[str, Side]:
    """Start sides in parallel and wait until all are ready; they end with the stack.

    Returns:
        Each by the name of its folder: `notebooks`, `pytorch`, `quartet`.
    """
    sides = {module.split(".")[1]: stack.enter_context(Side(module, **options)) for module in modules}
    for side in sides.values():
        side.ask("ready")
    return sides


def peak_memory_mb() -> float:
    """The most memory this process held at once, in 10⁶ bytes.

    Not `ru_maxrss` where it can be helped: on Linux that begins with the memory of the process that
    started this one.
    """
    try:
        return megabytes(process_status()["VmHWM"])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def process_status(process: str = "self") -> dict[str, str]:
    """What Linux says of a process, by the name of the line (proc_pid_status(5)).

    Args:
        process: its id; this process without one.

    Raises:
        OSError: it has ended, or the system has no such file.
    """
    status = Path("/proc", process, "status").read_text(encoding="utf-8")
    return dict(line.split(":", 1) for line in status.splitlines())


def megabytes(size: str) -> float:
    """A size as `process_status` has it (`812 kB`), in 10⁶ bytes."""
    return int(size.split()[0]) * 1024 / 1e6


def has_pytorch() -> bool:
    """Whether the PyTorch columns can be measured."""
    return importlib.util.find_spec("torch") is not None


def _serve(module: str, options: str) -> None:
    # What libraries print goes with the errors, so that answers stand alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = import_module(module).start(**json.loads(options))
    for line in sys.stdin:
        method, arguments = json.loads(line)
        if method == "ready":
            answer = None
        elif method == "peak_memory_mb":
            answer = peak_memory_mb()
        else:
            answer = getattr(side, method)(**arguments)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
