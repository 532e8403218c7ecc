"""What is measured has other noise than what was trained on, and so has what is generated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from tests.images.jobs import context_for, do


def test_no_two_jobs_of_a_seed_draw_the_same_numbers(
    baseline: JobFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, ...]] = []
    default_rng = np.random.default_rng

    def recorded(seed: Any = None) -> np.random.Generator:
        if isinstance(seed, list):
            padded = np.trim_zeros(np.array(seed), "b")  # numpy pads with zeros: [5] is [5, 0]
            drawn.append(tuple(padded.tolist()))
        return default_rng(seed)

    def numbers_of(action: str, sources: dict[str, JobFolder], **parameters: Any) -> JobFolder:
        return do(context_for(tmp_path / action, "denoiser", action, sources, seed=5, **parameters))

    monkeypatch.setattr(np.random, "default_rng", recorded)
    trained = numbers_of("train", {}, data="digits", epochs=1, batch_size=64)
    in_training, drawn = drawn, []
    numbers_of("evaluate", {"from": trained, "baseline": baseline})
    in_evaluation, drawn = drawn, []
    numbers_of("generate", {"from": trained})
    for once in (in_training, drawn):
        assert len(set(once)) == len(once)
    assert len({*in_training, *in_evaluation, *drawn}) == sum(
        len(set(streams)) for streams in (in_training, in_evaluation, drawn)
    )
    assert (5, 40) in in_evaluation
