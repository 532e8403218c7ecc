"""A card shows how far a sweep is, and its best points."""

import pytest

from jobs.client import Client
from jobs.sweeps.distributions import Distribution
from jobs.sweeps.sweep_spec import Halving
from tests.notebook.conftest import png
from tests.notebook.test_job_card import read
from tests.support.report_folders import HOSTILE
from tests.sweeps.stand_in_worker import StandIn, bowl, sweep_of


def test_a_card_has_state_counts_the_best_points_a_picture_and_a_link(client: Client) -> None:
    client.create_sweep(sweep_of(seeds=(0, 1)))
    StandIn(client, lambda point: None if point["learning_rate"] == 0.1 else bowl(point)).run()
    sweep = client.find_sweep("bowl")
    best = sweep.best
    assert best is not None
    figures = client.results.root / best.job / "figures"
    figures.mkdir()
    (figures / "thumbnail.png").write_bytes(png())
    (client.results.root / "sweeps" / "bowl" / "compare.html").write_text("a page")
    card = read(sweep._repr_html_())
    for text in ("ended", "autoencoder train, grid", "bowl", "validation_bce 0 ± 0 (2)", "learning_rate",
                 "6 trials: 4 succeeded, 2 failed", "0.009", "2 best of 3 points"):  # fmt: skip
        assert text in card.text, text
    assert card.links[1] == "results/sweeps/bowl/compare.html"


def test_with_halving_a_point_says_that_it_did_not_get_on_and_after_how_many_epochs(client: Client) -> None:
    epochs = Distribution(distribution="constant", values=(4,))
    parameters = {**sweep_of().parameters, "epochs": epochs}
    client.create_sweep(sweep_of(parameters=parameters, early_terminate=Halving(eta=2, min_iter=2)))
    StandIn(client).run()
    text = read(client.find_sweep("bowl")._repr_html_()).text
    assert text.count("not promoted after 2 epochs") == 2
    assert "not complete" not in text


def test_a_sweep_that_runs_has_a_bar_and_no_points_yet(client: Client) -> None:
    card = client.create_sweep(sweep_of())._repr_html_()
    assert 'aria-valuenow="0"' in card
    assert "<table>" not in card
    assert "0 trials of at most 3" in read(card).text


def test_names_and_reasons_are_shown_as_text(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = client.create_sweep(sweep_of())
    monkeypatch.setattr(type(sweep), "state", "stopped")
    for text in HOSTILE:
        monkeypatch.setattr(type(sweep), "why", text)
        monkeypatch.setattr(type(sweep), "name", text)
        read(sweep._repr_html_())


def test_a_sweep_of_another_version_is_shown_without_its_trials(client: Client) -> None:
    sweep = client.create_sweep(sweep_of())
    sweep._record.__dict__["described"] = '{"name": "bowl", "model": "<script>"}'
    sweep.__dict__.pop("spec", None)
    card = read(sweep._repr_html_())
    assert "bowl" in card.text
