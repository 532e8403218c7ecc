"""Reads descriptions from Python, from options and from files; every mistake of one is reported at once."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from errno import EINVAL
from functools import partial
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import InvalidSweep
from jobs.models import parameters_of
from jobs.store.regular_files import NotRegular, read_regular
from jobs.sweeps.description import Description, Made, read_description
from jobs.sweeps.job_parts import JobParts
from jobs.sweeps.one_line import description_of, expected_range, in_options, option_of, varies
from jobs.sweeps.problems import Problem, Problems, position
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.yaml_tree import MOST_BYTES, InvalidYaml, Node, read_yaml
from jobs.wording import shown

MOST_DESCRIPTIONS = 1_000
MOST_SHOWN = 50
"""Mistakes of a file that are reported; a last line says how many more there are."""


def read_mapping(parts: JobParts, value: Any) -> Description:
    """As `Describer.describe`, with what reads the parts of its jobs."""
    problems = Problems()
    found = read_description(value, parts, problems)
    if found is None or problems:
        raise _error([problem.error() for problem in problems])
    return found


def read_options(
    parts: JobParts,
    model: str,
    action: str,
    parameters: Mapping[str, Sequence[str]],
    fields: Mapping[str, Any],
) -> Description:
    """As `Describer.describe_options`."""
    value, problems = description_of(parameters_of(model, action), parameters, fields), Problems()
    found = read_description(value, parts, problems)
    errors = []
    for problem in problems:
        expected = expected_range(value, problem.place) or problem.expected
        told = replace(problem, expected=expected, hint=problem.hint and in_options(problem.hint))
        errors.append(told.error(name=option_of(problem.place)))
    if not errors and not varies(value):
        hint = f"`quartet submit {model} {action}` queues a single job; a comma separates values, as in 1,2"
        errors = [InvalidSweep("options", expected="several values of one", given="none", hint=hint)]
    if errors or found is None:
        raise _error(errors)
    return replace(found, called=lambda key: option_of((key,)))


def read_file(parts: JobParts, path: Path) -> list[Description]:
    """As `Describer.describe_file`."""
    file, content = _content_of(path)
    try:
        nodes = _descriptions(read_yaml(content))
    except InvalidYaml as error:
        where = f"{file}:{error.line}:{error.column}"
        raise _error([InvalidSweep(where, expected=error.expected, given=error.given)]) from None
    if not 0 < len(nodes) <= MOST_DESCRIPTIONS:
        expected = f"1 to {MOST_DESCRIPTIONS:,} descriptions of a sweep or a job"
        given = f"{len(nodes):,}" if nodes else "none"
        raise _error([InvalidSweep(file, expected=expected, given=given)])
    names = set[str]()
    found: list[Description] = []
    wrong: list[tuple[Node, InvalidSweep]] = []
    for node in nodes:
        problems = Problems()
        described = read_description(node.plain(), parts, problems)
        problems += _repeated_name(described, names)
        wrong += [
            (node.at(problem.place, key=problem.of_key), problem.error(file, node=node))
            for problem in problems
        ]
        if described is not None:
            found.append(replace(described, called=partial(_called, file, node)))
    if wrong:
        wrong.sort(key=lambda each: (each[0].line, each[0].column))
        raise _error([error for _, error in wrong])
    return found


def name_in(made: Made) -> str | None:
    """The name of a sweep or a plain job."""
    return made.name if isinstance(made, SweepSpec) else made.spec.name


def _content_of(path: Path) -> tuple[str, bytes]:
    """What a file is called in messages, and its content."""
    try:
        if str(path) == "-":
            return "standard input", sys.stdin.buffer.read(MOST_BYTES + 1)
        return str(path), read_regular(path.expanduser(), MOST_BYTES, follow=True)
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        given = f"{shown_path(path)} ({(why or 'not a valid path').lower()})"
        hint = "`-` reads from a pipe" if isinstance(error, NotRegular) and error.errno == EINVAL else None
        raise InvalidSweep("file", expected="a YAML file of sweeps", given=given, hint=hint) from None


def _descriptions(documents: list[Node]) -> list[Node]:
    """Each description: a document, or an item of a document that is a list."""
    found: list[Node] = []
    for document in documents:
        found += document.value if isinstance(document.value, list) else [document]
    return found


def _called(file: str, node: Node, key: str) -> str:
    """A key of a description in a file, as messages name it."""
    return f"{position(file, node, (key,))}{key}"


def _repeated_name(described: Description | None, names: set[str]) -> list[Problem]:
    """The mistake of a name that an earlier description of the file has; others are added to `names`."""
    name = None if described is None else name_in(described.made)
    if name is None or name not in names:
        names.update({name} if name is not None else ())
        return []
    return [Problem(("name",), "a name that no other description of the file has", shown(name))]


def _error(problems: list[InvalidSweep]) -> InvalidSweep:
    """All mistakes, or the first so many."""
    more = len(problems) - MOST_SHOWN
    if more > 0:
        last = InvalidSweep("description", expected="fewer mistakes", given=f"{more:,} more")
        problems = [*problems[:MOST_SHOWN], last]
    return InvalidSweep.of(problems)
