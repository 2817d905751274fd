"""Files for other programs: maps for a GIS, and centroids as models for seismology."""
