"""Every error that Quartet raises on purpose. Its message is one sentence for a person.

QuartetError
├── InvalidInput              exit code 2: nothing was queued, nothing was changed
│   ├── InvalidJob            a job's model, action, parameter, name or seed
│   ├── InvalidData           a dataset or a file that cannot be used
│   ├── InvalidSetting        an environment variable or a line of .env
│   └── UnknownJob            no job, or more than one, by that id, beginning or name
├── JobConflict               exit code 2: the job's state does not allow it (cancel a finished one)
├── RedisUnreachable          exit code 3: Redis cannot be reached
├── JobFailed                 exit code 1: the job ended without success
├── MissingPart               exit code 2: something must be installed first (the worker, a server)
├── DamagedFolder             a finished folder does not match its manifest
├── Cancelled                 inside a worker: the job was asked to stop
└── LeaseLost                 inside a worker: another attempt owns the job, publish nothing
"""


class QuartetError(Exception):
    """The base of all of them; `exit_code` is what the command line ends with."""

    exit_code = 1


class InvalidInput(QuartetError):
    """Something a person gave is wrong; the message says what, where, and what is allowed."""

    exit_code = 2


class InvalidJob(InvalidInput):
    """A job's model, action, parameter, name or seed is wrong."""


class InvalidData(InvalidInput):
    """A dataset's name, or a file, cannot be used."""


class InvalidSetting(InvalidInput):
    """An environment variable or a line of .env is wrong."""


class UnknownJob(InvalidInput):
    """A reference names no job, or more than one."""


class JobConflict(QuartetError):
    """The job is in a state that does not allow what was asked."""

    exit_code = 2


class MissingPart(QuartetError):
    """Something is not installed; the message says how to install it."""

    exit_code = 2


class RedisUnreachable(QuartetError):
    """Redis cannot be reached; the message has its address, never its password."""

    exit_code = 3


class JobFailed(QuartetError):
    """The job failed or was cancelled; the message is the job's own reason."""


class DamagedFolder(QuartetError):
    """A finished folder does not match its manifest."""


class Cancelled(QuartetError):
    """Raised inside a task when the job was asked to stop; `execute` publishes what there is."""


class LeaseLost(QuartetError):
    """Raised inside a worker whose attempt is no longer the current one."""
