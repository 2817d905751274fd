"""Whether independent smooth maps come out as agreeing, and whether related ones do.

    python tests/studies/agreement_by_chance.py [PAIRS] [CASE ...]

Draws pairs of smooth random fields, clusters each into 3 to 6 groups, by quantiles of one field or
by k-means of two, and finds p-values as ``result.compare`` does, with 99 moved maps. Prints the
percentage of pairs with a p-value of at most 0.05: of independent maps, by the correlation length
of the fields as a share of the height of the region, or of the radius of the Earth; then of maps of
which one has 30 % of its variance from the field of the other. docs/provinces.md shows both.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import xvcluster
from xvcluster.compare.chance import compare_with_chance

LENGTHS = (0.05, 0.1, 0.2, 0.3, 0.5)
SHARED = 0.3


def vectors(lat, lon):
    """Unit vectors of all pairs of latitudes and longitudes."""
    phi, theta = np.meshgrid(np.radians(lat), np.radians(lon), indexing="ij")
    return np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], -1)


def waves(points, length, rng, n=120):
    """A smooth random field of unit variance, with a Gaussian correlation of this length."""
    k, phase = rng.normal(scale=1.0 / length, size=(n, 3)), rng.uniform(0, 2 * np.pi, n)
    return np.sqrt(2 / n) * np.cos(points @ k.T + phase).sum(-1)


def cluster(fields, k, area):
    """Labels 1…k by quantiles of one field, or by k-means of two, both weighted by area.

    Without weights, fields on a grid in degrees would be clustered by what is at the poles, where
    maps would then be alike.
    """
    from sklearn.cluster import KMeans

    if len(fields) == 1:
        order = np.argsort(fields[0], axis=None)
        below = np.cumsum(area.ravel()[order]) / area.sum()
        limits = fields[0].ravel()[order[np.searchsorted(below, np.arange(1, k) / k)]]
        return np.searchsorted(limits, fields[0]) + 1.0
    columns = np.stack([field.ravel() for field in fields], axis=1)
    fit = KMeans(k, n_init=1, max_iter=30, random_state=0)
    found = fit.fit_predict(columns, sample_weight=area.ravel())
    return found.reshape(fields[0].shape) + 1.0


def draw_pair(points, length, rng, shared):
    """Two maps of labels, the first of which has a share of its variance from the second."""
    kinds = rng.integers(1, 3, 2)
    other = [waves(points, length, rng) for _ in range(2)]
    own = [waves(points, length, rng) for _ in range(2)]
    own = [np.sqrt(shared) * b + np.sqrt(1 - shared) * a for a, b in zip(own, other, strict=True)]
    ks, area = rng.integers(3, 7, 2), np.hypot(points[..., 0], points[..., 1])
    return [cluster(f[:n], k, area) for f, n, k in zip((own, other), kinds, ks, strict=True)]


def region(length, rng, shared, mask=None, wide=0.0):
    """A map of 50 × 50 cells, and another of the same region or of more around it."""
    lat, lon = np.linspace(30.2, 49.8, 50), np.linspace(-124.7, -99.3, 50)
    n = round(wide * 50)
    more = [np.r_[a[0] + (a[1] - a[0]) * np.arange(-n, 50 + n)] for a in (lat, lon)]
    points = vectors(*more)
    first, second = draw_pair(points, length * 20 * np.pi / 180, rng, shared)
    inner = (slice(n, 50 + n), slice(n, 50 + n))
    first = first[inner]
    if mask is not None:
        held = mask(points[inner], rng)
        first = np.where(held, first, np.nan)
        second = second if wide else np.where(held, second, np.nan)
    return Map(first, lat, lon), Map(second, *more)


def coast(points, rng):
    """An irregular patch, without two thirds of the corners, as a network of stations covers it."""
    x, y = np.meshgrid(np.linspace(-1, 1, 50), np.linspace(-1, 1, 50))
    return np.hypot(x, y) + 0.15 * waves(points, 0.08, rng) < 0.95


def holes(points, rng):
    """All but 30 % of a region, which lies in blobs."""
    field = waves(points, 0.05, rng)
    return field < np.quantile(field, 0.7)


def globe(length, rng, shared, is_ocean=False, step=1.5):
    """Two maps of the world, or of its ocean, on cells of a step in degrees."""
    lat, lon = np.arange(step / 2 - 90, 90, step), np.arange(step / 2, 360, step)
    maps = draw_pair(vectors(lat, lon), length, rng, shared)
    if is_ocean:
        ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
        held = ocean.sel(latitude=lat, longitude=(lon + 180) % 360 - 180, method="nearest")
        maps = [
            np.where(held.transpose("latitude", "longitude").notnull(), m, np.nan) for m in maps
        ]
    return [Map(m, lat, lon) for m in maps]


class Map:
    """Labels on an even grid of latitude and longitude, looked up faster than xvcluster does."""

    def __init__(self, values, lat, lon):
        self.values, self.lat, self.lon = values, lat, lon

    def __call__(self, lat, lon):
        """Labels at places; NaN for none."""
        west = self.lon[0] - (self.lon[1] - self.lon[0]) / 2
        lon = west + (lon - west) % 360
        row, column = (
            np.floor((at - axis[0]) / (axis[1] - axis[0]) + 0.5).astype(int)
            for at, axis in ((lat, self.lat), (lon, self.lon))
        )
        inside = (row >= 0) & (row < self.lat.size) & (column >= 0) & (column < self.lon.size)
        return np.where(inside, self.values[row * inside, column * inside], np.nan)

    @property
    def points(self):
        """Unit vectors of the places with a label."""
        return vectors(self.lat, self.lon)[np.isfinite(self.values)]


CASES = {
    "globe": globe,
    "globe, ocean": lambda *a: globe(*a, is_ocean=True, step=3.0),
    "region": region,
    "region, provinces beyond it": lambda *a: region(*a, wide=0.5),
    "region with a coast": lambda *a: region(*a, mask=coast),
    "region with a coast, provinces beyond it": lambda *a: region(*a, mask=coast, wide=0.5),
    "region with gaps": lambda *a: region(*a, mask=holes),
}


def share_found(draw, length, n_pairs, shared, seed):
    """Percentage of pairs with a p-value of at most 0.05."""
    rng = np.random.default_rng([seed, round(1000 * length), round(1000 * shared)])
    found = []
    for i in range(n_pairs):
        own, other = draw(length, rng, shared)
        moved = compare_with_chance(
            own,
            other,
            own.points,
            n=99,
            null="auto",
            seed=np.random.SeedSequence(i),
            report=_ignore,
        )
        found.append(moved.p_value)
    return 100 * float(np.mean(np.array(found) <= 0.05))


def _ignore(_steps):
    """Show no progress."""


def main(n_pairs, names):
    """Print a table of each case."""
    print(f"| {n_pairs} pairs | " + " | ".join(map(str, LENGTHS)) + " | all | power |")
    print("| --- |" + " --- |" * (len(LENGTHS) + 2))
    for i, (name, draw) in enumerate(CASES.items()):
        if names and name not in names:
            continue
        by_chance = [share_found(draw, length, n_pairs, 0.0, i) for length in LENGTHS]
        power = [share_found(draw, length, max(n_pairs // 3, 1), SHARED, i) for length in LENGTHS]
        cells = [f"{value:.1f}" for value in (*by_chance, np.mean(by_chance))]
        print(
            f"| {name} | {' | '.join(cells)} | {', '.join(f'{p:.0f}' for p in power)} |", flush=True
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, sys.argv[2:])
