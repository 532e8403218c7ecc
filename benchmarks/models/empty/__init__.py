"""A whole job: a folder, a report and a place in the index."""
