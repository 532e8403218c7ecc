"""`Run`: one job as a comparison has it, with nothing cut or rounded."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

OPEN_STATES = ("running", "queued", "waiting")
DAMAGED, GONE = "damaged", "gone"
"""The states of a job whose folder cannot be read, and of one that was deleted from its sweep."""


@dataclass(frozen=True)
class Run:
    """One job.

    Attributes:
        state: that of the job, `damaged` or `gone`.
        data: which data it read, in words; None where nobody knows.
        checksums: the SHA-256 of each dataset that it read, by name.
        source: the id of the training job whose model it used.
        parameters: all of them, those that were not set as well.
        training: `data`, `seed` and all parameters of the job in `source`; empty where that cannot be read.
        metrics: its numbers, unrounded.
        epochs_done: how many epochs were trained; None where nothing is.
        seconds: from its start to its end.
        submitted: ISO 8601 in UTC.
        error: why it failed or was cancelled, or cannot be read.
        warnings: what makes its numbers doubtful.
        report: the path of its page.
        code: the checksum of the code that ran it, empty where nobody knows.
        libraries: the version of each library that may change a result.
        progress: of a running job, its latest message.
        sweep: the name of its sweep; `trial`, `point` and `rung` are its numbers there.
    """

    id: str
    state: str
    model: str = ""
    action: str = ""
    name: str | None = None
    tags: tuple[str, ...] = ()
    seed: int = 0
    data: str | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs_done: int | None = None
    seconds: float | None = None
    submitted: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    report: str | None = None
    code: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    sweep: str | None = None
    trial: int | None = None
    point: int | None = None
    rung: int | None = None

    @property
    def kind(self) -> str:
        """Model and action, with a space between them; empty where they are unknown."""
        return f"{self.model} {self.action}".strip()

    @property
    def succeeded(self) -> bool:
        """Whether its numbers are those of a job that ran to its end."""
        return self.state == "succeeded"

    def values(self) -> dict[str, Any]:
        """All in which it may differ from others but its seed, in the order of a table.

        A parameter whose name is taken has `parameters.` before it. The job whose model was used is described
        by what it was trained with, where that is known.
        """
        if not self.kind:
            return {}
        found: dict[str, Any] = {"model": self.model, "action": self.action}
        if self.data is not None:
            found["data"] = self.data
        for name, value in self.parameters.items():
            found[f"parameters.{name}" if name in found else name] = value
        if self.source is not None and not self.training:
            found["from"] = self.source
        more = {name: value for name, value in self.training.items() if name != "seed"}
        return found | {f"training.{name}": value for name, value in more.items()}

    @property
    def setting(self) -> Hashable:
        """What is the same in jobs that were to differ in nothing but the seed."""
        return frozen(self.values()) if self.kind else self.id

    @property
    def conditions(self) -> Hashable:
        """What is the same in ended jobs that differ in nothing but the seed: data and code as well."""
        return self.setting, frozen([self.checksums, self.code, self.libraries])

    @property
    def seeds(self) -> tuple[Any, ...]:
        """The seed of its training job, where it uses one's model, and its own."""
        return (*([self.training["seed"]] if "seed" in self.training else []), self.seed)


def frozen(value: Any) -> Hashable:
    """A value from JSON as one that can be hashed; 1 and 1.0 are equal, lists and tuples as well."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), frozen(each)) for name, each in value.items()))
    if isinstance(value, list | tuple):
        return tuple(frozen(each) for each in value)
    return value if isinstance(value, int | float | None) else str(value)
