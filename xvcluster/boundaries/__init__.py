"""Outlines of clusters: connected cells of a map as regions, polygons around them, or contours."""

from xvcluster.boundaries.outline import boundaries

__all__ = ["boundaries"]
