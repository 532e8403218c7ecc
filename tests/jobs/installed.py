"""Packages that announce a model, installed for a test, and a process that sees them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

SPEC = '''
from jobs.datasets import Dataset, Form
from jobs.parameters import Evaluation, Generation, Parameters, Training, number

WAVES = Dataset(name="waves", kind="sound", title="Waves", origin="made", licence="MIT")


class OnSound(Parameters):
    data_kind = "sound"
    datasets = (WAVES,)
    forms = (Form("a .wav file", (".wav",)),)


class Train(Training, OnSound):
    """Train on sound."""

    rate: int = number(16_000, "samples", "Hz", ge=1_000, le=96_000)


class Evaluate(Evaluation, OnSound):
    """Measure."""


class Generate(Generation):
    """Make sound."""
'''


class Site:
    """A folder of packages as pip installs them, and a process that sees them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, distribution: str, points: dict[str, str], **files: str) -> None:
        """Write modules, named `package__module`, and the metadata that announces the models."""
        for name, text in files.items():
            path = self.folder / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        info = self.folder / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{model} = {package}\n" for model, package in points.items()]
        (info / "entry_points.txt").write_text("[quartet.models]\n" + "".join(lines))

    def python(self, code: str) -> Any:
        """Run code that prints JSON; an error of ours is printed as its parts."""
        program = (
            "import json, sys\n"
            "from jobs.errors import InvalidInput\n"
            "try:\n"
            + "".join(f"    {line}\n" for line in code.splitlines())
            + "except InvalidInput as error:\n"
            "    kind = type(error).__name__\n"
            "    print(json.dumps([kind, error.field, error.expected, error.given, error.hint]))\n"
        )
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refusal(self, model: str = "waveform") -> dict[str, Any]:
        """The error that somebody gets who wants to train a model."""
        parts = ("kind", "field", "expected", "given", "hint")
        found = self.python(f"from jobs.models import parameters_of\nparameters_of({model!r}, 'train')")
        return dict(zip(parts, found, strict=True))
