"""Refuses a training job that could not fit into memory, before anything is allocated."""

from jobs.errors import InvalidJob

LIMIT_GB = 16
"""For the weights and one training step; a job that needs more is taken for a typo."""


def check_memory(fields: str, needed_bytes: float) -> None:
    """Refuse parameters that need too much memory.

    Args:
        fields: the parameters that decide how much: `batch_size, window, layers and units`.
        needed_bytes: what the weights and one training step need at least.

    Raises:
        InvalidJob: they need more than `LIMIT_GB`.
    """
    if needed_bytes / 1e9 > LIMIT_GB:
        raise InvalidJob(
            fields,
            expected=f"at most {LIMIT_GB} GB for a training step",
            given=f"about {needed_bytes / 1e9:,.0f} GB",
        )
