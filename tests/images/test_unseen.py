"""Images that a network was trained on are counted and left out of a number of their own."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from tests.images.files import npz
from tests.images.jobs import IMAGE_MODELS, context_for, do
from worker.images.arrays import flat
from worker.images.network import load_network
from worker.images.training import held_out_for_validation
from worker.images.unseen import digests
from worker.training.seen_examples import seen_before, validated_before, write_seen

AUTOENCODER, DENOISER = IMAGE_MODELS


@pytest.mark.parametrize("model", IMAGE_MODELS)
def test_a_training_keeps_digests_of_what_it_trained_on_and_of_nothing_else(
    model: str, trained: dict[str, JobFolder], digits: Any
) -> None:
    """No test images, and validation images apart; only images equal pixel by pixel are the same."""
    held_out = held_out_for_validation(len(digits.train))
    seen = seen_before(trained[model], digests(digits.train))
    assert (seen == ~held_out).all()
    assert (validated_before(trained[model], digests(digits.train)) == held_out).all()
    assert not np.any(validated_before(trained[model], digests(digits.test)))
    assert not np.any(seen_before(trained[model], digests(digits.test)))
    changed = digits.train[~held_out].copy()
    changed[:, 5, 5] ^= 1
    assert not np.any(seen_before(trained[model], digests(changed)))


def mixed_data(folder: Path, digits: Any, seen: int, unseen: int, validated: int = 0) -> str:
    """Test images of which some were trained on, or validated by; they lie between the others."""
    held_out = held_out_for_validation(len(digits.train))
    known = [digits.train[~held_out][:seen], digits.train[held_out][:validated]]
    images = np.concatenate([digits.test[: unseen // 2], *known, digits.test[unseen // 2 : unseen]])
    np.savez(folder / "mixed.npz", x_train=digits.train[:20], x_test=images)
    return str(folder / "mixed.npz")


def test_an_evaluation_on_training_images_counts_them_and_measures_the_others(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    context = context_for(
        tmp_path / "job",
        AUTOENCODER,
        "evaluate",
        {"from": trained[AUTOENCODER]},
        data=mixed_data(tmp_path, digits, seen=30, unseen=60),
    )
    metrics = do(context).metrics
    assert context.warnings == [
        "The network was trained on 30 of the 90 images that it is measured on; expect worse numbers on new "
        "images. Those on the other 60 stand beside."
    ]
    clean = flat(digits.test[:60]).astype(np.float64)
    output = load_network(trained[AUTOENCODER])(flat(digits.test[:60])).numpy().astype(np.float64)
    bce = -(clean * np.log(output) + (1 - clean) * np.log(1 - output)).mean()
    assert metrics["bce_unseen"] == pytest.approx(bce, rel=1e-4)
    assert metrics["bce_unseen"] != pytest.approx(metrics["bce"], rel=3e-4)


@pytest.mark.parametrize("seen", [20, 0])
def test_validation_images_are_counted_apart_and_left_out_too(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path, seen: int
) -> None:
    data = mixed_data(tmp_path, digits, seen=seen, unseen=60, validated=30)
    context = context_for(
        tmp_path / "job", AUTOENCODER, "evaluate", {"from": trained[AUTOENCODER]}, data=data
    )
    metrics = do(context).metrics
    if seen:
        assert context.warnings == [
            "The network was trained on 20 of the 110 images that it is measured on, and 30 of them were "
            "validation images; expect worse numbers on new images. Those on the other 60 stand beside."
        ]
    else:
        assert context.warnings == []
        assert (
            "30 of the 90 images that the network is measured on were among its validation images. Those on the "
            "other 60 stand beside."
        ) in context.notes
    alone = str(npz(tmp_path / "new.npz", x_train=digits.train[:20], x_test=digits.test[:60]))
    new = context_for(tmp_path / "new", AUTOENCODER, "evaluate", {"from": trained[AUTOENCODER]}, data=alone)
    assert metrics["bce_unseen"] == pytest.approx(do(new).metrics["bce"], rel=1e-4)


def test_a_model_that_kept_no_digests_of_its_validation_images_is_read(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    folder = JobFolder(shutil.copytree(trained[AUTOENCODER].path, tmp_path / "old"))
    held_out = held_out_for_validation(len(digits.train))
    write_seen(folder.path, digests(digits.train[~held_out]))
    assert validated_before(folder, digests(digits.train)) is None
    data = mixed_data(tmp_path, digits, seen=0, unseen=60, validated=30)
    context = context_for(tmp_path / "job", AUTOENCODER, "evaluate", {"from": folder}, data=data)
    assert "bce_unseen" not in do(context).metrics
    assert context.warnings == []


def test_a_few_unseen_images_get_no_number(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    context = context_for(
        tmp_path / "job",
        AUTOENCODER,
        "generate",
        {"from": trained[AUTOENCODER]},
        data=mixed_data(tmp_path, digits, seen=20, unseen=4),
        count=24,
    )
    metrics = do(context).metrics
    assert context.warnings == [
        "The network was trained on 20 of the 24 images that it is measured on; expect worse numbers on new "
        "images."
    ]
    assert "bce_unseen" not in metrics


def test_a_denoiser_and_the_autoencoder_beside_it_are_looked_up_each_in_its_own_training(
    trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    data = mixed_data(tmp_path, digits, seen=30, unseen=40)
    without = shutil.ignore_patterns("training_examples.npz")
    for old, warned, name in (
        (DENOISER, "The basic autoencoder", "basic_psnr_db"),
        (AUTOENCODER, "The network", "psnr_db"),
    ):
        folders = trained | {
            old: JobFolder(shutil.copytree(trained[old].path, tmp_path / old, ignore=without))
        }
        sources = {"from": folders[DENOISER], "baseline": folders[AUTOENCODER]}
        context = context_for(tmp_path / f"without {old}", DENOISER, "evaluate", sources, data=data)
        metrics = do(context).metrics
        assert context.warnings == [
            f"{warned} was trained on 30 of the 70 images that it is measured on; expect worse numbers on new "
            "images. Those on the other 40 stand beside."
        ]
        assert any("kept no digests" in note for note in context.notes)
        assert [key for key in metrics if key.endswith("_unseen")] == [f"{name}_unseen"]


def test_images_of_a_dataset_are_no_training_images(trained: dict[str, JobFolder], tmp_path: Path) -> None:
    for action in ("evaluate", "generate"):
        context = context_for(tmp_path / action, AUTOENCODER, action, {"from": trained[AUTOENCODER]})
        assert not any(name.endswith("_unseen") for name in do(context).metrics)
        assert context.warnings == []
