"""What `generate` of the image models does: images through a network, and points of its code decoded."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.context import JobContext
from worker.images.appearance import REMARK, TABLE_FILE, remarks
from worker.images.arrays import Floats, as_bytes, flat
from worker.images.artifacts import CODE_FILE, IMAGES_FILE, save_images
from worker.images.class_names import class_name
from worker.images.code_distribution import CodeDistribution
from worker.images.inference_inputs import InferenceInputs, load_inputs
from worker.images.job_data import classes_of_training, looks_of_training, skips
from worker.images.network import decoder_of, encoder_of, load_network, predict
from worker.images.parameters import ImageGeneration, without_suffix
from worker.images.pixels import Pixels

MOST_SEARCHED = 10_000
"""The most images that are searched for the two digits of an interpolation."""

MOST_FILES = 10_000
"""The most PNG files that a job writes; `images.npz` has all images."""

_WRITTEN_AT_ONCE = 4
"""PNG files: making one takes the system longer than encoding it."""

LONGEST_STEM = 60
"""Characters of a given file's name in the name of a written one."""


def parameters_of(context: JobContext) -> ImageGeneration:
    """The parameters that `generate` has in all image models."""
    assert isinstance(context.spec.parameters, ImageGeneration)
    return context.spec.parameters


def generate_images(
    context: JobContext,
    inputs: InferenceInputs,
    values: Floats,
    folder: str,
    prepare: Callable[[Floats], Floats] = lambda images: images,
) -> tuple[Floats, dict[str, float]]:
    """Send images through the network and decode points of its code; write `images.npz`, PNG files and a
    table of them.

    Args:
        context: of the job; its parameters say how many interpolations and samples.
        inputs: k images that `values` was made from; their names become those of the files.
        values: the network's input, float32 (k, 784) in [0, 1].
        folder: of the PNG files, in the job's folder.
        prepare: makes of the two images of an interpolation, float32 (2, 784) in [0, 1], what the network
            takes, as `values` were made.

    Returns:
        The network's output, float32 (k, 784), and how many images of each kind there are.

    Raises:
        Cancelled: a stop was requested.
        InvalidData: the data has changed since it was read, and cannot be used any more.
    """
    model = load_network(context.source)
    context.progress(force=True, stage="decoding")
    output = predict(model, values)
    ends = _ends(context, inputs)
    seen = prepare(flat(ends))
    between = _interpolation(seen, parameters_of(context).interpolations, model)
    samples, digits = _samples(context, model)
    with ThreadPoolExecutor(1) as beside:  # compressing needs a core, and the many files the disk
        saved = beside.submit(
            save_images,
            context,
            names=np.array(inputs.names),
            original=inputs.images,
            input=as_bytes(values),
            output=as_bytes(output),
            interpolation_ends=ends,
            interpolation_inputs=as_bytes(seen),
            interpolation=as_bytes(between),
            samples=as_bytes(samples),
            sample_digits=digits,
            sample_classes=np.array(classes_of_training(context.source), "U"),
        )
        _write_png(context, folder, inputs, as_bytes(output))
        saved.result()
    # The ends are reconstructions of two images and not on the way between them.
    counts = {"images": len(output), "interpolations": max(0, len(between) - 2), "samples": len(samples)}
    return output, {name: float(count) for name, count in counts.items()}


def _interpolation(ends: Floats, wanted: int, model: keras.Model) -> Floats:
    """Points (2 + wanted, 784) on the straight line between the codes of two inputs (2, 784) of the network.

    The first and the last point are the two inputs' own. There is none, (0, 784), without inputs.
    """
    if not len(ends):
        return ends
    first, last = predict(encoder_of(model), ends)
    share = np.linspace(0, 1, wanted + 2, dtype=np.float32)[:, np.newaxis]
    between: Floats = predict(decoder_of(model), (1 - share) * first + share * last)
    return between


def _ends(context: JobContext, inputs: InferenceInputs) -> Pixels:
    """The images to interpolate between: (2, 28, 28), or (0, 28, 28) and, if wanted, a note that says why."""
    parameters = parameters_of(context)
    if not parameters.interpolations:
        return inputs.images[:0]
    digits = parameters.first_digit, parameters.second_digit
    found = _images_of(inputs, digits)
    if found is None and inputs.labels is not None and len(inputs.images) < inputs.total:
        # The few inputs may lack a digit that the data has.
        data = context.data_to_read()
        found = _images_of(load_inputs(data, context.settings, MOST_SEARCHED, skip=skips(context)), digits)
    if found is not None:
        return found
    if len(inputs.images) < 2:
        context.note("Nothing was interpolated, since there is only one image.")
        return inputs.images[:0]
    reason = (
        "the images have no labels"
        if inputs.labels is None
        else f"the data does not have both{' classes' if inputs.classes else ' digits'}, {digits[0]} and "
        f"{digits[1]}"
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


def _write_png(context: JobContext, folder: str, inputs: InferenceInputs, images: Pixels) -> None:
    """Write each image, and a table of which file belongs to which of the given ones."""
    (context.folder / folder).mkdir()
    labels = (
        [""] * len(images)
        if inputs.labels is None
        else [class_name(label, inputs.classes) for label in inputs.labels.tolist()]
    )
    said = remarks(inputs.images, looks_of_training(context.source))
    rows, files = [], []
    for number, (name, label, remark, image) in enumerate(
        zip(inputs.names, labels, said, images, strict=True)
    ):
        file = f"{folder}/{number:04d}-{_stem(name)}.png" if number < MOST_FILES else ""
        rows.append((number, name, label, file, remark))
        if file:
            files.append((image, context.folder / file))
    with ThreadPoolExecutor(_WRITTEN_AT_ONCE) as pool:
        for _ in pool.map(lambda written: Image.fromarray(written[0]).save(written[1]), files):
            context.check_stop()
    context.write_table(
        TABLE_FILE, ("number", "image", "digit" if not inputs.classes else "class", "file", REMARK), rows
    )
    if len(images) > MOST_FILES:
        context.note(
            f"The first {MOST_FILES:,} images are in {folder}/ as PNG files; all {len(images):,} are in "
            f"{IMAGES_FILE}, in the order of {TABLE_FILE}."
        )


def _stem(name: str) -> str:
    """A given file's name as part of a new one: English letters, digits and dashes."""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", without_suffix(name)).strip("-")
    return safe[:LONGEST_STEM] or "image"
