"""Finds the models: the wings in `worker/tasks/`, and packages that announce one by an entry point.

A model is known by name as soon as its folder exists, or an entry point of the group `quartet.models` names
one in another package. Only a wing's `spec.py` is imported here, when it is first needed;
`worker/engine/wings.py` loads the modules that a worker needs.
"""

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from jobs.errors import InvalidJob, InvalidModel
from jobs.wording import alternatives

if TYPE_CHECKING:  # pydantic is not needed to know the names of the models
    from jobs.datasets import Dataset
    from jobs.parameters import Parameters

BUILT_IN = "worker.tasks"
"""The package whose folders are the models that come with Quartet."""

ENTRY_POINTS = "quartet.models"
"""The group in which another package announces a model: the model's name -> the package that is its wing."""

HEAVY = ("tensorflow", "keras", "numpy", "matplotlib", "celery")
"""Packages that a `spec.py` may not load, since the command line imports it to describe a job."""

CLASSES = {"train": "Train", "evaluate": "Evaluate", "generate": "Generate"}
"""The class of each action's parameters in a `spec.py`."""

TAKEN = frozenset(
    [
        *("data", "from", "source", "seed", "time_limit", "priority", "name", "tags", "tag"),
        *("fresh", "watch", "in_place", "yes", "json", "help"),
        *("method", "run_cap", "parallel", "metric", "goal", "early_terminate", "min_iter", "eta", "then"),
        *("max_failures", "dry_run"),
    ]
)
"""Names that no parameter may have: every job, or every sweep, has options of these names."""


@cache
def packages() -> Mapping[str, tuple[str, ...]]:
    """Each model's name -> the packages that claim to be its wing, of which there should be one.

    Nothing is imported. A model that breaks its contract is here as well: only its own jobs are refused.
    """
    folder = Path(__file__).parent.parent / BUILT_IN.replace(".", "/")
    names = sorted(path.parent.name for path in folder.glob("*/spec.py"))
    found = {name: [f"{BUILT_IN}.{name}"] for name in names}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (point.name, point.value)):
        claims = found.setdefault(point.name, [])
        if point.value not in claims:
            claims.append(point.value)
    return MappingProxyType({name: tuple(claims) for name, claims in found.items()})


def model_names() -> tuple[str, ...]:
    """The names of all models, the built-in ones first, each group in alphabetical order."""
    return tuple(packages())


def parameters_of(model: str, action: str) -> "type[Parameters]":
    """The class of a job's parameters.

    Args:
        model: a model's name.
        action: train, evaluate or generate.

    Raises:
        InvalidJob: there is no such model or action.
        InvalidModel: the model's `spec.py` lacks something, or loads what it may not.
    """
    if not isinstance(model, str) or model not in packages():
        raise InvalidJob.unknown("model", model, model_names())
    if not isinstance(action, str) or action not in CLASSES:
        raise InvalidJob.unknown("action", action, CLASSES)
    return _classes(model)[action]


def all_parameters() -> "Iterator[type[Parameters]]":
    """The parameter classes of all models and actions, without those of models that break their contract."""
    for model in packages():
        with suppress(InvalidModel):
            yield from _classes(model).values()


@cache
def datasets() -> "Mapping[str, Dataset]":
    """Every dataset that some model reads, by name."""
    return MappingProxyType({dataset.name: dataset for kind in all_parameters() for dataset in kind.datasets})


@cache
def _classes(model: str) -> "Mapping[str, type[Parameters]]":
    """A model's parameter classes by action, each checked."""
    from jobs.parameters import Parameters

    spec = import_part(model, "spec")
    for action, name in CLASSES.items():
        kind = getattr(spec, name, None)
        if not (isinstance(kind, type) and issubclass(kind, Parameters)):
            raise lacking(model, "spec", f"a class {name}, a subclass of jobs.parameters.Parameters")
        if getattr(kind, "action", None) != action:
            raise lacking(model, "spec", f"a class {name} whose action is {action!r}")
        if kind.__module__ != spec.__name__:  # it would get this model's name
            raise lacking(model, "spec", f"a class {name} of its own, not that of {kind.__module__}")
        _check_kind(model, kind)
        kind.model = model
    kinds = {action: getattr(spec, name) for action, name in CLASSES.items()}
    _check_dataset_names(model, kinds.values())
    return kinds


