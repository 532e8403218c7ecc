"""Every number and table of the character model's jobs, recomputed from their folders and the raw text."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from jobs.store.job_folder import JobFolder
from tests.recomputed import text as own
from tests.recomputed.job_runs import Runs, is_headline, real_data

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]

PARAMETERS = {"epochs": 3, "batch_size": 32, "units": 48}
SAMPLES, PROMPT = 1_000, "ROMEO:\nO"
TOP_K, TOP_P = 6, 0.9

approx = pytest.approx


@dataclass(frozen=True)
class Jobs:
    text: str
    other: str
    """Another text, whose held-out part has a passage of the training text, and of what lies before it."""
    training: JobFolder
    evaluation: JobFolder
    of_other: JobFolder
    generation: JobFolder
    limited: JobFolder
    continued: JobFolder
    """A generation without a prompt."""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    whole, folder = real_data("shakespeare.txt").read_text(), tmp_path_factory.mktemp("textgen")
    text = whole[:120_000]
    training_part, _, _ = own.parts(text)
    passage = training_part[20_000:22_000]
    other = passage + whole[302_000:354_000] + passage + whole[354_000:358_000]
    for name, content in (("some.txt", text), ("other.txt", other)):
        (folder / name).write_text(content)
    runs = Runs.within(folder)
    training = runs.do("textgen", "train", data=folder / "some.txt", seed=2, **PARAMETERS)
    many = {"samples": SAMPLES, "prompt": PROMPT}
    return Jobs(
        text,
        other,
        training,
        runs.do("textgen", "evaluate", source=training),
        runs.do("textgen", "evaluate", source=training, data=folder / "other.txt"),
        runs.do("textgen", "generate", source=training, length=30, temperature=(0, 0.5, 1), **many),
        runs.do(
            "textgen",
            "generate",
            source=training,
            length=2,
            temperature=(0.8,),
            top_k=TOP_K,
            top_p=TOP_P,
            **many,
        ),
        runs.do("textgen", "generate", source=training, length=50, temperature=(0,)),
    )


@pytest.fixture(scope="module")
def network(jobs: Jobs) -> own.Network:
    return own.Network(jobs.training)


@pytest.fixture(scope="module")
def ngrams(jobs: Jobs, network: own.Network) -> own.KneserNey:
    """Of the training text, which an evaluation of the same text chooses its order by as well."""
    return own.KneserNey(own.parts(jobs.text)[0], len(network.characters), 8)


def test_no_passage_is_in_two_of_the_parts_for_training_validation_and_testing(jobs: Jobs) -> None:
    training, validation, held_out = own.parts(jobs.text)
    for part in (validation, held_out):
        assert not own.is_seen(training, part).any()
    stated = next(iter(jobs.training.job["data"].values()))
    assert (stated["training_characters"], stated["validation_characters"]) == (
        len(training),
        len(validation),
    )
    assert next(iter(jobs.evaluation.job["data"].values()))["measured_characters"] == len(held_out)
    assert len(training) + len(validation) + len(held_out) == len(jobs.text)


def test_the_vocabulary_and_the_words_are_those_of_the_text_before_the_held_out_part(
    jobs: Jobs, network: own.Network
) -> None:
    training, _, held_out = own.parts(jobs.text)
    assert network.characters == "".join(sorted(set(jobs.text[: -len(held_out)])))
    words = (jobs.training.path / "words.txt").read_text().split()
    assert words == sorted(set(own.words_in(training)))


def test_every_metric_of_training(jobs: Jobs, network: own.Network, ngrams: own.KneserNey) -> None:
    training, validation, held_out = own.parts(jobs.text)
    stretch, each = len(training) // 10, len(validation) // 10
    sample = "".join(training[first : first + each] for first in range(0, 10 * stretch, stretch))
    order = ngrams.best_order(validation)
    history = jobs.training.history
    best = min(history, key=lambda row: row["validation_loss"])
    steps = ((len(training) - 1) // 32) // 25
    found = {
        "validation_nats": float(network.predictions(validation, own.RUN_IN)[0].mean()),
        "training_nats": float(network.predictions(sample, own.RUN_IN)[0].mean()),
        "best_epoch": best["epoch"],
        "characters_per_second": 3 * steps * 32 * 25 / sum(row["seconds"] for row in history),
        "baseline_validation_nats": float(np.mean(ngrams.nats(1, validation))),
        "ngram_validation_nats": float(np.mean(ngrams.nats(order, validation))),
        "ngram_held_out_nats": float(np.mean(ngrams.nats(order, held_out))),
        "ngram_order": order,
    }
    assert jobs.training.metrics == approx(found, rel=2e-5)
    assert is_headline(jobs.training, found["validation_nats"])
    assert (best["validation_loss"], best["loss"]) == approx(
        (found["validation_nats"], found["training_nats"]), rel=2e-5
    )
    shares = Counter(training)
    frequencies = np.mean([-math.log(shares[character] / len(training)) for character in validation])
    assert found["baseline_validation_nats"] == approx(frequencies, rel=1e-3)


def known_parts(text: str, network: own.Network) -> tuple[str, str]:
    """What lies before the held-out part, and this part, without characters that the model has never seen."""
    end = len(text) - len(text) // 10
    before, held_out = ("".join(filter(network.characters.__contains__, t)) for t in (text[:end], text[end:]))
    return before, held_out


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, and what it is to be compared with."""

    folder: JobFolder
    before: str
    held_out: str
    nats: own.Array
    right: own.Array
    confidence: own.Array
    order: int
    ngrams: own.Array
    frequencies: own.Array


