"""The dataset kit: finds data by name or path, and downloads with pinned checksums; loads no TensorFlow."""
