"""Tiles of the sphere, which a bootstrap draws instead of profiles because neighbours are alike."""

from __future__ import annotations

import numpy as np

from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.messages import warn

_WANTED = 100
_FEW = 10
_TOO_CLOSE = 0.5  # size of tiles, as a share of the range, below which they are plainly alike
_LARGEST_KM, _LEAST_KM, _FINER = 10_000.0, 1e-3, 2.0**0.25


def find_tiles(
    lat: Float64s, lon: Float64s, size: float | None = None, reach: float | None = None
) -> tuple[Indices, float | None]:
    """Find the tile in which each of some points lies.

    Parameters
    ----------
    lat, lon : ndarray, shape (n,)
        In degrees; NaN if they are not known.
    size : float, optional
        Size of a tile in km. Default: such that there are about a hundred tiles, or one for every
        four points if these are few, but at least ten; and at least `reach`, if that leaves ten.
    reach : float, optional
        The distance in km beyond which profiles are no longer alike; see `find_range`.

    Returns
    -------
    (ndarray of int, shape (n,); float or None)
        Tile numbers from 0, and the size of the tiles. A point whose latitude or longitude is not
        known has a tile of its own; if no point has both, the size is None.

    Raises
    ------
    ValueError
        If one tile of this size holds all points.

    Warns
    -----
    UserWarning
        If there are fewer than ten tiles of this size, or of half of `reach`, or latitude and
        longitude are not known.
    """
    known = np.isfinite(lat + lon)
    if not known.any():
        warn(
            "latitude and longitude are not known, so that profiles are drawn one by one; "
            "neighbours are alike, and clusters will look more stable than they are",
        )
        return np.arange(lat.size), None
    if not known.all():
        tiles = np.empty(lat.size, dtype=np.intp)
        tiles[known], size = find_tiles(lat[known], lon[known], size, reach)
        tiles[~known] = tiles[known].max() + 1 + np.arange(np.count_nonzero(~known))
        return tiles, size
    if size is not None:
        tiles = cut_tiles(lat, lon, size)
        _require_several(int(tiles.max()) + 1, lat.size, size)
        return tiles, size
    size = _find_size(lat, lon, _LARGEST_KM, min(_WANTED, max(lat.size // 4, _FEW), lat.size))
    if reach is not None and reach > size:
        size = _find_size(lat, lon, reach, min(_FEW, lat.size))
        _warn_if_alike(size, reach)
    return cut_tiles(lat, lon, size), size


def _find_size(lat: Float64s, lon: Float64s, largest: float, wanted: int) -> float:
    """The largest size in km of which there are as many tiles as wanted, to two digits."""
    exact, size = largest, float(f"{largest:.2g}")
    while exact > _LEAST_KM and np.unique(_number(lat, lon, size)).size < wanted:
        exact /= _FINER
        size = float(f"{exact:.2g}")
    return size


def _warn_if_alike(size: float, reach: float) -> None:
    """Warn of tiles that are much smaller than profiles are alike."""
    if size < _TOO_CLOSE * reach:
        warn(
            f"profiles are alike over about {float(f'{reach:.2g}'):g} km, but the model holds "
            f"{_FEW} blocks only of {size:g} km: they are not independent, and clusters will look "
            "more stable than they are. Take a larger region; or see by "
            "sweep(criteria=['structure']) whether there are clusters at all"
        )


def _require_several(n_tiles: int, n_points: int, size: float) -> None:
    """Refuse tiles as large as the model, and warn if there are few."""
    text = f"block_size={size:g} km makes {n_tiles} block{'s' * (n_tiles > 1)} of this model"
    if n_tiles == 1 < n_points:
        raise ValueError(f"{text}, so that every sample is all of it; give a smaller size, or None")
    if n_tiles < min(_FEW, n_points):
        warn(
            f"{text}, which are too few to judge stability; give a smaller size, or None",
        )


def cut_tiles(lat: Float64s, lon: Float64s, size: float) -> Indices:
    """Assign points to tiles of about `size` km: bands of latitude, cut along meridians.

    Parameters
    ----------
    lat, lon : ndarray, shape (n,)
        In degrees.
    size : float

    Returns
    -------
    ndarray of int, shape (n,)
        Numbers from 0 of the tiles that hold a point.
    """
    return np.unique(_number(lat, lon, size), return_inverse=True)[1].astype(np.intp)


def _number(lat: Float64s, lon: Float64s, size: float) -> Indices:
    """A number of the tile in which each point lies; most numbers are those of no tile."""
    n_bands = max(round(np.pi * EARTH_RADIUS_KM / size), 1)
    height = 180.0 / n_bands
    band = np.minimum((lat + 90.0) // height, n_bands - 1)
    around = 2 * np.pi * EARTH_RADIUS_KM * np.cos(np.radians((band + 0.5) * height - 90.0))
    n_parts = np.maximum(np.round(around / size), 1.0)
    part = np.minimum((lon % 360.0) // (360.0 / n_parts), n_parts - 1)
    number: Indices = band.astype(np.int64) * 2**31 + part.astype(np.int64)
    return number
