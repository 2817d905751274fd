"""Tiles of the sphere in which profiles lie: what a bootstrap draws, for neighbours are alike."""

from __future__ import annotations

import warnings

import numpy as np

from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.profiles.layout import Layout

_WANTED = 100
_FEW = 10
_LARGEST_KM, _LEAST_KM, _FINER = 10_000.0, 1e-3, 2.0**0.25


def find_tiles(
    layout: Layout, points: Indices, size: float | None = None
) -> tuple[Indices, float | None]:
    """The tile that the profile at each of some points lies in.

    Parameters
    ----------
    layout : Layout
    points : ndarray of int, shape (n,)
        Places among all points of the grid, in canonical order.
    size : float, optional
        Of a tile, in km. Default: such that there are about a hundred, or one for every four
        profiles where these are few, but ten at least.

    Returns
    -------
    (ndarray of int, shape (n,); float or None)
        Numbers from 0; the size. None where latitude and longitude are not known: then every
        profile has a tile of its own.

    Raises
    ------
    ValueError
        If one tile of this size holds all profiles.

    Warns
    -----
    UserWarning
        If there are fewer than ten of this size.
    """
    place = _locate(layout, points)
    if place is None:
        return np.arange(points.size), None
    if size is not None:
        tiles = cut_tiles(*place, size)
        _require_several(int(tiles.max()) + 1, points.size, size)
        return tiles, size
    exact, wanted = _LARGEST_KM, min(_WANTED, max(points.size // 4, _FEW), points.size)
    size, tiles = exact, cut_tiles(*place, exact)
    while tiles.max() + 1 < wanted and exact > _LEAST_KM:
        exact /= _FINER
        size = float(f"{exact:.2g}")
        tiles = cut_tiles(*place, size)
    return tiles, size


def _require_several(n_tiles: int, n_points: int, size: float) -> None:
    """Refuse tiles as large as the model, and warn of few."""
    text = f"block_size={size:g} km makes {n_tiles} block{'s' * (n_tiles > 1)} of this model"
    if n_tiles == 1 < n_points:
        raise ValueError(f"{text}, so that every sample is all of it; give a smaller size, or None")
    if n_tiles < min(_FEW, n_points):
        warnings.warn(
            f"{text}, which is too few to tell what is stable; give a smaller size, or None",
            stacklevel=6,
        )


def cut_tiles(lat: Float64s, lon: Float64s, size: float) -> Indices:
    """Tiles of about `size` km each way: bands of latitude, cut along meridians into equal parts.

    Parameters
    ----------
    lat, lon : ndarray, shape (n,)
        In degrees.
    size : float

    Returns
    -------
    ndarray of int, shape (n,)
        Numbers from 0 of those tiles that hold a point.
    """
    n_bands = max(round(np.pi * EARTH_RADIUS_KM / size), 1)
    height = 180.0 / n_bands
    band = np.minimum((lat + 90.0) // height, n_bands - 1)
    around = 2 * np.pi * EARTH_RADIUS_KM * np.cos(np.radians((band + 0.5) * height - 90.0))
    n_parts = np.maximum(np.round(around / size), 1.0)
    part = np.minimum((lon % 360.0) // (360.0 / n_parts), n_parts - 1)
    number = band * 2.0**31 + part
    return np.unique(number, return_inverse=True)[1].astype(np.intp)


def _locate(layout: Layout, points: Indices) -> tuple[Float64s, Float64s] | None:
    """Latitude and longitude of points of the grid, where both are known."""
    names, grid = (layout.axes.latitude, layout.axes.longitude), layout.grid
    if None in names:
        return None
    at = dict(zip(grid.canonical_dims, np.unravel_index(points, grid.shape), strict=True))
    found = []
    for name in names:
        coordinate = layout.dataset[name]
        own = tuple(grid.take[d][at[d]] for d in coordinate.dims)
        found.append(np.asarray(coordinate.values, dtype=np.float64)[own])
    return found[0], found[1]
