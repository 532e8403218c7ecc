"""Which values a sweep gives a parameter, with the keys that W&B's sweep files have for it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from jobs.parameters import Checked

Scalar = int | float | str
Value = Scalar | tuple[Scalar, ...]
"""A value of a parameter: one scalar, or the list that a parameter of several values takes."""

Point = dict[str, Value]
"""The values of the parameters that vary, by name."""

MOST_VALUES = 1_000
"""Values that a person may list for one parameter."""


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Distribution(Checked):
    """The values that one parameter may have.

    Attributes:
        distribution: how they are spread; `constant` has one value.
        values: of a `categorical` or `constant` one, in the order in which they were written.
        min: the smallest value of any other.
        max: the largest value.
        q: the values are multiples of it; None where they are not rounded. For `int_uniform` it is None.
    """

    distribution: Literal["constant", "categorical", "int_uniform", "uniform", "log_uniform_values"]
    values: tuple[Annotated[Value, BeforeValidator(_hashable)], ...] = ()
    min: float | None = None
    max: float | None = None
    q: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.listed:
            if not self.values or self.min is not None or self.max is not None or self.q is not None:
                raise ValueError(f"values alone for a {self.distribution} distribution")
            if self.distribution == "constant" and len(self.values) != 1:
                raise ValueError("one value for a constant distribution")
        elif self.values or self.min is None or self.max is None or not self.min < self.max:
            raise ValueError(f"min < max for a {self.distribution} distribution")
        elif self.log and not self.min > 0:
            raise ValueError("min > 0 for a distribution on a log scale")
        return self

    @property
    def listed(self) -> bool:
        """Whether its values are listed, so that a grid can have them all."""
        return self.distribution in ("constant", "categorical")

    @property
    def log(self) -> bool:
        """Whether its values are spread evenly on a log scale."""
        return self.distribution == "log_uniform_values"

    @property
    def whole(self) -> bool:
        """Whether its values are integers."""
        return self.distribution == "int_uniform"


Distributions = dict[str, Distribution]
"""Each parameter of a sweep -> its distribution."""
