"""Every number that the denoiser reports, the headline first."""

from worker.report.blocks import Metric

METRICS = (
    Metric("psnr_db", "PSNR, denoised", 2, "dB", better="higher"),
    Metric("validation_bce", "Validation binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("basic_psnr_db", "PSNR, basic autoencoder", 2, "dB", better="higher"),
    Metric("noisy_psnr_db", "PSNR, noisy", 2, "dB", better="higher"),
    Metric("ssim", "SSIM, denoised", 3, better="higher"),
    Metric("basic_ssim", "SSIM, basic autoencoder", 3, better="higher"),
    Metric("noisy_ssim", "SSIM, noisy", 3, better="higher"),
    Metric("mse", "Mean squared error, denoised", 4, better="lower"),
    Metric("basic_mse", "Mean squared error, basic autoencoder", 4, better="lower"),
    Metric("noisy_mse", "Mean squared error, noisy", 4, better="lower"),
    Metric("bce", "Binary cross-entropy, denoised", 4, "nats per pixel", better="lower"),
    Metric("basic_bce", "Binary cross-entropy, basic autoencoder", 4, "nats per pixel", better="lower"),
    Metric("noisy_bce", "Binary cross-entropy, noisy", 4, "nats per pixel", better="lower"),
    Metric("training_bce", "Training binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)
