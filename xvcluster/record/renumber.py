"""Clusters of a result under other numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from xvcluster.arrays import Integers
from xvcluster.grid.labels import choose_clusters, given_colors, given_names
from xvcluster.messages import plain, shown
from xvcluster.options import check_flag
from xvcluster.record.check import check_result
from xvcluster.record.dataset import add_history, describe_mean, parameters_of
from xvcluster.record.method import method_of
from xvcluster.record.naming import describe_clusters
from xvcluster.record.table import table

_EMPTY = {"count": 0, "area": 0.0, "cluster_inertia": 0.0}
"""Values for a cluster without members; all other variables are NaN."""


def renumber(result: xr.Dataset, number: Integers, k: int) -> xr.Dataset:
    """Give each cluster another number; names and colours of their own stay with the clusters.

    Parameters
    ----------
    result : Dataset
    number : ndarray of int, shape (n_clusters,)
        The number of each among 1…k; 0 for clusters that are dropped, which have no members.
    k : int
        Numbers that no cluster has become empty clusters.
    """
    source = np.full(k, -1)
    source[number[number > 0] - 1] = np.flatnonzero(number > 0)
    renumbered = result.isel(cluster=source.clip(0))
    is_held = xr.DataArray(source >= 0, dims="cluster")
    for name, array in result.data_vars.items():
        if "cluster" not in array.dims or is_held.all():
            continue
        if name in method_of(result).probabilities:
            taken = renumbered[name].where(is_held, 0.0).where(result["label"].notnull())
        else:
            taken = renumbered[name].where(is_held, _EMPTY.get(str(name), np.nan))
        renumbered[name] = taken.transpose(*array.dims)
    for name in {"label", *method_of(result).numbering} & set(result.variables):
        renumbered[name] = _look_up(result[name], number)
    label = renumbered["label"]
    names, colors = (
        {int(number[own - 1]): text for own, text in said.items() if number[own - 1]}
        for said in (given_names(result["label"]), given_colors(result["label"]))
    )
    describe_clusters(label, k, names, colors)
    numbers = xr.Variable("cluster", np.arange(1, k + 1), result["cluster"].attrs)
    renumbered = renumbered.assign_coords(cluster=numbers)
    about = parameters_of(result) | {"n_clusters": k}
    return renumbered.assign_attrs(parameters=json.dumps(about))


def reorder(
    result: xr.Dataset,
    by: str | Sequence[int | str],
    ascending: bool,
    colors: Mapping[int, str],
) -> xr.Dataset:
    """Number the clusters in another order, with the colours that they have by their numbers now.

    See `ClusterResult.reorder`.
    """
    check_result(result, maps=False)
    check_flag("ascending", ascending)
    if "som_shape" in result["label"].attrs:
        raise ValueError(
            "the clusters are the nodes of a self-organizing map, which have fixed positions on it "
            "and cannot be numbered anew; merge them with som(n_clusters=...)"
        )
    k = result.sizes["cluster"]
    numbers, ordered_by = _find_order(result, by, ascending)
    if sorted(numbers) != list(range(1, k + 1)):
        raise ValueError(
            f"the order must name each of the {k} clusters once, such as "
            f"{list(range(k, 0, -1))}; got {numbers}"
        )
    reordered = renumber(result, np.argsort(numbers) + 1, k)
    label = reordered["label"]
    kept = {new: colors[old] for new, old in enumerate(numbers, 1)}
    describe_clusters(label, k, given_names(label), kept)
    label.attrs["ordered_by"] = ordered_by
    history = add_history(result, f"reordered clusters, {ordered_by or 'as given'}")
    return reordered.assign_attrs(history=history)


def _find_order(
    result: xr.Dataset, by: str | Sequence[int | str], ascending: bool
) -> tuple[list[int], str]:
    """Present numbers in their new order, and what they are ordered by."""
    numbers = result["cluster"].values.tolist()
    if not isinstance(by, str):
        if not ascending:
            raise ValueError("ascending=False has no effect on a list; give it in its order")
        return choose_clusters(result["label"], by, numbers), ""
    summary, variables = table(result), parameters_of(result)["variables"]
    if by in variables:
        name, values = describe_mean(result, by)
    elif by in summary.columns and by != "name":
        name, values = by, summary[by].to_numpy(dtype=np.float64)
    else:
        known = ", ".join(repr(plain(c)) for c in (*summary.columns, *variables) if c != "name")
        raise ValueError(
            f"by={shown(by)} is neither a column of the table nor a variable; give one of {known}, "
            f"or a list of all clusters, such as {numbers[::-1]}"
        )
    order = np.argsort(values if ascending else -values, kind="stable")  # NaN is last
    return [numbers[i] for i in order], f"{name}, {'lowest' if ascending else 'highest'} first"


def _look_up(labels: xr.DataArray, number: Integers) -> xr.DataArray:
    """Replace labels by their new numbers; lazy labels stay lazy."""
    table = np.append(np.nan, number) if labels.dtype.kind == "f" else np.append(0, number)
    found: xr.DataArray = xr.apply_ufunc(
        lambda values: table.astype(values.dtype)[np.nan_to_num(values).astype(np.int64)],
        labels,
        dask="parallelized",
        output_dtypes=[labels.dtype],
        keep_attrs=True,
    )
    return found
