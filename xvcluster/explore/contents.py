"""What a page shows, as numbers and as texts: cells, their labels, profiles, and the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Booleans, Float64s
from xvcluster.explore.cells import Cells, find_cells, map_dims
from xvcluster.explore.lines import find_lines
from xvcluster.explore.packing import to_halves
from xvcluster.explore.polar import find_graticule, turn_to_pole
from xvcluster.explore.table import describe_clusters
from xvcluster.messages import plain
from xvcluster.plot import style
from xvcluster.plot.facets import name_facets
from xvcluster.plot.levels import Levels, find_levels
from xvcluster.profiles import Layout
from xvcluster.record.dataset import parameters_of

if TYPE_CHECKING:
    import pandas as pd

_FIELDS = {
    "margin": "margin",
    "stability": "stability",
    "stability_noise": "stability under noise",
    "robustness": "robustness",
    "distance": "distance to the own centroid",
}
"""Maps of a result that a page offers beside the labels, and what it calls them."""

_MOST = 60_000_000
"""Most values of profiles in one page, which would be of about 90 MB."""

_MOST_MAPS = 1000
"""Most maps, such as one for each time, in one page."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """One way to cluster the data, which a page shows.

    Attributes
    ----------
    dataset : Dataset
        Of a result.
    table : DataFrame
        Its clusters, one a row.
    """

    dataset: xr.Dataset
    table: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a page shows.

    Attributes
    ----------
    numbers : mapping of name to ndarray
    texts : mapping
        Names, units and colours, as JSON can hold them; plain text, not HTML.
    cells : Cells
    levels : Levels or None
        None where profiles have a single value.
    """

    numbers: Mapping[str, Array]
    texts: Mapping[str, Any]
    cells: Cells
    levels: Levels | None


def collect_contents(clusterings: list[Clustering], chosen: int, layout: Layout | None) -> Contents:
    """Collect what a page shows.

    Parameters
    ----------
    clusterings : list of Clustering
        Of the same points: a result, and those of its sweep.
    chosen : int
        Which of these is the result.
    layout : Layout or None
        Of the data; None if these are not at hand.

    Raises
    ------
    ValueError
        If there are too many values or maps for one page.
    """
    dataset = clusterings[chosen].dataset
    labels = style.check_labels(dataset["label"])
    dims = map_dims(labels)
    maps = _name_maps(labels, dims)
    known: Booleans = np.any(_flat(labels, dims) > 0, axis=0)
    horizontal = None if layout is None else layout.horizontal
    cells = turn_to_pole(find_cells(labels, known, horizontal), known)
    numbers = _places(cells)
    maps_of = {name: dataset[name].transpose(*labels.dims) for name in _FIELDS if name in dataset}
    fields = {name: _put_field(numbers, field, cells) for name, field in maps_of.items()}
    for index, each in enumerate(clusterings):
        _put_clustering(numbers, each.dataset, cells, index)
    if layout is not None:
        _put_profiles(numbers, layout, dataset, cells, chosen)
    levels = find_levels(dataset)
    numbers["levels"] = _level_numbers(levels)
    names = parameters_of(dataset)["variables"]
    texts = {
        "title": _title(dataset),
        "about": _about(dataset),
        "kind": cells.kind,
        "is_earth": cells.is_earth,
        "is_polar": cells.projection is not None,
        "box": list(cells.box),
        "maps": maps,
        "fields": fields,
        "clusterings": [describe_clusters(each.dataset, each.table) for each in clusterings],
        "chosen": chosen,
        "variables": [style.undrawn(style.axis_label(dataset[n])) for n in names],
        "has_profiles": layout is not None,
        "levels_across": levels is not None and levels.is_time,
        "points_down": levels is not None and levels.points_down and not levels.is_time,
        "dims": [plain(d) for d in (cells.x_dim, cells.y_dim) if d is not None],
    }
    return Contents(numbers, texts, cells, levels)


def _name_maps(labels: xr.DataArray, dims: tuple[Any, ...]) -> list[str]:
    """Name the maps, one for each entry of dimensions such as time; one without a name if alone."""
    others = [d for d in labels.dims if d not in dims and labels.sizes[d] > 1]
    names = [""]
    for dim in others:
        own = name_facets(labels, dim)
        names = [", ".join(filter(None, (name, each))) for name in names for each in own]
    return names


def check_size(dataset: xr.Dataset, *, with_profiles: bool) -> None:
    """Refuse more maps, or more profiles, than a page can hold."""
    labels, options = dataset["label"], parameters_of(dataset)
    dims = map_dims(labels)
    others = [d for d in labels.dims if d not in dims]
    n_maps = int(np.prod([labels.sizes[d] for d in others]))
    if n_maps > _MOST_MAPS:
        raise ValueError(
            f"a page holds at most {_MOST_MAPS:,} maps, but the labels have {n_maps:,} along "
            f"{', '.join(repr(plain(d)) for d in others)}; cluster fewer of them"
        )
    n_levels = dataset.sizes.get(options["vertical"], 1)
    n_values = labels.size * n_levels * len(options["variables"])
    if with_profiles and n_values > _MOST:
        raise ValueError(
            f"the data have {n_values:,} values, and a page holds at most {_MOST:,}; cluster every "
            "n-th point, by prepare(stride=n), and explore that; or write the result to a file, "
            "open it without the data and explore it: its page shows centroids only"
        )


