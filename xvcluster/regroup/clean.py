"""A tidy map: pieces of clusters that are too small go to an adjoining cluster."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, squared_to_each
from xvcluster.algorithms.lloyd import split, threads
from xvcluster.algorithms.metrics import Metric
from xvcluster.arrays import Booleans, Float64s, Floats, Indices, Integers, Labels
from xvcluster.grid.areas import area_factors
from xvcluster.grid.neighbours import find_pieces
from xvcluster.options import check_integer, check_number
from xvcluster.profiles import Layout, Profiles, is_chunked
from xvcluster.profiles.memory import ArrayProfiles
from xvcluster.record.dataset import (
    add_history,
    describe,
    parameters_of,
    read_metric,
    read_nodes,
    turn_levels,
)
from xvcluster.regroup.reopen import reopen

_OF_LABELS = ("label", "distance", "margin", "count", "area", "cluster_inertia", "cluster_margin")
_OF_MEMBERS = ("_std", "_quantile")
_FORMER = (
    "stability",
    "stability_noise",
    "cluster_stability",
    "cluster_stability_noise",
    "contingency",
    "reference",
)
"""What holds of the former labels only."""


def clean(
    dataset: xr.Dataset, layout: Layout | None, min_area: float | None, min_cells: int | None
) -> xr.Dataset:
    """Move small pieces of clusters to adjoining clusters; see `ClusterResult.clean`."""
    asked = _check_least(min_area, min_cells)
    if layout is not None and is_chunked(layout.dataset):
        raise ValueError(
            "clean needs all profiles in memory, but the data are dask arrays; load them first "
            "with data.load(), or fewer of them with data.vcluster.prepare(stride=4).load(), and "
            "clean their clusters"
        )
    if layout is not None and min_area is not None and layout.areas() is None:
        raise ValueError(
            "min_area needs cells with an area, but the data have no latitude and longitude, or "
            "are loose points; give min_cells instead, or assign coordinates in degrees"
        )
    profiles = reopen(dataset, layout, "clean")
    assert isinstance(profiles, ArrayProfiles)
    own = profiles.layout
    labels = own.grid.flatten(dataset["label"])[own.points].astype(np.int32) - 1
    sizes = np.ones(labels.size) if min_area is None else _areas_on_map(own)
    least = next(iter(asked.values()))
    _require_less(asked, sizes.sum())
    if own.horizontal is not None:
        sizes[np.isnan(sum(own.locate(own.points)))] = np.inf  # they are on no map
    centroids, metric = read_nodes(turn_levels(dataset, own.descending))[1], read_metric(dataset)
    pieces = Pieces.of(labels, own.neighbours(), sizes)
    pieces.absorb(least, _cost_of(pieces, least, own.values, centroids, metric))
    cleaned = pieces.labels()
    asked |= _tell(pieces, least, labels != cleaned, own.cell_areas)
    return _describe(dataset, profiles, centroids, cleaned, asked)


def describe_cleaning(done: dict[str, Any], n_profiles: int) -> str:
    """Say in one line what was cleaned, of so many profiles."""
    area = f" ({_area(done['area'])})" if "area" in done else ""
    small = _area(done["min_area"]) if "min_area" in done else f"{done['min_cells']:,} cells"
    n = done["islands"]
    stay = "such piece adjoins none and stays" if n == 1 else "such pieces adjoin none and stay"
    return (
        f"cleaned: {done['cells']:,} of {n_profiles:,} cells{area} moved, in pieces of less than "
        f"{small}, to an adjoining cluster{f'; {n:,} {stay}' if n else ''}"
    )


def describe_cleanings(dataset: xr.Dataset) -> list[str]:
    """Say what was cleaned each time, in one line each."""
    n_profiles = int(dataset["count"].sum())
    return [describe_cleaning(d, n_profiles) for d in parameters_of(dataset).get("cleaned", [])]


def _area(value: float) -> str:
    return f"{value:,.0f} km²" if value >= 100.0 else f"{value:.3g} km²"


def _check_least(min_area: float | None, min_cells: int | None) -> dict[str, Any]:
    """The size below which a piece is small, by its name."""
    if (min_area is None) == (min_cells is None):
        raise ValueError(
            "give either min_area, in km², or min_cells, below which a piece of a cluster is too "
            f"small; got min_area={min_area!r} and min_cells={min_cells!r}"
        )
    if min_cells is not None:
        return {"min_cells": check_integer("min_cells", min_cells, 2)}
    return {"min_area": check_number("min_area", min_area, above=0.0)}


def _require_less(asked: dict[str, Any], total: float) -> None:
    """Refuse pieces as large as the map."""
    (name, least), unit = next(iter(asked.items())), " km²" if "min_area" in asked else " cells"
    if least > total:
        raise ValueError(
            f"{name}={least:g} is more than the whole map, which has {total:,.4g}{unit}; give less"
        )


def _areas_on_map(profiles: Profiles) -> Float64s:
    """Area of each profile's cell in km², undivided at each of several times; 0 if not known."""
    areas = profiles.product(area_factors(profiles.horizontal))
    return np.nan_to_num(profiles.grid.flatten(areas)[profiles.points])


