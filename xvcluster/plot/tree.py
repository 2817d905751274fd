"""The tree of a result: its last merges, and where it is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s, Indices, Labels
from xvcluster.grid.labels import Result
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.inputs import take_result
from xvcluster.plot.options import drawing
from xvcluster.plot.size import MOST
from xvcluster.record.dataset import parameters_of
from xvcluster.record.tree import Top, cut_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr
    from matplotlib.axes import Axes

    from xvcluster.plot.style import Colors

Point = tuple[float, float]
"""Height and row."""

_MERGES = 30
"""Number of merges that are drawn, unless there are more clusters."""

_ROW = 0.115
"""Inches between twigs."""

_BETWEEN = 0.7
"""Rows between clusters, beside that between twigs."""

_LINE = 0.017
"""Inches that a line of the names needs, for each point of its letters."""

_LETTERS = 6.0, 8.5
"""Least and greatest size of the names, in points."""

_BAR = 0.1
"""Inches from the twigs to the middle of the bars of colours."""

_NAMES = 13
"""Points from the twigs to the names, beyond the bars."""

_STEP = 0.012
"""Least share of the axis between a merge and those below it."""

_FLOOR = 1e-3
"""Least height that is drawn, as a share of the greatest."""

_ABOVE = "#8a8a8a"

_BUTT: Any = {"solid_capstyle": "butt", "clip_on": False}


@drawing("collections.LineCollection")
def tree(
    dataset: Result | xr.Dataset,
    *,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    colors: Colors | None = None,
    legend: bool = True,
    title: str | None = None,
    **properties: Any,
) -> Axes:
    """Draw the last 30 merges of a tree of clusters, and where it is cut.

    Merges within a cluster have its colour, those above the cut are grey. Beside them stand the
    names of the clusters and their shares.

    Parameters
    ----------
    dataset : ClusterResult or Dataset
        A result of `ward`, or of ``result.merge``, or its dataset.
    %(ax)s
        If they are too low for the names of all clusters, the letters are smaller, down to 6
        points, and the smallest branches stay without a name: make the axes higher.
    %(figsize)s
    %(colors)s
    %(bar)s
        Here the names of the clusters and their shares.
    %(title)s
    **properties
        Properties of the branches, handed to `matplotlib.collections.LineCollection`, such as
        ``linewidths``.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If `dataset` is neither a result nor a Dataset, or `ax` is a map.
    ValueError
        If the result has no tree, or one of a single leaf, if `colors` does not have one colour per
        cluster, or `figsize` is given together with `ax`.

    Notes
    -----
    The height of a merge, on a logarithmic axis, is √(2 m m' / (m + m')) d(c, c'), with the weights
    m and m' of both and the distance of their centroids; half of its square is the rise of the
    inertia. Clusters that have to be in one piece can merge at a height below that of a merge
    before. Such a merge is drawn just above the highest of those that it joins, and the cut bends
    if it has to. Pieces that do not adjoin each other are joined by dotted lines, which lie above
    all heights. After `clean`, the tree is cut where it was before.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> result = vs.vcluster.ward(6, min_area=50_000)
    >>> ax = result.plot.tree()
    """
    import matplotlib.pyplot as plt

    dataset = take_result(dataset, "tree").compute()  # read lazy maps only once
    style.check_axes(ax)
    k = cut_of(dataset)
    top = Top.of(dataset, max(_MERGES + 1, k))
    if len(top) == 1:
        raise ValueError("the tree of this result has a single leaf, so that there is no merge")
    n_pieces = parameters_of(dataset)["n_pieces"]
    branches = _Branches.of(top, k, n_pieces)
    rgba = _colors(dataset, branches, colors)
    if ax is None:
        height = min(_ROW * float(np.ptp(branches.row)) + 0.95, MOST)
        _, ax = plt.subplots(figsize=figsize or (6.0, height), layout="constrained")
    _draw_axis(ax, branches, dataset)
    _draw_branches(ax, branches, rgba, n_pieces, properties)
    _draw_cut(ax, branches)
    if title is not None:
        ax.set_title(title, fontsize=11, pad=18)  # above the number of clusters
    _name_clusters(ax, branches, dataset, rgba, with_names=legend)
    return ax


@dataclass(frozen=True, slots=True, eq=False)
class _Branches:
    """Where the branches of a tree lie. A branch is a twig, or twigs that were merged.

    Attributes
    ----------
    row : ndarray, shape (2 n - 1,)
        Of each branch: the n twigs, then the merges.
    height : ndarray, shape (2 n - 1,)
        As drawn: its logarithm, rising towards the root.
    cluster : ndarray, shape (2 n - 1,)
        Place of the cluster among those of the cut, from the top; -1 above the cut.
    parent : ndarray, shape (2 n - 1,)
        The merge that each branch is part of; -1 for the last.
    numbers : ndarray, shape (k,)
        Of the clusters in the result, 0 if none.
    ends : ndarray, shape (k, 2)
        The first and the last row of each cluster.
    at : ndarray, shape (k,)
        Height at which each cluster is cut off.
    """

    row: Float64s
    height: Float64s
    cluster: Labels
    parent: Indices
    numbers: Labels
    ends: Float64s
    at: Float64s

    @classmethod
    def of(cls, top: Top, k: int, n_pieces: int) -> _Branches:
        """Lay out the last merges of a tree of some pieces that is cut into k clusters."""
        n, children = len(top), top.linkage[:, :2].astype(np.intp)
        groups = top.cut(k)
        breaks = np.diff(groups, prepend=0)
        row, height = np.zeros(2 * n - 1), np.zeros(2 * n - 1)
        cluster = np.append(groups, np.full(n - 1, -1, groups.dtype))
        row[:n] = np.arange(n) + _BETWEEN * np.cumsum(breaks)
        own = _logarithms(top.linkage[:, 2])
        own[n - n_pieces :] = own[: n - n_pieces].max(initial=own.min())
        step = _STEP * (np.ptp(own) or 1.0)
        height[:n] = own.min() - 8 * step
        for i, pair in enumerate(children):
            branch = n + i
            row[branch] = row[pair].mean()
            below = height[n:branch] if i >= n - n_pieces else height[pair[pair >= n]]
            height[branch] = max(own[i], below.max(initial=-np.inf) + step)
            if cluster[pair[0]] == cluster[pair[1]]:
                cluster[branch] = cluster[pair[0]]
        rows = [row[:n][groups == c] for c in range(k)]
        ends = np.array([(r.min(), r.max()) for r in rows])
        parent = np.full(2 * n - 1, -1)
        parent[children] = n + np.arange(n - 1)[:, None]
        at = _find_cut(height, cluster, parent, k, step)
        return cls(row, height, cluster, parent, top.numbers(groups), ends, at)


def _logarithms(heights: Float64s) -> Float64s:
    """Logarithms of heights; what is much lower than the highest is drawn at a floor."""
    highest = heights.max(initial=0.0) or 1.0
    positive = heights[heights > 0].min(initial=highest)
    logarithms: Float64s = np.log10(np.maximum(heights, max(positive / 2, highest * _FLOOR)))
    return logarithms


def _find_cut(height: Float64s, cluster: Labels, parent: Indices, k: int, step: float) -> Float64s:
    """Height at which each cluster is cut off: the same, if there is one between all merges."""
    tops = np.empty(k, np.intp)
    tops[cluster[cluster >= 0]] = np.flatnonzero(cluster >= 0)  # the last branch of each is its top
    above_all = height.max() + 8 * step  # the parent of the last merge is -1, the last of these
    low, high = height[tops], np.append(height, above_all)[parent[tops]]
    middle, pad = (low.max() + high.min()) / 2, np.minimum(step, (high - low) / 4)
    at: Float64s = np.clip(middle, low + pad, high - pad)
    return at


def _draw_axis(ax: Axes, branches: _Branches, dataset: xr.Dataset) -> None:
    """Set up the axis of heights, which rise to the left."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = branches.height.min(), max(branches.height.max(), branches.at.max())
    ax.set_xscale("log")
    ax.set_xlim(10 ** (high + 0.03 * (high - low)), 10**low)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high - low < 2.5 else (1,)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="x", labelsize=8)
    ax.set_ylim(branches.ends.max() + 0.9, branches.ends.min() - 0.9)
    ax.spines[["left", "top", "right"]].set_visible(False)
    unit = str(dataset["distance"].attrs.get("units", "1"))
    ax.set_xlabel(style.drawable("height" if unit == "1" else f"height ({unit})"), fontsize=9)


