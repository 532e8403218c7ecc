"""What a terminal and a notebook both show: how far a job or a sweep is, and what came of it, in words."""
