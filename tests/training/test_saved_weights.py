"""Weights come back as they were saved, and a file that holds anything else is refused in one sentence."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import pytest
from hypothesis import given

from jobs.errors import DamagedFolder
from tests.tasks.hostile_files import Change, at_most, changes, damaged, mutations
from worker.training.saved_weights import load_weights

MEMBER = "model.weights.h5"


def network(seed: int = 0) -> keras.Model:
    image = keras.Input((4,))
    code = keras.layers.Dense(3, name="code", kernel_initializer=keras.initializers.GlorotUniform(seed))(
        image
    )
    return keras.Model(image, keras.layers.Dense(2, name="out")(code))


def saved(path: Path, change: Callable[[h5py.File], None] = lambda _: None, **members: bytes) -> Path:
    """A saved network whose weights somebody has changed, or whose file has other members."""
    network(1).save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(contents[MEMBER])
    with h5py.File(weights, "r+") as file:
        change(file)
    contents[MEMBER] = weights.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (contents | members).items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(tmp_path_factory.mktemp("saved") / "model.keras").read_bytes()


def replaced(**options: Any) -> Callable[[h5py.File], None]:
    """Put another array into the place of a weight."""

    def change(file: h5py.File) -> None:
        group = file["layers/dense/vars"]
        del group["0"]
        group.create_dataset("0", **options)

    return change


def test_the_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    model, path = network(2), tmp_path / "model.keras"
    network(1).save(path)
    load_weights(model, path)
    for one, other in zip(model.get_weights(), network(1).get_weights(), strict=True):
        assert one.shape == other.shape
    assert np.array_equal(model.get_weights()[0], network(1).get_weights()[0])


def test_a_network_that_keras_trained_is_read_without_its_optimizer(tmp_path: Path) -> None:
    model = network(1)
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    found = network(2)
    load_weights(found, tmp_path / "model.keras")
    assert np.array_equal(found.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    weights = np.zeros((4, 3), np.float32)
    weights[2, 1] = value
    path = saved(tmp_path / "model.keras", replaced(data=weights))
    with pytest.raises(DamagedFolder) as caught:
        load_weights(network(), path)
    assert str(caught.value) == f"{path}: /layers/dense/vars/0 has values that are not finite numbers"


def external_link(file: h5py.File) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/other.h5", "/secret")


def soft_link(file: h5py.File) -> None:
    file["layers/other"] = h5py.SoftLink("/layers/dense")


def circle(file: h5py.File) -> None:
    file["layers/dense/again"] = file["layers"]


def without_layers(file: h5py.File) -> None:
    del file["layers"]


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 3), np.float32)
    layout[:] = h5py.VirtualSource("/etc/other.h5", "secret", (4, 3))
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_virtual_dataset("0", layout)


CHANGES: dict[str, Callable[[h5py.File], None]] = {
    "a link into another file": external_link,
    "a link within the file": soft_link,
    "a group within itself": circle,
    "no layers": without_layers,
    "a view of another file": virtual,
    "bytes that lie in another file": replaced(shape=(4, 3), dtype="f4", external=[("/etc/passwd", 0, 48)]),
    "an array without an end": replaced(shape=(10**9, 10**9), dtype="f4"),
    "an array of a terabyte in pieces": replaced(shape=(10**6, 10**6), dtype="f4", chunks=(1, 10**6), compression="gzip"),
    "another shape": replaced(data=np.zeros((3, 4), np.float32)),
    "texts": replaced(data=np.array([b"x"] * 12).reshape(4, 3)),
    "no numbers": replaced(data=h5py.Empty("f4")),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_weights_that_are_something_else_are_refused(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / "model.keras", CHANGES[name])
    with at_most(60), pytest.raises(DamagedFolder, match="these are not weights of this network"):
        load_weights(network(), path)


@pytest.mark.quality
def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, bytes(10**9))
    with at_most(60), pytest.raises(DamagedFolder):
        load_weights(network(), path)


@pytest.mark.parametrize(
    "make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda _: None]
)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "model.keras")
    with pytest.raises(DamagedFolder, match="these are not weights of this network"):
        load_weights(network(), tmp_path / "model.keras")


def test_nothing_but_the_weights_is_read(tmp_path: Path) -> None:
    members: dict[str, Any] = {"config.json": b"[" * 1_000_000, "../owned": b"x"}
    path = saved(tmp_path / "model.keras", **members)
    load_weights(network(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.keras"]


@mutations
@given(changes)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_refused_or_read(tmp_path: Path, whole: bytes, done: list[Change]) -> None:
    path, model = tmp_path / "model.keras", network()
    path.write_bytes(damaged(whole, done))
    with at_most(60):
        try:
            load_weights(model, path)
        except DamagedFolder:
            return
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
