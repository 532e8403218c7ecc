"""Workers are of one kind if they understand the same jobs: those that others do not are offered to other kinds alone."""

import os
import subprocess
import sys
from pathlib import Path

SPEC = """
from jobs.parameters import Evaluation, Generation, Training

class Train(Training):
    @classmethod
    def migrated(cls, values, schema):
        return {}

class Evaluate(Evaluation):
    pass

class Generate(Generation):
    pass
"""


def kind(folder: Path, spec: str) -> str:
    """Of a worker that has a model of somebody else's."""
    about = folder / "somebodys_model-1.0.dist-info"
    (folder / "rival").mkdir(parents=True)
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-model\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[quartet.models]\nrival = rival\n")
    (folder / "rival" / "__init__.py").touch()
    (folder / "rival" / "spec.py").write_text(spec)
    code = "from worker.engine.kind_of_worker import kind_of_worker; print(kind_of_worker())"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_a_worker_that_has_learned_to_read_old_jobs_is_of_another_kind(tmp_path: Path) -> None:
    """Although its version, its parameters and their ranges are the same."""
    before = kind(tmp_path / "before", SPEC.format("values"))
    assert kind(tmp_path / "same", SPEC.format("values")) == before
    renaming = SPEC.format(
        "{'epochs' if name == 'rounds' else name: value for name, value in values.items()}"
    )
    assert kind(tmp_path / "after", renaming) != before
