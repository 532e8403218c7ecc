"""Every number that the autoencoder reports, the headline first."""

from worker.images.metrics import BASELINE, BCE, COUNTS, MEAN_IMAGE, MSE, PSNR, SSIM, TRAINING, UNSEEN
from worker.report.blocks import Metric

_NATS = "nats per pixel"

METRICS = (
    Metric("bce", "Binary cross-entropy", 4, _NATS, better="lower", definition=BCE),
    *TRAINING,
    Metric(
        "bce_unseen",
        "Binary cross-entropy, unseen images",
        4,
        _NATS,
        better="lower",
        tile=True,
        definition=UNSEEN,
    ),
    Metric(
        "baseline_bce",
        "Binary cross-entropy, mean training image",
        4,
        _NATS,
        better="lower",
        tile=True,
        definition=MEAN_IMAGE,
    ),
    Metric("psnr_db", "PSNR", 2, "dB", better="higher", tile=True, definition=PSNR),
    Metric("ssim", "SSIM", 3, better="higher", definition=SSIM),
    Metric("mse", "Mean squared error", 4, better="lower", definition=MSE),
    *BASELINE,
    *COUNTS,
)
