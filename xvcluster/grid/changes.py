"""How clusters change along a dimension such as time: their areas, and which becomes which."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s, Floats, Integers
from xvcluster.grid.areas import count_areas
from xvcluster.grid.coords import is_time
from xvcluster.grid.horizontal import find_grid
from xvcluster.grid.labels import (
    Clustering,
    check_labels,
    declared_numbers,
    name_coordinate,
    present_numbers,
    take_labels,
)
from xvcluster.grid.levels import numbers_of
from xvcluster.messages import plain, shown


def areas(labels: Clustering, dim: Hashable | None = None) -> xr.DataArray:
    """Find the area of each cluster at each step along a dimension such as time.

    Parameters
    ----------
    labels : ClusterResult, Dataset or DataArray
        Cluster numbers on a map and along one more dimension, NaN where there is no profile; or a
        result, or its Dataset.
    dim : hashable, optional
        The dimension of the steps. Default: the only one beside those of the map.

    Returns
    -------
    DataArray
        ``area`` (dim, cluster) in km² on the authalic sphere. Points without a label do not count,
        and a seam that a global grid repeats counts once. If cells have no area, as those of loose
        points, the number of points: the attribute ``units`` is then "1".

        Steps are in ascending order of the numbers or dates along `dim`; if it has none, in the
        order of the labels. If clusters have names, these are the coordinate ``cluster_name``.

    Raises
    ------
    TypeError
        If the labels are no labelled array or not numeric.
    ValueError
        If `dim` is not a dimension of the labels, or one of the map; if there is none beside the
        map, or several; or if the labels are no cluster numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import xvcluster
    >>> grid = {"time": [1, 2], "lat": [-45.0, 45.0], "lon": [0.0, 120.0, 240.0]}
    >>> labels = xr.DataArray(np.ones((2, 2, 3)), grid, ("time", "lat", "lon"))
    >>> labels[1, 0] = 2
    >>> (labels.vcluster.areas() / 1e6).sel(cluster=1).round().values
    array([510., 255.])
    """
    maps = _read(labels, dim)
    k = maps.numbers.size
    found = np.stack([np.bincount(own, maps.counts, k + 1)[:k] for own in maps.each()])
    steps = {maps.dim: maps.steps} if maps.steps is not None else {}
    about = {"long_name": "area of each cluster", **maps.units}
    if not maps.has_areas:
        about["long_name"] = "number of points of each cluster"
    coords: dict[Hashable, Any] = {**maps.clusters("cluster"), **steps}
    return xr.DataArray(found, coords, (maps.dim, "cluster"), "area", about)


def transitions(labels: Clustering, dim: Hashable | None = None) -> xr.Dataset:
    """Find which cluster becomes which from each step to the next, e.g. of time.

    Parameters
    ----------
    labels, dim
        As for `areas`; with at least two steps.

    Returns
    -------
    Dataset
        One entry along ``step`` for each two neighbouring steps, in the order of `areas`, whose
        places along `dim` are in the coordinates ``start`` and ``end``; if clusters have names,
        these are in ``before_name`` and ``after_name``:

        - ``area`` (step, before, after): what belongs to the cluster ``before`` at the start and to
          ``after`` at the end, in km², or the number of points if cells have no area, as ``units``
          says.
        - ``share`` (step, before, after): the same divided by its sum over ``after``. The rows of
          this matrix add up to 1; they are NaN for a cluster that has nothing left.
        - ``lost`` (step, before): what has a label at the start, but none at the end.
        - ``gained`` (step, after): what has a label at the end, but none at the start.

        So `areas` at the start are the sum of ``area`` over ``after``, plus ``lost``.

    Raises
    ------
    TypeError
        If the labels are no labelled array or not numeric.
    ValueError
        As for `areas`, or if there is a single step.

    Notes
    -----
    If each point changes its cluster by chance, with probabilities that depend on the present one
    alone, shares are the maximum-likelihood estimate of these (Anderson & Goodman 1957). Of all
    steps together that is ``area.sum("step")``, divided by its sum over ``after``.

    Ages before the present ascend into the past; negative ones lead from the past to the present.

    References
    ----------
    Anderson, T. W. & Goodman, L. A. (1957). Statistical inference about Markov chains. Ann. Math.
    Stat. 28, 89-110. https://doi.org/10.1214/aoms/1177707039

    Examples
    --------
    >>> import xarray as xr
    >>> import xvcluster
    >>> labels = xr.DataArray([[1, 1, 1, 2], [1, 2, 2, 2]], dims=("time", "point"))
    >>> labels.vcluster.transitions()["share"].isel(step=0).values.round(2)
    array([[0.33, 0.67],
           [0.  , 1.  ]])
    """
    maps = _read(labels, dim)
    if len(maps.values) < 2:
        raise ValueError(
            f"transitions need at least two steps, but along {plain(maps.dim)!r} the labels have "
            "one; give labels of several times"
        )
    k = maps.numbers.size
    pairs = (start * (k + 1) + end for start, end in pairwise(maps.each()))
    tables = [np.bincount(pair, maps.counts, (k + 1) ** 2) for pair in pairs]
    found = np.stack(tables).reshape(-1, k + 1, k + 1)
    area, lost, gained = found[:, :k, :k], found[:, :k, k], found[:, k, :k]
    with np.errstate(invalid="ignore"):
        share = area / area.sum(axis=2, keepdims=True)
    what = "area" if maps.has_areas else "number of points"
    described = {
        "area": (("step", "before", "after"), area, f"{what} by cluster before and after"),
        "share": (("step", "before", "after"), share, f"share of the {what} of the cluster before"),
        "lost": (("step", "before"), lost, f"{what} without a label after"),
        "gained": (("step", "after"), gained, f"{what} without a label before"),
    }
    units = {"share": {"units": "1"}}
    ends = {} if maps.steps is None else {"start": maps.steps[:-1], "end": maps.steps[1:]}
    return xr.Dataset(
        {
            name: (dims, values, {"long_name": text, **units.get(name, maps.units)})
            for name, (dims, values, text) in described.items()
        },
        coords={
            "step": np.arange(1, len(found) + 1),
            **maps.clusters("before"),
            **maps.clusters("after"),
            **{name: ("step", at.values, at.attrs) for name, at in ends.items()},
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Maps of labels, one for each step.

    Attributes
    ----------
    labels : DataArray
        Checked, by step.
    values : ndarray, shape (n_steps, n_points)
        The numbers; NaN for none.
    numbers : ndarray of int, shape (k,)
        Of the clusters, ascending.
    counts : ndarray, shape (n_points,)
        What each point counts for.
    units : dict
        The attributes that say so.
    dim : hashable
        The dimension of the steps.
    steps : DataArray or None
        Its coordinate.
    """

    labels: xr.DataArray
    values: Floats
    numbers: Integers
    counts: Float64s
    units: dict[str, str]
    dim: Hashable
    steps: xr.DataArray | None

    @property
    def has_areas(self) -> bool:
        """Whether points count for the area of their cells."""
        return self.units["units"] != "1"

    def each(self) -> Iterator[Integers]:
        """The place of each point's label among the numbers, after the last for none; by step."""
        place = np.full(int(self.numbers.max(initial=0)) + 1, self.numbers.size, dtype=np.int64)
        place[self.numbers] = np.arange(self.numbers.size)
        for values in self.values:
            yield place[np.nan_to_num(values).astype(np.int64)]

    def clusters(self, dim: str) -> dict[Hashable, xr.Variable]:
        """The numbers of the clusters along a dimension, and the names that they have."""
        numbers = xr.Variable(dim, self.numbers, {"long_name": "cluster number"})
        return {dim: numbers, **name_coordinate(self.labels, dim)}


