"""The agreement of clusters with provinces as a heat map of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.labels import Result, given_names
from xvcluster.messages import plain
from xvcluster.options import check_choice
from xvcluster.plot import style
from xvcluster.plot.inputs import take_dataset
from xvcluster.plot.legend import entry_width, inches, swatch
from xvcluster.plot.options import drawing, figure_of
from xvcluster.plot.size import PAGE, balanced_columns, bounded

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from xvcluster.plot.style import Colors

_CELL = (0.52, 0.34)
"""Width and height of a cell in inches."""

_NARROW = 0.23
"""Least width of a cell in inches, for three digits of 6 points."""

_NAMES = 2.6
"""Width of the names of provinces, in inches."""

_LETTERS, _SIZES = 20.0, (6.0, 8.0)
"""Points of letters per inch of a cell's width, and their least and largest size."""

_NAME = 26
"""Characters of a line of a province's name."""

_MOST = 50
"""Number of provinces that can be read; of more, the largest are drawn."""

_SHADES = "GnBu"


@drawing("image.AxesImage")
def agreement(
    dataset: Result | xr.Dataset,
    *,
    of: Literal["cluster", "province"] = "cluster",
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    colors: Colors | None = None,
    cmap: str | Colormap | None = None,
    legend: bool | str = True,
    title: str | None = None,
    **properties: Any,
) -> Axes:
    """Draw which share of each cluster lies in each province, as numbers on a heat map.

    Parameters
    ----------
    dataset : Agreement or Dataset
        What ``result.compare(provinces)`` returns, or its dataset.
    of : {"cluster", "province"}, default "cluster"
        What shares are of: of a cluster, so that columns add up to 100 %, or of a province, so that
        rows do. What lies in no province, or no cluster, does not count: for how much that is, see
        ``coverage`` and ``province_coverage``.
    %(ax)s
        The letters are smaller if they are narrow, down to 6 points.
    %(figsize)s
        It fits on a page if there are at most 20 clusters.
    %(colors)s
    %(cmap)s
        Here shares up to 100 %; default: ``"GnBu"``.
    %(legend)s
        Here the clusters that have names of their own: below all in a new figure.
    %(title)s
        Default: how well clusters and provinces agree, and what is shown.
    **properties
        Properties of the shades, handed to `matplotlib.image.AxesImage`, such as ``alpha``.

    Returns
    -------
    Axes
        One column per cluster, in its colour, and one row per province, in the order of the
        clusters that have most of them. Of more than 50 provinces, the largest are drawn.

    Raises
    ------
    TypeError
        If it is neither an agreement nor a Dataset, or `ax` is a map.
    ValueError
        If the dataset has no table of clusters and provinces, `of` is something else, `colors` does
        not have one colour per cluster, or `figsize` is given together with `ax`.

    Examples
    --------
    >>> import xvcluster
    >>> model = xvcluster.tutorial.tomography().vcluster.prepare(depth=slice(5, 60), stride=4)
    >>> result = model["vs"].vcluster.kmeans(6)
    >>> ax = result.compare(model["province"], n=19).plot.agreement()
    """
    style.check_axes(ax)
    check_choice("of", of, ("cluster", "province"))
    dataset = take_dataset(dataset, "agreement", "an Agreement or its dataset")
    if "contingency" not in dataset or "province" not in dataset["contingency"].dims:
        raise ValueError(
            "this dataset has no table of clusters and provinces; its variables are "
            f"{plain(', '.join(map(str, dataset.data_vars)))}. Pass what result.compare(provinces) "
            "returns"
        )
    table = dataset["contingency"].transpose("province", "cluster").values
    totals = table.sum(axis=0 if of == "cluster" else 1, keepdims=True)
    shares = np.divide(100 * table, totals, out=np.zeros_like(table), where=totals > 0)
    rows, provinces = _choose_rows(table), dataset["province"].values
    names = [style.drawable(name, _NAME, formulas=False) for name in provinces[rows].tolist()]
    rgba = style.check_colors(dataset["cluster"], colors)
    is_own, n_clusters = ax is None, len(table[0])
    size = figsize or _size(n_clusters, names)
    ax = ax or _make_axes(size)
    cell = (size[0] - _NAMES if is_own else inches(ax)[0]) / n_clusters
    letters = float(np.clip(_LETTERS * cell, *_SIZES))
    colored = _shade(shares[rows], totals[0] if of == "cluster" else None, cmap or _SHADES)
    _draw_shares(ax, shares[rows], colored, letters, properties)
    ax.set_yticks(range(len(rows)), names, fontsize=8)
    _name_clusters(ax, dataset, rgba, letters)
    named = given_names(dataset["cluster"])
    place = legend if isinstance(legend, str) else None
    if named and (place is not None or (legend and is_own)):
        _add_names(ax, named, rgba, place)
    if title is None:
        _add_words(ax, dataset, of, len(table), above_all=is_own)
    else:
        ax.set_title(title, fontsize=11)
    return ax


