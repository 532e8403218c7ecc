"""Every number that the character model reports, the headline first."""

from worker.report.blocks import Metric

_NATS = "Mean of minus the logarithm of each character's predicted probability,"
_KNESER_NEY = "Modified Kneser-Ney smoothing, of the order that is best on validation text;"

METRICS = (
    Metric(
        "nats_per_character",
        "Cross-entropy of the last tenth",
        3,
        "nats per character",
        better="lower",
        definition=f"{_NATS} on the last tenth of the text, at most 1,000,000 characters of it. Training "
        "on the same text leaves this tenth out.",
    ),
    Metric(
        "validation_nats",
        "Validation cross-entropy",
        3,
        "nats per character",
        better="lower",
        column="validation_loss",
        definition=f"{_NATS} on text set aside before training, which chose the best epoch.",
    ),
    Metric("written_characters", "Characters written", 0, definition="In all texts, prompts not counted."),
    Metric(
        "ngram_nats",
        "Cross-entropy of the best n-gram",
        3,
        "nats per character",
        better="lower",
        tile=True,
        definition=f"{_KNESER_NEY} it counted the text before the last tenth, and predicts the same "
        "characters as the network.",
    ),
    Metric(
        "training_nats",
        "Training cross-entropy",
        3,
        "nats per character",
        better="lower",
        tile=True,
        definition="Of the saved weights, on training text from ten places, as much as for validation.",
    ),
    Metric(
        "baseline_validation_nats",
        "Validation cross-entropy of character frequencies",
        3,
        "nats per character",
        better="lower",
        tile=True,
        definition="Each character predicted by how frequent it is in the training text.",
    ),
    Metric(
        "known_words",
        "Share of written words known to the training text",
        3,
        tile=True,
        definition="Mean over the texts of the share of their words that are among the 100,000 most frequent "
        "of the training text's first 5,000,000 characters.",
    ),
    Metric(
        "nats_per_character_unseen",
        "Cross-entropy without passages of the training text",
        3,
        "nats per character",
        better="lower",
        definition="Of the characters that stand in no window of 50 that the training text has too.",
    ),
    Metric(
        "ngram_gain",
        "Gain over the best n-gram",
        3,
        "nats per character",
        better="higher",
        interval=("ngram_gain_low", "ngram_gain_high"),
        definition="The n-gram's cross-entropy minus the network's, without passages of the training text; "
        "the interval is that of the means of blocks of the text.",
    ),
    Metric(
        "perplexity",
        "Perplexity per character",
        2,
        better="lower",
        tile=True,
        definition="e to the power of the cross-entropy in nats.",
    ),
    Metric(
        "accuracy",
        "Share of characters predicted correctly",
        3,
        better="higher",
        tile=True,
        definition="How often the character that came was the likeliest one.",
    ),
    Metric(
        "bits_per_character",
        "Bits per character",
        3,
        better="lower",
        definition="The cross-entropy of the last tenth in bits: nats divided by ln 2.",
    ),
    Metric(
        "baseline_nats_per_character",
        "Cross-entropy of character frequencies",
        3,
        "nats per character",
        better="lower",
        definition="Each character predicted by how frequent it is in the text before the last tenth.",
    ),
    Metric(
        "ngram_validation_nats",
        "Validation cross-entropy of the best n-gram",
        3,
        "nats per character",
        better="lower",
        definition=f"{_KNESER_NEY} it counted the training text.",
    ),
    Metric(
        "ngram_held_out_nats",
        "Held-out cross-entropy of that n-gram",
        3,
        "nats per character",
        better="lower",
        definition="On the last tenth of the text: how much harder it is than validation text.",
    ),
    Metric(
        "ngram_order",
        "Order of the n-gram",
        0,
        definition="Characters, the predicted one included: of 1 to 8, the best on validation text.",
    ),
    Metric(
        "calibration_error",
        "Expected calibration error",
        4,
        better="lower",
        definition="Mean distance between the likeliest character's probability and how often it came.",
    ),
    Metric(
        "best_epoch", "Best epoch", 0, definition="The one with the lowest validation loss; it was saved."
    ),
    Metric(
        "different_words",
        "Share of words new in their text",
        3,
        definition="Mean over the texts of the share of words that had not occurred before in the text.",
    ),
    Metric(
        "repeated_sequences",
        "Share of three-word sequences repeated",
        3,
        definition="Mean over the texts of the share of sequences that had occurred before in the text.",
    ),
    Metric("characters", "Characters measured", 0, definition="Each predicted from all before it."),
    Metric(
        "seen_characters",
        "Measured characters that the training text has too",
        0,
        definition="Those in windows of 50 characters that are also in the training text.",
    ),
    Metric(
        "characters_per_second",
        "Characters per second",
        0,
        better="higher",
        definition="Trained on, by the time that all steps took, without compiling, measuring and writing "
        "checkpoints; or written, over all texts.",
    ),
    # Of evaluations before version 0.2.
    Metric("fivegram_nats", "Cross-entropy of a 5-gram", 3, "nats per character", better="lower"),
    Metric("unigram_nats", "Cross-entropy of a unigram", 3, "nats per character", better="lower"),
)
