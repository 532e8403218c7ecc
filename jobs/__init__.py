"""What a job is and how to ask for one. It loads no TensorFlow, Keras, NumPy, matplotlib or Celery."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.errors import QuartetError
    from jobs.job import Job
    from jobs.notebook.local_service import service
    from jobs.settings import Settings
    from jobs.spec import JobSpec
    from jobs.sweeps.sweep import Sweep
    from jobs.sweeps.sweep_spec import SweepSpec

__all__ = ["Client", "Job", "JobSpec", "QuartetError", "Settings", "Sweep", "SweepSpec", "service"]

_HOME = {
    "Client": "jobs.client",
    "Job": "jobs.job",
    "JobSpec": "jobs.spec",
    "QuartetError": "jobs.errors",
    "Settings": "jobs.settings",
    "Sweep": "jobs.sweeps.sweep",
    "SweepSpec": "jobs.sweeps.sweep_spec",
    "service": "jobs.notebook.local_service",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `quartet --help` stays fast."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'jobs' has no attribute {name!r}")
