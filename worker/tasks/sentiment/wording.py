"""Numbers as the texts of the review model's reports write them."""

from decimal import Decimal

from worker.report.formatting import number


def threshold_text(threshold: float) -> str:
    """A threshold with all its digits: given back as `--threshold`, it is the same number."""
    text = f"{Decimal(repr(threshold)):f}"
    return text.removesuffix(".0")


def percent(share: float) -> str:
    """A share that a person gave, with the digits that they gave: `95 %`, `99.5 %`."""
    return f"{(Decimal(repr(share)) * 100).normalize():f} %"


def rounded(value: float, digits: int = 4) -> str:
    """A measured number, rounded as the report's tables and tiles round it."""
    return number(float(value), digits)


def rounded_percent(count: float, of: float) -> str:
    """A measured share as a percentage with one decimal: `66.7 %`."""
    return f"{number(float(Decimal(repr(float(count / of))) * 100), 1)} %"
