"""Maps of labels: cells or points on a projection, with a discrete legend beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from cartopy.crs import Projection
    from cartopy.mpl.geoaxes import GeoAxes
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from xvcluster.plot.basemap import Resolution

    Box = tuple[float, float, float, float]


def map(  # noqa: A001  (the word the user knows: labels.vcluster.plot.map())
    labels: xr.DataArray,
    *,
    ax: Axes | None = None,
    projection: Projection | None = None,
    extent: Box | None = None,
    colors: Sequence[object] | None = None,
    legend: bool = True,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "110m",
    gridlines: bool = True,
    title: str | None = None,
) -> GeoAxes | Axes:
    """Draw a map of cluster labels.

    Parameters
    ----------
    labels : xr.DataArray
        Cluster numbers, NaN where there is no profile. On 1-D latitude and longitude in any order,
        on 2-D latitude and longitude, or on loose points. Without latitude and longitude the labels
        are drawn over their dims, on plain axes.
    ax : matplotlib Axes, optional
        Axes to draw in, a cartopy GeoAxes where latitude and longitude are known. Default: those of
        a new figure.
    projection : cartopy.crs.Projection, optional
        Default: Robinson for the globe, a conformal projection fit to the region otherwise.
    extent : (west, east, south, north), optional
        In degrees. Default: the edges of the cells.
    colors : sequence of colours, optional
        One colour a cluster, in the order of their numbers. Default: `cluster_colors`.
    legend : bool
        Name the clusters beside the map; more than 20 of them, or the nodes of a SOM, get a small
        grid of colours instead.
    coastlines, borders : bool
        Draw coastlines and country borders.
    resolution : {"110m", "50m", "10m"}
        Of the coastlines and borders; ``"110m"`` needs no network.
    gridlines : bool
        Draw meridians and parallels, labelled at the left and below.
    title : str, optional
        Title of the axes.

    Returns
    -------
    GeoAxes or Axes

    Raises
    ------
    ValueError
        If labels have a further dim longer than 1, if `colors` are not one a cluster, if
        `projection` is given together with `ax`, or if `projection` or `extent` is given where no
        latitude and longitude are known.
    TypeError
        If `ax` is no GeoAxes though latitude and longitude are known.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from xvcluster.plot import map
    >>> labels = xr.DataArray(
    ...     [[1.0, 2.0, 2.0], [1.0, np.nan, 3.0]],
    ...     dims=("latitude", "longitude"),
    ...     coords={"latitude": [40.0, 41.0], "longitude": [-120.0, -119.0, -118.0]},
    ... )
    >>> ax = map(labels, title="Three provinces")
    """
    rgba = style.check_colors(labels, colors)
    place = geo.locate(labels)
    _check_options(place, ax, projection, extent)
    tight = ax is None and projection is None
    if ax is None:
        ax = new_axes(place, projection, extent, labels if legend else None)
    draw_labels(ax, place, rgba)
    if place.kind == "plane":
        label_plane(ax, place, labels)
    else:
        frame(ax, place, extent, tight=tight)
        decorate(ax, coastlines, borders, resolution)
        if gridlines:
            add_gridlines(ax, place, extent)
    if legend:
        legends.add_legend(ax, labels, rgba, points=place.kind == "points")
    if title is not None:
        ax.set_title(title, fontsize=11)
    return ax


def _check_options(
    place: geo.Geometry, ax: Axes | None, projection: Projection | None, extent: Box | None
) -> None:
    """Refuse options that could not have an effect."""
    if ax is not None and projection is not None:
        raise ValueError(
            f"projection={type(projection).__name__} has no effect on axes that exist; "
            "pass projection or ax, or make the axes with that projection"
        )
    if place.kind == "plane":
        for name, value in (("projection", projection), ("extent", extent)):
            if value is not None:
                raise ValueError(
                    f"{name} needs latitude and longitude, but the labels have neither among their "
                    f"coordinates; assign both, or leave {name} out"
                )
    elif ax is not None and not hasattr(ax, "projection"):
        raise TypeError(
            f"ax is a {type(ax).__name__}, but labels on latitude and longitude need a cartopy "
            "GeoAxes; make it with plt.subplot(projection=cartopy.crs.Robinson()), or leave ax out"
        )


def new_axes(
    place: geo.Geometry,
    projection: Projection | None = None,
    extent: Box | None = None,
    legend_of: xr.DataArray | None = None,
) -> Axes:
    """Axes in a new figure that has the shape of the map, and room for its legend."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.4, 4.8), layout="compressed")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    if place.kind == "plane":
        return figure.add_subplot()
    ax: Axes = add_geo_axes(figure, (1, 1, 1), place, projection, extent)
    frame(ax, place, extent, tight=projection is None)
    shape = legends.aspect(ax)
    width = min(7.0, max(4.8 * shape, 1.8))
    beside, below = (0.0, 0.0) if legend_of is None else legends.size(legend_of, width)
    if below and legends.side(ax) == "below":
        beside = 0.0
    elif below:
        below = 0.0
    figure.set_size_inches(width + 0.7 + beside, width / shape + 0.6 + below)
    return ax