@dataclass(slots=True, eq=False)
class Pieces:
    """Connected pieces of clusters, which can be joined to others.

    Attributes
    ----------
    piece : ndarray of int, shape (n_profiles,)
        Number of the piece of each profile, from 0, before any were joined.
    cluster : list of int
        The cluster of each piece.
    size : list of float
        Of each piece.
    near : list of set of int
        The pieces that adjoin each.
    joined : list of int
        The piece that each was joined to; itself if to none.
    """

    piece: Integers
    cluster: list[int]
    size: list[float]
    near: list[set[int]]
    joined: list[int]

    @classmethod
    def of(cls, labels: Labels, pairs: Indices, sizes: Float64s) -> Pieces:
        """Find the pieces of clusters among profiles, of which pairs adjoin each other."""
        is_same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
        piece = find_pieces(np.ones(labels.size, dtype=bool), pairs[is_same])
        cluster = labels[np.unique(piece, return_index=True)[1]].tolist()
        near: list[set[int]] = [set() for _ in cluster]
        for one, other in np.unique(piece[pairs[~is_same]], axis=0).tolist():
            near[one].add(other)
            near[other].add(one)
        size = np.bincount(piece, sizes).tolist()
        return cls(piece, cluster, size, near, list(range(len(cluster))))

    def absorb(self, least: float, cost: Float64s) -> None:
        """Join pieces below a size to the adjoining cluster that costs least, smallest first.

        Parameters
        ----------
        least : float
        cost : ndarray, shape (n_pieces, k)
            Of each small piece in each cluster; costs of pieces that are joined add up.
        """
        waiting = [(size, piece) for piece, size in enumerate(self.size) if size < least]
        heapq.heapify(waiting)
        while waiting:
            size, piece = heapq.heappop(waiting)
            is_former = self.joined[piece] != piece or self.size[piece] != size
            if is_former or not self.near[piece]:
                continue
            taken = min({self.cluster[p] for p in self.near[piece]}, key=lambda c: cost[piece, c])
            others = [p for p in self.near[piece] if self.cluster[p] == taken]
            kept = self._join([piece, *others], taken, cost)
            if self.size[kept] < least:
                heapq.heappush(waiting, (self.size[kept], kept))

    def _join(self, pieces: list[int], cluster: int, cost: Float64s) -> int:
        """Make one piece of several, and return its number."""
        kept = max(pieces, key=lambda p: (len(self.near[p]), -p))
        for piece in pieces:
            if piece == kept:
                continue
            for other in self.near[piece]:
                self.near[other].discard(piece)
                self.near[other].add(kept)
            self.near[kept] |= self.near[piece]
            self.near[piece] = set()
            self.joined[piece] = kept
            self.size[kept] += self.size[piece]
            cost[kept] += cost[piece]
        self.near[kept] -= {*pieces}
        self.cluster[kept] = cluster
        return kept

    def labels(self) -> Labels:
        """The cluster of each profile."""
        last = np.array(self.joined)
        while not np.array_equal(last, last[last]):
            last = last[last]
        labels: Labels = np.array(self.cluster, dtype=np.int32)[last[self.piece]]
        return labels

    def count_below(self, least: float) -> int:
        """Number of pieces that are left below a size."""
        pairs = enumerate(zip(self.joined, self.size, strict=True))
        return sum(own == piece and size < least for piece, (own, size) in pairs)


def _cost_of(
    pieces: Pieces, least: float, profiles: Floats, centroids: Float64s, metric: Metric
) -> Float64s:
    """Sum of the squared distances of the profiles of each small piece to each centroid."""
    small = np.flatnonzero((np.array(pieces.size) < least)[pieces.piece])
    find = partial(squared_to_each, centroids=centroids, metric=metric)
    with threads() as map_blocks:
        found = np.concatenate(list(map_blocks(find, split(profiles[small], metric))))
    cost = np.zeros((len(pieces.size), len(centroids)))
    np.add.at(cost, pieces.piece[small], found)
    return cost


def _tell(
    pieces: Pieces, least: float, is_moved: Booleans, areas: Float64s | None
) -> dict[str, Any]:
    """What is recorded of a cleaning."""
    told: dict[str, Any] = {"cells": int(is_moved.sum()), "islands": pieces.count_below(least)}
    if areas is not None:
        told["area"] = float(np.nan_to_num(areas[is_moved]).sum())
    return told


def _describe(
    dataset: xr.Dataset,
    profiles: ArrayProfiles,
    centroids: Float64s,
    labels: Labels,
    done: dict[str, Any],
) -> xr.Dataset:
    """The result with other labels, and what follows from these; centroids stay as they are."""
    parameters, layout = parameters_of(dataset), profiles.layout
    members = profiles.members(Assigner(centroids, read_metric(dataset)), labels)
    found = describe(layout.dataset, layout, centroids, members, parameters)
    names = [f"{name}{ending}" for name in parameters["variables"] for ending in _OF_MEMBERS]
    changed = {
        name: found[name].variable
        for name in (*_OF_LABELS, *names)
        if name in found and name in dataset
    }
    for name in changed.keys() - {"margin"}:
        changed[name].attrs = dict(dataset[name].attrs)
    parameters["cleaned"] = [*parameters.get("cleaned", []), done]
    cleaned = dataset.drop_vars(_FORMER, errors="ignore").assign(changed)
    said = describe_cleaning(done, int(dataset["count"].sum()))
    history = add_history(dataset, said)
    return cleaned.assign_attrs(parameters=json.dumps(parameters), history=history)
