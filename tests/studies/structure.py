"""Whether the test for structure tells smooth fields from provinces, and what stability cannot see.

    python tests/studies/structure.py [SEEDS]

Prints a table of smooth fields and of provinces on a grid of 32 by 36 points, made from recipes of
its own with the seeds 0 to SEEDS − 1 (default: 5): the p-value of the structure, and how much
sharper boundaries are than in smooth fields; the range of the variogram; and the stability of
k = 2, with about a hundred blocks and with blocks as large as profiles are alike. A second table
has the stability of provinces at every k. docs/defend.md shows both.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import xarray as xr

import xvcluster
from xvcluster.arrays import Float64s

LAT, LON, DEPTH = np.linspace(30, 50, 32), np.linspace(0, 28, 36), np.arange(5.0, 155.0, 10.0)
KS = range(2, 9)


def waves(length: float, n: int, rng: np.random.Generator) -> Float64s:
    """Draw smooth fields (n, lat, lon) with variance 1 and a correlation length in degrees."""
    lat, lon = np.meshgrid(LAT, LON * np.cos(np.radians(40.0)), indexing="ij")
    found = []
    for _ in range(n):
        wave, phase = rng.normal(scale=1 / length, size=(150, 2, 1, 1)), rng.uniform(0, 7, 150)
        arcs = wave[:, 0] * lat + wave[:, 1] * lon + phase[:, None, None]
        found.append(np.cos(arcs).sum(axis=0) * np.sqrt(2 / 150))
    return np.array(found)


def layers(moho: Float64s, lid: Float64s, speed: Float64s) -> Float64s:
    """Velocity (lat, lon, depth) of a crust, a lid and a mantle below it."""
    step = [1 / (1 + np.exp((depth[..., None] - DEPTH) / 4)) for depth in (moho, lid)]
    return 3.4 + step[0] * (speed[..., None] - 3.4) - 0.25 * step[1]


def smooth(kind: str, seed: int) -> Float64s:
    """A field of profiles without provinces."""
    rng = np.random.default_rng([seed, 1])
    shape = (LAT.size, LON.size, DEPTH.size)
    if kind == "white noise":
        return rng.normal(0, 0.1, shape)
    if kind == "one mode":
        field = waves(4.0, 1, rng)[0, ..., None] * np.sin(DEPTH / 50)
    elif kind == "gradients":
        south, east = np.linspace(-1, 1, LAT.size)[:, None], np.linspace(-1, 1, LON.size)
        field = south[..., None] * np.cos(DEPTH / 60) + east[..., None] * np.sin(DEPTH / 30)
    else:
        moho, lid, speed = waves(4.0, 3, rng)
        field = layers(32 + 6 * moho, 95 + 20 * lid, 4.45 + 0.1 * speed)
    return np.asarray(field + rng.normal(0, 0.02, shape))


def provinces(k: int, seed: int, *, noise: float = 0.03, gradual: float = 0.0) -> Float64s:
    """A field of profiles in k provinces that vary inside, with borders `gradual` cells wide."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([seed, 2])
    lat, lon = np.meshgrid(LAT, LON * np.cos(np.radians(40.0)), indexing="ij")
    bent = np.stack([lat, lon]) + 1.5 * waves(3.0, 2, rng)
    centres = rng.uniform([30, 0], [50, 21], (4 * k, 2))
    cell = ((bent - centres[..., None, None]) ** 2).sum(axis=1).argmin(axis=0)
    share = np.stack([(cell % k == j).astype(float) for j in range(k)])
    share = np.stack([gaussian_filter(one, gradual) for one in share]) if gradual else share
    order = [rng.permutation(k) / max(k - 1, 1) for _ in range(3)]
    moho, lid, speed = (np.tensordot(one, share / share.sum(axis=0), 1) for one in order)
    inside = 0.08 * waves(1.5, 3, rng)
    moho, lid, speed = moho + inside[0], lid + inside[1], speed + inside[2]
    field = layers(18 + 28 * moho, 60 + 70 * lid, 4.2 + 0.4 * speed)
    return np.asarray(field + rng.normal(0, noise, field.shape))


def as_model(values: Float64s) -> xr.DataArray:
    """Name the dimensions of a field."""
    coords = {"latitude": LAT, "longitude": LON, "depth": DEPTH}
    return xr.DataArray(values, coords, ("latitude", "longitude", "depth"), name="vs")


FIELDS = {
    **{kind: lambda seed, kind=kind: smooth(kind, seed)
       for kind in ("white noise", "one mode", "gradients", "bending layers")},
    "2 provinces": lambda seed: provinces(2, seed),
    "4 provinces": lambda seed: provinces(4, seed),
    "4 provinces, gradual": lambda seed: provinces(4, seed, gradual=1.5),
    "6 provinces": lambda seed: provinces(6, seed),
    "6 provinces, noise": lambda seed: provinces(6, seed, noise=0.15),
}  # fmt: skip


def measure(model: xr.DataArray, seed: int) -> list[float]:
    """p-value, sharpness, range, and the stability of k = 2 by small and by large blocks."""
    asked = {"n_init": 1, "random_state": seed}
    found = model.vcluster.sweep(KS, criteria=["structure"], **asked).dataset["structure"]
    stable = [
        model.vcluster.sweep([2], criteria=["stability"], block_size=size, **asked).dataset
        for size in (220, None)
    ]
    two = [float(one["stability"][0]) for one in stable]
    return [found.attrs["p_value"], float(found.max()), stable[1]["stability"].range_km, *two]


def main(n_seeds: int) -> None:
    """Print both tables."""
    print("field                  p < 0.05   sharpness    range  k = 2: 220 km, range")
    for name, draw in FIELDS.items():
        rows = np.array([measure(as_model(draw(seed)), seed) for seed in range(n_seeds)])
        told, middle = int((rows[:, 0] < 0.05).sum()), np.median(rows, axis=0)
        low, high = rows[:, 1].min(), rows[:, 1].max()
        print(f"{name:22} {told} of {n_seeds}  {low:5.1f}–{high:5.1f}  {middle[2]:5.0f} km   "
              f"{middle[3]:.2f}  {middle[4]:.2f}", flush=True)  # fmt: skip
    print("\nstability of 4 provinces at k =", *KS)
    for size in (220, None):
        rows = np.array([
            as_model(provinces(4, seed)).vcluster.sweep(
                KS, criteria=["stability"], n_init=1, block_size=size).dataset["stability"].values
            for seed in range(n_seeds)
        ])  # fmt: skip
        print("220 km " if size else "range  ", *(f"{one:.2f}" for one in np.median(rows, axis=0)))


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    assert xvcluster  # registers .vcluster
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
