"""Models of the Earth by depth: ak135, and relations among velocities and density."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from xvcluster.arrays import Array, Booleans, Float64s

RADIUS = 6371.0
"""Of the Earth in models of its interior, in km."""

MOHO = 35.0
"""Depth of the Moho of ak135, in km."""

AK135 = "ak135 (Kennett et al. 1995)"

_BESIDE = 1e-6
"""Kilometres above or below a discontinuity, for the value on that side."""

_VP_OF_VS = (0.9409, 2.0947, -0.8206, 0.2683, -0.0251)
_VS_OF_VP = (0.7858, -1.2344, 0.7949, -0.1238, 0.0064)
_DENSITY_OF_VP = (0.0, 1.6612, -0.4721, 0.0671, -0.0043, 0.000106)
"""Equations 9, 6 and 1 of Brocher (2005), by powers of km/s."""

QUANTITIES = ("vp", "vs", "density")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Properties of the Earth by depth, linear between depths.

    Attributes
    ----------
    depth : ndarray, shape (n,)
        In km, ascending. A depth that is there twice is a discontinuity.
    vp, vs : ndarray, shape (n,)
        In km/s.
    density : ndarray, shape (n,)
        In g/cm³.
    """

    depth: Float64s
    vp: Float64s
    vs: Float64s
    density: Float64s

    def __getitem__(self, part: slice | Booleans) -> Column:
        """Some of the depths."""
        return Column(*(getattr(self, name)[part] for name in Column.__slots__))

    def at(self, depth: Float64s) -> Column:
        """The same at other depths: see `sample`."""
        own = (sample(depth, self.depth, getattr(self, name)) for name in QUANTITIES)
        return Column(depth, *own)

    def join(self, *others: Column) -> Column:
        """This one and others, one below the other."""
        parts = (self, *others)
        return Column(*(np.concatenate([getattr(p, n) for p in parts]) for n in Column.__slots__))


def ak135() -> Column:
    """The Earth model ak135, from the surface to the centre."""
    text = files("xvcluster").joinpath("data", "ak135.csv").read_text(encoding="utf-8")
    return Column(*np.loadtxt(text.splitlines(), delimiter=",").T)


def sample(depth: Float64s, depths: Float64s, values: Float64s) -> Float64s:
    """Interpolate values at ascending depths to others.

    At a discontinuity that is the value above it, and below it for the second of two equal depths.
    """
    is_second = np.diff(depth, prepend=-np.inf) == 0
    beside = depth + np.where(is_second, _BESIDE, -_BESIDE)
    return np.asarray(np.interp(beside, depths, values), dtype=np.float64)


def merge_depths(depth: Float64s, others: Float64s) -> Float64s:
    """Ascending depths and others between them; twice if one is there twice in either."""
    between = others[(others > depth[0]) & (others < depth[-1])]
    every = np.unique(np.append(depth, between))
    times = [np.array([np.count_nonzero(own == d) for d in every]) for own in (depth, between)]
    return np.repeat(every, np.maximum(*times))


def brocher_vp(vs: Float64s) -> Float64s:
    """Vp in km/s from Vs (Brocher 2005, equation 9), for 0 to 4.5 km/s."""
    return _polynomial(vs, _VP_OF_VS)


def brocher_vs(vp: Float64s) -> Float64s:
    """Vs in km/s from Vp (Brocher 2005, equation 6), for 1.5 to 8 km/s."""
    return _polynomial(vp, _VS_OF_VP)


def brocher_density(vp: Float64s) -> Float64s:
    """Density in g/cm³ from Vp in km/s (Brocher 2005, equation 1), for 1.5 to 8.5 km/s."""
    return _polynomial(vp, _DENSITY_OF_VP)


def gardner_density(vp: Float64s) -> Float64s:
    """Density in g/cm³ from Vp in km/s (Gardner et al. 1974), for 1.5 to 6.1 km/s."""
    return np.asarray(1.74 * vp**0.25)


def _polynomial(x: Float64s, coefficients: Array | tuple[float, ...]) -> Float64s:
    return np.asarray(np.polynomial.polynomial.polyval(x, np.asarray(coefficients)))
