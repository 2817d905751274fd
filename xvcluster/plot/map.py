"""Maps of labels: cells or points in a projection, with a legend of the clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Array, Float64s, Objects
from xvcluster.grid.labels import take_labels
from xvcluster.grid.missing import mask_invalid
from xvcluster.plot import facets, style, view
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot.certainty import add_certainty_bar, fade, match_certainty, read_together
from xvcluster.plot.fields import (
    SCALE,
    bar_side,
    clear_of_ticks,
    draw_background,
    draw_labels,
)
from xvcluster.plot.inputs import check_field, check_switches
from xvcluster.plot.options import Panels, drawing, figure_of, take_axes
from xvcluster.plot.outlines import choose_boundaries, draw_boundaries, outlined
from xvcluster.plot.scale import add_scale_bar, check_scale_bar
from xvcluster.plot.size import moderate

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import xarray as xr
    from cartopy.crs import Projection
    from cartopy.mpl.geoaxes import GeoAxes
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

    from xvcluster.plot.basemap import Resolution
    from xvcluster.plot.style import Colors

_LETTER = 0.08
"""Inches of a letter of the title of one of several maps."""


_MERIDIAN = 0.6
"""Least inches between meridians, whose labels need them."""


@drawing("collections.QuadMesh", "collections.PathCollection", extra=("s", "marker", *SCALE))
def map(  # noqa: A001  (the word the user knows: labels.vcluster.plot.map())
    labels: xr.DataArray,
    *,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    projection: Projection | None = None,
    extent: geo.Box | None = None,
    colors: Colors | None = None,
    cmap: str | Colormap | None = None,
    legend: bool | str = True,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "auto",
    gridlines: bool = True,
    scale_bar: bool | float = False,
    title: str | None = None,
    boundaries: GeoDataFrame | bool | None = None,
    background: xr.DataArray | None = None,
    certainty: xr.DataArray | str | None = None,
    col: Hashable | None = None,
    col_wrap: int | None = None,
    **properties: Any,
) -> GeoAxes | Axes | Panels:
    """Draw a map of cluster labels.

    Parameters
    ----------
    labels : DataArray or ClusterResult
        Cluster numbers, NaN or below 1 where there is no profile. They may have 1-D latitude and
        longitude in any order, 2-D latitude and longitude, or be scattered points. Without latitude
        and longitude the labels are drawn over their dims, on plain axes.
    %(ax)s
        A cartopy GeoAxes if latitude and longitude are known.
    %(figsize)s
    projection : cartopy.crs.Projection, optional
        Default: Robinson for the globe, otherwise a conformal projection suited to the region.
    extent : (west, east, south, north), optional
        In degrees, longitudes in any convention; across the dateline if west is more than east, as
        in ``(120, -60, -60, 60)``. Default: the edges of the cells.
    %(colors)s
    %(cmap)s
        Here the background; default: ``"viridis"``.
    %(legend)s
        More than 20 clusters, or the nodes of a SOM, are shown as a small grid of colours.
    coastlines, borders : bool
        Draw coastlines and country borders.
    resolution : {"auto", "110m", "50m", "10m"}
        Scale of the coastlines and borders, 1:110 million and so on. Default: 1:50 million where
        1 mm of paper shows less than 75 km. Only ``"10m"`` needs a network, once.
    gridlines : bool
        Draw meridians and parallels, labelled at the left and at the bottom.
    scale_bar : bool or float
        Draw a scale bar in a lower corner, of a round length or of the given one in km. It is true
        where it is drawn; its latitude is given if lengths differ by more than 10 % on the map. If
        they differ by more than a factor of two, as on most maps of the whole Earth, no bar would
        be true, and one is refused.
    %(title)s
    boundaries : bool or GeoDataFrame, optional
        Draw the outlines of the clusters: True for those of the labels, or a GeoDataFrame from
        ``result.boundaries(...)``. Default: only over a background.
    background : xr.DataArray, optional
        A continuous field to draw instead of the labels, with a colorbar; the clusters are outlined
        over it. The map shows the extent of this field.
    certainty : DataArray or str, optional
        The certainty of the labels, from 0 to 1, on the points of the labels in any order. The
        colours fade from full at 1 to 15 %, nearly white, at 0; NaN counts as 0, and so does a
        negative margin, where another centroid is nearer. A bar beside the map shows the scale. For
        a result, also the name of one of its variables: ``result.plot.map(certainty="margin")``.
    col : hashable, optional
        A dim of the labels beside those of the map, such as ``"time"``: one map is drawn for each
        of its entries, all in the same colours and with one legend.
    col_wrap : int, optional
        Number of these maps in a row. Default: depends on their shape.
    **properties
        Properties of the cells or points, handed to `matplotlib.collections.QuadMesh` or to
        ``Axes.scatter``, such as ``alpha``, or ``s``, the size of points; of a background also
        ``vmin``, ``vmax`` and ``norm``.

    Returns
    -------
    GeoAxes or Axes
        `Panels`, with `col`.

    Raises
    ------
    ValueError
        If labels are not integers, if labels or background have another dim longer than 1, if
        `colors` does not have one colour per cluster, if `projection` is given together with `ax`,
        if `projection`, `extent`, `boundaries` or `background` is given although latitude and
        longitude are not known, or if scattered points are to be outlined. If `extent` is no box of
        longitudes and latitudes, or lies where `projection` shows nothing. If `certainty` is not
        between 0 and 1, is not on the points of the labels, is given together with `background`, or
        is not the name of a variable of the result. If `figsize` is given together with `ax`, or
        `cmap` or the scale of a background without one.
    TypeError
        If `ax` is not a GeoAxes although latitude and longitude are known, if `projection` is not
        an instance of a projection, if `extent` does not consist of numbers, if `boundaries` is
        neither a bool nor a GeoDataFrame, or if `certainty` is neither a DataArray nor a name. If a
        keyword is neither an option nor a property of the cells or points.
    ImportError
        If boundaries are to be drawn and geopandas is not installed.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> labels, centroids = vs.vcluster.kmeans(6)
    >>> ax = labels.vcluster.plot.map(title="Six provinces")
    """
    extent, projection = view.check_extent(extent), view.check_projection(projection)
    labels = take_labels(labels, "the map")
    check_switches(coastlines=coastlines, borders=borders, gridlines=gridlines)
    scale_bar = check_scale_bar(scale_bar)
    _check_scale(background, cmap, properties)
    if col is not None:
        facets.check_facets(labels, col, col_wrap, ax, legend)
        options: dict[str, Any] = {"coastlines": coastlines, "borders": borders, "cmap": cmap}
        options |= {"resolution": resolution, "gridlines": gridlines, "boundaries": boundaries}
        options |= {"scale_bar": scale_bar} | properties
        fields = {"background": background, "certainty": certainty}
        options |= {"col_wrap": col_wrap, "figsize": figsize, "legend": bool(legend)}
        return _draw_facets(
            labels, col, (projection, extent), fields, colors=colors, title=title, **options
        )
    if col_wrap is not None:
        raise ValueError(f"col_wrap={col_wrap!r} has no effect without col, such as col='time'")
    over_field = background is not None
    certainty = match_certainty(labels, certainty, over_field=over_field)
    labels, certainty = read_together(labels, certainty)
    labels = style.check_labels(labels)
    rgba = style.check_colors(labels, colors)
    shapes = choose_boundaries(labels, boundaries, over_field=over_field)
    field, shades = (labels, rgba) if certainty is None else fade(labels, certainty, rgba)
    if background is not None:
        field = mask_invalid(check_field(background, "background"))
    place = geo.locate(field)
    if over_field and shapes is not None:
        labels = outlined(labels, shapes)
    tight = ax is None and projection is None
    named = labels if legend is True else None
    with_bar = over_field or certainty is not None
    ax = open_axes(ax, place, projection, extent, shapes, named, figsize, with_bar=with_bar)
    lines: dict[str, Any] = {"coastlines": coastlines, "borders": borders}
    lines |= {"resolution": resolution, "scale_bar": scale_bar, "legend": legend}
    surround(ax, place, labels, extent, tight=tight, gridlines=gridlines, **lines)
    if over_field:
        at: dict[str, Any] = {"side": bar_side(ax, named), "offset": clear_of_ticks(ax)}
        draw_background(ax, field, place, **at, cmap=cmap, **properties)
    else:
        draw_labels(ax, place, shades, **properties)
    if shapes is not None:
        draw_boundaries(ax, shapes, rgba, over_field=over_field)
    if certainty is not None:
        add_certainty_bar(ax, certainty, rgba, labels, side=bar_side(ax, named))
    if legend:
        on_map = legend if isinstance(legend, str) else None
        legends.add_legend(ax, labels, rgba, points=place.kind == "points", place=on_map)
    if title is not None:
        ax.set_title(title, fontsize=11)
    return ax


def _check_scale(
    background: xr.DataArray | None, cmap: str | Colormap | None, properties: dict[str, Any]
) -> None:
    """Refuse the scale of a background if there is none."""
    given = [name for name in SCALE if name in properties]
    given += ["cmap"] if cmap is not None else []
    if background is None and given:
        raise ValueError(
            f"{given[-1]} is for a continuous field and has no effect without background; the "
            'colours of clusters are given by colors, e.g. colors="viridis"'
        )


def _draw_facets(
    labels: xr.DataArray,
    col: Hashable,
    view_of: tuple[Projection | None, geo.Box | None],
    fields: dict[str, Any],
    *,
    colors: Colors | None,
    **options: Any,
) -> Panels:
    """Draw one map for each entry along a dim, in the same colours and with one legend."""
    labels = style.check_labels(labels)
    rgba = style.check_colors(labels, colors)
    # the same clusters in all maps
    labels = labels.assign_attrs(flag_values=style.cluster_numbers(labels))
    parts = [
        Part(
            name,
            labels.isel({col: index}),
            *view_of,
            {key: _entry(field, col, index) for key, field in fields.items()},
        )
        for index, name in enumerate(facets.name_facets(labels, col))
    ]
    return draw_parts(parts, labels, rgba, **options)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One of several maps in a figure: its title, labels and view, and options of its own."""

    title: str
    labels: xr.DataArray
    projection: Projection | None
    extent: geo.Box | None
    options: dict[str, Any] = field(default_factory=dict)


