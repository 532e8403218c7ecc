"""The distribution of a trained network's codes, as Gaussians to draw new codes from."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.images.arrays import Floats
from worker.images.pixels import Labels
from worker.training.plain_arrays import open_arrays

_MOST_BYTES = 2**24


@dataclass(frozen=True)
class CodeDistribution:
    """One Gaussian over codes for each digit, or a single one where images have no labels.

    A network that only reconstructs defines no distribution to draw codes from; one fitted to its codes
    after training works well (Ghosh et al. 2020, https://arxiv.org/abs/1903.12436).

    Attributes:
        digits: int64 (d,), -1 for images without labels.
        means: float64 (d, units).
        covariances: float64 (d, units, units).
    """

    digits: NDArray[np.int64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    @classmethod
    def fit(cls, codes: Floats, labels: Labels | None) -> "CodeDistribution":
        """Fit the Gaussians.

        Args:
            codes: float32 (n, units), n ≥ 1.
            labels: int64 (n,), or None.

        Returns:
            The distribution of each digit that occurs, digits ascending.
        """
        of_code = np.full(len(codes), -1) if labels is None else labels
        digits = np.unique(of_code)
        groups = [codes[of_code == digit].astype(np.float64) for digit in digits]
        return cls(
            digits,
            np.stack([group.mean(axis=0) for group in groups]),
            np.stack([np.cov(group, rowvar=False, bias=True) for group in groups]),
        )

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
        """Draw codes, digit by digit in turn.

        Args:
            count: how many.
            rng: source of randomness.

        Returns:
            Codes float32 (count, units), clipped at 0 from below, and their digits int64 (count,).
        """
        turns = np.arange(count) % len(self.digits)
        codes = np.empty((count, self.means.shape[1]), np.float32)
        for turn in np.unique(turns):
            chosen = turns == turn
            codes[chosen] = rng.multivariate_normal(
                self.means[turn], self.covariances[turn], np.count_nonzero(chosen), method="eigh"
            )
        return np.maximum(codes, 0), self.digits[turns]

    def write(self, path: Path) -> None:
        """Write it as an .npz file of plain arrays."""
        np.savez(path, allow_pickle=False, **vars(self))

    @classmethod
    def read(cls, path: Path) -> "CodeDistribution":
        """Read what `write` wrote.

        Raises:
            DamagedFolder: the file is something else, or has numbers that are not finite.
            OSError: there is none, or it cannot be read.
        """
        with open_arrays(path, _MOST_BYTES, "a distribution of codes") as stored:
            found = cls(*(stored.read_finite(field.name) for field in fields(cls)))
            count, units = found.means.shape
            shapes = ((count,), (count, units), (count, units, units))
            arrays = (found.digits, found.means, found.covariances)
            if not count or tuple(array.shape for array in arrays) != shapes:
                raise ValueError("its arrays do not fit together")
            if [array.dtype.kind for array in arrays] != ["i", "f", "f"]:
                raise ValueError("its arrays have other types")
            return found
