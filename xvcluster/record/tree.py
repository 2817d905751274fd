"""The tree of a hierarchical clustering, as a result holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from xvcluster.algorithms.ward import cut
from xvcluster.arrays import Float64s, Indices, Labels
from xvcluster.messages import shown
from xvcluster.options import is_number
from xvcluster.record.dataset import parameters_of


def has_tree(dataset: xr.Dataset) -> bool:
    """Whether a result holds a tree."""
    return "linkage" in dataset


def require_tree(dataset: xr.Dataset) -> Float64s:
    """The merges (n_leaves - 1, 4) of a result's tree, as SciPy has them."""
    if not has_tree(dataset):
        raise ValueError(
            "this result has no tree: it was not made by ward. Merge its clusters into one first, "
            "with result.merge(n_clusters)"
        )
    linkage: Float64s = dataset["linkage"].values.astype(np.float64)
    return linkage


def find_misfit(dataset: xr.Dataset) -> str:
    """Say why merges make no tree, or points have no leaf of it; empty if all is well."""
    linkage, leaf = dataset["linkage"].values, dataset["leaf"]
    n = len(linkage) + 1
    if linkage.shape[1:] != (4,) or not np.isfinite(linkage).all():
        return "'linkage' must hold four numbers for each merge"
    children = linkage[:, :2]
    is_made = children < n + np.arange(n - 1)[:, None]
    if not (is_made.all() and np.array_equal(np.sort(children.ravel()), np.arange(2 * n - 2))):
        return "'linkage' does not merge each cluster once, after it is made"
    if leaf.chunks is None:  # the maps of stores are read when they are needed
        known = leaf.values[leaf.notnull().values]
        if not ((known >= 1) & (known <= n) & (known == np.round(known))).all():
            return f"'leaf' holds other numbers than those of the {n} leaves"
    return ""


def describe_tree(
    linkage: Float64s, leaf: xr.Variable, what: str, k: int
) -> dict[str, xr.Variable]:
    """Describe the merges of a tree, and the leaf of each point.

    Parameters
    ----------
    linkage : ndarray, shape (n_leaves - 1, 4)
    leaf : Variable
        From 1, on the map.
    what : str
        What the leaves are.
    k : int
        Number of clusters that the tree is cut into.
    """
    attrs = {
        "long_name": "merges of two clusters, in the form of scipy.cluster.hierarchy",
        "comment": "numbers of both from 0, leaves first; height; number of leaves",
        "n_clusters": k,
    }
    named = {"long_name": f"leaf of the tree: number of the {what}, from 1"}
    return {
        "linkage": xr.Variable(("merge", "merge_part"), linkage, attrs),
        "leaf": xr.Variable(leaf.dims, leaf.data, named),
    }


def cut_of(dataset: xr.Dataset) -> int:
    """The k at which the tree of a result was cut: matched and cleaned, it may have more or fewer.

    Raises
    ------
    ValueError
        If the tree has not as many leaves.
    """
    n_leaves = len(require_tree(dataset)) + 1
    k = dataset["linkage"].attrs.get("n_clusters", dataset.sizes["cluster"])
    if not is_number(k) or not 1 <= k <= n_leaves or k != int(k):
        raise ValueError(f"'linkage' was cut into {shown(k)} clusters, but has {n_leaves} leaves")
    return int(k)


def limits_of(dataset: xr.Dataset) -> tuple[int, int]:
    """The smallest and the largest number of clusters that a result's tree can be cut into."""
    n_leaves, parameters = len(require_tree(dataset)) + 1, parameters_of(dataset)
    return parameters["n_pieces"], parameters.get("most_clusters", n_leaves)