@pytest.fixture(scope="module", params=["evaluation", "of_other"])
def evaluated(
    request: pytest.FixtureRequest, jobs: Jobs, network: own.Network, ngrams: own.KneserNey
) -> Evaluated:
    text = jobs.text if request.param == "evaluation" else jobs.other
    before, held_out = known_parts(text, network)
    training, validation = own.parts_before(before)
    if text is jobs.other:
        ngrams = own.KneserNey(training, len(network.characters), 8)
    else:
        assert training == own.parts(text)[0]
    order = ngrams.best_order(validation)
    of_all = own.KneserNey(before, len(network.characters), order)
    predictions = network.predictions(before[-2_000:] + held_out, 2_000)
    nats = (np.array(of_all.nats(of_order, held_out)) for of_order in (order, 1))
    return Evaluated(getattr(jobs, request.param), before, held_out, *predictions, order, *nats)


def test_every_metric_of_an_evaluation(jobs: Jobs, evaluated: Evaluated) -> None:
    training, _, _ = own.parts(jobs.text)
    nats = float(evaluated.nats.mean())
    seen = own.is_seen(training, evaluated.held_out)
    bins = own.calibration(evaluated.confidence, evaluated.right)
    found = {
        "nats_per_character": nats,
        "bits_per_character": nats / math.log(2),
        "perplexity": math.exp(nats),
        "accuracy": evaluated.right.mean(),
        "ngram_nats": evaluated.ngrams.mean(),
        "ngram_order": evaluated.order,
        "baseline_nats_per_character": evaluated.frequencies.mean(),
        "seen_characters": seen.sum(),
        "calibration_error": sum(count * abs(sure - right) for _, count, sure, right in bins) / len(seen),
        "characters": len(seen),
    }
    if seen.any():
        found["nats_per_character_unseen"] = float(evaluated.nats[~seen].mean())
    if seen.mean() < 0.1:
        saved = evaluated.ngrams - evaluated.nats
        means = [np.mean(block) for block in np.array_split(saved, 100)]
        low, high = scipy.stats.t.interval(0.95, 99, loc=saved.mean(), scale=scipy.stats.sem(means))
        found |= {"ngram_gain": saved.mean(), "ngram_gain_low": low, "ngram_gain_high": high}
    assert evaluated.folder.metrics == approx(found, rel=1e-4)
    assert is_headline(evaluated.folder, nats)
    assert seen.any() == (evaluated.folder is jobs.of_other)
    warnings = evaluated.folder.job["warnings"]
    assert (
        any(f"{seen.sum():,} of the {len(seen):,} measured" in warning for warning in warnings) == seen.any()
    )


def test_the_order_of_the_ngrams_is_not_chosen_by_what_they_are_measured_on(
    jobs: Jobs, network: own.Network
) -> None:
    """What lies before it has a passage of that held-out part, so that longer n-grams would suit it."""
    before, held_out = known_parts(jobs.other, network)
    best = own.KneserNey(before, len(network.characters), 8).best_order(held_out)
    assert jobs.of_other.metrics["ngram_order"] < best


def test_every_row_of_the_kinds_of_characters(evaluated: Evaluated) -> None:
    befores = evaluated.before[-1] + evaluated.held_out
    kinds = np.array([own.kind_of(*pair) for pair in zip(befores, evaluated.held_out, strict=False)])
    rows = evaluated.folder.table("kinds.csv")
    assert {row["kind"] for row in rows} == set(kinds)
    for row in rows:
        here = kinds == row["kind"]
        found = (here.sum(), evaluated.nats[here].mean(), evaluated.ngrams[here].mean())
        assert [float(row[name]) for name in ("characters", "nats", "ngram_nats")] == approx(found, rel=1e-4)


def test_every_row_of_the_places_in_a_line(evaluated: Evaluated) -> None:
    whole, first = evaluated.before + evaluated.held_out, len(evaluated.before)
    places = np.array([at - whole.rfind("\n", 0, at) for at in range(first, len(whole))])
    counts = Counter(places.tolist())
    rows = evaluated.folder.numbers("place_in_line.csv")
    assert [row["place"] for row in rows] == sorted(
        place for place in counts if counts[place] >= 50 and place <= 120
    )
    for row in rows:
        here = places == row["place"]
        found = (here.sum(), evaluated.nats[here].mean(), evaluated.ngrams[here].mean())
        assert [row[name] for name in ("characters", "nats", "ngram_nats")] == approx(found, rel=1e-4)


