"""The gap statistic: how much closer clusters are than those of data in no groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xvcluster.algorithms.metric import Block, Float64s, Floats, Metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory


def gap_statistic(
    profiles: Floats,
    ks: list[int],
    metric: Metric,
    *,
    n_references: int,
    seed: np.random.SeedSequence,
    report: Callable[[int], None] = lambda steps: None,
    **options: Any,
) -> tuple[Float64s, Float64s]:
    """Gap(k) = E* log W*(k) − log W(k), and its standard error s(k), at every k.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    ks : list of int
    metric : Metric
        Euclidean: W is the inertia.
    n_references : int
        Data sets drawn evenly from the box around the profiles along their principal axes, for E*.
    seed : SeedSequence
    report : callable
        Is told after each fit that it is done.
    **options
        Of `best_runs`.

    Returns
    -------
    (ndarray, ndarray), shape (n_k,) each
        s(k) is the standard deviation of log W*(k) times √(1 + 1 / n_references).

    References
    ----------
    Tibshirani, R., Walther, G. & Hastie, T. (2001). Estimating the number of clusters in a data
    set via the gap statistic. J. R. Stat. Soc. B 63, 411–423.
    https://doi.org/10.1111/1467-9868.00293
    """
    own, *others = seed.spawn(1 + n_references)
    observed = log_inertia(profiles, ks, metric, seed=own, **options)
    report(1)
    expected = []
    for child in others:
        drawing, fitting = child.spawn(2)
        reference = draw_reference(profiles, np.random.default_rng(drawing))
        expected.append(log_inertia(reference, ks, metric, seed=fitting, **options))
        report(1)
    error = np.std(expected, axis=0) * np.sqrt(1.0 + 1.0 / n_references)
    return np.mean(expected, axis=0) - observed, error


def smallest_within_gap(ks: list[int], gap: Float64s, error: Float64s) -> int:
    """The smallest k with Gap(k) ≥ Gap(k + 1) − s(k + 1), next of those tried; 0 where none is."""
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    return ks[int(enough[0])] if enough.size else 0


def log_inertia(profiles: Floats, ks: list[int], metric: Metric, **options: Any) -> Float64s:
    """Logarithm of the inertia of the best clustering at every k, (n_k,); NaN where it is 0."""
    runs = best_runs(InMemory.of(Block.of(profiles)), ks, metric, **options)
    inertia = [metric.squared_distances(profiles, runs[k].centroids).min(1).sum() for k in ks]
    with np.errstate(divide="ignore"):
        logarithm: Float64s = np.log(inertia)
    return np.where(np.isfinite(logarithm), logarithm, np.nan)


def draw_reference(profiles: Floats, rng: np.random.Generator) -> Float64s:
    """As many profiles in no groups, drawn evenly from the box around these along their axes."""
    flat = profiles.reshape(len(profiles), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2]
    components = (flat - mean) @ axes.T
    drawn = rng.uniform(components.min(axis=0), components.max(axis=0), components.shape)
    reference: Float64s = (drawn @ axes + mean).reshape(profiles.shape)
    return reference
