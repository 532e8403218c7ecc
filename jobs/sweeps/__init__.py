"""Many jobs from one description: what a sweep is, which trials it runs next, and what became of them."""
