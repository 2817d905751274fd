"""Quantiles, within the clusters of a result, of variables that were not clustered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Float64s
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import take_model
from xvcluster.messages import plain, shown
from xvcluster.options import check_number
from xvcluster.profiles import QUANTILES, as_dataset, lay_out
from xvcluster.record.check import check_result


def quantiles(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, q: float | Iterable[float] = QUANTILES
) -> xr.Dataset:
    """Find quantiles of any variables on the grid of the result, cluster by cluster.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult.
    data : DataArray or Dataset
        On the points of the result, in any order; whether they were clustered does not matter, nor
        do their levels or other dimensions.
    q : float or iterable of float, default (0.05, 0.25, 0.5, 0.75, 0.95)
        From 0 to 1.

    Returns
    -------
    Dataset
        Each variable by (quantile, cluster, and its dimensions that labels do not have), in its
        units. Each member of a cluster that has a value counts once, whatever the weights of the
        result. NaN where none has a value.

    Raises
    ------
    TypeError
        If a variable is not numeric.
    ValueError
        If a variable lies on other points than the result, or a quantile is not from 0 to 1.
    """
    check_result(result, maps=False)
    shares = _check_shares(q)
    dataset, label = as_dataset(take_model(data)), result["label"].drop_attrs()
    _require_same_points(dataset, label)
    first = next(iter(dataset.data_vars.values()))
    own = {d: first[d] for d in label.dims if d in label.coords and d in dataset.coords}
    label = label.sel(own) if own else label
    grid = lay_out(label).grid
    cluster, labels = result["cluster"], grid.flatten(label)
    found = {}
    for name, array in dataset.data_vars.items():
        valid = mask_invalid(array, by_chunk=True)
        values = grid.flatten(valid.compute())  # each meridian once
        others = [d for d in array.dims if d not in label.dims]
        within = [_quantiles(values[..., labels == c], shares) for c in cluster.values]
        coords = {d: c for d, c in array.coords.items() if set(c.dims) <= set(others)}
        found[name] = xr.DataArray(
            np.stack(within, axis=1), coords, ("quantile", "cluster", *others), attrs=array.attrs
        )
    attrs = {"long_name": "share of the members below"}
    return xr.Dataset(found).assign_coords(cluster=cluster, quantile=("quantile", shares, attrs))


def _check_shares(q: float | Iterable[float]) -> Float64s:
    """The quantiles as an array; refuse any that is not from 0 to 1."""
    given = np.atleast_1d(np.asarray(q, dtype=object)).ravel().tolist()
    if not given:
        raise ValueError(f"q must be numbers from 0 to 1; got {shown(q)}")
    checked = [check_number("q", each, above=0.0, most=1.0, or_equal=True) for each in given]
    return np.array(checked)


def _require_same_points(dataset: xr.Dataset, label: xr.DataArray) -> None:
    """Refuse data that do not lie on the points of the labels, in whatever order."""
    for dim in label.dims:
        size, wanted = dataset.sizes.get(dim), label.sizes[dim]
        same = size == wanted
        if same and dim in dataset.coords and dim in label.coords:
            same = bool(set(dataset.indexes[dim]) == set(label.indexes[dim]))
        if not same:
            has = "no such dimension" if size is None else f"{size} other ones"
            raise ValueError(
                f"the result has {wanted} points along {plain(dim)!r}, but the data have {has}; "
                "give data on the grid of the result, or cluster or label them first, with predict"
            )


def _quantiles(members: Array, shares: Float64s) -> Float64s:
    """Quantiles (n_shares, ...) over the last axis, of what is not missing."""
    found = np.full((len(shares), *members.shape[:-1]), np.nan)
    for at in np.ndindex(members.shape[:-1]):
        known = members[at][~np.isnan(members[at])]
        if known.size:
            found[(slice(None), *at)] = np.quantile(known.astype(np.float64), shares)
    return found
