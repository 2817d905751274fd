"""Clusters renumbered to agree best with other labels, and the measures of their agreement."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xvcluster.arrays import Booleans, Float64s, Floats, Integers
from xvcluster.compare.labels import LabelMap, read_labels
from xvcluster.grid.areas import count_areas
from xvcluster.grid.coords import at_rest, find_horizontal
from xvcluster.grid.labels import Clustering, given_colors, given_names
from xvcluster.grid.nearest import nearest_labels
from xvcluster.record.check import check_result
from xvcluster.record.dataset import parameters_of
from xvcluster.record.method import method_of
from xvcluster.record.naming import describe_clusters
from xvcluster.record.renumber import renumber


def match(result: xr.Dataset, reference: Clustering) -> xr.Dataset:
    """Renumber the clusters of a result for the best agreement; see `ClusterResult.match`."""
    check_result(result)
    own = read_labels(result, "this clustering")
    other = read_labels(reference, "another clustering")
    brought = bring(other, own)
    weights = point_weights(own.labels)
    is_common = np.isfinite(own.labels.values) & np.isfinite(brought) & (weights.values > 0)
    # clusters that an earlier match left empty are dropped
    is_held = _held_clusters(result)
    shape = (is_held.size, other.n_clusters)
    table = tabulate(own.labels.values, brought, weights.values, shape)
    if not table.any():
        raise ValueError(
            f"no point has a label in both: the result has labels within {extent(own.labels)}, "
            f"{other.name} within {extent(other.labels)}; give a reference of the same region"
        )
    number = find_numbers(table, is_held)
    result = result.drop_vars(["contingency", "reference"], errors="ignore")
    matched = renumber(result, number, max(other.n_clusters, int(number.max())))
    ordered_by = "; ".join(filter(None, [f"matched to {other.name}", other.ordered_by]))
    label, its_names = matched["label"], given_names(other.labels)
    names = {n: own for n, own in given_names(label).items() if own not in its_names.values()}
    colors = given_colors(label) | given_colors(other.labels)
    describe_clusters(label, matched.sizes["cluster"], names | its_names, colors)
    label.attrs["ordered_by"] = ordered_by
    in_order = np.zeros((matched.sizes["cluster"], other.n_clusters))
    in_order[number[number > 0] - 1] = table[number > 0]
    attrs = {
        "long_name": "overlap of the clusters with those of the reference",
        "units": weights.attrs["units"],
        **find_indices(table, int(np.count_nonzero(is_common))),
    }
    matched["contingency"] = (("cluster", "reference"), in_order, attrs)
    about = {"long_name": f"cluster number of {other.name}"}
    numbers = np.arange(1, other.n_clusters + 1)
    return matched.assign_coords(reference=("reference", numbers, about))


def bring(reference: LabelMap, own: LabelMap) -> Floats:
    """Bring the labels of the reference to the points of a result, in the order of its dims."""
    labels, other = own.labels, reference.labels
    if _is_same_grid(labels, other):
        return np.asarray(other.transpose(*labels.dims).values)
    latitude, longitude = find_horizontal(labels)
    if latitude is None or longitude is None:
        raise ValueError(
            "the reference is on another grid, and the labels of the result have no latitude and "
            "longitude to which it can be brought; assign both, or give labels on the same "
            f"dimensions, {dict(labels.sizes)}"
        )
    found = nearest_labels(other, at_rest(labels, latitude), at_rest(labels, longitude))
    on_all: xr.Variable = found.variable.set_dims(labels.sizes)  # type: ignore[no-untyped-call]
    return np.asarray(on_all.values)


def _is_same_grid(first: xr.DataArray, second: xr.DataArray) -> bool:
    """Whether labels lie on the same dimensions, with the same coordinates."""
    names = {*first.indexes, *second.indexes, *find_horizontal(first), *find_horizontal(second)}
    return dict(first.sizes) == dict(second.sizes) and all(
        n in first.coords and n in second.coords and first[n].variable.equals(second[n].variable)  # type: ignore[no-untyped-call]
        for n in names - {None}
    )


def point_weights(labels: xr.DataArray) -> xr.DataArray:
    """Area in km² of each point, divided among dimensions such as time; 1 if it is not known.

    A column that repeats a meridian, such as the seam of a global grid, has the weight 0.
    """
    counts = count_areas(labels)
    weights = xr.DataArray(np.ones(labels.shape), dims=labels.dims) * counts
    if counts.attrs["units"] == "km2":
        weights = weights / np.prod([labels.sizes[d] for d in {*labels.dims} - {*counts.dims}])
    return weights.transpose(*labels.dims).assign_attrs(units=counts.attrs["units"])


def tabulate(own: Floats, other: Floats, weights: Float64s, shape: tuple[int, int]) -> Float64s:
    """Sum the weights of the points for each pair of labels, from 1, in a table of this shape."""
    is_common = np.isfinite(own) & np.isfinite(other)
    first, second = (a[is_common].astype(np.int64) - 1 for a in (own, other))
    pair = first * shape[1] + second
    sums = np.bincount(pair, weights=weights[is_common], minlength=shape[0] * shape[1])
    return sums.astype(np.float64).reshape(shape)  # bincount of nothing gives integers


def find_numbers(table: Float64s, is_held: Booleans) -> Integers:
    """Find the numbers for the rows of a table of overlaps that make them agree best with columns.

    Parameters
    ----------
    table : ndarray, shape (k, k_reference)
        Overlap of each cluster with each of the reference.
    is_held : ndarray of bool, shape (k,)
        Clusters that need a number, with or without a partner.

    Returns
    -------
    ndarray of int, shape (k,)
        Number of the partner; numbers after the last of the reference for clusters without a
        partner; 0 for clusters that need none.

    Examples
    --------
    >>> find_numbers(np.array([[0.0, 5.0], [1.0, 3.0], [2.0, 0.0]]), np.ones(3, dtype=bool))
    array([2, 3, 1])
    """
    from scipy.optimize import linear_sum_assignment

    number = np.zeros(len(table), dtype=np.int64)
    rows, columns = linear_sum_assignment(table, maximize=True)
    is_partner = table[rows, columns] > 0
    number[rows[is_partner]] = columns[is_partner] + 1
    alone = is_held & (number == 0)
    number[alone] = table.shape[1] + 1 + np.arange(np.count_nonzero(alone))
    return number


def _held_clusters(result: xr.Dataset) -> Booleans:
    """Which clusters are not just a number: they have members, a centroid or nodes."""
    is_held = result["count"].values > 0
    for name in parameters_of(result)["variables"]:
        is_held |= result[name].notnull().any([d for d in result[name].dims if d != "cluster"])
    for name in method_of(result).numbering & set(result.variables):
        is_held |= result["cluster"].isin(result[name]).values
    return np.asarray(is_held, dtype=bool)


def extent(labels: xr.DataArray) -> str:
    """The extent of labels in words."""
    names = [name for name in find_horizontal(labels) if name is not None]
    at = {name: labels[name].where(labels.notnull()) for name in names}
    ranges = [f"{name} {float(a.min()):g} to {float(a.max()):g}" for name, a in at.items()]
    return " and ".join(ranges) or f"the dimensions {dict(labels.sizes)}"


def find_indices(table: Float64s, n_points: int) -> dict[str, float]:
    """Indices of agreement of so many points, distributed in proportion to a table of overlaps."""
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    # point i is in the cell where the sum exceeds i + 1/2; rounding of sums must not move it
    passed = np.cumsum(np.append(0.0, table)) * (n_points / table.sum())
    ends = np.ceil(passed.round(6) - 0.5).astype(np.int64)
    cells = np.repeat(np.arange(table.size), ends[1:] - ends[:-1])
    first, second = np.divmod(cells, table.shape[1])
    return {
        "adjusted_rand_index": float(adjusted_rand_score(first, second)),
        "adjusted_mutual_information": float(adjusted_mutual_info_score(first, second)),
    }
