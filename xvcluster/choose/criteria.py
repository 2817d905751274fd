"""Criteria for the number of clusters, at every k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, label_by
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.bootstrap import fit_together, mean_agreement, refits
from xvcluster.algorithms.criteria import (
    between,
    calinski_harabasz,
    davies_bouldin,
    draw_evenly,
    eigengaps,
    gap_statistic,
    pairwise_distances,
    silhouettes,
    simplified_silhouette,
    valley,
)
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.surrogates import (
    TOLERANCE,
    exceedance,
    jumps,
    nearest_neighbours,
    smooth_fields,
)
from xvcluster.arrays import Float64s, Indices
from xvcluster.choose.verdict import SEPARATED, STABLE, conclude
from xvcluster.grid.tiles import find_tiles
from xvcluster.grid.variogram import LEAST_PLACES, find_range, points_km, thin_places
from xvcluster.messages import warn
from xvcluster.profiles import Layout, join_maps
from xvcluster.progress import show_steps
from xvcluster.record.dataset import describe_order
from xvcluster.record.fits import Fits

N_REFERENCES, GAP_PROFILES, STABILITY_PROFILES = 10, 2048, 4096
N_SURROGATES, STRUCTURE_PROFILES = 39, 1024
_ATTRS = {
    "k": {"long_name": "number of clusters"},
    "inertia": {"long_name": "sum of squared distances"},
    "silhouette": {"long_name": "simplified silhouette", "units": "1"},
    "davies_bouldin": {"long_name": "Davies–Bouldin index", "units": "1"},
    "calinski_harabasz": {"long_name": "Caliński–Harabasz index", "units": "1"},
    "eigengap": {"long_name": "eigengap of the affinity", "units": "1"},
    "valley": {"long_name": "density between centroids over peaks", "units": "1"},
    "silhouette_sample": {"units": "1"},
    "gap": {"long_name": "gap statistic", "units": "1"},
    "gap_error": {"long_name": "standard error of the gap statistic", "units": "1"},
    "stability": {"long_name": "mean adjusted Rand index of bootstrap samples", "units": "1"},
    "stability_error": {"long_name": "standard error of the stability", "units": "1"},
    "structure": {"long_name": "sharpness of boundaries", "units": "1"},
    "structure_p": {"long_name": "p-value of the structure", "units": "1"},
}


def describe_criteria(
    fits: Fits,
    *,
    criteria: Sequence[str] = (),
    n_bootstrap: int = 20,
    block_size: float | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Find the criteria at every k, and the labels.

    Parameters
    ----------
    fits : Fits
    criteria : sequence of {"gap", "stability", "structure"}
        To find in addition to those that cost little.
    n_bootstrap, block_size, progress
        See `xvcluster.sweep`.

    Returns
    -------
    Dataset
        The criteria by ``k``, the ``best`` k by ``criterion``, 0 if it has none, and ``label`` by
        ``k`` and the horizontal dimensions.
    """
    sums = fits.profiles.criteria([fit.members for fit in fits.fits.values()])
    from_sample, n_pairs = _from_sample(fits, sums)
    found = _from_members(fits, sums) | from_sample
    seed = np.random.SeedSequence(fits.parameters["random_state"], spawn_key=(0, 0))
    for_gap, for_stability, for_structure = seed.spawn(3)
    if "gap" in criteria:
        found |= _gap(fits, for_gap, progress)
    how: dict[str, dict[str, Any]] = {
        "silhouette_sample": {"long_name": f"silhouette of {n_pairs} profiles"},
        "valley": {"threshold": SEPARATED},
    }
    if "stability" in criteria:
        stability, blocks = _stability(fits, for_stability, n_bootstrap, block_size, progress)
        found |= stability
        how["stability"] = {"threshold": STABLE, "n_bootstrap": n_bootstrap} | blocks
    if "structure" in criteria:
        structure, p = _structure(fits, for_structure, progress)
        found |= structure
        how["structure"] = {"p_value": p, "n_surrogates": N_SURROGATES, "threshold": TOLERANCE}
    variables = {name: ("k", values, _ATTRS[name]) for name, values in found.items()}
    dataset = xr.Dataset(variables, {"k": ("k", list(fits.fits), _ATTRS["k"])})
    for name, attrs in how.items():
        dataset[name].attrs |= attrs
    dataset = conclude(dataset, _inertia_of_one(fits, sums))
    with np.errstate(over="ignore", under="ignore"):  # of which the fit has warned
        dataset["inertia"].values *= np.square(fits.profiles.scaling.unit)
    label = join_maps([fit.members.label() for fit in fits.fits.values()], "k")
    label.attrs = {"long_name": "cluster", "ordered_by": describe_order(fits.layout)}
    return dataset.assign_coords(fits.layout.grid.coords).assign(label=label)


def _from_members(fits: Fits, sums: list[Float64s]) -> dict[str, Float64s]:
    """The criteria that follow from sums over all members; see `measure`."""
    found_at, metric = fits.fits.values(), fits.metric
    pairs = list(zip(sums, [fit.centroids for fit in found_at], strict=True))
    found = {
        "inertia": [own[1].sum() for own in sums],
        "silhouette": [simplified_silhouette(own) for own in sums],
        "davies_bouldin": [davies_bouldin(own, c, metric) for own, c in pairs],
    }
    if metric.is_linear:
        _warn_light(sums)
        found["calinski_harabasz"] = [calinski_harabasz(own, c) for own, c in pairs]
    return {name: np.array(values, dtype=np.float64) for name, values in found.items()}


def _inertia_of_one(fits: Fits, sums: list[Float64s]) -> float | None:
    """The inertia of a single cluster, if it follows from centroids and their members."""
    if not fits.metric.is_linear:
        return None
    first = next(iter(fits.fits.values()))
    return float(sums[0][1].sum()) + between(sums[0], first.centroids)


