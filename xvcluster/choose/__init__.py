"""How many clusters: criteria at every k, and a verdict."""
