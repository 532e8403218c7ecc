"""Which data a job reads, in words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jobs.errors import QuartetError
from jobs.models import parameters_of
from jobs.store.own_data_pin import Pin

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job


def data_used(client: "Client", job: "Job") -> str | None:
    """The datasets or files that a job read or will read; None where it reads none or nobody knows.

    Args:
        client: looks up the job's folder and its training job.
        job: the job.
    """
    try:
        pin = None if job.stored.data is None else Pin.read(job.stored.data)
        if pin is not None:
            return f"{pin.name}, sha256 {pin.sha256}"
        folder = client.results.find(job.id)
        return (_recorded(folder.job.get("data")) if folder else None) or _expected(client, job)
    except QuartetError:  # a model that is not installed, a folder that cannot be read
        return None


def _recorded(data: Any) -> str | None:
    """What `job.json` says was read."""
    if not isinstance(data, Mapping):
        return None
    read = [each for each in data.values() if isinstance(each, Mapping) and each.get("name")]
    return ", ".join(map(_name_and_path, read))


def _name_and_path(record: Mapping[str, Any]) -> str:
    name, path = str(record["name"]), record.get("path")
    if not path:
        return name
    return str(path) if str(path).endswith(name) else f"{name} ({path})"


def _expected(client: "Client", job: "Job") -> str | None:
    """What its spec says that it will read."""
    stored = job.stored
    if stored.data is not None:
        return stored.data
    if job.action == "generate" or not (kind := parameters_of(job.model, job.action)).takes_data():
        return None
    if stored.source is None:
        return f"{kind.default_data()}, the default"
    trained_on = data_used(client, client.job(stored.source))
    return trained_on and f"{trained_on}, as its training job {stored.source}"
