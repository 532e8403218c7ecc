"""Images through a network, and points of its code decoded: what `generate` of both image models does."""

import re

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.folder import JobFolder
from jobs.spec import ImageGeneration
from worker.data.images import load_images
from worker.data.pictures import Pictures, load_pictures
from worker.image_jobs import flat, load_network, predict
from worker.models.autoencoder import CODE_UNITS, decoder_of, encoder_of
from worker.run import Run

Floats = NDArray[np.float32]

MIXED_IMAGES = 3
"""A sample is a random mixture of the codes of so many training images."""

CODED_IMAGES = 10_000
"""The most training images whose codes samples are mixed from."""


def pictures_for(run: Run) -> Pictures:
    """The images this job names, else the first test images of the data its training was on."""
    parameters = _parameters(run)
    name = run.spec.data or run.source.job["spec"]["data"]
    pictures = load_pictures(name, run.settings, parameters.count)
    run.data[str(pictures.record["name"])] = dict(pictures.record)
    for note in pictures.notes:
        run.note(note)
    return pictures


def generate_images(
    run: Run, pictures: Pictures, seen: Floats, folder: str
) -> tuple[Floats, dict[str, float]]:
    """Send `seen` (k, 784) through the network, decode points of the code, write PNG and `images.npz`.

    Args:
        run: the job; its parameters say how many interpolations and samples.
        pictures: what `seen` was made from; names the files.
        seen: what the network gets, float32 in [0, 1].
        folder: where in the job's folder the PNG files go.

    Returns:
        What the network made of `seen`, (k, 784), and how many images of each kind there are.
    """
    parameters = _parameters(run)
    model = load_network(run.source)
    encoder, decoder = encoder_of(model), decoder_of(model)
    output = predict(model, seen)
    between = _interpolations(run, pictures, encoder, decoder)
    run.check_stop()
    samples = _samples(run, encoder, decoder, parameters.samples)
    np.savez_compressed(
        run.folder / "images.npz",
        names=np.array(pictures.names),
        input=_bytes(seen),
        output=_bytes(output),
        interpolation=_bytes(between),
        samples=_bytes(samples),
    )
    names = [_safe(name) for name in pictures.names]
    _write_png(run, folder, names, output)
    _write_png(run, "interpolation", ["" for _ in between], between)
    _write_png(run, "samples", ["" for _ in samples], samples)
    counts = {"images": float(len(output)), "interpolations": float(len(between))}
    return output, counts | {"samples": float(len(samples))}


def generated(folder: JobFolder) -> dict[str, NDArray[np.uint8]]:
    """The images that `generate_images` wrote: uint8 (k, 28, 28) by kind."""
    with np.load(folder.path / "images.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _parameters(run: Run) -> ImageGeneration:
    assert isinstance(run.spec.parameters, ImageGeneration)
    return run.spec.parameters


def _interpolations(run: Run, pictures: Pictures, encoder: keras.Model, decoder: keras.Model) -> Floats:
    """On the straight line between two images' codes, both ends included."""
    parameters = _parameters(run)
    if parameters.interpolations == 0:
        return np.zeros((0, 784), np.float32)
    ends = _ends(run, pictures)
    if ends is None:
        run.note("There is one image only, so nothing was interpolated.")
        return np.zeros((0, 784), np.float32)
    first, second = predict(encoder, flat(ends))
    share = np.linspace(0, 1, parameters.interpolations + 2, dtype=np.float32)[:, None]
    return predict(decoder, (1 - share) * first + share * second)


def _ends(run: Run, pictures: Pictures) -> NDArray[np.uint8] | None:
    parameters = _parameters(run)
    labels = pictures.labels
    if labels is not None:
        places = [np.flatnonzero(labels == d) for d in (parameters.first_digit, parameters.second_digit)]
        if all(len(place) for place in places):
            return pictures.images[[place[0] for place in places]]
    # The digits asked for need not be among the few images that were taken; a dataset has them all.
    trained_on = load_images(run.source.job["spec"]["data"], run.settings)
    if labels is not None and trained_on.test_labels is not None:
        found = trained_on.test_labels
        places = [np.flatnonzero(found == d) for d in (parameters.first_digit, parameters.second_digit)]
        if all(len(place) for place in places):
            return trained_on.test[[place[0] for place in places]]
    if len(pictures.images) < 2:
        return None
    run.note("The images have no labels: the interpolation is between the first two of them.")
    return pictures.images[:2]


def _samples(run: Run, encoder: keras.Model, decoder: keras.Model, count: int) -> Floats:
    """Decode random convex mixtures of training images' codes.

    The code is nowhere negative and far from Gaussian; mixtures stay where the decoder has been trained.
    """
    if count == 0:
        return np.zeros((0, 784), np.float32)
    random = np.random.default_rng([run.spec.seed, 2])
    training = load_images(run.source.job["spec"]["data"], run.settings).train[:CODED_IMAGES]
    codes = predict(encoder, flat(training))
    mixed = codes[random.integers(len(codes), size=(count, MIXED_IMAGES))]
    share = random.dirichlet(np.ones(MIXED_IMAGES), count).astype(np.float32)
    return predict(decoder, np.einsum("smc,sm->sc", mixed, share).reshape(count, CODE_UNITS))


def _bytes(images: Floats) -> NDArray[np.uint8]:
    return np.round(images * 255).astype(np.uint8).reshape(-1, 28, 28)


def _write_png(run: Run, folder: str, names: list[str], images: Floats) -> None:
    if not len(images):
        return
    (run.folder / folder).mkdir()
    for number, (name, image) in enumerate(zip(names, _bytes(images), strict=True)):
        Image.fromarray(image).save(run.folder / folder / f"{number:04d}{name}.png")


def _safe(name: str) -> str:
    """A stranger's file name as part of ours: letters, digits, dots, dashes."""
    kept = re.sub(r"[^A-Za-z0-9-]+", "-", name.removesuffix(".png")).strip("-")[:60]
    return f"-{kept}" if kept else ""
