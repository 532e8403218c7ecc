"""What a client checks of a person's own images before a job is queued: what a worker would refuse at once.

The functions that read the data for a worker find the faults here, so that the sentences are the same. Of
much data only a part is looked at; the worker reads the rest.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.images.datasets import (
    arrays_to_evaluate_on,
    arrays_to_train_on,
    no_training_files,
    refuse_too_few,
)
from worker.images.idx import read_array, read_header
from worker.images.idx_folder import IdxPart, find_parts, part_of_file
from worker.images.inference_inputs import arrays_to_send
from worker.images.npz import nbytes, read_arrays, read_headers, read_through
from worker.images.parameters import MOST_LOOKED_AT, entries_below
from worker.images.picture_files import check_file, skip_notes, with_others
from worker.images.picture_folder import list_folder
from worker.images.pixels import check_shape
from worker.images.user_files import is_folder, is_idx, is_picture, place_of
from worker.images.value_ranges import check_type, range_of

ARRAYS: dict[str, Callable[[Path], list[str]]] = {
    "train": arrays_to_train_on,
    "evaluate": arrays_to_evaluate_on,
    "generate": arrays_to_send,
}
"""Of an .npz file, those that a worker reads."""

MOST_BYTES = 64 * 2**20
"""Of arrays that are unpacked."""

MOST_PIXELS = 20_000_000
"""Of image files that are decoded; the first file is, however many it has."""

PIXELS_A_FILE = 5_000
"""Opening a file takes as long as decoding so many pixels."""


def check_own_data(
    path: Path,
    action: str,
    *,
    on_bad_row: str = "refuse",
    limit: int | None = None,
    count: int | None = None,
) -> Sequence[str]:
    """Refuse images that a worker's readers would refuse.

    Args:
        path: of an .npz file, an IDX file, an image file or a folder of image or IDX files.
        action: train, evaluate or generate.
        on_bad_row: `skip` where image files of a folder that cannot be read are left out.
        limit: so many are generated from, the first ones; None for `count`.
        count: as `limit`; None for all.

    Returns:
        How they are read, where that may surprise, as far as that is known.

    Raises:
        InvalidData: they cannot be used.
    """
    if is_folder(path):
        if _is_large(path):
            return ()
        if parts := find_parts(path):
            return _check_idx(path, parts[-1:] if action == "generate" else parts, action)
        return _check_pictures(path, action, limit or count, skip=on_bad_row == "skip")
    if is_picture(path):
        check_file(path)
        return ()
    if is_idx(path):
        return _check_idx(path.parent, [part_of_file(path)], action, path)
    return _check_npz(path, action)


def _check_npz(path: Path, action: str) -> Sequence[str]:
    names = ARRAYS[action](path)
    headers = read_headers(path, names)
    for name, (shape, dtype) in headers.items():
        count = check_shape(place_of(path, name), shape)[0]
        check_type(place_of(path, name), dtype)
        if action == "train" and name == names[0]:
            refuse_too_few(path, count)
    if sum(map(nbytes, headers.values())) <= MOST_BYTES:
        arrays = read_arrays(path, names)
        return range_of({place_of(path, name): array for name, array in arrays.items()}).notes
    for name in names:
        read_through(path, name, MOST_BYTES // len(names))
    return ()


def _check_idx(
    folder: Path, parts: Sequence[IdxPart], action: str, named: Path | None = None
) -> Sequence[str]:
    headers = {part.images: read_header(folder / part.images) for part in parts}
    for name, (shape, dtype) in headers.items():
        check_shape(shown_path(folder / name), shape)
        check_type(shown_path(folder / name), dtype)
    if action == "train":
        refuse_too_few(named or folder, headers[parts[0].images][0][0])
        if parts[0].name == "test":
            raise no_training_files(named or folder)
    fits = sum(map(nbytes, headers.values())) <= MOST_BYTES
    arrays = {
        shown_path(folder / name): read_array(folder / name, None if fits else MOST_BYTES // len(headers))
        for name in headers
    }
    return range_of(arrays).notes if fits else ()


def _check_pictures(path: Path, action: str, most: int | None, *, skip: bool) -> Sequence[str]:
    folder = list_folder(path)
    files = folder.files
    if action == "train":
        refuse_too_few(path, folder.training)
    elif action == "generate":
        files = files[folder.training % len(files) :][:most]
    pixels = 0
    bad: list[tuple[Path, InvalidData]] = []
    for index, file in enumerate(files):
        try:
            pixels += check_file(path / file)
        except InvalidData as error:
            if not skip:
                following = (path / other for other in files[index + 1 :])
                raise (with_others(error, following) if len(files) > 1 else error) from None
            bad.append((file, error))
        pixels += PIXELS_A_FILE
        if pixels > MOST_PIXELS:
            return folder.notes
    if bad and len(bad) == len(files):
        raise bad[0][1]
    return [*folder.notes, *skip_notes([(file, error.given) for file, error in bad], len(files))]


def _is_large(path: Path) -> bool:
    """Whether a folder has more entries than are looked at, in it and below."""
    return next(islice(entries_below(path), MOST_LOOKED_AT, None), None) is not None
