"""Reads one description, whole: what it makes, or every mistake that it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.ids import new_job_id
from jobs.parameters import Parameters
from jobs.spec import JobSpec
from jobs.specs.validation_messages import schema_of
from jobs.sweeps.distributions import Distributions
from jobs.sweeps.early_stops import check_early_stop, read_early_stop
from jobs.sweeps.following import read_following
from jobs.sweeps.goals import read_goal
from jobs.sweeps.job_parts import JobParts, check_corners
from jobs.sweeps.kinds import common_problems, read_kinds
from jobs.sweeps.plain_jobs import NO_JOB_YET, PlainJob
from jobs.sweeps.problems import Fields, Problem, Problems, is_integer
from jobs.sweeps.spread import count_points
from jobs.sweeps.sweep_spec import MOST_TRIALS, NAME_IN_WORDS, SweepSpec, Then, names_a_folder
from jobs.sweeps.wandb_keys import METHODS, ONLY_OF_SWEEPS, SWEEP_KEYS, refuse_other_keys
from jobs.tags import MOST_TAGS, TAG_IN_WORDS, is_tag
from jobs.wording import alternatives, shown

MOST_SEEDS = 1_000
_MOST_SEED = 2**32 - 1

Made = SweepSpec | PlainJob


@dataclass(frozen=True)
class Description:
    """What one description makes.

    Attributes:
        made: the sweep, or the plain job with those that follow it.
        notes: what a key was taken for, and the like: sentences.
        called: one of its keys -> what messages call it, with file, line and column where it has any.
    """

    made: Made
    notes: tuple[str, ...] = ()
    called: Callable[[str], str] = str


def read_description(value: Any, parts: JobParts, problems: Problems) -> Description | None:
    """Read a sweep or a plain job; None where something is wrong, which is noted.

    Args:
        value: a mapping with the keys of a sweep, or of a job.
        parts: reads what it has in common with other jobs.
        problems: get what is wrong.
    """
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        problems.add((), "a mapping with model, action and parameters", value)
        return None
    fields = Fields(value, problems)
    before = len(problems)
    kinds = read_kinds(fields)
    if len(problems) == before and len(kinds) == 1:
        return _Reader(fields, kinds[0], parts, problems).read()

    def mistakes(kind: type[Parameters]) -> Problems:
        tried = Fields(value, Problems())
        tried.taken |= fields.taken
        called = kind.model if len(kinds) == 1 else "NAME"
        _Reader(tried, kind, parts, tried.problems, called).read()
        return tried.problems

    problems += common_problems(kinds, mistakes)
    return None


def default_name(model: str) -> str:
    """A sweep's name where none is given: `MODEL-20261127-0715-k7qd`."""
    job_id = new_job_id()
    return f"{model[:40]}-{job_id[:13]}-{job_id[-4:]}"


