"""Normalization: shift and scale profiles so that they can be compared, and undo it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from xvcluster.algorithms.moments import Moments
from xvcluster.arrays import Float64s, Floats
from xvcluster.options import check_choice

Normalization = Literal["anomaly", "percent", "level", "profile", "variable"]

SCALED_UNITS = {"percent": "%", "level": "1", "profile": "1", "variable": "1"}
"""Units of scaled values by normalization; those of the data for the others."""

_CHUNK = 2048
_SAFE = 2.0**30
"""Values up to this, and down to its inverse, have squares that float32 holds."""


def check_normalize(normalize: str | None) -> dict[str, str]:
    """Give what is recorded of a normalization; refuse an unknown one."""
    check_choice("normalize", normalize, get_args(Normalization), or_none=True)
    return {} if normalize is None else {"normalize": normalize}


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """The map (values − offset) / scale, the same for all profiles.

    Attributes
    ----------
    offset, scale : ndarray, shape (n_levels, n_variables) or (n_variables,)
        In the units of the data. Where every cluster has its own: (k, 1 or n_levels, n_variables).
    unit : float
        What values that keep the units of the data are divided by nevertheless: a power of two,
        which is not 1 only where squares would overflow or vanish. It is part of the scale.
    """

    offset: Float64s
    scale: Float64s
    unit: float = 1.0

    def apply(self, values: Floats, *, out: Floats | None = None) -> Floats:
        """Scale values (..., n_levels, n_variables), into `out` if given; keep the dtype."""
        scaled: Floats = np.subtract(values, self.offset.astype(values.dtype), out=out)
        if np.any(self.scale != 1.0):
            scaled /= self.scale.astype(values.dtype)
        return scaled

    def undo(self, scaled: Floats) -> Float64s:
        """Bring scaled values of shape (..., n_levels, n_variables) back to the data's units."""
        return scaled.astype(np.float64) * self.scale + self.offset

    def moments(self, values: Floats) -> Float64s:
        """Nothing, shape (n, 0, n_variables): no profile is scaled by moments of its own."""
        return np.empty((len(values), 0, values.shape[-1]))

    def of_clusters(self, _: Callable[[], Float64s]) -> Scaling:
        """What undoes the scaling of clusters' profiles: this scaling itself."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class ProfileScaling:
    """Subtracts from each profile its own mean over the levels, and divides by its own spread.

    What is left of each variable is the shape of its profile.

    Attributes
    ----------
    level_weights : ndarray, shape (n_levels,)
    variable_weights : ndarray, shape (n_variables,), or 1
    """

    level_weights: Float64s
    variable_weights: Float64s | float = 1.0
    unit: ClassVar[float] = 1.0

    def apply(self, values: Floats, *, out: Floats | None = None) -> Floats:
        """Scale profiles (n, n_levels, n_variables), into `out` if given; keep the dtype."""
        scaled: Floats = np.empty_like(values) if out is None else out
        stretch = np.sqrt(self.level_weights[:, None] * self.variable_weights)
        for start in range(0, len(values), _CHUNK):
            rows = slice(start, start + _CHUNK)
            mean, spread = np.split(self._moments(values[rows]), 2, axis=1)
            scaled[rows] = (values[rows] - mean) / np.where(spread > 0, spread, 1.0) * stretch
        return scaled

    def moments(self, values: Floats) -> Float64s:
        """Mean and spread over the levels of each profile, shape (n, 2, n_variables)."""
        starts = range(0, len(values), _CHUNK)
        return np.concatenate([self._moments(values[i : i + _CHUNK]) for i in starts])

    def _moments(self, values: Floats) -> Float64s:
        share = self.level_weights / self.level_weights.sum()
        mean = np.einsum("l,nlv->nv", share, values)
        apart = values - mean[:, None]
        exponents = np.zeros(1, np.intp)
        if values.dtype.itemsize == 8:  # squares may overflow or vanish, which powers of two avoid
            exponents = np.frexp(np.abs(apart).max(axis=1))[1]
            apart = np.ldexp(apart, -exponents[:, None])
        spread = np.ldexp(np.sqrt(np.einsum("l,nlv->nv", share, apart**2)), exponents)
        # a spread within rounding is that of a constant profile
        spread[spread <= 4 * np.finfo(values.dtype).eps * np.abs(mean)] = 0.0
        return np.stack([mean, spread], axis=1)

    def of_clusters(self, mean_moments: Callable[[], Float64s]) -> Scaling:
        """What undoes the scaling of clusters' profiles, from their members' mean moments.

        Parameters
        ----------
        mean_moments : callable
            Finds them, shape (k, 2, n_variables).
        """
        moments = mean_moments()
        stretch = np.sqrt(self.level_weights[:, None] * self.variable_weights)
        return Scaling(moments[:, :1], moments[:, 1:] / stretch)


Fit = Callable[[Moments], Scaling | ProfileScaling]
"""`fit_moments` when the options of the user are known."""


def fit_moments(
    moments: Moments, normalize: str | None = None, **options: Any
) -> Scaling | ProfileScaling:
    """Find how to scale profiles with these moments; see `fit_scaling`.

    Values that keep their units are scaled by a power of two if their squares would overflow or
    vanish; this changes no other bit.
    """
    exponent, unit = moments.exponent, 1.0
    mean = np.ldexp(moments.mean, -exponent)
    scaling = fit_scaling(mean, lambda: moments.variance, normalize, **options)
    if isinstance(scaling, ProfileScaling):
        return scaling
    offset = np.ldexp(scaling.offset, exponent)
    if keeps_units(normalize, len(exponent)):
        ends = np.array([moments.low - scaling.offset, moments.high - scaling.offset])
        peak = float(np.abs(ends).max())
        if peak > 0 and not 1.0 / _SAFE <= peak <= _SAFE:
            exponent = exponent + np.frexp(peak)[1] - 1
        unit = float(np.ldexp(1.0, exponent[0]))
    return Scaling(offset, np.ldexp(scaling.scale, exponent), unit)


def keeps_units(normalize: str | None, n_variables: int) -> bool:
    """Whether scaled values, and distances between them, are in the units of the data."""
    return n_variables == 1 and normalize not in SCALED_UNITS


def fit_scaling(
    mean: Float64s,
    variance: Callable[[], Float64s],
    normalize: str | None = None,
    *,
    by_level: bool = False,
    level_weights: Float64s | None = None,
    variable_weights: Float64s | None = None,
) -> Scaling | ProfileScaling:
    """Find how to scale profiles so that they can be compared.

    Parameters
    ----------
    mean : ndarray, shape (n_levels, n_variables)
        Weighted mean of the profiles.
    variance : callable
        Finds their weighted variance, of the same shape; not called if it is not needed.
    normalize : {"anomaly", "percent", "level", "profile", "variable"}, optional
        See `xvcluster.kmeans`. None is the same as "variable" for several variables; a single
        variable keeps its units.
    by_level : bool, default False
        Subtract the mean of each level, which keeps float32 exact where values vary little around
        it. Not for distances that compare different levels.
    level_weights : ndarray of shape (n_levels,), optional
        Weights of the squared differences at each level: values are multiplied by their roots.
    variable_weights : ndarray of shape (n_variables,), optional
        Likewise of each variable.

    Returns
    -------
    Scaling or ProfileScaling

    Raises
    ------
    ValueError
        If "percent" is asked for where means have both signs or are smaller than the spread around
        them, or "profile" for a single level.
    """
    weights = np.ones(len(mean)) if level_weights is None else level_weights
    if normalize == "profile":
        if len(mean) < 2:
            raise ValueError(
                "normalize='profile' needs several levels, but the data have one; leave it out"
            )
        return ProfileScaling(weights, 1.0 if variable_weights is None else variable_weights)
    if normalize == "percent":
        _require_large_mean(mean, variance())
        scale = np.abs(mean) / 100.0
    elif normalize == "level":
        scale = _spread(variance())
    elif keeps_units(normalize, mean.shape[1]):
        scale = np.ones(1)
    else:
        scale = _spread(weights / weights.sum() @ variance())
    keeps_levels = normalize in (None, "variable") and not by_level
    offset = mean.mean(axis=0) if keeps_levels else mean
    if level_weights is not None:
        scale = scale / np.sqrt(level_weights)[:, None]
    if variable_weights is not None:
        scale = scale / np.sqrt(variable_weights)
    return Scaling(offset, scale)


def _spread(variance: Float64s) -> Float64s:
    """Standard deviation, or 1 for what does not vary."""
    return np.sqrt(np.where(variance > 0, variance, 1.0))


def _require_large_mean(mean: Float64s, variance: Float64s) -> None:
    """Refuse percentages of means that are smaller than the spread around them."""
    for own, spread in zip(mean.T, np.sqrt(variance).T, strict=True):
        one_sign = np.all(own > 0) or np.all(own < 0)
        if not (one_sign and np.all(np.abs(own) > spread)):
            raise ValueError(
                "normalize='percent' divides by the mean of each level, but these range from "
                f"{own.min():.4g} to {own.max():.4g}, with spreads of up to {spread.max():.4g}, as "
                "those of perturbations or temperatures do; use normalize='anomaly' or 'level'"
            )
