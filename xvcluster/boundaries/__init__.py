"""Outlines of clusters: a map's cells, the rings around them, polygons or lines of these."""

from xvcluster.boundaries.outline import boundaries

__all__ = ["boundaries"]
