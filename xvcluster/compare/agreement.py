"""How well clusters agree with provinces: a table of overlaps, and the measures that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Float64s, Floats
from xvcluster.compare.chance import Chance, Lookup, Null, compare_with_chance
from xvcluster.compare.labels import LabelMap, read_labels
from xvcluster.compare.match import bring, extent, find_indices, point_weights, tabulate
from xvcluster.compare.overlap import find_holders, find_overlap, own_amounts
from xvcluster.compare.plane import KM2
from xvcluster.compare.provinces import Provinces, read_provinces, show_names
from xvcluster.grid.areas import area_factors
from xvcluster.grid.coords import Axes, find_horizontal
from xvcluster.grid.horizontal import HorizontalGrid, find_grid, require_grid, take_map
from xvcluster.grid.labels import (
    OF_NUMBERS,
    Clustering,
    Result,
    given_names,
    labelled,
    meanings_of,
)
from xvcluster.grid.nearest import nearest_labels
from xvcluster.messages import shown, warn

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """Clusters and provinces, brought together.

    Attributes
    ----------
    table : ndarray, shape (k, n_provinces)
        What they have in common: km², or the number of points if these have no cells.
    units : str
        "km2" or "1".
    total : ndarray, shape (k,)
        Of each cluster, in a province or not.
    province_total : ndarray, shape (n_provinces,)
        Of each province, in a cluster or not; NaN if points are counted.
    n_points : int
        Number of points that have some of both.
    names : list of str
        Of the provinces.
    source : str
        What the provinces are, in words.
    lookups : tuple of two functions, optional
        Labels of both at any place; None if the points have no latitude and longitude.
    """

    table: Float64s
    units: str
    total: Float64s
    province_total: Float64s
    n_points: int
    names: list[str]
    source: str
    lookups: tuple[Lookup, Lookup] | None


def describe_agreement(
    labels: Clustering,
    provinces: Clustering | GeoDataFrame | GeoSeries,
    column: str | None,
    *,
    n: int,
    null: Null,
    seed: np.random.SeedSequence,
    report: Callable[[int], None],
) -> xr.Dataset:
    """Compare clusters with provinces; see `xvcluster.agreement.compare`."""
    own = read_labels(labels, "this clustering")
    grid = _find_grid(labels, own)
    source = labelled(labels)
    if isinstance(source, xr.Dataset) and "area" in source and not area_factors(grid):
        warn(
            "the clusters have areas, but without the data the cells of the points are not known, "
            "so that points are counted; open the result with its data, e.g. "
            "xvcluster.open_result(path, data)"
        )
    if grid is not None:
        one_map = take_map(own.labels, grid.dims, "compare needs one map", "labels.isel({dim}=0)")
        own = LabelMap(one_map, own.n_clusters, own.name, own.ordered_by)
    if _are_labels(provinces):
        if column is not None:
            raise ValueError(
                f"column={shown(column)} names the provinces of a GeoDataFrame, but these are "
                "labels, which have their numbers; leave it out"
            )
        other = read_labels(provinces, "provinces")
        both = _with_labels(own, grid, other, _find_grid(provinces, other))
    else:
        read = read_provinces(provinces, column)
        both = _with_polygons(own, grid or require_grid(own.labels), read)
    chance = Chance(np.nan, np.nan, "none: the points have no latitude and longitude")
    if n == 0:
        chance = Chance(np.nan, np.nan, "none: n=0 asks for no p-value")
    elif both.lookups is not None and grid is not None:
        known = grid.is_placed & np.isfinite(own.labels.transpose(*grid.dims).values)
        points = grid.vectors[known]
        chance = compare_with_chance(
            *both.lookups, points, n=n, null=null, seed=seed, report=report
        )
    return _describe(own, both, chance, n)


def _find_grid(source: Clustering, labels: LabelMap) -> HorizontalGrid | None:
    """The grid with cells of the data of a result, if it has them, otherwise that of the labels."""
    grid: HorizontalGrid | None = getattr(source, "_horizontal", None)
    # a Dataset may also hold the bounds of cells
    return grid or find_grid(labelled(source), Axes(None, *find_horizontal(labels.labels)))


def _are_labels(provinces: Any) -> bool:
    """Whether provinces are given as a map of labels."""
    kinds = Result | xr.Dataset | xr.DataArray | xr.DataTree
    return isinstance(provinces, kinds) or hasattr(provinces, "best_k")


def _with_labels(
    own: LabelMap, grid: HorizontalGrid | None, other: LabelMap, its_grid: HorizontalGrid | None
) -> Both:
    """Bring a map of labels to the points of another; each counts with the area of its cell."""
    brought, values = bring(other, own), own.labels.values
    units, weights = _weigh(own, grid)
    table = tabulate(values, brought, weights, (own.n_clusters, other.n_clusters))
    if not table.any():
        raise ValueError(
            f"no point has a label in both: the clusters have labels within {extent(own.labels)}, "
            f"{other.name} within {extent(other.labels)}; give provinces of the same region"
        )
    own_names, words = given_names(other.labels), meanings_of(other.labels)
    numbers = range(1, other.n_clusters + 1)
    names = [own_names.get(n) or words.get(n, f"cluster_{n}").replace("_", " ") for n in numbers]
    is_common = np.isfinite(values) & np.isfinite(brought) & (weights > 0)
    its_units, its_weights = _weigh(other, its_grid)
    total = _total(other, its_weights) if units == its_units == "km2" else np.nan
    return Both(
        table=table,
        units=units,
        total=_total(own, weights),
        province_total=np.broadcast_to(total, other.n_clusters),
        n_points=int(np.count_nonzero(is_common)),
        names=show_names(names),
        source="another clustering" if other.name == "provinces" else other.name,
        lookups=(_of_labels(own), _of_labels(other)) if grid and its_grid else None,
    )


def _weigh(own: LabelMap, grid: HorizontalGrid | None) -> tuple[str, Float64s]:
    """Units and amounts of the points: areas of their cells, 1 if these are not known."""
    if grid is None:
        return "1", np.asarray(point_weights(own.labels).values)
    amounts = xr.DataArray(own_amounts(grid), dims=grid.dims).broadcast_like(own.labels)
    units = "km2" if area_factors(grid) else "1"
    return units, np.asarray(amounts.transpose(*own.labels.dims).values)


def _total(own: LabelMap, weights: Float64s) -> Float64s:
    """The weight of each cluster."""
    values = own.labels.values
    return tabulate(values, np.ones_like(values), weights, (own.n_clusters, 1))[:, 0]


def _with_polygons(own: LabelMap, grid: HorizontalGrid, provinces: Provinces) -> Both:
    """Find the areas that cells share with polygons."""
    import shapely

    labels = own.labels.transpose(*grid.dims)
    numbers = np.nan_to_num(labels.values).astype(np.int64).ravel()
    found = find_overlap(grid, numbers.reshape(grid.shape) > 0, provinces.shapes)
    if not found.amount.any():
        raise ValueError(
            f"no cluster lies in a province: the clusters have labels within {extent(labels)}, "
            f"provinces within {_bounds(provinces)}; give provinces of the same region, in their "
            "own coordinate reference system"
        )
    n, amounts = len(provinces.names), own_amounts(grid).ravel()
    pair = (numbers[found.point] - 1) * n + found.polygon
    table = np.bincount(pair, found.amount, own.n_clusters * n).astype(np.float64)
    column = f"{provinces.named_by!r}" if provinces.named_by else "a GeoDataFrame"
    return Both(
        table=table.reshape(own.n_clusters, n),
        units="km2" if found.is_area else "1",
        total=np.bincount(numbers, amounts, own.n_clusters + 1)[1:].astype(np.float64),
        province_total=KM2 * shapely.area(provinces.shapes)
        if found.is_area
        else np.full(n, np.nan),
        n_points=int(np.unique(found.point).size),
        names=provinces.names,
        source=f"the provinces of {column}",
        lookups=(_of_labels(own), _of_polygons(provinces)),
    )


def _bounds(provinces: Provinces) -> str:
    """The extent of provinces in words."""
    import shapely

    west, south, east, north = shapely.total_bounds(provinces.shapes)
    south, north = np.degrees(np.arcsin([south, north]))
    return f"latitude {south:g} to {north:g} and longitude {west:g} to {east:g}"


def _of_labels(labels: LabelMap) -> Lookup:
    """Look up labels at any place."""

    def look_up(lat: Float64s, lon: Float64s) -> Floats:
        at = [
            xr.DataArray(values, dims="point", attrs={"units": "degrees"}) for values in (lat, lon)
        ]
        return np.asarray(nearest_labels(labels.labels, *at).values)

    return look_up


def _of_polygons(provinces: Provinces) -> Lookup:
    """Look up the number of the province at any place."""

    def look_up(lat: Float64s, lon: Float64s) -> Floats:
        point, polygon = find_holders(lat, lon, provinces.shapes)
        found = np.full(lat.shape, np.nan)
        found[point] = polygon + 1.0
        return found

    return look_up


def _describe(own: LabelMap, both: Both, chance: Chance, n: int) -> xr.Dataset:
    """Write a table and all that follows from it into one Dataset."""
    is_met = both.table.sum(axis=0) > 0
    table, names = both.table[:, is_met], np.array(both.names, dtype=str)[is_met]
    whole = {
        "total_coverage": min(float(table.sum() / both.total.sum()), 1.0),
        **_whole(table),
        **find_indices(table, both.n_points),
        "expected_rand_index": chance.expected,
        "p_value": chance.p_value,
    }
    variables = _of_each(table, names, both.total, both.province_total[is_met], both.units)
    for name, value in whole.items():
        variables[name] = xr.Variable((), value, {"long_name": _SAID[name], "units": "1"})
    n = 0 if np.isnan(chance.p_value) else n  # so many were moved
    variables["p_value"].attrs.update(null=chance.null, n=n)
    if chance.comment:
        variables["p_value"].attrs["comment"] = chance.comment
    numbers = np.arange(1, own.n_clusters + 1)
    kept = {name: own.labels.attrs[name] for name in OF_NUMBERS if name in own.labels.attrs}
    about = {"long_name": "cluster", "flag_values": numbers, "ordered_by": own.ordered_by} | kept
    coords = {
        "cluster": ("cluster", numbers, about),
        "province": ("province", names, {"long_name": both.source}),
    }
    attrs = {
        "Conventions": "CF-1.11",
        "title": f"agreement of clusters with {both.source}",
        "software": f"xvcluster {metadata.version('xvcluster')}",
    }
    if not is_met.all():
        attrs["comment"] = _say_left_out([both.names[i] for i in np.flatnonzero(~is_met)])
    return xr.Dataset(variables, coords, attrs)


def _of_each(
    table: Float64s, names: Array, total: Float64s, province_total: Float64s, units: str
) -> dict[str, xr.Variable]:
    """What a table says of each cluster and each province."""
    of_clusters, of_provinces = table.sum(axis=1), table.sum(axis=0)
    is_inside, amount = of_clusters > 0, "area" if units == "km2" else "number of points"
    with np.errstate(invalid="ignore"):
        purity = np.where(is_inside, table.max(axis=1) / of_clusters, np.nan)
        coverage = np.where(total > 0, of_clusters / total, np.nan)
    main = np.where(is_inside, names[table.argmax(axis=1)], "")
    share = f"share of its {amount} in {{}} that is in the main one"
    rows: dict[str, tuple[str, Array, str]] = {
        "coverage": (
            "cluster",
            np.minimum(coverage, 1.0),
            "share of the cluster that lies in provinces",
        ),
        "province_coverage": (
            "province",
            np.minimum(of_provinces / province_total, 1.0),
            "share of the province that lies in clusters",
        ),
        "cluster_purity": ("cluster", purity, share.format("provinces")),
        "main_province": ("cluster", main, "province that has most of the cluster"),
        "province_completeness": (
            "province",
            table.max(axis=0) / of_provinces,
            share.format("clusters"),
        ),
        "main_cluster": (
            "province",
            table.argmax(axis=0) + 1,
            "cluster that has most of the province",
        ),
    }
    about = {"long_name": f"{amount} in common", "units": units}
    found = {"contingency": xr.Variable(("cluster", "province"), table, about)}
    for name, (dim, values, said) in rows.items():
        unit = {} if name.startswith("main") else {"units": "1"}
        found[name] = xr.Variable(dim, values, {"long_name": said} | unit)
    return found


def _say_left_out(names: list[str]) -> str:
    """That some provinces are not in a table, and which."""
    is_one, more = len(names) == 1, ", …" if len(names) > _MOST_NAMED else ""
    said = "1 province has" if is_one else f"{len(names)} provinces have"
    said += f" nothing in common with any cluster and {'is' if is_one else 'are'} left out: "
    return said + ", ".join(map(repr, names[:_MOST_NAMED])) + more


_MOST_NAMED = 20

_SAID = {
    "total_coverage": "share of all clusters that lies in provinces",
    "purity": "share of what is in provinces that lies in its cluster's main province",
    "homogeneity": "homogeneity of the clusters",
    "completeness": "completeness of the provinces",
    "v_measure": "V-measure",
    "adjusted_rand_index": "adjusted Rand index",
    "adjusted_mutual_information": "adjusted mutual information",
    "expected_rand_index": "mean adjusted Rand index of maps that are moved at random",
    "p_value": "probability of such an adjusted Rand index by chance",
}


def _whole(table: Float64s) -> dict[str, float]:
    """Purity and V-measure of a table of weights (Rosenberg & Hirschberg 2007)."""
    shares = table / table.sum()
    clusters, provinces = shares.sum(axis=1), shares.sum(axis=0)
    joint = _entropy(shares)
    of_clusters, of_provinces = _entropy(clusters), _entropy(provinces)
    shared = of_clusters + of_provinces - joint
    homogeneity = shared / of_provinces if of_provinces else 1.0
    completeness = shared / of_clusters if of_clusters else 1.0
    both = homogeneity + completeness
    return {
        "purity": float(shares.max(axis=1).sum()),
        "homogeneity": float(homogeneity),
        "completeness": float(completeness),
        "v_measure": float(2.0 * homogeneity * completeness / both) if both else 0.0,
    }


def _entropy(shares: Float64s) -> float:
    """Entropy of shares that add up to one."""
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum()) + 0.0
