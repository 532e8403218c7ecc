"""Checks the value of `--data`: a dataset's name, the name of stored data, or a path on this machine."""

import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from jobs.datasets import Form, shown_path
from jobs.errors import InvalidData
from jobs.models import datasets
from jobs.parameters import Parameters
from jobs.store.own_data import OwnData
from jobs.store.own_data_pin import Pin
from jobs.wing_checks import check_own_data
from jobs.wording import alternatives, shown, with_article


def check_data(
    kind: type[Parameters],
    value: str,
    *,
    base: Path | None = None,
    parameters: Parameters | None = None,
    note: Callable[[str], object] = lambda _: None,
    store: OwnData | None = None,
) -> str:
    """Check a dataset's name, stored data, or a path and what is there, before a job is queued.

    What is there is checked by the model's own `own_data.py`, if it has one, and as far as that goes: the
    worker's reader decides.

    Args:
        kind: the parameter class of the job that will read it.
        value: a dataset's name, the name or the pin of stored data, or a path.
        base: the folder that a relative path starts from; without it, the working folder.
        parameters: of the job that will read it, if they are known: they may say how it is read.
        note: gets each sentence about how the job will read it, where that may surprise.
        store: where stored data is; without it, there is none.

    Returns:
        A dataset's name as it is; the pin of stored data; or the path made absolute, in which symbolic links
        are kept.

    Raises:
        InvalidData: the job reads no data, the dataset is of another kind, the path does not exist, or it
            leads to something that the job cannot read.
    """
    checked = check_named(kind, value, base=base, store=store)
    if checked not in datasets():
        pin = Pin.read(checked)
        path = Path(checked) if pin is None or store is None else store.find(pin)
        called = path.name if pin is None else pin.name  # and not by the name of its content
        for sentence in check_own_data(kind.model, kind.action, path, parameters):
            note(sentence.replace(path.name, called))
    return checked


def check_named(
    kind: type[Parameters], value: str, *, base: Path | None = None, store: OwnData | None = None
) -> str:
    """Check as `check_data` does, but by names and types alone.

    Args:
        kind: the parameter class of the job that will read it.
        value: as for `check_data`.
        base: the folder that a relative path starts from; without it, the working folder.
        store: where stored data is; without it, there is none.

    Returns:
        As `check_data` does.

    Raises:
        InvalidData: as `check_data` does, whatever the path leads to.
    """
    if not kind.takes_data():
        raise InvalidData(
            "data",
            expected=f"nothing, since {kind.model} {kind.action} reads none",
            given=shown(value),
            hint="leave out --data",
        )
    if value in dataset_names(kind):
        return value
    if value in datasets():
        raise InvalidData(
            "data",
            expected=expected_data(kind),
            given=f"{value!r}, which holds {datasets()[value].kind}",
        )
    pin = None if store is None else store.pin(value)
    if store is not None and pin is not None:
        check_form(kind, store.find(pin), pin.shown)
        return str(pin)
    return _check_path(kind, value, base or Path(), store)


def check_form(kind: type[Parameters], path: Path, called: str) -> None:
    """Refuse stored data that has no form which the job reads.

    Args:
        kind: the parameter class of the job.
        path: of the data.
        called: what it is called in the message.

    Raises:
        InvalidData: it has none.
        OSError: it cannot be read.
    """
    problem = _problem(path, path.stat().st_mode, kind.forms)
    if problem:
        raise InvalidData("data", expected=expected_data(kind), given=f"{called}, {problem}")


def has_form(kind: type[Parameters], path: Path) -> bool:
    """Whether a path leads to something of a form that a job reads."""
    try:
        return _problem(path, path.stat().st_mode, kind.forms) is None
    except (OSError, ValueError):
        return False


def _check_path(kind: type[Parameters], value: str, base: Path, store: OwnData | None) -> str:
    """A path made absolute, once what it leads to has a form that the job reads."""
    path = Path(value)
    try:
        path = (base / path.expanduser()).absolute()
        problem = _problem(path, path.stat().st_mode, kind.forms)
    except FileNotFoundError:
        if not {"/", "."} & set(value):
            paths = f", or the path of {alternatives(list(_words(kind)))}" if kind.forms else ""
            error = InvalidData.unknown("data", value, dataset_names(kind), paths)
            error.hint = error.hint or (store.similar(value) if store is not None else None)
            raise error from None
        problem = "which does not exist"
    except OSError as error:
        problem = f"which cannot be read ({(error.strerror or 'no reason given').lower()})"
    except ValueError:
        problem = "which is not a valid path, since it holds a NUL"
    except RuntimeError:
        problem = "which names the home folder of an unknown user"
    if problem:
        raise InvalidData("data", expected=expected_data(kind), given=f"{shown_path(path)}, {problem}")
    return str(path)


def dataset_names(kind: type[Parameters]) -> list[str]:
    """The names of the datasets that a job with these parameters may read."""
    return [dataset.name for dataset in kind.datasets]


def expected_data(kind: type[Parameters]) -> str:
    """What `--data` may be: `<names>, an .npz file or a folder of image files`."""
    return alternatives([*dataset_names(kind), *_words(kind)])


def _words(kind: type[Parameters]) -> Iterable[str]:
    return (form.words for form in kind.forms)


def _problem(path: Path, mode: int, forms: tuple[Form, ...]) -> str | None:
    """What is wrong with an existing path, to be read after it; None if the job can read it."""
    if stat.S_ISDIR(mode):
        folders = [form for form in forms if form.folder]
        if not folders:
            return "a folder"
        if not any(form.holds is None or form.holds(path) for form in folders):
            return f"a folder without {alternatives([form.content for form in folders])}"
    elif not stat.S_ISREG(mode):
        return "which is neither a file nor a folder"
    elif path.suffix.lower() not in (suffix for form in forms for suffix in form.suffixes):
        return with_article(f"{path.suffix} file") if path.suffix else "a file without a suffix"
    return None
