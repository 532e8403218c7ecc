"""The four counts of a classifier with two classes, and every measure that is made of them alone."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.report.intervals import share_interval

HALF = 0.5
"""The threshold that a model has without another one, beside which any other is shown."""

Target = Literal["precision", "recall"]
"""What a threshold can be chosen for."""

Labels = NDArray[np.uint8]
Probabilities = NDArray[np.float64]


MEASURES = ("balanced_accuracy", "accuracy", "precision", "recall", "f1")


class Confusion(NamedTuple):
    """How many reviews of each class were called what.

    A measure that would divide by zero has no value: precision where nothing is called positive, recall where
    nothing is positive.
    """

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int

    @property
    def reviews(self) -> int:
        """All of them."""
        return sum(self)

    @property
    def positives(self) -> int:
        """Reviews that are positive."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> int:
        """Reviews that are negative."""
        return self.true_negatives + self.false_positives

    @property
    def called_positive(self) -> int:
        """Reviews that were called positive."""
        return self.true_positives + self.false_positives

    @property
    def majority_share(self) -> float:
        """The accuracy of calling every review what most of them are."""
        return max(self.positives, self.negatives) / self.reviews

    def measures(self) -> dict[str, float]:
        """Compute `balanced_accuracy`, `accuracy`, `precision`, `recall` and `f1`, those that have a value.

        Balanced accuracy is the mean of the shares of positive and of negative reviews that are called what
        they are: 0.5 for any constant answer, however rare a class; equal to the accuracy where both are
        equally frequent. Brodersen et al. (2010), https://doi.org/10.1109/ICPR.2010.764
        """
        values = {name: share[0] / share[1] for name, share in self._shares().items() if share[1]}
        recalls = self._recalls()
        if recalls:
            values["balanced_accuracy"] = sum(hits / count for hits, count in recalls) / 2
        if "jaccard" in values:
            values["f1"] = _f1(values.pop("jaccard"))
        return {name: values[name] for name in MEASURES if name in values}

    def intervals(self) -> dict[str, float]:
        """Compute the ends of the 95 % intervals of `measures`, as `<name>_low` and `<name>_high`.

        They are Wilson's, which hold for any count, and at 0 and 1. That of F1 is the interval of the share
        TP / (TP + FP + FN), of which F1 is a rising function. That of balanced accuracy joins those of two
        independent shares: Zou and Donner (2008), https://doi.org/10.1002/sim.3095
        """
        found = {name: share_interval(*share) for name, share in self._shares().items() if share[1]}
        if self._recalls():
            found["balanced_accuracy"] = self._balanced_interval()
        if "jaccard" in found:
            low, high = found.pop("jaccard")
            found["f1"] = (_f1(low), _f1(high))
        ends = {}
        for name in MEASURES:
            if name in found:
                ends[f"{name}_low"], ends[f"{name}_high"] = found[name]
        return ends

    def _shares(self) -> dict[str, tuple[int, int]]:
        """The measures that are shares: of how many reviews, how many count."""
        right = self.true_positives + self.true_negatives
        return {
            "accuracy": (right, self.reviews),
            "precision": (self.true_positives, self.called_positive),
            "recall": (self.true_positives, self.positives),
            "jaccard": (self.true_positives, self.reviews - self.true_negatives),
        }

    def _recalls(self) -> tuple[tuple[int, int], ...]:
        """Reviews called what they are, and all, of each class; nothing where one class has no reviews."""
        if not self.positives or not self.negatives:
            return ()
        return (self.true_positives, self.positives), (self.true_negatives, self.negatives)

    def _balanced_interval(self) -> tuple[float, float]:
        shares = [hits / count for hits, count in self._recalls()]
        ends = [share_interval(hits, count) for hits, count in self._recalls()]
        middle = sum(shares) / 2
        down = math.hypot(*(share - low for share, (low, _) in zip(shares, ends, strict=True))) / 2
        up = math.hypot(*(high - share for share, (_, high) in zip(shares, ends, strict=True))) / 2
        return max(0.0, middle - down), min(1.0, middle + up)


def confusion_of(labels: Labels, probabilities: Probabilities, threshold: float) -> Confusion:
    """Count what reviews are against what they are called.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.
    """
    called = probabilities >= threshold
    return Confusion(*np.bincount(2 * labels.astype(np.int64) + called, minlength=4).tolist())


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
