"""Every number and table of the denoiser's jobs, recomputed with noise that these tests draw themselves.

The jobs' own noise is unknown here, so a mean over noisy images may differ by what other noise does to it: six
standard errors, by how much two draws differ on each image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from tests.recomputed import images as own
from tests.recomputed.job_runs import Runs, is_headline, real_data

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]

SEEN, NOISE = 300, 0.5
COMPARED = 250
"""Images that say how much another draw of the noise does at each level."""
LEVELS = [tenth / 10 for tenth in range(11)]

OfEach = dict[str, own.Array]
"""Measures of each image, by name."""


@dataclass(frozen=True)
class Jobs:
    raw: dict[str, own.Array]
    partly_seen_images: own.Array
    basic: JobFolder
    training: JobFolder
    evaluation: JobFolder
    """Beside `basic`, on images of which both were trained on nearly `SEEN`."""
    alone: JobFolder
    """On the test images; it trains a basic autoencoder by itself."""
    generation: JobFolder


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    mnist, folder = real_data("mnist.npz"), tmp_path_factory.mktemp("denoiser")
    data = own.make_data(mnist, folder / "some.npz")
    again = own.make_data(mnist, folder / "again.npz", seen=SEEN)
    runs = Runs.within(folder)
    basic = runs.do("autoencoder", "train", data=data, seed=own.SEED, **own.TRAINING)
    training = runs.do("denoiser", "train", data=data, seed=own.SEED, noise=NOISE, **own.TRAINING)
    return Jobs(
        own.arrays(data),
        own.arrays(again)["x_test"],
        basic,
        training,
        runs.do("denoiser", "evaluate", source=training, baseline=basic, data=again, noise=0.25),
        runs.do("denoiser", "evaluate", source=training, noise=NOISE),
        runs.do("denoiser", "generate", source=training, data=data, limit=1_000, noise=0.4, samples=0),
    )


@pytest.fixture(scope="module")
def denoiser(jobs: Jobs) -> own.Network:
    return own.Network(jobs.training)


@pytest.fixture(scope="module")
def basic(jobs: Jobs) -> own.Network:
    return own.Network(jobs.basic)


def check(found: dict[str, float], measure: Callable[[int], OfEach]) -> None:
    """Compare means with those of another draw of the noise; `measure` takes the seed of a draw.

    What a second draw changes may be measured on the first images only.
    """
    one, other = measure(1), measure(2)
    assert found.keys() == one.keys()
    for name, value in found.items():
        difference = one[name][: len(other[name])] - other[name]
        standard_error = float(np.std(difference)) / len(one[name]) ** 0.5
        assert value == pytest.approx(one[name].mean(), rel=2e-5, abs=6 * standard_error), name


def measured(
    denoiser: own.Network, basic: own.Network, clean: own.Array, noisy: own.Array, unseen: own.Array | None
) -> OfEach:
    outputs = {"": denoiser.output(noisy), "basic_": basic.output(noisy), "noisy_": noisy}
    found = {
        f"{prefix}{name}": of_each
        for prefix, some in outputs.items()
        for name, of_each in own.errors_of_each(clean, some).items()
    }
    found["bce"], found["basic_bce"] = denoiser.bce(noisy, clean), basic.bce(noisy, clean)
    found["clipped_share"] = ((noisy <= 0) | (noisy >= 1)).mean(axis=1)
    if unseen is not None:
        for prefix in ("", "basic_"):
            found[f"{prefix}psnr_db_unseen"] = found[f"{prefix}psnr_db"][unseen]
    return found


def test_no_image_is_in_two_of_the_parts_for_training_validation_and_testing(jobs: Jobs) -> None:
    assert own.is_trained_on(jobs.training, jobs.raw["x_train"]).mean() == pytest.approx(0.95, abs=0.002)
    assert not own.is_trained_on(jobs.training, jobs.raw["x_test"]).any()
    shown = own.arrays(jobs.training.path / "images.npz")["original"]
    assert not own.is_trained_on(jobs.training, shown).any()


def test_the_numbers_of_training_are_those_of_the_saved_network(jobs: Jobs, denoiser: own.Network) -> None:
    is_learnt = own.is_trained_on(jobs.training, jobs.raw["x_train"])
    learnt, held_out = (own.values(jobs.raw["x_train"][mask]) for mask in (is_learnt, ~is_learnt))
    spread = learnt[np.linspace(0, len(learnt) - 1, len(held_out)).astype(int)]

    baseline = own.baseline(held_out, jobs.raw["x_train"][is_learnt])["baseline_bce"]

    def measure(seed: int) -> OfEach:
        return {
            "validation_bce": denoiser.bce(own.with_noise(held_out, NOISE, seed), held_out),
            "baseline_validation_bce": np.full(1, baseline),
            "training_bce": denoiser.bce(own.with_noise(spread, NOISE, 50 + seed), spread),
        }

    check(jobs.training.metrics, measure)
    assert is_headline(jobs.training, jobs.training.metrics["validation_bce"])
    last = jobs.training.history[-1]
    assert (last["validation_loss"], last["loss"]) == pytest.approx(
        (jobs.training.metrics["validation_bce"], jobs.training.metrics["training_bce"]), rel=1e-9
    )


def test_training_noise_is_gaussian_and_of_the_level_that_was_asked_for(jobs: Jobs) -> None:
    shown = own.arrays(jobs.training.path / "images.npz")
    black = shown["input"][shown["original"] == 0] / 255
    assert len(black) > 4_000
    # Of a black pixel half of the noise is cut off, and what is above two standard deviations at 1.
    for level, share in ((0.01, 0.508), (0.5, 0.841), (0.75, 0.933), (0.995, 0.977)):
        assert (black <= level).mean() == pytest.approx(
            share, abs=5 * (share * (1 - share) / len(black)) ** 0.5
        )


def test_the_network_was_trained_on_the_noise_that_its_folder_states(
    jobs: Jobs, denoiser: own.Network
) -> None:
    """Noise on black makes images brighter; a network takes off as much as it was trained on, at any level."""
    learnt = own.values(jobs.raw["x_train"][own.is_trained_on(jobs.training, jobs.raw["x_train"])])
    brightness = {
        noise: denoiser.output(own.with_noise(learnt, noise, seed=1)).mean() / learnt.mean()
        for noise in (NOISE - 0.1, NOISE, NOISE + 0.1)
    }
    assert jobs.alone.metrics["training_noise"] == NOISE
    assert min(brightness, key=lambda noise: abs(brightness[noise] - 1)) == NOISE, brightness


def test_every_metric_of_an_evaluation(jobs: Jobs, denoiser: own.Network, basic: own.Network) -> None:
    images = jobs.partly_seen_images
    clean, unseen = own.values(images), ~own.is_trained_on(jobs.training, images)
    assert 0.9 * SEEN < (~unseen).sum() < SEEN
    fixed = own.baseline(clean, jobs.raw["x_train"][own.is_trained_on(jobs.training, jobs.raw["x_train"])])
    fixed |= {"images": 1_000, "training_noise": NOISE}
    found = jobs.evaluation.metrics
    assert {name: found[name] for name in fixed} == pytest.approx(fixed, rel=2e-5)
    rest = {name: value for name, value in found.items() if name not in fixed}
    check(rest, lambda seed: measured(denoiser, basic, clean, own.with_noise(clean, 0.25, seed), unseen))
    assert is_headline(jobs.evaluation, found["psnr_db"])
    assert f"{(~unseen).sum()} of the 1,000 images" in jobs.evaluation.job["warnings"][0]


def test_every_metric_of_an_evaluation_that_trains_its_own_basic_autoencoder(
    jobs: Jobs, denoiser: own.Network, basic: own.Network
) -> None:
    """It trains with the same parameters and seed as the job `basic` did, and so to the same network."""
    clean, found = own.values(jobs.raw["x_test"]), jobs.alone.metrics
    fixed = {"images", "training_noise", "lowest_bce"} | {
        name for name in found if name.startswith("baseline")
    }
    rest = {name: value for name, value in found.items() if name not in fixed}
    check(rest, lambda seed: measured(denoiser, basic, clean, own.with_noise(clean, NOISE, seed), None))
    assert not jobs.alone.job["warnings"]
    last, own_last = jobs.alone.numbers("baseline_history.csv")[-1], jobs.basic.history[-1]
    assert last["validation_loss"] == own_last["validation_loss"]


def test_every_row_of_the_comparison_over_noise_levels(
    jobs: Jobs, denoiser: own.Network, basic: own.Network
) -> None:
    clean = own.values(jobs.raw["x_test"])
    rows = {(float(row["noise"]), row["method"]): row for row in jobs.alone.table("sweep.csv")}
    assert list(rows) == [(level, name) for level in LEVELS for name in ("noisy", "basic", "denoised")]
    for level in LEVELS:

        def measure(seed: int, level: float = level) -> OfEach:
            some = clean if seed == 1 else clean[:COMPARED]
            noisy = own.with_noise(some, level, seed)
            outputs = {"noisy": noisy, "basic": basic.output(noisy), "denoised": denoiser.output(noisy)}
            return {
                f"{method} {name}": of_each
                for method, output in outputs.items()
                for name, of_each in own.errors_of_each(some, output).items()
                if level or (method, name) != ("noisy", "psnr_db")
            }

        found = {
            f"{method} {name}": float(rows[level, method][name])
            for method in ("noisy", "basic", "denoised")
            for name in ("mse", "psnr_db", "ssim")
            if rows[level, method][name]
        }
        check(found, measure)


def test_the_headline_is_the_comparison_at_its_level(jobs: Jobs) -> None:
    for folder, noise in ((jobs.evaluation, 0.25), (jobs.alone, NOISE)):
        rows = {row["method"]: row for row in folder.table("sweep.csv") if float(row["noise"]) == noise}
        for method, prefix in (("denoised", ""), ("basic", "basic_"), ("noisy", "noisy_")):
            for name in ("mse", "psnr_db", "ssim"):
                assert folder.metrics[f"{prefix}{name}"] == pytest.approx(float(rows[method][name]), rel=1e-5)


def test_shown_examples_are_what_the_networks_make_of_the_shown_noise(
    jobs: Jobs, denoiser: own.Network, basic: own.Network
) -> None:
    shown = own.arrays(jobs.alone.path / "images.npz")
    noisy = own.values(shown["noisy"])
    for method, network in (("denoised", denoiser), ("basic", basic)):
        off = np.abs(shown[method].reshape(10, -1) / 255 - network.output(noisy))
        assert off.mean() < 0.004  # the input is rounded to a 255th as well
    assert all((jobs.raw["x_test"] == image).all(axis=(1, 2)).any() for image in shown["original"])


def test_every_metric_of_a_generation(jobs: Jobs, denoiser: own.Network) -> None:
    stored, clean = own.arrays(jobs.generation.path / "images.npz"), own.values(jobs.raw["x_test"])
    np.testing.assert_array_equal(stored["original"], jobs.raw["x_test"])
    noisy = own.values(stored["input"])
    output = denoiser.output(noisy)
    found = {
        **own.errors(clean, output),
        **{f"noisy_{name}": value for name, value in own.errors(clean, noisy).items()},
        "bce": float(denoiser.bce(noisy, clean).mean()),
    }
    metrics = jobs.generation.metrics
    assert metrics.pop("training_noise") == NOISE
    assert {name: metrics[name] for name in found} == pytest.approx(found, rel=2e-3)
    training = jobs.raw["x_train"][own.is_trained_on(jobs.training, jobs.raw["x_train"])]
    fixed = {**own.baseline(clean, training), "images": 1_000, "interpolations": 9, "samples": 0}
    assert {name: metrics[name] for name in fixed} == pytest.approx(fixed, rel=2e-5)
    assert metrics.keys() == {*found, *fixed, "clipped_share"}
    other = own.with_noise(clean, 0.4, seed=1)
    assert metrics["clipped_share"] == pytest.approx(((other <= 0) | (other >= 1)).mean(), abs=4e-3)
    assert np.abs(stored["output"].reshape(1_000, -1) / 255 - output).mean() < 0.004


def test_points_between_two_digits_lie_between_the_codes_of_noisy_images(
    jobs: Jobs, denoiser: own.Network
) -> None:
    stored = own.arrays(jobs.generation.path / "images.npz")
    clean, noisy = (own.values(stored[f"interpolation_{name}"]) for name in ("ends", "inputs"))
    black = noisy[clean == 0]
    for level, share in ((0.001, 0.5), (0.4, 0.841)):
        assert (black <= level).mean() == pytest.approx(share, abs=5 * (0.25 / len(black)) ** 0.5)
    digits = [jobs.raw["x_test"][jobs.raw["y_test"] == digit][0] for digit in (3, 8)]
    np.testing.assert_array_equal(stored["interpolation_ends"], digits)
    places = [(jobs.raw["x_test"] == digit).all(axis=(1, 2)).argmax() for digit in digits]
    assert (own.values(stored["input"][places]) != noisy).mean() > 0.4  # its noise is its own

    def off(ends: own.Array) -> float:
        first, last = np.float64(denoiser.codes(ends))
        way = [denoiser.decoded(first + share * (last - first)) for share in np.linspace(0, 1, 11)]
        return float(np.abs(stored["interpolation"].reshape(11, -1) / 255 - way).mean())

    assert off(noisy) < 0.004 < 0.03 < off(clean)


def test_samples_are_drawn_from_gaussians_of_the_codes_of_noisy_images(
    jobs: Jobs, denoiser: own.Network
) -> None:
    stored, clean = own.arrays(jobs.training.path / "code.npz"), own.values(jobs.raw["x_train"])
    one, other = (denoiser.codes(own.with_noise(clean, NOISE, seed)) for seed in (1, 2))
    without = denoiser.codes(clean)
    for digit in range(10):
        here = jobs.raw["y_train"] == digit
        standard_error = (one - other)[here].std(axis=0) / here.sum() ** 0.5
        off = np.abs(stored["means"][digit] - one[here].mean(axis=0))
        assert (off < 6 * standard_error + 1e-4).all()
        assert np.abs(stored["means"][digit] - without[here].mean(axis=0)).max() > 20 * off.max()
