"""Job folders, published atomically."""
