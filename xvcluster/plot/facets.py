"""One map for each entry along a dimension, such as each time, with one legend."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from xvcluster.arrays import Float64s, Objects
from xvcluster.grid.coords import units
from xvcluster.grid.horizontal import find_grid
from xvcluster.grid.labels import present_numbers
from xvcluster.messages import plain, shown
from xvcluster.options import check_integer
from xvcluster.plot import legend as legends
from xvcluster.plot.levels import read_levels
from xvcluster.plot.size import arrange, balanced_columns, fit_page, moderate

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

_ENTRY = 1.1
"""Inches of an entry of the legend."""


def check_facets(
    labels: xr.DataArray, col: Any, col_wrap: int | None, ax: Any, legend: Any
) -> None:
    """Refuse facets along what is no dimension beside those of a map, and contradictory options."""
    if not isinstance(col, Hashable) or col not in labels.dims:
        raise ValueError(
            f"col={shown(col)} is not a dimension of the labels, which have {_dims(labels)}; "
            "choose one beside those of the map, such as col='time'"
        )
    grid = find_grid(labels)
    if labels.ndim == 1 or (grid is not None and col in grid.dims):
        raise ValueError(
            f"col={col!r} is a dimension of the map itself: the labels have {_dims(labels)}; leave "
            "col out, or choose a dimension beside those of the map, such as time"
        )
    if col_wrap is not None:
        check_integer("col_wrap", col_wrap, 1)
    if ax is not None:
        raise ValueError(f"col={col!r} draws a figure with axes of its own; leave ax or col out")
    if isinstance(legend, str):
        raise ValueError(
            f"with col={col!r} one legend lies beside all maps, not at {legend!r}; pass True, or "
            "False for none"
        )


def new_figure(
    n_panels: int,
    shape: float,
    col_wrap: int | None,
    legend_of: xr.DataArray | None,
    figsize: tuple[float, float] | None,
    *,
    with_bars: bool,
    beside: tuple[float, float] = (0.0, 0.0),
) -> tuple[Figure, list[SubplotSpec]]:
    """Return a figure with room for maps of the given shape and their legend, and its cells.

    `beside` is the width and height, in inches, of what else belongs to each map.
    """
    import matplotlib.pyplot as plt

    shape = moderate(shape)
    width, limit = fit_page(shape, 0.5 + beside[0], columns=2 if any(beside) else 3)
    panel = (width + 0.5 + beside[0], width / shape + 0.7 + 0.5 * with_bars + beside[1])
    room = (0.0, 0.0) if legend_of is None else _room(legend_of, min(n_panels, limit) * panel[0])
    hint = "every third, labels[::3], or some of them"
    size: dict[str, Any] = {"ncols": col_wrap, "margin": room, "figsize": figsize}
    plan = arrange(n_panels, panel, limit=limit, hint=hint, **size)
    figure = plt.figure(figsize=plan.size, layout="compressed")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    grid = figure.add_gridspec(plan.n_rows, plan.n_columns)
    return figure, [grid[i] for i in range(n_panels)]


def name_facets(labels: xr.DataArray, col: Hashable) -> list[str]:
    """Return the title of each map, such as ``"time = 2000-01"``."""
    levels = read_levels(labels[col])
    unit = units(labels[col]) if levels.names is None else ""
    names = levels.names or [f"{value:g} {unit}".rstrip() for value in levels.at]
    return [f"{plain(col, 30)} = {name}" for name in names]


def add_shared_legend(axes: Objects, labels: xr.DataArray, rgba: Float64s, *, points: bool) -> None:
    """Name the clusters of all maps below them; many at the right of the first row."""
    if legends.needs_key(labels):
        n_columns = axes[0].get_subplotspec().get_gridspec().ncols
        legends.add_legend(axes[n_columns - 1], labels, rgba, points=points)
        return
    figure = axes[0].figure
    entries = legends.entries(labels, rgba, points=points)
    names = [str(entry.get_label()) for entry in entries]
    width = max(_ENTRY, legends.entry_width(names))
    fitting = max(int(figure.get_size_inches()[0] / width), 1)
    figure.legend(
        handles=entries, loc="outside lower center", frameon=False, fontsize=8.5,
        ncols=balanced_columns(len(entries), fitting), handlelength=1.3, columnspacing=1.4,
    )  # fmt: skip


def _room(labels: xr.DataArray, width: float) -> tuple[float, float]:
    """Return the width and height in inches that the legend adds to maps of the given width."""
    if legends.needs_key(labels):
        return legends.key_width(labels), 0.0
    n_rows = -(-(present_numbers(labels).size + 1) // max(int(width / _ENTRY), 1))
    return 0.0, 0.25 + 0.2 * n_rows


def _dims(labels: xr.DataArray) -> str:
    return f"dims {', '.join(repr(plain(dim)) for dim in labels.dims)}"
