"""The weights of profiles and levels, from the options of the user."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.edges import bounds_of
from xvcluster.grid.levels import require_numbers
from xvcluster.messages import warn
from xvcluster.profiles.layout import Layout, Weighting


def weigh(
    layout: Layout,
    weights: str | xr.DataArray | None = None,
    level_weights: str | xr.DataArray | None = None,
) -> Layout:
    """Add the weights of profiles and levels to a layout.

    Parameters
    ----------
    layout : Layout
    weights : "area" or DataArray, optional
        On some of the horizontal dimensions.
    level_weights : "thickness" or DataArray, optional
        Along the vertical.

    Raises
    ------
    TypeError
        If weights are neither of these.
    ValueError
        If they do not lie on the dimensions of the data, or are negative or infinite; if
        `level_weights` are not all positive; if there are no cells or levels.
    """
    weighting = Weighting(
        tuple(_profile_factors(layout, weights)),
        is_relative=isinstance(weights, str),
        levels=_level_weights(layout, level_weights),
    )
    return replace(layout, weighting=weighting)


def _profile_factors(layout: Layout, weights: Any) -> list[xr.Variable]:
    """Arrays on some of the horizontal dimensions, whose product is the weights."""
    if weights is None:
        return []
    if isinstance(weights, str):
        _check_word("weights", weights, "area")
        names, factors = (layout.axes.latitude, layout.axes.longitude), layout.area_factors()
        if factors:
            _warn_of_bounds(layout, "weights='area'", *names)
            return factors
        bounds = ", ".join(repr(str(bounds)) for _, bounds in _absent_bounds(layout, *names))
        have = f"have, or the bounds of cells, {bounds}. Cluster a Dataset with these" * bool(
            bounds
        )
        raise ValueError(
            "weights='area' needs a grid of latitude and longitude, which the data do not "
            f"{have or 'have'}; or give a DataArray of weights on the horizontal dimensions"
        )
    array = _aligned(layout, "weights", weights, "area", layout.grid.dims).astype(np.float64)
    if array.min() < 0 or np.isinf(array).any():
        raise ValueError(
            f"weights must be finite and at least 0; they range from {float(array.min()):g} to "
            f"{float(array.max()):g}"
        )
    return [array]


def _level_weights(layout: Layout, weights: Any) -> Float64s | None:
    """Weights (n_levels,) in the order of the profiles' levels."""
    if weights is None:
        return None
    if layout.vertical is None:
        raise ValueError(
            "level_weights need a vertical, which the data do not have; leave them out"
        )
    if isinstance(weights, str):
        _check_word("level_weights", weights, "thickness")
        _warn_of_bounds(layout, "level_weights='thickness'", layout.axes.vertical)
        numbers = require_numbers(layout.vertical, f"level_weights={weights!r}")
        vertical = layout.dataset[layout.vertical.dims[0]]
        if vertical.dtype.kind == "O":  # dates of a calendar that NumPy does not know
            vertical = xr.DataArray(numbers, dims=vertical.dims)
        edges = bounds_of(layout.dataset, vertical)
        found = np.abs(edges[:, 1] - edges[:, 0])
        found = found / found.mean()
    else:
        array = _aligned(layout, "level_weights", weights, "thickness", layout.vertical.dims)
        found = array.values.astype(np.float64)
    if not (np.all(found > 0) and np.all(np.isfinite(found))):
        raise ValueError(
            f"level_weights must be finite and above 0; they range from {found.min():g} to "
            f"{found.max():g}. Leave a level out with data.vcluster.prepare(depth=...) or data.sel"
        )
    return found[::-1] if layout.descending else found


def _check_word(option: str, given: str, word: str) -> None:
    """Refuse another word."""
    if given != word:
        raise ValueError(f"{option} must be {word!r} or a DataArray; got {given!r}")


def _warn_of_bounds(layout: Layout, option: str, *names: str | None) -> None:
    """Warn if coordinates declare bounds that the data do not hold."""
    for name, bounds in _absent_bounds(layout, *names):
        warn(
            f"{option} takes edges halfway between the values of {name!r}: it declares bounds "
            f"{str(bounds)!r}, which the data do not hold. Cluster a Dataset that has them, e.g. "
            f"dataset[[{next(iter(layout.variables))!r}, {str(bounds)!r}]]"
        )


def _absent_bounds(layout: Layout, *names: str | None) -> list[tuple[str, Hashable]]:
    """The coordinates that declare bounds which the data do not hold, and these."""
    found = []
    for name in filter(None, names):
        coordinate = layout.dataset[name]
        bounds = (coordinate.encoding | coordinate.attrs).get("bounds")
        if bounds is not None and bounds not in layout.dataset.variables:
            found.append((name, bounds))
    return found


def _aligned(
    layout: Layout, name: str, weights: Any, word: str, dims: tuple[Any, ...]
) -> xr.Variable:
    """Weights in memory, in the order of the data along each of their dimensions."""
    if not isinstance(weights, xr.DataArray):
        raise TypeError(f"{name} must be {word!r} or a DataArray; got {type(weights).__name__}")
    if weights.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be numeric; their dtype is {weights.dtype}")
    others = [str(d) for d in weights.dims if d not in dims]
    if others or (len(dims) == 1 and weights.dims != dims):
        raise ValueError(
            f"{name} must lie on {', '.join(map(str, dims))} of the data; they have the dimensions "
            f"{tuple(map(str, weights.dims))}"
        )
    weights = weights.compute()
    for dim in weights.dims:
        weights = _in_order(weights, name, dim, layout.dataset)
    return xr.Variable(weights.dims, weights.values)


def _in_order(weights: xr.DataArray, name: str, dim: Any, dataset: xr.Dataset) -> xr.DataArray:
    """Put weights along a dimension into the order of the data's coordinate."""
    if dim in weights.coords and dim in dataset.coords:
        own, wanted = weights.indexes[dim], dataset.indexes[dim]
        if own.equals(wanted):
            return weights
        places = _places(own, wanted)
        if (places < 0).any():
            raise ValueError(
                f"{name} lack some of the data's {str(dim)!r}: they have {own[0]} to {own[-1]}, "
                f"the data {wanted[0]} to {wanted[-1]}; compute them from the data's coordinates"
            )
        return weights.isel({dim: places})
    if weights.sizes[dim] != dataset.sizes[dim]:
        raise ValueError(
            f"{name} have {weights.sizes[dim]} values along {str(dim)!r}, the data "
            f"{dataset.sizes[dim]}"
        )
    return weights


def _places(own: pd.Index, wanted: pd.Index) -> Indices:
    """Positions in an index of the values of another, to float32 precision; −1 if missing."""
    if not own.is_unique:
        return np.array([-1])
    if own.dtype.kind != "f" or own.size < 2:
        return np.asarray(own.get_indexer(wanted))
    order = np.argsort(own.to_numpy())
    ascending = own[order]
    slack = 1e-3 * float(np.diff(ascending.to_numpy()).min())
    found = np.asarray(ascending.get_indexer(wanted, method="nearest", tolerance=slack))
    return np.where(found < 0, -1, order[found])
