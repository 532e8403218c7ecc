"""Images through a network, and points of its code decoded: what `generate` of both image models does."""

import re

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.spec import ImageGeneration
from worker.code_distribution import CodeDistribution
from worker.data.pictures import Pictures, load_pictures
from worker.data.pixels import Pixels
from worker.image_arrays import Floats, as_bytes, flat
from worker.image_jobs import CODE_FILE, load_network, predict, record_data, save_images, trained_as
from worker.models.autoencoder import decoder_of, encoder_of
from worker.run import Run

MOST_SEARCHED = 10_000
"""The most images among which the two digits of an interpolation are looked for."""

LONGEST_STEM = 60


def parameters_of(run: Run) -> ImageGeneration:
    """The parameters that `generate` of both image models has."""
    assert isinstance(run.spec.parameters, ImageGeneration)
    return run.spec.parameters


def data_of(run: Run) -> str | None:
    """What a generation reads: what it names, else what its training read; None is MNIST."""
    return run.spec.data or trained_as(run).data


def pictures_for(run: Run) -> Pictures:
    """The images to send through the network; recorded and noted.

    Raises:
        InvalidData: they cannot be used.
    """
    pictures = load_pictures(data_of(run), run.settings, parameters_of(run).count)
    record_data(run, pictures)
    return pictures


def generate_images(
    run: Run, pictures: Pictures, seen: Floats, folder: str
) -> tuple[Floats, dict[str, float]]:
    """Send `seen` through the network and decode points of its code; write `images.npz` and PNG files.

    Args:
        run: the job; its parameters say how many interpolations and samples.
        pictures: what `seen` was made from; names the files.
        seen: what the network gets, float32 (k, 784) in [0, 1].
        folder: where in the job's folder the PNG files go.

    Returns:
        What the network made of `seen`, (k, 784), and how many images of each kind there are.

    Raises:
        Cancelled: the run was asked to stop.
    """
    model = load_network(run.source)
    run.progress(force=True, stage="decoding")
    output = predict(model, seen)
    ends, between = _interpolation(run, pictures, model)
    samples, digits = _samples(run, model)
    save_images(
        run,
        names=np.array(pictures.names),
        original=pictures.images,
        input=as_bytes(seen),
        output=as_bytes(output),
        interpolation_ends=ends,
        interpolation=as_bytes(between),
        samples=as_bytes(samples),
        sample_digits=digits,
    )
    _write_png(run, folder, pictures.names, as_bytes(output))
    # Its ends are reconstructions of two images and not on the way between them.
    counts = {"images": len(output), "interpolations": max(0, len(between) - 2), "samples": len(samples)}
    return output, {name: float(count) for name, count in counts.items()}


def _interpolation(run: Run, pictures: Pictures, model: keras.Model) -> tuple[Pixels, Floats]:
    """Two images (2, 28, 28), and points (2 + interpolations, 784) on the straight line between their codes.

    The first and the last point are the two images' own. Both arrays are empty where there is none.
    """
    wanted = parameters_of(run).interpolations
    ends = _ends(run, pictures) if wanted else pictures.images[:0]
    if not len(ends):
        return ends, flat(ends)
    first, last = predict(encoder_of(model), flat(ends))
    share = np.linspace(0, 1, wanted + 2, dtype=np.float32)[:, np.newaxis]
    return ends, predict(decoder_of(model), (1 - share) * first + share * last)


def _ends(run: Run, pictures: Pictures) -> Pixels:
    """The images to interpolate between: (2, 28, 28), or (0, 28, 28) and a note that says why."""
    parameters = parameters_of(run)
    digits = parameters.first_digit, parameters.second_digit
    found = _images_of(pictures, digits)
    if found is None and pictures.labels is not None:
        # The few that were asked for may lack a digit that the data has.
        found = _images_of(load_pictures(data_of(run), run.settings, MOST_SEARCHED), digits)
    if found is not None:
        return found
    if len(pictures.images) < 2:
        run.note("There is one image only, so nothing was interpolated.")
        return pictures.images[:0]
    unlabelled = pictures.labels is None
    reason = (
        "The images have no labels"
        if unlabelled
        else f"The digits {digits[0]} and {digits[1]} are not both there"
    )
    run.note(f"{reason}, so the interpolation is between the first two images.")
    return pictures.images[:2]


def _images_of(pictures: Pictures, digits: tuple[int, int]) -> Pixels | None:
    """The first image of each of two digits, (2, 28, 28); of one digit twice, its first two."""
    if pictures.labels is None:
        return None
    first, last = (np.flatnonzero(pictures.labels == digit) for digit in digits)
    if digits[0] == digits[1]:
        last = last[1:]
    return pictures.images[[first[0], last[0]]] if len(first) and len(last) else None


def _samples(run: Run, model: keras.Model) -> tuple[Floats, NDArray[np.int64]]:
    """Random codes decoded, (samples, 784), and the digits they were drawn for, -1 for none."""
    random = np.random.default_rng([run.spec.seed, 20])
    distribution = CodeDistribution.read(run.source.path / CODE_FILE)
    codes, digits = distribution.draw(parameters_of(run).samples, random)
    return predict(decoder_of(model), codes), digits


def _write_png(run: Run, folder: str, names: tuple[str, ...], images: Pixels) -> None:
    (run.folder / folder).mkdir()
    for number, (name, image) in enumerate(zip(names, images, strict=True)):
        run.check_stop()
        Image.fromarray(image).save(run.folder / folder / f"{number:04d}-{_stem(name)}.png")


def _stem(name: str) -> str:
    """A stranger's file name as part of ours: letters of English, digits and dashes."""
    kept = re.sub(r"[^A-Za-z0-9]+", "-", re.sub(r"(?i)\.png$", "", name)).strip("-")
    return kept[:LONGEST_STEM] or "image"
