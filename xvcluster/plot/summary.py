"""A figure for a paper: the map of the clusters and, beside it, all their centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Array, Float64s, Objects
from xvcluster.grid.labels import Result
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style, view
from xvcluster.plot.inputs import check_switches, take_result
from xvcluster.plot.levels import find_levels
from xvcluster.plot.map import add_map_axes, check_view, frame
from xvcluster.plot.map import map as draw_map
from xvcluster.plot.options import Panels, drawing, take_axes
from xvcluster.plot.profiles import (
    draw_boxes,
    label_axes,
    line_style,
    pick_variables,
    tidy,
)
from xvcluster.plot.size import MOST, balanced_columns, bounded

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import xarray as xr
    from cartopy.crs import Projection
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xvcluster.plot.basemap import Resolution
    from xvcluster.plot.style import Colors

_MAP_HEIGHT = 3.7  # inches, at most
_PANEL_HEIGHT = 2.5  # inches, if there are several rows of them
_PANEL_WIDTH = 1.7
_IN_A_ROW = 4  # panels beside the map, unless there are so many that these rows do not fit


@drawing()
def summary(
    dataset: Result | xr.Dataset,
    *,
    variable: Hashable | None = None,
    axes: Sequence[Axes] | Array | None = None,
    figsize: tuple[float, float] | None = None,
    projection: Projection | None = None,
    extent: geo.Box | None = None,
    colors: Colors | None = None,
    legend: bool | str = True,
    title: str | None = None,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "auto",
    scale_bar: bool | float = False,
) -> Panels:
    """Draw the map of the clusters and, beside it, all centroids, with the clusters' shares.

    Parameters
    ----------
    dataset : ClusterResult or Dataset
        A result, or its dataset.
    variable : hashable, optional
        The variable whose centroids are drawn. Default: all of them, four in a row.
    %(axes)s
        That of the map first, then one per variable.
    %(figsize)s
        In a narrow one, the centroids are below the map.
    projection, extent
        Of the map, as in `map`.
    %(colors)s
    %(legend)s
        Here the clusters and their shares, below all panels or at a place on the map.
    %(title)s
    coastlines, borders, resolution, scale_bar
        As in `map`.

    Returns
    -------
    Panels
        The map, and one panel per variable.

    Raises
    ------
    TypeError
        If `dataset` is neither a result nor a Dataset, or the axes of the map are not as in `map`.
    ValueError
        If `variable` is not in the result, the labels hold more than one map, `projection`,
        `extent` or `figsize` would have no effect or is none, `colors` does not have one colour per
        cluster, or `axes` not one element per panel.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> result = vs.vcluster.kmeans(6)
    >>> panels = result.plot.summary(title="Velocity provinces")
    """
    extent, projection = view.check_extent(extent), view.check_projection(projection)
    dataset = take_result(dataset, "summary").compute()  # read lazy maps only once
    check_switches(coastlines=coastlines, borders=borders)
    names = pick_variables(dataset, variable)
    labels = style.check_labels(dataset["label"])
    rgba = style.check_colors(labels, colors)
    place = geo.locate(labels)
    if axes is None:
        check_view(place, None, projection, extent=extent)
        given = _new_axes(dataset, place, len(names), figsize, projection, extent)
    else:
        given = take_axes(axes, 1 + len(names))
        check_view(place, given[0], projection, extent=extent)
    map_ax, panels = given[0], given[1:]
    options: dict[str, Any] = {"coastlines": coastlines, "borders": borders, "extent": extent}
    options |= {"colors": list(rgba), "resolution": resolution, "legend": False}
    options |= {"scale_bar": scale_bar}
    if place.kind != "plane" and axes is None:
        frame(map_ax, place, extent, tight=projection is None)
    draw_map(labels, ax=map_ax, **options)
    for name, ax in zip(names, panels, strict=True):
        _draw_centroids(ax, dataset, name, rgba[dataset["cluster"].values - 1])
    if not _are_times(dataset):
        _label_first_column(panels)
    if legend:
        place_of = legend if isinstance(legend, str) else None
        _add_shares(given, dataset, labels, rgba, place_of, is_own=axes is None)
    if title is not None:
        map_ax.figure.suptitle(title, fontsize=12)
    return Panels(given)


def _are_times(dataset: xr.Dataset) -> bool:
    """Whether the levels are times, so that each panel has values of its own at the left."""
    levels = find_levels(dataset)
    return levels is not None and levels.is_time


def _label_first_column(panels: Objects) -> None:
    """Label the axis of the levels at the left of each row only."""
    cells = [ax.get_subplotspec() for ax in panels]
    first = min((cell.colspan.start for cell in cells if cell is not None), default=0)
    for ax, cell in zip(panels, cells, strict=True):
        if cell is not None and cell.colspan.start > first:
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
    xlabel, ylabel = label_axes(ax, dataset, name, levels)
    ax.set_xlabel(xlabel, fontsize=9)
    ax.set_ylabel(ylabel, fontsize=9)
    tidy(ax)


def _new_axes(
    dataset: xr.Dataset,
    place: geo.Geometry,
    n_panels: int,
    figsize: tuple[float, float] | None,
    projection: Projection | None,
    extent: geo.Box | None,
) -> Objects:
    """Return the axes of the map and of the panels, in a new figure with room for the legend."""
    import matplotlib.pyplot as plt

    shape = 1.6 if place.kind == "plane" else view.shape(place, projection, extent)
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
        height += 0.2 + 0.19 * -(
            -(dataset.sizes["cluster"] + 1)
            // _columns_that_fit(width, style.name_shares(dataset)[0])
        )
    figure = plt.figure(figsize=figsize or bounded(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    if figsize is not None and _is_narrow(figsize, (width, height), shape, n_panels):
        return _stack(figure, place, n_panels, shape, projection, extent)
    grid = figure.add_gridspec(n_rows, 1 + n_columns, width_ratios=widths)
    map_ax = add_map_axes(figure, grid[:, 0], place, projection, extent)
    cells = [grid[row, 1 + column] for row in range(n_rows) for column in range(n_columns)]
    axes = [map_ax, *(figure.add_subplot(cell) for cell in cells[:n_panels])]
    return np.array(axes, dtype=object)


def _is_narrow(
    figsize: tuple[float, float], beside: tuple[float, float], shape: float, n_panels: int
) -> bool:
    """Whether panels are larger below the map than beside it, where they need a certain size."""
    n_columns = balanced_columns(n_panels, max(int(figsize[0] / _PANEL_WIDTH), 1))
    n_rows, extra = -(-n_panels // n_columns), 1.6  # inches of labels and legend
    width = max(n_columns * 2.2, 3.3)
    below = width, width / max(shape, 0.8) + n_rows * _PANEL_HEIGHT + extra
    scales = [min(figsize[0] / w, figsize[1] / h) for w, h in (beside, below)]
    return scales[1] > scales[0]


def _stack(
    figure: Figure,
    place: geo.Geometry,
    n_panels: int,
    shape: float,
    projection: Projection | None,
    extent: geo.Box | None,
) -> Objects:
    """Return the axes of the map, and of the panels below it in as many columns as fit."""
    width = float(figure.get_size_inches()[0])
    n_columns = balanced_columns(n_panels, max(int(width / _PANEL_WIDTH), 1))
    n_rows = -(-n_panels // n_columns)
    heights = [width / max(shape, 0.8), *[_PANEL_HEIGHT] * n_rows]
    grid = figure.add_gridspec(1 + n_rows, n_columns, height_ratios=heights)
    map_ax = add_map_axes(figure, grid[0, :], place, projection, extent)
    cells = [grid[1 + row, column] for row in range(n_rows) for column in range(n_columns)]
    axes = [map_ax, *(figure.add_subplot(cell) for cell in cells[:n_panels])]
    return np.array(axes, dtype=object)


def _columns_that_fit(width: float, names: list[str]) -> int:
    """Return how many entries of the legend fit side by side in a figure of this width."""
    return max(int((width - 0.4) / max(1.45, legends.entry_width(names))), 1)


def _add_shares(
    axes: Objects,
    dataset: xr.Dataset,
    labels: xr.DataArray,
    rgba: Float64s,
    place: str | None,
    *,
    is_own: bool,
) -> None:
    """Add the legend: every cluster with its share, at the bottom; or a grid of colours."""
    figure = axes[0].figure
    if legends.needs_key(labels):
        beside = max(axes, key=lambda ax: ax.get_position().x1) if place is None else axes[0]
        legends.add_legend(beside, labels, rgba, place=place)
        return
    names, of = style.name_shares(dataset)
    own = rgba[dataset["cluster"].values - 1]
    entries = [legends.swatch(color, name) for color, name in zip(own, names, strict=True)]
    entries += legends.missing_entry(labels)
    look: dict[str, Any] = {"title": f"share of the {of}", "title_fontsize": 8.5, "fontsize": 8.5}
    look |= {"handlelength": 1.3, "labelspacing": 0.4, "handles": entries}
    if place is not None or not is_own:
        axes[0].legend(loc=place or "best", framealpha=0.85, **look).set_zorder(5)
        return
    limit = _columns_that_fit(figure.get_size_inches()[0], names)
    look |= {"ncols": balanced_columns(len(entries), limit), "columnspacing": 1.4}
    figure.legend(loc="outside lower center", frameon=False, borderaxespad=0.0, **look)
