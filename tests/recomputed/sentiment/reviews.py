"""What is recomputed of the review model: by Keras, scikit-learn, SciPy, and a reader and tokeniser of our own."""

import hashlib
import html
import io
import json
import re
import tarfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from scipy.stats import binomtest
from sklearn import metrics

from jobs.store.job_folder import JobFolder

LENGTH, VOCABULARY = 100, 3_000

Array = np.ndarray[Any, Any]
Reviews = list["Review"]

NAMES = ("balanced_accuracy", "accuracy", "precision", "recall", "f1")


class Review(NamedTuple):
    """A review of the archive."""

    name: str
    text: str

    @property
    def is_test(self) -> bool:
        return "/test/" in self.name

    @property
    def label(self) -> int:
        return int("/pos/" in self.name)


def read_archive(path: Path, counts: Mapping[str, int]) -> Reviews:
    """Reviews of each part of the archive, as many as `counts` says, in the archive's order.

    Every fifth number is read, so that there are some of all films, and no text twice.
    """
    left, found, texts = dict(counts), [], set[str]()
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            part = "/".join(member.name.split("/")[1:3])
            if member.isfile() and left.get(part, 0) and number_of(member.name) % 5 == 3:
                content = archive.extractfile(member)
                assert content is not None
                review = Review(member.name, content.read().decode())
                if review.text in texts:
                    continue
                texts.add(review.text)
                found.append(review)
                left[part] -= 1
                if not any(left.values()):
                    break
    return found


def number_of(name: str) -> int:
    """The number of a review's file, which is near those of the other reviews of its film."""
    return int(name.split("/")[-1].split("_")[0])


