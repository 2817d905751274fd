"""Print the table of docs/dtw.md: Euclidean and DTW k-means on models with known provinces.

Run by hand when the clustering has changed; it takes a few minutes:

    python docs/make_dtw.py

Every model has four provinces of 150 profiles, of a crust, a mantle lid and an asthenosphere.
Provinces differ in the velocities of these layers, in their depths, or in both. In each province
the layers are shifted together, up or down, from profile to profile.
"""

import numpy as np
import xarray as xr
from sklearn.metrics import adjusted_rand_score

import xvcluster

SEEDS = range(5)
SHIFTS = (0.0, 2.5, 5.0, 10.0)
DIFFER = ("velocity", "depth", "both")
MEMBERS, PROVINCES = 150, 4
DEPTH = np.arange(5.0, 161.0, 5.0)
METRICS = {
    "Euclidean": {},
    "DTW": {"metric": "dtw"},
    "DTW, 20 km": {"metric": "dtw", "window_depth": 20.0},
}


def profiles(moho, lid, crust, mantle, low):
    """Shear velocity (n, n_levels) from depths in km and velocities in km/s, each (n,)."""
    layers = (moho, lid, crust, mantle, low)
    moho, lid, crust, mantle, low = (np.asarray(each)[:, None] for each in layers)
    below = mantle + (low - mantle) / (1 + np.exp((lid - DEPTH) / 6))
    return crust + (below - crust) / (1 + np.exp((moho - DEPTH) / 1.5))


def make(differ, shift, seed):
    """A model (profile, depth), and the province of each profile."""
    rng = np.random.default_rng(seed)
    province = np.repeat(np.arange(PROVINCES), MEMBERS)
    step = np.linspace(-0.5, 0.5, PROVINCES)
    ones, moved = np.ones(province.size), shift * rng.normal(size=province.size)
    by_velocity, by_depth = differ != "depth", differ != "velocity"
    crust, mantle, low = (
        middle * ones + 0.45 * by_velocity * rng.permutation(step)[province]
        for middle in (3.5, 4.5, 4.2)
    )
    moho = 35 + 30 * by_depth * rng.permutation(step)[province] + moved
    lid = 90 + 60 * by_depth * rng.permutation(step)[province] + moved
    values = profiles(moho, lid, crust, mantle, low)
    values = values + rng.normal(0, 0.03, values.shape)
    model = xr.DataArray(
        values.astype(np.float32),
        dims=("profile", "depth"),
        coords={"depth": ("depth", DEPTH, {"units": "km", "positive": "down"})},
        name="vs",
        attrs={"units": "km/s"},
    )
    return model, province


def main():
    """Print a row for each kind of model, with the mean and the range over the seeds."""
    print("| provinces differ in | layers shifted by | " + " | ".join(METRICS) + " |")
    print("| --- | --- |" + " --- |" * len(METRICS))
    for differ in DIFFER:
        for shift in SHIFTS:
            cells = []
            for options in METRICS.values():
                index = []
                for seed in SEEDS:
                    model, province = make(differ, shift, seed)
                    labels = xvcluster.kmeans(model, PROVINCES, **options).labels
                    index.append(adjusted_rand_score(province, labels.values))
                cells.append(f"{np.mean(index):.2f} ({min(index):.2f} to {max(index):.2f})")
            print(f"| {differ} | {shift:g} km | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