def _size(n: int, names: list[str]) -> tuple[float, float]:
    """Size of a figure with room for so many columns and for these names."""
    lines = sum(name.count("\n") * 0.45 + 1 for name in names)
    return bounded(_width(n), lines * _CELL[1] + 1.5)


def _make_axes(size: tuple[float, float]) -> Axes:
    """Axes of a new figure."""
    import matplotlib.pyplot as plt

    ax: Axes = plt.subplots(layout="constrained", figsize=size)[1]
    return ax


def _width(n: int) -> float:
    """Width in inches of a figure with so many columns: that of a page if they fit there."""
    wanted, least = n * _CELL[0] + _NAMES, n * _NARROW + _NAMES
    return max(min(wanted, PAGE), least, 4.6)


def _choose_rows(table: Float64s) -> Indices:
    """The largest provinces, in the order of their main clusters, the purest first."""
    total = table.sum(axis=1)
    largest = np.sort(np.argsort(-total, kind="stable")[:_MOST])
    share = table.max(axis=1) / np.maximum(total, np.finfo(float).tiny)
    order = np.lexsort([-share[largest], table.argmax(axis=1)[largest]])
    rows: Indices = largest[order]
    return rows


def _shade(shares: Float64s, totals: Float64s | None, cmap: str | Colormap) -> Float64s:
    """Return the shade (n, k, 4) of each share; an empty cluster has none."""
    from matplotlib import colormaps

    shades = colormaps[cmap] if isinstance(cmap, str) else cmap
    colors = np.asarray(shades(0.9 * shares / 100))
    colors[shares == 0] = 1.0
    if totals is not None:
        colors[:, totals == 0] = [0.96, 0.96, 0.96, 1.0]
    return colors


def _draw_shares(
    ax: Axes, shares: Float64s, colors: Float64s, letters: float, properties: dict[str, Any]
) -> None:
    """Draw shares in percent in shades and as numbers."""
    ax.imshow(colors, **{"aspect": "auto", "interpolation": "none", **properties})
    for row, column in np.argwhere(shares > 0).tolist():
        color = style.text_color(colors[row, column])
        text = style.share_text(shares[row, column]).replace(" %", "")
        ax.text(column, row, text, ha="center", va="center", fontsize=letters, color=color)
    n_rows, n_columns = shares.shape
    ax.set_xticks(np.arange(n_columns - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(n_rows - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="#d0d0d0", linewidth=0.6)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_color("#b0b0b0")


def _name_clusters(ax: Axes, dataset: xr.Dataset, rgba: Float64s, letters: float) -> None:
    """Number the clusters below the columns, in their colours."""
    numbers = dataset["cluster"].values
    colors = rgba[numbers - 1]
    ax.set_xticks(range(len(numbers)), [str(number) for number in numbers], fontsize=letters)
    for label, color in zip(ax.get_xticklabels(), colors, strict=True):
        label.set_color(style.text_color(color))
        label.set_bbox(
            {"boxstyle": "round,pad=0.35", "facecolor": tuple(color), "edgecolor": "none"}
        )
    ax.tick_params(axis="x", pad=7)
    ax.set_xlabel("cluster", fontsize=9)


def _add_names(ax: Axes, names: dict[int, str], rgba: Float64s, place: Any) -> None:
    """Add the names that clusters have of their own, below all or at a place on the heat map."""
    shown = [f"{number} {style.drawable(name)}" for number, name in names.items()]
    handles = [swatch(rgba[number - 1], name) for number, name in zip(names, shown, strict=True)]
    look: dict[str, Any] = {"handles": handles, "fontsize": 8, "handlelength": 1.3}
    if place is not None:
        ax.legend(loc=place, framealpha=0.85, **look)
        return
    figure = figure_of(ax)
    fitting = max(int(float(figure.get_size_inches()[0]) / entry_width(shown)), 1)
    look |= {"ncols": balanced_columns(len(shown), fitting), "columnspacing": 1.4}
    figure.legend(loc="outside lower center", frameon=False, **look)


def _add_words(ax: Axes, dataset: xr.Dataset, of: str, n: int, *, above_all: bool) -> None:
    """Say above what is shown, and how well clusters and provinces agree."""
    index, p = float(dataset["adjusted_rand_index"]), float(dataset["p_value"])
    about = dataset["p_value"].attrs
    chance = "" if np.isnan(p) else f" (p = {p:.2g}, {about['n']} {about['null']})"
    said = f"adjusted Rand index {index:.2f}{chance}"
    said += ", but of few provinces" if "comment" in about else ""
    amount = "area" if dataset["contingency"].attrs.get("units") == "km2" else "points"
    other = "provinces" if of == "cluster" else "clusters"
    shown = f"share of each {of}'s {amount} within {other}, in percent"
    shown += f"; the {_MOST} largest of {n} provinces" if n > _MOST else ""
    figure = figure_of(ax)
    width = figure.get_size_inches()[0] if above_all else inches(ax)[0]
    words = "\n".join(style.drawable(text, int(width / 0.068)) for text in (said, shown))
    if above_all:
        figure.suptitle(words, fontsize=8.5, x=0.01, ha="left")
    else:
        ax.set_title(words, fontsize=8.5, loc="left")
