"""Datasets: cache, download with checksum, bring your own, offline samples."""
