"""How many reviews a training job needs, and the sentence for fewer."""

from collections.abc import Collection

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.tasks.sentiment.reviews import LABEL_NAMES

FEWEST_OF_A_LABEL = 10
"""Different reviews of each label: two for testing, one for validation, seven to learn from."""

OF_ONE_LABEL = (
    "balanced accuracy, precision and the curves need both; what share of these is called positive, "
    "`quartet submit sentiment generate` tells"
)
"""A hint for an evaluation."""

FEWEST_BESIDE_TEST = 8
"""The same where the data has a test part."""


def check_enough(name: str, label: int, different: int, count: int, *, has_test_part: bool) -> None:
    """Refuse too few different reviews of a label: equal ones are never in two parts.

    Args:
        name: of the data, as it was given.
        label: 1 for positive.
        different: how many different reviews it has, those for testing not among them.
        count: how many in all.
        has_test_part: whether it has others for testing.

    Raises:
        InvalidData: there are too few.
    """
    fewest = FEWEST_BESIDE_TEST if has_test_part else FEWEST_OF_A_LABEL
    if different < fewest:
        given = counted(count, f"{LABEL_NAMES[label]} review")
        where = " outside the test part" if has_test_part else ""
        raise InvalidData(
            shown_path(name),
            expected=f"at least {counted(fewest, 'different review')} of each label{where}",
            given=given if different == count else f"{different} different among {given}",
        )


def check_both_labels(name: str, part: str, labels: Collection[int | None], hint: str | None = None) -> None:
    """Refuse a part whose reviews all have the same label.

    Args:
        name: of the data, as it was given.
        part: what the part is for: `training`.
        labels: those that occur in it.
        hint: for reviews of one label.

    Raises:
        InvalidData: they do.
    """
    missing = [label for label in range(len(LABEL_NAMES)) if label not in labels]
    if missing:
        raise InvalidData(
            shown_path(name),
            expected=f"{part} reviews of both labels",
            given=f"only {LABEL_NAMES[1 - missing[0]]} ones" if labels else "none",
            hint=hint if labels else None,
        )
