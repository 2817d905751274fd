"""Maps of several results side by side: of the same clusters in the same colours, in one view."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Float64s
from xvcluster.grid.labels import (
    Clustering,
    Result,
    given_colors,
    given_names,
    order_of,
    present_numbers,
    take_labels,
)
from xvcluster.inputs import describe
from xvcluster.messages import shown
from xvcluster.plot import geometry as geo
from xvcluster.plot import style, view
from xvcluster.plot.map import Part, draw_parts
from xvcluster.plot.options import Panels
from xvcluster.record.naming import describe_clusters

if TYPE_CHECKING:
    from cartopy.crs import Projection
    from matplotlib.axes import Axes
    from typing_extensions import TypeIs

    from xvcluster.plot.style import Colors

Several = Mapping[str, Clustering] | Sequence[Clustering]

_MATCHED = "matched to "
"""How ``ordered_by`` begins for clusters that were renumbered as those of others."""


def is_several(source: Clustering | Several) -> TypeIs[Several]:
    """Whether something is a list or dict of results, and not one of them."""
    if isinstance(source, Mapping):
        return not isinstance(source, xr.Dataset | xr.DataTree)
    return isinstance(source, list | tuple)


def draw_several(
    results: Several,
    titles: Sequence[str] | None,
    *,
    projection: Projection | None,
    extent: geo.Box | None,
    colors: Colors | None,
    axes: Sequence[Axes] | Array | None,
    **options: Any,
) -> Panels:
    """Draw one map for each of several results; see `maps`."""
    names = _take_titles(results, titles)
    sources = list(results.values()) if isinstance(results, Mapping) else list(results)
    for source in sources:
        if not isinstance(source, Result | xr.Dataset | xr.DataArray | xr.DataTree):
            raise TypeError(
                "plot.maps draws one result, or a list or dict of several; got "
                f"{type(results).__name__} that holds {describe(source, 'xvcluster.open_result')}"
            )
    labels = [style.check_labels(take_labels(source, "the maps")) for source in sources]
    places = [geo.locate(one) for one in labels]
    named, rgba = _share_clusters(labels, colors)
    if named is not None:
        labels = [one.assign_attrs(named.attrs) for one in labels]
    if axes is None:
        projection, extent = _share_view(places, projection, extent)
    own: dict[str, Any] = {} if rgba is not None else {"colors": colors}
    parts = [
        Part(name, one, projection, extent, own) for name, one in zip(names, labels, strict=True)
    ]
    return draw_parts(parts, named, rgba, axes=axes, gridlines=False, **options)


def _take_titles(results: Several, titles: Any) -> list[str]:
    """Return a title for each map: the given ones, the keys of a dict, or letters."""
    if not len(results):
        raise ValueError(f"plot.maps got no results, {shown(results)}; give at least one")
    if isinstance(results, Mapping):
        return [style.drawable(key) for key in results]
    if titles is None:
        letters = string.ascii_lowercase
        return [
            f"({letters[i]})" if i < len(letters) else f"({i + 1})" for i in range(len(results))
        ]
    is_list = isinstance(titles, Sequence | np.ndarray) and not isinstance(titles, str)
    if not is_list or len(titles) != len(results):
        raise ValueError(
            f"titles must be one for each of the {len(results)} maps; got {shown(titles)}"
        )
    return [style.drawable(title) for title in titles]


def _share_clusters(
    labels: list[xr.DataArray], colors: Colors | None
) -> tuple[xr.DataArray | None, Float64s | None]:
    """Return labels that have the clusters of all maps, for a legend, and their colours.

    None if they are not the same clusters: neither do all have the same numbers, names and colours,
    nor were they matched.
    """
    largest = max(labels, key=lambda one: int(style.cluster_numbers(one).max()))
    k = int(style.cluster_numbers(largest).max())
    is_matched = [str(one.attrs.get("ordered_by", "")).startswith(_MATCHED) for one in labels]
    if not _are_alike(labels) and not (
        sum(is_matched) >= len(labels) - 1 and _are_compatible(labels)
    ):
        return None, None
    present = [present_numbers(one) for one in labels]
    has_gaps = any(bool(one.isnull().any()) for one in labels)
    values = np.unique(np.concatenate(present)).astype(np.float64)
    values = np.append(values, [np.nan] * has_gaps)
    named = xr.DataArray(values, dims="point", attrs=dict(largest.attrs))
    names: dict[int, str] = {}
    given: dict[int, str] = {}
    for one in reversed(labels):
        names, given = names | given_names(one), given | given_colors(one)
    describe_clusters(named, k, names, given)
    return named, style.check_colors(named, colors)


def _are_alike(labels: list[xr.DataArray]) -> bool:
    """Whether the clusters of all have the same numbers, names and colours."""
    first, *others = ((style.cluster_names(one), style.colors_of(one)) for one in labels)
    return all(names == first[0] and np.array_equal(rgba, first[1]) for names, rgba in others)


def _are_compatible(labels: list[xr.DataArray]) -> bool:
    """Whether no number has two names or colours of its own, and the order is the same."""
    for said in (given_names, given_colors):
        every = [pair for one in labels for pair in said(one).items()]
        if len(set(every)) > len(dict(every)):
            return False
    return len({(order_of(one), style.som_shape(one)) for one in labels}) == 1


def _share_view(
    places: list[geo.Geometry], projection: Projection | None, extent: geo.Box | None
) -> tuple[Projection | None, geo.Box | None]:
    """Return the projection and extent of all maps, if their regions overlap; else those given."""
    if extent is not None or any(place.kind == "plane" for place in places):
        return projection, extent
    around = [place for place in places if place.is_global]
    if around:
        west, east, *_ = around[0].box
        middle = round((west + east) / 2)
        box = None if len(around) == len(places) else (middle - 180.0, middle + 180.0, -90.0, 90.0)
        return projection or view.choose_projection(around[0]), box
    joined = _join([place.box for place in places])
    return projection, joined


def _join(boxes: list[geo.Box]) -> geo.Box | None:
    """Return the box around boxes that overlap, directly or by others; None if they do not."""
    (west, east, south, north), *rest = boxes
    while rest:
        for i, box in enumerate(rest):
            turn = 360 * round(((west + east) - (box[0] + box[1])) / 720)
            left, right = box[0] + turn, box[1] + turn
            if left <= east and right >= west and box[2] <= north and box[3] >= south:
                west, east = min(west, left), max(east, right)
                south, north = min(south, box[2]), max(north, box[3])
                rest.pop(i)
                break
        else:
            return None
    middle, half = (west + east) / 2, min((east - west) / 2, 180.0)
    return middle - half, middle + half, south, north
