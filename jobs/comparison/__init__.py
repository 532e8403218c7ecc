"""Jobs beside each other: what differs between them, and what came of that."""
