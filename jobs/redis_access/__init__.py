"""How Redis is reached: its address, its password, and the rights that its users need."""
