"""One map for each number of clusters, of a sweep or of a tree, or for each of several results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from xvcluster.arrays import Array, Float64s, Labels, Objects
from xvcluster.grid.labels import Result
from xvcluster.messages import shown
from xvcluster.options import check_ks
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style, view
from xvcluster.plot.beside import Several, draw_several, is_several
from xvcluster.plot.fields import (
    NEAR,
    STRIP,
    bar_axes,
    clear_of_ticks,
    draw_background,
    draw_labels,
)
from xvcluster.plot.inputs import (
    check_field,
    check_switches,
    take_dataset,
    take_result,
    take_sweep,
)
from xvcluster.plot.map import add_map_axes, check_view, set_view, surround
from xvcluster.plot.nested import Panel, cut_panels, numbered
from xvcluster.plot.options import Panels, drawing, take_axes
from xvcluster.plot.scale import check_scale_bar
from xvcluster.plot.size import arrange, fit_page, moderate
from xvcluster.record.tree import has_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import xarray as xr
    from cartopy.crs import Projection
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from xvcluster.plot.basemap import Resolution
    from xvcluster.plot.style import Colors

_LETTER, _SPACE = 0.06, 0.04
"""Inches of a letter below a strip of colours, and of the space between names."""

_ROWS = 4
"""Rows of names below a strip, at most."""

_ROW = 0.11
"""Inches of such a row."""


@drawing("collections.QuadMesh", "collections.PathCollection", extra=("s", "marker"))
def maps(
    dataset: Result | xr.Dataset | Several,
    *,
    titles: Sequence[str] | None = None,
    ks: Iterable[int] | None = None,
    axes: Sequence[Axes] | Array | None = None,
    figsize: tuple[float, float] | None = None,
    ncols: int | None = None,
    original: xr.DataArray | Literal[True] | None = None,
    projection: Projection | None = None,
    extent: geo.Box | None = None,
    colors: Colors | None = None,
    cmap: str | Colormap | None = None,
    legend: bool = True,
    title: str | None = None,
    coastlines: bool = True,
    borders: bool = False,
    resolution: Resolution = "auto",
    scale_bar: bool | float = False,
    **properties: Any,
) -> Panels:
    """Draw one map for each number of clusters, or for each of several results.

    Parameters
    ----------
    dataset : SweepResult, ClusterResult or Dataset; or a list or dict of results
        A sweep, a result with a tree, which is cut at each k, or the dataset of either. Or several
        results, their datasets or labels, on any grids, to be drawn side by side: a list, or a dict
        whose keys are the titles.
    titles : sequence of str, optional
        Of the maps of a list of results. Default: (a), (b), ….
    ks : iterable of int, optional
        The numbers of clusters. Default: those of a sweep; of a tree, the number of clusters of the
        result, half of it and twice as many.
    %(axes)s
        As in `map`; that of `original` first.
    %(figsize)s
    ncols : int, optional
        Number of panels in a row. Default: depends on the shape of the map, or on `figsize`.
    original : xr.DataArray or True, optional
        A field on the same points, drawn first with its own colorbar. True, in
        ``sweep.plot.maps``, stands for the clustered data: the first variable if there are several,
        averaged over the vertical if there is one.
    projection, extent, coastlines, borders, resolution
        As in `map`, the same in all panels. Several results are shown in one extent that holds
        them all, if their regions overlap.
    scale_bar : bool or float
        As in `map`, in the first panel.
    %(colors)s
        Of a sweep for the largest k, of which smaller ones take the first; a colormap is divided
        anew for each. Of a tree for the smallest k.
    %(cmap)s
        Here `original`; default: ``"viridis"``.
    %(bar)s
        Here strips of colours below the maps. Several results share one legend if they have the
        same clusters; otherwise each map has its own.
    %(title)s
    **properties
        Properties of the cells or points, as in `map`.

    Returns
    -------
    Panels
        One per k, after that of `original`; or one per result.

    Raises
    ------
    ValueError
        If the result has no tree, if `ks` are not in the sweep or more than the leaves of the tree,
        if `ncols` is less than 1, if `original` or the labels hold more than one map for each k, if
        `original` is True although only the dataset is known, if `colors` does not have one colour
        per cluster, if there is no result, or not one of the `titles` for each, or if `ncols`,
        `figsize`, `projection`, `cmap`, `ks` or `titles` would have no effect.
    TypeError
        If `dataset` is or holds something else, or `extent` or `projection` is none.

    Notes
    -----
    Several results have the same clusters, in the same colours, if they were matched to one of them
    (`ClusterResult.match`), whatever the numbers of clusters; or if all clusters have the same
    numbers, names and colours.

    The cuts of a tree are nested, and so are their colours. The smallest k has colours as any
    clusters have. From there on, the larger part of a cluster that is divided keeps its colour, and
    the smaller one has a shade of it; so a cluster may have another colour than in `map`. The
    strips of colours below the maps are aligned, and name clusters by those of the result: 3a and
    3b are parts of 3, and 3+4 are both together. Names that do not fit side by side stand in up to
    four rows. If they do not fit there either, only the first part of each cluster has a name, as
    far as there is room; 3b and 3c are to the right of 3a.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> sweep = vs.vcluster.sweep(range(2, 6))
    >>> panels = sweep.plot.maps()
    >>> panels = xvcluster.plot.maps({"k = 3": sweep.result(3), "k = 5": sweep.result(5)})
    """
    extent, projection = view.check_extent(extent), view.check_projection(projection)
    check_switches(coastlines=coastlines, borders=borders)
    scale_bar = check_scale_bar(scale_bar)
    if is_several(dataset):
        _refuse(" for several results", ks=ks, original=original, cmap=cmap)
        if axes is not None:
            _refuse(" on given axes", ncols=ncols)
        if isinstance(dataset, Mapping):
            _refuse(" for a dict, whose keys are the titles", titles=titles)
        return draw_several(
            dataset, titles, projection=projection, extent=extent, colors=colors, axes=axes,
            figsize=figsize, col_wrap=ncols, legend=legend, title=title, coastlines=coastlines,
            borders=borders, resolution=resolution, scale_bar=scale_bar, **properties,
        )  # fmt: skip
    _refuse(", unless several results are given as a list", titles=titles)
    if original is True:
        raise ValueError(
            "original=True stands for the data of a sweep, but a dataset does not contain them; "
            "use sweep.plot.maps(original=True), or pass a DataArray"
        )
    if cmap is not None and original is None:
        raise ValueError(f"cmap={cmap!r} has no effect without original; omit one, or pass both")
    panels = _take_panels(dataset, ks, colors)
    fields = [] if original is None else [check_field(original, "original")]
    fields += [panel.labels for panel in panels]
    places = [geo.locate(field) for field in fields]
    if axes is None:
        axes = _new_axes(places[-1], fields, panels, ncols, projection, extent, figsize)
        tight = projection is None
    else:
        axes, tight = _take_given(axes, places, ncols, projection, extent), False
    drawn = [None] * (original is not None) + panels
    for ax, field, place, panel in zip(axes, fields, places, drawn, strict=True):
        set_view(ax, place, field, extent, tight=tight)
        if panel is None:
            _draw_original(ax, field, place, cmap, properties, with_bar=legend)
        else:
            _draw_k(ax, panel, place, properties, with_strip=legend)
        surround(
            ax, place, field, extent, tight=tight, resolution=resolution,
            coastlines=coastlines, borders=borders, gridlines=False, scale_bar=scale_bar,
        )  # fmt: skip
        scale_bar = False  # one is enough
    if title is not None:
        axes[0].figure.suptitle(title, fontsize=12)
    return Panels(axes)


def _refuse(when: str, **options: Any) -> None:
    """Refuse options that have no effect."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{name}={shown(value)} has no effect{when}; omit it")


