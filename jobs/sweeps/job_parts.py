"""Reads the parts of a description that jobs of every kind have: data, source and parameters."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from jobs.data_check import expected_data
from jobs.errors import DamagedFolder, InvalidData, InvalidInput
from jobs.finding.known_jobs import KnownJobs
from jobs.job_data import JobData
from jobs.parameters import Parameters
from jobs.spec import JobSpec
from jobs.specs.validation_messages import schema_of
from jobs.sweeps.distributions import Distribution, Distributions
from jobs.sweeps.parameter_checks import checked_values, corners, unknown_parameter
from jobs.sweeps.parameter_values import read_distribution
from jobs.sweeps.problems import Fields, Place, Problem, Problems
from jobs.wording import shown, with_article


@dataclass(frozen=True)
class JobParts:
    """Reads parts, and remembers which data it has looked at.

    Attributes:
        known: the jobs that a description may refer to.
        job_data: checks the data of jobs.
    """

    known: KnownJobs
    job_data: JobData
    _data: dict[tuple[type[Parameters], str, str], str | InvalidData] = field(default_factory=dict)

    def data(
        self, value: Any, kind: type[Parameters], place: Place, problems: Problems, written: Any = None
    ) -> str | None:
        """What the job's `data` is, by `JobData.check`; None where there is none, or a wrong one is noted.

        Args:
            value: what is written.
            kind: the parameters of the job.
            place: where it is written.
            problems: get what is wrong.
            written: the mapping of parameters beside it: those of one value may say how the data is read.
        """
        if value is None:
            return None
        if not kind.takes_data():
            nothing = f"nothing, since {kind.model} {kind.action} reads none"
            problems.append(Problem(place, nothing, shown(value), of_key=True))
            return None
        value = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(value, str) or not 0 < len(value) <= 4_096:
            hint = "`parameters: {data: {values: […]}}` varies the data" if isinstance(value, list) else None
            problems.add(place, expected_data(kind) or "a text", value, hint)
            return None
        parameters = _of_one_value(kind, written)
        key = kind, value, repr(parameters)
        if key not in self._data:
            try:
                self._data[key] = self.job_data.check(
                    kind, value, parameters=parameters, note=problems.notes.append
                )
            except InvalidData as error:
                self._data[key] = error
        found = self._data[key]
        if isinstance(found, str):
            return found
        problems.raised(place, found)
        return None

    def source(self, fields: Fields, kind: type[Parameters], problems: Problems) -> str | None:
        """The id of the training job whose model is used."""
        value, place, wanted = fields.take("from"), fields.at("from"), f"{kind.model} train"
        if kind.source != "needed":
            if value is not None:
                nothing = f"nothing, since {kind.model} {kind.action} starts from scratch"
                problems.append(Problem(place, nothing, shown(value), of_key=True))
            return None
        if value is None:
            problems.lacking(place, f"{with_article(wanted)} job (its id, its name or `latest`)")
            return None
        return self._training(value, kind.model, place, problems)

    def _training(self, value: Any, model: str, place: Place, problems: Problems) -> str | None:
        try:
            return self.known.training(value, model, str(place[-1]))
        except (InvalidInput, DamagedFolder) as error:
            problems.raised(place, error)
            return None

    def parameters(self, given: Fields | None, kind: type[Parameters], problems: Problems) -> Distributions:
        """Each parameter -> its distribution, with values as the model's class has them.

        Args:
            given: what is written for each parameter; `data` is varied like one.
            kind: the parameters of the job.
            problems: get what is wrong.
        """
        written: Distributions = {}
        places: dict[str, Place] = {}
        schemas = schema_of(kind) | ({"data": {"type": "string"}} if kind.takes_data() else {})
        if given is None:
            return {}
        for name, value in given.value.items():
            place = given.at(name)
            if name not in schemas:
                problems.append(unknown_parameter(name, kind, place))
                continue
            found = read_distribution(value, schemas[name], place, problems)
            if found is None:
                continue
            places[name] = _place_of_values(value, place, found)
            written[name] = self._resolved(name, found, kind, places[name], problems, given.value)
        data = {name: written.pop(name) for name in ("data",) if name in written}
        checked = checked_values(kind, written, places, problems) | data
        return {name: checked[name] for name in places}  # in the order in which they were written

    def _resolved(
        self,
        name: str,
        found: Distribution,
        kind: type[Parameters],
        place: Place,
        problems: Problems,
        written: Mapping[str, Any],
    ) -> Distribution:
        """The distribution with references replaced by ids, and paths made absolute."""
        needed = kind.needed_trainings()
        if name != "data" and name not in needed:
            return found
        values = []
        for number, value in enumerate(found.values):
            at = (*place, number) if found.distribution == "categorical" else place
            if name == "data":
                got = self.data(value, kind, at, problems, written)
            else:
                got = self._training(value, needed[name], at, problems)
            if got is not None and got in values:
                problems.add(at, "values that differ", value)
            values.append(value if got is None else got)
        return found.model_copy(update={"values": tuple(values)})


def _of_one_value(kind: type[Parameters], written: Any) -> Parameters | None:
    """The parameters that are written as one value, the others with their defaults; None where they clash."""
    if not isinstance(written, Mapping):
        return None
    values = {
        name: value["value"] if isinstance(value, Mapping) and value.keys() == {"value"} else value
        for name, value in written.items()
    }
    try:
        return kind.model_validate(
            {name: value for name, value in values.items() if _fits(kind, name, value)}
        )
    except ValidationError:
        return None


def _fits(kind: type[Parameters], name: str, value: Any) -> bool:
    try:
        kind.model_validate({name: value})
    except ValidationError:
        return False
    return True


def check_corners(
    kind: type[Parameters],
    parameters: Distributions,
    job: Mapping[str, Any],
    fields: Fields,
    problems: Problems,
) -> JobSpec | None:
    """Make the jobs of the corners; the first one, or None where one of them is refused, which is noted.

    Args:
        kind: the parameters of the job.
        parameters: checked one by one.
        job: the fields of the job beside its parameters, as JSON names them.
        fields: the description.
        problems: get what is wrong.
    """
    first = None
    for point in corners(parameters):
        data = point.pop("data", job.get("data"))
        try:
            spec = JobSpec.make(kind.model, kind.action, parameters=point, **{**job, "data": data})
        except InvalidInput as error:
            of_parameters = error.field in schema_of(kind)
            place = fields.at("parameters", error.field) if of_parameters else fields.at(error.field)
            varied = {name: value for name, value in point.items() if len(parameters[name].values) != 1}
            values = ", ".join(f"{name} {shown(value)}" for name, value in varied.items())
            given = f"{error.given} with {values}" if varied else error.given
            problems.append(Problem(place, error.expected, given, error.hint))
            return None
        first = first or spec
    return first


def _place_of_values(written: Any, place: Place, found: Distribution) -> Place:
    """Where the values of a parameter are written: the mapping with `min`, the list, or the one value."""
    if not isinstance(written, Mapping) or not found.listed:
        return place
    return (*place, "value" if found.distribution == "constant" else "values")
