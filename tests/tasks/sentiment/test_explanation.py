"""The words that moved a decision."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import TEXTS, do, some_tokens
from worker.tasks.sentiment.explanation import explain
from worker.tasks.sentiment.scoring import ReviewScorer
from worker.tasks.sentiment.tokens import Tokens
from worker.tasks.sentiment.vocabulary import UNKNOWN, Vocabulary


def test_a_words_weight_is_what_hiding_it_changes(network: keras.Model) -> None:
    vocabulary = Vocabulary(tuple(f"w{number}" for number in range(48)))
    tokens = some_tokens(6, 12)
    scorer = ReviewScorer(network)
    logits = scorer.logits(tokens)
    effects = explain(scorer, vocabulary, tokens, logits)
    assert len(effects) == 6
    for place, found in enumerate(effects):
        row = tokens.of(place)
        assert {effect.word for effect in found} == {
            vocabulary.shown(word) for word in row if word != UNKNOWN
        }
        assert [abs(effect.weight) for effect in found] == sorted(
            (abs(e.weight) for e in found), reverse=True
        )
        first = found[0]
        number = int(first.word[1:]) + 2
        hidden = np.where(row == number, UNKNOWN, row).astype(np.int32)
        without = scorer.logits(Tokens.joined([hidden]))[0]
        assert first.weight == pytest.approx(logits[place] - without, abs=1e-4)
        assert first.times == int((row == number).sum())


def test_explanations_stay_within_their_budget(network: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.explanation.BUDGET_TOKENS", 200)
    vocabulary = Vocabulary(tuple(f"w{number}" for number in range(48)))
    tokens = some_tokens(40, 12)
    scorer = ReviewScorer(network)
    effects = explain(scorer, vocabulary, tokens, scorer.logits(tokens))
    assert 0 < len(effects) < 40


def test_the_words_that_decide_are_the_ones_with_a_meaning(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path, "generate", source=trained, text=TEXTS[:2])
    decisions = json.loads((context.folder / "decisions.json").read_bytes())
    liked, disliked = ({word["word"] for word in decision["words"][:3]} for decision in decisions)
    assert liked & {"clever", "superb"}
    assert disliked & {"dull", "awful"}
