"""Training of self-organizing maps: a grid of nodes learns profiles one by one or all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import numpy as np

from xvcluster.algorithms.blocks import Block, Stack
from xvcluster.algorithms.initialize import draw
from xvcluster.algorithms.lloyd import add, clear_rounding, means, split, threads, unlabelled
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.passes import pass_over
from xvcluster.algorithms.source import Source
from xvcluster.arrays import Float64s, Floats, Integers

LAST_WIDTH = 0.5
"""From about here on, nodes that are neighbours are so in the data too; below, they need not be."""
FINE_PASSES = 10
"""Number of last passes that see all profiles, if there are more than are kept in memory."""
_REPORTS = 100
_SPAN = 1.0  # standard deviations from the mean to the edge of the map at the start
_FLAT = 1e-12  # share of the first variance below which the second is rounding


def train_online(
    profiles: Floats,
    shape: tuple[int, int],
    *,
    n_iterations: int,
    sigma: float,
    learning_rate: float,
    seed: np.random.SeedSequence,
    report: Callable[[int], None] = lambda steps: None,
) -> Float64s:
    """Train a self-organizing map by showing it profiles one by one, in random order.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
        Scaled, no NaN.
    shape : (int, int)
        Rows and columns of the grid.
    n_iterations : int
        Number of profiles shown. If there are fewer, each is shown several times, each time in a
        new order.
    sigma : float
        Width of the neighbourhood at the start, in nodes. It decreases to a third.
    learning_rate : float
        Share of the distance to the profile that the winner moves at the start. It decreases to a
        third.
    seed : SeedSequence
        Draws the profiles at which nodes start, and the order.
    report : callable
        Called with the number of steps since the last call.

    Returns
    -------
    ndarray, shape (n_rows * n_columns, n_levels, n_variables)
        The codebook, row by row.

    References
    ----------
    Kohonen, T. (2013). Essentials of the self-organizing map. Neural Networks 37, 52–65.
    https://doi.org/10.1016/j.neunet.2012.09.018
    """
    from xvcluster.kernels import som

    X = profiles.reshape(len(profiles), -1)
    rng = np.random.default_rng(seed)
    drawn = draw(np.ones(len(X)), shape[0] * shape[1], rng)
    weights = X[drawn].astype(np.float64).reshape(*shape, -1)
    piece = -(-n_iterations // _REPORTS)
    first = 0
    while first < n_iterations:
        order = rng.permutation(len(X))[: n_iterations - first]
        for start in range(0, order.size, piece):
            shown = order[start : start + piece]
            som.train_online(X, shown, weights, first + start, n_iterations, sigma, learning_rate)
            report(shown.size)
        first += order.size
    return weights.reshape(-1, *profiles.shape[1:])


def train_batch(
    source: Source,
    shape: tuple[int, int],
    *,
    n_iterations: int,
    sigma: float,
    report: Callable[[int], None] = lambda steps: None,
) -> Float64s:
    """Train a self-organizing map by passes over all profiles.

    After each pass, node i becomes Σⱼ h(i, j) Sⱼ / Σⱼ h(i, j) nⱼ, where Sⱼ is the weighted sum of
    the profiles nearest to node j, nⱼ their weight, and h the Gaussian neighbourhood of width σ.

    Parameters
    ----------
    source : Source
        Scaled profiles, no NaN. If there are more than its sample, all but the last `FINE_PASSES`
        passes see the sample only.
    shape : (int, int)
        Rows and columns of the grid.
    n_iterations : int
        Number of passes.
    sigma : float
        Width of the neighbourhood in the first pass, in nodes. It shrinks by a constant factor from
        pass to pass, to `LAST_WIDTH` in the last pass, unless it is smaller from the start.
    report : callable
        Called with 1 after each pass.

    Returns
    -------
    ndarray, shape (n_rows * n_columns, n_levels, n_variables)
        The codebook, row by row.

    References
    ----------
    Kohonen, T. (2013). Essentials of the self-organizing map. Neural Networks 37, 52–65.
    https://doi.org/10.1016/j.neunet.2012.09.018
    """
    metric = get_metric("euclidean")
    nodes = span_plane(source.sample, shape)
    widths = np.geomspace(sigma, min(sigma, LAST_WIDTH), n_iterations)
    all_seen = len(source.sample) == source.n_profiles
    n_coarse = n_iterations if all_seen else max(n_iterations - FINE_PASSES, 0)
    blocks = split(source.sample, metric)
    held = unlabelled(blocks, 1)
    sums, mass = np.zeros(nodes.shape), np.zeros(nodes.shape[:2])
    least_mass = source.sample.least_mass
    with threads() as map_blocks:
        for width in widths[:n_coarse]:
            change = add(map_blocks(metric.accumulate, blocks, repeat(Stack.of([nodes])), held))
            sums += change.sums
            mass += change.mass
            clear_rounding(sums, mass, least_mass)  # which distant neighbours would magnify
            nodes = _smooth(nodes, sums, mass, shape, width)
            report(1)
    for width in widths[n_coarse:]:
        total = pass_over(source, Stack.of([nodes]), metric)
        nodes = _smooth(nodes, total.sums, total.mass, shape, width)
        report(1)
    return nodes


def _smooth(
    nodes: Float64s, sums: Float64s, mass: Float64s, shape: tuple[int, int], width: float
) -> Float64s:
    """Means of the profiles of each node and its neighbours, by a Gaussian neighbourhood."""
    place = np.indices(shape).reshape(2, -1)
    apart = np.hypot(*(place[:, :, None] - place[:, None]))
    with np.errstate(over="ignore"):  # far outside a very narrow neighbourhood
        near = np.exp(-0.5 * (apart / width) ** 2)
    return means(np.tensordot(near, sums, 1), near @ mass, nodes)


def span_plane(profiles: Block, shape: tuple[int, int]) -> Float64s:
    """Spread the nodes of a map evenly over the plane of the first two principal components.

    Parameters
    ----------
    profiles : Block
        At least one must count.
    shape : (int, int)
        Rows and columns of the grid.

    Returns
    -------
    ndarray, shape (n_rows * n_columns, n_levels, n_variables)
        Row by row. The first component lies along the longer side, or the rows, and each has its
        largest coefficient positive. Nodes at the edges are a standard deviation from the mean.
        If there is no second component, the first goes on along the shorter side.

    References
    ----------
    Kohonen, T. (2001). Self-organizing maps. 3rd ed., Springer.
    https://doi.org/10.1007/978-3-642-56927-2
    """
    axes = _principal_axes(profiles)
    if not axes[1].any():
        axes[1] = axes[0] / max(shape)
    last = np.array(shape) - 1
    place = np.indices(shape).reshape(2, -1).T
    along = _SPAN * (2 * place - last) / np.maximum(last, 1)
    away = (along if shape[0] >= shape[1] else along[:, ::-1]) @ axes
    nodes: Float64s = profiles.mean() + away.reshape(-1, *profiles.values.shape[1:])
    return nodes


def _principal_axes(profiles: Block) -> Float64s:
    """The first two principal axes (2, n), each as long as its standard deviation; 0 if flat."""
    from scipy.linalg import eigh

    covariance = profiles.covariance()
    n = len(covariance)
    variances, vectors = eigh(covariance, subset_by_index=[max(n - 2, 0), n - 1])
    axes = np.zeros((2, n))
    for axis, variance, vector in zip(axes, variances[::-1], vectors.T[::-1], strict=False):
        if variance > _FLAT * variances[-1]:
            axis[:] = np.sqrt(variance) * vector * np.sign(vector[np.abs(vector).argmax()])
    return axes


@dataclass(frozen=True, slots=True, eq=False)
class MapFit:
    """How a map fits profiles.

    Attributes
    ----------
    hits : ndarray of int, shape (n_nodes,)
        Number of profiles nearest to each node.
    mass : ndarray, shape (n_nodes,)
        Their weight.
    quantization_error : float
        Weighted mean distance of the profiles to their nearest node.
    topographic_error : float
        Share of the profiles, by weight, of which the two nearest nodes are not among the up to
        eight neighbours of each other; NaN if there is a single node.
    """

    hits: Integers
    mass: Float64s
    quantization_error: float
    topographic_error: float


def judge(source: Source, nodes: Float64s, shape: tuple[int, int]) -> MapFit:
    """Find how a map fits all profiles, in one pass.

    References
    ----------
    Kiviluoto, K. (1996). Topology preservation in self-organizing maps. Proc. ICNN'96, 294–299.
    https://doi.org/10.1109/ICNN.1996.548907
    """
    tally = source.total(partial(_tally, nodes=nodes, shape=shape), _add_up)
    hits, mass, distance, apart = tally
    quantization, topographic = np.array([distance.sum(), apart.sum()]) / mass.sum()
    return MapFit(
        hits.astype(np.int64),
        mass,
        float(quantization),
        float(topographic) if len(nodes) > 1 else float("nan"),
    )


def _tally(block: Block, nodes: Float64s, shape: tuple[int, int]) -> Float64s:
    """Of the profiles of each node: number, weight, weighted distance, weight of those misplaced.

    A profile is misplaced if its two nearest nodes are not neighbours.
    """
    squared = get_metric("euclidean").squared_distances(block.values, nodes)
    rows = np.arange(len(block))
    nearest = squared.argmin(axis=1)
    distance = np.sqrt(squared[rows, nearest])
    squared[rows, nearest] = np.inf
    places = np.stack([np.divmod(found, shape[1]) for found in (nearest, squared.argmin(axis=1))])
    apart = np.abs(np.diff(places, axis=0)[0]).max(axis=0) > 1
    terms = (np.ones(len(block)), block.weights, block.weights * distance, block.weights * apart)
    return np.stack([np.bincount(nearest, term, minlength=len(nodes)) for term in terms])


def _add_up(tallies: Iterable[Float64s]) -> Float64s:
    """Add up the tallies of some blocks in their order."""
    total: Float64s = sum(tallies, start=np.zeros(()))
    return total
