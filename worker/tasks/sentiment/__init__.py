"""The review model: an LSTM that tells positive reviews from negative ones."""
