"""Every number and table of the autoencoder's jobs, recomputed from their folders and the raw images."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from jobs.store.job_folder import JobFolder
from tests.recomputed import images as own
from tests.recomputed.job_runs import Runs, is_headline, real_data

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]

SEEN = 300


@dataclass(frozen=True)
class Jobs:
    raw: dict[str, own.Array]
    training: JobFolder
    evaluation: JobFolder
    partly_seen: JobFolder
    """An evaluation on images of which the network was trained on nearly `SEEN`."""
    generation: JobFolder

    @property
    def is_learnt(self) -> own.Array:
        return own.is_trained_on(self.training, self.raw["x_train"])


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    mnist, folder = real_data("mnist.npz"), tmp_path_factory.mktemp("autoencoder")
    data = own.make_data(mnist, folder / "some.npz")
    again = own.make_data(mnist, folder / "again.npz", seen=SEEN)
    runs = Runs.within(folder)
    training = runs.do("autoencoder", "train", data=data, seed=own.SEED, **own.TRAINING)
    return Jobs(
        own.arrays(data),
        training,
        runs.do("autoencoder", "evaluate", source=training),
        runs.do("autoencoder", "evaluate", source=training, data=again),
        runs.do("autoencoder", "generate", source=training, data=again, limit=600, samples=2_000),
    )


@pytest.fixture(scope="module")
def network(jobs: Jobs) -> own.Network:
    return own.Network(jobs.training)


def evaluated(jobs: Jobs, network: own.Network, images: own.Array) -> dict[str, float]:
    clean = own.values(images)
    return {
        "bce": float(network.bce(clean, clean).mean()),
        **own.errors(clean, network.output(clean)),
        **own.baseline(clean, jobs.raw["x_train"][jobs.is_learnt]),
    }


def test_no_image_is_in_two_of_the_parts_for_training_validation_and_testing(jobs: Jobs) -> None:
    assert jobs.is_learnt.mean() == pytest.approx(0.95, abs=0.002)
    assert not own.is_trained_on(jobs.training, jobs.raw["x_test"]).any()
    shown = own.arrays(jobs.training.path / "images.npz")["original"]
    assert not own.is_trained_on(jobs.training, shown).any()
    assert jobs.training.job["data"]["some.npz"]["examples"] == {"train": 4_000, "test": 1_000}


def test_the_numbers_of_training_are_those_of_the_saved_network(jobs: Jobs, network: own.Network) -> None:
    learnt, held_out = (own.values(jobs.raw["x_train"][mask]) for mask in (jobs.is_learnt, ~jobs.is_learnt))
    spread = learnt[np.linspace(0, len(learnt) - 1, len(held_out)).astype(int)]
    found = {
        "validation_bce": network.bce(held_out, held_out).mean(),
        "baseline_validation_bce": own.baseline(held_out, jobs.raw["x_train"][jobs.is_learnt])[
            "baseline_bce"
        ],
        "training_bce": network.bce(spread, spread).mean(),
    }
    assert jobs.training.metrics == pytest.approx(found, rel=1e-5)
    assert is_headline(jobs.training, found["validation_bce"])
    last = jobs.training.history[-1]
    assert (last["validation_loss"], last["loss"]) == pytest.approx(
        (found["validation_bce"], found["training_bce"]), rel=1e-5
    )
    within = jobs.training.numbers("loss_within_epochs.csv")[-1]
    assert within["loss"] == pytest.approx(network.bce(spread[:100], spread[:100]).mean(), rel=1e-5)


def test_the_history_has_the_steps_and_rates_that_were_made(jobs: Jobs) -> None:
    steps = -(-int(jobs.is_learnt.sum()) // 32)
    rates = [own.learning_rate(epoch * steps, steps) for epoch in (1, 2, 3)]
    assert [row["learning_rate"] for row in jobs.training.history] == pytest.approx(rates, rel=1e-6)
    points = jobs.training.numbers("loss_within_epochs.csv")
    assert all(point["epoch"] == pytest.approx(point["step"] / steps, abs=1e-6) for point in points)
    assert points[-1]["step"] == 3 * steps


def test_the_mean_image_is_that_of_the_training_images_alone(jobs: Jobs) -> None:
    mean = own.arrays(jobs.training.path / "mean_image.npz")["mean"]
    np.testing.assert_allclose(mean, own.mean_image(jobs.raw["x_train"][jobs.is_learnt]), rtol=1e-6)


def test_codes_are_drawn_from_gaussians_of_the_codes_of_each_digit(jobs: Jobs, network: own.Network) -> None:
    stored = own.arrays(jobs.training.path / "code.npz")
    codes, labels = network.codes(own.values(jobs.raw["x_train"])), jobs.raw["y_train"]
    assert stored["digits"].tolist() == list(range(10))
    for digit in range(10):
        of_digit = np.float64(codes[labels == digit])
        np.testing.assert_allclose(stored["means"][digit], of_digit.mean(axis=0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            stored["covariances"][digit], np.cov(of_digit.T, ddof=0), rtol=1e-3, atol=1e-3
        )


def test_every_metric_of_an_evaluation(jobs: Jobs, network: own.Network) -> None:
    found = evaluated(jobs, network, jobs.raw["x_test"]) | {"images": 1_000}
    assert jobs.evaluation.metrics == pytest.approx(found, rel=2e-5)
    assert is_headline(jobs.evaluation, found["bce"])
    clean = own.values(jobs.raw["x_test"][:200])
    output = network.output(clean)
    assert own.ssim(clean, output).mean() == pytest.approx(own.tensorflow_ssim(clean, output), rel=1e-4)


def test_images_that_were_trained_on_are_counted_and_left_out(jobs: Jobs, network: own.Network) -> None:
    images = np.concatenate([jobs.raw["x_train"][:SEEN], jobs.raw["x_test"][SEEN:]])
    seen = own.is_trained_on(jobs.training, images)
    assert SEEN * 0.9 < seen.sum() < SEEN
    unseen = own.values(images[SEEN:])  # the others of the first are validation images
    found = evaluated(jobs, network, images) | {
        "images": 1_000,
        "bce_unseen": float(network.bce(unseen, unseen).mean()),
    }
    assert jobs.partly_seen.metrics == pytest.approx(found, rel=2e-5)
    warning = jobs.partly_seen.job["warnings"][0]
    assert f"{seen.sum()} of the 1,000 images" in warning
    assert f"and {SEEN - seen.sum()} of them were validation images" in warning
    assert not jobs.evaluation.job["warnings"]


def test_the_worst_reconstructions_are_the_worst(jobs: Jobs, network: own.Network) -> None:
    stored = own.arrays(jobs.evaluation.path / "images.npz")
    clean = own.values(jobs.raw["x_test"])
    mse = np.square(clean - network.output(clean)).mean(axis=1)
    np.testing.assert_allclose(stored["worst_mse"], np.sort(mse)[::-1][:10], rtol=1e-4)
    np.testing.assert_allclose(mse[stored["worst_index"]], stored["worst_mse"], rtol=1e-4)
    np.testing.assert_array_equal(stored["worst_original"], jobs.raw["x_test"][stored["worst_index"]])
    expected = 255 * network.output(own.values(stored["worst_original"])).reshape(-1, 28, 28)
    assert np.abs(stored["worst_output"] - expected).max() < 0.51


def test_the_map_of_codes_is_their_principal_components(jobs: Jobs, network: own.Network) -> None:
    stored = own.arrays(jobs.evaluation.path / "images.npz")
    codes = network.codes(own.values(jobs.raw["x_test"]))
    components = PCA(2, svd_solver="full").fit(codes)
    np.testing.assert_allclose(stored["variance"], components.explained_variance_ratio_, rtol=1e-3)
    np.testing.assert_allclose(stored["unit_std"], codes.std(axis=0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(stored["units"], network.kernel, rtol=1e-6)
    points = components.transform(codes)
    for axis in (0, 1):
        here, there = np.sort(stored["points"][:, axis]), np.sort(points[:, axis])
        off = min(np.abs(here - turned).max() for turned in (there, -there[::-1]))
        assert off < 1e-3 * np.abs(there).max()
    counts = np.bincount(jobs.raw["y_test"], minlength=10)
    np.testing.assert_array_equal(np.bincount(stored["point_labels"], minlength=10), counts)


def test_every_metric_and_file_of_a_generation(jobs: Jobs, network: own.Network) -> None:
    images = np.concatenate([jobs.raw["x_train"][:SEEN], jobs.raw["x_test"][SEEN:600]])
    unseen = own.values(images[SEEN:])
    found = evaluated(jobs, network, images) | {
        "images": 600,
        "interpolations": 9,
        "samples": 2_000,
        "bce_unseen": float(network.bce(unseen, unseen).mean()),
    }
    assert jobs.generation.metrics == pytest.approx(found, rel=2e-5)
    expected = 255 * network.output(own.values(images)).reshape(-1, 28, 28)
    labels = np.concatenate([jobs.raw["y_train"][:SEEN], jobs.raw["y_test"][SEEN:600]])
    rows = jobs.generation.table("images.csv")
    assert len(rows) == 600
    for place, row in enumerate(rows):
        assert (int(row["number"]), int(row["digit"])) == (place, labels[place])
        written = np.asarray(Image.open(jobs.generation.path / row["file"]))
        assert np.abs(written - expected[place]).max() < 0.51


def test_points_between_two_digits_lie_on_a_straight_line_of_codes(jobs: Jobs, network: own.Network) -> None:
    stored = own.arrays(jobs.generation.path / "images.npz")
    first, last = np.float64(network.codes(own.values(stored["interpolation_ends"])))
    way = [255 * network.decoded(first + share * (last - first)) for share in np.linspace(0, 1, 11)]
    assert np.abs(stored["interpolation"].reshape(11, -1) - way).max() < 0.51


def test_samples_are_decoded_draws_of_the_codes_of_their_digits(jobs: Jobs, network: own.Network) -> None:
    stored, codes = (
        own.arrays(path) for path in (jobs.generation.path / "images.npz", jobs.training.path / "code.npz")
    )
    assert np.bincount(stored["sample_digits"]).tolist() == [200] * 10
    draws = np.random.RandomState(1)
    for digit in range(10):
        drawn = draws.multivariate_normal(codes["means"][digit], codes["covariances"][digit], 2_000)
        expected = 255 * network.decoded(np.maximum(drawn, 0))
        sampled = stored["samples"][stored["sample_digits"] == digit].reshape(200, -1)
        off = np.abs(sampled.mean(axis=0) - expected.mean(axis=0))
        assert (off < 6 * expected.std(axis=0) * (1 / 200 + 1 / 2_000) ** 0.5 + 0.5).all()


@pytest.fixture(scope="module")
def twins(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobFolder, JobFolder]:
    """Two training jobs on the same training images; all else has other images in the second."""
    folder = tmp_path_factory.mktemp("twins")
    some = {name: array[:600].copy() for name, array in jobs.raw.items()}
    np.savez(folder / "one.npz", **some)
    runs = Runs.within(folder)
    one = runs.do("autoencoder", "train", data=folder / "one.npz", epochs=2, batch_size=32)
    others = ~own.is_trained_on(one, some["x_train"])
    some["x_train"][others] = 255 - some["x_train"][others]
    some["x_test"] = 255 - some["x_test"]
    np.savez(folder / "two.npz", **some)
    return one, runs.do("autoencoder", "train", data=folder / "two.npz", epochs=2, batch_size=32)


def test_nothing_is_learnt_from_validation_and_test_images(twins: tuple[JobFolder, JobFolder]) -> None:
    one, two = twins
    for name, array in (("training_examples.npz", "digests"), ("mean_image.npz", "mean")):
        here, there = (own.arrays(job.path / name)[array] for job in twins)
        np.testing.assert_array_equal(here, there)
    for here, there in zip(own.Network(one).model.weights, own.Network(two).model.weights, strict=True):
        np.testing.assert_array_equal(here.numpy(), there.numpy())
    assert one.metrics["training_bce"] == two.metrics["training_bce"]
    assert one.metrics["validation_bce"] < two.metrics["validation_bce"]
