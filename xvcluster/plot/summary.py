"""A figure for a paper: the map of the clusters and, beside it, all their centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.grid.labels import Result
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style, view
from xvcluster.plot.inputs import check_switches, take_result
from xvcluster.plot.levels import find_levels
from xvcluster.plot.map import add_map_axes, frame
from xvcluster.plot.map import map as draw_map
from xvcluster.plot.profiles import draw_boxes, line_style, pick_variables, tidy
from xvcluster.plot.size import MOST, balanced_columns, bounded

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xvcluster.plot.basemap import Resolution

_MAP_HEIGHT = 3.7  # inches, at most
_PANEL_HEIGHT = 2.5  # inches, if there are several rows of them
_IN_A_ROW = 4  # panels beside the map, unless there are so many that these rows do not fit


def summary(
    dataset: Result | xr.Dataset,
    *,
    variable: Hashable | None = None,
    title: str | None = None,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "auto",
    scale_bar: bool | float = False,
) -> Figure:
    """Draw the map of the clusters and, beside it, all centroids, with the clusters' shares.

    Parameters
    ----------
    dataset : ClusterResult or Dataset
        A result, or its dataset.
    variable : hashable, optional
        The variable whose centroids are drawn. Default: all of them, four in a row.
    title : str, optional
        Title of the figure.
    coastlines, borders, resolution, scale_bar
        As in `map`.

    Returns
    -------
    Figure

    Raises
    ------
    TypeError
        If `dataset` is neither a result nor a Dataset.
    ValueError
        If `variable` is not in the result, or the labels hold more than one map.

    Examples
    --------
    >>> from xvcluster.plot import summary
    >>> figure = summary(result.dataset, title="Velocity provinces")  # doctest: +SKIP
    """
    dataset = take_result(dataset, "summary").compute()  # read lazy maps only once
    check_switches(coastlines=coastlines, borders=borders)
    names = pick_variables(dataset, variable)
    labels = style.check_labels(dataset["label"])
    rgba = style.own_colors(dataset)
    place = geo.locate(labels)
    map_ax, *panels = _new_axes(dataset, place, len(names))
    figure: Figure = map_ax.figure  # type: ignore[assignment]
    options: dict[str, Any] = {"coastlines": coastlines, "borders": borders}
    options |= {"scale_bar": scale_bar}
    if place.kind != "plane":
        frame(map_ax, place, None, tight=True)
    draw_map(labels, ax=map_ax, legend=False, resolution=resolution, **options)
    for name, ax in zip(names, panels, strict=True):
        _draw_centroids(ax, dataset, name, rgba)
    if not _are_times(dataset):
        _label_first_column(panels)
    _add_shares(figure, dataset, labels, rgba)
    if title is not None:
        figure.suptitle(title, fontsize=12)
    return figure


def _are_times(dataset: xr.Dataset) -> bool:
    """Whether the levels are times, so that each panel has values of its own at the left."""
    levels = find_levels(dataset)
    return levels is not None and levels.is_time


def _label_first_column(panels: list[Axes]) -> None:
    """Label the axis of the levels at the left of each row only."""
    for ax in panels:
        cell = ax.get_subplotspec()
        if cell is not None and cell.colspan.start > 1:
            ax.set_ylabel("")
            ax.tick_params(labelleft=False)


def _draw_centroids(ax: Axes, dataset: xr.Dataset, name: Hashable, rgba: Float64s) -> None:
    """Draw all centroids of a variable in one panel, over faint bands between their quartiles."""
    levels = find_levels(dataset)
    if levels is None:
        draw_boxes(ax, dataset, name, rgba)
        numbers = dataset["cluster"].values
        some = numbers[:: -(-len(numbers) // 25)]
        ax.set_yticks(some, [str(number) for number in some])
        ax.set_ylabel("cluster", fontsize=9)
        ax.set_title("", loc="right")
        return
    _, low, _, high, _ = dataset[f"{name}_quantile"].transpose("quantile", "cluster", ...).values
    centroids = dataset[name].transpose("cluster", ...).values
    many = len(centroids) > legends.LIST_LIMIT
    for index, color in enumerate(rgba):
        if not many:
            levels.fill(ax, low[index], high[index], color=color, alpha=0.16)
        levels.draw(ax, centroids[index], color=color, **line_style(0.9 if many else 2.0))
    levels.limit(ax)
    xlabel, ylabel = levels.labels(style.axis_label(dataset[name], width=32))
    ax.set_xlabel(xlabel, fontsize=9)
    ax.set_ylabel(ylabel, fontsize=9)
    tidy(ax)


def _new_axes(dataset: xr.Dataset, place: geo.Geometry, n_panels: int) -> list[Axes]:
    """Return the axes of the map and of the panels, in a new figure with room for the legend."""
    import matplotlib.pyplot as plt

    shape = 1.6 if place.kind == "plane" else view.shape(place)
    map_width = float(np.clip(_MAP_HEIGHT * shape, 1.6, 6.2))
    n_columns = balanced_columns(n_panels, _IN_A_ROW)
    if -(-n_panels // n_columns) * _PANEL_HEIGHT > MOST:
        n_columns = balanced_columns(n_panels, 2 * _IN_A_ROW)
    n_rows = -(-n_panels // n_columns)
    widths = [map_width, *[2.9 if n_panels == 1 else 2.2] * n_columns]
    height = float(np.clip(map_width / shape, 3.2, _MAP_HEIGHT))
    width = sum(widths) + 1.4 + 0.35 * n_columns
    height = max(height, n_rows * _PANEL_HEIGHT if n_rows > 1 else 0.0) + 0.8
    if legends.needs_key(dataset["label"]):
        width += legends.key_width(dataset["label"])
    else:
        height += 0.2 + 0.19 * -(-(dataset.sizes["cluster"] + 1) // _columns_that_fit(width))
    figure = plt.figure(figsize=bounded(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    grid = figure.add_gridspec(n_rows, 1 + n_columns, width_ratios=widths)
    map_ax = add_map_axes(figure, grid[:, 0], place)
    cells = [grid[row, 1 + column] for row in range(n_rows) for column in range(n_columns)]
    return [map_ax, *(figure.add_subplot(cell) for cell in cells[:n_panels])]


def _columns_that_fit(width: float) -> int:
    """Return how many entries of the legend fit side by side in a figure of this width."""
    return max(int((width - 0.4) / 1.45), 1)


def _add_shares(figure: Figure, dataset: xr.Dataset, labels: xr.DataArray, rgba: Float64s) -> None:
    """Add the legend: every cluster with its share, at the bottom; or a grid of colours."""
    if legends.needs_key(labels):
        beside = max(figure.axes, key=lambda ax: ax.get_position().x1)
        legends.add_legend(beside, labels, style.colors_of(labels))
        return
    names, of = style.name_shares(dataset)
    entries = [legends.swatch(color, name) for color, name in zip(rgba, names, strict=True)]
    entries += legends.missing_entry(labels)
    limit = _columns_that_fit(figure.get_size_inches()[0])
    figure.legend(
        handles=entries, loc="outside lower center", frameon=False, fontsize=8.5,
        ncols=balanced_columns(len(entries), limit),
        handlelength=1.3, columnspacing=1.4, labelspacing=0.4, borderaxespad=0.0,
        title=f"share of the {of}", title_fontsize=8.5,
    )  # fmt: skip
