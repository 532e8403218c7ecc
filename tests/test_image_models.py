"""The autoencoder and the denoiser keep their promises, on scikit-learn's digits and in seconds."""

import csv
import math
import threading
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.errors import Cancelled, JobFailed
from jobs.files import write_json
from jobs.folder import JobFolder
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from worker.data.images import load_images
from worker.report.parts import Figure
from worker.run import Run
from worker.training import fit

keras = pytest.importorskip("keras", reason="the worker's packages are not installed")
tf = pytest.importorskip("tensorflow", reason="the worker's packages are not installed")

from worker.code_distribution import CodeDistribution  # noqa: E402
from worker.image_arrays import flat, one_of_each_digit, with_noise  # noqa: E402
from worker.image_jobs import load_network  # noqa: E402
from worker.image_quality import errors, quality  # noqa: E402
from worker.image_training import ImageTraining, WarmUpThenDecay, held_out_for_validation  # noqa: E402
from worker.models.autoencoder import build_autoencoder, decoder_of, encoder_of  # noqa: E402

JOB_ID = "20261123-221530-042-k7qd"
NOISE = {"autoencoder": 0.0, "denoiser": 0.5}
EPOCHS = 8
both_models = pytest.mark.parametrize("model", ["autoencoder", "denoiser"])

Do = Callable[..., JobFolder]


def settings_without_files() -> Settings:
    return read_settings(data_dir=Path("nowhere"))


def run_for(
    folder: Path,
    model: str,
    action: str,
    sources: Mapping[str, JobFolder] | None = None,
    *,
    data: str | None = None,
    seed: int = 0,
    **parameters: Any,
) -> Run:
    """A run as a worker makes it, without a worker."""
    folder.mkdir(parents=True, exist_ok=True)
    named: dict[str, Any] = {"from": JOB_ID} if sources else {}
    spec = JobSpec.make(model, action, data=data, seed=seed, parameters=parameters, **named)
    return Run(spec=spec, folder=folder, settings=settings_without_files(), sources=sources or {})


def do(run: Run) -> JobFolder:
    """Do a job as a worker does it, and return its folder."""
    task = import_module(f"worker.tasks.{run.spec.model}")
    metrics = getattr(task, run.spec.action)(run)
    assert all(type(value) is float and math.isfinite(value) for value in metrics.values()), metrics
    assert metrics.keys() <= {metric.name for metric in task.METRICS}
    write_json(run.folder / "metrics.json", metrics)
    record = {
        "spec": run.spec.model_dump(mode="json", by_alias=True),
        "data": run.data,
        "notes": run.notes,
    }
    write_json(run.folder / "job.json", record)
    return JobFolder(run.folder)


def figures_of(folder: JobFolder) -> dict[str, Figure]:
    task = import_module(f"worker.tasks.{folder.job['spec']['model']}")
    return {part.name: part for part in task.present(folder) if isinstance(part, Figure)}


def arrays_of(folder: JobFolder) -> dict[str, Any]:
    with np.load(folder.path / "images.npz", allow_pickle=False) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, JobFolder]:
    """A training of each model, good enough to look at."""
    return {
        model: do(
            run_for(
                tmp_path_factory.mktemp(model), model, "train", data="digits", epochs=EPOCHS, batch_size=64
            )
        )
        for model in NOISE
    }


@pytest.fixture(scope="module")
def digits() -> Any:
    return load_images("digits", settings_without_files())


def numbered_images(count: int) -> Any:
    """Images that are all different: the first two pixels are their number."""
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
    return images


def training(images: Any, noise: float, **changed: Any) -> ImageTraining:
    arguments = {"batch_size": 32, "learning_rate": 3e-3, "seed": 5} | changed
    return ImageTraining(build_autoencoder(arguments["seed"]), images, noise=noise, **arguments)


def bits(trainable: ImageTraining) -> list[bytes]:
    return [np.asarray(variable).tobytes() for variable in trainable.variables()]


