"""Steps that all methods take: lay out the data, and refuse what they cannot cluster."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from typing import Any

import xarray as xr

from xvcluster.algorithms.initialize import has_distinct
from xvcluster.algorithms.source import Source
from xvcluster.grid.horizontal import warn_of_places
from xvcluster.messages import warn
from xvcluster.profiles import Layout, is_chunked, lay_out, weigh
from xvcluster.record.dataset import check_names


def lay_out_model(
    data: xr.DataArray | xr.Dataset,
    dim: Hashable | None,
    weights: Any = None,
    level_weights: Any = None,
    *,
    names: Iterable[str] = (),
) -> Layout:
    """Find where the profiles of a model lie and what they count for; reads no values.

    `names` are those that the result needs in addition to its own.
    """
    layout = weigh(lay_out(data, dim), weights, level_weights)
    warn_of_places(layout.dataset, layout.axes)
    check_names(layout, *names)
    return layout


def require_distinct(source: Source, n_clusters: int, name: str = "n_clusters") -> None:
    """Refuse more clusters than there are distinct profiles, judged by a sample."""
    if not has_distinct(source.sample.counted().values, n_clusters):
        idle = "" if source.sample.weights.all() else ", and those of weight 0 do not count"
        raise ValueError(
            f"{name}={n_clusters} is more than the distinct profiles among the "
            f"{source.n_profiles} complete ones{idle}; ask for fewer clusters"
        )


def refuse_chunks(layout: Layout, what: str) -> None:
    """Refuse dask arrays if all profiles are needed in memory at once."""
    if is_chunked(layout.dataset):
        raise ValueError(
            f"{what} needs all profiles in memory, but the data are dask arrays; load them first "
            "with data.load(), or fewer of them with data.vcluster.prepare(stride=4).load()"
        )


def refuse_checkpoint(checkpoint: str | os.PathLike[str] | None, what: str) -> None:
    """Refuse a checkpoint if the fit cannot be resumed from one."""
    if checkpoint is not None:
        raise ValueError(f"{what} writes no checkpoint; leave checkpoint={str(checkpoint)!r} out")


def warn_unsettled(ks: Iterable[int], what: str, limit: str) -> None:
    """Warn of the k at which a fit reached its limit before it had converged.

    `what` was still going on, such as "the centroids were still moving"; `limit` is that of the
    iterations, such as "max_iter=300 passes".
    """
    unsettled = ", ".join(map(str, ks))
    if unsettled:
        warn(f"{what} after {limit} for k = {unsettled}; raise max_iter or tol")
