"""The loss curve: what it shows and says, with short and odd histories as well."""

import pytest

from worker.report.loss_curve import loss_curve
from worker.report.theme import themed


def test_the_loss_curve_says_in_words_what_it_shows() -> None:
    losses = [(0.25, 0.24), (0.12, 0.11), (0.10, 0.13)]
    history = [
        {"epoch": float(epoch), "loss": loss, "validation_loss": validation}
        for epoch, (loss, validation) in enumerate(losses, start=1)
    ]
    with themed():
        figure = loss_curve(history)
    assert figure is not None
    assert "training loss went from 0.2500 to 0.1000 in 3 epochs." in figure.alt
    assert "validation loss went from 0.2400 to 0.1300 in 3 epochs, lowest 0.1100 in epoch 2." in figure.alt


@pytest.mark.parametrize(
    ("history", "words_in_it"),
    [
        ([{"epoch": 1.0, "loss": 0.5, "validation_loss": 0.4}], "is 0.5000 after epoch 1"),
        ([{"epoch": 1.0, "loss": 0.5}], "is 0.5000 after epoch 1"),
        ([{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": float("nan")}], "is 0.5000 after epoch 1"),
        ([{"epoch": float(epoch), "loss": 1e12 / epoch} for epoch in range(1, 500)], "10¹²"),
    ],
)
def test_the_loss_curve_copes_with_short_and_odd_histories(
    history: list[dict[str, float]], words_in_it: str
) -> None:
    with themed():
        figure = loss_curve(history)
    assert figure is not None
    assert words_in_it in figure.caption


@pytest.mark.parametrize(
    "history", [[], [{"epoch": 1.0, "seconds": 2.0}], [{"epoch": 1.0, "loss": float("inf")}]]
)
def test_no_loss_makes_no_curve(history: list[dict[str, float]]) -> None:
    assert loss_curve(history) is None
