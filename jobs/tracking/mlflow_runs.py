"""Writes runs into MLflow. A run is marked when it is whole; one without the mark is written anew."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import MissingPart, NotExported
from jobs.escape_control import escape_line
from jobs.secrets import hide_secrets
from jobs.store.file_lock import try_lock
from jobs.tracking.tracked_run import MAY_GO, PARENT, MetricValue, TrackedRun, cut
from jobs.tracking.tracking_address import SQLITE, TrackingAddress

WHOLE = "quartet.exported"
"""The tag that is set last; its value says whether the model is there as well."""

WITH_MODEL, WITHOUT_MODEL = "with model", "without model"

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""Of MLflow's own settings, unless the environment has others."""

MOST_VALUES, MOST_NAMES = 1_000, 100
"""Of metrics, and of params or tags, in one request."""

MAKING_SECONDS = 120.0
"""How long another export may take to make the database, which is seconds on a machine that is not loaded."""

_LONGEST_MESSAGE = 300


class MlflowRuns:
    """The runs of one address."""

    def __init__(self, address: TrackingAddress) -> None:
        """Load MLflow and open the address.

        Raises:
            NotExported: it cannot be opened, or does not answer.
        """
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        self._address = address
        with self._told():
            from mlflow import MlflowClient

            for name in ("mlflow", "alembic"):
                logging.getLogger(name).setLevel(logging.ERROR)
            if address.database is not None and not address.database.exists():
                _make_database(address.database)
            self._client = MlflowClient(tracking_uri=address.uri)
        self._experiment = cache(self._find_experiment)

    def put(self, run: TrackedRun, parent: str | None = None) -> tuple[str, bool]:
        """Write a run unless it is there, and bring to its present state what may change of one that is.

        Args:
            run: the run.
            parent: the id of the run whose child it is.

        Returns:
            The id of the run, and whether it is new.

        Raises:
            NotExported: MLflow does not take it.
        """
        tags = dict(run.tags) | ({PARENT: parent} if parent is not None else {})
        with self._told():
            experiment = self._experiment(run.experiment)
            whole = self._find(experiment, run.identity)
            if whole is None:
                return self._write(experiment, run, tags), True
            self._update(whole, run, tags)
            return str(whole.info.run_id), False

    def _find_experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            folder = self._address.artifacts
            location = (folder / name).as_uri() if folder is not None else None
            return str(self._client.create_experiment(name, artifact_location=location))
        if found.lifecycle_stage != "active":
            where = f"the experiment {name} was deleted in MLflow"
            raise NotExported(where, hint="restore it there, or remove it for good with `mlflow gc`")
        return str(found.experiment_id)

    def _find(self, experiment: str, identity: tuple[str, str]) -> Any:
        """The whole run with this tag, None if there is none. Others, which no export ended, are deleted."""
        tag, value = identity
        found = list(self._client.search_runs([experiment], f"tags.`{tag}` = '{value}'", max_results=100))
        whole = next((run for run in found if WHOLE in run.data.tags), None)
        for run in found:
            if run is not whole:
                self._client.delete_run(run.info.run_id)
        return whole

    def _write(self, experiment: str, run: TrackedRun, tags: Mapping[str, str]) -> str:
        from mlflow.entities import Param, RunTag

        first = dict([run.identity])
        made = self._client.create_run(experiment, start_time=run.started, tags=first, run_name=run.name)
        run_id = str(made.info.run_id)
        for some in _batches(list(run.params.items()), MOST_NAMES):
            self._client.log_batch(run_id, params=[Param(*each) for each in some])
        for some in _batches(list(tags.items()), MOST_NAMES):
            self._client.log_batch(run_id, tags=[RunTag(*each) for each in some])
        self._measure(run_id, run.metrics + run.history)
        for file in run.files:
            self._copy(run_id, run, file)
        self._end(run_id, run)
        return run_id

    def _update(self, whole: Any, run: TrackedRun, tags: Mapping[str, str]) -> None:
        run_id, there = whole.info.run_id, whole.data.tags
        for name, value in tags.items():
            if there.get(name) != value:
                self._client.set_tag(run_id, name, value)
        for name in MAY_GO:
            if name in there and name not in tags:
                self._client.delete_tag(run_id, name)
        measured = whole.data.metrics
        self._measure(run_id, [each for each in run.metrics if measured.get(each.name) != each.value])
        if whole.info.status != run.status or (run.model is not None and there[WHOLE] != WITH_MODEL):
            self._end(run_id, run, there[WHOLE])

    def _end(self, run_id: str, run: TrackedRun, mark: str = WITHOUT_MODEL) -> None:
        if run.model is not None:
            self._copy(run_id, run, run.model)
            mark = WITH_MODEL
        if run.ended is not None:
            self._client.set_terminated(run_id, run.status, run.ended)
        else:
            self._client.update_run(run_id, status=run.status)
        self._client.set_tag(run_id, WHOLE, mark)

    def _measure(self, run_id: str, values: Sequence[MetricValue]) -> None:
        from mlflow.entities import Metric

        for some in _batches(values, MOST_VALUES):
            metrics = [Metric(each.name, each.value, each.moment, each.step) for each in some]
            self._client.log_batch(run_id, metrics=metrics)

    def _copy(self, run_id: str, run: TrackedRun, file: str) -> None:
        assert run.folder is not None
        self._client.log_artifact(run_id, str(run.folder / file), file.rpartition("/")[0] or None)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in one sentence what MLflow, or the library below it, says.

        Raises:
            NotExported: it says that something is wrong.
            MissingPart: it needs a package.
        """
        try:
            yield
        except NotExported:
            raise
        except ModuleNotFoundError as error:
            raise MissingPart(f"MLflow needs the package {error.name} for {self._address.shown}") from None
        except Exception as error:  # of MLflow, requests, SQLAlchemy, or what stores its artifacts
            raise NotExported(f"MLflow at {self._address.shown} {_said(error)}") from None


def _make_database(file: Path) -> None:
    """Have MLflow make its database, beside its place and then at once: it cannot go on with a part of one.

    Args:
        file: where it is to be; another export may make it meanwhile.

    Raises:
        NotExported: another export has been making it for minutes.
    """
    from mlflow import MlflowClient

    part = file.with_name(f"{file.name}.part")
    with try_lock(part, MAKING_SECONDS) as held:
        if not held:
            raise NotExported(f"another export has been making {shown_path(file)} for {MAKING_SECONDS:.0f} s")
        if file.exists():
            part.unlink(missing_ok=True)
            return
        # What a killed export left of it.
        file.with_name(f"{part.name}-journal").unlink(missing_ok=True)
        os.truncate(part, 0)
        MlflowClient(tracking_uri=f"{SQLITE}{part}")
        part.rename(file)


def _said(error: Exception) -> str:
    """What went wrong, after `MLflow at …`."""
    from requests import ConnectionError as NoConnection
    from requests import Timeout

    below: BaseException | None = error
    while below is not None:
        if isinstance(below, NoConnection | Timeout):
            return "does not answer"
        below = below.__cause__ or below.__context__
    text = hide_secrets(str(error)).strip().partition("\n")[0] or type(error).__name__
    return f"did not take it: {cut(escape_line(text), _LONGEST_MESSAGE)}"


def _batches(values: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    return (values[first : first + most] for first in range(0, len(values), most))
