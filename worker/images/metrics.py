"""The numbers that both image models report."""

from worker.report.blocks import Metric

BCE = "Mean over all pixels of all images, from the network's logits: nothing is cut off."
MSE = "Mean over all pixels of all images."
PSNR = (
    "Mean of each image's own, 10 · log10(1 / MSE), an image without error counting as 100 dB; not the "
    "ratio for the mean MSE, which is lower."
)
SSIM = "Mean over the images; Gaussian window of 11 × 11 pixels (Wang et al. 2004)."
MEAN_IMAGE = "Of an output that is always the mean training image, whatever the input."
UNSEEN = "Without the images that the network was trained or validated on."

TRAINING = (
    Metric(
        "validation_bce",
        "Validation binary cross-entropy",
        4,
        "nats per pixel",
        better="lower",
        column="validation_loss",
        definition="Of the saved network on images that it was not trained on: 5 % of the training part, at "
        "most 10,000.",
    ),
    Metric(
        "baseline_validation_bce",
        "Validation binary cross-entropy, mean training image",
        4,
        "nats per pixel",
        better="lower",
        tile=True,
        definition=MEAN_IMAGE,
    ),
    Metric(
        "training_bce",
        "Training binary cross-entropy",
        4,
        "nats per pixel",
        better="lower",
        definition="Of the saved network on as many of the images that it was trained on, evenly spread.",
    ),
)

BASELINE = (
    Metric("baseline_psnr_db", "PSNR, mean training image", 2, "dB", better="higher", definition=MEAN_IMAGE),
    Metric("baseline_ssim", "SSIM, mean training image", 3, better="higher", definition=MEAN_IMAGE),
    Metric(
        "baseline_mse", "Mean squared error, mean training image", 4, better="lower", definition=MEAN_IMAGE
    ),
    Metric(
        "lowest_bce",
        "Binary cross-entropy, perfect output",
        4,
        "nats per pixel",
        definition="The lowest possible: above 0 because pixels are grey.",
    ),
)

COUNTS = (
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)
