"""What `from jobs import …` gives is a promise; a change here is a change for users."""

import re

import jobs
from jobs import errors


def test_the_public_names() -> None:
    assert jobs.__all__ == ["Client", "Job", "JobSpec", "QuartetError", "Settings"]
    assert all(getattr(jobs, name).__name__ == name for name in jobs.__all__)


def test_the_error_tree_in_the_docstring_is_the_error_tree() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    defined = [
        name for name, value in vars(errors).items() if isinstance(value, type) and name != "QuartetError"
    ]
    assert sorted(drawn) == sorted(defined)


def test_every_error_has_an_exit_code_that_the_readme_names() -> None:
    codes = {value.exit_code for value in vars(errors).values() if isinstance(value, type)}
    assert codes == {1, 2, 3}