def _warn_light(sums: list[Float64s]) -> None:
    """Warn if weights leave no degrees of freedom."""
    light = [own.shape[1] for own in sums if own[0].sum() <= own.shape[1]]
    if light:
        warn(
            f"the weights sum to {sums[0][0].sum():.3g}, so that Caliński–Harabasz is not defined "
            f"at k = {', '.join(map(str, light))}: weights count profiles. Scale them, e.g. "
            "weights / weights.mean()",
        )


def _from_sample(fits: Fits, sums: list[Float64s]) -> tuple[dict[str, Float64s], int]:
    """The criteria that compare profiles of a sample with each other, or with centroids.

    Also how many profiles are compared with each other.
    """
    sample, metric, ks = fits.profiles.source.sample, fits.metric, list(fits.fits)
    few = sample.values[draw_evenly(sample, metric.pairs)]
    distances = pairwise_distances(few, metric)
    thin = -(-len(few) // (metric.pairs // 2))
    assigners = [Assigner(fit.centroids, metric) for fit in fits.fits.values()]
    labels = [assigner(few).labels for assigner in assigners]
    more = sample.values[draw_evenly(sample, 2 * metric.pairs)]
    valleys = [
        valley(metric.distances(more, c), metric.distances(c, c), own[0])
        for c, own in zip((fit.centroids for fit in fits.fits.values()), sums, strict=True)
    ]
    found = {
        "eigengap": eigengaps(distances[::thin, ::thin], ks),
        "valley": np.array(valleys),
        "silhouette_sample": np.array(silhouettes(distances, labels)),
    }
    return found, len(few)


def _gap(fits: Fits, seed: np.random.SeedSequence, progress: bool | None) -> dict[str, Float64s]:
    """The gap statistic of a sample of the profiles, with its error, at every k."""
    sample = fits.profiles.source.sample
    profiles = sample.values[draw_evenly(sample, GAP_PROFILES)]
    with show_steps(progress, 1 + N_REFERENCES) as report:
        gap, error = gap_statistic(
            profiles,
            list(fits.fits),
            fits.metric,
            n_references=N_REFERENCES,
            seed=seed,
            report=report,
            **fits.once,
        )
    return {"gap": gap, "gap_error": error}


def _stability(
    fits: Fits,
    seed: np.random.SeedSequence,
    n: int,
    block_size: float | None,
    progress: bool | None,
) -> tuple[dict[str, Float64s], dict[str, float]]:
    """The mean agreement of bootstrap samples at every k, with its error, and what was drawn."""
    ks, sample = list(fits.fits), fits.profiles.source.sample
    drawn = draw_evenly(sample, STABILITY_PROFILES)
    profiles = Block.of(sample.values[drawn])
    places = fits.layout.locate(fits.profiles.points[drawn])
    reach = find_range(profiles, *places)
    tiles, size = find_tiles(*places, block_size, reach)
    with show_steps(progress, n) as report:
        assigners = refits(
            profiles, tiles, fits.refits, metric=fits.metric, n=n, seed=seed, report=report
        )
    with threads() as map_ks:
        labels = (label_by([found[k] for found in assigners], profiles.values) for k in ks)
        agreement = list(map_ks(mean_agreement, labels))
    stability, error = np.array(agreement).T
    alone = np.array(ks) == 1  # one cluster alone is always the same
    stability[alone] = error[alone] = np.nan
    drawn_as = {"block_size_km": size, "range_km": reach}
    known = {name: length for name, length in drawn_as.items() if length is not None}
    return {"stability": stability, "stability_error": error}, known


def require_places(layout: Layout, points: Indices) -> None:
    """Refuse a model of whose profiles too few have a place, for criteria that need neighbours."""
    n = thin_places(*layout.locate(points), LEAST_PLACES).size
    if n < LEAST_PLACES:
        raise ValueError(
            "the structure compares profiles with their neighbours, for which at least "
            f"{LEAST_PLACES} places must be known; the model has {n} with a latitude and a "
            "longitude. Assign both as coordinates, in degrees, or leave out 'structure'"
        )


def _structure(
    fits: Fits, seed: np.random.SeedSequence, progress: bool | None
) -> tuple[dict[str, Float64s], float]:
    """How sharp boundaries are beside those of smooth fields, at every k, and the p-value."""
    sample, places = fits.profiles.source.sample, fits.layout.locate(fits.profiles.points)
    rows = thin_places(*places, STRUCTURE_PROFILES)
    own, points = sample[rows], points_km(*(degrees[rows] for degrees in places))
    neighbours, drawing, *fitting = nearest_neighbours(points), *seed.spawn(2 + N_SURROGATES)
    fields = list(smooth_fields(own, points, N_SURROGATES, drawing))
    samples = (Sample(Block(field, own.weights).counted()) for field in fields)
    ks = [k for k in fits.fits if k > 1]  # one cluster has no boundary
    with show_steps(progress, 1 + N_SURROGATES) as report:
        refitted = fit_together(samples, fitting, fits.refits, report)
        found = [
            jumps(field, neighbours, label_by([assigners[k] for k in ks], field))
            for field, assigners in zip(fields, refitted, strict=True)
        ]
    observed, expected = found[0], np.array(found[1:])
    p, of_each = exceedance(observed - np.log(TOLERANCE), expected)
    sharper = np.exp(observed - expected.mean(axis=0))
    alone = [np.nan] * (len(fits.fits) - len(ks))
    columns = {"structure": sharper, "structure_p": of_each}
    return {name: np.array([*alone, *values]) for name, values in columns.items()}, p
