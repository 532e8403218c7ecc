"""Which GPUs a worker may take: what NVML reports, and what the variables of CUDA and its runtime leave of it."""

import re
from pathlib import Path

import pynvml
import pytest

from tests.support import fake_pynvml
from worker.engine.gpu import nvml
from worker.engine.gpu.nvml import Card, visible


def card(index: str, uuid: str) -> Card:
    return Card(index, uuid, f"GPU-{index[0]}", "a GPU", 0, 1, 0, "1")


CARDS = [card("0", "GPU-0"), card("1:0", "MIG-a"), card("1:1", "MIG-b"), card("2", "GPU-2")]


@pytest.mark.parametrize(
    ("runtime", "cuda", "left"),
    [
        (None, None, "0 1:0 1:1 2"),
        ("all", None, "0 1:0 1:1 2"),
        ("none", None, ""),
        # By CDI: what there is, is what the container may use.
        ("void", None, "0 1:0 1:1 2"),
        ("void", "2", "2"),
        ("", None, "0 1:0 1:1 2"),
        ("nvidia.com/gpu=0", None, "0 1:0 1:1 2"),
        ("/var/run/nvidia-container-devices", None, "0 1:0 1:1 2"),
        ("GPU-2,MIG-a", None, "2 1:0"),
        ("2", None, "2"),
        ("1:1,0", None, "1:1 0"),
        # The runtime has left four cards of a larger machine, and numbered them anew.
        ("4,5:0,5:1,7", None, "0 1:0 1:1 2"),
        (None, "", ""),
        (None, "-1", ""),
        (None, "2,0", "2 0"),
        (None, "2,9,0", "2"),
        (None, "GPU-2", "2"),
        (None, "1", "1:0 1:1"),
        (None, "MIG-b,MIG-b", "1:1"),
        ("GPU-2,GPU-0", "0", "0"),
    ],
)
def test_masks_are_read_as_cuda_and_its_container_runtime_read_them(
    runtime: str | None, cuda: str | None, left: str
) -> None:
    masks = {"NVIDIA_VISIBLE_DEVICES": runtime, "CUDA_VISIBLE_DEVICES": cuda}
    environment = {name: value for name, value in masks.items() if value is not None}
    assert " ".join(card.index for card in visible(CARDS, environment)) == left


def test_the_fake_library_has_what_is_used_of_the_real_one() -> None:
    used = set(re.findall(r"pynvml\.(\w+)", Path(nvml.__file__).read_text()))
    assert len(used) > 10
    for library in (pynvml, fake_pynvml):
        assert used <= set(dir(library)), library.__name__
    errors = {name for name in used if name.startswith("NVMLError_")}
    for name in errors:
        code = getattr(fake_pynvml, name)().value
        real = pynvml.NVMLError(code)  # nvidia-ml-py makes the class of a code
        assert (type(real).__name__, str(real)) == (name, str(getattr(fake_pynvml, name)()))
    assert str(pynvml.NVMLError(9)) == str(fake_pynvml.NVMLError(9))
    assert pynvml.NVML_DEVICE_MIG_ENABLE == fake_pynvml.NVML_DEVICE_MIG_ENABLE
    assert pynvml.nvmlMemory_v2 == fake_pynvml.nvmlMemory_v2
