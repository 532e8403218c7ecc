"""How a job is done."""