def write_archive(path: Path, reviews: Reviews) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for review in reviews:
            content = review.text.encode()
            member = tarfile.TarInfo(review.name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def words_of(text: str) -> list[str]:
    lower = unicodedata.normalize("NFC", html.unescape(text).lower()).replace("’", "'")
    plain = re.sub(r"<\s*br\s*/?\s*>", " ", lower)
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", plain)


def is_trained_on(folder: JobFolder, reviews: Reviews, name: str = "digests") -> Array:
    """Which reviews are training examples, as the folder of the training job states: (n,)."""
    with np.load(folder.path / "training_examples.npz") as stored:
        digests = stored[name]
    plain = (" ".join(html.unescape(review.text).split()) for review in reviews)
    texts = (unicodedata.normalize("NFC", text).encode() for text in plain)
    own = [int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") for text in texts]
    return np.isin(np.array(own, np.uint64), digests)


def is_validated_with(folder: JobFolder, reviews: Reviews) -> Array:
    """Which reviews are validation examples, as the folder of the training job states: (n,)."""
    return is_trained_on(folder, reviews, "validation")


def labels_of(reviews: Reviews) -> Array:
    return np.array([review.label for review in reviews])


class Network:
    """The network of a training job, loaded by Keras alone, with its words."""

    def __init__(self, folder: JobFolder) -> None:
        self.model = keras.saving.load_model(folder.path / "model.keras", compile=False)
        self.words: list[str] = json.loads((folder.path / "vocabulary.json").read_text())["words"]
        self._ids = {word: number for number, word in enumerate(self.words, 2)}

    def ids(self, text: str) -> list[int]:
        """The last words of a review; 1 is an unknown one."""
        return [self._ids.get(word, 1) for word in words_of(text)[-LENGTH:]] or [1]

    def probabilities(self, reviews: Iterable[str | Sequence[int]]) -> Array:
        """Of positive, (n,); of texts or of ids."""
        rows = [self.ids(row) if isinstance(row, str) else row for row in reviews]
        padded = keras.utils.pad_sequences(rows, maxlen=LENGTH, padding="post", truncating="pre")
        return np.float64(self.model.predict(padded, verbose=0, batch_size=256)[:, 0])


def wilson(hits: int, count: int) -> tuple[float, float]:
    found = binomtest(int(hits), int(count)).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def lower_bound(hits: int, count: int) -> float:
    """The one-sided bound of a share by Clopper and Pearson at 95 %."""
    return float(binomtest(int(hits), int(count), alternative="greater").proportion_ci(0.95, "exact").low)


def confusion(labels: Array, called: Array) -> dict[str, int]:
    counts = metrics.confusion_matrix(labels, called, labels=(0, 1)).ravel().tolist()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return dict(zip(names, counts, strict=True))


def measures(labels: Array, called: Array, names: Sequence[str], suffix: str = "") -> dict[str, float]:
    of = {
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "accuracy": metrics.accuracy_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
    }
    return {f"{name}{suffix}": float(of[name](labels, called)) for name in names}


def intervals(labels: Array, called: Array, names: Sequence[str], suffix: str = "") -> dict[str, float]:
    """The ends of the 95 % intervals of what `measures` returns."""
    counts = confusion(labels, called)
    tn, fp, fn, tp = counts.values()
    ends = {
        "accuracy": wilson(tp + tn, len(labels)),
        "precision": wilson(tp, tp + fp),
        "recall": wilson(tp, tp + fn),
        "f1": tuple(2 * end / (1 + end) for end in wilson(tp, tp + fp + fn)),
        "balanced_accuracy": _of_mean((tp, tp + fn), (tn, tn + fp)),
    }
    return {
        f"{name}{suffix}_{end}": ends[name][place]
        for name in names
        for place, end in enumerate(("low", "high"))
    }


def _of_mean(*shares: tuple[int, int]) -> tuple[float, float]:
    """The interval of the mean of two independent shares: Zou and Donner (2008), of half their sum."""
    centre = np.array([hits / count for hits, count in shares])
    low, high = np.array([wilson(*share) for share in shares]).T
    return (
        float(centre.mean() - np.linalg.norm(centre - low) / 2),
        float(centre.mean() + np.linalg.norm(high - centre) / 2),
    )


def constants(labels: Array, on: str = "") -> dict[str, float]:
    """What the best answer has that is the same for all reviews."""
    share = labels.mean()
    return {
        f"baseline_{on}balanced_accuracy": 0.5,
        f"baseline_{on}accuracy": max(share, 1 - share),
        f"baseline_{on}loss": float(metrics.log_loss(labels, np.full(len(labels), share))),
    }


def called_for(target: str, share: float, labels: Array, probabilities: Array) -> tuple[Array, float, bool]:
    """By trying every threshold: what is called positive by the one that is to be chosen, and its bound.

    The third value is whether the bound reaches the target.
    """
    tried = []
    for threshold in np.unique(probabilities):
        called = probabilities >= threshold
        hits = int((called & (labels == 1)).sum())
        count = int(called.sum()) if target == "precision" else int(labels.sum())
        tried.append((called, lower_bound(hits, count) if hits else 0.0))
    reaching = [one for one in tried if one[1] >= share]
    if not reaching:
        return (*max(tried, key=lambda one: one[1]), False)
    return (*reaching[0 if target == "precision" else -1], True)


def at_threshold(labels: Array, probabilities: Array, threshold: float) -> dict[str, float]:
    """Every metric of an evaluation without a target, but for what is said of seen reviews."""
    called = probabilities >= threshold
    at_half = probabilities >= 0.5
    found = {
        "threshold": threshold,
        **measures(labels, called, NAMES),
        **intervals(labels, called, NAMES),
        "roc_auc": float(metrics.roc_auc_score(labels, probabilities)),
        "average_precision": float(metrics.average_precision_score(labels, probabilities)),
        "loss": float(metrics.log_loss(labels, probabilities)),
        **constants(labels),
        "reviews": len(labels),
        "positive_reviews": int(labels.sum()),
        **confusion(labels, called),
    }
    if threshold != 0.5:
        found |= measures(labels, at_half, NAMES, "_at_half")
        found |= intervals(labels, at_half, NAMES[:1], "_at_half")
    return found
