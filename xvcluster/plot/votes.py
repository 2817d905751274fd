"""The vote map: how many models assign each point to a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.grid.labels import choose_clusters, given_names
from xvcluster.messages import plain, shown
from xvcluster.plot import geometry as geo
from xvcluster.plot import style, view
from xvcluster.plot.fields import add_bar, bar_side, clear_of_ticks, draw_field
from xvcluster.plot.inputs import check_switches, take_dataset
from xvcluster.plot.legend import inches
from xvcluster.plot.map import open_axes, surround
from xvcluster.plot.options import drawing
from xvcluster.plot.scale import check_scale_bar

if TYPE_CHECKING:
    from cartopy.crs import Projection
    from cartopy.mpl.geoaxes import GeoAxes
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from xvcluster.plot.basemap import Resolution


@drawing("collections.QuadMesh", "collections.PathCollection", extra=("s", "marker"))
def votes(
    dataset: xr.Dataset,
    *,
    cluster: int | str = 1,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    projection: Projection | None = None,
    extent: geo.Box | None = None,
    cmap: str | Colormap | None = None,
    legend: bool = True,
    coastlines: bool = True,
    borders: bool = True,
    resolution: Resolution = "auto",
    gridlines: bool = True,
    scale_bar: bool | float = False,
    title: str | None = None,
    **properties: Any,
) -> GeoAxes | Axes:
    """Draw how many models assign each point to one cluster, as in Lekić et al. (2012).

    Points that no model contains are grey, like those without a profile on other maps.

    Parameters
    ----------
    dataset : xr.Dataset
        The Dataset returned by `xvcluster.consensus`: ``votes`` by ``cluster``, and ``n_models``,
        the number of models that contain a point, both on the points of one map.
    cluster : int or str, default 1
        The cluster whose votes are drawn, by number or name.
    %(ax)s
        A cartopy GeoAxes if latitude and longitude are known.
    %(figsize)s
    projection, extent, coastlines, borders, resolution, gridlines, scale_bar
        As in `map`.
    %(cmap)s
        From no model to all of them; default: ``"YlGnBu"``.
    %(bar)s
        Here a colorbar of the number of models.
    %(title)s
        Default: says what is counted.
    **properties
        Properties of the cells or points, as in `map`.

    Returns
    -------
    GeoAxes or Axes

    Raises
    ------
    ValueError
        If the dataset has no votes, or none for this cluster; if it holds more than one map; or if
        `projection`, `extent` or `figsize` would have no effect, as in `map`.
    TypeError
        If `ax` is not a GeoAxes although latitude and longitude are known.

    References
    ----------
    Lekić, V., Cottaar, S., Dziewonski, A. & Romanowicz, B. (2012). Cluster analysis of global
    lower mantle tomography: A new class of structure and implications for chemical heterogeneity.
    Earth Planet. Sci. Lett. 357–358, 68–77.

    Examples
    --------
    >>> import xvcluster
    >>> model = xvcluster.tutorial.tomography()[["vs", "vp"]].vcluster.prepare(stride=4)
    >>> results = {name: model[name].vcluster.kmeans(4) for name in ("vs", "vp")}
    >>> ax = xvcluster.plot.votes(xvcluster.consensus(results), cluster=1)
    """
    extent, projection = view.check_extent(extent), view.check_projection(projection)
    check_switches(coastlines=coastlines, borders=borders, gridlines=gridlines)
    scale_bar = check_scale_bar(scale_bar)
    dataset = take_dataset(dataset, "votes", "the Dataset that xvcluster.consensus returns")
    cluster = _choose(dataset, cluster)
    counts, n_models = _count(dataset, cluster)
    place = geo.locate(counts.where(n_models > 0))
    tight = ax is None and projection is None
    ax = open_axes(ax, place, projection, extent, figsize=figsize, with_bar=legend)
    lines: dict[str, Any] = {"coastlines": coastlines, "borders": borders}
    lines |= {"resolution": resolution, "scale_bar": scale_bar}
    surround(ax, place, counts, extent, tight=tight, gridlines=gridlines, **lines)
    drawn = _draw_counts(ax, place, int(n_models.max()), cmap or "YlGnBu", properties)
    if legend:
        _add_counts(ax, drawn, int(n_models.max()))
    if title is None:
        width = max(16, int(inches(ax)[0] / 0.085))
        names = given_names(dataset["label"]) if "label" in dataset else {}
        name = names.get(cluster, f"cluster {cluster}")
        title = style.drawable(f"models that assign a point to {name}", width)
    ax.set_title(title, fontsize=11)
    return ax


def _choose(dataset: xr.Dataset, cluster: Any) -> int:
    """Return the number of the cluster whose votes are asked for; refuse what has no votes."""
    if not {"votes", "n_models"} <= set(dataset.data_vars):
        known = ", ".join(map(plain, dataset.data_vars))
        raise ValueError(
            f"this dataset has no votes and n_models; its variables are {known}. Pass what "
            "xvcluster.consensus(...) returns"
        )
    numbers = dataset["cluster"].values.tolist()
    label = dataset["label"] if "label" in dataset else xr.DataArray()
    try:
        (number,) = choose_clusters(label, cluster, numbers)
    except ValueError:
        raise ValueError(
            f"there are no votes for cluster {shown(cluster)}; choose one of "
            f"{', '.join(map(str, numbers))}"
        ) from None
    return number


def _count(dataset: xr.Dataset, cluster: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the votes for one cluster and the number of models that contain each point."""
    chosen = dataset[["votes", "n_models"]].sel(cluster=cluster, drop=True).compute()
    return chosen["votes"], chosen["n_models"]


def _draw_counts(
    ax: Axes,
    place: geo.Geometry,
    n_models: int,
    cmap: str | Colormap,
    properties: dict[str, Any],
) -> Any:
    """Draw counts from 0 to the number of all models, in steps along a colormap."""
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap

    shades = colormaps[cmap] if isinstance(cmap, str) else cmap
    steps = ListedColormap(shades(np.linspace(0, 1, n_models + 1)))
    norm = BoundaryNorm(np.arange(n_models + 2) - 0.5, n_models + 1)
    return draw_field(ax, place, cmap=steps, norm=norm, **properties)


def _add_counts(ax: Axes, drawn: Any, n_models: int) -> None:
    """Draw the bar of the counts."""
    ticks = np.arange(0, n_models + 1, -(-(n_models + 1) // 11))
    side, offset = bar_side(ax, None), clear_of_ticks(ax)
    add_bar(ax, drawn, "models", side=side, offset=offset, ticks=ticks)
