"""A private Redis and workers on this machine, for people without Docker."""
