"""Time for an epoch of the denoiser with other noise in every epoch, and its PSNR after 20 epochs.

Run: `python -m benchmarks.denoiser [--short]`.
"""

from benchmarks.data import NOISE
from benchmarks.image_comparison import compare, note_quality
from benchmarks.measuring import Row
from benchmarks.row_command import run

EPOCHS = 20


def measure(row: Row) -> None:
    """Train with a notebook, with PyTorch and with Quartet, an epoch of each in turn."""
    reached = compare(row, noise=NOISE, epochs=EPOCHS, beside_notebook=3.5, beside_pytorch=1.5)
    psnr = note_quality(row, reached, "psnr_db", "dB", EPOCHS)
    difference = psnr["quartet"] - psnr["notebooks"]
    row.judge("test PSNR after 20 epochs above the notebook's", difference, "≥", 0.0, "dB")
    row.note(
        "The notebook's noise is made once, as its recipe does; PyTorch's is drawn anew for each batch; ours "
        "is a pool of 10,240 images, shifted in each epoch. "
        "All are measured on the same noisy test images."
    )


if __name__ == "__main__":
    run("denoiser", "Denoiser", measure)
