"""The command that submits a job, as a person would type it. Engine and client both print it."""

import shlex
from typing import Any

from jobs.specs.stored_spec import StoredSpec


def option(name: str) -> str:
    """The command line's spelling of a parameter: `top_k` is `--top-k`."""
    return "--" + name.replace("_", "-")


def command_line(stored: StoredSpec, verb: str = "submit") -> str:
    """`quartet submit MODEL train --epochs 5`: all that was set. The model's code is not needed.

    Args:
        stored: the job.
        verb: `submit` or `run`.

    Returns:
        One line for a shell that knows `$'…'` (bash, zsh); it holds no control character.
    """
    arguments = ["quartet", verb, stored.model, stored.action]
    for name, value in stored.parameters.items():
        for single in value if isinstance(value, list | tuple) else (value,):
            if single is not None:
                arguments += _joined(option(name), str(single))
    options: dict[str, Any] = {
        "--data": stored.data,
        "--from": stored.source,
        "--name": stored.name,
        "--seed": stored.seed or None,
        "--time-limit": stored.time_limit,
        "--priority": None if stored.priority == "normal" else stored.priority,
    }
    for name, value in options.items():
        if value is not None:
            arguments += _joined(name, str(value))
    for tag in stored.tags:
        arguments += _joined("--tag", tag)
    return " ".join(map(_quoted, arguments))


def _quoted(argument: str) -> str:
    """An argument as the shell reads it: `$'…'` where it holds a control character."""
    if argument.isprintable():
        return shlex.quote(argument)
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t"}
    return "$'" + "".join(escapes.get(c) or (c if c.isprintable() else _escaped(c)) for c in argument) + "'"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def _joined(name: str, value: str) -> list[str]:
    # A value that begins with a dash would be read as an option of its own.
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
