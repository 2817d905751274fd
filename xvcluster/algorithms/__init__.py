"""Clustering of plain arrays: no labels, no files, no figures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xvcluster.algorithms.metric import DynamicTimeWarping, Euclidean, Metric
from xvcluster.algorithms.softdtw import SoftDTW


def get_metric(name: str, window: float | None = None, levels: npt.ArrayLike = ()) -> Metric:
    """The metric of a name; DTW pairs levels at most `window` apart.

    Parameters
    ----------
    name : {"euclidean", "dtw", "softdtw"}
    window : int or float, optional
        Of the Sakoe-Chiba band: an int counts levels, a float is in the units of `levels`.
    levels : array_like, shape (n_levels,)
        Values of the vertical coordinate in the order of the profiles; only a window needs them.
    """
    if name == "euclidean":
        return Euclidean()
    if name == "softdtw":
        return SoftDTW()
    if window is None:
        return DynamicTimeWarping()
    return DynamicTimeWarping(reach_of(window, levels))


def reach_of(window: float, levels: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether levels i and j are no farther apart than a window, shape (n_levels, n_levels)."""
    at = np.asarray(levels, dtype=np.float64)
    at = np.arange(at.size, dtype=np.float64) if isinstance(window, int) else at
    slack = 1e-6 * np.abs(at).max()  # levels that are rounded lie just beyond a multiple of theirs
    reach: npt.NDArray[np.bool_] = np.abs(at[:, None] - at) <= window + slack
    return reach
