"""What we claim about quality and speed, measured."""
