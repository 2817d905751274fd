"""Fields on a map: labels in their colours, or a continuous field with a colorbar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.options import check_number
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.projected import project, project_cells

if TYPE_CHECKING:
    import xarray as xr
    from cartopy.mpl.geoaxes import GeoAxes
    from matplotlib.axes import Axes

    from xvcluster.plot.legend import Side

SCALE = ("norm", "vmax", "vmin")
"""What matplotlib calls the scale of a continuous field."""

NEAR = 0.17
"""Inches between a map without tick labels and a bar below it."""

_LETTER = 0.06
"""Inches of a letter of the label of a bar."""

STRIP = 0.8
"""Width of a bar below a map, as a share of that of the map."""


def draw_labels(ax: Axes, place: geo.Geometry, rgba: Float64s, **properties: Any) -> None:
    """Draw labels in their colours; points without a label are pale."""
    from matplotlib.colors import BoundaryNorm, ListedColormap

    norm = BoundaryNorm(np.arange(len(rgba) + 1) + 0.5, len(rgba))
    draw_field(ax, place, cmap=ListedColormap(rgba), norm=norm, **properties)


def draw_field(ax: Axes, place: geo.Geometry, **options: Any) -> Any:
    """Draw a field and its missing cells, with matplotlib's options for the colours."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.collections import QuadMesh

    drawn = _draw_values(ax, place, **normalize_kwargs(options, QuadMesh))
    _draw_missing(ax, place)
    return drawn


def _draw_values(ax: Axes, place: geo.Geometry, **options: Any) -> Any:
    """Draw a field as cells or as points; points without a value are pale."""
    values = np.ma.masked_invalid(place.values)
    if place.kind == "plane":
        look = {"rasterized": True, "zorder": 1, **options}
        return ax.pcolormesh(place.x, place.y, values, **look)
    draw = _draw_points if place.kind == "points" else _draw_cells
    return draw(ax, place, **options)


def _draw_points(ax: GeoAxes, place: geo.Geometry, **options: Any) -> Any:
    """Draw the points that a map shows."""
    import cartopy.crs as ccrs

    _, shown = project(ax.projection, place.x, place.y)
    x, y, values = place.x[shown], place.y[shown], place.values[shown]
    options["transform"] = ccrs.PlateCarree()
    size = options.pop("s", np.clip(6000 / max(len(x), 1), 3, 36))
    size = check_number("s", size, above=0)
    missing = ~np.isfinite(values)
    if missing.any():
        pale: dict[str, Any] = {"c": style.MISSING_POINT, "linewidths": 0, "zorder": 3}
        at = options["transform"]
        ax.scatter(x[missing], y[missing], s=size / 2, transform=at, **pale)
    line: dict[str, Any] = {"linewidth": 0.3 if size > 10 else 0.0, "edgecolor": style.OUTLINE}
    x, y, color = x[~missing], y[~missing], values[~missing]
    return ax.scatter(x, y, c=color, s=size, **{"zorder": 4, **line, **options})


def _draw_cells(ax: GeoAxes, place: geo.Geometry, **options: Any) -> Any:
    """Draw cells between their corners, and those that the projection tears in parts."""
    import cartopy.crs as ccrs
    from matplotlib.collections import PolyCollection, QuadMesh

    limits = options.pop("vmin", None), options.pop("vmax", None)
    unfit = [name for name in ("s", "marker") if name in options]
    if unfit:
        raise ValueError(
            f"{unfit[0]} is for scattered points, but the labels are on a grid; omit it"
        )
    look = {"rasterized": True, "zorder": 1, "antialiased": False, **options}
    values = np.ma.masked_invalid(place.values)
    drawn = project_cells(place, ax.projection, (*ax.get_xlim(), *ax.get_ylim()))
    x, y = np.meshgrid(place.x, place.y) if place.kind == "grid" else (place.x, place.y)
    corners = np.stack([x, y], axis=-1)
    blank = np.zeros((values.size, 4))
    at = ccrs.PlateCarree()
    mesh = QuadMesh(corners, array=values, facecolors=blank, transform=at, **look)
    torn = values.ravel()[drawn.cells]
    parts = PolyCollection(list(drawn.parts), array=torn, **{"linewidth": 0, **look})
    if not drawn.is_whole.all():
        opacity = look.get("alpha")
        opacity = 1.0 if opacity is None else opacity
        mesh.set_alpha(opacity * drawn.is_whole.astype(np.float64))  # type: ignore[arg-type]
    for cells in (mesh, parts) if len(torn) else (mesh,):
        if limits != (None, None):
            cells.set_clim(*limits)
        ax.add_collection(cells, autolim=False)
    return mesh


