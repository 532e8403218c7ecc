"""What is checked of a person's own images before a job is queued; loads no TensorFlow."""

from worker.images.own_data import check_own_data

__all__ = ["check_own_data"]
