"""How certain the cluster of each point is: whether other samples of the data agree on it."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import assign
from xvcluster.algorithms.bootstrap import partners, refits, share_agreeing
from xvcluster.grid.tiles import find_tiles
from xvcluster.grid.variogram import find_range
from xvcluster.options import check_bootstrap, check_flag, check_seed
from xvcluster.profiles import Layout, open_profiles
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


def add_stability(
    result: xr.Dataset,
    layout: Layout,
    n: int,
    *,
    block_size: float | None,
    random_state: int | None,
    progress: bool | None,
) -> xr.Dataset:
    """Add the stability of each point and cluster to a result's Dataset; see `ClusterResult`."""
    asked = check_bootstrap("n", n, block_size)
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    options, turned = parameters_of(result), turn_levels(result, layout.descending)
    own = read_assigner(turned)[1]
    profiles = open_profiles(
        layout,
        normalize=options.get("normalize"),
        by_level=own.metric.is_linear,
        seed=np.random.SeedSequence(options["random_state"]),
    )
    sample, n_clusters = profiles.source.sample, result.sizes["cluster"]
    places = layout.locate(profiles.points)
    reach = find_range(sample, *places)
    tiles, size = find_tiles(*places, asked["block_size"], reach)
    k = int(held(read_nodes(result)[1]).sum())
    refit = partial(method_of(result).refit, turned, k)
    with show_steps(progress, n) as report:
        assigners = refits(sample, tiles, refit, n=n, seed=seed, report=report)
    labels = assign(sample.values, own).labels
    agreed, others = np.zeros(len(sample)), []
    for assigner in assigners:
        found = assign(sample.values, assigner).labels
        partner = partners(found, labels, sample.weights, n_clusters)
        others.append((assigner, partner))
        agreed += partner[found] == labels
    mass = np.bincount(labels, sample.weights, minlength=n_clusters)
    total = np.bincount(labels, sample.weights * agreed / n, minlength=n_clusters)
    stability = profiles.maps(partial(share_agreeing, own=own, others=others), 1)[0]
    blocks = "of single profiles" if size is None else f"of blocks of about {size:g} km"
    stability.attrs = {
        "long_name": "share of bootstrap samples that give the same cluster",
        "units": "1",
        "comment": f"{n} samples {blocks}",
    }
    stability.attrs |= {} if reach is None else {"range_km": reach}
    of_clusters = np.divide(total, mass, out=np.full(n_clusters, np.nan), where=mass > 0)
    attrs = OF_CLUSTERS["cluster_stability"]
    return result.assign(stability=stability, cluster_stability=("cluster", of_clusters, attrs))
