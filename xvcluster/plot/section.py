"""A section: the clusters along a great circle, over the depths of a model or of the centroids."""

from __future__ import annotations

from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Float64s
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.coords import find_axes, is_same_direction, units, with_coordinates
from xvcluster.grid.edges import cell_edges
from xvcluster.grid.horizontal import find_grid, places_of, take_map, unit_vectors
from xvcluster.grid.labels import Result
from xvcluster.grid.levels import find_varying, is_counted, vertical_of
from xvcluster.grid.missing import mask_invalid
from xvcluster.grid.nearest import nearest_labels
from xvcluster.inputs import describe, unwrap
from xvcluster.messages import plain, shown
from xvcluster.options import is_number
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.fields import SCALE, clear_of_ticks, draw_background, draw_labels
from xvcluster.plot.geometry import Geometry
from xvcluster.plot.inputs import check_field, take_result
from xvcluster.plot.levels import Levels, read_levels
from xvcluster.plot.options import drawing
from xvcluster.plot.profiles import pick_variables, tidy
from xvcluster.record.dataset import parameters_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from xvcluster.plot.legend import Side
    from xvcluster.plot.style import Colors

_SAMPLES = 1000
"""Points along a section, each in the middle of its share of the length."""

_APART = 1e-6
"""Radians, about 6 m: places closer together than this, or to the antipodes, have no section."""

_STRIP, _GAP = 0.17, 0.06
"""Inches: height of the strip of clusters, and of the space below it."""

_LETTER, _BESIDE = 0.065, 1.2
"""Inches: of a letter of the places at the ends, and of what else lies there and beside."""

_UPRIGHT = 0.11
"""Inches of a letter of the label of the levels, on a section that its legend makes lower."""

_LINE = "distance"


@drawing("collections.QuadMesh", extra=SCALE)
def section(
    dataset: Result | xr.Dataset,
    start: tuple[float, float],
    end: tuple[float, float],
    data: xr.DataArray | xr.Dataset | None = None,
    *,
    variable: Hashable | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    colors: Colors | None = None,
    cmap: str | Colormap | None = None,
    legend: bool | str = True,
    title: str | None = None,
    **properties: Any,
) -> Axes:
    """Draw a vertical section along a great circle, below a strip of the clusters that it crosses.

    Parameters
    ----------
    dataset : ClusterResult or Dataset
        A result, or its dataset, with latitude and longitude; on any grid, or of loose points.
    start, end : (longitude, latitude)
        In degrees, longitudes in any convention. The section is the shorter part of the great
        circle through both, and its ends are labelled A and A′.
    data : DataArray or Dataset, optional
        The model to be shown, on any grid, with levels in any order. Default: each point shows the
        centroid of its cluster, which is what the clustering says of the section.
    variable : hashable, optional
        The variable to be shown, of `data` if this is a Dataset. Default: the first one that was
        clustered.
    %(ax)s
    %(figsize)s
    %(colors)s
    %(cmap)s
        Default: ``"viridis"``; for values of both signs other than temperatures, unless limits are
        given, ``"RdBu"`` with its middle at zero.
    %(legend)s
        Here the clusters and, always beside it, the scale of colours.
    %(title)s
    **properties
        Properties of the cells of the section, handed to `matplotlib.collections.QuadMesh`, also
        ``vmin``, ``vmax`` and ``norm``.

    Returns
    -------
    Axes
        Of the section, over distance from `start` in km. ``ax.child_axes[0]`` is the strip.

    Raises
    ------
    ValueError
        If `start` or `end` is no place on Earth, if both are the same or antipodes, if none of the
        points between them is in the result or in the data, if the result or the data have no
        latitude and longitude or hold more than one map or section, if levels differ between
        profiles, or if `cmap` or properties are given for a single level, which is drawn as a line.
    TypeError
        If `start` or `end` is no pair of numbers, `data` is neither a DataArray nor a Dataset, or
        `ax` is no plain axes.

    Notes
    -----
    Nothing is interpolated: each of 1,000 points shows the cell that holds it, or the nearest point
    of a curvilinear grid or of loose points, as `match` finds labels on other grids. Grey is where
    there is no profile. Vertical lines mark where the cluster changes; they span the levels that
    were clustered. Distances are on the authalic sphere, R = 6371.0072 km.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> result = vs.vcluster.kmeans(6)
    >>> ax = result.plot.section((-125, 44), (-103, 41), vs)
    """
    lon, lat, length = _great_circle(_check_place("start", start), _check_place("end", end))
    dataset = take_result(dataset, "section")
    style.check_axes(ax)
    (name, *_) = pick_variables(dataset, variable if data is None else None)
    model = None if data is None else _take_field(data, variable, name)
    labels = style.check_labels(dataset["label"])
    rgba = style.check_colors(labels, colors)
    along = nearest_labels(labels, lat, lon)
    _require_some(along, "result", start, end)
    if model is None:
        field = _centroids(dataset, name, along)
    else:
        field = _sample(model, lat, lon, parameters_of(dataset).get("vertical"))
        _require_some(field, "data", start, end)
    levels = _levels_of(field)
    _check_scale(levels, **properties | ({} if cmap is None else {"cmap": cmap}))
    ax = _new_axes(figsize) if ax is None else ax
    edges = np.linspace(0.0, length, _SAMPLES + 1)
    named = along if legend is True else None
    side: Side = "below" if named is not None and legends.needs_key(named) else "right"
    _draw_strip(ax, edges, along, rgba)
    if levels is None:
        _draw_line(ax, edges, field)
    else:
        look = {"side": side, "with_bar": bool(legend), "cmap": cmap, **properties}
        look |= {} if cmap is not None or properties.keys() & {*SCALE} else _center(field)
        _draw_depths(ax, edges, field, levels, **look)
    span = None if levels is None else _clustered_levels(dataset, field)
    _mark_changes(ax, edges, along, span)
    ax.set_xlim(0.0, length)
    ax.set_xlabel("distance (km)", fontsize=9)
    _name_ends(ax, start, end)
    if legend:
        at: dict[str, Any] = {"place": legend if isinstance(legend, str) else None}
        legends.add_legend(ax, along, rgba, beside="below", part_of=labels, **at)
    if title is not None:
        ax.set_title(title, fontsize=11, pad=72 * (_STRIP + 2 * _GAP) + 12)
    return ax