def _flat(array: xr.DataArray, dims: tuple[Any, ...]) -> Array:
    """Return maps (n_maps, n_cells) of an array on the dimensions of the labels."""
    others = [d for d in array.dims if d not in dims]
    n_cells = int(np.prod([array.sizes[d] for d in dims]))
    return np.asarray(array.transpose(*others, *dims).values).reshape(-1, n_cells)


def _drawn(array: xr.DataArray, cells: Cells) -> Array:
    """Return the values (n_maps, n) of the cells that are drawn; NaN where there is none."""
    maps = _flat(array, cells.dims).astype(np.float64)
    return np.where(cells.order >= 0, maps[:, cells.order], np.nan)


def _places(cells: Cells) -> dict[str, Array]:
    """Where the cells lie."""
    numbers: dict[str, Array] = {"x": cells.x, "y": cells.y}
    if cells.kind != "points":
        numbers |= {"corners_x": cells.corners_x, "corners_y": cells.corners_y}
    if cells.kind == "grid":
        numbers["pixels_x"] = cells.pixels_x.astype(np.uint16)
        numbers["pixels_y"] = cells.pixels_y.astype(np.uint16)
    else:
        numbers = {name: values.astype(np.float32) for name, values in numbers.items()}
    if cells.is_earth:
        numbers["lines"] = find_lines(cells.box, cells.projection).astype(np.float32)
    if cells.projection is not None and cells.lon is not None and cells.lat is not None:
        numbers["graticule"] = find_graticule(cells.projection).astype(np.float32)
        numbers |= {"lon": cells.lon.astype(np.float32), "lat": cells.lat.astype(np.float32)}
    return numbers


def _put_field(numbers: dict[str, Array], field: xr.DataArray, cells: Cells) -> dict[str, Any]:
    """Put a map among the numbers; return its label, scale and range."""
    name, values = str(field.name), _drawn(field, cells)
    numbers[name], scale = to_halves(values)
    is_share = field.attrs.get("units") == "1"
    high = 1.0 if is_share else float(np.nanquantile(values, 0.99))
    low = min(0.0, float(np.nanmin(values)))
    units = "" if is_share else plain(field.attrs.get("units", ""))
    said = {"label": _FIELDS[name], "units": units, "is_cut": bool(np.nanmax(values) > high)}
    return said | {"scale": scale, "low": low, "high": high}


def _put_clustering(
    numbers: dict[str, Array], dataset: xr.Dataset, cells: Cells, index: int
) -> None:
    """Put labels, centroids and quantiles of a clustering among the numbers."""
    labels = np.nan_to_num(_drawn(style.check_labels(dataset["label"]), cells))
    numbers[f"labels_{index}"] = labels.astype(np.uint16)
    names = parameters_of(dataset)["variables"]
    centroids, spread = (_by_variable(dataset, names, end) for end in ("", "_quantile"))
    numbers[f"centroids_{index}"] = centroids.astype(np.float32)
    numbers[f"quantiles_{index}"] = spread.astype(np.float32)


def _by_variable(dataset: xr.Dataset, names: list[str], ending: str) -> Float64s:
    """Return what is known of the clusters, (n_variables, n_clusters, ..., n_levels)."""
    n_clusters = dataset.sizes["cluster"]
    arrays = [
        dataset[f"{name}{ending}"].transpose("cluster", "quantile", ..., missing_dims="ignore")
        for name in names
    ]
    shape = (n_clusters, dataset.sizes["quantile"], -1) if ending else (n_clusters, -1)
    return np.stack([np.asarray(a.values, dtype=np.float64).reshape(shape) for a in arrays])


def _put_profiles(
    numbers: dict[str, Array], layout: Layout, dataset: xr.Dataset, cells: Cells, chosen: int
) -> None:
    """Put the differences of profiles from their own centroids among the numbers.

    Of each variable and level (n_variables · n_levels, n_maps · n_cells), as coarse halves.
    """
    labels = numbers[f"labels_{chosen}"].ravel().astype(np.intp)
    centroids = numbers[f"centroids_{chosen}"].astype(np.float64)
    vertical = parameters_of(dataset)["vertical"]
    halves, scales = [], []
    for v, name in enumerate(layout.variables):
        array = layout.dataset[name]
        levels = [{}] if vertical is None else [{vertical: i} for i in range(array.sizes[vertical])]
        array = array.compute()
        for index, level in enumerate(levels):
            at_level = array.isel(level).transpose(*dataset["label"].dims)
            values = _drawn(at_level, cells).ravel()
            own = np.where(labels > 0, centroids[v, labels - 1, index], np.nan)
            bits, scale = to_halves(values - own, coarse=True)
            halves.append(bits)
            scales.append(scale)
    numbers["profiles"] = np.stack(halves)
    numbers["scales"] = np.array(scales)


def _level_numbers(levels: Levels | None) -> Float64s:
    """Return the levels as numbers, dates in milliseconds; of a single level, two ends."""
    if levels is None:
        return np.array([0.0, 1.0])
    at = levels.at
    if at.dtype.kind == "M":
        at = at.astype("datetime64[ms]").astype(np.int64)
    return np.asarray(at, dtype=np.float64)


def _title(dataset: xr.Dataset) -> str:
    names = plain(", ".join(parameters_of(dataset)["variables"]), 100)
    return f"{dataset.sizes['cluster']} clusters of {names}"


def _about(dataset: xr.Dataset) -> str:
    """Say what was clustered, and how."""
    of = plain(dataset.attrs.get("title", ""), 120)
    n_profiles = int(dataset["count"].sum())
    method = plain(dataset.attrs.get("method", ""))
    return " · ".join(filter(None, (of, f"{n_profiles:,} profiles", method)))
