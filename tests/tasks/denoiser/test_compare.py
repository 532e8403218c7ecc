"""What the page of a comparison shows of denoisers: their noise sweeps overlaid, the same digits in rows."""

import io
from pathlib import Path

import numpy as np

from tests.tasks.comparing import compared
from worker.report.blocks import Figure
from worker.report.theme import themed
from worker.tasks.denoiser.compare import compare


def evaluation(best: float) -> dict[str, str | bytes]:
    rows = [
        f"{level},{method},{psnr},0.1,0.01"
        for level in (0, 0.5)
        for method, psnr in (("noisy", "" if level == 0 else 10), ("basic", 12), ("denoised", best - level))
    ]
    file = io.BytesIO()
    same = np.random.default_rng(0).integers(0, 255, (10, 28, 28), np.uint8)
    np.savez_compressed(file, original=same, noisy=same, basic=same, denoised=same)
    return {
        "sweep.csv": "\n".join(["noise,method,psnr_db,ssim,mse", *rows]),
        "images.npz": file.getvalue(),
    }


def test_noise_sweeps_are_overlaid_and_the_same_digits_are_in_rows(tmp_path: Path) -> None:
    runs = [compared(tmp_path, f"run $x_{n}$", evaluate=evaluation(20 + n)) for n in range(3)]
    with themed():
        overlaid, rows = compare(runs)
    assert isinstance(overlaid, Figure)
    assert isinstance(rows, Figure)
    lines = {line.get_label() for line in overlaid.drawing.axes[0].lines}
    assert lines == {"run $x_0$: units 9", "run $x_1$: units 9", "run $x_2$: units 9", "noisy"}
    assert "run $x_2$: units 9 22.00 dB at 0" in overlaid.alt
    assert "original, noisy, run $x_0$" in rows.alt


def test_an_evaluation_without_its_sweep_is_left_out(tmp_path: Path) -> None:
    runs = [compared(tmp_path, "new", evaluate=evaluation(20)), compared(tmp_path, "old", evaluate={})]
    assert list(compare(runs)) == []
