"""One file per method: from data to a result."""