def _check_kind(model: str, kind: "type[Parameters]") -> None:
    """Refuse parameters whose names, datasets or forms the command line cannot use."""
    from jobs.datasets import Dataset, Form

    name = kind.__name__
    if not all(isinstance(each, Dataset) for each in kind.datasets):
        raise lacking(model, "spec", f"a class {name} whose datasets are of jobs.datasets.Dataset")
    if not all(isinstance(each, Form) for each in kind.forms):
        raise lacking(model, "spec", f"a class {name} whose forms are of jobs.datasets.Form")
    if kind.action == "train" and kind.takes_data() and not kind.datasets:
        raise lacking(model, "spec", f"a class {name} with datasets, of which the first is the default")
    taken = TAKEN.intersection(kind.model_fields)
    if taken:
        raise InvalidModel(
            f"model {model}, spec.py",
            expected=f"a class {name} whose parameters leave the options of every job alone",
            given=f"a parameter {min(taken)}",
        )


def _check_dataset_names(model: str, kinds: "Iterable[type[Parameters]]") -> None:
    """Refuse a model with a dataset of its own under the name of an earlier model's dataset."""
    mine = {dataset.name: dataset for kind in kinds for dataset in kind.datasets}
    if packages()[model][0].startswith(f"{BUILT_IN}."):
        return  # a test compares those; each submit would have to load all of them
    for earlier in takewhile(lambda name: name != model, packages()):
        try:
            theirs = _classes(earlier)
        except InvalidModel:
            continue
        for dataset in (each for kind in theirs.values() for each in kind.datasets):
            if mine.get(dataset.name, dataset) != dataset:
                raise InvalidModel(
                    f"model {model}",
                    expected="names of datasets that no other model uses",
                    given=f"{dataset.name!r}, which model {earlier} uses",
                )


def import_part(model: str, part: str) -> ModuleType:
    """Import a module of a model's wing; `spec` may load nothing heavy.

    Args:
        model: a model's name.
        part: the module's name: `spec`, `metrics`, `task` or `report`.

    Raises:
        KeyError: there is no such model.
        InvalidModel: several packages claim to be the wing, it has no such module, the module cannot be
            imported, or it is a `spec.py` that loads what it may not.
    """
    package = _the_one_package(model)
    name = f"{package}.{part}"
    try:
        with _only_light_imports(model) if part == "spec" else nullcontext():
            return import_module(name)
    except InvalidModel:
        raise
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and f"{name}.".startswith(f"{missing}."):
            raise lacking(model, part, f"a module {part}.py in the package {package}") from None
        raise InvalidModel(
            f"model {model}, {part}.py",
            expected="a module that can be imported",
            given=f"{type(error).__name__} ({error})",
        ) from error


def _the_one_package(model: str) -> str:
    """The package that is a model's wing."""
    package, *others = packages()[model]
    if others:
        raise InvalidModel(
            f"model {model}",
            expected="one package",
            given=alternatives([package, *others], last="and"),
            hint=f"uninstall all but one; the group of entry points is {ENTRY_POINTS}",
        )
    if package.rpartition(".")[2] != model:
        raise InvalidModel(
            f"model {model}", expected=f"a package whose last part is {model!r}", given=repr(package)
        )
    return package


def lacking(model: str, part: str, expected: str) -> InvalidModel:
    """The error for a wing that lacks part of the contract.

    Args:
        model: a model's name.
        part: the module that should have it, without its suffix.
        expected: the missing part, with its article.
    """
    return InvalidModel(
        f"model {model}, {part}.py",
        expected=expected,
        given="none",
        hint="CONTRIBUTING.md shows a whole model",
    )


@contextmanager
def _only_light_imports(model: str) -> Iterator[None]:
    """Refuse to import anything heavy in this thread, for the length of the block."""
    guard: Any = _Guard(model, threading.get_ident())
    # A new list each time: another thread may be going through the present one, and would skip a finder.
    with _finders_lock:
        sys.meta_path = [guard, *sys.meta_path]
    try:
        yield
    finally:
        with _finders_lock:
            sys.meta_path = [finder for finder in sys.meta_path if finder is not guard]


_finders_lock = threading.Lock()


class _Guard(MetaPathFinder):
    """The first of all finders, which finds nothing and refuses heavy packages to one thread.

    Another thread may load TensorFlow at the same time.
    """

    def __init__(self, model: str, thread: int) -> None:
        self._model, self._thread = model, thread

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        """Refuse a heavy package; leave all others to the next finder.

        Raises:
            InvalidModel: the package is heavy.
        """
        package = fullname.partition(".")[0]
        if threading.get_ident() == self._thread and package in HEAVY:
            raise InvalidModel(
                f"model {self._model}, spec.py",
                expected=f"a module that loads none of {alternatives(list(HEAVY))}",
                given=f"an import of {package}",
                hint="move the code that needs it to task.py, network.py or report.py",
            )
        return None
