"""The offline sample `digits`: scikit-learn's handwritten digits, scaled to 28 × 28."""

import hashlib
from functools import cache

import numpy as np

from worker.images.image_sets import Images, LabelledImages, image_record
from worker.images.parameters import DIGITS
from worker.images.pixels import scaled_to_fit

TRAINING_IMAGES = 1_497
"""The first ones; the other 300 are the test part."""


@cache
def load_digits() -> Images:
    """Load the test set of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998).

    https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits

    Returns:
        1,797 images, light on dark, in scikit-learn's order. Their recorded SHA-256 is that of the 8 × 8
        originals as bytes of 0 to 16, followed by the labels as bytes.
    """
    from PIL import Image
    from sklearn import datasets

    digits = datasets.load_digits()
    originals = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.int64)
    sha256 = hashlib.sha256(originals.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    levels = np.rint(originals * (255 / 16)).astype(np.uint8)
    whole = LabelledImages(np.stack([scaled_to_fit(Image.fromarray(image)) for image in levels]), labels)
    train, test = whole.rows(slice(TRAINING_IMAGES)), whole.rows(slice(TRAINING_IMAGES, None))
    notes = (
        "Images were resized from 8 × 8 to 28 × 28.",
        f"The first {len(train.images):,} of scikit-learn's digits are the training part, "
        f"the last {len(test.images):,} the test part.",
    )
    return Images(DIGITS.name, *train, *test, image_record(DIGITS.name, None, sha256, train, test), notes)
