"""A `spec.py` may load nothing heavy, in whatever way, while other threads may load what they like."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

from jobs import models
from tests.jobs.installed import SPEC, Site

HEAVY = ["celery", "keras", "matplotlib", "numpy", "tensorflow"]


def loads(package: str) -> dict[str, Any]:
    return {
        "kind": "InvalidModel",
        "field": "model waveform, spec.py",
        "expected": "a module that loads none of tensorflow, keras, numpy, matplotlib or celery",
        "given": f"an import of {package}",
        "hint": "move the code that needs it to task.py, network.py or report.py",
    }


# The packages that may not be loaded need not be there: the import is refused before they are looked for.
@pytest.mark.parametrize("package", HEAVY)
def test_a_spec_that_loads_a_heavy_package_is_refused(site: Site, package: str) -> None:
    spec = f"import {package}\n{SPEC}"
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=spec)
    assert site.refusal() == loads(package)


@pytest.mark.parametrize(
    "line",
    [
        "import numpy.random",
        "from numpy import random",
        "from sounds.waveform import reader",
        "from . import reader",
        "try:\n    import numpy\nexcept ImportError:\n    pass",
    ],
)
def test_a_spec_that_loads_a_heavy_package_in_whatever_way_is_refused(site: Site, line: str) -> None:
    site.install(
        "sounds",
        {"waveform": "sounds.waveform"},
        sounds__waveform__spec=f"{line}\n{SPEC}",
        sounds__waveform__reader="from sounds.waveform import deeper",
        sounds__waveform__deeper="import numpy",
    )
    assert site.refusal() == loads("numpy")


def test_a_package_whose_name_only_begins_alike_is_not_heavy(site: Site) -> None:
    site.install(
        "sounds",
        {"waveform": "sounds.waveform"},
        sounds__waveform__spec=f"import numpylike, sounds.numpy\n{SPEC}",
        sounds__numpy="",
    )
    (site.folder / "numpylike.py").touch()
    code = (
        "from jobs.models import parameters_of\nprint(json.dumps(parameters_of('waveform', 'train').model))"
    )
    assert site.python(code) == "waveform"


def test_after_a_refusal_nothing_is_left_that_would_refuse_others(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=f"import numpy\n{SPEC}")
    (site.folder / "numpy.py").write_text("dummy = True")
    code = (
        "from jobs.errors import InvalidModel\n"
        "from jobs.models import parameters_of\n"
        "finders = list(sys.meta_path)\n"
        "try:\n"
        "    parameters_of('waveform', 'train')\n"
        "except InvalidModel:\n"
        "    pass\n"
        "import numpy\n"
        "print(json.dumps([sys.meta_path == finders, numpy.dummy]))"
    )
    assert site.python(code) == [True, True]


# The imports of numpy wait until the spec is being loaded, and the spec waits until they are done.
SLOW_SPEC = f"""
import threading
import sounds.meeting
sounds.meeting.loading.set()
assert sounds.meeting.imported.wait(60)
{SPEC}
"""
MEETING = "import threading\nloading, imported = threading.Event(), threading.Event()"


def test_a_spec_is_loaded_while_another_thread_loads_heavy_packages(site: Site) -> None:
    site.install(
        "sounds",
        {"waveform": "sounds.waveform"},
        sounds__waveform__spec=SLOW_SPEC,
        sounds__meeting=MEETING,
    )
    for package in HEAVY:
        (site.folder / f"{package}.py").write_text("dummy = True")
    code = (
        "import threading\n"
        "import sounds.meeting\n"
        "from jobs.models import parameters_of\n"
        "said = []\n"
        "def load():\n"
        "    sounds.meeting.loading.wait(60)\n"
        "    import celery, keras, matplotlib, numpy, tensorflow\n"
        "    said.append(numpy.dummy)\n"
        "    sounds.meeting.imported.set()\n"
        "other = threading.Thread(target=load)\n"
        "other.start()\n"
        "model = parameters_of('waveform', 'train').model\n"
        "other.join()\n"
        "print(json.dumps([model, said]))"
    )
    assert site.python(code) == ["waveform", [True]]


class Interrupt:
    """A finder that finds nothing and, the first time it is called, does something."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.actions = [action]

    def find_spec(self, *_: object) -> None:
        while self.actions:
            self.actions.pop()()


@pytest.mark.parametrize("begins", [False, True])
def test_an_import_skips_no_finder_when_a_spec_begins_or_ends_to_load_meanwhile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begins: bool
) -> None:
    """A finder taken out of the very list that another thread is going through would make it skip the next."""
    (tmp_path / "plain_module.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    loading = models._only_light_imports("waveform")
    interrupt = Interrupt(loading.__enter__ if begins else lambda: loading.__exit__(None, None, None))
    before = [interrupt, PathFinder]
    monkeypatch.setattr(sys, "meta_path", before)
    if not begins:
        loading.__enter__()
    import_module("plain_module")
    del sys.modules["plain_module"]
    assert interrupt.actions == []
    if begins:
        loading.__exit__(None, None, None)
    assert sys.meta_path == before
