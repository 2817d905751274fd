"""A clustering as one Dataset: written, read, and applied to other data."""
