"""Images with their labels, and a whole dataset of them, split into training and test part."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from worker.images.pixels import Labels, Pixels


class LabelledImages(NamedTuple):
    """Images with the digits, or other classes, that they show.

    Attributes:
        images: uint8 (n, 28, 28), 0 to 255.
        labels: int64 (n,), digits 0 to 9 or numbers of classes; None where there are none.
    """

    images: Pixels
    labels: Labels | None

    def rows(self, chosen: Any) -> "LabelledImages":
        """Some of the images with their labels; `chosen` is a slice, a mask (n,) or indices (m,)."""
        return LabelledImages(self.images[chosen], None if self.labels is None else self.labels[chosen])


@dataclass(frozen=True, eq=False)
class Images:
    """Grey images of 28 × 28 pixels, read-only; equal to itself alone.

    Attributes:
        name: the dataset's name, or the name of the file or folder.
        train: uint8 (n, 28, 28), 0 to 255.
        train_labels: int64 (n,), digits 0 to 9 or numbers of classes; None where there are none.
        test: uint8 (m, 28, 28).
        test_labels: int64 (m,); None where there are none.
        record: where they come from, for `job.json`.
        notes: sentences for the report about what was done to them.
        classes: names of the classes, by label; empty where labels are digits, or there are none.
    """

    name: str
    train: Pixels
    train_labels: Labels | None
    test: Pixels
    test_labels: Labels | None
    record: dict[str, Any]
    notes: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # The next job may get the same arrays.
        for array in (self.train, self.train_labels, self.test, self.test_labels):
            if array is not None:
                array.setflags(write=False)


def image_record(
    name: str,
    path: str | None,
    sha256: str,
    train: LabelledImages,
    test: LabelledImages,
    classes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What `job.json` says about a dataset.

    Args:
        name: as in `Images`.
        path: of the file or folder; None where it is made on the spot.
        sha256: of its content.
        train: n images.
        test: m images.
        classes: as in `Images`.
    """
    examples = {"train": len(train.images), "test": len(test.images)}
    record = {"name": name, "path": path, "sha256": sha256, "examples": examples}
    return record | ({"classes": list(classes)} if classes else {})
