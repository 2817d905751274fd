"""Synthetic models with known provinces, to judge how well a number of clusters is found."""

import numpy as np
import xarray as xr

DEPTH = np.arange(10.0, 410.0, 12.5)

RECIPES = {
    "2, equal": {"k": 2},
    "2, 90 to 10": {"k": 2, "shares": [90, 10]},
    "2, noisy": {"k": 2, "noise": 0.15},
    "3, equal": {"k": 3},
    "3, global": {"k": 3, "on_globe": True},
    "3, noisy": {"k": 3, "noise": 0.12},
    "4, unequal": {"k": 4, "shares": [45, 30, 15, 10]},
    "4, gradual": {"k": 4, "blend": 1.0},
    "5, equal": {"k": 5},
    "5, global": {"k": 5, "on_globe": True},
    "5, gradual": {"k": 5, "blend": 1.5},
    "6, varied within": {"k": 6, "within": 1.7},
    "6, unequal": {"k": 6, "shares": [30, 25, 15, 12, 10, 8]},
    "7, two variables": {"k": 7, "n_variables": 2},
    "8, equal": {"k": 8},
    "9, global": {"k": 9, "on_globe": True},
    "10, little varied": {"k": 10, "within": 0.6},
}
"""Options of `make`; names begin with the number of provinces."""


def make(
    k, *, shares=None, within=1.0, noise=0.03, blend=0.0, n_variables=1, on_globe=False, seed=0
):
    """Make a model of k provinces, and the map of these.

    Parameters
    ----------
    k : int
    shares : list of float, optional
        Of the provinces in the area; equal by default.
    within : float
        How much profiles of a province vary.
    noise : float
        Standard deviation of white noise, in km/s.
    blend : float
        Width of the transition between provinces, in cells.
    n_variables : int
        1, or 2: the second follows another law in every province.
    on_globe : bool
        Everywhere on a grid of 5°, otherwise a region of 24° by 24°.
    seed : int
    """
    rng = np.random.default_rng(seed)
    step = 5.0 if on_globe else 0.6
    lat = np.arange(-87.5, 90, step) if on_globe else np.arange(-12, 12, step) + 35
    lon = np.arange(0, 360, step) if on_globe else np.arange(0, 24, step) + 5
    points = _unit_vectors(lat, lon)
    size = 1.0 if on_globe else np.radians(24.0) / 2
    province = _draw_map(points, lat, k, shares, size, rng)
    amounts = np.stack([province == c for c in range(k)]).astype(float)
    if blend:
        from scipy.ndimage import gaussian_filter

        amounts = np.stack([gaussian_filter(a, blend, mode="nearest") for a in amounts])
    data = {}
    for name in ("vs", "vp")[:n_variables]:
        laws = _draw_laws(k, rng)
        law = np.tensordot(amounts, laws, (0, 0))
        for i, spread in enumerate((0.05, 12.0, 0.06, 0.03)):
            law[..., i] += within * spread * _wave(points, 0.3 * size, rng)
        values = _profile(law) + noise * rng.normal(size=(*province.shape, DEPTH.size))
        data[name] = (("lat", "lon", "depth"), values.astype(np.float32), {"units": "km/s"})
    coords = {
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
        "depth": ("depth", DEPTH, {"units": "km", "positive": "down"}),
    }
    return xr.Dataset(data, coords), province


def _unit_vectors(lat, lon):
    phi, theta = np.meshgrid(np.radians(lat), np.radians(lon), indexing="ij")
    return np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], -1)


def _wave(points, length, rng, n_waves=60):
    """A smooth random field of unit variance, alike over about this length in radians."""
    k = rng.normal(scale=1.0 / length, size=(n_waves, 3))
    return np.sqrt(2 / n_waves) * np.cos(points @ k.T + rng.uniform(0, 6.28, n_waves)).sum(-1)


def _draw_map(points, lat, k, shares, size, rng):
    """Provinces around seeds, whose reach grows until they have their shares; rough borders."""
    rough = points + 0.08 * size * np.stack([_wave(points, 0.2 * size, rng) for _ in range(3)], -1)
    flat = points.reshape(-1, 3)
    seeds = [flat[rng.integers(len(flat))]]
    while len(seeds) < k:
        apart = np.linalg.norm(flat[:, None] - np.array(seeds), axis=-1).min(axis=1)
        seeds.append(flat[rng.choice(np.argsort(apart)[-len(flat) // 10 :])])
    squared = ((rough[..., None, :] - np.array(seeds)) ** 2).sum(-1)
    area = np.broadcast_to(np.cos(np.radians(lat))[:, None], points.shape[:2])
    wanted = np.ones(k) / k if shares is None else np.array(shares) / np.sum(shares)
    reach = np.zeros(k)
    for _ in range(400):
        province = (squared - reach).argmin(axis=-1)
        has = np.bincount(province.ravel(), area.ravel(), minlength=k) / area.sum()
        reach += 0.1 * size**2 * (wanted - has)
    return province


def _draw_laws(k, rng):
    """Parameters (k, 4) of profiles that differ clearly: mean, depth of a step, step, slope."""
    least = 0.15
    while True:
        for _ in range(300):
            laws = rng.uniform([4.1, 80, -0.1, -0.15], [4.7, 300, 0.5, 0.25], (k, 4))
            values = _profile(laws)
            apart = np.sqrt(((values[:, None] - values) ** 2).mean(-1))
            if apart[np.triu_indices(k, 1)].min() > least:
                return laws
        least *= 0.95


def _profile(law):
    mean, depth, step, slope = (law[..., i, None] for i in range(4))
    return mean + step * np.tanh((DEPTH - depth) / 25.0) / 2 + slope * (DEPTH - 200.0) / 200.0
