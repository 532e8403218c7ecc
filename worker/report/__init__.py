"""Figures and the HTML page, made from a finished folder and nothing else."""
