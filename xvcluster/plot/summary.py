"""A figure for a paper: the map of the clusters and, beside it, all their centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.map import add_geo_axes, frame
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

_LABEL = 32
"""Characters of an axis label that fit under a panel."""


def summary(
    dataset: xr.Dataset,
    *,
    variable: Hashable | None = None,
    title: str | None = None,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "110m",
) -> Figure:
    """Draw the map of the clusters and, beside it, all centroids with their shares.

    Parameters
    ----------
    dataset : xr.Dataset
        The dataset of a `ClusterResult`.
    variable : hashable, optional
        The variable whose centroids are drawn. Default: all of them, side by side.
    title : str, optional
        Title of the figure.
    coastlines, borders, resolution
        As for `map`.

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

    dataset = dataset.compute()  # lazy maps are read once
    names = pick_variables(dataset, variable)
    labels = style.check_labels(dataset["label"])
    rgba = style.own_colors(dataset)
    place = geo.locate(labels)
    figure = plt.figure(figsize=(10, 5))
    boxes = _arrange(figure, dataset, place, names, has_title=title is not None)
    if place.kind == "plane":
        map_ax = figure.add_axes(boxes[0])
    else:
        map_ax = add_geo_axes(figure, boxes[0], place)
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
    """All centroids of a variable in one panel, over faint bands of their middle halves."""
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
    """Size the figure for its map, and give the rectangles of the map and of the panels."""
    shape = 1.6 if place.kind == "plane" else geo.shape(place)
    n_panels = len(names)
    height = 3.7
    map_width = float(np.clip(height * shape, 1.6, 6.2))
    panel_width = 2.9 if n_panels == 1 else 2.2
    left, gap, between, right, top = 0.6, 0.95, 0.35, 0.2, 0.5 if has_title else 0.2
    key = 0.0
    if legends.needs_key(dataset["label"]):
        key = legends.size(dataset["label"], map_width)[0] + 0.1
    panels = n_panels * panel_width + (n_panels - 1) * between
    width = left + map_width + gap + panels + key + right
    map_height = min(height, map_width / shape)
    height = max(map_height, 3.2)
    n_entries = dataset.sizes["cluster"] + 1
    legend_rows = 0 if key else -(-n_entries // max(int((width - 0.4) / 1.45), 1))
    label_lines = max(style.axis_label(dataset[n], width=_LABEL).count("\n") for n in names)
    bottom = 0.5 + 0.16 * label_lines + (0.2 + 0.19 * legend_rows) * bool(legend_rows)
    total = bottom + height + top
    figure.set_size_inches(width, total)
    boxes = [(left, bottom + (height - map_height) / 2, map_width, map_height)]
    start = left + map_width + gap
    boxes += [
        (start + index * (panel_width + between), bottom, panel_width, height)
        for index in range(n_panels)
    ]
    return [(x / width, y / total, w / width, h / total) for x, y, w, h in boxes]


def _add_shares(figure: Figure, dataset: xr.Dataset, rgba: Float64s) -> None:
    """The legend of a summary: every cluster with its share, below; or a grid of colours."""
    labels = dataset["label"]
    if legends.needs_key(labels):
        legends.add_legend(figure.axes[-1], labels, style.cluster_colors(labels))
        return
    percent, of = style.shares(dataset)
    names = style.cluster_names(labels)
    entries = [
        legends.swatch(color, f"{names[int(number)]} · {style.share_text(share)}")
        for number, share, color in zip(dataset["cluster"].values, percent, rgba, strict=True)
    ]
    entries += legends.missing_entry(style.check_labels(labels))
    width, height = figure.get_size_inches()
    n_columns = legends.balanced_columns(len(entries), max(int((width - 0.4) / 1.45), 1))
    figure.legend(
        handles=entries, loc="lower center", ncols=n_columns, frameon=False, fontsize=8.5,
        handlelength=1.3, columnspacing=1.4, labelspacing=0.4, borderaxespad=0.0,
        bbox_to_anchor=(0.5, 0.08 / height), title=f"share of the {of}", title_fontsize=8.5,
    )  # fmt: skip
