"""The denoiser's report is drawn from a folder's files alone, and says which method is best where."""

import subprocess
import sys
from pathlib import Path

from jobs.store.job_folder import JobFolder
from worker.tasks.denoiser.report import stretches, winners

ROOT = Path(__file__).parents[3]


def test_a_report_is_drawn_without_tensorflow(trained: JobFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from jobs.store.job_folder import JobFolder; "
        "from worker.tasks.denoiser.report import present; "
        f"list(present(JobFolder(Path({str(trained.path)!r})))); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_best_method_is_the_lowest_or_the_highest() -> None:
    values = {"noisy": [1.0, 2.0], "denoised": [0.5, 3.0]}
    assert winners(values, "higher") == ["noisy", "denoised"]
    assert winners(values, "lower") == ["denoised", "noisy"]


def test_stretches_of_levels_are_put_into_words() -> None:
    assert stretches([0.0, 0.1, 0.2], ["noisy", "denoised", "denoised"]) == (
        "Best by PSNR: noisy at 0, denoised from 0.1 to 0.2."
    )
