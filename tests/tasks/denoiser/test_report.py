"""The denoiser's report is drawn from a folder's files alone, and says which method is best where."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from tests.images.jobs import context_for, do, figures_of
from worker.engine.wings import wing
from worker.report.blocks import Figure, Table
from worker.tasks.denoiser.report import stretches, winners
from worker.tasks.denoiser.sentences import best_level, clipping, disagreement, rise_of_both

ROOT = Path(__file__).parents[3]


def test_a_report_is_drawn_without_tensorflow(trained: JobFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.store.job_folder import JobFolder; "
        "from worker.tasks.denoiser.report import present; "
        f"list(present(JobFolder(Path({str(trained.path)!r})))); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_best_method_is_the_lowest_or_the_highest() -> None:
    values = {"noisy": [1.0, 2.0], "denoised": [0.5, 3.0]}
    assert winners(values, "higher") == ["noisy", "denoised"]
    assert winners(values, "lower") == ["denoised", "noisy"]


def test_stretches_of_levels_are_put_into_words() -> None:
    assert stretches([0.0, 0.1, 0.2], ["noisy", "denoised", "denoised"]) == (
        "Best by PSNR: noisy at 0, denoised from 0.1 to 0.2."
    )


@pytest.fixture(scope="module")
def evaluated(trained: JobFolder, baseline: JobFolder, tmp_path_factory: pytest.TempPathFactory) -> JobFolder:
    sources = {"from": trained, "baseline": baseline}
    return do(context_for(tmp_path_factory.mktemp("evaluated"), "denoiser", "evaluate", sources))


def blocks_of(folder: JobFolder) -> tuple[dict[str, Figure], Table]:
    blocks = list(wing("denoiser").present(folder))
    [table] = [block for block in blocks if isinstance(block, Table)]
    return {block.name: block for block in blocks if isinstance(block, Figure)}, table


def test_a_report_says_what_clipping_does_and_what_it_compares_with(evaluated: JobFolder) -> None:
    figures, table = blocks_of(evaluated)
    metrics = evaluated.metrics
    assert (
        f"beyond 0 and 1, {100 * metrics['clipped_share']:.0f} % of all, are clipped"
        in figures["comparison"].caption
    )
    assert f"root mean square of {metrics['noisy_mse'] ** 0.5:.2f}." in figures["comparison"].caption
    assert "by each of 3 measures" in figures["sweep"].caption
    assert [row[0] for row in table.rows] == ["noisy", "basic autoencoder", "denoised", "mean training image"]
    assert list(table.header) == ["", "PSNR ↑", "SSIM ↑", "MSE ↓"]
    assert list(table.rows[3][1:]) == [metrics[f"baseline_{name}"] for name in ("psnr_db", "ssim", "mse")]
    assert "PSNR is the mean of each image's own" in table.caption


def test_an_evaluation_of_the_first_edition_is_drawn(evaluated: JobFolder, tmp_path: Path) -> None:
    """It measured the cross-entropy of noisy images, and gave untouched ones 100 dB."""
    old = JobFolder(shutil.copytree(evaluated.path, tmp_path / "old"))
    lines = (evaluated.path / "sweep.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines]
    for row in rows[1:]:
        row[3] = row[3] or "100.0"
        row.insert(2, "0.8")
    rows[0].insert(2, "bce")
    (old.path / "sweep.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    new = ("baseline_", "clipped_", "training_", "lowest_")
    metrics = {name: value for name, value in evaluated.metrics.items() if not name.startswith(new)}
    (old.path / "metrics.json").write_text(json.dumps(metrics | {"noisy_bce": 0.8}))
    figures, table = blocks_of(old)
    assert "beyond 0 and 1 are clipped" in figures["comparison"].caption
    assert "infinite" in figures["sweep"].caption
    assert len(table.rows) == 3
    assert "BCE" not in str(table)


def written_by_hand(folder: Path, metrics: dict[str, float], **arrays: Any) -> dict[str, Figure]:
    """The figures of a generation whose folder has these metrics and, besides what each has, these arrays."""
    folder.mkdir()
    some = np.zeros((3, 28, 28), np.uint8)
    arrays |= {"names": np.array(["a", "b", "c"]), "original": some, "input": some, "output": some}
    arrays |= {"interpolation_ends": some[:2], "interpolation": np.zeros((11, 28, 28), np.uint8)}
    arrays |= {"samples": some, "sample_digits": np.arange(3)}
    np.savez(folder / "images.npz", **arrays)
    measured = dict.fromkeys(("psnr_db", "mse", "noisy_psnr_db", "noisy_mse", "clipped_share"), 0.5)
    (folder / "metrics.json").write_text(json.dumps(measured | metrics))
    (folder / "job.json").write_text(json.dumps({"spec": {"model": "denoiser", "action": "generate"}}))
    return figures_of(JobFolder(folder))


def test_a_generation_says_that_noise_was_added_before_images_were_encoded(tmp_path: Path) -> None:
    seen = np.full((2, 28, 28), 99, np.uint8)
    now = written_by_hand(tmp_path / "now", {"training_noise": 0.3}, interpolation_inputs=seen)
    assert "beside them is what the network took, the same with noise." in now["interpolation"].caption
    assert now["interpolation"].alt.startswith("15 images")
    assert "training images with noise of 0.3. New codes" in now["samples"].caption
    clean = written_by_hand(tmp_path / "clean", {"training_noise": 0.0}, interpolation_inputs=seen)
    assert "training images. New codes" in clean["samples"].caption


def test_a_generation_of_before_interpolated_between_clean_images(tmp_path: Path) -> None:
    before = written_by_hand(tmp_path / "before", {})
    assert "noise" not in before["interpolation"].caption
    assert before["interpolation"].alt.startswith("13 images")
    assert "training images with noise, as in training. New codes" in before["samples"].caption


def test_measures_that_disagree_are_explained_and_others_are_not() -> None:
    noisy, denoised = {"psnr_db": 20.0, "mse": 0.01}, {"psnr_db": 21.0, "mse": 0.02}
    text = disagreement({"noisy": noisy, "denoised": denoised})
    assert "Noisy and denoised have a mean PSNR of 20.00 and 21.00 dB" in text
    assert "a mean squared error of 0.0100 and 0.0200" in text
    assert disagreement({"noisy": noisy, "denoised": denoised | {"mse": 0.005}}) == ""
    assert disagreement({"noisy": noisy, "denoised": noisy}) == ""


def test_a_psnr_that_rises_with_the_error_is_explained() -> None:
    """The widest gap is named: an error that doubles while the decibels rise."""
    rising = {
        0.0: {"psnr_db": 30.0, "mse": 0.02},
        0.1: {"psnr_db": 31.0, "mse": 0.03},
        0.2: {"psnr_db": 32.0, "mse": 0.04},
        0.3: {"psnr_db": 10.0, "mse": 0.1},
    }
    text = rise_of_both(rising, "the noisy images")
    assert text.startswith(
        " From noise 0 to 0.2 the mean PSNR of the noisy images rises from 30.00 to 32.00 dB, and so does its "
        "mean squared error, from 0.0200 to 0.0400: "
    )
    rising[0.1]["psnr_db"] = rising[0.2]["psnr_db"] = 29.0
    assert rise_of_both(rising, "the noisy images") == ""
    close = {0.3: {"psnr_db": 18.541, "mse": 0.01521}, 0.4: {"psnr_db": 18.544, "mse": 0.01523}}
    assert rise_of_both(close, "the noisy images") == ""
    assert disagreement({"noisy": close[0.3], "denoised": close[0.4]}) == ""


def test_a_denoiser_that_needs_its_noise_says_so() -> None:
    values = {0.0: {"psnr_db": 11.45}, 0.5: {"psnr_db": 16.67}, 1.0: {"psnr_db": 11.9}}
    text = best_level(values, 0.5)
    assert "better at noise 0.5 (16.67 dB) than at 0 (11.45 dB)" in text
    assert "its training, with noise of 0.5" in text
    assert best_level(values, None).count("its training,") == 1
    assert best_level({0.0: {"psnr_db": 17.0}, 0.5: {"psnr_db": 16.67}}, 0.5) == ""


def test_clipping_is_spoken_of_only_where_there_is_noise() -> None:
    assert clipping(0.0, 0.0, 0.0) == ""
    assert "beyond 0 and 1, 51 % of all, are clipped" in clipping(0.5, 0.1155, 0.509)
    assert clipping(0.5, 0.1155).endswith("has a root mean square of 0.34.")
