"""The vote map: how many models put each point in a cluster."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.plot import geometry as geo
from xvcluster.plot.fields import add_bar, bar_side, clear_of_ticks, draw_field, draw_missing
from xvcluster.plot.map import check_options, new_axes, surround

if TYPE_CHECKING:
    import xarray as xr
    from cartopy.crs import Projection
    from cartopy.mpl.geoaxes import GeoAxes
    from matplotlib.axes import Axes

    from xvcluster.plot.basemap import Resolution
    from xvcluster.plot.map import Box


def votes(
    dataset: xr.Dataset,
    *,
    cluster: int = 1,
    ax: Axes | None = None,
    projection: Projection | None = None,
    extent: Box | None = None,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "110m",
    gridlines: bool = True,
    title: str | None = None,
) -> GeoAxes | Axes:
    """Draw how many models put each point in one cluster, as Lekić et al. (2012) do.

    Points that no model has are left blank: grey, as are those without a profile on other maps.

    Parameters
    ----------
    dataset : xr.Dataset
        What `xvcluster.consensus` returns: ``votes`` by ``cluster`` and ``n_models``, the models
        that have a point, both on the points of one map.
    cluster : int, default 1
        Whose votes to draw.
    ax, projection, extent, coastlines, borders, resolution, gridlines
        As for `map`.
    title : str, optional
        Title of the axes. Default: what is counted.

    Returns
    -------
    GeoAxes or Axes

    Raises
    ------
    ValueError
        If the dataset has no votes, or none of this cluster; if it holds more than one map; or if
        `projection` or `extent` could have no effect, as for `map`.
    TypeError
        If `ax` is no GeoAxes though latitude and longitude are known.

    References
    ----------
    Lekić, V., Cottaar, S., Dziewonski, A. & Romanowicz, B. (2012). Cluster analysis of global
    lower mantle tomography. Earth Planet. Sci. Lett. 357–358, 68–77.
    https://doi.org/10.1016/j.epsl.2012.09.014

    Examples
    --------
    >>> from xvcluster.plot import votes
    >>> ax = votes(agreed, cluster=1)  # doctest: +SKIP
    """
    counts, n_models = _count(dataset, cluster)
    place = geo.locate(counts.where(n_models > 0))
    check_options(place, ax, projection, extent)
    tight = ax is None and projection is None
    ax = new_axes(place, projection, extent, with_bar=True) if ax is None else ax
    drawn = _draw_counts(ax, place, int(n_models.max()))
    lines = {"coastlines": coastlines, "borders": borders, "gridlines": gridlines}
    surround(ax, place, counts, extent, tight=tight, resolution=resolution, **lines)
    _add_counts_bar(ax, drawn, int(n_models.max()))
    ax.set_title(_default_title(ax, cluster) if title is None else title, fontsize=11)
    return ax


def _default_title(ax: Axes, cluster: int) -> str:
    """What is counted, in lines that a narrow map has room for."""
    inches = ax.get_position().width * ax.figure.get_size_inches()[0]  # type: ignore[union-attr]
    return fill(f"models that call a point cluster {cluster}", max(16, int(inches / 0.085)))


def _count(dataset: xr.Dataset, cluster: int) -> tuple[xr.DataArray, xr.DataArray]:
    """The votes for one cluster and the models that have a point, read once."""
    if not {"votes", "n_models"} <= set(dataset.data_vars):
        raise ValueError(
            "this dataset has no votes and n_models among its variables "
            f"{', '.join(map(str, dataset.data_vars))}; pass what xvcluster.consensus(...) returns"
        )
    numbers = dataset["cluster"].values
    if cluster not in numbers:
        raise ValueError(
            f"cluster is {cluster!r}, but votes were cast for {', '.join(map(str, numbers))}; "
            "choose one of these"
        )
    chosen = dataset[["votes", "n_models"]].sel(cluster=cluster, drop=True).compute()
    return chosen["votes"], chosen["n_models"]


def _draw_counts(ax: Axes, place: geo.Geometry, n_models: int) -> Any:
    """Draw counts from 0 to that of all models in steps from light to dark."""
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap

    steps = ListedColormap(colormaps["YlGnBu"](np.linspace(0, 1, n_models + 1)))
    norm = BoundaryNorm(np.arange(n_models + 2) - 0.5, n_models + 1)
    drawn = draw_field(ax, place, cmap=steps, norm=norm)
    draw_missing(ax, place)
    return drawn


def _add_counts_bar(ax: Axes, drawn: Any, n_models: int) -> None:
    """Draw the bar of the counts, a tick for each while they are few."""
    ticks = np.arange(0, n_models + 1, -(-(n_models + 1) // 11))
    side, offset = bar_side(ax, None), clear_of_ticks(ax)
    add_bar(ax, drawn, "models", side=side, offset=offset, ticks=ticks)
