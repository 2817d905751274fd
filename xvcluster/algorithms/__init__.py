"""Clustering of plain arrays, which know nothing of labelled data, files or figures."""
