"""The training kit: the loop with exact resume, and what makes its steps fast."""
