"""Loads a trained network in a notebook: `job.load_model()`."""

from worker.images.network import load_network as load_model

__all__ = ["load_model"]
