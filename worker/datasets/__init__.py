"""The dataset kit: finds data by name or path, downloads it with pinned checksums, composes text."""
