"""The same work in PyTorch: the same network, the same batches, the same data; plain and good code."""