def _check_place(name: str, place: Any) -> tuple[float, float]:
    """Return a place as longitude and latitude in degrees; refuse anything else."""
    example = f"give (longitude, latitude) in degrees, such as {name}=(-120, 40)"
    is_pair = isinstance(place, tuple | list | np.ndarray) and len(place) == 2
    if not is_pair or not all(is_number(value) for value in place):
        raise TypeError(f"{name}={shown(place)} is no place; {example}")
    lon, lat = (float(value) for value in place)
    if not (-360 <= lon <= 540 and abs(lat) <= 90):
        swapped = "; are they the other way round?" if abs(lon) <= 90 < abs(lat) else ""
        raise ValueError(
            f"{name}={shown(place)} has longitude {lon:g} and latitude {lat:g}, which is no place "
            f"on Earth{swapped or f'; {example}'}"
        )
    return lon, lat


def _great_circle(
    start: tuple[float, float], end: tuple[float, float]
) -> tuple[xr.DataArray, xr.DataArray, float]:
    """Return longitudes and latitudes of points along a great circle, and its length in km."""
    one, other = (unit_vectors(*np.array([lat, lon])) for lon, lat in (start, end))
    angle = float(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other))
    if angle < _APART:
        raise ValueError(f"start and end are the same place, {start}; give two places")
    if angle > np.pi - _APART:
        raise ValueError(
            f"start={start} and end={end} are opposite each other on Earth, so that any great "
            "circle through one leads to the other; give a place between them as the end"
        )
    share = ((np.arange(_SAMPLES) + 0.5) / _SAMPLES)[:, np.newaxis]
    lat, lon = places_of(np.sin((1 - share) * angle) * one + np.sin(share * angle) * other)
    return xr.DataArray(lon, dims=_LINE), xr.DataArray(lat, dims=_LINE), EARTH_RADIUS_KM * angle


def _take_field(data: Any, variable: Hashable | None, clustered: Hashable) -> xr.DataArray:
    """Return the variable of the data that is to be shown."""
    data = unwrap(data, "the data")
    if isinstance(data, xr.Dataset):
        chosen = clustered if variable is None else variable
        if chosen not in data.data_vars:
            raise ValueError(
                f"the data have no variable {shown(chosen)}; choose one by variable: "
                f"{plain(', '.join(map(repr, data.data_vars)))}"
            )
        return check_field(with_coordinates(data)[chosen], "data")
    if not isinstance(data, xr.DataArray):
        raise TypeError(f"data must be a DataArray or Dataset of a model; got {describe(data)}")
    if variable is not None:
        raise ValueError(
            f"variable={shown(variable)} has no effect on data that are a DataArray; omit it, or "
            "pass a Dataset"
        )
    return check_field(data, "data")


