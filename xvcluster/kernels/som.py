"""Training of a self-organizing map, on plain arrays."""

from __future__ import annotations

import numpy as np

from xvcluster.kernels.compiling import compiled

PIECE = 32
_NO_PULL = 1e-17  # too little to change a bit of a node, unless the profile is far from all nodes


@compiled(fastmath=True)
def _winner(x, nodes):  # type: ignore[no-untyped-def]
    """Find which of the nodes (n, P, PIECE) is nearest to x (P, PIECE).

    A node is skipped as soon as its first pieces are farther than the best node so far.
    """
    least = np.inf
    winner = 0
    for node in range(nodes.shape[0]):
        total = 0.0
        for p in range(x.shape[0]):
            for f in range(x.shape[1]):
                difference = x[p, f] - nodes[node, p, f]
                total += difference * difference
            if total >= least:
                break
        if total < least:
            least = total
            winner = node
    return winner


@compiled()
def _copy(source, target):  # type: ignore[no-untyped-def]
    """Copy the features that both have from source to target, each (rows, columns, features)."""
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            for f in range(min(source.shape[2], target.shape[2])):
                target[i, j, f] = source[i, j, f]


@compiled()
def train_online(X, order, weights, first, n_iterations, sigma, learning_rate):  # type: ignore[no-untyped-def]
    """Show the rows X[order] (n, F) to the map one by one, changing weights (rows, columns, F).

    Step t = first, first + 1, ... of n_iterations moves every node w towards the row x by
    η h (x − w), with the Gaussian neighbourhood h = exp(−d² / 2σ²) of the winner. σ and η are
    divided by 1 + 2t / n_iterations, as in MiniSom. Nodes are left as they are if η h is too small
    to change a bit.
    """
    n_rows, n_columns, n_features = weights.shape
    pieces = np.zeros((n_rows * n_columns, -(-n_features // PIECE), PIECE))
    nodes = pieces.reshape(n_rows, n_columns, -1)
    _copy(weights, nodes)
    x_pieces = np.zeros(pieces.shape[1:])
    x = x_pieces.reshape(-1)
    along_rows, along_columns = np.empty(n_rows), np.empty(n_columns)
    for step in range(order.size):
        for f in range(n_features):
            x[f] = X[order[step], f]
        winner = _winner(x_pieces, pieces)
        row, column = winner // n_columns, winner % n_columns
        decay = 1.0 + (first + step) / (n_iterations / 2)
        rate = learning_rate / decay
        width = max(2.0 * (sigma / decay) * (sigma / decay), 1e-300)
        for i in range(n_rows):
            along_rows[i] = np.exp(-((i - row) ** 2) / width)
        for j in range(n_columns):
            along_columns[j] = np.exp(-((j - column) ** 2) / width)
        for i in range(n_rows):
            for j in range(n_columns):
                pull = along_rows[i] * along_columns[j] * rate
                if pull > _NO_PULL:
                    for f in range(n_features):
                        nodes[i, j, f] += pull * (x[f] - nodes[i, j, f])
    _copy(nodes, weights)
