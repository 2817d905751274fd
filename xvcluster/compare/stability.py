"""How sure the cluster of each point is: whether other samples of the data give it the same."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.bootstrap import partners, refits, share_agreeing
from xvcluster.choose.choice import warn_no_tiles
from xvcluster.methods.fitting import Origin
from xvcluster.options import check_bootstrap, check_seed
from xvcluster.profiles import Scaled, find_tiles
from xvcluster.profiles.scaling import rescale
from xvcluster.progress import show_steps
from xvcluster.record.replay import replay


def add_stability(
    result: xr.Dataset,
    origin: Origin,
    n: int,
    *,
    block_size: float | None,
    random_state: int | None,
    progress: bool | None,
) -> xr.Dataset:
    """Add the stability of each point and cluster to a result's Dataset; see `ClusterResult`."""
    asked = check_bootstrap("n", n, block_size)
    seed = check_seed(random_state)
    profiles = origin.open()
    own = _own_assigner(result, origin, profiles)
    sample, n_clusters = profiles.source.sample, result.sizes["cluster"]
    tiles, size = find_tiles(origin.layout, profiles.points, asked["block_size"])
    if size is None:
        warn_no_tiles()
    with show_steps(progress, n) as report:
        assigners = refits(sample, tiles, origin.refit, n=n, seed=seed, report=report)
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
    of_clusters = np.divide(total, mass, out=np.full(n_clusters, np.nan), where=mass > 0)
    attrs = {"long_name": "mean stability of the profiles", "units": "1"}
    return result.assign(stability=stability, cluster_stability=("cluster", of_clusters, attrs))


def _own_assigner(result: xr.Dataset, origin: Origin, profiles: Scaled) -> Assigner:
    """What assigns scaled profiles to the clusters of a result, by its own numbers."""
    scaling, own = replay(result, backwards=origin.layout.descending)
    # the offset may be another one, which changes no distance
    return replace(own, nodes=rescale(own.nodes, scaling, profiles.scaling))