def _read(source: Clustering, dim: Hashable | None) -> Maps:
    """Read labels as maps along a dimension."""
    labels = take_labels(source, "the areas")
    dim = find_steps(labels, dim)
    labels = check_labels(labels, "the label array")
    declared = declared_numbers(labels)
    numbers = present_numbers(labels) if declared is None else declared
    along = numbers_of(labels[dim]) if dim in labels.coords else None
    ordered = labels if along is None else labels.isel({dim: np.argsort(along, kind="stable")})
    ordered = ordered.transpose(dim, ...)
    counts = count_areas(labels)
    units = {"units": counts.attrs["units"]}
    if units["units"] == "1":
        units["comment"] = "cells have no area, so that points are counted"
    variable: Any = counts.variable  # has methods that are untyped
    on_map = variable.set_dims(dict(list(ordered.sizes.items())[1:]))
    return Maps(
        labels=ordered,
        values=ordered.values.reshape(ordered.shape[0], -1),
        numbers=numbers,
        counts=np.asarray(on_map.values, dtype=np.float64).ravel(),
        units=units,
        dim=dim,
        steps=ordered[dim].reset_coords(drop=True) if dim in labels.coords else None,
    )


def find_steps(labels: xr.DataArray, dim: Hashable | None) -> Hashable:
    """Find the dimension of the steps, without which the labels are one map."""
    grid = find_grid(labels)
    dims = f"dims {', '.join(repr(plain(d)) for d in labels.dims)}"
    others = [d for d in labels.dims if grid is not None and d not in grid.dims]
    if grid is None:  # any dimension may be that of a map, but not time
        others = [d for d in labels.dims if is_time(labels, d)]
    if dim is None:
        several = [d for d in others if labels.sizes[d] > 1] or others
        if len(several) == 1:
            return several[0]
        if not several:
            raise ValueError(
                f"the labels have {dims}, which are those of one map; changes need labels along "
                "one more dimension, such as time, which dim= may name"
            )
        raise ValueError(
            f"the labels have {dims}, of which several may be that of the steps; choose one, e.g. "
            f"dim={plain(several[0])!r}, and select one entry of each other, e.g. with "
            f"labels.isel({plain(several[1])}=0)"
        )
    is_hashable: bool = isinstance(dim, Hashable)
    if not is_hashable or dim not in labels.dims:
        raise ValueError(f"dim={shown(dim)} is not a dimension of the labels, which have {dims}")
    if grid is not None and dim in grid.dims:
        raise ValueError(
            f"dim={shown(dim)} is a dimension of the map itself: the labels have {dims}; choose "
            "one beside those of the map, such as time"
        )
    for other in others:
        if other != dim and labels.sizes[other] > 1:
            raise ValueError(
                f"beside {plain(dim)!r} the labels have {labels.sizes[other]} maps along "
                f"{plain(other)!r}; select one, e.g. labels.isel({plain(other)}=0)"
            )
    return dim
