"""Training of self-organizing maps: a grid of nodes learns profiles one by one or all at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat

import numpy as np

from xvcluster.algorithms.blocks import Block, Stack
from xvcluster.algorithms.initialize import draw
from xvcluster.algorithms.lloyd import add, clear_rounding, means, split, threads, unlabelled
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.passes import pass_over
from xvcluster.algorithms.source import Source
from xvcluster.arrays import Float64s, Floats

LAST_WIDTH = 0.3
FINE_PASSES = 10
"""Number of last passes that see all profiles, if there are more than are kept in memory."""
_REPORTS = 100


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
    weights = _draw(Block.of(profiles), shape, rng).reshape(*shape, -1)
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
    seed: np.random.SeedSequence,
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
    seed : SeedSequence
        Draws the profiles at which nodes start.
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
    nodes = _draw(source.sample, shape, np.random.default_rng(seed))
    widths = np.geomspace(sigma, min(sigma, LAST_WIDTH), n_iterations)
    all_seen = len(source.sample) == source.n_profiles
    n_coarse = n_iterations if all_seen else max(n_iterations - FINE_PASSES, 0)
    blocks = split(source.sample, metric)
    held = unlabelled(blocks, 1)
    sums, mass = np.zeros(nodes.shape), np.zeros(nodes.shape[:2])
    weight = float(source.sample.weights.sum())
    with threads() as map_blocks:
        for width in widths[:n_coarse]:
            change = add(map_blocks(metric.accumulate, blocks, repeat(Stack.of([nodes])), held))
            sums += change.sums
            mass += change.mass
            clear_rounding(sums, mass, weight)  # which distant neighbours would magnify
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


def _draw(profiles: Block, shape: tuple[int, int], rng: np.random.Generator) -> Float64s:
    """Draw a profile for each node of the grid."""
    return profiles.values[draw(profiles.weights, shape[0] * shape[1], rng)].astype(np.float64)
