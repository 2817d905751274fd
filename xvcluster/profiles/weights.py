"""The weights of profiles, levels and variables, from the options of the user."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.edges import bounds_of
from xvcluster.grid.levels import require_numbers
from xvcluster.messages import shown, warn
from xvcluster.options import check_number
from xvcluster.profiles.layout import Layout, Weighting

_PROFILE_WORDS = "'auto', 'area', None or a DataArray"
_LEVEL_WORDS = "'thickness' or a DataArray"
_WIDE = 20.0
"""Degrees of latitude from which cells of a grid in degrees differ too much to count alike: from
10° to 30° their areas fall by an eighth, from 50° to 70° by nearly half."""


def weigh(
    layout: Layout,
    weights: str | xr.DataArray | None = None,
    level_weights: str | xr.DataArray | None = None,
    variable_weights: Mapping[str, float] | None = None,
    *,
    why_not: str = "",
) -> Layout:
    """Add the weights of profiles, levels and variables to a layout.

    Parameters
    ----------
    layout : Layout
    weights : "auto", "area" or DataArray, optional
        On some of the horizontal dimensions.
    level_weights : "thickness" or DataArray, optional
        Along the vertical.
    variable_weights : mapping of str to float, optional
        By name; 1 for variables that it does not name.
    why_not : str, optional
        Why "auto" does not weigh profiles, if it does not because of the method.

    Raises
    ------
    TypeError
        If weights are none of these.
    ValueError
        If they do not lie on the dimensions of the data, or are negative or infinite; if
        `level_weights` or `variable_weights` are not all positive; if there are no cells, levels or
        several variables.

    Warns
    -----
    UserWarning
        If "auto" does not weigh profiles although latitudes span more than 20 degrees.
    """
    factors = _profile_factors(layout, weights, why_not)
    variables = _variable_weights(layout, variable_weights)
    weighting = Weighting(
        tuple(factors),
        is_relative=isinstance(weights, str) and bool(factors),
        levels=_level_weights(layout, level_weights),
        variables=None if variables is None else np.array(list(variables.values())),
    )
    recorded: dict[str, Any] = {}
    if factors:
        recorded["weights"] = "area" if weighting.is_relative else "given"
    if level_weights is not None:
        recorded["level_weights"] = level_weights if isinstance(level_weights, str) else "given"
    if variables is not None:
        recorded["variable_weights"] = variables
    return replace(layout, weighting=replace(weighting, recorded=recorded))


def _profile_factors(layout: Layout, weights: Any, why_not: str) -> list[xr.Variable]:
    """Arrays on some of the horizontal dimensions, whose product is the weights."""
    if weights is None:
        return []
    if isinstance(weights, str) and weights == "auto":
        return _fair_factors(layout, why_not)
    if isinstance(weights, str):
        _check_word("weights", weights, _PROFILE_WORDS, "area")
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
    dims = layout.grid.dims
    array = _aligned(layout, "weights", weights, _PROFILE_WORDS, dims).astype(np.float64)
    if array.min() < 0 or np.isinf(array).any():
        raise ValueError(
            f"weights must be finite and at least 0; they range from {float(array.min()):g} to "
            f"{float(array.max()):g}"
        )
    return [array]


def _fair_factors(layout: Layout, why_not: str) -> list[xr.Variable]:
    """The areas of cells if latitudes span so much that these differ; otherwise none."""
    span = _latitude_span(layout)
    if not span > _WIDE:
        return []
    factors = [] if why_not else layout.area_factors()
    if factors:
        filled = [f.copy(data=np.where(np.isnan(f), np.nanmean(f), f)) for f in factors]
        if all(np.any(f.values > 0) for f in filled):
            return filled
    names = layout.axes.latitude, layout.axes.longitude
    bounds = ", ".join(repr(str(bounds)) for _, bounds in _absent_bounds(layout, *names))
    reason = "they have no cells whose areas could weigh them, so each counts once: " + (
        f"give a Dataset that holds the bounds of cells, {bounds}, or weights"
        if bounds
        else "give weights if they are denser in some parts than in others"
    )
    warn(
        f"the profiles span {span:.0f} degrees of latitude, but {why_not or reason}, or "
        "weights=None if each is to count once"
    )
    return []


def _latitude_span(layout: Layout) -> float:
    """Degrees between the southernmost and the northernmost point of a grid; 0 if not known."""
    horizontal = layout.horizontal
    if horizontal is None or not horizontal.is_placed.any():
        return 0.0
    return float(np.nanmax(horizontal.lat) - np.nanmin(horizontal.lat))


def _variable_weights(layout: Layout, weights: Any) -> dict[str, float] | None:
    """The weight of each variable by name, in their order."""
    if weights is None:
        return None
    names = list(layout.variables)
    if not isinstance(weights, Mapping):
        example = ", ".join(f"{name!r}: {i}" for i, name in enumerate(names[:2], start=1))
        raise TypeError(
            f"variable_weights must be a number for each variable by its name, such as "
            f"{{{example}}}; got {shown(weights)}"
        )
    unknown = [name for name in weights if name not in names]
    if unknown:
        raise ValueError(
            f"variable_weights name {shown(unknown[0])}, but the variables are "
            f"{', '.join(map(repr, names))}"
        )
    if len(names) == 1:
        raise ValueError(
            f"variable_weights are for several variables, but the data have only {names[0]!r}; "
            "leave them out"
        )
    given = {n: check_number(f"variable_weights[{n!r}]", w, above=0.0) for n, w in weights.items()}
    return {name: given.get(name, 1.0) for name in names}


def _level_weights(layout: Layout, weights: Any) -> Float64s | None:
    """Weights (n_levels,) in the order of the profiles' levels."""
    if weights is None:
        return None
    if layout.vertical is None:
        raise ValueError(
            "level_weights need a vertical, which the data do not have; leave them out"
        )
    if isinstance(weights, str):
        _check_word("level_weights", weights, _LEVEL_WORDS, "thickness")
        _warn_of_bounds(layout, "level_weights='thickness'", layout.axes.vertical)
        numbers = require_numbers(layout.vertical, f"level_weights={weights!r}")
        vertical = layout.dataset[layout.vertical.dims[0]]
        if vertical.dtype.kind == "O":  # dates of a calendar that NumPy does not know
            vertical = xr.DataArray(numbers, dims=vertical.dims)
        edges = bounds_of(layout.dataset, vertical)
        found = np.abs(edges[:, 1] - edges[:, 0])
        found = found / found.mean()
    else:
        array = _aligned(layout, "level_weights", weights, _LEVEL_WORDS, layout.vertical.dims)
        found = array.values.astype(np.float64)
    if not (np.all(found > 0) and np.all(np.isfinite(found))):
        raise ValueError(
            f"level_weights must be finite and above 0; they range from {found.min():g} to "
            f"{found.max():g}. Leave a level out with data.vcluster.prepare(depth=...) or data.sel"
        )
    return found[::-1] if layout.descending else found


def _check_word(option: str, given: str, allowed: str, word: str) -> None:
    """Refuse another word."""
    if given != word:
        raise ValueError(f"{option} must be {allowed}; got {given!r}")


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
    layout: Layout, name: str, weights: Any, allowed: str, dims: tuple[Any, ...]
) -> xr.Variable:
    """Weights in memory, in the order of the data along each of their dimensions."""
    if not isinstance(weights, xr.DataArray):
        raise TypeError(f"{name} must be {allowed}; got {type(weights).__name__}")
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
