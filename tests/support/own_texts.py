"""A text of one's own that the models of texts and of reviews read."""

NOVEL = "".join(f"It was the best of times, number {number}.\n" for number in range(400))