def _take_given(
    axes: Sequence[Axes] | Array,
    places: list[geo.Geometry],
    ncols: int | None,
    projection: Projection | None,
    extent: geo.Box | None,
) -> Objects:
    """Return the given axes, one for each map."""
    if ncols is not None:
        raise ValueError(f"ncols={ncols} has no effect on the given axes; pass one of the two")
    given = take_axes(axes, len(places))
    for ax, place in zip(given, places, strict=True):
        check_view(place, ax, projection, extent=extent)
    return given


def _take_panels(
    source: Result | xr.Dataset, ks: Iterable[int] | None, colors: Colors | None
) -> list[Panel]:
    """Take the labels of a sweep, or those of a tree that is cut, in their colours."""
    dataset = take_dataset(source, "maps", "a SweepResult, a result with a tree, or its dataset")
    if has_tree(dataset):
        return cut_panels(take_result(dataset, "maps").compute(), ks, colors)
    dataset = take_sweep(dataset, "maps")
    if ks is not None:
        chosen, known = check_ks("ks", ks), dataset["k"].values
        if not np.isin(chosen, known).all():
            raise ValueError(f"ks={chosen} are not all in the sweep, which has {known.tolist()}")
        dataset = dataset.sel(k=chosen)
    dataset = dataset.compute()  # read lazy maps only once
    largest = style.check_labels(dataset["label"].isel(k=int(dataset["k"].values.argmax())))
    largest = numbered(largest, largest, int(dataset["k"].max()))
    rgba = style.check_colors(largest, colors)
    if colors is not None and not isinstance(colors, str | Mapping) and not callable(colors):
        colors = list(rgba)
    return [_panel_of(dataset, index, colors) for index in range(dataset.sizes["k"])]