def draw_parts(
    parts: list[Part],
    named: xr.DataArray | None,
    rgba: Float64s | None,
    *,
    axes: Sequence[Axes] | Array | None = None,
    figsize: tuple[float, float] | None = None,
    col_wrap: int | None = None,
    legend: bool = True,
    title: str | None = None,
    **options: Any,
) -> Panels:
    """Draw several maps side by side.

    Parameters
    ----------
    parts : list of Part
    named : DataArray, optional
        Labels whose clusters, in the colours `rgba`, are those of all maps, which share a legend.
        Without them each has its own.
    axes : sequence of Axes, optional
        Axes to draw in. Default: a new figure.
    figsize, col_wrap, legend, title, **options
        As in `map`, of all.
    """
    places = [geo.locate(part.labels) for part in parts]
    shared = named if legend else None
    if axes is None:
        drawn = _new_axes(parts, places, col_wrap, shared, figsize, apart=legend and named is None)
    else:
        drawn = take_axes(axes, len(parts))
    if rgba is not None:
        options |= {"colors": list(rgba)}
    for index, (ax, part) in enumerate(zip(drawn, parts, strict=True)):
        own = part.options | ({"scale_bar": False} if index else {})  # one is enough
        own |= {"legend": legend and named is None, "extent": part.extent}
        map(part.labels, ax=ax, **options | own)
        width = max(int(legends.inches(ax)[0] / _LETTER), 16)
        ax.set_title(fill(part.title, width), fontsize=9.5)
    if shared is not None and rgba is not None:
        points = all(place.kind == "points" for place in places)
        if axes is None:
            facets.add_shared_legend(drawn, shared, rgba, points=points)
        else:
            legends.add_legend(drawn[-1], shared, rgba, points=points)
    if title is not None:
        figure_of(drawn[0]).suptitle(title, fontsize=12)
    return Panels(drawn)


