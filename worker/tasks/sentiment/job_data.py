"""The reviews that a job reads: their source, their token ids, and the texts of some of them."""

import numpy as np
from numpy.typing import NDArray

from worker.context import JobContext
from worker.tasks.sentiment.datasets import Recipe, ReviewSet, load_reviews
from worker.tasks.sentiment.reviews import ReviewSource
from worker.tasks.sentiment.sources import open_reviews


def open_source(context: JobContext, data: str, *, labelled: bool = True) -> ReviewSource:
    """Find the reviews that a job reads, and record them in `job.json`.

    Args:
        context: of the job.
        data: a dataset's name, or a path.
        labelled: whether every review needs a label.

    Raises:
        InvalidData: nothing has that name, or it cannot be read.
        Cancelled: a stop was requested.
    """
    context.progress(force=True, stage="reading the reviews")
    source = open_reviews(data, context.settings, labelled=labelled, check_stop=context.check_stop)
    path = None if source.path is None else str(source.path)
    context.data[source.name] = {"name": source.name, "path": path, "sha256": source.sha256}
    return source


def load_set(context: JobContext, source: ReviewSource, recipe: Recipe) -> ReviewSet:
    """Load reviews as token ids; the report has notes on what was odd about them.

    Args:
        context: of the job.
        source: from `open_source`.
        recipe: how reviews become ids.

    Raises:
        InvalidData: they cannot be read.
        Cancelled: a stop was requested.
    """
    reviews = load_reviews(source, recipe, context.settings.data_dir)
    for note in reviews.notes:
        context.note(note)
    context.data[source.name] |= {"reviews": len(reviews.labels)}
    context.check_stop()
    return reviews


def texts_at(source: ReviewSource, places: NDArray[np.int64]) -> dict[int, str]:
    """Read the texts of some reviews.

    Args:
        source: of the reviews.
        places: (n,), theirs in the source, counted from 0.

    Returns:
        The texts by place.

    Raises:
        InvalidData: the source cannot be read any more.
        Cancelled: a stop was requested.
    """
    wanted = set(places.tolist())
    found: dict[int, str] = {}
    if wanted:
        for place, review in enumerate(source.read(lambda _: None)):
            if place in wanted:
                found[place] = review.text
                if len(found) == len(wanted):
                    break
    return found
