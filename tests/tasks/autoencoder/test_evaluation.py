"""The autoencoder's evaluation measures its test images and shows the worst and the code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from tests.images.jobs import arrays_of, context_for, do, figures_of
from worker.images.network import load_network
from worker.images.training import held_out_for_validation


def test_an_autoencoders_metrics_are_those_of_its_test_images(
    trained: JobFolder, digits: Any, tmp_path: Path
) -> None:
    folder = do(context_for(tmp_path, "autoencoder", "evaluate", {"from": trained}))
    clean = digits.test.reshape(-1, 784) / 255.0
    output = load_network(trained)(clean.astype(np.float32)).numpy().astype(np.float64)
    mse = ((clean - output) ** 2).mean(axis=1)
    metrics = folder.metrics
    bce = -(clean * np.log(output) + (1 - clean) * np.log(1 - output)).mean()
    assert metrics["bce"] == pytest.approx(bce, rel=1e-4)
    assert metrics["mse"] == pytest.approx(mse.mean(), rel=1e-4)
    assert metrics["psnr_db"] == pytest.approx((-10 * np.log10(mse)).mean(), rel=1e-4)
    assert metrics["images"] == 300
    mean = digits.train[~held_out_for_validation(len(digits.train))].reshape(-1, 784).mean(axis=0) / 255
    assert metrics["baseline_mse"] == pytest.approx(((clean - mean) ** 2).mean(), rel=1e-4)
    assert metrics["baseline_psnr_db"] == pytest.approx(
        (-10 * np.log10(((clean - mean) ** 2).mean(axis=1))).mean(), rel=1e-4
    )

    saved = arrays_of(folder)
    assert saved["worst_index"].tolist() == np.argsort(-mse)[:10].tolist()
    assert (saved["worst_original"] == digits.test[saved["worst_index"]]).all()
    assert saved["units"].shape == (32, 784)
    assert saved["points"].shape == (300, 2)
    figures = figures_of(folder)
    assert list(figures) == ["reconstructions", "worst", "code_units", "code"]
    assert "coloured by digit" in figures["code"].caption
    assert folder.job["data"]["digits"]["examples"]["test"] == 300
