"""Opens the results folder that the settings name: the store, or this host's copy of an object store."""

from functools import lru_cache
from importlib.util import find_spec

from jobs.errors import MissingPart
from jobs.settings import Settings
from jobs.store.bucket_results import BucketResults
from jobs.store.objects.bucket import Bucket
from jobs.store.objects.credentials import credentials_in
from jobs.store.objects.elsewhere import Elsewhere
from jobs.store.results import Results


def open_results(settings: Settings, *, in_pool: bool = False) -> Results:
    """The results folder; nothing is made, and no store is asked.

    Args:
        settings: say where it is.
        in_pool: whether this is a worker's process that does jobs. It forks none, so it asks an object store
            itself, and publishing waits for a store that does not answer, however long.

    Raises:
        MissingPart: the store needs a package that is not installed.
        InvalidSetting: the folder is the copy of another store, or a store itself; or the file of credentials
            cannot be used.
        OSError: the volume is full, read-only or gone.
    """
    root = settings.results_dir.absolute()
    if not settings.store:
        return Results(root)
    if find_spec("obstore") is None:
        raise MissingPart(
            f"the store {settings.store} needs the package obstore", hint="pip install 'quartet[store]'"
        )
    file = settings.store_credentials_file
    if file is not None:
        credentials_in(file)
    objects = Bucket(settings.store, file) if in_pool else _elsewhere(settings.store, file)
    results = BucketResults(root, objects=objects, address=settings.store, patient=in_pool)
    results.check_copy()
    return results


_elsewhere = lru_cache(maxsize=8)(Elsewhere)
"""One process for all threads of this one."""