def _draw_missing(ax: Axes, place: geo.Geometry) -> None:
    """Make cells without a profile grey, and the outside of a curvilinear grid white."""
    from matplotlib.colors import ListedColormap

    if place.kind in ("grid", "plane"):
        ax.set_facecolor(style.MISSING)
        return
    ax.set_facecolor("white")
    if place.is_placed is None:
        return
    missing = ~np.isfinite(place.values) & place.is_placed
    if missing.any():
        cells = replace(place, values=np.where(missing, 0.0, np.nan))
        _draw_values(ax, cells, cmap=ListedColormap([style.MISSING]), vmin=0, vmax=1)


def bar_side(ax: Axes, labels: xr.DataArray | None) -> Side:
    """Return the side of a colorbar: the one that the legend of the labels leaves free."""
    has_key = labels is not None and legends.needs_key(labels)
    return "right" if legends.side(ax) == "below" and not has_key else "below"


def bar_axes(ax: Axes, side: Side, *, offset: float = NEAR) -> Axes:
    """Return small axes for a bar at the right of a map, or `offset` inches below it."""
    from matplotlib.transforms import blended_transform_factory

    if side == "right":
        bar = ax.inset_axes((1.025, 0.12, 0.02, 0.76))
    else:
        inches_below = blended_transform_factory(ax.transAxes, legends.inches_from(ax, 0, 0))
        bar = ax.inset_axes((0.5 - STRIP / 2, -offset, STRIP, 0.09), transform=inches_below)
    bar.tick_params(length=2, labelsize=6.5, pad=1.5, width=0.4)
    bar.spines[:].set_linewidth(0.4)
    return bar


def clear_of_ticks(ax: Axes) -> float:
    """Return the offset, in inches, of a bar that clears the longitudes or the label of x."""
    return 0.6 if ax.get_xlabel() else 0.4


def add_bar(
    ax: Axes, mappable: Any, label: str, *, side: Side, offset: float, **options: Any
) -> None:
    """Draw the colorbar of a field, with matplotlib's options for it."""
    orientation: Any = "vertical" if side == "right" else "horizontal"
    at = bar_axes(ax, side, offset=offset)
    bar = ax.figure.colorbar(mappable, cax=at, orientation=orientation, **options)
    bar.outline.set_linewidth(0.4)
    bar.minorticks_off()
    bar.set_label(label, fontsize=7, labelpad=1.5)


def draw_background(
    ax: Axes,
    field: xr.DataArray,
    place: geo.Geometry,
    *,
    side: Side = "below",
    offset: float = NEAR,
    with_bar: bool = True,
    **options: Any,
) -> None:
    """Draw a continuous field with its colorbar, and with matplotlib's options for the colours."""
    values = place.values[np.isfinite(place.values)]
    # a few extreme cells should not wash out the rest
    low, high = np.percentile(values, [1, 99]) if values.size else (0.0, 1.0)
    options["cmap"] = options.get("cmap") or "viridis"
    if options.get("norm") is None:
        options = {"vmin": low, "vmax": high, **options}
    mappable = draw_field(ax, place, **options)
    if not with_bar:
        return
    upright = max(int(legends.inches(ax)[1] / _LETTER), 16)
    label = style.axis_label(field, width=upright if side == "right" else 50)
    add_bar(ax, mappable, label, side=side, offset=offset, extend="both")
