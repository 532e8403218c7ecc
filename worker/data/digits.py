"""The offline sample `digits`: scikit-learn's handwritten digits, scaled to 28 × 28."""

import hashlib

import numpy as np

from worker.data.pixels import Labels, Pixels, fit

TRAIN = 1_497


def load_digits() -> tuple[Pixels, Labels, str]:
    """Load the test set of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998).

    https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits

    Returns:
        uint8 (1797, 28, 28), light on dark, in scikit-learn's order; int64 (1797,), 0 to 9; the
        SHA-256 of the 8 × 8 originals as bytes of 0 to 16, then the labels as bytes.
    """
    from PIL import Image
    from sklearn import datasets

    digits = datasets.load_digits()
    originals = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.int64)
    digest = hashlib.sha256(originals.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    levels = np.rint(originals * (255 / 16)).astype(np.uint8)
    return np.stack([fit(Image.fromarray(image)) for image in levels]), labels, digest
