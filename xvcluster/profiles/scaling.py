"""Shift and scale profiles so that they can be compared, and undo it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Float64s, Floats

_CHUNK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """The map (values − offset) / scale, the same for all profiles.

    Attributes
    ----------
    offset, scale : ndarray, shape (n_levels, n_variables) or (n_variables,)
        In the units of the data. To undo what each cluster was scaled by, both have a shape of
        (k, 1 or n_levels, n_variables).
    """

    offset: Float64s
    scale: Float64s

    def apply(self, values: Floats, *, out: Floats | None = None) -> Floats:
        """Scale values of shape (..., n_levels, n_variables), into `out` if given; dtype stays."""
        scaled: Floats = np.subtract(values, self.offset.astype(values.dtype), out=out)
        if np.any(self.scale != 1.0):
            scaled /= self.scale.astype(values.dtype)
        return scaled

    def undo(self, scaled: Floats) -> Float64s:
        """Bring scaled values of shape (..., n_levels, n_variables) back to the data's units."""
        return scaled.astype(np.float64) * self.scale + self.offset

    def ends(self, low: Float64s, high: Float64s) -> tuple[Float64s, Float64s]:
        """Least and greatest scaled value of each level, from those in the units of the data."""
        return (low - self.offset) / self.scale, (high - self.offset) / self.scale


@dataclass(frozen=True, slots=True, eq=False)
class ProfileScaling:
    """Each profile, variable by variable, less its own mean and by its own spread: its shape.

    Attributes
    ----------
    level_weights : ndarray, shape (n_levels,)
    """

    level_weights: Float64s

    def apply(self, values: Floats, *, out: Floats | None = None) -> Floats:
        """Scale profiles (n, n_levels, n_variables), into `out` if given; the dtype stays."""
        scaled: Floats = np.empty_like(values) if out is None else out
        stretch = np.sqrt(self.level_weights).astype(values.dtype)[:, None]
        for start in range(0, len(values), _CHUNK):
            rows = slice(start, start + _CHUNK)
            mean, spread = np.split(self._moments(values[rows]).astype(values.dtype), 2, axis=1)
            scaled[rows] = (values[rows] - mean) / np.where(spread > 0, spread, 1) * stretch
        return scaled

    def moments(self, values: Floats) -> Float64s:
        """Mean and spread over the levels of profiles (n, n_levels, n_variables): (n, 2, …)."""
        moments = np.empty((len(values), 2, values.shape[2]))
        for start in range(0, len(values), _CHUNK):
            moments[start : start + _CHUNK] = self._moments(values[start : start + _CHUNK])
        return moments

    def _moments(self, values: Floats) -> Float64s:
        share = self.level_weights / self.level_weights.sum()
        mean = np.einsum("l,nlv->nv", share, values)
        spread = np.sqrt(np.einsum("l,nlv->nv", share, (values - mean[:, None]) ** 2))
        # a spread that is but rounding is that of a constant profile
        spread[spread <= 4 * np.finfo(values.dtype).eps * np.abs(mean)] = 0.0
        return np.stack([mean, spread], axis=1)

    def ends(self, low: Float64s, _: Float64s) -> tuple[Float64s, Float64s]:
        """Bounds of the scaled values of each level, whatever those in the data's units."""
        farthest = np.full(low.shape, np.sqrt(self.level_weights.sum()))
        return -farthest, farthest

    def undoing(self, moments: Float64s) -> Scaling:
        """What brings shapes back to profiles of these moments (k, 2, n_variables)."""
        stretch = np.sqrt(self.level_weights)[:, None]
        return Scaling(moments[:, :1], moments[:, 1:] / stretch)


def fit_scaling(
    profiles: Block,
    normalize: str | None = None,
    *,
    by_level: bool = False,
    level_weights: Float64s | None = None,
) -> Scaling | ProfileScaling:
    """Find how profiles are scaled; as `scaling_of`, from the profiles themselves."""
    if profiles.values.shape[2] == 1 and normalize not in {"level", "percent", "variable"}:
        mean = profiles.mean()
        return scaling_of(mean, mean * 0, normalize, by_level=by_level, level_weights=level_weights)
    moments = profiles.moments()
    return scaling_of(*moments, normalize, by_level=by_level, level_weights=level_weights)


def scaling_of(
    mean: Float64s,
    variance: Float64s,
    normalize: str | None = None,
    *,
    by_level: bool = False,
    level_weights: Float64s | None = None,
) -> Scaling | ProfileScaling:
    """Find how profiles are scaled so that they can be compared.

    Parameters
    ----------
    mean, variance : ndarray, shape (n_levels, n_variables)
        Of the profiles, by their weights.
    normalize : {"anomaly", "percent", "level", "profile", "variable"}, optional
        See `xvcluster.kmeans`. None is as "variable" for several variables; one keeps its units.
    by_level : bool, default False
        Shift every level by its own mean, which keeps float32 exact where values vary little around
        it. Not for distances that compare different levels.
    level_weights : ndarray of shape (n_levels,), optional
        What squared differences at each level count for: values are stretched by their roots.

    Returns
    -------
    Scaling or ProfileScaling

    Raises
    ------
    ValueError
        If "percent" is of means that are of both signs or less than the spread about them, or
        "profile" of a single level.
    """
    weights = np.ones(len(mean)) if level_weights is None else level_weights
    if normalize == "profile":
        if len(mean) < 2:
            raise ValueError(
                "normalize='profile' needs several levels, of which the data have one; leave it out"
            )
        return ProfileScaling(weights)
    share = weights / weights.sum()
    several = mean.shape[1] > 1
    scale = np.ones(mean.shape[1])
    offset = mean
    if normalize == "percent":
        _require_large_mean(mean, variance)
        scale = np.abs(mean) / 100.0
    elif normalize == "level":
        scale = _spread(variance)
    elif normalize == "anomaly":
        scale = _spread(share @ variance) if several else scale
    else:
        apart = mean - mean[0]  # exactly 0 where the levels are alike
        between = (apart - share @ apart) ** 2
        if several or normalize == "variable":
            scale = _spread(share @ (variance + between))
        offset = mean if by_level else mean.mean(axis=0)
    if level_weights is not None:
        scale = scale / np.sqrt(level_weights)[:, None]
    return Scaling(offset, scale)


def _spread(variance: Float64s) -> Float64s:
    """Standard deviation, or 1 for what does not vary."""
    return np.sqrt(np.where(variance > 0, variance, 1.0))


def _require_large_mean(mean: Float64s, variance: Float64s) -> None:
    """Refuse percent of means about which the values vary more than they amount to."""
    for own, spread in zip(mean.T, np.sqrt(variance).T, strict=True):
        one_sign = np.all(own > 0) or np.all(own < 0)
        if not (one_sign and np.all(np.abs(own) > spread)):
            raise ValueError(
                "normalize='percent' divides by the mean of each level, but these range from "
                f"{own.min():.4g} to {own.max():.4g}, with spreads of up to {spread.max():.4g}, as "
                "those of perturbations or temperatures do; use normalize='anomaly' or 'level'"
            )
