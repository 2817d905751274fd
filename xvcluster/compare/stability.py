"""How certain the cluster of each point is: whether other data would put it into the same one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, label_by
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.bootstrap import Fit, partners, refits, share_agreeing
from xvcluster.arrays import Float64s, Labels
from xvcluster.grid.tiles import find_tiles
from xvcluster.grid.variogram import find_range
from xvcluster.options import check_bootstrap, check_flag, check_seed
from xvcluster.profiles import (
    Errors,
    Layout,
    Noise,
    Scaled,
    is_chunked,
    open_profiles,
    read_errors,
)
from xvcluster.profiles.memory import ArrayProfiles
from xvcluster.progress import show_steps
from xvcluster.record.dataset import (
    OF_CLUSTERS,
    held,
    parameters_of,
    read_assigner,
    read_nodes,
    turn_levels,
)
from xvcluster.record.method import method_of

Refit = Callable[[Block, np.random.SeedSequence], Assigner]
Report = Callable[[int], None]
Found = tuple[xr.DataArray, Float64s]
"""A map, and its mean in each cluster."""


def add_stability(
    result: xr.Dataset,
    layout: Layout,
    n: int,
    *,
    noise: Noise | None,
    block_size: float | None,
    random_state: int | None,
    progress: bool | None,
) -> xr.Dataset:
    """Add the stability of each point and cluster to a result's Dataset; see `ClusterResult`."""
    asked = check_bootstrap("n", n, block_size)
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    errors = None if noise is None else _read_errors(layout, noise)
    options, turned = parameters_of(result), turn_levels(result, layout.descending)
    own = read_assigner(turned)[1]
    profiles = open_profiles(
        layout,
        normalize=options.get("normalize"),
        by_level=own.metric.is_linear,
        seed=np.random.SeedSequence(options["random_state"]),
    )
    places = layout.locate(profiles.points)
    reach = find_range(profiles.source.sample, *places)
    tiles, size = find_tiles(*places, asked["block_size"], reach)
    k = int(held(read_nodes(result)[1]).sum())
    method = method_of(result)
    fit: Fit[Assigner] = partial(method.refits, turned, k)
    n_steps = n if errors is None else n + errors.count(n)
    with show_steps(progress, n_steps) as report:
        sample = profiles.source.sample
        assigners = refits(sample, tiles, fit, metric=own.metric, n=n, seed=seed, report=report)
        found = {"stability": _of_samples(profiles, own, assigners, result.sizes["cluster"])}
        if errors is not None:
            refit: Refit = partial(method.refit, turned, k)
            found["stability_noise"] = _of_errors(
                profiles, own, errors, refit, n, seed, report, result.sizes["cluster"]
            )
    blocks = "of single profiles" if size is None else f"of blocks of about {size:g} km"
    described = _describe(result, found, f"{n} samples {blocks}", errors, n)
    described["stability"].attrs |= {} if reach is None else {"range_km": reach}
    return described


def _read_errors(layout: Layout, noise: Noise) -> Errors:
    """Read the errors of the data, which must be in memory."""
    if is_chunked(layout.dataset):
        raise ValueError(
            "noise perturbs all profiles at once and needs them in memory, but the data are dask "
            "arrays; cluster data.load(), or a coarser model from prepare(stride=...)"
        )
    return read_errors(layout, noise)


def _of_samples(profiles: Scaled, own: Assigner, assigners: list[Assigner], k: int) -> Found:
    """The share of clusterings of bootstrap samples that agree."""
    sample, n = profiles.source.sample, len(assigners)
    labels, *found = label_by([own, *assigners], sample.values)
    paired = [partners(other, labels, sample.weights, k) for other in found]
    agreed = np.zeros(len(sample))
    for other, partner in zip(found, paired, strict=True):
        agreed += partner[other] == labels
    if isinstance(profiles, ArrayProfiles) and len(sample) == profiles.source.n_profiles:
        stability = profiles.layout.scatter(agreed / n)  # the sample is all of them, in order
    else:
        others = list(zip(assigners, paired, strict=True))
        stability = profiles.maps(partial(share_agreeing, own=own, others=others), 1)[0]
    return profiles.layout.grid.place(stability), _mean_by_cluster(
        agreed, n, labels, sample.weights, k
    )


def _of_errors(
    profiles: Scaled,
    own: Assigner,
    errors: Errors,
    refit: Refit,
    n: int,
    seed: np.random.SeedSequence,
    report: Report,
    k: int,
) -> Found:
    """The share of clusterings of perturbed data that agree; these are labelled, not the data."""
    points, values = errors.profiles.points, errors.profiles.values
    [labels] = label_by([own], profiles.scaling.apply(values))
    weights = profiles.source.sample.weights
    sampled = np.searchsorted(points, profiles.points)
    drawing, fitting = seed.spawn(2)
    n = errors.count(n)
    agreed = np.zeros(len(labels))
    for values, child in zip(errors.versions(n, drawing, labels), fitting.spawn(n), strict=True):
        perturbed = profiles.scaling.apply(values, out=values)
        assigner = refit(Block(perturbed[sampled], weights).counted(), child)
        [found] = label_by([assigner], perturbed)
        partner = partners(found[sampled], labels[sampled], weights, k)
        agreed += partner[found] == labels
        report(1)
    of_clusters = _mean_by_cluster(agreed[sampled], n, labels[sampled], weights, k)
    return errors.profiles.to_map(agreed / n), of_clusters


def _mean_by_cluster(
    agreed: Float64s, n: int, labels: Labels, weights: Float64s, k: int
) -> Float64s:
    """Weighted mean share over the members of each cluster; NaN if it has none."""
    mass = np.bincount(labels, weights, minlength=k)
    total = np.bincount(labels, weights * agreed / n, minlength=k)
    mean: Float64s = np.divide(total, mass, out=np.full(k, np.nan), where=mass > 0)
    return mean


def _describe(
    result: xr.Dataset, found: dict[str, Found], samples: str, errors: Errors | None, n: int
) -> xr.Dataset:
    """Add what was found to a result's Dataset."""
    said = {"stability": ("bootstrap samples", samples)}
    if errors is not None:
        kind = "versions of the data" if errors.members else "perturbed data sets"
        comment = errors.said if errors.members else f"{n} data sets with {errors.said}"
        said["stability_noise"] = (kind, comment)
    added = {}
    for name, (share, of_clusters) in found.items():
        kind, comment = said[name]
        added[name] = share.assign_attrs(
            long_name=f"share of {kind} that give the same cluster", units="1", comment=comment
        )
        attrs = OF_CLUSTERS[f"cluster_{name}"]
        added[f"cluster_{name}"] = xr.DataArray(of_clusters, dims="cluster", attrs=attrs)
    return result.assign(added)
