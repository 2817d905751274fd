"""The figures of a page in bokeh: the map, and a panel for each variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from xvcluster.explore.cells import Cells
from xvcluster.explore.contents import Contents
from xvcluster.extras import require
from xvcluster.messages import plain
from xvcluster.plot import style
from xvcluster.plot.levels import Levels

_BANDS = (("low", "high", 0.25), ("lower", "upper", 0.5))
"""Ends of the bands between quantiles, and how opaque these are."""

_LINES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("median", "median", {"line_color": style.OUTLINE, "line_dash": [5, 4]}),
    ("centroid", "rim", {"line_color": style.OUTLINE, "line_width": 5}),
    ("centroid", "centroid", {"line_width": 3}),
    ("value", "halo", {"line_color": "white", "line_width": 4.5}),
    ("value", "profile", {"line_color": "black", "line_width": 2}),
)
"""Lines of a panel from below: what each shows, its name, and its look."""

_LONGITUDES = """
const turned = ((tick + 180) % 360 + 360) % 360 - 180
const text = Math.abs(turned).toFixed(6).replace(/\\.?0+$/, "") + "°"
return turned === 0 || turned === -180 ? text : text + (turned < 0 ? "W" : "E")
"""
_LATITUDES = """
const text = Math.abs(tick).toFixed(6).replace(/\\.?0+$/, "") + "°"
if (Math.abs(tick) > 90) return ""
return tick === 0 ? text : text + (tick < 0 ? "S" : "N")
"""


def make_figures(contents: Contents) -> list[Any]:
    """Make the map and the panels, without numbers, which the page's own script fills in.

    Returns
    -------
    list of dict
        The map and then the panels, as JSON can hold them and bokeh embeds them.
    """
    panels = [_panel(contents.levels) for _ in contents.texts["variables"]]
    return [bokeh("embed").json_item(figure) for figure in (_map(contents), *panels)]


def bokeh(part: str) -> Any:
    """Return a module of bokeh."""
    return require(f"bokeh.{part}", "the explorer needs")


def _source(*names: str) -> Any:
    return bokeh("models").ColumnDataSource({name: [] for name in names})


def _text(text: str) -> Any:
    """Return text of a file that bokeh takes for text, whatever it holds."""
    return bokeh("models").PlainText(text=text)


def _map(contents: Contents) -> Any:
    """Make the map: cells, coastlines, and a ring around the chosen point."""
    models, cells = bokeh("models"), contents.cells
    west, east, south, north = cells.box
    plot = bokeh("plotting").figure(
        sizing_mode="stretch_both", min_width=200, min_height=200,
        x_range=models.Range1d(west, east), y_range=models.Range1d(south, north),
        tools="pan,wheel_zoom,box_zoom,zoom_in,zoom_out,reset,save",
        active_scroll="wheel_zoom", active_drag="pan", lod_threshold=20_000,
    )  # fmt: skip
    grid = _source("x", "y")
    plot.line("x", "y", source=grid, color="#d0d0d0", name="graticule", level="underlay")
    drawn = _draw_cells(plot, cells)
    drawn.name = "cells"
    drawn.tags = [np.zeros((1, 1), dtype=np.uint32)]  # whose class the page makes colours of
    plot.line("x", "y", source=_source("x", "y"), color="#222222", line_width=0.7, name="lines")
    ring = {"source": _source("x", "y"), "size": 14, "fill_color": None, "level": "overlay"}
    plot.scatter("x", "y", line_color="white", line_width=5, **ring)
    plot.scatter("x", "y", line_color="black", line_width=2, name="ring", **ring)
    if cells.projection is not None:
        plot.axis.visible = plot.grid.visible = False
    elif cells.is_earth:
        plot.xaxis.formatter = models.CustomJSTickFormatter(code=_LONGITUDES)
        plot.yaxis.formatter = models.CustomJSTickFormatter(code=_LATITUDES)
    else:
        for axis, dim in ((plot.xaxis, cells.x_dim), (plot.yaxis, cells.y_dim)):
            axis.axis_label = _text(plain(dim))
            axis.visible = dim is not None
    plot.xaxis.ticker.desired_num_ticks = 5
    plot.xaxis.major_label_policy = models.NoOverlap(min_distance=8)  # on a phone
    _look(plot)
    return plot


def _draw_cells(plot: Any, cells: Cells) -> Any:
    """Draw the cells: an even grid as an image, which is quick, and others one by one."""
    look: dict[str, Any] = {"line_width": 1, "line_color": "color", "fill_color": "color"}
    if cells.kind == "grid" and cells.pixels_x.size:
        source = _source("image", "x", "y", "width", "height")
        return plot.image_rgba("image", "x", "y", "width", "height", source=source)
    if cells.kind == "grid":
        edges = ("left", "right", "top", "bottom")
        return plot.quad(*edges, source=_source(*edges, "color"), **look)
    source = _source("x", "y", "color")
    if cells.kind == "polygons":
        return plot.patches("x", "y", source=source, **look)
    return plot.scatter("x", "y", source=source, size=8, **look | {"line_color": style.OUTLINE})


def _panel(levels: Levels | None) -> Any:
    """Make the panel of a variable: bands, median and centroid of a cluster, and a profile."""
    models, across = bokeh("models"), levels is not None and levels.is_time
    options: dict[str, Any] = {"x_range": models.Range1d(), "y_range": models.Range1d()}
    if levels is not None and levels.at.dtype.kind == "M":
        options["x_axis_type" if across else "y_axis_type"] = "datetime"
    plot = bokeh("plotting").figure(
        sizing_mode="stretch_both", min_width=160, min_height=160,
        tools="box_zoom,reset,save", active_drag=None, toolbar_location="above", **options,
    )  # fmt: skip
    names = ("level", "low", "lower", "median", "upper", "high", "centroid")
    cluster, point = _source(*names), _source("level", "value")
    for low, high, alpha in _BANDS:
        fill = {"source": cluster, "fill_alpha": alpha, "name": f"band {low}"}
        if across:
            plot.varea("level", low, high, **fill)
        else:
            plot.harea(low, high, "level", **fill)

    plot.multi_line(
        "x", "y", source=_source("x", "y", "color", "alpha"), name="centroids", line_width=2,
        line_color="color", line_alpha="alpha",
    )  # fmt: skip
    for column, name, look in _LINES:
        ends = ("level", column) if across else (column, "level")
        plot.line(*ends, source=point if column == "value" else cluster, name=name, **look)
    named = plot.xaxis if across else plot.yaxis
    if levels is None:
        named.visible = False
    else:
        named.axis_label = _text(style.undrawn(levels.label))
        _name_levels(named, levels)
    _look(plot)
    return plot


def _name_levels(axis: Any, levels: Levels) -> None:
    """Name levels that are neither numbers nor dates that bokeh knows, at most 12 of them."""
    if levels.names is None or levels.at.dtype.kind == "M":
        return
    some = range(0, len(levels.names), -(-len(levels.names) // 12))
    axis.ticker = [float(levels.at[i]) for i in some]
    names = {float(levels.at[i]): _text(levels.names[i]) for i in some}
    axis.major_label_overrides = names


def _look(plot: Any) -> None:
    """Give a figure thin lines and text that is large enough."""
    plot.toolbar.logo = None
    plot.outline_line_color = "#888888"
    plot.grid.grid_line_color = "#e4e4e4"
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_color = "#222222"
    plot.axis.major_label_text_color = "#222222"
    plot.axis.axis_label_text_font_size = "13px"
    plot.axis.major_label_text_font_size = "12px"
