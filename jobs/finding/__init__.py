"""Which jobs there are, and which one a reference names."""
