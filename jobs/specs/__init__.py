"""From what a person gives to the spec of a job, and from a stored job back to one."""
