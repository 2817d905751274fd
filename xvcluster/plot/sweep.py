"""How many clusters: the criteria against k, and one map a k."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from xvcluster.arrays import Integers
from xvcluster.plot import geometry as geo
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.fields import draw_background, draw_labels
from xvcluster.plot.map import add_geo_axes, decorate, frame, label_plane

if TYPE_CHECKING:
    import xarray as xr
    from cartopy.crs import Projection
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xvcluster.plot.basemap import Resolution
    from xvcluster.plot.map import Box

_INK = "#2b4c7e"
_BEST = "#c2202b"


def elbow(dataset: xr.Dataset) -> Figure:
    """Draw the criteria of a sweep against the number of clusters, and mark the best.

    Parameters
    ----------
    dataset : xr.Dataset
        The dataset of a `SweepResult`.

    Returns
    -------
    Figure
        Inertia above, the silhouette below.

    Examples
    --------
    >>> from xvcluster.plot import elbow
    >>> figure = elbow(sweep.dataset)  # doctest: +SKIP
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    figure, axes = plt.subplots(2, 1, figsize=(5.4, 4.8), sharex=True, layout="constrained")
    for ax, name in zip(axes, ("inertia", "silhouette"), strict=True):
        _draw_criterion(ax, dataset, name)
    axes[1].set_xlabel("number of clusters k", fontsize=9)
    axes[1].xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True, min_n_ticks=1))
    return figure


def maps(
    dataset: xr.Dataset,
    *,
    ncols: int | None = None,
    original: xr.DataArray | Literal[True] | None = None,
    projection: Projection | None = None,
    extent: Box | None = None,
    coastlines: bool = True,
    borders: bool = False,
    resolution: Resolution = "110m",
) -> Figure:
    """Draw one map of the labels for each number of clusters.

    Parameters
    ----------
    dataset : xr.Dataset
        The dataset of a `SweepResult`.
    ncols : int, optional
        Panels in a row. Default: two to four, by the shape of the map.
    original : xr.DataArray or True, optional
        A field on the same map, drawn first with a colorbar of its own. True is for
        ``sweep.plot.maps``: the data that were clustered, the first variable if there are several,
        and its mean over the vertical if it has one.
    projection, extent, coastlines, borders, resolution
        As for `map`, the same in all panels.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `ncols` is less than 1, if `original` or the labels hold more than one map a k, or if
        `original` is True where only the dataset is known.

    Examples
    --------
    >>> from xvcluster.plot import maps
    >>> figure = maps(sweep.dataset)  # doctest: +SKIP
    """
    dataset = dataset.compute()  # lazy maps are read once
    if ncols is not None and ncols < 1:
        raise ValueError(f"ncols must be at least 1, got {ncols}; None chooses it")
    if original is True:
        raise ValueError(
            "original=True stands for the data of a sweep, but a dataset does not hold them; call "
            "maps of the sweep itself, sweep.plot.maps(original=True), or pass a DataArray"
        )
    fields = [] if original is None else [original]
    fields += [_labels_at(dataset, index) for index in range(dataset.sizes["k"])]
    places = [geo.locate(field) for field in fields]
    axes = _panels(places[-1], len(fields), ncols, projection, extent)
    for index, (ax, field, place) in enumerate(zip(axes, fields, places, strict=True)):
        if index == 0 and original is not None:
            _draw_original(ax, field, place)
        else:
            _draw_k(ax, field, place)
        if place.kind == "plane":
            label_plane(ax, place, field)
        else:
            frame(ax, place, extent, tight=projection is None)
            decorate(ax, coastlines, borders, resolution)
    return axes[0].figure  # type: ignore[return-value]


def _draw_criterion(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    """One criterion as a line with markers, the best k ringed and named."""
    k, values = dataset["k"].values, dataset[name].values
    ax.plot(k, values, color=_INK, linewidth=1.4, marker="o", markersize=4)
    best = dataset.attrs.get("best_k")
    if best is not None and best in k:
        at = float(dataset[name].sel(k=best))
        ax.axvline(best, color=_BEST, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        ring: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 1.6}
        ax.plot([best], [at], marker="o", markersize=8, color=_BEST, linestyle="none", **ring)
    if best is not None and name == "inertia":
        by = dataset.attrs.get("best_k_by")
        text = f"best k = {best}" + (f" (by {by})" if by else "")
        ax.set_title(text, fontsize=9.5, color=_BEST)
    ax.set_ylabel(style.axis_label(dataset[name]), fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.grid(color="#555555", alpha=0.15, linewidth=0.5)


def _labels_at(dataset: xr.Dataset, index: int) -> xr.DataArray:
    """The labels of one k, with the attributes that give them their colours."""
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
    extent: Box | None,
) -> list[Axes]:
    """A new figure with panels that have the shape of the map."""
    import matplotlib.pyplot as plt

    shape = 1.5 if place.kind == "plane" else geo.shape(place)
    limit = 3 if shape > 1.5 else 4 if shape > 0.8 else 6
    n_columns = min(ncols or legends.balanced_columns(n_panels, limit), n_panels)
    n_rows = -(-n_panels // n_columns)
    width = min(3.2, max(2.6 * shape, 1.4))
    figure = plt.figure(layout="compressed")
    figure.set_size_inches(n_columns * (width + 0.25), n_rows * (width / shape + 0.62))
    if place.kind == "plane":
        return [figure.add_subplot(n_rows, n_columns, i + 1) for i in range(n_panels)]
    projection = projection or geo.choose_projection(place, extent)
    return [
        add_geo_axes(figure, (n_rows, n_columns, i + 1), place, projection) for i in range(n_panels)
    ]


def _draw_k(ax: Axes, labels: xr.DataArray, place: geo.Geometry) -> None:
    """One map of labels, over a strip of its colours."""
    rgba = style.cluster_colors(labels)
    draw_labels(ax, place, rgba)
    ax.set_title(f"k = {len(rgba)}", fontsize=9.5)
    strip = ax.inset_axes((0.1, -0.12, 0.8, 0.06))
    _fix_height(strip, ax)
    strip.imshow(rgba[np.newaxis], aspect="auto", interpolation="nearest")
    strip.set_yticks([])
    strip.tick_params(length=0, labelsize=6.5, pad=1.5)
    step = -(-len(rgba) // 10)
    ticks: Integers = np.arange(0, len(rgba), step)
    strip.set_xticks(ticks, [str(tick + 1) for tick in ticks])
    strip.spines[:].set_linewidth(0.4)


def _draw_original(ax: Axes, field: xr.DataArray, place: geo.Geometry) -> None:
    """The original field with a colorbar in the place of the strip."""
    draw_background(ax, field, place)
    vertical, _, method = str(field.attrs.get("cell_methods", "")).partition(": ")
    ax.set_title(f"mean over {vertical}" if method == "mean" else "original", fontsize=9.5)


def _fix_height(strip: Axes, ax: Axes) -> None:
    """Keep a strip below the map at the same height in inches, whatever the map's shape."""
    strip.set_axes_locator(legends.BelowLocator(ax))
