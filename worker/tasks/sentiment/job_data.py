"""The reviews that a job reads: their source, their token ids, and the texts of some of them."""

import numpy as np
from numpy.typing import NDArray

from worker.context import JobContext
from worker.tasks.sentiment.datasets import Recipe, load_reviews
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.review_set import ReviewSet
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
    source = open_reviews(
        data, context.settings, options_for(context), labelled=labelled, check_stop=context.check_stop
    )
    path = None if source.path is None else str(source.path)
    record = {"name": source.name, "path": path, "sha256": source.sha256, **dict(source.read_as)}
    context.data[source.name] = record
    return source


def options_for(context: JobContext) -> FileOptions:
    """How a job reads its file; that of its training job, as that did."""
    if context.spec.data is None and "from" in context.sources:
        return FileOptions.of(context.source.job["spec"].get("parameters", {}))
    return FileOptions.of(dict(context.spec.parameters))


def is_read_as_trained(context: JobContext, source: ReviewSource) -> bool:
    """Whether the training job of an evaluation read the same reviews, with the same labels."""
    records = context.source.job["data"].values()
    same = [record for record in records if record["sha256"] == source.sha256]
    names = ("text_column", "label_column", "positive", "negative")
    read_as = dict(source.read_as)
    return any(all(record.get(name) == read_as.get(name) for name in names) for record in same)


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
    reviews = load_reviews(source, recipe, context.settings.data_dir, context.spec.seed)
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