def _panel_of(dataset: xr.Dataset, index: int, colors: Colors | None) -> Panel:
    """Return the labels of one k of a sweep."""
    labels = style.check_labels(dataset["label"].isel(k=index))
    labels = numbered(labels, labels, int(dataset["k"].values[index]))
    rgba = style.check_colors(labels, _first(colors, int(dataset["k"].values[index])))
    k, step = len(rgba), -(-len(rgba) // 10)
    names = [str(c + 1) if c % step == 0 else "" for c in range(k)]
    return Panel(labels, rgba, np.ones(k, np.intp), names, np.ones(k, bool))


def _first(colors: Colors | None, k: int) -> Colors | None:
    """Return the part of colours that are given for more clusters that the first k have."""
    if isinstance(colors, Mapping):
        return {key: color for key, color in colors.items() if not isinstance(key, int) or key <= k}
    return colors[:k] if isinstance(colors, list) else colors


def _new_axes(
    place: geo.Geometry,
    fields: list[xr.DataArray],
    panels: list[Panel],
    ncols: int | None,
    projection: Projection | None,
    extent: geo.Box | None,
    figsize: tuple[float, float] | None,
) -> Objects:
    """Return the axes of a new figure, each with the shape of the map."""
    import matplotlib.pyplot as plt

    is_plane = place.kind == "plane"
    shape = 1.5 if is_plane else view.shape(place, projection, extent)
    shape = moderate(shape)
    width, limit = fit_page(shape, 0.25)
    below = _ROW * max(_place_names(panel, STRIP * width)[1].max(initial=0) for panel in panels)
    panel = width + 0.25, width / shape + (1.0 if is_plane else 0.62) + below
    hint = "the maps of some k: sweep.dataset.sel(k=[4, 6])"
    plan = arrange(len(fields), panel, limit=limit, ncols=ncols, figsize=figsize, hint=hint)
    figure = plt.figure(figsize=plan.size, layout="compressed")
    grid = figure.add_gridspec(plan.n_rows, plan.n_columns)
    axes = [add_map_axes(figure, grid[i], place, projection, extent) for i in range(len(fields))]
    return np.array(axes, dtype=object)


def _draw_k(
    ax: Axes, panel: Panel, place: geo.Geometry, properties: dict[str, Any], *, with_strip: bool
) -> None:
    """Draw one map of labels, over a strip of its colours."""
    draw_labels(ax, place, panel.rgba, **properties)
    ax.set_title(f"k = {len(panel.rgba)}", fontsize=9.5)
    if not with_strip:
        return
    strip = bar_axes(ax, "below", offset=_offset(ax, place))
    colors = np.repeat(panel.rgba, panel.widths, axis=0)
    strip.imshow(colors[np.newaxis], aspect="auto", interpolation="nearest")
    strip.set_yticks([])
    strip.tick_params(length=0)
    middles, rows = _place_names(panel, legends.inches(strip)[0])
    kept = np.flatnonzero(rows >= 0)
    strip.set_xticks(middles[kept] * len(colors) - 0.5)
    strip.set_xticklabels(["\n" * rows[c] + panel.names[c] for c in kept], linespacing=1.0)


def _place_names(panel: Panel, width: float) -> tuple[Float64s, Labels]:
    """Return where names lie below a strip of some inches, from 0 to 1, and in which row, or -1."""
    middles = (np.cumsum(panel.widths) - panel.widths / 2) / panel.widths.sum()
    needed = np.array([_LETTER * len(name) + _SPACE * bool(name) for name in panel.names])
    rows = _rows_of(middles * width, needed)
    if (rows[needed > 0] < 0).any():
        rows = _rows_of(middles * width, np.where(panel.is_first, needed, 0.0))
    return middles, rows


def _rows_of(middles: Float64s, widths: Float64s) -> Labels:
    """Return the highest row in which each name fits, from the left; -1 if none, or no name."""
    ends, rows = np.full(_ROWS, -np.inf), np.full(len(widths), -1)
    for i in np.flatnonzero(widths):
        has_room = middles[i] - widths[i] / 2 >= ends
        if has_room.any():
            rows[i] = has_room.argmax()
            ends[rows[i]] = middles[i] + widths[i] / 2
    return rows


def _offset(ax: Axes, place: geo.Geometry) -> float:
    """Return the inches between a map and the bar below it: longitudes are not labelled here."""
    return clear_of_ticks(ax) if place.kind == "plane" else NEAR


def _draw_original(
    ax: Axes,
    field: xr.DataArray,
    place: geo.Geometry,
    cmap: str | Colormap | None,
    properties: dict[str, Any],
    *,
    with_bar: bool,
) -> None:
    """Draw the original field, with a colorbar in the place of the strip."""
    at: dict[str, Any] = {"offset": _offset(ax, place), "with_bar": with_bar}
    draw_background(ax, field, place, **at, cmap=cmap, **properties)
    vertical, _, method = str(field.attrs.get("cell_methods", "")).partition(": ")
    title = style.drawable(f"mean over {vertical}") if method == "mean" else "original"
    ax.set_title(title, fontsize=9.5)
