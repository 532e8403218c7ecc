"""Every number that the denoiser reports, the headline first."""

from worker.images.metrics import BASELINE, BCE, COUNTS, MEAN_IMAGE, MSE, PSNR, SSIM, TRAINING, UNSEEN
from worker.report.blocks import Metric

_BASIC = "Of the same network, trained without noise, on the same noisy images."
_NOISY = "Of the noisy images themselves, clipped to [0, 1]."
_NATS = "nats per pixel"

METRICS = (
    Metric("psnr_db", "PSNR, denoised", 2, "dB", better="higher", definition=PSNR),
    *TRAINING,
    Metric(
        "psnr_db_unseen",
        "PSNR, denoised, unseen images",
        2,
        "dB",
        better="higher",
        tile=True,
        definition=UNSEEN,
    ),
    Metric(
        "basic_psnr_db", "PSNR, basic autoencoder", 2, "dB", better="higher", tile=True, definition=_BASIC
    ),
    Metric(
        "basic_psnr_db_unseen",
        "PSNR, basic autoencoder, unseen images",
        2,
        "dB",
        better="higher",
        definition="Without the images that the basic autoencoder was trained or validated on.",
    ),
    Metric("noisy_psnr_db", "PSNR, noisy", 2, "dB", better="higher", tile=True, definition=_NOISY),
    Metric("ssim", "SSIM, denoised", 3, better="higher", definition=SSIM),
    Metric("basic_ssim", "SSIM, basic autoencoder", 3, better="higher", definition=_BASIC),
    Metric("noisy_ssim", "SSIM, noisy", 3, better="higher", definition=_NOISY),
    Metric("mse", "Mean squared error, denoised", 4, better="lower", definition=MSE),
    Metric("basic_mse", "Mean squared error, basic autoencoder", 4, better="lower", definition=_BASIC),
    Metric("noisy_mse", "Mean squared error, noisy", 4, better="lower", definition=_NOISY),
    Metric("bce", "Binary cross-entropy, denoised", 4, _NATS, better="lower", definition=BCE),
    Metric(
        "basic_bce", "Binary cross-entropy, basic autoencoder", 4, _NATS, better="lower", definition=_BASIC
    ),
    Metric(
        "baseline_bce",
        "Binary cross-entropy, mean training image",
        4,
        _NATS,
        better="lower",
        definition=MEAN_IMAGE,
    ),
    *BASELINE,
    Metric(
        "clipped_share",
        "Pixels clipped",
        3,
        definition="Share of the pixels of the noisy images whose noise was cut off at 0 or 1.",
    ),
    Metric("training_noise", "Noise in training", 2, "std", definition="Before it was clipped to [0, 1]."),
    *COUNTS,
)