def _colors(dataset: xr.Dataset, branches: _Branches, colors: Colors | None) -> Float64s:
    """Colours (k + 1, 4) of the clusters of the cut, and of what is above it at the end."""
    from matplotlib.colors import to_rgba_array

    above = to_rgba_array(_ABOVE)
    table = np.concatenate([above, style.check_colors(dataset["label"], colors)])
    return np.concatenate([table[branches.numbers], above])


def _draw_branches(
    ax: Axes, branches: _Branches, rgba: Float64s, n_pieces: int, properties: dict[str, Any]
) -> None:
    """Draw all branches; those that join pieces are dotted."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.collections import LineCollection

    first_apart = len(branches.row) - (n_pieces - 1)
    lines = list(_lines(branches))
    dashes = [":" if c < 0 and merge >= first_apart else "-" for _, _, c, merge in lines]
    segments = [[(10**x, y) for x, y in ends] for *ends, _, _ in lines]
    colors = [rgba[c] for _, _, c, _ in lines]
    look = {"linestyle": dashes, "linewidth": 1.5, **normalize_kwargs(properties, LineCollection)}
    ax.add_collection(LineCollection(segments, colors=colors, **look))


def _lines(branches: _Branches) -> Iterator[tuple[Point, Point, int, int]]:
    """Yield both ends of each line, its cluster, -1 above the cut, and the merge it is part of."""
    height, row = branches.height, branches.row
    for j, (c, merge) in enumerate(zip(branches.cluster, branches.parent, strict=True)):
        up = height[merge] if merge >= 0 else height[j]
        is_top = c >= 0 and (merge < 0 or branches.cluster[merge] < 0)
        end = branches.at[c] if is_top else up
        yield (height[j], row[j]), (end, row[j]), c, merge
        if is_top:
            yield (end, row[j]), (up, row[j]), -1, merge
    for merge in range(len(row) // 2 + 1, len(row)):
        first, second = row[branches.parent == merge]
        yield (height[merge], first), (height[merge], second), branches.cluster[merge], merge


def _draw_cut(ax: Axes, branches: _Branches) -> None:
    """Draw the cut between the clusters and what they merge to."""
    middles = (branches.ends[1:, 0] + branches.ends[:-1, 1]) / 2
    rows = np.concatenate([[branches.ends[0, 0] - 0.9], middles, [branches.ends[-1, 1] + 0.9]])
    x, y = np.repeat(10**branches.at, 2), np.repeat(rows, 2)[1:-1]
    ax.plot(x, y, color=style.OUTLINE, linewidth=0.9, linestyle=(0, (5, 3)), clip_on=False)
    name = f"k = {len(branches.at)}"
    place: Any = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "va": "bottom"}
    ax.annotate(name, (x[0], y[0]), fontsize=9, annotation_clip=False, **place)


def _name_clusters(
    ax: Axes, branches: _Branches, dataset: xr.Dataset, rgba: Float64s, *, with_names: bool
) -> None:
    """Name the clusters and their shares beside their twigs, as far as there is room."""
    from matplotlib.transforms import blended_transform_factory

    names, of = style.name_shares(dataset)
    named = dict(zip(dataset["cluster"].values, names, strict=True))
    beside = blended_transform_factory(legends.inches_from(ax, 1, 0), ax.transData)
    for ends, color in zip(branches.ends, rgba, strict=False):
        y = [ends[0] - 0.4, ends[1] + 0.4]
        ax.plot([_BAR, _BAR], y, color=color, linewidth=5, transform=beside, **_BUTT)
    if not with_names:
        ax.set_yticks([])
        return
    middles = branches.ends.mean(axis=1)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]  # whose layout is then known
    inch = legends.inches(ax)[1] / abs(np.ptp(ax.get_ylim()))
    size = np.clip(np.diff(middles).min(initial=np.inf) * inch / _LINE, *_LETTERS)
    kept: list[int] = []
    for c in np.argsort(branches.ends[:, 0] - branches.ends[:, 1], kind="stable"):
        near = np.abs(middles[kept] - middles[c]).min(initial=np.inf)
        is_new = branches.numbers[c] not in branches.numbers[kept]
        if is_new and branches.numbers[c] in named and near * inch >= _LINE * size:
            kept.append(c)
    ax.yaxis.tick_right()
    ax.set_yticks(middles[kept], [named[branches.numbers[c]] for c in kept])
    ax.tick_params(axis="y", length=0, pad=_NAMES, labelsize=size)
    offset: Any = {
        "xytext": (_NAMES, -3.5),
        "textcoords": "offset points",
        "xycoords": "axes fraction",
    }
    ax.annotate(f"share of the {of}", (1, 0), va="top", fontsize=8, color=style.OUTLINE, **offset)
