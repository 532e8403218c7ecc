"""Every number that the autoencoder reports, the headline first."""

from worker.report.blocks import Metric

METRICS = (
    Metric("bce", "Binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("validation_bce", "Validation binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("psnr_db", "PSNR", 2, "dB", better="higher"),
    Metric("ssim", "SSIM", 3, better="higher"),
    Metric("mse", "Mean squared error", 4, better="lower"),
    Metric("training_bce", "Training binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)
