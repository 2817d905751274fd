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
from xvcluster.profiles import (
    Layout,
    Scaled,
    describe_incomplete,
    is_chunked,
    lay_out,
    open_profiles,
    weigh,
)
from xvcluster.record.dataset import check_names
from xvcluster.record.method import Method

_MANY = 0.25
"""Share of the profiles with data beyond which it is no accident that they are incomplete."""


def lay_out_model(
    data: xr.DataArray | xr.Dataset,
    dim: Hashable | None,
    weights: Any = None,
    level_weights: Any = None,
    variable_weights: Any = None,
    *,
    method: type[Method],
    sweeps: bool = False,
    why_not: str = "",
) -> Layout:
    """Find where the profiles of a model lie and what they count for; reads no values.

    `method` is what clusters them, and `sweeps` whether at several k. `why_not` says why it does
    not weigh profiles by default, if it cannot.
    """
    layout = lay_out(data, dim)
    layout = weigh(layout, weights, level_weights, variable_weights, why_not=why_not)
    warn_of_places(layout.dataset, layout.axes, layout.horizontal)
    check_names(layout, method, *(["k"] if sweeps else []))
    return layout


def open_model(layout: Layout, **scaling: Any) -> Scaled:
    """Read and scale the profiles of a model, as `open_profiles`; warn if many are incomplete."""
    profiles = open_profiles(layout, **scaling)
    counts = profiles.completeness
    if counts[1:].sum() > _MANY * counts.sum():
        warn(
            f"{describe_incomplete(counts)}. Choose levels that more of them cover, with "
            ".vcluster.prepare(depth=...), fill small gaps with prepare(max_gap=...), or leave out "
            "a variable",
        )
    return profiles


def require_distinct(source: Source, n_clusters: int, *, of_range: bool = False) -> None:
    """Refuse more clusters than there are distinct profiles, judged by a sample.

    `of_range` says that the number is the last of `k_range`.
    """
    if not has_distinct(source.sample.counted().values, n_clusters):
        asked = f"k_range, up to {n_clusters}," if of_range else f"n_clusters={n_clusters}"
        idle = "" if source.sample.weights.all() else ", and those of weight 0 do not count"
        raise ValueError(
            f"{asked} is more than the distinct profiles among the "
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


def warn_at_end(what: str, ks: list[int], k: int, least: int = 1) -> None:
    """Warn if the best k, by `what`, is the last that was tried, or the first and above `least`."""
    if len(ks) > 1 and (k == ks[-1] or k == ks[0] > least):
        end, more = ("last", "larger") if k == ks[-1] else ("first", "smaller")
        warn(
            f"{what} is best at k = {k}, the {end} of k_range ({ks[0]} to {ks[-1]}), and may be "
            f"better beyond; try {more} numbers, or choose n_clusters yourself",
        )


def warn_unsettled(ks: Iterable[int], what: str, limit: str) -> None:
    """Warn of the k at which a fit reached its limit before it had converged.

    `what` was still going on, such as "the centroids were still moving"; `limit` is that of the
    iterations, such as "max_iter=300 passes".
    """
    unsettled = ", ".join(map(str, ks))
    if unsettled:
        warn(f"{what} after {limit} for k = {unsettled}; raise max_iter or tol")