# --- training ---------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["autoencoder", "denoiser"])
def uninterrupted(
    request: pytest.FixtureRequest, digits: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A trainable, the bits it ends with after three epochs of six steps, and the history of these."""
    model = request.param
    trainable = training(digits.train[:400], NOISE[model], batch_size=64)
    assert trainable.steps == 6
    history = fit(run_for(tmp_path_factory.mktemp("whole"), model, "train"), trainable, 3)
    return trainable, bits(trainable), [without_seconds(row) for row in history]


def as_in_a_new_process(trainable: ImageTraining) -> ImageTraining:
    """Nothing is left of what was trained; only what was compiled is kept, to save seconds."""
    trainable.restart(build_autoencoder(5).get_weights(), seed=5)
    trainable.begin_epoch(77)
    trainable.chunk = 64
    return trainable


def test_a_step_is_the_step_of_keras_itself(uninterrupted: Any) -> None:
    trainable = as_in_a_new_process(uninterrupted[0])
    start = trainable.model.get_weights()
    plain = keras.models.clone_model(trainable.model)
    plain.set_weights(start)
    plain.compile(keras.optimizers.Adam(WarmUpThenDecay(3e-3)), "binary_crossentropy")
    trainable.begin_epoch(0)
    for step in range(3):
        plain.train_on_batch(*trainable.batch(step))
    trainable.make_steps(0, 3)
    weights = zip(trainable.model.get_weights(), plain.get_weights(), start, strict=True)
    for ours, theirs, before in weights:
        assert np.abs(theirs - before).max() > 1e-5
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_a_training_stopped_anywhere_ends_with_the_same_bits(uninterrupted: Any, tmp_path: Path) -> None:
    trainable, expected, history = uninterrupted
    make_steps = trainable.make_steps
    made: list[int] = []
    for steps_until_stop in (1, 6, 4):
        run = run_for(tmp_path, "denoiser", "train")
        as_in_a_new_process(trainable).chunk = 1

        def make_and_stop(first: int, count: int, run: Run = run, last: int = steps_until_stop) -> None:
            make_steps(first, count)
            made.append(first)
            if len(made) == last:
                run.stop.set()

        made.clear()
        trainable.make_steps = make_and_stop
        with pytest.raises(Cancelled):
            fit(run, trainable, 3)
        trainable.make_steps = make_steps
        assert bits(trainable) != expected
    resumed = fit(run_for(tmp_path, "denoiser", "train"), as_in_a_new_process(trainable), 3)
    assert bits(trainable) == expected
    assert [without_seconds(row) for row in resumed] == history
    assert [without_seconds(row) for row in JobFolder(tmp_path).history] == history


def test_a_killed_training_goes_on_from_its_last_checkpoint(uninterrupted: Any, tmp_path: Path) -> None:
    trainable, expected, history = uninterrupted
    make_steps = trainable.make_steps

    def die_after_the_first_checkpoint(first: int, count: int) -> None:
        make_steps(first, count)
        if (tmp_path / "checkpoint.npz").exists():
            raise KeyboardInterrupt
        time.sleep(0.06)

    run = run_for(tmp_path, "denoiser", "train")
    run.settings = read_settings(checkpoint_seconds=0.1)
    as_in_a_new_process(trainable).chunk = 1
    trainable.make_steps = die_after_the_first_checkpoint
    with pytest.raises(KeyboardInterrupt):
        fit(run, trainable, 3)
    trainable.make_steps = make_steps
    resumed = fit(run_for(tmp_path, "denoiser", "train"), as_in_a_new_process(trainable), 3)
    assert bits(trainable) == expected
    assert [without_seconds(row) for row in resumed] == history


def test_one_epoch_and_two_are_three(uninterrupted: Any, tmp_path: Path) -> None:
    trainable, expected, history = uninterrupted
    fit(run_for(tmp_path, "denoiser", "train"), as_in_a_new_process(trainable), 1)
    resumed = fit(run_for(tmp_path, "denoiser", "train"), as_in_a_new_process(trainable), 3)
    assert bits(trainable) == expected
    assert [without_seconds(row) for row in resumed] == history


def test_a_training_that_diverges_says_so(uninterrupted: Any, tmp_path: Path) -> None:
    trainable = as_in_a_new_process(uninterrupted[0])
    for weight in trainable.model.trainable_variables:
        weight.assign(np.full(weight.shape, np.inf))
    with pytest.raises(JobFailed, match=r"the loss of epoch 1 is nan: the training diverged; a smaller --l"):
        fit(run_for(tmp_path, "autoencoder", "train"), trainable, 1)


def without_seconds(row: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name != "seconds"}


@both_models
def test_a_seed_decides_every_bit_of_a_training(
    model: str, trained: dict[str, JobFolder], tmp_path: Path
) -> None:
    # Nor does a training of the same shape that its process did before.
    do(run_for(tmp_path / "other", model, "train", data="digits", epochs=1, batch_size=64, seed=5))
    again = do(run_for(tmp_path / "again", model, "train", data="digits", epochs=EPOCHS, batch_size=64))
    for first, second in zip(*(load_network(f).get_weights() for f in (trained[model], again)), strict=True):
        assert first.tobytes() == second.tobytes()
    histories = [[without_seconds(row) for row in folder.history] for folder in (trained[model], again)]
    assert histories[0] == histories[1]


def test_another_seed_is_another_training() -> None:
    images = numbered_images(100)
    one, other = training(images, 0.5, seed=0), training(images, 0.5, seed=1)
    for trainable in (one, other):
        trainable.begin_epoch(0)
    assert (one.batch(0)[1].numpy() != other.batch(0)[1].numpy()).any()
    for first, second in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        assert not first.any() or (first != second).all()


def test_every_epoch_shows_each_training_image_and_no_validation_image() -> None:
    images = numbered_images(300)
    trainable = training(images, 0.0)
    held_out = held_out_for_validation(300)
    assert held_out.sum() == 15
    orders = []
    for epoch in (0, 1):
        trainable.begin_epoch(epoch)
        batches = [trainable.batch(step)[1].numpy() for step in range(trainable.steps)]
        assert {len(batch) for batch in batches} == {32}
        pixels = np.rint(np.concatenate(batches)[:, :2] * 255).astype(int)
        orders.append(pixels[:, 0] * 256 + pixels[:, 1])
        assert set(orders[-1]) == set(np.flatnonzero(~held_out))
    assert list(orders[0]) != list(orders[1])


def test_noise_is_fresh_in_each_epoch_and_the_same_for_the_same_seed_and_epoch() -> None:
    images = np.full((100, 28, 28), 128, np.uint8)
    first, again, other = (training(images, 0.1, seed=seed) for seed in (5, 5, 6))
    seen = {}
    for name, trainable, epoch in (
        ("first", first, 0),
        ("later", first, 1),
        ("again", again, 0),
        ("other", other, 0),
    ):
        trainable.begin_epoch(epoch)
        noisy, clean = trainable.batch(0)
        seen[name] = noisy.numpy() - clean.numpy()
    assert (seen["first"] == seen["again"]).all()
    assert (seen["first"] != seen["later"]).mean() > 0.99
    assert (seen["first"] != seen["other"]).mean() > 0.99
    assert abs(seen["first"].std() - 0.1) < 0.002
    assert abs(seen["first"].mean()) < 0.002
    loud = training(images, 2.0)
    loud.begin_epoch(0)
    assert sorted({loud.batch(0)[0].numpy().min(), loud.batch(0)[0].numpy().max()}) == [0, 1]


@pytest.mark.parametrize("stream", [[], [0], [40, 0], [50]])
def test_no_test_image_gets_noise_that_was_trained_on(stream: list[int]) -> None:
    """numpy fills seeds up with zeros: [5], [5, 0] and [5, 0, 0] are one stream."""
    grey = np.full((200, 28, 28), 128, np.uint8)
    trainable = training(grey, 0.01, batch_size=100)
    known: set[bytes] = set()
    for epoch in (0, 1):
        trainable.begin_epoch(epoch)
        known |= {row.tobytes() for row in np.asarray(trainable.noise_images)}
    assert len(known) == 2 * 10_240
    drawn = np.random.default_rng([5, *stream]).standard_normal((10_000, 784), np.float32)
    assert not known & {row.tobytes() for row in drawn}


@pytest.mark.parametrize("noise", NOISE.values())
def test_losses_are_those_of_keras_however_many_images_are_measured_at_once(
    noise: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainable = training(numbered_images(300), noise)
    at_once = trainable.measure()
    monkeypatch.setattr("worker.image_training.MEASURED_AT_ONCE", 4)
    assert training(numbered_images(300), noise).measure() == pytest.approx(at_once, rel=1e-6)
    if not noise:
        held_out = flat(numbered_images(300)[held_out_for_validation(300)])
        keras_loss = keras.losses.BinaryCrossentropy()(held_out, trainable.model(held_out))
        assert at_once["validation_loss"] == pytest.approx(float(keras_loss), rel=1e-5)


def test_images_get_the_same_noise_at_once_and_in_parts(digits: Any) -> None:
    clean, random = flat(digits.test), np.random.default_rng([1, 2])
    parts = [with_noise(clean[first : first + 100], 0.5, random) for first in range(0, len(clean), 100)]
    assert (np.concatenate(parts) == with_noise(clean, 0.5, [1, 2])).all()


def test_fewer_images_than_a_batch_are_enough(tmp_path: Path) -> None:
    trainable = training(numbered_images(20), 0.5, batch_size=65_536)
    assert (trainable.steps, trainable.batch_size) == (1, 19)
    history = fit(run_for(tmp_path, "denoiser", "train"), trainable, 2)
    assert [row["epoch"] for row in history] == [1, 2]


@pytest.mark.parametrize("batch_size", [1, 65_536])
def test_a_stop_is_noticed_within_a_second(batch_size: int, tmp_path: Path) -> None:
    run = run_for(tmp_path, "denoiser", "train", data="digits", epochs=1_000_000, batch_size=batch_size)
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.monotonic())
        run.stop.set()

    def stop_soon(_: dict[str, Any]) -> None:
        if not asked:
            asked.append(0)
            threading.Timer(0.5, stop).start()

    run.report_progress = stop_soon
    with pytest.raises(Cancelled):
        do(run)
    assert time.monotonic() - asked[-1] < 1
    assert run.checkpoint.exists()


@both_models
def test_the_saved_network_is_a_plain_keras_model(model: str, trained: dict[str, JobFolder]) -> None:
    path = trained[model].path / "model.keras"
    network = keras.models.load_model(path)
    assert [layer.name for layer in network.layers] == ["image", "code", "reconstruction"]
    assert [layer.activation.__name__ for layer in network.layers[1:]] == ["relu", "sigmoid"]
    images = np.random.default_rng(0).random((4, 784), np.float32)
    ours = load_network(trained[model])
    assert (network(images).numpy() == ours(images).numpy()).all()
    halves = decoder_of(ours)(encoder_of(ours)(images))
    np.testing.assert_allclose(halves.numpy(), ours(images).numpy(), atol=1e-6)


@both_models
def test_training_helps(model: str, trained: dict[str, JobFolder]) -> None:
    history = trained[model].history
    assert list(history[0]) == ["epoch", "loss", "validation_loss", "seconds"]
    assert history[-1]["validation_loss"] < 0.9 * history[0]["validation_loss"]
    assert trained[model].metrics["validation_bce"] == pytest.approx(history[-1]["validation_loss"])


# --- measures ---------------------------------------------------------------------------


def test_measures_are_what_numpy_computes_by_hand(digits: Any) -> None:
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.3, [1])
    probability = np.clip(noisy, np.float32(1e-7), np.float32(1 - 1e-7)).astype(np.float64)
    bce = -(clean * np.log(probability) + (1 - clean) * np.log(1 - probability)).mean(axis=1)
    mse = ((clean.astype(np.float64) - noisy) ** 2).mean(axis=1)
    measured = errors(clean, noisy)
    np.testing.assert_allclose(measured["bce"], bce, rtol=1e-5)
    np.testing.assert_allclose(measured["mse"], mse, rtol=1e-5)
    np.testing.assert_allclose(measured["psnr_db"], 10 * np.log10(1 / mse), rtol=1e-5)
    assert quality(clean, noisy)["psnr_db"] == pytest.approx((10 * np.log10(1 / mse)).mean(), rel=1e-5)


def test_ssim_is_that_of_tensorflow(digits: Any) -> None:
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.3, [1])
    squares = [tf.reshape(images, (-1, 28, 28, 1)) for images in (clean, noisy)]
    np.testing.assert_allclose(
        errors(clean, noisy)["ssim"], tf.image.ssim(*squares, max_val=1.0).numpy(), atol=1e-5
    )


def test_an_image_without_error_has_finite_measures(digits: Any) -> None:
    clean = flat(digits.test)
    measured = quality(clean, clean)
    assert measured["mse"] == 0
    assert measured["psnr_db"] == pytest.approx(100)
    assert measured["ssim"] == pytest.approx(1)
    assert math.isfinite(measured["bce"])


def test_one_of_each_digit_comes_first() -> None:
    labels = np.array([3, 3, 1, 3, 1, 0])
    assert one_of_each_digit(labels, 6, 5).tolist() == [5, 2, 0, 4, 1]
    assert one_of_each_digit(None, 6, 5).tolist() == [0, 1, 2, 3, 4]
    assert one_of_each_digit(None, 2, 5).tolist() == [0, 1]


def test_codes_are_drawn_as_they_were_seen() -> None:
    random = np.random.default_rng(0)
    codes = np.concatenate([random.normal(3, 0.1, (500, 32)), random.normal(6, 0.2, (500, 32))])
    labels = np.repeat([4, 7], 500)
    drawn, digits = CodeDistribution.fit(codes.astype(np.float32), labels).draw(2_000, random)
    assert digits[:4].tolist() == [4, 7, 4, 7]
    assert drawn[digits == 4].mean() == pytest.approx(3, abs=0.02)
    assert drawn[digits == 7].std(axis=0).mean() == pytest.approx(0.2, abs=0.02)
    alone = CodeDistribution.fit(codes[:1].astype(np.float32), None)
    np.testing.assert_allclose(alone.draw(2, random)[0], codes[[0, 0]], rtol=1e-6)


# --- evaluation -------------------------------------------------------------------------


def test_an_autoencoders_metrics_are_those_of_its_test_images(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    folder = do(run_for(tmp_path, "autoencoder", "evaluate", {"from": trained["autoencoder"]}))
    clean = digits.test.reshape(-1, 784) / 255.0
    output = load_network(trained["autoencoder"])(clean.astype(np.float32)).numpy().astype(np.float64)
    mse = ((clean - output) ** 2).mean(axis=1)
    metrics = folder.metrics
    bce = -(clean * np.log(output) + (1 - clean) * np.log(1 - output)).mean()
    assert metrics["bce"] == pytest.approx(bce, rel=1e-4)
    assert metrics["mse"] == pytest.approx(mse.mean(), rel=1e-4)
    assert metrics["psnr_db"] == pytest.approx((-10 * np.log10(mse)).mean(), rel=1e-4)
    assert metrics["images"] == 300

    kept = arrays_of(folder)
    assert kept["worst_index"].tolist() == np.argsort(-mse)[:10].tolist()
    assert (kept["worst_original"] == digits.test[kept["worst_index"]]).all()
    assert kept["units"].shape == (32, 784)
    assert kept["points"].shape == (300, 2)
    figures = figures_of(folder)
    assert list(figures) == ["reconstructions", "worst", "code_units", "code"]
    assert "coloured by digit" in figures["code"].caption
    assert folder.job["data"]["digits"]["examples"]["test"] == 300


def test_a_denoiser_is_compared_on_the_same_noisy_images(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    sources = {"from": trained["denoiser"], "baseline": trained["autoencoder"]}
    folder = do(run_for(tmp_path, "denoiser", "evaluate", sources, noise=0.35))
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.35, [0, 40, 0])
    for prefix, images in {
        "noisy_": noisy,
        "basic_": load_network(trained["autoencoder"])(noisy).numpy(),
        "": load_network(trained["denoiser"])(noisy).numpy(),
    }.items():
        for name, value in quality(clean, images).items():
            assert folder.metrics[prefix + name] == pytest.approx(value, rel=1e-5)
    with (folder.path / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["noise", "method", "bce", "mse", "psnr_db", "ssim"]
    assert {row["method"] for row in rows} == {"noisy", "basic", "denoised"}
    levels = sorted({float(row["noise"]) for row in rows})
    assert levels == sorted([*(tenth / 10 for tenth in range(11)), 0.35])
    assert list(figures_of(folder)) == ["comparison", "sweep"]
    assert folder.metrics["psnr_db"] > folder.metrics["noisy_psnr_db"]


def test_a_baseline_trained_in_the_job_is_the_one_trained_apart(
    trained: dict[str, JobFolder], tmp_path: Path
) -> None:
    """Same images, epochs, batches and seed; and it may be stopped on the way and go on."""
    sources = {"from": trained["denoiser"]}
    apart = run_for(
        tmp_path / "apart", "denoiser", "evaluate", sources | {"baseline": trained["autoencoder"]}
    )
    within = run_for(tmp_path / "within", "denoiser", "evaluate", sources)
    told: list[dict[str, Any]] = []

    def stop_in_the_middle(values: dict[str, Any]) -> None:
        told.append(values)
        if values.get("step") or values.get("epoch"):
            within.stop.set()

    within.report_progress = stop_in_the_middle
    with pytest.raises(Cancelled):
        do(within)
    assert within.checkpoint.exists()
    assert told[-1]["stage"] == "training a basic autoencoder"
    assert told[-1]["epochs"] == EPOCHS

    again = run_for(tmp_path / "within", "denoiser", "evaluate", sources)
    assert do(again).metrics == do(apart).metrics
    assert not again.checkpoint.exists()
    assert not (again.folder / "history.csv").exists()
    assert (again.folder / "baseline_history.csv").read_text().count("\n") == 1 + EPOCHS
    assert any("trained in this job" in note for note in again.notes)


def test_data_without_labels_is_drawn_without_colours(tmp_path: Path, digits: Any) -> None:
    np.savez(tmp_path / "own.npz", x=digits.train[:60])
    own = str(tmp_path / "own.npz")
    folder = do(run_for(tmp_path / "train", "autoencoder", "train", data=own, epochs=1))
    evaluated = do(run_for(tmp_path / "evaluate", "autoencoder", "evaluate", {"from": folder}))
    assert "coloured" not in figures_of(evaluated)["code"].caption
    generated = do(run_for(tmp_path / "generate", "autoencoder", "generate", {"from": folder}))
    assert (
        "The images have no labels, so the interpolation is between the first two images."
        in (generated.job["notes"])
    )
    assert (arrays_of(generated)["sample_digits"] == -1).all()
    assert list(figures_of(generated)) == ["images", "interpolation", "samples"]


# --- generation -------------------------------------------------------------------------


@both_models
def test_images_of_a_dataset_go_through_the_network(
    model: str, trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    run = run_for(tmp_path, model, "generate", {"from": trained[model]}, interpolations=3, samples=25)
    folder = do(run)
    kept = arrays_of(folder)
    clean = flat(digits.test[:10])
    seen = with_noise(clean, NOISE[model], [0, 42])
    output = load_network(trained[model])(seen).numpy()
    assert (kept["original"] == digits.test[:10]).all()
    assert np.abs(kept["output"].reshape(10, 784) - output * 255).max() < 0.51
    assert np.abs(kept["input"].reshape(10, 784) - seen * 255).max() < 0.51
    assert folder.metrics["mse"] == pytest.approx(((output - clean) ** 2).mean(), rel=1e-4)
    assert kept["names"][0] == "digits 0"

    written = sorted((tmp_path / {"autoencoder": "reconstructed", "denoiser": "denoised"}[model]).iterdir())
    assert [path.name for path in written[:2]] == ["0000-digits-0.png", "0001-digits-1.png"]
    assert (np.stack([np.asarray(Image.open(path)) for path in written]) == kept["output"]).all()

    network = load_network(trained[model])
    ends = [digits.test[digits.test_labels == digit][0] for digit in (3, 8)]
    assert (kept["interpolation_ends"] == ends).all()
    codes = encoder_of(network)(flat(np.stack(ends))).numpy()
    middle = decoder_of(network)(codes.mean(axis=0, keepdims=True)).numpy()
    assert np.abs(kept["interpolation"][2].ravel() - middle[0] * 255).max() < 0.51
    assert len(kept["interpolation"]) == 3 + 2
    assert kept["samples"].shape == (25, 28, 28)
    assert kept["sample_digits"][:11].tolist() == [*range(10), 0]
    assert list(figures_of(folder)) == ["images", "interpolation", "samples"]
    noted = any("Gaussian noise of standard deviation 0.5 was added" in note for note in run.notes)
    assert noted == (model == "denoiser")


def test_own_images_are_denoised_as_they_are(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name, image in zip(("$x^{$ <b>.png", "éü.png", "-rf .png"), digits.test, strict=False):
        Image.fromarray(image).resize((56, 40)).save(own / name)
    run = run_for(tmp_path / "job", "denoiser", "generate", {"from": trained["denoiser"]}, data=str(own))
    folder = do(run)
    assert folder.metrics == {"images": 3.0, "interpolations": 9.0, "samples": 20.0}
    assert any("No noise was added" in note for note in run.notes)
    assert any("resized" in note for note in run.notes)
    names = [path.name for path in (run.folder / "denoised").iterdir()]
    assert sorted(names) == ["0000-x-b.png", "0001-rf.png", "0002-image.png"]
    kept = arrays_of(folder)
    assert (kept["input"] == kept["original"]).all()
    figures = figures_of(folder)
    for figure in figures.values():
        figure.drawing.savefig(tmp_path / "drawn.png")


def test_noise_is_added_to_own_images_on_request(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    Image.fromarray(digits.test[0]).save(tmp_path / "one.png")
    run = run_for(
        tmp_path / "job",
        "denoiser",
        "generate",
        {"from": trained["denoiser"]},
        data=str(tmp_path / "one.png"),
        noise=0.2,
        samples=0,
    )
    folder = do(run)
    assert folder.metrics["noisy_mse"] > 0
    assert "There is one image only, so nothing was interpolated." in run.notes
    assert list(figures_of(folder)) == ["images"]


def test_a_digit_that_is_not_there_is_said(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    ones = digits.test_labels == 1
    np.savez(tmp_path / "ones.npz", x=digits.test[ones], y=digits.test_labels[ones])
    for second, noted in ((8, True), (1, False)):
        run = run_for(
            tmp_path / str(second),
            "autoencoder",
            "generate",
            {"from": trained["autoencoder"]},
            data=str(tmp_path / "ones.npz"),
            count=2,
            first_digit=1,
            second_digit=second,
        )
        kept = arrays_of(do(run))
        assert (kept["interpolation_ends"] == digits.test[ones][:2]).all()
        assert any("are not both there" in note for note in run.notes) == noted


@both_models
def test_a_training_shows_what_its_network_makes_of_images(model: str, trained: dict[str, JobFolder]) -> None:
    kept = arrays_of(trained[model])
    shapes = {name: array.shape for name, array in kept.items()}
    assert shapes == dict.fromkeys(("original", "input", "output"), (10, 28, 28))
    assert len(figures_of(trained[model])) == 1
