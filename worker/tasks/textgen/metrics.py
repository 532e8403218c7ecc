"""Every number that the character model reports, the headline first."""

from worker.report.blocks import Metric

METRICS = (
    Metric("nats_per_character", "Held-out nats per character", 3, better="lower"),
    Metric("validation_nats", "Validation nats per character", 3, better="lower"),
    Metric("known_words", "Share of written words known to the corpus", 3),
    Metric("bits_per_character", "Bits per character", 3, better="lower"),
    Metric("perplexity", "Perplexity per character", 2, better="lower"),
    Metric("accuracy", "Share of characters predicted correctly", 3, better="higher"),
    Metric("fivegram_nats", "Nats per character of a 5-gram", 3, better="lower"),
    Metric("unigram_nats", "Nats per character of a unigram", 3, better="lower"),
    Metric("calibration_error", "Expected calibration error", 4, better="lower"),
    Metric("training_nats", "Training nats per character", 3, better="lower"),
    Metric("best_epoch", "Best epoch", 0),
    Metric("different_words", "Share of words new in their text", 3),
    Metric("repeated_sequences", "Share of three-word sequences repeated", 3),
    Metric("characters", "Characters measured", 0),
    Metric("written_characters", "Characters written", 0),
    Metric("characters_per_second", "Characters per second", 0, better="higher"),
)