def _new_axes(
    parts: list[Part],
    places: list[geo.Geometry],
    col_wrap: int | None,
    named: xr.DataArray | None,
    figsize: tuple[float, float] | None,
    *,
    apart: bool,
) -> Objects:
    """Return the axes of several maps in a new figure, with room for legends of their own."""
    shapes = [
        1.5 if place.kind == "plane" else view.shape(place, part.projection, part.extent)
        for place, part in zip(places, parts, strict=True)
    ]
    fields = [part.options.get(name) for part in parts for name in ("background", "certainty")]
    with_bars = any(field is not None for field in fields)
    shape = float(np.median(shapes))
    rooms = [legends.room(part.labels, 2.0, "below" if shape > 1.25 else "right") for part in parts]
    figure, cells = facets.new_figure(
        len(parts), shape, col_wrap, named, figsize, with_bars=with_bars,
        beside=max(rooms) if apart else (0.0, 0.0),
    )  # fmt: skip
    axes = np.empty(len(parts), dtype=object)
    for index, (cell, place, part) in enumerate(zip(cells, places, parts, strict=True)):
        axes[index] = ax = add_map_axes(figure, cell, place, part.projection, part.extent)
        if place.kind != "plane":
            frame(ax, place, part.extent, tight=part.projection is None)
    return axes


