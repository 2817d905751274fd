"""Profiles of the clusters: one panel per cluster, with the spread of its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Array, Float64s
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.record.store import parameters

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def profiles(
    dataset: xr.Dataset,
    *,
    variable: Hashable | None = None,
    axes: Sequence[Axes] | Array | None = None,
    ncols: int | None = None,
) -> Figure:
    """Draw the profile of each cluster: its centroid over the spread of its members.

    The light band extends from the 5th to the 95th percentile of the members, the darker one from
    the 25th to the 75th; the dashed line is their median and the thick one the centroid. Data
    without a vertical, or with a single level, are drawn as one box per cluster.

    Parameters
    ----------
    dataset : xr.Dataset
        The dataset of a `ClusterResult`.
    variable : hashable, optional
        The variable to draw. Default: all of them, one below the other.
    axes : sequence of matplotlib Axes, optional
        One per panel, variable by variable. Default: a new figure.
    ncols : int, optional
        Number of panels in a row. Default: at most five, in rows of about the same length.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `variable` is not in the result, if `axes` does not have one element per panel, or if
        `ncols` is given together with `axes` or is less than 1.

    Examples
    --------
    >>> from xvcluster.plot import profiles
    >>> figure = profiles(result.dataset, variable="vs")  # doctest: +SKIP
    """
    names = pick_variables(dataset, variable)
    vertical = vertical_name(dataset)
    n_clusters = 1 if vertical is None else dataset.sizes["cluster"]
    panels = _panels(len(names), n_clusters, axes, ncols, boxes=vertical is None)
    rgba = style.own_colors(dataset)
    for name, row in zip(names, panels, strict=True):
        if vertical is None:
            draw_boxes(row[0], dataset, name, rgba)
            continue
        for index, ax in enumerate(row):
            _draw_spread(ax, dataset, name, vertical, index, rgba[index])
        _share_axes(row, dataset, name, vertical)
    return panels[0][0].figure  # type: ignore[return-value]


def vertical_name(dataset: xr.Dataset) -> str | None:
    """Return the vertical dim of a result, or None if profiles have a single level."""
    vertical = parameters(dataset).get("vertical")
    return vertical if dataset.sizes.get(vertical, 1) > 1 else None


def vertical_coordinate(dataset: xr.Dataset, vertical: str) -> xr.DataArray:
    """Return the vertical coordinate as matplotlib can draw it: durations in days."""
    coordinate = dataset[vertical]
    if coordinate.dtype.kind != "m":
        return coordinate
    days = coordinate.values / np.timedelta64(1, "D")
    return coordinate.copy(data=days).assign_attrs(units="days")


def pick_variables(dataset: xr.Dataset, variable: Hashable | None) -> list[Hashable]:
    """Return the clustered variables to draw: all of them, or the given one."""
    names = list(parameters(dataset)["variables"])
    if variable is None:
        return names
    if variable not in names:
        raise ValueError(
            f"variable {variable!r} was not clustered; choose one of {names}, or None for all"
        )
    return [variable]


def draw_boxes(ax: Axes, dataset: xr.Dataset, name: Hashable, rgba: Float64s) -> None:
    """Draw one horizontal box per cluster: quartiles and median, whiskers from 5 to 95 %."""
    spread = dataset[f"{name}_quantile"].transpose("quantile", "cluster", ...).values
    spread = spread.reshape(spread.shape[:2])  # drops a single level
    statistics = [
        dict(zip(("whislo", "q1", "med", "q3", "whishi"), column, strict=True), fliers=[])
        for column in spread.T
    ]
    numbers = dataset["cluster"].values
    boxes = ax.bxp(
        statistics, positions=numbers, orientation="horizontal", widths=0.62, patch_artist=True,
        showfliers=False, medianprops={"color": style.OUTLINE, "linewidth": 1.4},
    )  # fmt: skip
    for patch, color in zip(boxes["boxes"], rgba, strict=True):
        patch.set(facecolor=color, edgecolor=style.OUTLINE, linewidth=0.7)
    for line in boxes["whiskers"] + boxes["caps"]:
        line.set(color=style.OUTLINE, linewidth=0.7)
    names, of = style.name_shares(dataset)
    ax.set_yticks(numbers, names)
    ax.invert_yaxis()
    ax.set_xlabel(style.axis_label(dataset[name], width=36), fontsize=9)
    ax.set_title(f"share of the {of}", loc="right", fontsize=8.5, color=style.OUTLINE)
    tidy(ax)


def line_style(width: float) -> dict[str, Any]:
    """Return the look of a coloured line with a dark rim, readable on white even if pale."""
    from matplotlib.patheffects import withStroke

    return {
        "linewidth": width,
        "solid_capstyle": "round",
        "path_effects": [withStroke(linewidth=width + 0.9, foreground=style.OUTLINE)],
    }


def _panels(
    n_rows: int,
    n_panels: int,
    axes: Sequence[Axes] | Array | None,
    ncols: int | None,
    *,
    boxes: bool,
) -> list[list[Axes]]:
    """Return the axes of each variable's panels: the given ones, or new ones."""
    total = n_rows * n_panels
    if axes is None:
        return _new_panels(n_rows, n_panels, ncols, boxes=boxes)
    flat = list(np.ravel(np.asarray(axes, dtype=object)))
    if ncols is not None:
        raise ValueError(f"ncols={ncols} has no effect on the given axes; pass one of the two")
    if len(flat) != total:
        raise ValueError(f"axes has {len(flat)} axes for {total} panels; pass {total}")
    return [flat[start : start + n_panels] for start in range(0, total, n_panels)]


