"""Finds a job that succeeded and equals one that is to be run, so that this need not be run.

Two jobs are equal if they have the same model, action, complete parameters, seed and data by name and by
content, read the same training jobs, and the same code runs them. The device does not count, though a GPU
rounds otherwise than a CPU; nor do priority, time limit, tags and name.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jobs.data_identity import data_identity
from jobs.errors import QuartetError
from jobs.models import parameters_of
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.fingerprints import Fingerprints
from jobs.store.job_folder import JobFolder
from jobs.store.labels import Labels
from jobs.store.own_data_pin import Pin
from jobs.store.results import Results

log = logging.getLogger(__name__)

MOST_LOOKED_AT = 16
"""Jobs of one fingerprint that are looked at, the newest first."""

_FORM = 1
"""Of what a fingerprint is made; raise it where that changes."""


@dataclass(frozen=True)
class Fingerprint:
    """What equal jobs have in common.

    Attributes:
        key: a SHA-256 of the spec, with the name of its data; by it, jobs are looked up.
        code: the checksum of the code.
        data: the identity of the data, as `jobs.data_identity` has it.
    """

    key: str
    code: str
    data: str

    @classmethod
    def of(
        cls,
        spec: JobSpec,
        checksum: str,
        results: Results,
        data_dir: Path,
        unchanged_since: float | None = None,
    ) -> Self | None:
        """The fingerprint of a job; None where what it reads is not known.

        Args:
            spec: the job.
            checksum: of the code that runs it.
            results: where the jobs are that it reads.
            data_dir: the data folder.
            unchanged_since: seconds since 1970: data that changed later is not known.
        """
        try:
            name = _data_of(spec, results)
        except (QuartetError, OSError, LookupError):
            return None
        data = data_identity(name, data_dir, unchanged_since)
        return None if data is None else cls(_key(spec, name), checksum, data)

    @classmethod
    def of_folder(cls, job: Mapping[str, Any]) -> Self | None:
        """The fingerprint that a folder's `job.json` has, None where it has none."""
        found = job.get("fingerprint")
        try:
            return None if found is None else cls(*(str(found[name]) for name in ("key", "code", "data")))
        except (LookupError, TypeError):
            return None


@dataclass(frozen=True)
class EqualJobs:
    """Finds equal jobs that succeeded.

    Attributes:
        results: where the folders of jobs are.
        data_dir: the data folder.
        checksum_of: the checksum of the code that would run a model's jobs; None where it is not known.
    """

    results: Results
    data_dir: Path
    checksum_of: Callable[[str], str | None]

    def find(self, spec: JobSpec, *, same_name: bool = False) -> str | None:
        """The id of the newest job that succeeded, is whole and equals a spec; None if there is none.

        Args:
            spec: the job that is to be run.
            same_name: where the spec has a name, the job must have it too, so that this finds it.
        """
        try:
            name = _data_of(spec, self.results)
            key = _key(spec, name)
            ids = Fingerprints(self.results.root).find(key)
            # Code and data are read only if some job may be equal.
            checksum = self.checksum_of(spec.model) if ids else None
            data = data_identity(name, self.data_dir) if checksum is not None else None
        except (QuartetError, OSError, LookupError):
            return None
        if checksum is None or data is None:
            return None
        wanted = Fingerprint(key, checksum, data)
        for job_id in ids[:MOST_LOOKED_AT]:
            if self._is_equal(job_id, wanted, spec.name if same_name else None):
                return job_id
        return None

    def find_and_tag(self, spec: JobSpec) -> str | None:
        """As `find`, whatever the job's name; it gets the tags of the spec, in whose place it is used."""
        job_id = self.find(spec)
        if job_id is not None and spec.tags:
            try:
                given = StoredSpec.of_folder(JobFolder(self.results.root / job_id).job).tags
                label = Labels(self.results.root).change(job_id, given, add=spec.tags)
                self.results.labelled(job_id, label.tags, label.note)
            except (QuartetError, OSError) as error:
                log.warning("job %s is reused without its new tags: %s", job_id, error)
        return job_id

    def _is_equal(self, job_id: str, wanted: Fingerprint, name: str | None) -> bool:
        try:
            folder = self.results.find(job_id)
            job = folder.job if folder is not None else {}
            fits = job.get("state") == "succeeded" and Fingerprint.of_folder(job) == wanted
            if folder is None or not fits or (name is not None and StoredSpec.of_folder(job).name != name):
                return False
            whole = self.results.whole(job_id)
            return whole is not None and not whole.verify()
        except (QuartetError, OSError):
            return False


def goes_on_equally(spec: JobSpec, mine: Fingerprint, before: JobFolder) -> bool:
    """Whether a job that resumes another gives what it would give in one run.

    Args:
        spec: of the job.
        mine: its fingerprint.
        before: the folder of the job whose checkpoint it took.
    """
    try:
        job = before.job
        earlier = Fingerprint.of_folder(job)
        if earlier is None or (earlier.code, earlier.data) != (mine.code, mine.data):
            return False
        first = StoredSpec.as_it_ran(job)
        epochs = {"epochs": getattr(spec.parameters, "epochs", None)}
        longer = first.model_copy(update={"parameters": first.parameters.model_copy(update=epochs)})
        data = first.data or _default_data(first)
        return (_key(first, data), _key(longer, data)) == (earlier.key, mine.key)
    except (QuartetError, LookupError, AttributeError, TypeError):
        return False


def announced_checksum(workers: Mapping[str, Mapping[str, str]], model: str) -> str | None:
    """The checksum of a model's code on which all live workers agree; None where they do not, or say none.

    Args:
        workers: what each worker announces, as the ledger has it.
        model: a model's name.
    """
    found = set()
    for about in workers.values():
        if "kind" not in about:  # it waits for a GPU
            continue
        try:
            checksum = json.loads(about["code"])[model]
        except (LookupError, ValueError, TypeError, RecursionError):
            return None
        found.add(checksum if isinstance(checksum, str) else None)
    return found.pop() if len(found) == 1 else None


def _key(spec: JobSpec, data: str) -> str:
    """A SHA-256 of all that decides a job's result, but for its code and the content of its data."""
    pin = Pin.read(data)
    value = {
        "form": _FORM,
        "model": spec.model,
        "action": spec.action,
        "parameters": spec.parameters.model_dump(mode="json"),
        "from": spec.source,
        "seed": spec.seed,
        "data": data if pin is None else pin.content,  # under whatever name
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _data_of(spec: JobSpec, results: Results) -> str:
    """What a job reads: its data, else what its training job read, else the default; empty for none.

    Raises:
        LookupError: its training job has no folder.
        DamagedFolder, InvalidJob: that folder cannot be read.
    """
    if spec.data is not None or not spec.parameters.takes_data():
        return spec.data or ""
    if spec.source is None:
        return _default_data(spec)
    folder = results.find(spec.source)
    if folder is None:
        raise LookupError(spec.source)
    return StoredSpec.read(folder.job.get("spec")).data or _default_data(spec)


def _default_data(spec: JobSpec) -> str:
    training = parameters_of(spec.model, "train")
    return training.default_data() if training.takes_data() else ""
