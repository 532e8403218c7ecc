"""The autoencoder: images compressed to 32 numbers and reconstructed from them."""
