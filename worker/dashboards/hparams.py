"""A sweep's trial as TensorBoard's HParams tab shows it: its parameters, its state and its result.

The protocol buffers are TensorBoard's own; its functions that make them need TensorFlow.
"""

from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import (
    STATUS_FAILURE,
    STATUS_SUCCESS,
    STATUS_UNKNOWN,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

from jobs.errors import InvalidInput
from jobs.ledger.job_record import check_sweep
from jobs.showing.sweep_text import value_text
from jobs.store.results import Results
from jobs.sweeps.entry import Entry
from jobs.sweeps.sweep_folder import read_sweep

_STATUS = {"succeeded": STATUS_SUCCESS, "failed": STATUS_FAILURE}


def trial_of(sweep: Any) -> tuple[str, Entry] | None:
    """The sweep and the entry of a job that is a trial; None of any other, one that follows a trial included.

    Args:
        sweep: what the job's record says of its sweep.

    Raises:
        KeyError, TypeError, ValueError: it is no such thing.
    """
    checked = check_sweep(sweep)
    if checked is None:
        return None
    try:
        entry = Entry.of(checked["entry"])
    except AttributeError:  # what should be an object is none
        raise TypeError("its entry in its sweep cannot be read") from None
    return (str(checked["name"]), entry) if entry.then is None else None


def start_summary(sweep: str, entry: Entry, started: float) -> Summary:
    """That a trial has these parameters.

    Args:
        sweep: its name, which is shown as a parameter so that one sweep can be chosen.
        entry: of the trial.
        started: in seconds since 1970.
    """
    values = {"sweep": sweep, **entry.point, "seed": entry.seed}
    if entry.epochs is not None:
        values["epochs"] = entry.epochs
    info = SessionStartInfo(start_time_secs=started)
    for name, value in values.items():
        kind, shown = _typed(value)
        setattr(info.hparams[name], kind, shown)
    return _summary(metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=info))


def end_summary(state: str, ended: float) -> Summary:
    """That a trial has ended.

    Args:
        state: of its job.
        ended: in seconds since 1970.
    """
    info = SessionEndInfo(status=_STATUS.get(state, STATUS_UNKNOWN), end_time_secs=ended)
    return _summary(metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=info))


def metric_of(results: Results, sweep: str) -> str | None:
    """The metric by which a sweep ranks its trials; None where its file is gone or cannot be read."""
    try:
        record = read_sweep(results, sweep)
        return None if record is None else record.spec.metric.name
    except InvalidInput:
        return None


def _typed(value: Any) -> tuple[str, bool | float | str]:
    """A parameter's value, and the field of a protocol buffer that holds such."""
    if isinstance(value, bool):
        return "bool_value", value
    return ("number_value", value) if isinstance(value, int | float) else ("string_value", value_text(value))


def _summary(tag: str, content: HParamsPluginData) -> Summary:
    about = metadata.create_summary_metadata(content)
    return Summary(value=[Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR)])
