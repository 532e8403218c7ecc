"""The character model: an LSTM that learns to continue a text."""
