"""Where the data lie on the Earth: coordinates, cells, areas and missing values."""