class _Reader:
    """Reads one description of a known model and action."""

    def __init__(
        self, fields: Fields, kind: type[Parameters], parts: JobParts, problems: Problems, called: str = ""
    ) -> None:
        """`called` is what hints call the model, if it is not known which is meant."""
        self._fields, self._kind, self._parts, self._problems = fields, kind, parts, problems
        self._called = called or kind.model

    def read(self) -> Description | None:
        fields, kind, problems = self._fields, self._kind, self._problems
        before, notes = len(problems), len(problems.notes)
        fields.text("description")
        beside = fields.value.get("parameters")
        data = self._parts.data(fields.take("data"), kind, fields.at("data"), problems, beside)
        source = self._parts.source(fields, kind, problems)
        written = fields.mapping("parameters", "a mapping of each parameter's name to its values")
        parameters = self._parts.parameters(written, kind, problems)
        if written is not None and written.has("data") and fields.has("data"):
            problems.append(Problem(fields.at("data"), "data here or in parameters", "both", of_key=True))
        following = read_following(fields, kind.model, kind.action, self._parts, problems)
        job = self._job(data, source)
        varied = any(each.distribution != "constant" for each in parameters.values())
        if varied or any(map(fields.has, ONLY_OF_SWEEPS)):
            made: Made | None = self._sweep(job, parameters, following, before)
        else:
            made = self._plain(job, parameters, following, before)
        return None if made is None else Description(made, tuple(problems.notes[notes:]))

    def _job(self, data: str | None, source: str | None) -> dict[str, Any]:
        """The fields that all jobs have."""
        fields = self._fields
        job = {
            "data": data,
            "from": source,
            "seed": fields.integer("seed", 0, _MOST_SEED, 0),
            "time_limit": fields.integer("time_limit", 1, 10**9),
            "priority": fields.choice("priority", schema_of(JobSpec)["priority"]["enum"]) or "normal",
            "tags": self._tags(),
        }
        return {name: value for name, value in job.items() if value is not None}

    def _tags(self) -> list[str]:
        """Those of all jobs, each once."""
        value, place = self._fields.take("tags"), self._fields.at("tags")
        if not isinstance(value, list | tuple | None):
            self._problems.add(place, f"a list of at most {MOST_TAGS} tags", value)
            return []
        tags = dict.fromkeys(tag for tag in value or () if isinstance(tag, str))
        for number, tag in enumerate(value or ()):
            if not is_tag(tag):
                self._problems.add((*place, number), TAG_IN_WORDS, tag)
        if len(tags) > MOST_TAGS:
            self._problems.add(place, f"at most {MOST_TAGS} tags", len(tags))
        return list(tags)

    def _plain(
        self, job: dict[str, Any], parameters: Distributions, following: list[Then], before: int
    ) -> PlainJob | None:
        fields, problems = self._fields, self._problems
        name, fresh = fields.text("name"), fields.flag("fresh")
        job |= {"name": name} if name is not None else {}
        refuse_other_keys(fields, SWEEP_KEYS, self._called)
        if len(problems) > before:
            return None
        spec = check_corners(self._kind, parameters, job, fields, problems)
        if spec is None:
            return None
        names = {"time_limit", "priority", "seed", "tags"}.intersection(job)
        common = {"from": NO_JOB_YET, **{name: job[name] for name in names}}
        followers = [
            JobSpec.make(self._kind.model, then.action, parameters=then.parameters, data=then.data, **common)
            for then in following
        ]
        return PlainJob(spec, tuple(followers), fresh)

    def _sweep(
        self, job: dict[str, Any], parameters: Distributions, following: list[Then], before: int
    ) -> SweepSpec | None:
        fields, kind, problems = self._fields, self._kind, self._problems
        method, seeds = self._method(parameters), self._seeds()
        goal = read_goal(fields, kind.model, kind.action, problems)
        rule = read_early_stop(fields, kind.action)
        if rule is not None:
            default = kind.model_fields["epochs"].default if "epochs" in kind.model_fields else 1
            check_early_stop(rule, fields, goal, kind.model, parameters, default)
        spec = {
            "name": self._name(),
            "model": kind.model,
            "action": kind.action,
            **job,
            "method": method,
            "metric": goal,
            "parameters": parameters,
            "seeds": seeds,
            "run_cap": self._run_cap(method, seeds, parameters),
            "early_terminate": rule,
            "parallel": fields.integer("parallel", 1, MOST_TRIALS),
            "then": following,
            "each": isinstance(fields.value.get("then"), Mapping),
            "max_failures": fields.integer("max_failures", 1, MOST_TRIALS),
            "fresh": fields.flag("fresh"),
        }
        refuse_other_keys(fields, SWEEP_KEYS, self._called)
        if len(problems) > before:
            return None
        of_job = {name: value for name, value in job.items() if name != "seed"}
        corner = check_corners(kind, parameters, of_job, fields, problems)
        return None if corner is None else SweepSpec.model_validate(spec)

    def _name(self) -> str | None:
        value = self._fields.take("name")
        if value is None:
            return default_name(self._kind.model)
        if names_a_folder(value):
            return str(value)
        self._problems.add(self._fields.at("name"), NAME_IN_WORDS, value)
        return None

    def _method(self, parameters: Distributions) -> str | None:
        """The method; for a grid, every parameter must have listed values."""
        fields, problems = self._fields, self._problems
        written = fields.choice("method", METHODS)
        if not fields.has("method"):
            hint = "grid runs every combination of the values, the others as many points as run_cap allows"
            problems.lacking(fields.at("method"), alternatives(list(METHODS)), hint)
        if written is None:
            return None
        method = METHODS[written]
        if method != written:
            problems.notes.append(f"method: {written} is taken for {method}")
        for name, each in parameters.items() if method == "grid" else ():
            if not each.listed:
                given = f"{each.distribution} from {each.min:g} to {each.max:g}"
                hint = "the methods random, sobol and tpe take ranges"
                place = fields.at("parameters", name)
                problems.append(Problem(place, "values, each of which a grid runs", given, hint))
        return method

    def _seeds(self) -> tuple[int, ...]:
        """The seeds of each point."""
        value, place = self._fields.take("seeds"), self._fields.at("seeds")
        if value is None:
            return (0,)
        if is_integer(value) and 1 <= value <= MOST_SEEDS:
            return tuple(range(value))
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_SEEDS:
            self._problems.add(
                place, f"how many, from 1 to {MOST_SEEDS:,}, or a list of so many seeds", value
            )
            return (0,)
        for number, seed in enumerate(value):
            if not is_integer(seed) or not 0 <= seed <= _MOST_SEED:
                self._problems.add((*place, number), f"an integer from 0 to {_MOST_SEED:,}", seed)
            elif seed in value[:number]:
                self._problems.add((*place, number), "seeds that differ", seed)
        return tuple(value)

    def _run_cap(self, method: str | None, seeds: tuple[int, ...], parameters: Distributions) -> int | None:
        """The most trials, which must allow one point; only a grid may go without."""
        fields, problems = self._fields, self._problems
        place, cap = fields.at("run_cap"), fields.integer("run_cap", 1, MOST_TRIALS)
        if cap is not None and cap < len(seeds):
            problems.add(place, f"at least {len(seeds)}, since each point has {len(seeds)} seeds", cap)
        if cap is not None or fields.has("run_cap") or method is None:
            return cap
        if method != "grid":
            problems.lacking(place, f"how many trials, since {method} has no end of its own")
            return None
        points = count_points(parameters)
        if points is not None and points * len(seeds) > MOST_TRIALS:
            given = shown(points * len(seeds))
            hint = "`run_cap:` runs the first so many, and `method: random` draws from all of them"
            where = fields.at("parameters")
            problems.append(Problem(where, f"a grid of at most {MOST_TRIALS:,} trials", given, hint))
        return None
