"""Made models: profiles of some kinds, that vary within each."""

import numpy as np
import xarray as xr

KINDS = 12


def profiles(n, n_levels, seed=0):
    """Profiles (n, n_levels, 1) in float32: a step, a slope and a wave of each kind, and noise."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(0, 1, n_levels)
    step = 0.5 * np.tanh(8 * (depth - rng.uniform(0.2, 0.8, (KINDS, 1))))
    slope = rng.normal(0, 0.3, (KINDS, 1)) * depth
    wave = 0.2 * np.sin(depth * rng.uniform(2, 6, (KINDS, 1)) + rng.uniform(0, 6, (KINDS, 1)))
    made = (3 + step + slope + wave)[rng.integers(KINDS, size=n)]
    made += rng.normal(0, 0.15, (n, 1)) * depth + rng.normal(0, 0.1, (n, 1))
    made += rng.normal(0, 0.05, (n, n_levels))
    return (made - made.mean()).astype(np.float32)[..., None]


def globe(n_levels=80, n_latitudes=181, n_longitudes=360):
    """The same as a global model (depth, latitude, longitude)."""
    values = profiles(n_latitudes * n_longitudes, n_levels)[..., 0].T
    return xr.DataArray(
        3 + values.reshape(n_levels, n_latitudes, n_longitudes),
        {
            "depth": ("depth", np.linspace(10, 800, n_levels), {"units": "km", "positive": "down"}),
            "latitude": np.linspace(-90, 90, n_latitudes),
            "longitude": np.arange(n_longitudes) * 360 / n_longitudes - 180,
        },
        name="vs",
        attrs={"units": "km/s"},
    )
