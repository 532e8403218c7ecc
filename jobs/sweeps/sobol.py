"""Sobol points: the shares of a scrambled Sobol sequence (Owen 1998), by SciPy."""

from collections.abc import Iterator

BLOCK = 64
"""Rows drawn at once: a power of two, for whose first block Sobol points are balanced."""


def sobol_rows(seed: int, columns: int, start: int) -> Iterator[list[float]]:
    """Rows of the sequence from one on, each of shares from 0, below 1.

    Args:
        seed: of the scrambling: another one gives another sequence.
        columns: shares in a row.
        start: the first row's number, from 0.

    Raises:
        ImportError: SciPy is not installed, which workers have and clients need not.
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(columns, scramble=True, rng=seed)
    block = start // BLOCK * BLOCK
    if block:
        sequence.fast_forward(block)
    skipped = start - block
    while True:
        yield from sequence.random(BLOCK)[skipped:].tolist()
        skipped = 0