def _entry(field: Any, col: Hashable, index: int) -> Any:
    """Return the part of a field that belongs to one of the maps: all of it, without their dim."""
    return field.isel({col: index}) if col in getattr(field, "dims", ()) else field


def check_view(
    place: geo.Geometry, ax: Axes | None, projection: Projection | None, **others: Any
) -> None:
    """Raise an error for options that would have no effect."""
    if ax is not None and projection is not None:
        raise ValueError(
            f"projection={type(projection).__name__} has no effect on existing axes; pass "
            "either projection or ax, or create the axes with that projection"
        )
    if ax is not None and not hasattr(ax, "pcolormesh"):
        raise TypeError(
            f"ax is a {type(ax).__name__}; pass Axes of matplotlib, such as "
            "plt.subplot(projection=cartopy.crs.Robinson()), or omit ax"
        )
    if place.kind == "plane":
        if hasattr(ax, "projection"):
            raise TypeError(
                f"ax is a {type(ax).__name__}, but the field to be drawn has no latitude and "
                "longitude; assign both, or pass plain axes, such as plt.subplot()"
            )
        for name, value in {"projection": projection, **others}.items():
            if value is not None:
                raise ValueError(
                    f"{name} requires latitude and longitude, but the field to be drawn has no "
                    f"such coordinates; assign both, or omit {name}"
                )
    elif ax is not None and not hasattr(ax, "projection"):
        raise TypeError(
            f"ax is a {type(ax).__name__}, but labels on latitude and longitude need a cartopy "
            "GeoAxes; create it by plt.subplot(projection=cartopy.crs.Robinson()), or omit ax"
        )


def open_axes(
    ax: Axes | None,
    place: geo.Geometry,
    projection: Projection | None,
    extent: geo.Box | None,
    boundaries: GeoDataFrame | None = None,
    legend_of: xr.DataArray | None = None,
    figsize: tuple[float, float] | None = None,
    *,
    with_bar: bool,
) -> Axes:
    """Return the given axes, or new ones of the map's shape with room for legend and colorbar."""
    import matplotlib.pyplot as plt

    check_view(place, ax, projection, extent=extent, boundaries=boundaries)
    if ax is not None:
        return ax
    figure = plt.figure(figsize=figsize or (6.4, 4.8), layout="compressed")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    ax = add_map_axes(figure, figure.add_gridspec()[0], place, projection, extent)
    if place.kind == "plane":
        return ax
    frame(ax, place, extent, tight=projection is None)
    if figsize is not None:
        return ax
    shape = moderate(legends.aspect(ax))
    width = float(np.clip(4.8 * shape, 1.8, 7.0))
    rooms = [(width + 0.7, width / shape + 0.6)]
    if legend_of is not None:
        rooms.append(legends.room(legend_of, width, legends.side(ax)))
    if with_bar:
        rooms.append((0.75, 0.0) if bar_side(ax, legend_of) == "right" else (0.0, 0.5))
    figure.set_size_inches(*np.sum(rooms, axis=0))
    return ax


