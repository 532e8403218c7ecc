"""The command that asks for a job again, as a person would type it."""

import shlex

from jobs.spec import JobSpec


def option(name: str) -> str:
    """The command line's spelling of a parameter: `top_k` is `--top-k`."""
    return "--" + name.replace("_", "-")


def command_line(spec: JobSpec, verb: str = "submit") -> str:
    """`quartet submit denoiser train --epochs 5`: all that differs from the defaults."""
    words = ["quartet", verb, spec.model, spec.action]
    for name, field in type(spec.parameters).model_fields.items():
        value = getattr(spec.parameters, name)
        if value == field.default or value is None:
            continue
        for single in value if isinstance(value, tuple) else (value,):
            words += _joined(option(name), str(single))
    for name, text in (("--data", spec.data), ("--from", spec.source), ("--name", spec.name)):
        if text is not None:
            words += _joined(name, text)
    if spec.seed:
        words += ["--seed", str(spec.seed)]
    if spec.time_limit is not None:
        words += ["--time-limit", str(spec.time_limit)]
    if spec.priority != "normal":
        words += ["--priority", spec.priority]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word as the shell reads it: `$'…'` where a character in it might move the terminal."""
    if word.isprintable():
        return shlex.quote(word)
    shown = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t"}
    return "$'" + "".join(shown.get(c) or (c if c.isprintable() else _escaped(c)) for c in word) + "'"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def _joined(name: str, value: str) -> list[str]:
    # A value that begins with a dash would be read as an option of its own.
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
