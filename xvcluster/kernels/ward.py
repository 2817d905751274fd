"""Ward's hierarchical clustering of weighted points, on plain arrays."""

from __future__ import annotations

import heapq

import numpy as np

from xvcluster.kernels.compiling import compiled

_AT_ONCE = 8
"""Numbers by which squared differences are added up before the sum is compared with a limit."""


@compiled(fastmath={"nnan", "nsz", "reassoc", "contract", "arcp"})
def _cost(centers, mass, a, b, limit):  # type: ignore[no-untyped-def]
    """Twice the rise 2 m m' / (m + m') |c − c'|² of the inertia if two clusters are merged.

    Beyond the limit, any number that is not below it.
    """
    factor = 2.0 * mass[a] * mass[b] / (mass[a] + mass[b])
    n, total, start = centers.shape[1], 0.0, 0
    while start < n:
        for f in range(start, min(start + _AT_ONCE, n)):
            apart = centers[a, f] - centers[b, f]
            total += apart * apart
        if factor * total >= limit:
            break
        start += _AT_ONCE
    return factor * total


@compiled()
def _join(centers, mass, a, b):  # type: ignore[no-untyped-def]
    """Merge the cluster b into a."""
    total = mass[a] + mass[b]
    for f in range(centers.shape[1]):
        centers[a, f] += (centers[b, f] - centers[a, f]) * (mass[b] / total)
    mass[a] = total


@compiled()
def merge_nearest(centers, mass, merges, costs):  # type: ignore[no-untyped-def]
    """Merge clusters by the chain of nearest neighbours (Murtagh 1983).

    Parameters
    ----------
    centers : ndarray, shape (n, n_features)
        Is overwritten.
    mass : ndarray, shape (n,)
        Is overwritten.
    merges : ndarray of int, shape (n - 1, 2)
        For the rows that are merged, the second into the first, in the order of the chain, which is
        not that of the costs.
    costs : ndarray, shape (n - 1,)
        For the costs; see `_cost`.
    """
    n = mass.size
    alive, n_alive = np.arange(n), n
    chain, length = np.empty(n, np.int64), 0
    for step in range(n - 1):
        if length == 0:
            chain[0], length = alive[0], 1
        while True:
            tip = chain[length - 1]
            nearest, least = -1, np.inf
            if length > 1:  # of equally near ones the last is preferred, so that the chain ends
                nearest = chain[length - 2]
                least = _cost(centers, mass, tip, nearest, np.inf)
            for i in range(n_alive):
                other = alive[i]
                if other != tip:
                    cost = _cost(centers, mass, tip, other, least)
                    if cost < least:
                        nearest, least = other, cost
            if nearest < 0:  # all costs are beyond what float64 holds
                nearest = alive[0] if alive[0] != tip else alive[1]
            if length > 1 and nearest == chain[length - 2]:
                break
            chain[length], length = nearest, length + 1
        length -= 2
        one, other = min(tip, nearest), max(tip, nearest)
        merges[step, 0], merges[step, 1], costs[step] = one, other, least
        _join(centers, mass, one, other)
        gone = np.searchsorted(alive[:n_alive], other)
        alive[gone : n_alive - 1] = alive[gone + 1 : n_alive]
        n_alive -= 1


@compiled()
def _find(parent, i):  # type: ignore[no-untyped-def]
    """The cluster that now holds i."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled()
def merge_neighbours(centers, mass, area, least, pairs, merges, costs):  # type: ignore[no-untyped-def]
    """Merge clusters that adjoin each other, those first that cost least.

    As long as any cluster with a neighbour has less than the least area, only merges that such a
    cluster takes part in are made.

    Parameters
    ----------
    centers : ndarray, shape (n, n_features)
        Is overwritten.
    mass, area : ndarray, shape (n,)
        Are overwritten.
    least : float
        Infinite for no such limit.
    pairs : ndarray of int, shape (n_pairs, 2)
        The rows that adjoin each other, each pair once.
    merges : ndarray of int, shape (n - 1, 2)
        For the clusters that are merged: rows, or n plus the number of the merge that made it.
    costs : ndarray, shape (n - 1,)
        For the costs; see `_cost`.

    Returns
    -------
    (int, int)
        Number of merges, fewer than n - 1 if not all rows are connected; and how many of them had
        been made when no cluster with a neighbour was left that has less than the least area.
    """
    n, n_links = mass.size, 2 * len(pairs)
    # clusters by their number; each lives in the row of its first member
    row, parent = np.empty(2 * n, np.int64), np.arange(2 * n)
    row[:n] = np.arange(n)
    met = np.full(2 * n, -1)
    # the neighbours of each cluster are a list of links
    head, tail = np.full(2 * n, -1), np.full(2 * n, -1)
    target, following = np.empty(n_links, np.int64), np.full(n_links, -1)
    heap = [(0.0, np.int64(0), np.int64(0)) for _ in range(0)]  # empty, of this type
    for p in range(len(pairs)):
        a, b = pairs[p]
        heap.append((_cost(centers, mass, a, b, np.inf), a, b))
        for link, own, other in ((2 * p, a, b), (2 * p + 1, b, a)):
            target[link], following[link] = other, head[own]
            if head[own] < 0:
                tail[own] = link
            head[own] = link
    heapq.heapify(heap)
    later = [(0.0, np.int64(0), np.int64(0)) for _ in range(0)]
    count, count_small = 0, -1
    while len(heap) > 0 or len(later) > 0:
        if len(heap) == 0:  # all that are left are large
            heap, later, least, count_small = later, heap, np.inf, count
            heapq.heapify(heap)
        cost, a, b = heapq.heappop(heap)
        if parent[a] != a or parent[b] != b:
            continue
        if area[row[a]] >= least and area[row[b]] >= least:
            later.append((cost, a, b))
            continue
        new = n + count
        merges[count, 0], merges[count, 1], costs[count] = min(a, b), max(a, b), cost
        count += 1
        row[new] = row[a]
        _join(centers, mass, row[a], row[b])
        area[row[a]] += area[row[b]]
        parent[a] = parent[b] = new
        for own in (a, b):
            link = head[own]
            while link >= 0:
                after, other = following[link], _find(parent, target[link])
                if other != new and met[other] != new:
                    met[other], target[link], following[link] = new, other, -1
                    if head[new] < 0:
                        head[new] = link
                    else:
                        following[tail[new]] = link
                    tail[new] = link
                    heapq.heappush(
                        heap,
                        (_cost(centers, mass, row[new], row[other], np.inf), other, np.int64(new)),
                    )
                link = after
    return count, count if count_small < 0 else count_small