def count_columns(n_panels: int, ncols: int | None, *, limit: int) -> int:
    """Return the number of columns of panels: the given one, or at most `limit`, evenly filled."""
    if ncols is not None and ncols < 1:
        raise ValueError(f"ncols must be at least 1, got {ncols}; None chooses it")
    return min(ncols or legends.balanced_columns(n_panels, limit), n_panels)


def _new_panels(n_rows: int, n_panels: int, ncols: int | None, *, boxes: bool) -> list[list[Axes]]:
    """Return the axes of a new figure, the panels of each variable in rows of their own."""
    import matplotlib.pyplot as plt

    n_columns = count_columns(n_panels, ncols, limit=5)
    lines = -(-n_panels // n_columns)
    width = 6.0 if boxes else 1.95 * n_columns + 0.7
    height = n_rows * (3.4 if boxes else 2.5 * lines + 0.4)
    figure = plt.figure(figsize=(width, height), layout="constrained")
    grid = figure.add_gridspec(n_rows * lines, n_columns)
    panels: list[list[Axes]] = []
    for row in range(n_rows):
        cells = [grid[row * lines + i // n_columns, i % n_columns] for i in range(n_panels)]
        panels.append([figure.add_subplot(cell) for cell in cells])
    return panels


def _draw_spread(
    ax: Axes,
    dataset: xr.Dataset,
    name: Hashable,
    vertical: str,
    index: int,
    color: Float64s,
) -> None:
    """Draw one cluster's bands, median and centroid, with its share in the title."""
    z = vertical_coordinate(dataset, vertical).values
    spread = dataset[f"{name}_quantile"].isel(cluster=index).transpose("quantile", vertical).values
    ax.fill_betweenx(z, spread[0], spread[4], color=color, alpha=0.28, linewidth=0)
    ax.fill_betweenx(z, spread[1], spread[3], color=color, alpha=0.55, linewidth=0)
    for edge in (spread[0], spread[4]):
        ax.plot(edge, z, color=style.OUTLINE, linewidth=0.3, alpha=0.5)
    ax.plot(spread[2], z, color=style.OUTLINE, linewidth=0.7, linestyle=(0, (4, 2)))
    centroid = dataset[name].isel(cluster=index).values
    ax.plot(centroid, z, color=color, **line_style(1.9))
    names, of = style.name_shares(dataset)
    ax.set_title(f"{names[index]} of the {of}", fontsize=8.5)
    tidy(ax)


def _share_axes(row: list[Axes], dataset: xr.Dataset, name: Hashable, vertical: str) -> None:
    """Give all panels of a variable the same range, and label only the outer ones."""
    spread = dataset[f"{name}_quantile"].values
    low, high = np.nanmin(spread), np.nanmax(spread)
    margin = 0.04 * (high - low) or 1.0
    coordinate = vertical_coordinate(dataset, vertical)
    for index, ax in enumerate(row):
        ax.set_xlim(low - margin, high + margin)
        set_vertical(ax, coordinate)
        spec = ax.get_subplotspec()
        n_columns = spec.get_geometry()[1] if spec else 1
        first, last = index % n_columns == 0, index + n_columns >= len(row)
        ax.tick_params(labelleft=first, labelbottom=last)
        if first:
            ax.set_ylabel(style.axis_label(coordinate), fontsize=9)
        if last:
            ax.set_xlabel(style.axis_label(dataset[name], width=26), fontsize=9)


def set_vertical(ax: Axes, vertical: xr.DataArray) -> None:
    """Set the range of the vertical axis, with depth pointing down."""
    # times are not converted, so that matplotlib draws an axis of dates
    low, high = vertical.values.min(), vertical.values.max()
    ax.set_ylim((low, high) if style.points_up(vertical) else (high, low))


def tidy(ax: Axes) -> None:
    """Give axes thin lines and a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_linewidth(0.7)
    ax.tick_params(labelsize=8, width=0.7, length=3)
    ax.grid(color="#555555", alpha=0.15, linewidth=0.5)
    ax.set_axisbelow(True)
