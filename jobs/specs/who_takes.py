"""Which jobs take a parameter, for the hint to somebody who gave it to a job that does not."""

from jobs.models import all_parameters
from jobs.parameters import Parameters


def who_takes(name: str, kind: type[Parameters]) -> str | None:
    """The most similar job that has a parameter, as `MODEL ACTION`; None if there is none.

    Args:
        name: the parameter's name.
        kind: the parameters of the job that lacks it.
    """

    def similarity(other: type[Parameters]) -> tuple[bool, bool]:
        return other.action == kind.action, other.model == kind.model

    having = [other for other in all_parameters() if name in other.model_fields and other is not kind]
    if not having:
        return None
    best = max(having, key=similarity)
    return f"{best.model} {best.action}"
