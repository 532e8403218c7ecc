"""The rules by which an address gets messages, and the events that each stands for."""

from typing import Literal

from jobs.wording import alternatives

Event = Literal[
    "job.succeeded", "job.failed", "job.cancelled",
    "trial.succeeded", "trial.failed", "trial.cancelled",
    "sweep.ended", "sweep.stopped",
]  # fmt: skip
"""What happened; a `trial` is a job of a sweep."""

RULES: dict[str, tuple[Event, ...]] = {
    "failed": ("job.failed",),
    "ended": ("job.succeeded", "job.failed", "job.cancelled"),
    "trials": ("trial.succeeded", "trial.failed", "trial.cancelled"),
    "sweeps": ("sweep.ended", "sweep.stopped"),
}


def checked_rule(text: str) -> str:
    """The setting `notify_on`: names of rules, with commas between them.

    Raises:
        ValueError: it names something else.
    """
    names = [name.strip() for name in text.split(",")]
    if not set(names) <= RULES.keys():
        raise ValueError(f"{alternatives([*RULES])}, or several of them with commas between")
    return ",".join(name for name in RULES if name in names)


def events_of(rule: str) -> tuple[Event, ...]:
    """The events of a rule that `checked_rule` returned, each once."""
    return tuple(dict.fromkeys(event for name in rule.split(",") for event in RULES[name]))
