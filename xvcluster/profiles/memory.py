"""The profiles of a model in memory: from labelled arrays to one array of profiles, and back.

Profiles are stacked in one canonical order, whatever the order of the dimensions, the direction of
the axes or the convention of longitude, so that a seed means the same on all of them. A column that
a global grid repeats at its seam is taken once and labelled twice.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Array, Booleans, Float64s, Floats, Indices
from xvcluster.grid.coords import Axes
from xvcluster.grid.missing import find_invalid
from xvcluster.profiles.layout import Layout, Places, lay_out

STATUS = ("labelled", "no_data", "incomplete", "invalid")
"""Why a point has a label or none, by its number in `status`."""

_GATHER = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Profiles(Layout):
    """The complete profiles of a model, and all that it takes to label them.

    Attributes
    ----------
    values : ndarray, shape (n_profiles, n_levels, n_variables)
        float32 or float64, no NaN, levels from the low end of the axis to the high one.
    points : ndarray, shape (n_profiles,)
        The place of each profile among all points of the grid, in canonical order.
    status : ndarray, shape (n_points,)
        Index into `STATUS` of every point.
    cell_areas : ndarray of shape (n_profiles,), or None
        Area of each profile's cell in km², where latitude and longitude are known.
    weights : ndarray of shape (n_profiles,), or None
        What each profile counts for, if not once.
    """

    values: Floats
    points: Indices
    status: npt.NDArray[np.int8]
    cell_areas: Float64s | None
    weights: Float64s | None

    @property
    def block(self) -> Block:
        """The profiles with their weights."""
        return Block.of(self.values, self.weights)

    def to_map(self, values: Array) -> xr.DataArray:
        """Put one value a profile on the user's dimensions, float32, NaN where no profile is."""
        full = np.full(self.status.size, np.nan, dtype=np.float32)
        full[self.points] = values
        return self.grid.spread(full)


def collect(data: xr.DataArray | xr.Dataset, dim: Hashable | None = None) -> Profiles:
    """Stack the complete profiles of a model; as `stack`, from the data themselves."""
    return stack(lay_out(data, dim))


def stack(layout: Layout) -> Profiles:
    """Stack the complete profiles of a model, which is read.

    Raises
    ------
    ValueError
        If there are infinities, no profile is complete, or none has a weight.
    """
    vertical = layout.axes.vertical
    columns, missing, invalid = [], [], []
    for name, variable in layout.dataset.data_vars.items():
        lead = () if vertical is None else (vertical,)
        array = variable.variable.transpose(*lead, ...)
        bare = xr.DataArray(array, name=name)
        bare.encoding = array.encoding  # tells how limits of valid values are packed
        bare = bare.compute() if bare.chunks is not None else bare
        column, refused = _columns(bare, layout.grid, layout.axes)
        columns.append(column[::-1] if layout.descending else column)
        missing.append(np.isnan(column))
        invalid.append(refused)
    status = find_status(missing, invalid)
    require_complete(np.bincount(status, minlength=len(STATUS)))
    points = np.flatnonzero(status == 0)
    values = np.empty((points.size, columns[0].shape[0], len(columns)), dtype=layout.dtype)
    for v, column in enumerate(columns):
        for start in range(0, points.size, _GATHER):
            chunk = slice(start, start + _GATHER)
            values[chunk, :, v] = column[:, points[chunk]].T
    area = layout.areas()
    areas = None if area is None else layout.grid.flatten(area)[points]
    known = {f.name: getattr(layout, f.name) for f in fields(Layout)}
    known |= {"weights": _weights(layout, points), "cell_areas": areas}
    return Profiles(**known, values=values, points=points, status=status)


def _weights(layout: Layout, points: Indices) -> Float64s | None:
    """Weights of the profiles at some points, None where each counts once."""
    factors = layout.weighting.factors
    if not factors:
        return None
    weights = layout.grid.flatten(layout.product(factors))[points]
    require_weights(weights)
    require_any_weight(weights.sum())
    return weights / weights.mean() if layout.weighting.is_relative else weights


def require_weights(weights: Float64s) -> None:
    """Refuse weights of complete profiles that are NaN."""
    missing = int(np.isnan(weights).sum())
    if missing:
        raise ValueError(
            f"weights are NaN at {missing} of {weights.size} complete profiles; give each a "
            "number, 0 for one that is not to count"
        )


def require_any_weight(total: float) -> None:
    """Refuse weights that are all 0."""
    if not total > 0:
        raise ValueError("weights are 0 at all complete profiles; at least one must count")


def _columns(array: xr.DataArray, grid: Places, axes: Axes) -> tuple[Array, Booleans | None]:
    """Values of one variable, shape (n_levels, n_points), NaN where missing; and the invalid."""
    refused = find_invalid(array)
    invalid = None
    if refused is not None:
        array = array.where(~refused)
        lead = [] if axes.vertical is None else [axes.vertical]
        invalid = grid.flatten(refused.any(lead))
    values = grid.flatten(array)
    return values.reshape(-1, values.shape[-1]), invalid


def find_status(missing: list[Booleans], invalid: list[Booleans | None]) -> npt.NDArray[np.int8]:
    """Tell for each point whether its profile is complete, or why not."""
    gaps = sum(m.sum(axis=0) for m in missing)
    full = sum(m.shape[0] for m in missing)
    status = np.where(gaps == 0, 0, np.where(gaps == full, 1, 2)).astype(np.int8)
    for refused in invalid:
        if refused is not None:
            status[refused] = 3
    return status


def require_complete(counts: npt.NDArray[np.integer]) -> None:
    """Refuse a model with no complete profile by its counts of each status; say what it lacks."""
    if counts[0]:
        return
    raise ValueError(
        f"none of the {counts.sum()} profiles is complete: {counts[1]} have no data, {counts[2]} "
        f"have gaps, {counts[3]} hold a fill value or lie outside the valid_min, valid_max or "
        "valid_range of the attributes. Choose a depth range that the model covers "
        "with .vcluster.prepare(depth=...), or fill small gaps with prepare(max_gap=...)"
    )
