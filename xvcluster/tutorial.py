"""Sample data: a synthetic model of the western United States, and the real ocean."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xvcluster.arrays import Float64s
from xvcluster.messages import shown as _shown

_SEED = 1982


class _Province(NamedTuple):
    """Structure of a province, in km and km/s; the lid is the mantle from the Moho to lid_base."""

    name: str
    moho: float
    crust_top: float
    crust_base: float
    lid: float
    lid_base: float
    asthenosphere: float
    outline: tuple[tuple[float, float], ...]


# Painted in this order, later ones over earlier ones; the first fills what the others leave. Values
# are round numbers in the range of published models; outlines follow physiographic maps.
_PROVINCES = (
    _Province("great_plains_and_wyoming", 49, 3.40, 3.95, 4.58, 190, 4.50, ()),
    _Province(
        "colorado_plateau_and_southern_rockies", 43, 3.30, 3.80, 4.42, 100, 4.30,
        ((-112.5, 40.8), (-109.5, 41.2), (-107.3, 41.4), (-105.2, 41.3), (-104.8, 39.5),
         (-104.8, 37.5), (-105.2, 35.5), (-107, 33.5), (-112, 33.5), (-115, 36)),
    ),
    _Province(
        "columbia_plateau_and_northern_rockies", 36, 3.45, 3.90, 4.32, 75, 4.24,
        ((-123, 51), (-114.6, 51), (-113.2, 48.8), (-112.2, 47.2), (-111.2, 45.8),
         (-111, 44), (-117, 42), (-123, 42)),
    ),
    _Province(
        "basin_and_range", 30, 3.30, 3.60, 4.20, 60, 4.12,
        ((-123, 43.6), (-119, 44.1), (-117, 43.4), (-115, 43.5), (-113.2, 44.2), (-111.4, 44.7),
         (-110.9, 43.9), (-112.2, 42.4), (-111.8, 41), (-111.9, 39.5), (-112.8, 38),
         (-113.7, 37), (-113.7, 35.9), (-112.4, 34.8), (-110.8, 33.9), (-109.2, 33.6),
         (-107.9, 34.4), (-106.9, 35.7), (-106.3, 36.6), (-105.6, 36.4), (-105.5, 35),
         (-104.9, 33), (-104.4, 30), (-123, 30)),
    ),
    _Province(
        "pacific_margin", 25, 3.10, 3.70, 4.40, 90, 4.25,
        ((-130, 51), (-121.6, 51), (-121.6, 48.5), (-121.9, 46), (-122.1, 43.5),
         (-121.8, 41.5), (-120.6, 40), (-119.4, 38.3), (-118.2, 36.8), (-117.6, 35.3),
         (-116.4, 34.1), (-115.6, 32.8), (-115, 30), (-130, 30)),
    ),
    _Province(
        "pacific_ocean", 8, 3.00, 3.75, 4.50, 40, 4.15,
        ((-130, 51), (-127, 51), (-126.2, 49), (-125.4, 47), (-125.1, 44), (-125, 40.4),
         (-123.7, 38), (-122.3, 36.2), (-121.2, 34.6), (-119.8, 33.2), (-118.6, 32),
         (-118.2, 30), (-130, 30)),
    ),
)  # fmt: skip


def tomography(*, resolution: float = 0.25) -> xr.Dataset:
    r"""Compute a synthetic crust and upper-mantle model of the western United States.

    The model is computed by formula, and is not an observation: its true provinces are known.

    Parameters
    ----------
    resolution : float, default 0.25
        Spacing of the grid in degrees, from 0.02 to 2. The underlying model is the same for all.

    Returns
    -------
    xarray.Dataset
        ``vs`` and ``vp`` in km/s with dims (depth, latitude, longitude), float32, at 0 to 200 km
        below the solid surface every 5 km; ``province`` with dims (latitude, longitude), the true
        province of each profile, 1 to 6, with the names in its ``flag_meanings``.

    Raises
    ------
    ValueError
        If `resolution` is out of range.

    Notes
    -----
    Every province has a Moho depth :math:`M`, crustal velocities from :math:`c_0` at the surface to
    :math:`c_1` at the Moho, a mantle lid of velocity :math:`l` down to :math:`L`, and an
    asthenosphere of velocity :math:`a` below it. These six numbers, chosen by hand within the range
    of published models of the region [1]_ [2]_, change smoothly over about 100 km from one province
    to the next, and vary within each by a Gaussian random field with a correlation length of
    110 km. Then

    .. math::

        v_S(z) = c(z) + s\left(\frac{z - M}{1.5}\right) \left[m(z) - c(z)\right], \quad
        c(z) = c_0 + (c_1 - c_0) \min(z / M, 1), \quad
        m(z) = l + s\left(\frac{z - L}{12}\right) (a - l) + 0.0005 \, (z - M)_+

    with the logistic function :math:`s`, depths in km and velocities in km/s. The ratio ``vp/vs``
    is 1.75 in the crust; in the mantle it is 1.74 + 0.2 (4.65 − ``vs``), but at least 1.74, and
    thus larger where the mantle is slow.

    References
    ----------
    .. [1] Shen, W., Ritzwoller, M. H. (2016), Crustal and uppermost mantle structure beneath the
       United States, J. Geophys. Res. Solid Earth 121, 4306–4342, doi:10.1002/2016JB012887
    .. [2] Schmandt, B., Humphreys, E. (2010), Complex subduction and small-scale convection
       revealed by body-wave tomography of the western United States upper mantle, Earth Planet.
       Sci. Lett. 297, 435–445, doi:10.1016/j.epsl.2010.06.047

    Examples
    --------
    >>> from xvcluster import tutorial
    >>> model = tutorial.tomography()
    >>> model["vs"].dims
    ('depth', 'latitude', 'longitude')
    >>> model["province"].attrs["flag_meanings"].split()[-1]
    'pacific_ocean'
    """
    is_number = isinstance(resolution, int | float | np.integer | np.floating)
    if not is_number or not 0.02 <= resolution <= 2:
        raise ValueError(
            f"resolution is {_shown(resolution)} degrees, but must be from 0.02 to 2; the default "
            "is 0.25"
        )
    depth = np.arange(0.0, 201.0, 5.0)
    latitude = _axis(32.0, 49.0, resolution)
    longitude = _axis(-128.0, -101.0, resolution)
    lon, lat = np.meshgrid(longitude, latitude)
    random = np.random.default_rng(_SEED)
    province = _paint(lon, lat, random)
    parameters = _vary(_blend(province, resolution), lon, lat, random)
    vs, vp = (v.astype(np.float32) for v in _profiles(depth, parameters))
    names = {
        "long_name": "true province of the profile",
        "flag_values": np.arange(1, len(_PROVINCES) + 1, dtype=np.int16),
        "flag_meanings": " ".join(province.name for province in _PROVINCES),
    }
    dims = ("depth", "latitude", "longitude")
    variables = {
        "vs": (dims, vs, {"long_name": "shear-wave velocity", "units": "km/s"}),
        "vp": (dims, vp, {"long_name": "compressional-wave velocity", "units": "km/s"}),
        "province": (dims[1:], province, names),
    }
    down = {"long_name": "depth", "units": "km", "positive": "down", "axis": "Z"}
    north = {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}
    east = {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}
    coords = {
        "depth": ("depth", depth, down),
        "latitude": ("latitude", latitude, north),
        "longitude": ("longitude", longitude, east),
    }
    about = {
        "Conventions": "CF-1.10",
        "id": "xvcluster_tutorial_tomography",
        "title": "Synthetic model of the western United States, not an observation",
        "comment": "Computed by formula in xvcluster.tutorial.tomography from hand-drawn provinces "
        "and a seeded random field, to try out clustering. It contains no data: do not interpret "
        "it.",
    }
    return xr.Dataset(variables, coords, about)


def ocean() -> xr.Dataset:
    """Load the annual mean temperature and salinity of the world ocean on a 2° grid.

    Returns
    -------
    xarray.Dataset
        ``temperature`` in °C and ``salinity`` in parts per thousand, float32 with dims (depth,
        latitude, longitude), at 20 standard depths from 0 to 5000 m; NaN on land and below the sea
        floor, so that profiles are shorter where the sea is shallow.

    Notes
    -----
    This is a real climatology in the public domain, that of Levitus [1]_ at 1°, as distributed by
    NOAA with Ferret. Each 2° cell is the mean of its 1° cells with water at that depth, of which
    there must be at least two out of four. Values are stored in steps of 0.002.

    References
    ----------
    .. [1] Levitus, S. (1982), Climatological Atlas of the World Ocean, NOAA Professional Paper 13,
       U.S. Government Printing Office, Washington, D.C.

    Examples
    --------
    >>> from xvcluster import tutorial
    >>> dict(tutorial.ocean()["temperature"].sizes)
    {'depth': 20, 'latitude': 90, 'longitude': 180}
    """
    with as_file(files("xvcluster") / "data" / "levitus_2deg.nc") as path:
        # without its encoding, by which results computed from it would be written as int16
        return xr.load_dataset(path, engine="netcdf4").drop_encoding()


def _axis(start: float, stop: float, step: float) -> Float64s:
    """Return evenly spaced coordinates from start up to stop."""
    count = int((stop - start) / step + 1e-9) + 1
    return np.asarray(start + step * np.arange(count), dtype=np.float64)


def _random_field(
    lon: Float64s, lat: Float64s, length: float, random: np.random.Generator
) -> Float64s:
    """Return a Gaussian random field of unit variance; the length is in degrees of latitude.

    It is a sum of random waves, and therefore the same field on every grid.
    """
    n_waves = 64
    wave = random.normal(scale=1 / length, size=(n_waves, 2))
    phase = random.uniform(0, 2 * np.pi, n_waves)
    x = lon * np.cos(np.deg2rad(40))
    waves = (np.cos(kx * x + ky * lat + p) for (kx, ky), p in zip(wave, phase, strict=True))
    total = sum(waves, start=np.zeros_like(x))
    return np.asarray(total * np.sqrt(2 / n_waves), dtype=np.float64)


def _paint(lon: Float64s, lat: Float64s, random: np.random.Generator) -> NDArray[np.int16]:
    """Return the number of the province at each point, from 1."""
    from matplotlib.path import Path

    # straight outlines would look artificial, so each point is looked up at a shifted position
    shift = [0.12 * _random_field(lon, lat, 0.4, random) for _ in range(2)]
    points = np.column_stack([(lon + shift[0]).ravel(), (lat + shift[1]).ravel()])
    number = np.ones(len(points), dtype=np.int16)
    for i, province in enumerate(_PROVINCES[1:], start=2):
        number[Path(province.outline).contains_points(points)] = i
    return number.reshape(lon.shape)


def _blend(province: NDArray[np.int16], resolution: float) -> Float64s:
    """Return the parameters of the provinces at each point, smoothed over about a degree."""
    from scipy.ndimage import gaussian_filter

    number = np.arange(1, len(_PROVINCES) + 1)[:, None, None]
    width = (0, 0.3 / resolution, 0.3 / resolution)
    share = gaussian_filter((province == number).astype(float), width, mode="nearest")
    parameters = np.array([province[1:-1] for province in _PROVINCES], dtype=np.float64)
    return np.asarray(np.tensordot(parameters.T, share, axes=1), dtype=np.float64)


def _vary(
    parameters: Float64s, lon: Float64s, lat: Float64s, random: np.random.Generator
) -> Float64s:
    """Add the variation within each province, which is small for the thin oceanic crust."""
    # moho, crust_top, crust_base, lid, lid_base, asthenosphere
    spread = (0.06 * parameters[0], 0.08, 0.05, 0.05, 12.0, 0.05)
    fields = [_random_field(lon, lat, 1.0, random) for _ in spread]
    return np.stack([p + s * f for p, s, f in zip(parameters, spread, fields, strict=True)])


def _profiles(depth: Float64s, parameters: Float64s) -> tuple[Float64s, Float64s]:
    """Return vs and vp (depth, latitude, longitude)."""
    from scipy.special import expit  # the logistic function

    moho, crust_top, crust_base, lid, lid_base, asthenosphere = parameters
    z = depth[:, None, None]
    crust = crust_top + (crust_base - crust_top) * np.minimum(z / moho, 1)
    mantle = lid + (asthenosphere - lid) * expit((z - lid_base) / 12)
    # pressure makes the mantle faster with depth
    mantle = mantle + 0.0005 * np.maximum(z - moho, 0)
    mantle_share = expit((z - moho) / 1.5)
    vs = crust + mantle_share * (mantle - crust)
    # larger in a slow mantle: heat and melt reduce vs more than vp
    mantle_ratio = 1.74 + 0.2 * np.maximum(4.65 - vs, 0)
    return vs, vs * (1.75 + mantle_share * (mantle_ratio - 1.75))