def _sample(
    field: xr.DataArray, lat: xr.DataArray, lon: xr.DataArray, clustered: str | None
) -> xr.DataArray:
    """Return the profiles of a field at points: on levels, if it has any, and the points.

    These levels lie along the dimension that was clustered, if the field has it.
    """
    axes = find_axes(field, clustered if clustered in field.dims else None)
    grid = find_grid(field)
    if grid is None:
        raise ValueError(
            "the data have no latitude and longitude among their coordinates "
            f"({plain(', '.join(map(repr, field.coords)))}); assign both, in degrees"
        )
    vertical = [] if axes.vertical is None else [axes.vertical]
    if vertical and is_counted(field, vertical_of(field, vertical[0])):
        _refuse_varying(field, vertical[0])
    wanted = (*vertical, *grid.dims)
    field = take_map(field, wanted, "a section shows one field", "data.isel({dim}=0)")
    shape = tuple(field.sizes[dim] for dim in grid.dims)
    numbers = field.isel(dict.fromkeys(vertical, 0), drop=True)
    numbers = numbers.copy(data=np.arange(np.prod(shape), dtype=np.float64).reshape(shape))
    cells = nearest_labels(numbers, lat, lon).values
    at = np.unravel_index(np.nan_to_num(cells).astype(np.intp), shape)
    index = {dim: xr.DataArray(i, dims=_LINE) for dim, i in zip(grid.dims, at, strict=True)}
    found = mask_invalid(field.isel(index).compute()).where(
        xr.DataArray(np.isfinite(cells), dims=_LINE)
    )
    return found.transpose(*vertical, _LINE).assign_attrs(field.attrs)


def _refuse_varying(field: xr.DataArray, vertical: str) -> None:
    """Refuse levels that lie at depths of their own in each profile."""
    varying = find_varying(field, vertical)
    if varying:
        raise ValueError(
            f"the levels of the data lie at depths of their own in each profile, {varying[0]!r}, "
            "and a section needs common ones; interpolate to them first, with "
            ".vcluster.prepare(depth=...), or omit data"
        )


def _centroids(dataset: xr.Dataset, name: Hashable, along: xr.DataArray) -> xr.DataArray:
    """Return the centroids of the clusters of points, by level and point."""
    vertical = parameters_of(dataset).get("vertical")
    dims = ["cluster"] if vertical is None else ["cluster", vertical]
    centroids = dataset[name].transpose(*dims).compute()
    numbers = along.values
    table = centroids.reindex(cluster=np.arange(1, int(np.nanmax(numbers)) + 1))
    cells = xr.DataArray(np.nan_to_num(numbers, nan=1).astype(np.intp) - 1, dims=_LINE)
    found = table.isel(cluster=cells).where(along.notnull()).drop_vars("cluster")
    attrs = centroids.attrs
    label = attrs.get("long_name") or attrs.get("standard_name") or name
    found = found.assign_attrs(attrs, long_name=f"centroids: {label}")
    return found.transpose(*dims[1:], _LINE)


def _levels_of(field: xr.DataArray) -> Levels | None:
    """Return the levels of a section, one below the other; None if it has a single one."""
    if field.ndim == 1 or field.shape[0] == 1:
        return None
    levels = read_levels(vertical_of(field, str(field.dims[0])))
    at = np.arange(len(levels.at)) if levels.at.dtype.kind == "M" else levels.at
    return replace(levels, at=at.astype(np.float64), is_time=False)


def _clustered_levels(dataset: xr.Dataset, field: xr.DataArray) -> tuple[float, float] | None:
    """Return the range of the levels of a result on the axis of a section; None if not known."""
    name, own = parameters_of(dataset).get("vertical"), vertical_of(field, str(field.dims[0]))
    if name is None or name not in dataset.coords or own.dtype.kind not in "fiu":
        return None
    clustered = dataset[name]
    if clustered.dtype.kind not in "fiu" or units(clustered) != units(own):
        return None
    sign = 1 if is_same_direction(clustered, own) else -1
    low, high = sorted((sign * float(clustered.min()), sign * float(clustered.max())))
    return low, high


