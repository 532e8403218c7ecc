"""The autoencoder reconstructs images that lack labels or digits, and says so."""

from pathlib import Path
from typing import Any

import numpy as np

from jobs.store.job_folder import JobFolder
from tests.images.jobs import arrays_of, context_for, do, figures_of


def test_data_without_labels_is_drawn_without_colours(tmp_path: Path, digits: Any) -> None:
    np.savez(tmp_path / "own.npz", x=digits.train[:60])
    own = str(tmp_path / "own.npz")
    folder = do(context_for(tmp_path / "train", "autoencoder", "train", data=own, epochs=1))
    evaluated = do(context_for(tmp_path / "evaluate", "autoencoder", "evaluate", {"from": folder}))
    assert "coloured" not in figures_of(evaluated)["code"].caption
    generated = do(context_for(tmp_path / "generate", "autoencoder", "generate", {"from": folder}))
    assert (
        "The interpolation is between the first two images, since the images have no labels."
        in (generated.job["notes"])
    )
    assert (arrays_of(generated)["sample_digits"] == -1).all()
    assert list(figures_of(generated)) == ["images", "interpolation", "samples"]


def test_a_digit_that_is_not_there_is_said(trained: JobFolder, digits: Any, tmp_path: Path) -> None:
    ones = digits.test_labels == 1
    np.savez(tmp_path / "ones.npz", x=digits.test[ones], y=digits.test_labels[ones])
    for second, noted in ((8, True), (1, False)):
        context = context_for(
            tmp_path / str(second),
            "autoencoder",
            "generate",
            {"from": trained},
            data=str(tmp_path / "ones.npz"),
            count=2,
            first_digit=1,
            second_digit=second,
        )
        saved = arrays_of(do(context))
        assert (saved["interpolation_ends"] == digits.test[ones][:2]).all()
        assert any("does not have both digits, 1 and 8" in note for note in context.notes) == noted
