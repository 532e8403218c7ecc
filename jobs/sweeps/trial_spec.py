"""The job that a sweep asks for."""

from jobs.spec import JobSpec
from jobs.sweeps.actions import Ask
from jobs.sweeps.sweep_spec import SweepSpec


def trial_spec(sweep: SweepSpec, ask: Ask) -> JobSpec:
    """The job that a sweep asks for; it is named by the sweep and the number of its trial.

    Args:
        sweep: the sweep.
        ask: what it asks for.

    Raises:
        InvalidJob: this installation's model does not take these values.
        InvalidModel: the model's wing lacks part of its contract.
    """
    if ask.then is not None:
        return _following(sweep, ask)
    values = {**sweep.fixed, **ask.point}
    data = values.pop("data", sweep.data)
    if ask.epochs is not None:
        values["epochs"] = ask.epochs
    return JobSpec.make(
        sweep.model,
        sweep.action,
        parameters=values,
        data=data,
        seed=ask.seed,
        time_limit=sweep.time_limit,
        priority=sweep.priority,
        tags=sweep.tags,
        name=f"{sweep.name}-{ask.trial}",
        **{"from": sweep.source},
    )


def _following(sweep: SweepSpec, ask: Ask) -> JobSpec:
    """A job that uses the model of a trial."""
    assert ask.then is not None
    then = sweep.then[ask.then]
    return JobSpec.make(
        sweep.model,
        then.action,
        parameters=then.parameters,
        data=then.data,
        seed=ask.seed,
        priority=sweep.priority,
        tags=sweep.tags,
        name=f"{sweep.name}-{ask.trial}-{then.action}",
        **{"from": ask.source},
    )
