"""Profiles of the clusters: one panel per cluster, with the spread of its members."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Array, Float64s, Objects
from xvcluster.grid.labels import Result
from xvcluster.messages import shown
from xvcluster.plot import style
from xvcluster.plot.inputs import take_result
from xvcluster.plot.levels import Levels, find_levels
from xvcluster.plot.options import Panels, drawing, take_axes
from xvcluster.plot.size import (
    arrange,
    balanced_columns,
    bounded,
    letters,
    pitch,
    text_width,
)
from xvcluster.record.dataset import parameters_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr
    from matplotlib.axes import Axes

    from xvcluster.plot.style import Colors


_OPACITY = 0.55, 0.28
"""Of the band between the quartiles, and of the one from the 5th to the 95th percentile."""

_MEDIAN: dict[str, Any] = {"linewidth": 0.7, "linestyle": (0, (4, 2))}

_GREY = "#8a8a8a"
"""Colour of the key, which stands for those of all clusters."""

_ENTRY = 1.15
"""Inches of an entry of the key."""

_KEY = 0.25
"""Inches that the key adds to the height of a figure."""


@drawing()
def profiles(
    dataset: Result | xr.Dataset,
    *,
    variable: Hashable | None = None,
    axes: Sequence[Axes] | Array | None = None,
    figsize: tuple[float, float] | None = None,
    ncols: int | None = None,
    colors: Colors | None = None,
    legend: bool | str = True,
    title: str | None = None,
) -> Panels:
    """Draw the profile of each cluster: its centroid over the spread of its members.

    The light band extends from the 5th to the 95th percentile of the members, the darker one from
    the 25th to the 75th; the dashed line is their median and the thick one the centroid. Data
    without a vertical, or with a single level, are drawn as one box per cluster. Where the levels
    are times, these run from left to right.

    Parameters
    ----------
    dataset : ClusterResult or Dataset
        A result, or its dataset.
    variable : hashable, optional
        The variable to draw. Default: all of them, one below the other.
    %(axes)s
        Variable by variable.
    %(figsize)s
    ncols : int, optional
        Number of panels in a row. Default: at most five, in rows of about the same length, or as
        many as a figure of 20 inches or `figsize` needs.
    %(colors)s
    %(legend)s
        Here bands and lines: below the panels of a new figure, or at a place in the first panel.
    %(title)s

    Returns
    -------
    Panels
        One per cluster, variable by variable.

    Raises
    ------
    TypeError
        If `dataset` is neither a result nor a Dataset, or `axes` are no axes of matplotlib.
    ValueError
        If `variable` is not in the result, if `axes` does not have one element per panel, if
        `ncols` or `figsize` is given together with `axes`, if `ncols` is less than 1, if `colors`
        does not have one colour per cluster, or if the panels do not fit in a figure of 20 inches
        or of `figsize`.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> result = vs.vcluster.kmeans(6)
    >>> panels = result.plot.profiles()
    """
    dataset = take_result(dataset, "profiles")
    names = pick_variables(dataset, variable)
    levels = find_levels(dataset)
    n_clusters = 1 if levels is None else dataset.sizes["cluster"]
    box = (6.0, _box_height(dataset.sizes["cluster"])) if levels is None else None
    rgba = style.own_colors(dataset, colors)
    panels = _panels(len(names), n_clusters, axes, ncols, box, figsize)
    for name, row in zip(names, panels, strict=True):
        if levels is None:
            draw_boxes(row[0], dataset, name, rgba)
            continue
        for index, ax in enumerate(row):
            _draw_spread(ax, dataset, name, levels, index, rgba[index])
        _share_axes(row, dataset, name, levels)
    place = legend if isinstance(legend, str) else None
    if place is not None or (legend and axes is None):
        _add_key(panels[0, 0], place, boxes=levels is None)
    if title is not None:
        panels[0, 0].figure.suptitle(title, fontsize=12)
    return Panels(panels.ravel())


def pick_variables(dataset: xr.Dataset, variable: Hashable | None) -> list[Hashable]:
    """Return the clustered variables to draw: all of them, or the given one."""
    names = list(parameters_of(dataset)["variables"])
    if variable is None:
        return names
    if not isinstance(variable, str) or variable not in names:
        raise ValueError(
            f"variable {shown(variable)} was not clustered; choose one of {names}, or None for all"
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
    line = {"color": style.OUTLINE, "linewidth": 0.7}
    boxes = ax.bxp(
        statistics, positions=numbers, orientation="horizontal", widths=0.62, patch_artist=True,
        showfliers=False, whiskerprops=line, capprops=line, medianprops=line | {"linewidth": 1.4},
    )  # fmt: skip
    for patch, color in zip(boxes["boxes"], rgba, strict=True):
        patch.set(facecolor=color, edgecolor=style.OUTLINE, linewidth=0.7)
    names, of = style.name_shares(dataset)
    ax.set_yticks(numbers, names)
    ax.invert_yaxis()
    ax.set_xlabel(style.axis_label(dataset[name], width=36), fontsize=9)
    ax.set_title(f"share of the {of}", loc="right", fontsize=8.5, color=style.OUTLINE)
    tidy(ax)


def _add_key(ax: Axes, place: Any, *, boxes: bool) -> None:
    """Explain bands and lines, or boxes: below all panels, or at a place in one."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    dark, light = (Patch(facecolor=_GREY, alpha=alpha) for alpha in _OPACITY)
    thin = Line2D([], [], color=style.OUTLINE, linewidth=0.7)
    bold = Line2D([], [], color=_GREY, **line_style(1.9))
    median = Line2D([], [], color=style.OUTLINE, **_MEDIAN)
    shown = {"5–95 % of members": light, "25–75 %": dark, "median": median, "centroid": bold}
    if boxes:
        upright = Line2D([], [], color=style.OUTLINE, linewidth=1.4)
        box = Patch(facecolor=_GREY, edgecolor=style.OUTLINE, linewidth=0.7)
        shown = {"5–95 % of members": thin, "25–75 %": box, "median": upright}
    look: dict[str, Any] = {"fontsize": 7.5, "handlelength": 1.8, "labels": list(shown)}
    look |= {"handles": list(shown.values()), "columnspacing": 1.4}
    if place is not None:
        ax.legend(loc=place, framealpha=0.85, **look)
        return
    figure: Any = ax.figure
    fitting = max(int(figure.get_size_inches()[0] / _ENTRY), 1)
    look |= {"ncols": balanced_columns(len(shown), fitting), "frameon": False}
    figure.legend(loc="outside lower center", borderaxespad=0.2, **look)


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
    box: tuple[float, float] | None,
    figsize: tuple[float, float] | None,
) -> Objects:
    """Return the axes of each variable's panels: the given ones, or new ones."""
    if axes is None:
        return _new_panels(n_rows, n_panels, ncols, box, figsize)
    if ncols is not None:
        raise ValueError(f"ncols={ncols} has no effect on the given axes; pass one of the two")
    return take_axes(axes, n_rows * n_panels).reshape(n_rows, n_panels)


