"""How clusters change from step to step: their areas, and which becomes which."""

from __future__ import annotations

from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s, Integers
from xvcluster.grid.changes import areas as find_areas
from xvcluster.grid.changes import find_steps
from xvcluster.grid.changes import transitions as find_transitions
from xvcluster.grid.labels import Clustering, given_names, present_numbers
from xvcluster.messages import plain, shown
from xvcluster.options import check_flag
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.fields import add_bar
from xvcluster.plot.levels import read_levels
from xvcluster.plot.options import drawing
from xvcluster.plot.profiles import line_style, tidy
from xvcluster.plot.size import text_width

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from xvcluster.plot.style import Colors

_WORDS = {9: "billion", 6: "million", 3: "thousand", 0: ""}

_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
"""Of the scale of shares."""

_LETTER = 0.08
"""Inches of a letter of titles and dates."""

_SIZE = (7.0, 3.2)
"""Width and height of a figure of areas, in inches."""

_CELL = 0.55
"""Inches of a cell of a matrix in a new figure."""

_ROOMY, _TIGHT = 0.46, 0.14
"""Least inches of a cell that holds a share and an area, and of the height of one with a share."""

_STRIP = 0.09
"""Inches of the strips of colours beside a matrix."""


@drawing()
def areas(
    labels: Clustering,
    *,
    dim: Hashable | None = None,
    stacked: bool = True,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    colors: Colors | None = None,
    legend: bool | str = True,
    title: str | None = None,
) -> Axes:
    """Draw the area of each cluster at each step along a dimension such as time.

    Parameters
    ----------
    labels : ClusterResult, Dataset or DataArray
        Cluster numbers on a map and along one more dimension; or a result with such labels.
    dim : hashable, optional
        The dimension of the steps, which are in ascending order of its numbers or dates. Default:
        the only one beside those of the map.
    stacked : bool, default True
        Draw areas one above the other, the first cluster on top; otherwise a line for each.
    %(ax)s
    %(figsize)s
    %(colors)s
    %(legend)s
    %(title)s

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        As `ClusterResult.areas`; or if there is a single step, or `ax` is no plain axes.

    See Also
    --------
    xvcluster.ClusterResult.areas : The numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import xvcluster
    >>> surface = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    >>> month = xr.DataArray(np.arange(12), dims="month")
    >>> season = 6 * np.cos(np.pi * (month - 7) / 6) * np.sin(np.deg2rad(surface.latitude))
    >>> labels, centroids = (surface + season).expand_dims("depth").vcluster.kmeans(4)
    >>> ax = labels.vcluster.plot.areas(dim="month")
    """
    import matplotlib.pyplot as plt

    check_flag("stacked", stacked)
    style.check_axes(ax)
    labels = style.check_labels(labels)
    rgba = style.check_colors(labels, colors)
    steps = find_steps(labels, dim)
    found = find_areas(labels, steps)
    if found.sizes[steps] == 1:
        raise ValueError(
            f"areas are drawn over at least two steps, but along {plain(steps)!r} the labels have "
            "one; its areas are what areas() returns"
        )
    if ax is None:
        ax = plt.figure(figsize=figsize or _SIZE, layout="constrained").add_subplot()
    levels = replace(read_levels(_named(found, steps)), is_time=True)
    present = present_numbers(labels)
    power, unit = _unit(found)
    values = found.sel(cluster=present).values.T / 10.0**power
    if stacked:
        ax.stackplot(levels.at, values[::-1], colors=rgba[present - 1][::-1], linewidth=0)
    else:
        for number, line in zip(present, values, strict=True):
            ax.plot(levels.at, line, color=rgba[number - 1], **line_style(1.6))
    ax.set_ylim(bottom=0)
    ax.margins(y=0)
    levels.limit(ax)
    if levels.names is not None and levels.at.dtype.kind != "M":
        fitting = legends.inches(ax)[0] / (_LETTER * (max(map(len, levels.names)) + 2))
        some = slice(None, None, -(-len(levels.names) // max(int(fitting), 2)))
        ax.set_xticks(levels.at[some], levels.names[some])
    ax.set_xlabel(levels.label, fontsize=9)
    ax.set_ylabel(unit if power == 0 and unit == "points" else f"area ({unit})", fontsize=9)
    tidy(ax)
    if legend:
        at_place: dict[str, Any] = {"place": legend if isinstance(legend, str) else None}
        legends.add_legend(ax, labels.fillna(present[0]), rgba, beside="right", **at_place)
    if title is not None:
        ax.set_title(title, fontsize=11)
    return ax


@drawing()
def transitions(
    labels: Clustering,
    *,
    dim: Hashable | None = None,
    step: int | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    colors: Colors | None = None,
    cmap: str | Colormap | None = None,
    legend: bool = True,
    title: str | None = None,
) -> Axes:
    """Draw which cluster becomes which from one step to the next, e.g. of time, as a matrix.

    Each row is a cluster before, each column one after. The colour of a cell is the share of the
    row; its text is the share and, where there is room, the area.

    Parameters
    ----------
    labels : ClusterResult, Dataset or DataArray
        Cluster numbers on a map and along one more dimension; or a result with such labels.
    dim : hashable, optional
        The dimension of the steps, which are in ascending order of its numbers or dates. Default:
        the only one beside those of the map.
    step : int, optional
        One of the steps, from 1 on: that from the first map to the second is 1. Default: all of
        them together.
    %(ax)s
    %(figsize)s
    %(colors)s
    %(cmap)s
        Here the shares; default: ``"Blues"``.
    %(bar)s
        Here the scale of the shares.
    %(title)s
        Default: says which steps these are.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        As `ClusterResult.transitions`; or if there is no such `step`, or `ax` is no plain axes.

    See Also
    --------
    xvcluster.ClusterResult.transitions : The numbers.

    Notes
    -----
    Points that have no label before or after do not count. Colours grow with the square root of
    the share, so that small shares can be distinguished.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import xvcluster
    >>> surface = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    >>> month = xr.DataArray(np.arange(12), dims="month")
    >>> season = 6 * np.cos(np.pi * (month - 7) / 6) * np.sin(np.deg2rad(surface.latitude))
    >>> labels, centroids = (surface + season).expand_dims("depth").vcluster.kmeans(4)
    >>> ax = labels.vcluster.plot.transitions(dim="month")
    """
    import matplotlib.pyplot as plt

    style.check_axes(ax)
    labels = style.check_labels(labels)
    rgba = style.check_colors(labels, colors)
    steps = find_steps(labels, dim)
    found = find_transitions(labels, steps)
    if step is not None:
        area = found["area"].sel(step=_check_step(step, found.sizes["step"]))
    else:
        area = found["area"].mean("step")
    numbers = found["before"].values
    if ax is None:
        side = _CELL * len(numbers)
        size = figsize or tuple(np.clip([side + 1.7, side + 1.1], 2.8, 12))
        ax = plt.figure(figsize=size, layout="constrained").add_subplot()
    area = area.transpose("before", "after").assign_attrs(found["area"].attrs)
    with np.errstate(invalid="ignore"):
        share = area.values / area.values.sum(axis=1, keepdims=True)
    drawn = _draw_matrix(ax, share, "Blues" if cmap is None else cmap)
    ax.set_xlabel("cluster after", fontsize=8.5)
    _name_clusters(ax, labels, numbers, rgba)
    if legend:
        bar: dict[str, Any] = {"ticks": _TICKS, "format": lambda value, _: f"{value:.0%}"}
        add_bar(ax, drawn, "share of the cluster before", side="right", offset=0.0, **bar)
    width = max(int(legends.inches(ax)[0] / _LETTER), 16)
    title = fill(_title_of(found, steps, step), width) if title is None else title
    ax.set_title(title, fontsize=9.5)
    if _write(ax, drawn, share, area):
        per = "" if step else " a step"
        ax.set_xlabel(f"cluster after\n(share, and {_unit(area)[1]}{per})", fontsize=8.5)
    return ax


def _check_step(step: Any, n_steps: int) -> int:
    """Return the number of a step; refuse what is none."""
    is_number = isinstance(step, int | np.integer) and not isinstance(step, bool)
    if not is_number or not 1 <= step <= n_steps:
        numbers = "can only be 1" if n_steps == 1 else f"must be a number from 1 to {n_steps}"
        raise ValueError(
            f"step {numbers}, which counts the steps from one map to the next, or None for all of "
            f"them; got {shown(step)}"
        )
    return int(step)


def _named(found: xr.DataArray, steps: Hashable) -> xr.DataArray:
    """Return the coordinate of the steps, or their places, from 1, if they have none."""
    if steps in found.coords:
        return found[steps]
    return xr.DataArray(np.arange(1, found.sizes[steps] + 1), dims=[steps], name=steps)


def _unit(area: xr.DataArray) -> tuple[int, str]:
    """Return the power of ten and the name of the unit in which areas are numbers to be read."""
    if area.attrs["units"] == "1":
        return 0, "points"
    largest = float(area.max())
    power = max((p for p in _WORDS if largest >= 10.0**p), default=0)
    return power, f"{_WORDS[power]} km²".strip()


def _draw_matrix(ax: Axes, share: Float64s, cmap: Any) -> Any:
    """Draw shares as the cells of a matrix."""
    from matplotlib.colors import PowerNorm

    norm = PowerNorm(0.5, vmin=0.0, vmax=1.0)
    drawn = ax.imshow(np.ma.masked_invalid(share), cmap=cmap, norm=norm, aspect="auto")
    ax.set_facecolor(style.MISSING)
    legends.separate_cells(ax, (len(share), len(share)))
    return drawn


def _write(ax: Axes, drawn: Any, share: Float64s, area: xr.DataArray) -> bool:
    """Write shares in cells, and areas if there is room for them; return whether there is."""
    ax.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    width, height = legends.inches(ax) / len(share)
    power = _unit(area)[0]
    has_areas = bool(min(width, height) >= _ROOMY)
    size = 7 if has_areas else 6
    for row, column in np.argwhere(np.isfinite(share) & (area.values > 0)):
        text = _percent(float(share[row, column]))
        if has_areas:
            text += f"\n{_round(area.values[row, column] / 10.0**power)}"
        look: dict[str, Any] = {
            "color": style.text_color(np.array(drawn.to_rgba(share[row, column])))
        }
        longest = max(text_width(line, size) for line in text.split("\n"))
        if longest <= 0.95 * width and height >= _TIGHT:
            ax.text(column, row, text, ha="center", va="center", fontsize=size, **look)
    return has_areas


def _round(number: float) -> str:
    """Return a number of at most two digits behind leading zeros, such as ``"0.012"``."""
    if number >= 9.95:
        return f"{number:.0f}"
    return f"{number:.2g}" if number >= 0.001 else "<0.001"


def _percent(share: float) -> str:
    """Return a share such as ``"12 %"``, ``"1.2 %"`` or ``"<0.1 %"``."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"


def _name_clusters(ax: Axes, labels: xr.DataArray, numbers: Integers, rgba: Float64s) -> None:
    """Name rows and columns, beside strips in the colours of the clusters."""
    from matplotlib.transforms import blended_transform_factory

    own = given_names(labels)
    known = style.cluster_names(labels)
    names = [known[int(n)] if own else str(n) for n in numbers]
    some = slice(None, None, -(-len(names) // 25))
    at, rows = np.arange(len(names))[some], names[some]
    slope: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    ax.set_yticks(at, rows, fontsize=8)
    ax.set_xticks(at, rows, fontsize=8, **(slope if own else {}))
    ax.tick_params(which="major", length=0, pad=72 * _STRIP + 3, labelbottom=True, labelleft=True)
    ax.set_ylabel("cluster before", fontsize=8.5)
    corner = legends.inches_from(ax, 0, 0)
    left = blended_transform_factory(corner, ax.transAxes)
    below = blended_transform_factory(ax.transAxes, corner)
    shades = rgba[numbers - 1]
    for box, transform, image in (
        ((-_STRIP - 0.02, 0, _STRIP, 1), left, shades[:, np.newaxis]),
        ((0, -_STRIP - 0.02, 1, _STRIP), below, shades[np.newaxis]),
    ):
        strip = ax.inset_axes(box, transform=transform)
        strip.imshow(image, aspect="auto", interpolation="nearest")
        strip.set_axis_off()


def _title_of(found: xr.Dataset, steps: Hashable, step: int | None) -> str:
    """Say from which map to which transitions lead."""
    n_steps = found.sizes["step"]
    step = 1 if n_steps == 1 else step
    if "start" not in found.coords:
        return f"from map {step} to {step + 1}" if step else f"all {n_steps} steps"
    ends = xr.concat([found["start"], found["end"]], "step").rename(step="at")
    levels = read_levels(ends.rename("start"))
    names = levels.names or [f"{plain(steps, 20)} {value:g}" for value in levels.at]
    if levels.at.dtype.kind == "M":  # the days are enough
        names = [name[:10] for name in names]
    if step is not None:
        return style.drawable(f"from {names[step - 1]} to {names[n_steps + step - 1]}")
    return style.drawable(f"{n_steps} steps, from {names[0]} to {names[-1]}")
