"""The checksum of the code changes with what can change a result, and with nothing else."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs import code_version as module
from jobs.code_version import code_version, imported_by

KIT = "from worker.training.adam import Adam\n"


def checksum(model: str) -> str:
    found = code_version(model)
    assert found is not None
    return str(found["checksum"])


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes modules of a fifth model, `fifth.linear`, whose package has a kit, and a kit of `worker`'s."""
    for name in ("fifth/linear", "kits/worker/training", "kits/worker/report"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()

    def written(name: str, content: str) -> None:
        (tmp_path / name).write_text(content)

    written("fifth/__init__.py", "")
    written("fifth/linear/task.py", f"{KIT}from . import network\nfrom fifth import shared\n")
    written("fifth/linear/network.py", "import fifth.layers as layers, math\n")
    written("fifth/linear/report.py", "from fifth.linear.figures import curve\n")
    written("fifth/linear/figures.py", "from worker.report.blocks import Text\nfrom fifth import colours\n")
    for name in ("shared", "layers", "colours"):
        written(f"fifth/{name}.py", "")
    written(
        "kits/worker/training/adam.py", "from worker.training import (\n    loop,  # first\n    memory,\n)\n"
    )
    for name in ("training/loop", "training/memory", "training/unused", "report/blocks"):
        written(f"kits/worker/{name}.py", "")
    kits = tmp_path / "kits" / "worker"
    real = module._folder_of
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "_folder_of", lambda name: kits if name == "worker" else real(name))
    monkeypatch.setattr(module, "packages", lambda: {"linear": ("fifth.linear",), "twice": ("a", "b")})
    yield written
    for name in [name for name in sys.modules if name.partition(".")[0] == "fifth"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    [
        "fifth/linear/task.py", "fifth/linear/network.py", "fifth/shared.py", "fifth/layers.py",
        "kits/worker/training/adam.py", "kits/worker/training/loop.py", "kits/worker/training/memory.py",
    ],
)  # fmt: skip
def test_it_changes_with_the_wing_and_each_kit_that_it_imports(
    write: Callable[[str, str], None], name: str, tmp_path: Path
) -> None:
    before = checksum("linear")
    assert checksum("linear") == before
    write(name, (tmp_path / name).read_text() + "a = 1\n")
    assert checksum("linear") != before


@pytest.mark.parametrize(
    "name",
    [
        "fifth/linear/report.py", "fifth/linear/figures.py", "fifth/colours.py",
        "kits/worker/report/blocks.py", "kits/worker/training/unused.py",
    ],
)  # fmt: skip
def test_it_does_not_change_with_a_report_or_what_nobody_imports(
    write: Callable[[str, str], None], name: str, tmp_path: Path
) -> None:
    before = checksum("linear")
    write(name, (tmp_path / name).read_text() + "a = 1\n")
    assert checksum("linear") == before


def test_what_a_task_and_a_report_share_counts(write: Callable[[str, str], None]) -> None:
    write("fifth/linear/task.py", "from .figures import curve\n")
    before = checksum("linear")
    write("fifth/linear/figures.py", "curve = 2\n")
    assert checksum("linear") != before


@pytest.mark.usefixtures("write")
def test_it_changes_with_the_library_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = checksum("linear")
    monkeypatch.setattr(module, "_version", lambda name: "3.0" if name == "tensorflow" else "1")
    changed = checksum("linear")
    assert changed != before
    monkeypatch.setattr(module, "_version", lambda name: "1" if name == "quartet" else "3.0")
    assert checksum("linear") not in (before, changed)


@pytest.mark.usefixtures("write")
def test_a_model_that_is_not_installed_or_is_claimed_twice_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_version("gone") is code_version("twice") is None
    monkeypatch.setattr(module, "_version", lambda _: None)
    assert code_version("linear") is None  # without TensorFlow no job runs here


def test_models_that_share_a_kit_differ() -> None:
    found = {checksum(model) for model in ("autoencoder", "denoiser", "sentiment", "textgen")}
    assert len(found) == 4


def test_imports_are_read_in_every_form() -> None:
    text = b"from ..kit import one as two, three\nfrom . import four\n  import a.b as c, d\n# import e\n"
    assert set(imported_by("pack.age.module", text)) == {
        "pack.kit", "pack.kit.one", "pack.kit.three", "pack.age", "pack.age.four", "a.b", "d",
    }  # fmt: skip
