"""Clustering of plain arrays: no labels, no files, no figures."""
