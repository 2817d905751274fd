"""The models that everything is timed on, as xvcluster and as its peers take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

KINDS = 12
CASCADIA = Path(__file__).resolve().parents[3] / "shared" / "data" / "emc_pnw10-s.nc"


def profiles(n: int, n_levels: int, seed: int = 0) -> np.ndarray:
    """Profiles (n, n_levels) in float32: a step, a slope and a wave of each kind, and noise."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(0, 1, n_levels)
    step = 0.5 * np.tanh(8 * (depth - rng.uniform(0.2, 0.8, (KINDS, 1))))
    slope = rng.normal(0, 0.3, (KINDS, 1)) * depth
    wave = 0.2 * np.sin(depth * rng.uniform(2, 6, (KINDS, 1)) + rng.uniform(0, 6, (KINDS, 1)))
    made = (3 + step + slope + wave)[rng.integers(KINDS, size=n)].astype(np.float32)
    for start in range(0, n, 65_536):
        part = made[start : start + 65_536]
        part += rng.normal(0, 0.15, (len(part), 1)) * depth + rng.normal(0, 0.1, (len(part), 1))
        part += rng.normal(0, 0.05, part.shape)
    return made


def model(n: int, n_levels: int) -> xr.DataArray:
    """The same as a regional model (depth, latitude, longitude) of n points.

    It spans less than 20 degrees of latitude, so that by default every profile counts once, as it
    does to peers.
    """
    rows = next(rows for rows in range(int(n**0.5), 0, -1) if n % rows == 0)
    return xr.DataArray(
        np.ascontiguousarray(profiles(n, n_levels).T).reshape(n_levels, rows, n // rows),
        {
            "depth": ("depth", np.linspace(10, 800, n_levels), {"units": "km", "positive": "down"}),
            "latitude": np.linspace(33, 49, rows),
            "longitude": np.linspace(-124, -100, n // rows),
        },
        ("depth", "latitude", "longitude"),
        name="vs",
        attrs={"units": "km/s"},
    )


def cascadia() -> xr.DataArray:
    """5,777 profiles of 23 levels: of PNW10-S (Porritt et al. 2011) where it is, else made ones."""
    if not CASCADIA.is_file():
        return model(5_777, 23)
    with xr.open_dataset(CASCADIA) as data:
        return data["vs"].sel(depth=slice(5, 60)).load()


def matrix(model: xr.DataArray) -> np.ndarray:
    """Profiles (n, n_levels) of a model in float32, as peers take them."""
    return np.ascontiguousarray(model.values.reshape(len(model), -1).T)