def _box_height(n_clusters: int) -> float:
    """Return the height in inches of a panel with one box per cluster."""
    return max(3.4, 0.2 * n_clusters + 0.6)


def _new_panels(
    n_rows: int,
    n_panels: int,
    ncols: int | None,
    box: tuple[float, float] | None,
    figsize: tuple[float, float] | None,
) -> Objects:
    """Return the axes of a new figure, the panels of each variable in rows of their own."""
    import matplotlib.pyplot as plt

    panel, margin = (box, (0.0, 0.0)) if box else ((1.95, 2.5), (0.7, 0.4))
    asked: dict[str, Any] = {"ncols": ncols, "figsize": figsize}
    plan = arrange(n_panels, panel, limit=5, groups=n_rows, margin=margin, **asked)
    width, height = plan.size
    size: dict[str, Any] = {"figsize": figsize or bounded(width, height + _KEY)}
    size["layout"] = "constrained"
    _, grid = plt.subplots(plan.n_rows, plan.n_columns, squeeze=False, **size)
    panels = grid.reshape(n_rows, -1)
    for ax in panels[:, n_panels:].flat:
        ax.remove()
    shown: Objects = panels[:, :n_panels]
    return shown


def _draw_spread(
    ax: Axes, dataset: xr.Dataset, name: Hashable, levels: Levels, index: int, color: Float64s
) -> None:
    """Draw one cluster's bands, median and centroid, with its share in the title."""
    spread = dataset[f"{name}_quantile"].isel(cluster=index).transpose("quantile", ...).values
    dark, light = _OPACITY
    levels.fill(ax, spread[0], spread[4], color=color, alpha=light)
    levels.fill(ax, spread[1], spread[3], color=color, alpha=dark)
    for edge in (spread[0], spread[4]):
        levels.draw(ax, edge, color=style.OUTLINE, linewidth=0.3, alpha=0.5)
    levels.draw(ax, spread[2], color=style.OUTLINE, **_MEDIAN)
    centroid = dataset[name].isel(cluster=index).values
    levels.draw(ax, centroid, color=color, **line_style(1.9))
    names, of = style.name_shares(dataset)
    write_title(ax, f"{names[index]} of the {of}", 8.5)
    tidy(ax)


def write_title(ax: Axes, text: str, size: float, *, beside: float = 0.1) -> None:
    """Write a title above a panel, in several lines if there is no room beside the labels of y."""
    room = pitch(ax)[0] - beside
    if text_width(text, size) > room:
        size, fitting = min(size, 7.5), letters(room, min(size, 7.5))
        parts = text.rpartition(" · ")[::2]
        text = "\n".join(fill(part, fitting, break_long_words=False) for part in parts if part)
    ax.set_title(text, fontsize=size)


def _share_axes(row: Objects, dataset: xr.Dataset, name: Hashable, levels: Levels) -> None:
    """Give all panels of a variable the same range, and label only the outer ones."""
    spread = dataset[f"{name}_quantile"].values
    low, high = np.nanmin(spread), np.nanmax(spread)
    margin = 0.04 * (high - low) or 1.0
    xlabel, ylabel = label_axes(row[0], dataset, name, levels)
    for index, ax in enumerate(row):
        levels.limit_values(ax, low - margin, high + margin)
        levels.limit(ax)
        cell = ax.get_subplotspec()
        n_columns = cell.get_geometry()[1] if cell else 1
        first, last = index % n_columns == 0, index + n_columns >= len(row)
        ax.tick_params(labelleft=first, labelbottom=last)
        if first:
            ax.set_ylabel(ylabel, fontsize=9)
        if last:
            ax.set_xlabel(xlabel, fontsize=9)


def label_axes(ax: Axes, dataset: xr.Dataset, name: Hashable, levels: Levels) -> tuple[str, str]:
    """Return the labels of the axes of profiles of a variable, in lines that fit at a panel."""
    width, height = (letters(length - 0.1, 9) for length in pitch(ax))
    across, upright = levels.labels(style.axis_label(dataset[name], width=1000))
    return fill(across, min(width, 32)), fill(upright, height)


def tidy(ax: Axes) -> None:
    """Give axes thin lines and a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_linewidth(0.7)
    ax.tick_params(labelsize=8, width=0.7, length=3)
    ax.grid(color="#555555", alpha=0.15, linewidth=0.5)
    ax.set_axisbelow(True)
