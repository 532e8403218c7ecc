"""What is refused before a training run starts: checkpoints of other reviews, and what no memory holds."""

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import DamagedFolder, InvalidJob
from tests.tasks.sentiment.jobs import SMALL, do, some_tokens
from tests.tasks.sentiment.test_training import training_of
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.training_start import memory_needed
from worker.training.checkpoint import Checkpoint


def test_a_checkpoint_of_other_reviews_or_words_is_refused(tmp_path: Path, own_reviews: Path) -> None:
    one_epoch = SMALL | {"epochs": 1}
    own = tmp_path / "own.csv"
    own.write_bytes(own_reviews.read_bytes())
    do(tmp_path / "run", "train", own, **one_epoch)
    with own.open("a") as file:
        file.write("the plot is a surprise surprise,pos\n" * 400)
    with pytest.raises(
        DamagedFolder, match="this checkpoint learned from other reviews, since the data have changed"
    ):
        do(tmp_path / "run", "train", own, **SMALL)
    checkpoint = Checkpoint.read(tmp_path / "run" / "checkpoint.npz")
    checkpoint.variables.pop()  # as an earlier version wrote it
    checkpoint.write(tmp_path / "run" / "checkpoint.npz")
    with pytest.raises(DamagedFolder, match="or it was written by an earlier version of Quartet"):
        do(tmp_path / "run", "train", own_reviews, **SMALL)


def test_a_checkpoint_tells_which_reviews_it_learned_from_and_validated_with() -> None:
    tokens, everything = some_tokens(64, 12), np.arange(64)
    training, weights = training_of(tokens, batch_size=16), build_sentiment(50, seed=1).get_weights()
    found = set()
    for learned, validated in ((everything[10:], everything[:10]), (everything[:54], everything[54:])):
        for some in (learned, learned[1:]):
            training.restart(weights, tokens, some, validated, seed=0, learning_rate=1e-2)
            found.add(training.fingerprint)
    assert len(found) == 4
    training.restart(weights, tokens, everything[1:54], everything[54:], seed=3, learning_rate=1e-3)
    assert training.fingerprint in found


def test_a_training_job_beyond_all_memory_is_refused_before_it_starts(
    tmp_path: Path, own_reviews: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory_needed(10_002, 128 * 200) < 150e6
    assert memory_needed(10_002, 4_096 * 2_200) > 16e9
    monkeypatch.setattr("worker.training.memory.LIMIT_GB", 0.05)
    with pytest.raises(
        InvalidJob,
        match=r"^batch_size, length and vocabulary: expected at most 0.05 GB for a training step, got about \d+ GB$",
    ):
        do(tmp_path / "run", "train", own_reviews, batch_size=65_536, length=10_000)
