"""The denoiser: clean images from noisy ones, compared with a basic autoencoder."""
