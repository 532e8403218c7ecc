"""What a worker's reader would refuse is refused before the job is queued, in the same words and a moment."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.data_check import check_data
from jobs.errors import InvalidData
from jobs.models import parameters_of
from jobs.settings import Settings
from tests.images.files import LABELS, PIXELS, npz, png, with_bad_png
from tests.images.test_refused_files import BAD
from tests.tasks.hostile_files import at_most
from worker.images import own_data, parameters, picture_folder
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs


def refusal(path: Path, action: str, model: str = "autoencoder") -> str:
    with pytest.raises(InvalidData) as raised:
        check_data(parameters_of(model, action), str(path))
    return str(raised.value)


@pytest.mark.parametrize("name", BAD)
def test_a_client_refuses_what_a_worker_would_and_says_the_same(tmp_path: Path, name: str) -> None:
    make, sentence = BAD[name]
    make(tmp_path / name)
    assert refusal(tmp_path / name, "train") == sentence.replace("{}", str(tmp_path / name))


@pytest.mark.parametrize("model", ["autoencoder", "denoiser"])
def test_a_damaged_picture_is_refused(tmp_path: Path, model: str) -> None:
    content = png(tmp_path / "a.png").read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0xFF
    for broken in (content[: len(content) // 2], content[:-8], bytes(flipped), b"", b"GIF89a"):
        (tmp_path / "a.png").write_bytes(broken)
        refusal(tmp_path / "a.png", "generate", model)


GOOD = {
    "keras.npz": (lambda path: npz(path, x_train=PIXELS, y_train=LABELS, x_test=PIXELS), "train evaluate generate"),
    "no_labels.npz": (lambda path: npz(path, x=PIXELS), "train evaluate generate"),
    "one_hot.npz": (lambda path: npz(path, x=PIXELS, y=np.eye(10)[LABELS]), "train evaluate generate"),
    "unused.npz": (lambda path: npz(path, x=PIXELS, y=np.array([None] * 3), z=np.zeros(3)), "train evaluate generate"),
    "test.npz": (lambda path: npz(path, x_test=PIXELS[:3]), "evaluate generate"),
    "few_to_train.npz": (lambda path: npz(path, x_train=PIXELS[:3], x_test=PIXELS[:3]), "evaluate generate"),
    "other_train.npz": (lambda path: npz(path, x_train=np.array([None] * 3), x_test=PIXELS[:3]), "generate"),
    "few.npz": (lambda path: npz(path, x=PIXELS[:1]), "evaluate generate"),
    "large.npz": (lambda path: npz(path, x=np.repeat(PIXELS, 3, 1) / 255), "train evaluate generate"),
    "pictures": (lambda path: with_bad_png(path, lambda _: None), "train evaluate generate"),
    "few_pictures": (lambda path: png(path / "a.png"), "evaluate generate"),
    "a.png": (png, "generate"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_client_lets_through_what_a_worker_reads(tmp_path: Path, here: Settings, name: str) -> None:
    make, actions = GOOD[name]
    make(tmp_path / name)
    path = str(tmp_path / name)
    for action in ("train", "evaluate", "generate"):
        if action in actions:
            assert check_data(parameters_of("autoencoder", action), path) == path
            match action:
                case "train":
                    load_images(path, here)
                case "evaluate":
                    load_images(path, here, frozenset())
                case "generate":
                    load_inputs(path, here, None)
        else:
            refusal(Path(path), action)


def notes_on(path: Path, action: str, **given: Any) -> list[str]:
    kind, said = parameters_of("autoencoder", action), list[str]()
    check_data(kind, str(path), parameters=kind(**given), note=said.append)
    return said


def test_a_client_notes_what_a_worker_will(tmp_path: Path, here: Settings) -> None:
    scaled = tmp_path / "scaled.npz"
    npz(scaled, x=np.minimum(PIXELS, 16))
    said = notes_on(scaled, "train")
    assert said == ["The images are integers from 0 to 16, which were read as 0 (black) to 16 (white)."]
    assert set(said) <= {*load_images(str(scaled), here).notes}
    assert notes_on(npz(tmp_path / "usual.npz", x=PIXELS), "train") == []


def test_a_client_counts_what_will_be_skipped_of_what_is_read(tmp_path: Path, here: Settings) -> None:
    folder = with_bad_png(tmp_path / "d", lambda path: path.write_bytes(b""))
    (folder / "readme.md").touch()
    said = notes_on(folder, "train", on_bad_row="skip")
    assert [sentence.split(" ")[0] for sentence in said] == ["Skipped", "Skipped"]
    assert "which cannot be read: 13.png, an empty file." in said[1]
    assert set(said) <= {*load_images(str(folder), here, skip=True).notes}
    for limited in ({"limit": 5}, {"count": 5}):
        assert notes_on(folder, "generate", on_bad_row="skip", **limited) == said[:1]
    assert notes_on(folder, "generate", limit=5) == said[:1]


def test_of_a_large_file_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.npz"
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (40_000, 28, 28), np.uint8))
    content = bytearray(path.read_bytes())
    content[20_000_000] ^= 1
    path.write_bytes(content)
    assert "damaged" in refusal(path, "train")
    monkeypatch.setattr(own_data, "MOST_BYTES", 1 << 20)
    with at_most(20):
        assert check_data(parameters_of("autoencoder", "train"), str(path)) == str(path)
    path.write_bytes(content[:-100])
    assert "damaged" in refusal(path, "train")


def test_of_a_large_folder_a_part_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = with_bad_png(tmp_path / "d", lambda path: path.write_bytes(b""))
    assert "13.png" in refusal(folder, "train")
    monkeypatch.setattr(own_data, "MOST_PIXELS", 10 * (28 * 28 + own_data.PIXELS_A_FILE))
    assert check_data(parameters_of("autoencoder", "train"), str(folder)) == str(folder)
    monkeypatch.undo()
    monkeypatch.setattr(own_data, "MOST_LOOKED_AT", 10)
    monkeypatch.setattr(parameters, "MOST_LOOKED_AT", 10)
    monkeypatch.setattr(picture_folder, "MAX_FILES", 1)
    assert check_data(parameters_of("autoencoder", "train"), str(folder)) == str(folder)


def test_a_pipe_in_a_folder_holds_up_no_client(tmp_path: Path) -> None:
    png(tmp_path / "d/a.png")
    os.mkfifo(tmp_path / "d/b.png")
    assert check_data(parameters_of("autoencoder", "generate"), str(tmp_path / "d"))
