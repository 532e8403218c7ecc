"""What the loop trains: the form that a model, its data and its way of making a step have in common."""

from collections.abc import Sequence
from typing import Any, Protocol


class Trainable(Protocol):
    """What `fit` drives: a model, its data and its way of making a step."""

    steps: int
    """Steps in one epoch."""

    chunk: int
    """Steps made in one call. A stop is noticed between two calls, so keep a call under a second."""

    def variables(self) -> Sequence[Any]:
        """Return all that a step changes, as Keras or TensorFlow variables in a stable order.

        Weights, the optimizer's variables, carried state.
        """
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Prepare the order, the noise, … of an epoch (counted from 0) from (seed, epoch) alone."""
        ...

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch.

        The first call compiles, so a step is made once before those that count, and undone: nothing but
        `variables` may remember it.
        """
        ...

    def measure(self) -> dict[str, float]:
        """Return the losses after an epoch: `loss` and `validation_loss` at least."""
        ...


class Observable(Trainable, Protocol):
    """What a Trainable may have besides: whatever it has of these is recorded."""

    learning_rate: float
    """The step size of the latest step, for the history."""

    def recent_loss(self, since: int, step: int, total: float) -> tuple[float, float]:
        """Return the training loss within an epoch, for the curve and for those who watch.

        Args:
            since: steps of this epoch that were done when this was last called, 0 for none.
            step: those that are done now.
            total: what was returned at that call, 0 for none.

        Returns:
            The loss of the steps since then, or of the present weights, and a number for the next call, which
            a checkpoint holds meanwhile.
        """
        ...
