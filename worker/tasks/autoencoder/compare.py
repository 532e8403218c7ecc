"""What only autoencoders have to compare: the same digits in rows."""

from collections.abc import Sequence

from worker.images.compared_rows import rows_of_outputs
from worker.report.blocks import Blocks, Compared


def compare(runs: Sequence[Compared]) -> Blocks:
    """Yield what the page of a comparison shows of autoencoders.

    Args:
        runs: the best first.
    """
    yield from rows_of_outputs(
        runs,
        {"evaluate": "output", "train": "output"},
        given={"evaluate": "original", "train": "original"},
    )
