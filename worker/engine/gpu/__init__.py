"""One GPU for each worker: which there are, who holds which, and what a job ran on."""