def _new_axes(figsize: tuple[float, float] | None) -> Axes:
    """Return the axes of a new figure."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=figsize or (7.0, 3.6), layout="constrained")
    return figure.add_subplot()


def _draw_depths(
    ax: Axes, edges: Float64s, field: xr.DataArray, levels: Levels, **options: Any
) -> None:
    """Draw a field over distance and depth, with its colorbar."""
    order = np.argsort(levels.at, kind="stable")
    place = _geometry(edges, cell_edges(levels.at[order]), field.values[order])
    levels.limit(ax)
    ax.set_ylabel(fill(levels.label, _letters(ax)), fontsize=9)
    ax.set_xlabel("distance (km)", fontsize=9)
    ax.tick_params(labelsize=8, width=0.7, length=3)
    draw_background(ax, field, place, offset=clear_of_ticks(ax), **options)


def _letters(ax: Axes) -> int:
    """Return how many letters fit beside a section."""
    return max(int(legends.inches(ax)[1] / _UPRIGHT), 12)


def _geometry(x: Float64s, y: Float64s, values: Array) -> Geometry:
    """Lay out a field over distance."""
    return Geometry("plane", x, y, np.asarray(values, dtype=np.float64), _LINE, "level")


def _draw_line(ax: Axes, edges: Float64s, field: xr.DataArray) -> None:
    """Draw a field of a single level as a line."""
    values = np.ravel(field.values)
    ax.stairs(values, edges, baseline=None, color=style.INK, linewidth=1.2)
    ax.set_ylabel(style.axis_label(field, width=_letters(ax)), fontsize=9)
    tidy(ax)


def _mark_changes(
    ax: Axes, edges: Float64s, along: xr.DataArray, span: tuple[float, float] | None
) -> None:
    """Draw a line where the cluster changes, over the levels that were clustered."""
    from matplotlib.patheffects import withStroke

    numbers = along.fillna(0).values
    at = edges[1:-1][numbers[1:] != numbers[:-1]]
    low, high = sorted(ax.get_ylim()) if span is None else span
    halo = [withStroke(linewidth=1.7, foreground="white", alpha=0.7)]
    ax.vlines(at, low, high, color=style.OUTLINE, linewidth=0.7, path_effects=halo)


def _draw_strip(ax: Axes, edges: Float64s, along: xr.DataArray, rgba: Float64s) -> None:
    """Draw the clusters as a strip above a section."""
    from matplotlib.transforms import blended_transform_factory

    above = blended_transform_factory(ax.transAxes, legends.inches_from(ax, 0, 1))
    strip = ax.inset_axes((0.0, _GAP, 1.0, _STRIP), transform=above)
    draw_labels(strip, _geometry(edges, np.array([0.0, 1.0]), along.values[np.newaxis]), rgba)
    strip.set_xlim(edges[0], edges[-1])
    strip.set_xticks([])
    strip.set_yticks([])
    strip.spines[:].set_linewidth(0.5)


def _center(field: xr.DataArray) -> dict[str, Any]:
    """Return the colours of values of both signs, which are the same distance from zero."""
    low, high = np.nanpercentile(field.values, [1, 99])
    if not low < 0 < high or style.is_temperature(units(field)):
        return {}
    largest = max(-low, high)
    return {"cmap": "RdBu", "vmin": -largest, "vmax": largest}


def _name_ends(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Name both ends of a section, with their places."""
    places = [_spell(place) for place in (start, end)]
    has_room = _LETTER * sum(map(len, places)) + _BESIDE < legends.inches(ax)[0]
    for x, side, name, place in zip((0, 1), ("left", "right"), ("A", "A′"), places, strict=True):
        at = legends.inches_from(ax, x, 1)
        text = f"{name}  {place}" if has_room else name
        above = _STRIP + 2 * _GAP
        ax.text(0, above, text, transform=at, ha=side, va="baseline", fontsize=8)


def _spell(place: tuple[float, float]) -> str:
    """Return a place in words, such as ``"44°N 125°W"``."""
    lon, lat = (float(value) for value in place)
    lon = (lon + 180) % 360 - 180
    lat, lon = round(lat, 1), round(lon, 1)
    sides = "S" if lat < 0 else "N", "W" if lon < 0 else "E"
    has_side = lat != 0, abs(lon) not in (0, 180)
    pairs = zip((lat, lon), sides, has_side, strict=True)
    return " ".join(f"{abs(value):.4g}°{side if has else ''}" for value, side, has in pairs)


def _require_some(found: xr.DataArray, what: str, start: Any, end: Any) -> None:
    """Refuse a section on which there is nothing."""
    if not bool(found.notnull().any()):
        raise ValueError(
            f"no point of the {what} is on the great circle from {start} to {end}; give start and "
            "end as (longitude, latitude) of places between which there are some"
        )


def _check_scale(levels: Levels | None, **options: Any) -> None:
    """Refuse options of a field where a line is drawn."""
    if levels is None and options:
        raise ValueError(
            f"{next(iter(options))} is for a section of several levels, but there is one, which is "
            "drawn as a line; omit it"
        )
