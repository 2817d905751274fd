"""Coastlines and borders within a box, as one line with gaps."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.explore.polar import to_plane
from xvcluster.plot.basemap import read_lines
from xvcluster.plot.geometry import Box

if TYPE_CHECKING:
    from cartopy.crs import Projection

_BESIDE, _MOST_BESIDE = 0.5, 20.0
"""Share of the width and height of the box that is drawn beside it, and the most degrees."""


def find_lines(box: Box, projection: Projection | None = None) -> Float64s:
    """Find the coastlines and borders in and beside a box.

    Parameters
    ----------
    box : (west, east, south, north)
        In degrees, where longitudes may go on over the dateline; of a map around a pole in km.
    projection : cartopy.crs.Projection, optional
        Of a map around a pole.

    Returns
    -------
    ndarray, shape (n, 2)
        Longitude and latitude, NaN between lines.
    """
    west, east, south, north = box
    most = _MOST_BESIDE if projection is None else np.inf
    beside, above = (min(_BESIDE * d, most) for d in (east - west, north - south))
    window = (west - beside, east + beside, south - above, north + above)
    found = []
    turns = (-360.0, 0.0, 360.0) if projection is None else (0.0,)
    for name in ("coastlines", "borders"):
        vertices, offsets = read_lines(name, "50m")
        lines = [vertices[start:end] for start, end in pairwise(offsets)]
        if projection is not None:
            lines = _project(lines, projection)
        for turn in turns:
            found += [_within(line + np.array([turn, 0.0]), window) for line in lines]
    return np.concatenate([np.full((1, 2), np.nan), *found])


def _project(lines: list[Float64s], projection: Projection) -> list[Float64s]:
    """Project the parts of lines in the pole's hemisphere; others become NaN."""
    north = projection.proj4_params["lat_0"] > 0
    near = [np.where((line[:, 1:] > 0) == north, line, np.nan) for line in lines]
    return [np.stack(to_plane(projection, *line.T), axis=1) for line in near]


def _within(line: Float64s, window: Box) -> Float64s:
    """Return the parts of a line in a window, one point beyond it at each end, each with a gap."""
    west, east, south, north = window
    inside = (line[:, 0] >= west) & (line[:, 0] <= east)
    inside &= (line[:, 1] >= south) & (line[:, 1] <= north)
    if not inside.any():
        return np.empty((0, 2))
    near = inside.copy()
    near[1:] |= inside[:-1]
    near[:-1] |= inside[1:]
    gapped = np.where(near[:, np.newaxis], line, np.nan)
    # of a run of gaps one is enough
    kept = near | np.append(True, near[:-1])
    return np.concatenate([gapped[kept], np.full((1, 2), np.nan)])
