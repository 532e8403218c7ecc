"""How many epochs a resumed training job has."""

import pytest

from jobs.errors import InvalidJob
from jobs.spec import JobSpec
from jobs.specs.epochs import with_epochs

SPEC = JobSpec.make("denoiser", "train", parameters={"epochs": 20, "noise": 1}, seed=3, name="mine")


@pytest.mark.parametrize(
    ("epochs", "total"), [(None, 20), (30, 30), ("30", 30), ("+10", 15), ("+1", 6), ("6.0", 6), (6, 6)]
)
def test_the_total_is_given_or_counted_from_what_was_done(epochs: str | int | None, total: int) -> None:
    resumed = with_epochs(SPEC, 5, epochs)
    assert resumed.parameters.model_dump() == SPEC.parameters.model_dump() | {"epochs": total}
    assert resumed.model_copy(update={"parameters": SPEC.parameters}) == SPEC


@pytest.mark.parametrize(
    ("done", "epochs", "given", "hint"),
    [
        (20, None, "none", "the job has done 20 epochs"),
        (1, 1, "1", "the job has done 1 epoch"),
        (1, "1", "1", "the job has done 1 epoch"),
        (2_000, "5", "5", "the job has done 2,000 epochs"),
        (5, "+0", "+0", "the job has done 5 epochs"),
    ],
)
def test_epochs_that_are_done_already_are_refused(
    done: int, epochs: str | int | None, given: str, hint: str
) -> None:
    with pytest.raises(InvalidJob) as caught:
        with_epochs(SPEC, done, epochs)
    error = caught.value
    assert str(error) == f"epochs: expected an integer > {done}, or +N for N more epochs, got {given}"
    assert (error.field, error.given, error.hint) == ("epochs", given, hint)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ("many", "an integer"),
        ("+many", "an integer"),
        ("", "an integer"),
        (0, "an integer ≥ 1"),
        (-1, "an integer ≥ 1"),
        ("+999999999", "an integer ≤ 1,000,000"),
        ("+" + "9" * 5_000, "an integer"),
        ("9" * 5_000, "an integer"),
    ],
)
def test_what_is_not_a_number_of_epochs_is_refused(epochs: str | int, expected: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        with_epochs(SPEC, 5, epochs)
    assert (caught.value.field, caught.value.expected) == ("epochs", expected)
    assert len(str(caught.value)) < 200
