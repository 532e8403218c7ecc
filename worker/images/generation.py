"""What `generate` of the image models does: images through a network, and points of its code decoded."""

import re

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.context import JobContext
from worker.images.arrays import Floats, as_bytes, flat
from worker.images.artifacts import CODE_FILE, save_images
from worker.images.code_distribution import CodeDistribution
from worker.images.inference_inputs import InferenceInputs, load_inputs
from worker.images.network import decoder_of, encoder_of, load_network, predict
from worker.images.parameters import ImageGeneration
from worker.images.pixels import Pixels

MOST_SEARCHED = 10_000
"""The most images that are searched for the two digits of an interpolation."""

LONGEST_STEM = 60
"""Characters of a given file's name in the name of a written one."""


def parameters_of(context: JobContext) -> ImageGeneration:
    """The parameters that `generate` has in all image models."""
    assert isinstance(context.spec.parameters, ImageGeneration)
    return context.spec.parameters


def generate_images(
    context: JobContext, inputs: InferenceInputs, values: Floats, folder: str
) -> tuple[Floats, dict[str, float]]:
    """Send images through the network and decode points of its code; write `images.npz` and PNG files.

    Args:
        context: of the job; its parameters say how many interpolations and samples.
        inputs: k images that `values` was made from; their names become those of the files.
        values: the network's input, float32 (k, 784) in [0, 1].
        folder: of the PNG files, in the job's folder.

    Returns:
        The network's output, float32 (k, 784), and how many images of each kind there are.

    Raises:
        Cancelled: a stop was requested.
        InvalidData: the data has changed since it was read, and cannot be used any more.
    """
    model = load_network(context.source)
    context.progress(force=True, stage="decoding")
    output = predict(model, values)
    ends, between = _interpolation(context, inputs, model)
    samples, digits = _samples(context, model)
    save_images(
        context,
        names=np.array(inputs.names),
        original=inputs.images,
        input=as_bytes(values),
        output=as_bytes(output),
        interpolation_ends=ends,
        interpolation=as_bytes(between),
        samples=as_bytes(samples),
        sample_digits=digits,
    )
    _write_png(context, folder, inputs.names, as_bytes(output))
    # The ends are reconstructions of two images and not on the way between them.
    counts = {"images": len(output), "interpolations": max(0, len(between) - 2), "samples": len(samples)}
    return output, {name: float(count) for name, count in counts.items()}


def _interpolation(context: JobContext, inputs: InferenceInputs, model: keras.Model) -> tuple[Pixels, Floats]:
    """Two images (2, 28, 28), and points (2 + interpolations, 784) on the straight line between their codes.

    The first and the last point are the two images' own. Both arrays are empty where there is none.
    """
    wanted = parameters_of(context).interpolations
    ends = _ends(context, inputs) if wanted else inputs.images[:0]
    if not len(ends):
        return ends, flat(ends)
    first, last = predict(encoder_of(model), flat(ends))
    share = np.linspace(0, 1, wanted + 2, dtype=np.float32)[:, np.newaxis]
    return ends, predict(decoder_of(model), (1 - share) * first + share * last)


def _ends(context: JobContext, inputs: InferenceInputs) -> Pixels:
    """The images to interpolate between: (2, 28, 28), or (0, 28, 28) and a note that says why."""
    parameters = parameters_of(context)
    digits = parameters.first_digit, parameters.second_digit
    found = _images_of(inputs, digits)
    if found is None and inputs.labels is not None:
        # The few inputs may lack a digit that the data has.
        found = _images_of(load_inputs(context.data_to_read(), context.settings, MOST_SEARCHED), digits)
    if found is not None:
        return found
    if len(inputs.images) < 2:
        context.note("Nothing was interpolated, since there is only one image.")
        return inputs.images[:0]
    reason = (
        "the images have no labels"
        if inputs.labels is None
        else f"the data does not have both digits, {digits[0]} and {digits[1]}"
    )
    context.note(f"The interpolation is between the first two images, since {reason}.")
    return inputs.images[:2]


def _images_of(inputs: InferenceInputs, digits: tuple[int, int]) -> Pixels | None:
    """The first image of each of two digits, (2, 28, 28); of one digit twice, its first two."""
    if inputs.labels is None:
        return None
    first, last = (np.flatnonzero(inputs.labels == digit) for digit in digits)
    if digits[0] == digits[1]:
        last = last[1:]
    return inputs.images[[first[0], last[0]]] if len(first) and len(last) else None


def _samples(context: JobContext, model: keras.Model) -> tuple[Floats, NDArray[np.int64]]:
    """Random codes decoded, (samples, 784), and the digits they were drawn for, -1 for none."""
    rng = np.random.default_rng([context.spec.seed, 20])
    distribution = CodeDistribution.read(context.source.path / CODE_FILE)
    codes, digits = distribution.draw(parameters_of(context).samples, rng)
    return predict(decoder_of(model), codes), digits


def _write_png(context: JobContext, folder: str, names: tuple[str, ...], images: Pixels) -> None:
    (context.folder / folder).mkdir()
    for number, (name, image) in enumerate(zip(names, images, strict=True)):
        context.check_stop()
        Image.fromarray(image).save(context.folder / folder / f"{number:04d}-{_stem(name)}.png")


def _stem(name: str) -> str:
    """A given file's name as part of a new one: English letters, digits and dashes."""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", re.sub(r"(?i)\.png$", "", name)).strip("-")
    return safe[:LONGEST_STEM] or "image"
