"""SeisGo's figures: the members of each cluster, and the distortion against k."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.plot import style
from xvcluster.plot.levels import Levels, read_levels
from xvcluster.plot.profiles import line_style, tidy
from xvcluster.plot.size import balanced_columns, bounded

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

_LINES = 2_000
"""Members of a cluster that are drawn; of more, this many in even steps."""
_MEMBERS = "#8a8a8a"


def members(
    profiles: xr.DataArray,
    labels: xr.DataArray,
    centers: Mapping[int, Float64s],
    *,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the members of each cluster in grey, under their centroid.

    Parameters
    ----------
    profiles : DataArray, dims (profile, vertical)
        With the vertical coordinate.
    labels : DataArray, dims (profile,)
        Cluster numbers, with the attributes that determine their colours.
    centers : mapping of int to ndarray
        The centroid of each cluster by its number, one per panel.
    figsize : (float, float), optional
        Size in inches. Default: depends on the number of panels.

    Returns
    -------
    Figure
        The title of each panel is its cluster's number and share of the profiles. Of a cluster with
        more than 2,000 members, so many are drawn, in even steps through the grid.
    """
    import matplotlib.pyplot as plt

    # at most five columns, or a square arrangement beyond 25 panels
    limit = max(5, math.ceil(math.sqrt(len(centers))))
    n_columns = balanced_columns(len(centers), limit)
    n_rows = -(-len(centers) // n_columns)
    small = n_columns > 5
    if figsize is None:
        panel = (1.25, 1.35) if small else (1.95, 2.5)
        figsize = bounded(panel[0] * n_columns + 0.7, panel[1] * n_rows + 0.4)
    figure = plt.figure(figsize=figsize, layout="constrained")
    grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    rgba = style.cluster_colors(labels)
    levels = read_levels(profiles[profiles.dims[1]])
    for ax, (number, center) in zip(grid.flat, centers.items(), strict=False):
        own = profiles.values[labels.values == number]
        _draw_members(ax, own, levels)
        line = line_style(1.2 if small else 1.9)
        levels.draw(ax, center, color=rgba[number - 1], **line)
        share = style.share_text(100 * len(own) / len(profiles))
        ax.set_title(f"{number}" if small else f"Cluster {number} · {share}", fontsize=8.5)
        tidy(ax)
    for index in range(len(centers), grid.size):
        grid.flat[index].set_visible(False)
        grid.flat[index - n_columns].tick_params(labelbottom=True)
    levels.limit(grid[0, 0])
    xlabel, ylabel = levels.labels(style.axis_label(profiles))
    figure.supxlabel(xlabel, fontsize=9)
    figure.supylabel(ylabel, fontsize=9)
    return figure


def _draw_members(ax: Axes, own: Float64s, levels: Levels) -> None:
    """Draw every member as a thin line, so that a second family of profiles shows."""
    from matplotlib.collections import LineCollection

    drawn = own[np.linspace(0, len(own) - 1, min(len(own), _LINES)).astype(np.intp)]
    alpha = max(0.12, 0.6 - 0.005 * len(drawn))
    look: dict[str, Any] = {"colors": _MEMBERS, "linewidths": 0.5, "alpha": alpha}
    ax.add_collection(LineCollection(list(levels.paths(drawn)), **look))
    ax.autoscale_view()


def distortions(ks: ArrayLike, distortion: ArrayLike, curve: ArrayLike, best: int) -> Figure:
    """Draw the distortion against the number of clusters, and mark the chosen one.

    Parameters
    ----------
    ks : array_like of int
    distortion, curve : array_like of float
        At each k: as fitted, and as used to find the knee, possibly smoothed.
    best : int
        The chosen k.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    figure, ax = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
    label = "distortion"
    if not np.array_equal(curve, distortion):
        ax.plot(
            ks, distortion, "o", color="none", markeredgecolor=style.INK, markersize=4, label=label
        )
        label = "smoothed"
    ax.plot(ks, curve, "-o", color=style.INK, markersize=3.5, linewidth=1.2, label=label)
    ax.axvline(best, color=style.BEST, linewidth=1.0, linestyle=(0, (4, 2)), label=f"k = {best}")
    ax.set_xlabel("number of clusters k", fontsize=9)
    ax.set_ylabel("mean squared distance to the center", fontsize=9)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True, min_n_ticks=1))
    ax.legend(frameon=False, fontsize=8.5)
    tidy(ax)
    return figure
