"""A figure for a paper: the map of the clusters and, beside it, all their centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.map import add_map_axes, frame
from xvcluster.plot.map import map as draw_map
from xvcluster.plot.profiles import (
    draw_boxes,
    line_style,
    pick_variables,
    set_vertical,
    tidy,
    vertical_coordinate,
    vertical_name,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xvcluster.plot.basemap import Resolution

# inches, from left to right: LEFT, the map, GAP, panels with BETWEEN, the grid of colours, RIGHT
_LEFT, _GAP, _BETWEEN, _RIGHT = 0.6, 0.95, 0.35, 0.2
_MAP_WIDTHS, _MAP_HEIGHT = (1.6, 6.2), 3.7  # smallest and largest width, largest height
_ONE_PANEL, _PANEL = 2.9, 2.2  # width of a single panel, and of each of several
_PANEL_HEIGHT = 3.2  # smallest height; panels are as high as the map if that is higher
_TITLE, _TOP = 0.5, 0.2  # above the map, with a title and without
_LABEL = 32  # characters of an axis label that fit under a panel


def summary(
    dataset: xr.Dataset,
    *,
    variable: Hashable | None = None,
    title: str | None = None,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "110m",
) -> Figure:
    """Draw the map of the clusters and, beside it, all centroids, with the clusters' shares.

    Parameters
    ----------
    dataset : xr.Dataset
        The dataset of a `ClusterResult`.
    variable : hashable, optional
        The variable whose centroids are drawn. Default: all of them, side by side.
    title : str, optional
        Title of the figure.
    coastlines, borders, resolution
        As in `map`.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `variable` is not in the result, or the labels hold more than one map.

    Examples
    --------
    >>> from xvcluster.plot import summary
    >>> figure = summary(result.dataset, title="Velocity provinces")  # doctest: +SKIP
    """
    import matplotlib.pyplot as plt

    dataset = dataset.compute()  # read lazy maps only once
    names = pick_variables(dataset, variable)
    labels = style.check_labels(dataset["label"])
    rgba = style.own_colors(dataset)
    place = geo.locate(labels)
    figure = plt.figure(figsize=(10, 5))
    boxes = _arrange(figure, dataset, place, names, has_title=title is not None)
    map_ax = add_map_axes(figure, boxes[0], place)
    options: dict[str, Any] = {"coastlines": coastlines, "borders": borders}
    draw_map(labels, ax=map_ax, legend=False, resolution=resolution, **options)
    if place.kind != "plane":
        frame(map_ax, place, None, tight=True)
    for name, box in zip(names, boxes[1:], strict=True):
        _draw_centroids(figure.add_axes(box), dataset, name, rgba)
    for ax in figure.axes[2:]:
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)
    _add_shares(figure, dataset, rgba)
    if title is not None:
        figure.suptitle(title, fontsize=12, y=1 - 0.12 / figure.get_size_inches()[1], va="top")
    return figure


def _draw_centroids(ax: Axes, dataset: xr.Dataset, name: Hashable, rgba: Float64s) -> None:
    """Draw all centroids of a variable in one panel, over faint bands between their quartiles."""
    vertical = vertical_name(dataset)
    if vertical is None:
        draw_boxes(ax, dataset, name, rgba)
        ax.set_yticks(dataset["cluster"].values, [str(n) for n in dataset["cluster"].values])
        ax.set_ylabel("cluster", fontsize=9)
        ax.set_title("", loc="right")
        return
    coordinate = vertical_coordinate(dataset, vertical)
    z = coordinate.values
    spread = dataset[f"{name}_quantile"].transpose("quantile", "cluster", vertical).values
    centroids = dataset[name].transpose("cluster", vertical).values
    many = len(centroids) > legends.LIST_LIMIT
    width = 0.9 if many else 2.0
    for index, centroid in enumerate(centroids):
        color = rgba[index]
        if not many:
            ax.fill_betweenx(z, spread[1, index], spread[3, index], color=color, alpha=0.16, lw=0)
        ax.plot(centroid, z, color=color, **line_style(width))
    set_vertical(ax, coordinate)
    ax.set_xlabel(style.axis_label(dataset[name], width=_LABEL), fontsize=9)
    ax.set_ylabel(style.axis_label(coordinate), fontsize=9)
    tidy(ax)


def _arrange(
    figure: Figure,
    dataset: xr.Dataset,
    place: geo.Geometry,
    names: list[Hashable],
    *,
    has_title: bool,
) -> list[tuple[float, float, float, float]]:
    """Size the figure for its map, and return the rectangles of the map and of the panels."""
    shape = 1.6 if place.kind == "plane" else geo.shape(place)
    map_width = float(np.clip(_MAP_HEIGHT * shape, *_MAP_WIDTHS))
    map_height = min(_MAP_HEIGHT, map_width / shape)
    n_panels, panel_width = len(names), _ONE_PANEL if len(names) == 1 else _PANEL
    first = _LEFT + map_width + _GAP
    panels = [first + index * (panel_width + _BETWEEN) for index in range(n_panels)]
    has_key = legends.needs_key(dataset["label"])
    key_width = legends.key_width(dataset["label"]) + 0.1 if has_key else 0.0
    width = first + (n_panels * panel_width + (n_panels - 1) * _BETWEEN) + key_width + _RIGHT
    height = max(map_height, _PANEL_HEIGHT)
    n_lines = max(style.axis_label(dataset[n], width=_LABEL).count("\n") for n in names)
    bottom = 0.5 + 0.16 * n_lines  # the tick labels and the axis labels
    if not has_key:  # the legend, with its title
        bottom += 0.2 + 0.19 * -(-(dataset.sizes["cluster"] + 1) // _columns_that_fit(width))
    total = bottom + height + (_TITLE if has_title else _TOP)
    figure.set_size_inches(width, total)
    boxes = [(_LEFT, bottom + (height - map_height) / 2, map_width, map_height)]
    boxes += [(left, bottom, panel_width, height) for left in panels]
    return [(x / width, y / total, w / width, h / total) for x, y, w, h in boxes]


def _columns_that_fit(width: float) -> int:
    """Return how many entries of the legend fit side by side in a figure of this width."""
    return max(int((width - 0.4) / 1.45), 1)


def _add_shares(figure: Figure, dataset: xr.Dataset, rgba: Float64s) -> None:
    """Add the legend: every cluster with its share, at the bottom; or a grid of colours."""
    labels = dataset["label"]
    if legends.needs_key(labels):
        legends.add_legend(figure.axes[-1], labels, style.cluster_colors(labels))
        return
    names, of = style.name_shares(dataset)
    entries = [legends.swatch(color, name) for color, name in zip(rgba, names, strict=True)]
    entries += legends.missing_entry(style.check_labels(labels))
    width, height = figure.get_size_inches()
    figure.legend(
        handles=entries, loc="lower center", frameon=False, fontsize=8.5,
        ncols=legends.balanced_columns(len(entries), limit=_columns_that_fit(width)),
        handlelength=1.3, columnspacing=1.4, labelspacing=0.4, borderaxespad=0.0,
        bbox_to_anchor=(0.5, 0.08 / height), title=f"share of the {of}", title_fontsize=8.5,
    )  # fmt: skip
