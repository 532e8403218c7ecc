"""The autoencoder's report is drawn from a folder's files alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from jobs.store.job_folder import JobFolder
from tests.images.jobs import arrays_of, context_for, do, figures_of

ROOT = Path(__file__).parents[3]


def test_a_report_is_drawn_without_tensorflow(trained: JobFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.store.job_folder import JobFolder; "
        "from worker.tasks.autoencoder.report import present; "
        f"list(present(JobFolder(Path({str(trained.path)!r})))); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_units_that_are_never_active_are_counted(trained: JobFolder, tmp_path: Path) -> None:
    folder = do(context_for(tmp_path, "autoencoder", "evaluate", {"from": trained}))
    arrays = arrays_of(folder)
    for unused, note in ((1, "Never active: 1 unit."), (2, "Never active: 2 units.")):
        arrays["unit_std"][:] = 1
        arrays["unit_std"][:unused] = 0
        np.savez(folder.path / "images.npz", **arrays)
        assert figures_of(folder)["code_units"].caption.endswith(note)


def test_ten_worst_images_are_shown_from_the_worst_down(trained: JobFolder, tmp_path: Path) -> None:
    worst = figures_of(do(context_for(tmp_path, "autoencoder", "evaluate", {"from": trained})))["worst"]
    assert worst.title == "The ten worst reconstructions"
    assert worst.alt.startswith(
        "10 test images, each above its reconstruction. Their mean squared errors range"
    )
