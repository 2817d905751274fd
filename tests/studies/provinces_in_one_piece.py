"""Which method finds the true provinces of the tutorial's model again, under which errors.

    python tests/studies/provinces_in_one_piece.py [SEEDS]

Prints the table of the page "Provinces": the adjusted Rand index of the provinces and six clusters,
its mean and standard deviation over the seeds 0 to SEEDS − 1 (default: 20), for errors that are
independent, that are alike over 20 km in depth, and that are also alike over 100 km along the
surface. In the last rows the model lies beside its mirror image, so that a province can have two
pieces. One thread; some minutes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter
from sklearn.metrics import adjusted_rand_score

import xvcluster
from xvcluster import ClusterResult

K = 6
SMALLEST = 50_000.0
"""Area of the smallest piece in km²; the smallest province has nine times as much."""

METHODS: dict[str, Callable[[xr.DataArray, int], ClusterResult]] = {
    "contiguous Ward": lambda data, _: data.vcluster.ward(K),
    "the same, of twice as many, merged": lambda data, _: data.vcluster.ward(2 * K).merge(K),
    "plain Ward": lambda data, _: data.vcluster.ward(K, contiguous=False),
    "k-means": lambda data, seed: data.vcluster.kmeans(K, random_state=seed),
    "k-means, cleaned": lambda data, seed: data.vcluster.kmeans(K, random_state=seed).clean(
        min_area=SMALLEST
    ),
}

ERRORS = {
    "none": ((0, 0, 0), (0.0,)),
    "independent": ((0, 0, 0), (0.1, 0.3, 0.6)),
    "alike over 20 km in depth": ((4, 0, 0), (0.05, 0.1, 0.2)),
    "alike over 20 km in depth and 100 km around": ((4, 2, 2), (0.05, 0.1, 0.2)),
}
"""Correlation lengths in levels, rows and columns, and standard deviations in km/s."""


def make_model() -> tuple[xr.DataArray, xr.DataArray]:
    """Velocities from 5 to 150 km on a grid of half a degree, and their provinces."""
    model = xvcluster.tutorial.tomography()
    vs = model["vs"].vcluster.prepare(depth=slice(5, 150), stride=2)
    return vs, model["province"].sel(latitude=vs["latitude"], longitude=vs["longitude"])


def mirror(field: xr.DataArray) -> xr.DataArray:
    """Put a field beside its mirror image in the east."""
    east = field.isel(longitude=slice(None, None, -1))
    width = float(field["longitude"].max() - field["longitude"].min())
    east = east.assign_coords(longitude=field["longitude"].values + width + 0.5)
    return xr.concat([field, east], "longitude").assign_attrs(field.attrs)


def add_errors(
    vs: xr.DataArray, lengths: tuple[int, int, int], size: float, seed: int
) -> xr.DataArray:
    """Add random errors that are alike over a number of cells."""
    errors = np.random.default_rng(seed).normal(size=vs.shape)
    if any(lengths):
        # after a Gaussian of width s, the correlation has fallen to 1/e at a distance of 2 s
        errors = gaussian_filter(errors, [length / 2 for length in lengths], mode="nearest")
    added: xr.DataArray = vs + (size * errors / errors.std()).astype(np.float32)
    return added.assign_attrs(vs.attrs)


def compare(vs: xr.DataArray, province: xr.DataArray, seed: int) -> list[float]:
    """Agreement of each method's clusters with the provinces."""
    true = province.values.ravel()
    found = [cluster(vs, seed).labels for cluster in METHODS.values()]
    return [float(adjusted_rand_score(true, labels.values.ravel())) for labels in found]


def show(name: str, rows: list[list[float]]) -> None:
    """Print a row of the table."""
    columns = zip(np.mean(rows, axis=0), np.std(rows, axis=0), strict=True)
    print(f"| {name} | {' | '.join(f'{m:.2f} ± {s:.2f}' for m, s in columns)} |", flush=True)


def main() -> None:
    """Print the table."""
    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    warnings.simplefilter("ignore")
    vs, province = make_model()
    print(f"| errors, km/s | {' | '.join(METHODS)} |\n{'| --- ' * (len(METHODS) + 1)}|")
    for kind, (lengths, sizes) in ERRORS.items():
        for size in sizes:
            noisy = [add_errors(vs, lengths, size, seed) for seed in range(n_seeds)]
            rows = [compare(data, province, seed) for seed, data in enumerate(noisy)]
            show(kind if kind == "none" else f"{size:g}, {kind}", rows)
    twice, both = mirror(vs), mirror(province)
    for size in (0.0, 0.3):
        noisy = [add_errors(twice, (0, 0, 0), size, seed) for seed in range(n_seeds)]
        rows = [compare(data, both, seed) for seed, data in enumerate(noisy)]
        show(f"{size:g}, independent; provinces in two pieces", rows)


if __name__ == "__main__":
    main()
