"""Shift and scale profiles so that they can be compared, and undo it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """The map (values − offset) / scale, variable by variable.

    Attributes
    ----------
    offset : ndarray, shape (n_levels, n_variables) or (n_variables,)
        In the units of the data. It changes no distance; it keeps float32 exact where values vary
        little around a large mean.
    scale : ndarray, shape (n_variables,)
        In the units of the data.
    """

    offset: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    def apply(self, values: Floats, *, out: Floats | None = None) -> Floats:
        """Scale values of shape (..., n_variables), into `out` if given; the dtype stays."""
        scaled: Floats = np.subtract(values, self.offset.astype(values.dtype), out=out)
        if np.any(self.scale != 1.0):
            scaled /= self.scale.astype(values.dtype)
        return scaled

    def undo(self, scaled: Floats) -> npt.NDArray[np.float64]:
        """Bring scaled values of shape (..., n_variables) back to the units of the data."""
        return scaled.astype(np.float64) * self.scale + self.offset


def fit_scaling(values: Floats, *, by_level: bool = False) -> Scaling:
    """Scale several variables each by its overall spread; one variable keeps its units.

    Parameters
    ----------
    values : ndarray, shape (n_profiles, n_levels, n_variables)
        In the units of the data, no NaN.
    by_level : bool, default False
        Shift every level by its own mean. Not for distances that compare different levels.

    Returns
    -------
    Scaling
        The offset is the mean of each level or variable; the scale a variable's standard deviation
        over all profiles and levels (1 for a single or a constant variable).
    """
    mean = values.mean(axis=0, dtype=np.float64)
    spread = np.ones(values.shape[-1])
    if spread.size > 1:
        spread = np.array([values[..., v].std(dtype=np.float64) for v in range(spread.size)])
    return scaling_of(mean, spread, by_level=by_level)


def scaling_of(
    mean: npt.NDArray[np.float64], spread: npt.NDArray[np.float64], *, by_level: bool
) -> Scaling:
    """As `fit_scaling`, from means (n_levels, n_variables) and deviations (n_variables,)."""
    scale = np.where(spread > 0, spread, 1.0) if spread.size > 1 else np.ones(1)
    return Scaling(mean if by_level else mean.mean(axis=0), scale)
