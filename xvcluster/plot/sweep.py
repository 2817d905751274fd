"""One map for each number of clusters of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from xvcluster.grid.labels import Result
from xvcluster.plot import geometry as geo
from xvcluster.plot import style, view
from xvcluster.plot.fields import NEAR, bar_axes, clear_of_ticks, draw_background, draw_labels
from xvcluster.plot.inputs import check_field, check_switches, take_sweep
from xvcluster.plot.map import add_map_axes, set_view, surround
from xvcluster.plot.size import arrange, moderate

if TYPE_CHECKING:
    import xarray as xr
    from cartopy.crs import Projection
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xvcluster.plot.basemap import Resolution


def maps(
    dataset: Result | xr.Dataset,
    *,
    ncols: int | None = None,
    original: xr.DataArray | Literal[True] | None = None,
    projection: Projection | None = None,
    extent: geo.Box | None = None,
    coastlines: bool = True,
    borders: bool = False,
    resolution: Resolution = "110m",
) -> Figure:
    """Draw one map of the labels for each number of clusters.

    Parameters
    ----------
    dataset : SweepResult or Dataset
        A sweep, or its dataset.
    ncols : int, optional
        Number of panels in a row. Default: depends on the shape of the map.
    original : xr.DataArray or True, optional
        A field on the same points, drawn first with its own colorbar. True, in
        ``sweep.plot.maps``, stands for the clustered data: the first variable if there are several,
        averaged over the vertical if there is one.
    projection, extent, coastlines, borders, resolution
        As in `map`, the same in all panels.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `ncols` is less than 1, if `original` or the labels hold more than one map for each k, or
        if `original` is True although only the dataset is known.

    Examples
    --------
    >>> from xvcluster.plot import maps
    >>> figure = maps(sweep.dataset)  # doctest: +SKIP
    """
    extent, projection = view.check_extent(extent), view.check_projection(projection)
    dataset = take_sweep(dataset, "maps").compute()  # read lazy maps only once
    check_switches(coastlines=coastlines, borders=borders)
    if original is True:
        raise ValueError(
            "original=True stands for the data of a sweep, but a dataset does not contain them; "
            "use sweep.plot.maps(original=True), or pass a DataArray"
        )
    fields = [] if original is None else [check_field(original, "original")]
    fields += [_labels_at(dataset, index) for index in range(dataset.sizes["k"])]
    places = [geo.locate(field) for field in fields]
    axes = _panels(places[-1], len(fields), ncols, projection, extent)
    tight = projection is None
    for index, (ax, field, place) in enumerate(zip(axes, fields, places, strict=True)):
        set_view(ax, place, field, extent, tight=tight)
        if index == 0 and original is not None:
            _draw_original(ax, field, place)
        else:
            _draw_k(ax, field, place)
        surround(
            ax, place, field, extent, tight=tight, resolution=resolution,
            coastlines=coastlines, borders=borders, gridlines=False,
        )  # fmt: skip
    return axes[0].figure  # type: ignore[return-value]


def _labels_at(dataset: xr.Dataset, index: int) -> xr.DataArray:
    """Return the labels of one k, with the attributes that determine their colours."""
    labels = style.check_labels(dataset["label"].isel(k=index))
    numbers = np.arange(1, int(dataset["k"].values[index]) + 1)
    # the names of the largest k do not fit the others
    kept = {key: value for key, value in labels.attrs.items() if key != "flag_meanings"}
    return labels.drop_attrs().assign_attrs(kept | {"flag_values": numbers})


def _panels(
    place: geo.Geometry,
    n_panels: int,
    ncols: int | None,
    projection: Projection | None,
    extent: geo.Box | None,
) -> list[Axes]:
    """Return the axes of a new figure, each with the shape of the map."""
    import matplotlib.pyplot as plt

    is_plane = place.kind == "plane"
    shape = 1.5 if is_plane else view.shape(place, projection, extent)
    shape = moderate(shape)
    width = float(np.clip(2.6 * shape, 1.4, 3.2))
    panel = width + 0.25, width / shape + (1.0 if is_plane else 0.62)
    limit = 3 if shape > 1.5 else 4 if shape > 0.8 else 6
    hint = "the maps of some k: sweep.dataset.sel(k=[4, 6])"
    plan = arrange(n_panels, panel, limit=limit, ncols=ncols, hint=hint)
    figure = plt.figure(figsize=plan.size, layout="compressed")
    grid = figure.add_gridspec(plan.n_rows, plan.n_columns)
    return [add_map_axes(figure, grid[i], place, projection, extent) for i in range(n_panels)]


def _draw_k(ax: Axes, labels: xr.DataArray, place: geo.Geometry) -> None:
    """Draw one map of labels, over a strip of its colours."""
    rgba = style.colors_of(labels)
    draw_labels(ax, place, rgba)
    ax.set_title(f"k = {len(rgba)}", fontsize=9.5)
    strip = bar_axes(ax, "below", offset=_offset(ax, place))
    strip.imshow(rgba[np.newaxis], aspect="auto", interpolation="nearest")
    strip.set_yticks([])
    strip.tick_params(length=0)
    ticks = np.arange(0, len(rgba), -(-len(rgba) // 10))
    strip.set_xticks(ticks, [str(tick + 1) for tick in ticks])


def _offset(ax: Axes, place: geo.Geometry) -> float:
    """Return the inches between a map and the bar below it: longitudes are not labelled here."""
    return clear_of_ticks(ax) if place.kind == "plane" else NEAR


def _draw_original(ax: Axes, field: xr.DataArray, place: geo.Geometry) -> None:
    """Draw the original field, with a colorbar in the place of the strip."""
    draw_background(ax, field, place, offset=_offset(ax, place))
    vertical, _, method = str(field.attrs.get("cell_methods", "")).partition(": ")
    title = style.drawable(f"mean over {vertical}") if method == "mean" else "original"
    ax.set_title(title, fontsize=9.5)