def test_every_bin_of_the_calibration(evaluated: Evaluated) -> None:
    rows = evaluated.folder.numbers("calibration.csv")
    expected = own.calibration(evaluated.confidence, evaluated.right)
    for row, bin_of in zip(rows, expected, strict=True):
        assert [row[name] for name in ("from", "characters", "confidence", "right")] == approx(
            bin_of, rel=1e-4
        )


def texts_of(folder: JobFolder, temperature: float) -> list[str]:
    samples = folder.json("samples.json")["samples"]
    return [sample["text"] for sample in samples if sample["temperature"] == temperature]


@pytest.mark.parametrize("temperature", [0.5, 1])
def test_characters_are_drawn_with_the_networks_odds(
    jobs: Jobs, network: own.Network, temperature: float
) -> None:
    texts = texts_of(jobs.generation, temperature)
    assert len(texts) == SAMPLES
    assert jobs.generation.json("samples.json")["prompt"] == PROMPT
    for place in range(3):
        beginning, count = Counter(text[:place] for text in texts).most_common(1)[0]
        drawn = [text[place] for text in texts if text.startswith(beginning)]
        assert len(drawn) == count > 50
        own.check_draws(network, drawn, own.odds(network, PROMPT + beginning, temperature))


def test_limits_leave_the_likeliest_characters_their_odds(jobs: Jobs, network: own.Network) -> None:
    texts = texts_of(jobs.limited, 0.8)
    beginning, count = Counter(text[0] for text in texts).most_common(1)[0]
    for before, drawn in (
        ("", [text[0] for text in texts]),
        (beginning, [text[1] for text in texts if text[0] == beginning]),
    ):
        free = own.odds(network, PROMPT + before, 0.8)
        order = np.argsort(-free)[:TOP_K]
        share = free[order] / free[order].sum()
        likelier = np.concatenate([[0], np.cumsum(share)[:-1]])
        expected = np.zeros_like(free)
        expected[order[likelier < TOP_P]] = share[likelier < TOP_P]
        own.check_draws(network, drawn, expected / expected.sum())
    assert count > 100


def test_temperature_0_takes_the_likeliest_character(jobs: Jobs, network: own.Network) -> None:
    first_words = jobs.text.split("\n")[0]
    assert jobs.continued.json("samples.json")["prompt"] == first_words
    for folder, text in ((jobs.generation, PROMPT), (jobs.continued, first_words)):
        (written,) = texts_of(folder, 0)
        for character in written[:20]:
            assert character == network.characters[int(network.probabilities(text)[-1].argmax())]
            text += character


def test_every_metric_and_row_of_a_generation(jobs: Jobs) -> None:
    known = set((jobs.training.path / "words.txt").read_text().split())
    by_temperature = {}
    for temperature in (0, 0.5, 1):
        uses = []
        for text in texts_of(jobs.generation, temperature):
            words = own.words_in(text)
            sequences = list(zip(words, words[1:], words[2:], strict=False))
            if words:
                repeated = 1 - len(set(sequences)) / len(sequences) if sequences else 0
                share = sum(word in known for word in words) / len(words)
                uses.append((len(words), len(set(words)) / len(words), repeated, share))
        by_temperature[temperature] = np.array(uses)
    for row, (temperature, uses) in zip(
        jobs.generation.numbers("temperatures.csv"), by_temperature.items(), strict=True
    ):
        assert list(row.values()) == approx([temperature, len(uses), *uses.mean(axis=0)], rel=1e-9)
    _, different, repeated, known_share = np.concatenate(list(by_temperature.values())).mean(axis=0)
    metrics = jobs.generation.metrics
    assert metrics.pop("characters_per_second") > 0
    assert metrics == approx(
        {
            "written_characters": 30 * (2 * SAMPLES + 1),
            "known_words": known_share,
            "different_words": different,
            "repeated_sequences": repeated,
        },
        rel=1e-9,
    )


def test_nothing_is_learnt_from_validation_and_held_out_text(jobs: Jobs, tmp_path: Path) -> None:
    """Two training jobs; the second's validation text is turned around, and its held-out part is another."""
    text = jobs.text[:30_000]
    stretches = [text[first : first + 2_700] for first in range(0, 27_000, 2_700)]
    changed = "".join(stretch[:150][::-1] + stretch[150:] for stretch in stretches) + jobs.other[:3_000]
    folders = []
    for name, content in (("one", text), ("two", changed)):
        runs = Runs.within(tmp_path / name)
        (tmp_path / f"{name}.txt").write_text(content)
        folders.append(
            runs.do("textgen", "train", data=tmp_path / f"{name}.txt", **PARAMETERS | {"epochs": 1})
        )
    one, two = folders
    for file in ("vocabulary.json", "words.txt", "loss_within_epochs.csv"):
        assert (one.path / file).read_bytes() == (two.path / file).read_bytes()
    for here, there in zip(own.Network(one).model.weights, own.Network(two).model.weights, strict=True):
        np.testing.assert_array_equal(here.numpy(), there.numpy())
    assert one.metrics["training_nats"] == two.metrics["training_nats"]
    assert one.metrics["validation_nats"] < two.metrics["validation_nats"]
