"""How good a network is on images that it was not trained on, where others are among those measured."""

from collections.abc import Mapping

import numpy as np

from jobs.store.job_folder import JobFolder
from jobs.wording import counted
from worker.context import JobContext
from worker.images.arrays import Floats
from worker.images.pixels import Pixels
from worker.images.quality import means
from worker.training.seen_examples import (
    FEWEST_UNSEEN,
    Digests,
    digests_of,
    seen_before,
    validated_before,
)


def digests(images: Pixels) -> Digests:
    """Digests of images uint8 (n, 28, 28): equal ones are equal as the network gets them, without noise."""
    return digests_of(image.tobytes() for image in images)


def unseen_quality(
    context: JobContext,
    images: Pixels,
    measured: Mapping[str, Floats],
    *,
    source: JobFolder | None = None,
    network: str = "network",
) -> dict[str, float]:
    """Say if some of the images were training or validation images of a network; measure it on the others.

    Args:
        context: of the job.
        images: uint8 (n, 28, 28), what was measured.
        measured: arrays (n,) by name.
        source: the training job of the network; without it, that of `--from`.
        network: what the sentences call it.

    Returns:
        `<name>_unseen`, the mean over the images that it was neither trained nor validated on; nothing where
        these are all, or hardly any, or where the training job, before version 0.2, kept no digests.

    Raises:
        DamagedFolder: the digests are there and cannot be read.
    """
    own = digests(images)
    seen = seen_before(source or context.source, own)
    if seen is None:
        context.note(
            f"The training job of the {network} kept no digests of its images, so it is not known whether "
            f"some of these {counted(len(images), 'image')} are among them."
        )
        return {}
    validated = validated_before(source or context.source, own)
    new = ~seen if validated is None else ~(seen | validated)
    others, total = int(np.count_nonzero(new)), counted(len(images), "image")
    trained, of_validation = int(np.count_nonzero(seen)), int(np.count_nonzero(~seen & ~new))
    if others == len(images):
        return {}
    beside = f" Those on the other {others:,} stand beside." if others >= FEWEST_UNSEEN else ""
    if trained:
        context.warn(
            f"The {network} was trained on {trained:,} of the {total} that it is measured on"
            + (f", and {of_validation:,} of them were validation images" if of_validation else "")
            + f"; expect worse numbers on new images.{beside}"
        )
    else:
        context.note(
            f"{of_validation:,} of the {total} that the {network} is measured on "
            f"{'was' if of_validation == 1 else 'were'} among its validation images.{beside}"
        )
    if others < FEWEST_UNSEEN:
        return {}
    return {
        f"{name}_unseen": value for name, value in means({k: v[new] for k, v in measured.items()}).items()
    }
