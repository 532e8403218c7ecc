"""The report kit: figures and HTML pages, rendered from a job's folder and nothing else."""
