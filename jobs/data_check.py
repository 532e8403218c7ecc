"""Checks the value of `--data`: a dataset's name, or a path on this machine."""

import stat
from collections.abc import Iterable
from pathlib import Path

from jobs.datasets import Form, shown_path
from jobs.errors import InvalidData
from jobs.models import datasets
from jobs.parameters import Parameters
from jobs.wording import alternatives, shown, with_article


def check_data(kind: type[Parameters], value: str, *, base: Path | None = None) -> str:
    """Check a dataset's name or a path, by names and types alone.

    Args:
        kind: the parameter class of the job that will read it.
        value: a dataset's name, or a path.
        base: the folder that a relative path starts from; without it, the working folder.

    Returns:
        The name as it is, or the path made absolute; symbolic links in it are kept.

    Raises:
        InvalidData: the job reads no data, the dataset is of another kind, the path does not exist, or it
            leads to something that the job cannot read.
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
    return _check_path(kind, value, base or Path())


def _check_path(kind: type[Parameters], value: str, base: Path) -> str:
    """A path made absolute, once what it leads to has a form that the job reads."""
    path = Path(value)
    try:
        path = (base / path.expanduser()).absolute()
        problem = _problem(path, path.stat().st_mode, kind.forms)
    except FileNotFoundError:
        if not {"/", "."} & set(value):
            paths = f", or the path of {alternatives(list(_words(kind)))}" if kind.forms else ""
            raise InvalidData.unknown("data", value, dataset_names(kind), paths) from None
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
    """What `--data` may be: `<names>, an .npz file or a folder of PNG files`."""
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
