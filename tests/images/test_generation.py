"""Images through a network, interpolations and samples of the image models."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.store.job_folder import JobFolder
from tests.images.jobs import IMAGE_MODELS, NOISE, arrays_of, context_for, do, figures_of
from worker.images.arrays import flat, with_noise
from worker.images.network import decoder_of, encoder_of, load_network

both_models = pytest.mark.parametrize("model", IMAGE_MODELS)


@both_models
def test_images_of_a_dataset_go_through_the_network(
    model: str, trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    context = context_for(tmp_path, model, "generate", {"from": trained[model]}, interpolations=3, samples=25)
    folder = do(context)
    saved = arrays_of(folder)
    clean = flat(digits.test[:10])
    seen = with_noise(clean, NOISE[model], [0, 42])
    output = load_network(trained[model])(seen).numpy()
    assert (saved["original"] == digits.test[:10]).all()
    assert np.abs(saved["output"].reshape(10, 784) - output * 255).max() < 0.51
    assert np.abs(saved["input"].reshape(10, 784) - seen * 255).max() < 0.51
    assert folder.metrics["mse"] == pytest.approx(((output - clean) ** 2).mean(), rel=1e-4)
    assert saved["names"][0] == "digits 0"

    written = sorted(tmp_path.glob("*/*.png"))
    assert [path.name for path in written[:2]] == ["0000-digits-0.png", "0001-digits-1.png"]
    assert (np.stack([np.asarray(Image.open(path)) for path in written]) == saved["output"]).all()

    network = load_network(trained[model])
    ends = [digits.test[digits.test_labels == digit][0] for digit in (3, 8)]
    assert (saved["interpolation_ends"] == ends).all()
    taken = with_noise(flat(np.stack(ends)), NOISE[model], [0, 43])
    assert np.abs(saved["interpolation_inputs"].reshape(2, 784) - taken * 255).max() < 0.51
    codes = encoder_of(network)(taken).numpy()
    middle = decoder_of(network)(codes.mean(axis=0, keepdims=True)).numpy()
    assert np.abs(saved["interpolation"][2].ravel() - middle[0] * 255).max() < 0.51
    assert len(saved["interpolation"]) == 3 + 2
    assert saved["samples"].shape == (25, 28, 28)
    assert saved["sample_digits"][:11].tolist() == [*range(10), 0]
    figures = figures_of(folder)
    assert list(figures) == ["images", "interpolation", "samples"]
    noise = bool(NOISE[model])
    assert ("what the network took, the same with noise." in figures["interpolation"].caption) == noise
    assert ("training images with noise of 0.5. New codes" in figures["samples"].caption) == noise
    noted = any("Gaussian noise of standard deviation 0.5 was added" in note for note in context.notes)
    assert noted == noise