def check_cut(dataset: xr.Dataset, name: str, k: int) -> None:
    """Refuse a number of clusters, which has a name, that a result's tree cannot be cut into."""
    least, most = limits_of(dataset)
    if not least <= k <= most:
        lowest = "the number of pieces that do not adjoin each other" if least > 1 else "all in one"
        by_area = "min_area" in parameters_of(dataset)
        highest = "provinces as large as min_area" if by_area else "the leaves"
        raise ValueError(
            f"{name} must be from {least}, {lowest}, to {most}, {highest} of the tree; got {k}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Top:
    """The last merges of a result's tree: a small tree, whose leaves are called twigs.

    Twigs are in an order in which no branches cross, and lower numbers of clusters come first if
    possible.

    Attributes
    ----------
    linkage : ndarray, shape (n - 1, 4)
        As SciPy has it, of n twigs.
    twigs : ndarray of int, shape (n_leaves,)
        The twig of each leaf of the whole tree, from 0.
    clusters : ndarray of int, shape (n,)
        The cluster of the result that most points of each twig are in, from 1; 0 if it has none.
    sizes : ndarray, shape (n,)
        Number of points of each twig.
    """

    linkage: Float64s
    twigs: Labels
    clusters: Labels
    sizes: Float64s

    @classmethod
    def of(cls, dataset: xr.Dataset, n: int) -> Top:
        """The last n - 1 merges, or all if there are fewer, of a result that is in memory."""
        linkage = require_tree(dataset)
        n_leaves = len(linkage) + 1
        n = min(n, n_leaves)
        twigs = cut(linkage, n_leaves, n)
        top = linkage[n_leaves - n :].copy()
        top[:, :2] = _renumber(linkage, top[:, :2].astype(np.intp), twigs, n)
        leaf, label = xr.broadcast(dataset["leaf"], dataset["label"])
        known = (leaf.notnull() & label.notnull()).values
        of_points = twigs[leaf.values[known].astype(np.intp) - 1]
        clusters, sizes = _most(of_points, label.values[known].astype(np.intp), n)
        order = _arrange(top[:, :2].astype(np.intp), clusters, sizes)
        place = np.append(np.argsort(order), np.arange(n, 2 * n - 1)).astype(np.int32)
        top[:, :2] = place[top[:, :2].astype(np.intp)]
        return cls(top, place[twigs], clusters[order], sizes[order])

    def __len__(self) -> int:
        """Number of twigs."""
        return len(self.clusters)

    def cut(self, k: int) -> Labels:
        """The cluster (n,) of each twig at one k, from 0, in the order of the twigs."""
        return cut(self.linkage, len(self), k)

    def numbers(self, groups: Labels) -> Labels:
        """The cluster of the result that most points of each group of twigs are in; 0 if none."""
        return _most(groups, self.clusters, int(groups.max()) + 1, self.sizes)[0]


def _most(
    groups: Labels, numbers: Labels | Indices, n: int, weights: Float64s | None = None
) -> tuple[Labels, Float64s]:
    """The number that most of each of n groups have, 0 if none is known, and their sizes."""
    width = numbers.max(initial=0) + 1
    place = groups.astype(np.intp) * width + numbers
    table = np.bincount(place, weights, n * width).reshape(n, width).astype(np.float64)
    return table.argmax(axis=1).astype(np.int32), table.sum(axis=1)


def _arrange(children: Indices, numbers: Labels, sizes: Float64s) -> Indices:
    """Order twigs so that no branches cross, at each merge the lower mean number first."""
    branches = [[i] for i in range(len(numbers))]
    size = [*np.maximum(sizes, 1e-9)]
    mean = [*numbers.astype(np.float64)]
    for pair in children:
        one, other = sorted(pair, key=mean.__getitem__)
        branches.append(branches[one] + branches[other])
        size.append(size[one] + size[other])
        mean.append((mean[one] * size[one] + mean[other] * size[other]) / size[-1])
    return np.array(branches[-1])


def _renumber(linkage: Float64s, children: Indices, twigs: Labels, n: int) -> Indices:
    """Numbers of clusters in a tree as they are in that of its last n - 1 merges."""
    n_leaves = len(linkage) + 1
    before = 2 * n_leaves - n
    leaf = children.copy()
    while (inner := leaf >= n_leaves).any():
        leaf[inner] = linkage[leaf[inner] - n_leaves, 0].astype(np.intp)
    return np.where(children >= before, children - before + n, twigs[leaf])