def add_map_axes(
    figure: Figure,
    cell: SubplotSpec,
    place: geo.Geometry,
    projection: Projection | None = None,
    extent: geo.Box | None = None,
) -> Axes:
    """Add axes to a figure, with a projection unless there is no latitude and longitude."""
    if place.kind != "plane":
        projection = projection or view.choose_projection(place, extent)
    return figure.add_subplot(cell, projection=projection)


def frame(ax: GeoAxes, place: geo.Geometry, extent: geo.Box | None, *, tight: bool) -> None:
    """Limit axes to the extent or the edges of the data, whose shape the frame takes if tight."""
    if extent is None and place.is_global:
        ax.set_global()
        return
    left, right, bottom, top = view.limits(place, ax.projection, extent)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    follows_box = extent is not None or not place.follows_corners
    if tight and follows_box and not view.is_straight(ax.projection):
        ax.set_boundary(view.frame_path(place, ax.projection, extent))


def set_view(
    ax: Axes, place: geo.Geometry, field: xr.DataArray, extent: geo.Box | None, *, tight: bool
) -> None:
    """Frame a map, or label plain axes with the dims of the field."""
    if place.kind == "plane":
        _label_plane(ax, place, field)
    else:
        frame(ax, place, extent, tight=tight)


def surround(
    ax: Axes,
    place: geo.Geometry,
    field: xr.DataArray,
    extent: geo.Box | None,
    *,
    tight: bool,
    gridlines: bool,
    scale_bar: bool | float = False,
    legend: bool | str = False,
    **lines: Any,
) -> None:
    """Draw everything around the field of a map: frame, coastlines and gridlines, or plain axes."""
    from xvcluster.plot.basemap import add_basemap

    set_view(ax, place, field, extent, tight=tight)
    if scale_bar:
        add_scale_bar(ax, scale_bar, legend=legend)
    if place.kind == "plane":
        return
    ax.spines["geo"].set_linewidth(0.7)
    add_basemap(ax, **lines)
    if gridlines:
        _add_gridlines(ax, place, extent)


def _add_gridlines(ax: GeoAxes, place: geo.Geometry, extent: geo.Box | None) -> None:
    """Draw thin meridians and parallels, labelled at the left and at the bottom only."""
    west, east, south, north = extent or place.box
    wide = legends.aspect(ax) > 0.8
    fitting = int(np.clip(legends.inches(ax)[0] / _MERIDIAN, 3, 6))
    lines = ax.gridlines(
        draw_labels=True,
        xlocs=view.graticule(west, east, fitting if wide else 3),
        ylocs=view.graticule(south, north, 6 if wide else 7),
        linewidth=0.4,
        color="#555555",
        alpha=0.4,
        x_inline=False,
        y_inline=False,
        rotate_labels=False,
        zorder=3,
    )
    lines.top_labels = lines.right_labels = False
    lines.left_labels, lines.bottom_labels = "y", "x"
    lines.xlabel_style = lines.ylabel_style = {"size": 8, "color": style.OUTLINE}


def _label_plane(ax: Axes, place: geo.Geometry, field: xr.DataArray) -> None:
    """Label plain axes with their dims; if these share units, give both the same scale."""
    from matplotlib.ticker import MaxNLocator

    for dim, axis in ((place.x_dim, ax.xaxis), (place.y_dim, ax.yaxis)):
        if dim not in field.coords:
            axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel(style.axis_label(field[place.x_dim]))
    if place.y_dim is None:
        ax.set_yticks([])
        return
    ax.set_ylabel(style.axis_label(field[place.y_dim]))
    same_units = field[place.x_dim].attrs.get("units") == field[place.y_dim].attrs.get("units")
    shape = float(np.ptp(place.x) / np.ptp(place.y))
    if same_units and shape == moderate(shape):
        ax.set_aspect("equal")
