"""Every error that Quartet raises on purpose.

QuartetError
├── InvalidInput              exit code 2: nothing was queued, nothing was changed
│   ├── InvalidJob            a job's model, action, parameter, name or seed
│   ├── InvalidData           a dataset or a file that cannot be used
│   ├── InvalidSetting        an environment variable or a line of .env
│   ├── InvalidSweep          the description of a sweep, with all its mistakes
│   ├── InvalidModel          a wing that lacks part of its contract
│   ├── UnknownJob            no job, or more than one, has that id or name
│   └── JobConflict           the job's state does not permit it (to cancel a finished one, for instance)
├── MissingPart               exit code 2: something must be installed first (the worker, a server)
├── RedisUnreachable          exit code 3: Redis cannot be reached
├── StoreUnreachable          exit code 3: the object store does not answer, or refuses
├── JobFailed                 exit code 1: the job ended without success
├── NotEnded                  exit code 1: the job has not ended in the time that it was waited for
├── DamagedFolder             exit code 1: a job folder cannot be read, or does not match its manifest
├── DamagedArchive            exit code 1: an archive of jobs cannot be read, or is none that Quartet wrote
├── NotDelivered              exit code 1: an address did not take the message that a job or a sweep ended
├── NotExported               exit code 1: MLflow did not take a job or a sweep
├── ReportNotDrawn            inside a worker: the report of a job could not be drawn
├── Cancelled                 inside a worker: a stop was requested
└── LeaseLost                 inside a worker: another attempt holds the job

An error about input reads `field: expected …, got …`; every other one is a sentence of its own. Where there
is an obvious remedy, `hint` names it; the command line prints it on a line of its own. Neither the sentence
nor the hint ends with a full stop.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Self

from jobs.wording import shown


class QuartetError(Exception):
    """The base class: one sentence, and a hint where there is an obvious remedy.

    Attributes:
        exit_code: the exit code of the command line.
        field: what was wrong: a parameter, a setting, a file; empty where no input was at fault.
        given: the value that was found, as a message shows it; empty where no input was at fault.
        expected: the values that are valid; empty where no input was at fault.
        hint: how to fix it; None where there is no obvious remedy.
    """

    exit_code = 1

    def __init__(self, sentence: str, *, hint: str | None = None) -> None:
        """Store the sentence and the hint.

        Args:
            sentence: what happened, without a full stop at its end.
            hint: how to fix it, likewise.
        """
        super().__init__(sentence)
        self.field = self.given = self.expected = ""
        self.hint = hint

    @property
    def explanation(self) -> str:
        """The sentence with its hint on one line, for a job's record."""
        return f"{self} (hint: {self.hint})" if self.hint else str(self)

    def __reduce__(self) -> Any:
        # By default pickle calls the class with the sentence alone, which InvalidInput does not accept.
        return _restored, (type(self), str(self), self.__dict__)


def _restored(kind: type[QuartetError], sentence: str, attributes: dict[str, Any]) -> QuartetError:
    error = kind.__new__(kind, sentence)
    error.args = (sentence,)
    error.__dict__.update(attributes)
    return error


class InvalidInput(QuartetError):
    """An input is wrong; the sentence reads `field: expected …, got …`."""

    exit_code = 2

    def __init__(self, field: str, *, expected: str, given: str, hint: str | None = None) -> None:
        """Say what is wrong.

        Args:
            field: a parameter, a setting, or a file and the place in it.
            expected: the valid values, to be read after `expected`.
            given: the value that was found, to be read after `got`.
            hint: how to fix it.
        """
        super().__init__(f"{field}: expected {expected}, got {given}", hint=hint)
        self.field, self.expected, self.given = field, expected, given

    @classmethod
    def unknown(cls, field: str, given: object, choices: Iterable[str], also: str = "") -> Self:
        """The error for a name that is none of the choices; the hint suggests the closest one.

        Args:
            field: what was named.
            given: the name that was given.
            choices: all names.
            also: what else is valid, to be read after the names: `, or a path`.
        """
        names = list(choices)
        close = difflib.get_close_matches(str(given)[:200].lower(), names, n=1)
        listed = names[0] if len(names) == 1 else f"one of {', '.join(names)}" if names else ""
        return cls(
            field,
            expected=f"{listed}{also}" if names else also.removeprefix(", or ") or "nothing",
            given=shown(given),
            hint=f"did you mean {close[0]!r}?" if close else None,
        )


class InvalidJob(InvalidInput):
    """A job's model, action, parameter, name or seed is wrong."""


class InvalidData(InvalidInput):
    """A dataset's name, or a file, cannot be used."""


class InvalidSetting(InvalidInput):
    """An environment variable or a line of .env is wrong."""


class InvalidSweep(InvalidInput):
    """The description of a sweep, or one of the jobs beside it in a file, is wrong.

    Attributes:
        problems: all mistakes, each an error of its own; none where this is one of them.
    """

    problems: tuple["InvalidSweep", ...] = ()

    @classmethod
    def of(cls, problems: Sequence["InvalidSweep"]) -> "InvalidSweep":
        """The error for all mistakes of a description; its sentence has one on each line.

        Args:
            problems: at least one.
        """
        first = problems[0]
        error = cls(first.field, expected=first.expected, given=first.given, hint=first.hint)
        error.problems = tuple(problems)
        if len(problems) > 1:
            error.hint, error.args = None, ("\n".join(each.explanation for each in problems),)
        return error


class InvalidModel(InvalidInput):
    """A model's wing lacks part of the contract, or its `spec.py` loads what it may not."""


class UnknownJob(InvalidInput):
    """A reference names no job, or more than one."""


class JobConflict(InvalidInput):
    """The job's state does not permit the request."""


class MissingPart(QuartetError):
    """Something is not installed; the hint says how to install it."""

    exit_code = 2


class RedisUnreachable(QuartetError):
    """Redis cannot be reached; the sentence has its address, never its password."""

    exit_code = 3


class StoreUnreachable(QuartetError):
    """The object store does not answer, refuses the credentials, or has no such bucket."""

    exit_code = 3


class JobFailed(QuartetError):
    """The job failed or was cancelled; the message gives the reason."""


class NotEnded(QuartetError, TimeoutError):
    """The job has not ended in the time that it was waited for; it goes on."""


class DamagedFolder(QuartetError):
    """A job folder cannot be read, or does not match its manifest."""


class DamagedArchive(QuartetError):
    """An archive of jobs cannot be read, is cut off, or is none that Quartet wrote."""


class NotDelivered(QuartetError):
    """An address did not take a message.

    Attributes:
        answered: whether somebody answered, and may take another message.
    """

    def __init__(self, sentence: str, *, hint: str | None = None, answered: bool = False) -> None:
        """Say what happened.

        Args:
            sentence: what, without a full stop at its end.
            hint: how to fix it, likewise.
            answered: whether somebody answered.
        """
        super().__init__(sentence, hint=hint)
        self.answered = answered


class NotExported(QuartetError):
    """MLflow did not take a job or a sweep, or does not answer."""


class ReportNotDrawn(QuartetError):
    """Raised inside a worker where the report of a job could not be drawn."""


class Cancelled(QuartetError):
    """Raised inside a task after a stop was requested; the engine publishes what there is."""


class LeaseLost(QuartetError):
    """Raised inside a worker whose attempt is no longer the current one."""
