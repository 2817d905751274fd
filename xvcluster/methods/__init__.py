"""One file a method: from data to a result."""
