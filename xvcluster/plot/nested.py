"""Maps of a tree cut at several k, in which clusters have shades of their parent's colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Integers, Labels
from xvcluster.grid.labels import OF_NUMBERS, given_colors
from xvcluster.options import check_ks
from xvcluster.plot import style
from xvcluster.plot.shades import shades_of
from xvcluster.record.tree import Top, check_cut, cut_of, limits_of

if TYPE_CHECKING:
    import xarray as xr

    from xvcluster.plot.style import Colors

_NAMED = 4
"""Number of clusters that are named one by one where they are one cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What the map of one k shows.

    Attributes
    ----------
    labels : DataArray
        From 1.
    rgba : ndarray, shape (k, 4)
    widths : ndarray of int, shape (k,)
        How much of the strip of colours each cluster takes.
    names : list of str
        Of the clusters, below the strip.
    is_first : ndarray of bool, shape (k,)
        Whether no part of the same cluster lies to the left.
    """

    labels: xr.DataArray
    rgba: Float64s
    widths: Integers
    names: list[str]
    is_first: Booleans


def cut_panels(
    dataset: xr.Dataset, ks: Iterable[int] | None, colors: Colors | None = None
) -> list[Panel]:
    """Cut the tree of a result, which is in memory, at several k."""
    own = cut_of(dataset)
    chosen = _choose(dataset, own, ks)
    top = Top.of(dataset, max(own, *chosen))
    drawn, of_result = _colors(dataset, top, chosen, colors), top.cut(own)
    numbers = top.numbers(of_result)[of_result]
    panels = []
    for k in chosen:
        groups = top.cut(k)
        table = np.append(groups[top.twigs] + 1.0, np.nan)
        leaf = dataset["leaf"]
        labels = leaf.copy(data=table[leaf.fillna(0).values.astype(np.intp) - 1])
        labels = numbered(labels, dataset["label"], k)
        names, is_first = _names(groups, numbers)
        first = np.unique(groups, return_index=True)[1]
        panels.append(Panel(labels, drawn[k][first], np.bincount(groups), names, is_first))
    return panels


def _choose(dataset: xr.Dataset, own: int, ks: Iterable[int] | None) -> list[int]:
    """The numbers of clusters that are asked for; by default half of them, and twice as many."""
    least, most = limits_of(dataset)
    if ks is None:
        return sorted({min(max(k, least), most) for k in (max(own // 2, 1), own, 2 * own)})
    chosen = check_ks("ks", ks)
    for k in chosen:
        check_cut(dataset, "each k of ks", k)
    return chosen


def numbered(labels: xr.DataArray, like: xr.DataArray, k: int) -> xr.DataArray:
    """Give labels of k clusters the attributes of other labels, without the names of these."""
    kept = {name: value for name, value in like.attrs.items() if name not in OF_NUMBERS}
    described = kept | {"flag_values": np.arange(1, k + 1)}
    return labels.drop_attrs(deep=False).assign_attrs(described).rename("label")


def _colors(
    dataset: xr.Dataset, top: Top, ks: list[int], colors: Colors | None
) -> dict[int, Float64s]:
    """Colours (n, 4) of the twigs of a tree at each k.

    At the smallest k they are those of that many clusters, in the order of the mean numbers of what
    they were in the result; but if its clusters have colours of their own, at the k of the result.
    From there on, the larger part of a cluster that is divided keeps its colour; below, what is
    merged has that of its largest part.
    """
    label, own = dataset["label"], dataset.sizes["cluster"]
    start = own if colors is None and given_colors(label) else ks[0]
    coarse, size = top.cut(start), np.maximum(top.sizes, 1e-9)
    mean = np.bincount(coarse, top.clusters * size) / np.bincount(coarse, size)
    base = style.check_colors(label if start == own else numbered(label, label, start), colors)
    base = base[np.argsort(np.argsort(mean, kind="stable"))]
    found = {k: _largest_parts(top.cut(k), coarse, size) for k in ks if k <= start}
    shade, parents = coarse.copy(), []
    for k in range(start + 1, ks[-1] + 1):
        divided = _smaller_part(top, k)
        parents.append(coarse[divided][0])
        shade[divided] = start + len(parents) - 1
        found[k] = shade.copy()
    rgba = shades_of(base, parents)
    return {k: rgba[found[k]] for k in ks}


def _largest_parts(groups: Labels, parts: Labels, size: Float64s) -> Labels:
    """Find for each twig the largest part, by number, of the group that holds it."""
    table = np.zeros((groups.max() + 1, parts.max() + 1))
    np.add.at(table, (groups, parts), size)
    return np.asarray(table.argmax(axis=1)[groups])


def _smaller_part(top: Top, k: int) -> Booleans:
    """The twigs of the smaller part of what k clusters divide, and k - 1 clusters do not."""
    before, after = top.cut(k - 1), top.cut(k)
    second: Booleans = after == after[(after != before).argmax()]
    first: Booleans = (before == before[second][0]) & ~second
    return first if top.sizes[first].sum() < top.sizes[second].sum() else second


def _names(groups: Labels, own: Labels) -> tuple[list[str], Booleans]:
    """Name clusters by those of the result: 3, its parts 3a and 3b, or what joins it, 3+4.

    Returned is also which are not parts after the first.

    Parameters
    ----------
    groups, own : ndarray of int, shape (n,)
        Of each twig: the cluster to be named, from 0, and that of the result, 0 if none.
    """
    names, is_first, parts = [], [], dict.fromkeys(own, 0)
    for group in range(groups.max() + 1):
        members = np.unique(own[(groups == group) & (own > 0)])
        name = "+".join(map(str, members))
        is_first.append(len(members) != 1 or parts[members[0]] == 0)
        if len(members) > _NAMED:
            name = f"{len(members)} clusters"
        elif len(members) == 1 and np.unique(groups[own == members[0]]).size > 1:
            name += _letter(parts[members[0]])
            parts[members[0]] += 1
        names.append(name)
    return names, np.array(is_first)


def _letter(i: int) -> str:
    """Return a, b, … z, then 27, 28, …."""
    return chr(ord("a") + i) if i < 26 else f".{i + 1}"
