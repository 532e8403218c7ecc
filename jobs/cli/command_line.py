"""The command that submits a job, as a person would type it. Engine and client both print it."""

import shlex

from jobs.spec import JobSpec


def option(name: str) -> str:
    """The command line's spelling of a parameter: `top_k` is `--top-k`."""
    return "--" + name.replace("_", "-")


def command_line(spec: JobSpec, verb: str = "submit") -> str:
    """`quartet submit MODEL train --epochs 5`: all that differs from the defaults.

    Args:
        spec: the job.
        verb: `submit` or `run`.

    Returns:
        One line for a shell that knows `$'…'` (bash, zsh); it holds no control character.
    """
    arguments = ["quartet", verb, spec.model, spec.action]
    for name, field in type(spec.parameters).model_fields.items():
        value = getattr(spec.parameters, name)
        if value == field.default or value is None:
            continue
        for single in value if isinstance(value, tuple) else (value,):
            arguments += _joined(option(name), str(single))
    for name, text in (("--data", spec.data), ("--from", spec.source), ("--name", spec.name)):
        if text is not None:
            arguments += _joined(name, text)
    if spec.seed:
        arguments += ["--seed", str(spec.seed)]
    if spec.time_limit is not None:
        arguments += ["--time-limit", str(spec.time_limit)]
    if spec.priority != "normal":
        arguments += ["--priority", spec.priority]
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
