"""Jobs and sweeps in a notebook: cards, live progress, and what a job's folder gives as Python values."""
