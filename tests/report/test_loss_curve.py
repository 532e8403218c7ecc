"""The loss curve: what it shows and says, with short and odd histories as well."""

import pytest

from worker.report.loss_curve import loss_curve, loss_within_epochs
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


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 40, 1_000])
def test_the_epochs_on_the_axis_are_whole_and_those_that_were_trained(epochs: int) -> None:
    history = [{"epoch": float(epoch), "loss": 1 / epoch} for epoch in range(1, epochs + 1)]
    with themed():
        figure = loss_curve(history, "nats per pixel")
        assert figure is not None
        (axes,) = figure.drawing.axes
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == round(tick) and 0 <= tick <= epochs for tick in ticks)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss, nats per pixel")


def test_the_losses_within_epochs_are_drawn_by_step_and_summed_up_in_words() -> None:
    points = [{"epoch": step / 10, "step": float(step), "loss": 2.0 / step} for step in (1, 5, 10, 20)]
    with themed():
        figure = loss_within_epochs(points, "nats")
    (axes,) = figure.drawing.axes
    assert "was 2.000 at step 1 and 0.1000 at step 20, in epoch 2." in figure.caption
    assert "step" in axes.get_xlabel()
    assert axes.get_ylabel() == "loss, nats"


def test_the_learning_rate_is_said_beside_the_curve() -> None:
    def caption(*rates: float) -> str:
        history = [
            {"epoch": float(epoch), "loss": 0.5, "learning_rate": rate}
            for epoch, rate in enumerate(rates, start=1)
        ]
        with themed():
            figure = loss_curve(history)
        assert figure is not None
        return figure.caption

    assert "The learning rate was 0.001000." in caption(0.001, 0.001)
    assert "ended the first epoch at 0.003000 and the last at 0.001500." in caption(0.003, 0.002, 0.0015)
