"""Over which distance profiles on the Earth are alike."""

from __future__ import annotations

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import one_blas_thread
from xvcluster.algorithms.variogram import fit_variogram, leading_view
from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.horizontal import unit_vectors

_PROFILES = 1024
LEAST_PLACES = 30
"""Number of places that a variogram needs."""


def find_range(profiles: Block, lat: Float64s, lon: Float64s) -> float | None:
    """Find the range of the variogram: the distance beyond which profiles are no longer alike.

    Parameters
    ----------
    profiles : Block
    lat, lon : ndarray, shape (n_profiles,)
        In degrees; NaN if they are not known.

    Returns
    -------
    float or None
        In km: the distance at which the semivariance of the leading principal components of up to
        1024 profiles reaches 95 % of their variance. 0 if neighbours differ as much as any; None if
        fewer than thirty places are known.
    """
    rows = thin_places(lat, lon, _PROFILES)
    if rows.size < LEAST_PLACES:
        return None
    few = profiles[rows]
    with one_blas_thread():  # others would wait for work where ours compute
        components = leading_view(few).look(few).values[:, :, 0]
        variogram = fit_variogram(components, points_km(lat[rows], lon[rows]))
    if variogram is None:
        return None
    chord = min(variogram.reach() / (2.0 * EARTH_RADIUS_KM), 1.0)
    return float(2.0 * EARTH_RADIUS_KM * np.arcsin(chord))


def points_km(lat: Float64s, lon: Float64s) -> Float64s:
    """Points (n, 3) on the sphere in km, whose distances are chords."""
    points: Float64s = EARTH_RADIUS_KM * unit_vectors(lat, lon)
    return points


def thin_places(lat: Float64s, lon: Float64s, size: int) -> Indices:
    """Positions, ascending, of up to `size` profiles at known places, each at another place."""
    known = np.flatnonzero(np.isfinite(lat + lon))
    metres = np.round(1000.0 * points_km(lat[known], lon[known]))
    rows = np.sort(known[np.unique(metres, axis=0, return_index=True)[1]])
    if rows.size > size:
        rows = np.sort(np.random.default_rng(0).choice(rows, size, replace=False))
    found: Indices = rows
    return found