def add_geo_axes(
    figure: Figure,
    position: tuple[int, int, int] | tuple[float, float, float, float],
    place: geo.Geometry,
    projection: Projection | None = None,
    extent: Box | None = None,
) -> GeoAxes:
    """Axes with a projection in a figure: in a cell of a grid, or at a rectangle."""
    projection = projection or geo.choose_projection(place, extent)
    if len(position) == 3:
        return figure.add_subplot(*position, projection=projection)
    return figure.add_axes(position, projection=projection)


def draw_labels(ax: Axes, place: geo.Geometry, rgba: NDArray[np.float64]) -> None:
    """Draw labels in their colours; missing ones stay transparent, missing points are pale."""
    from matplotlib.colors import BoundaryNorm, ListedColormap

    options: dict[str, Any] = {
        "cmap": ListedColormap(rgba),
        "norm": BoundaryNorm(np.arange(len(rgba) + 1) + 0.5, len(rgba)),
    }
    ax.set_facecolor("white" if place.kind == "points" else style.MISSING)
    draw_field(ax, place, **options)


def draw_field(ax: Axes, place: geo.Geometry, **options: Any) -> Any:
    """Draw a field as cells or as points, with matplotlib's options for its colours."""
    if place.kind != "plane":
        import cartopy.crs as ccrs

        options["transform"] = ccrs.PlateCarree()
    values = np.ma.masked_invalid(place.values)
    if place.kind == "curvilinear" and place.is_global:
        _draw_seam(ax, place, values, **options)
    if place.kind != "points":
        return ax.pcolormesh(place.x, place.y, values, rasterized=True, zorder=1, **options)
    size = float(np.clip(6000 / max(len(place.x), 1), 3, 36))
    missing = np.ma.getmaskarray(values)
    if missing.any():
        where: dict[str, Any] = {"transform": options["transform"]}
        x, y = place.x[missing], place.y[missing]
        ax.scatter(x, y, s=size / 2, c=style.MISSING_POINT, linewidths=0, zorder=3, **where)
    x, y, color = place.x[~missing], place.y[~missing], place.values[~missing]
    line: dict[str, Any] = {"linewidths": 0.3 if size > 10 else 0.0, "edgecolors": style.OUTLINE}
    return ax.scatter(x, y, c=color, s=size, zorder=4, **line, **options)


def _draw_seam(
    ax: GeoAxes, place: geo.Geometry, values: np.ma.MaskedArray[Any, Any], **options: Any
) -> None:
    """Draw the cells that the rim of a global map cuts, in two parts each."""
    from matplotlib.collections import PolyCollection

    corners, cells = geo.cut_cells(place, float(ax.projection.proj4_params.get("lon_0", 0)))
    transform = options.pop("transform")
    points = ax.projection.transform_points(transform, corners[..., 0], corners[..., 1])[..., :2]
    seen = np.isfinite(points).all(axis=(1, 2))
    colors = values.ravel()[cells[seen]]
    parts = PolyCollection(list(points[seen]), array=colors, zorder=1, **options)
    ax.add_collection(parts, autolim=False)


def frame(ax: GeoAxes, place: geo.Geometry, extent: Box | None, *, tight: bool) -> None:
    """Show the data's edges or the extent, and nothing beside; cut the frame to them if tight."""
    if extent is None and place.is_global:
        ax.set_global()
        return
    path = geo.frame_path(place, ax.projection, extent)
    points = np.asarray(path.vertices)
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    follows_box = extent is not None or place.kind != "curvilinear"
    if tight and follows_box and not geo.is_straight(ax.projection):
        ax.set_boundary(path)


def decorate(ax: GeoAxes, coastlines: bool, borders: bool, resolution: Resolution) -> None:
    """Add coastlines and borders, in a thin frame."""
    from xvcluster.plot.basemap import add_basemap

    ax.spines["geo"].set_linewidth(0.7)
    if coastlines or borders:
        add_basemap(ax, resolution=resolution, coastlines=coastlines, borders=borders)


def add_gridlines(ax: GeoAxes, place: geo.Geometry, extent: Box | None = None) -> None:
    """Thin meridians and parallels with labels at the left and below only."""
    from matplotlib.ticker import FixedLocator

    west, east, south, north = extent or place.box
    wide = legends.aspect(ax) > 0.8
    meridians = geo.graticule(west, east, 6 if wide else 3).tolist()
    parallels = geo.graticule(south, north, 6 if wide else 7).tolist()
    lines = ax.gridlines(
        draw_labels=True,
        xlocs=FixedLocator(meridians),
        ylocs=FixedLocator(parallels),
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


def label_plane(ax: Axes, place: geo.Geometry, field: xr.DataArray) -> None:
    """Label plain axes with the dims that they show, in one scale where they share units."""
    ax.set_xlabel(style.axis_label(field[place.x_dim]))
    if place.y_dim is None:
        ax.set_yticks([])
        return
    ax.set_ylabel(style.axis_label(field[place.y_dim]))
    if field[place.x_dim].attrs.get("units") == field[place.y_dim].attrs.get("units"):
        ax.set_aspect("equal")
