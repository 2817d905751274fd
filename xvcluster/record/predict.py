"""Label other data by an earlier result."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.grid.coords import canonical_units, find_axes, is_same_direction, units
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import take_model
from xvcluster.messages import plain
from xvcluster.prepare import interpolate
from xvcluster.profiles import as_dataset, label_profiles, lay_out
from xvcluster.record.check import check_result
from xvcluster.record.dataset import parameters_of, read_assigner, turn_levels


def predict(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None = None
) -> xr.DataArray:
    """Label every profile of other data with the cluster of its nearest centroid.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult.
    data : DataArray or Dataset
        With the variables, units and depth range of the result, on any grid. They are interpolated
        to the levels of the result and scaled as its data were.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred and is not that of the result.

    Returns
    -------
    DataArray
        Labels on the horizontal dimensions of `data`, NaN where there is no complete profile; lazy
        for dask arrays.

    Raises
    ------
    ValueError
        If a variable is missing or in other units, the levels of the result extend beyond those of
        the data, or only one of the two has a vertical.
    """
    check_result(result, maps=False)
    options = parameters_of(result)
    names = options["variables"]
    dataset = _matching_variables(as_dataset(take_model(data)), names, result)
    vertical = options["vertical"]
    if dim is None and vertical in dataset.dims:
        dim = vertical
    dim = find_axes(dataset, dim).vertical
    _require_same_kind(dataset, dim, vertical)
    if dim is not None:
        dataset = _to_levels(dataset, dim, result[vertical])
    layout = lay_out(dataset, dim, in_order=False)
    scaling, assigner = read_assigner(turn_levels(result, layout.descending))
    label = label_profiles(layout, scaling, assigner)
    label.name = "label"
    label.attrs = dict(result["label"].attrs)
    return label


def _matching_variables(dataset: xr.Dataset, names: list[str], result: xr.Dataset) -> xr.Dataset:
    """Select the variables that the result needs, by its names, and check their units."""
    own = [str(n) for n in dataset.data_vars]
    if len(names) == len(own) == 1 and own[0].lower() in ("value", names[0].lower()):
        dataset = dataset.rename({own[0]: names[0]})
    missing = [n for n in names if n not in dataset.data_vars]
    if missing:
        raise ValueError(
            f"the result was made from {plain(', '.join(names))}, but the data lack "
            f"{plain(', '.join(missing))}; they have {plain(', '.join(own))}. Rename them to match"
        )
    for name in names:
        _require_same_units(name, units(dataset[name]), units(result[name]))
    return dataset[names]


def _require_same_units(name: str, given: str, needed: str) -> None:
    if given and needed and canonical_units(given) != canonical_units(needed):
        raise ValueError(
            f"{plain(name)!r} is in {plain(given, 40)!r}, but the result was made from data in "
            f"{plain(needed, 40)!r}; convert the data first and set its units attribute"
        )


def _require_same_kind(dataset: xr.Dataset, dim: str | None, vertical: str | None) -> None:
    """Refuse a raster for a result of profiles, and profiles for a result of a raster."""
    if dim is None and vertical is not None:
        raise ValueError(
            "the result has a vertical dimension, but the data have none: dimensions "
            f"{tuple(dataset.dims)}. Give the model with its levels"
        )
    if dim is not None and vertical is None:
        raise ValueError(
            f"the result has no vertical dimension, but the data have {dim!r}; select one level, "
            f"e.g. data.isel({dim}=0)"
        )


def _to_levels(dataset: xr.Dataset, dim: Hashable, levels: xr.DataArray) -> xr.Dataset:
    """Interpolate data to the levels of the result, whatever the sign of depth in either."""
    own = dataset[dim]
    _require_same_units(str(dim), units(own), units(levels))
    sign = 1.0 if is_same_direction(own, levels) else -1.0
    target = sign * np.asarray(levels.values, dtype=np.float64)
    if own.shape == target.shape and np.array_equal(own.values, target):
        return dataset
    values = np.asarray(own.values, dtype=np.float64)
    held = _positions(values, target)
    if held is not None:
        return dataset.isel({dim: held})
    slack = 1e-6 * max(np.ptp(values), 1.0)
    if target.min() < values.min() - slack or target.max() > values.max() + slack:
        raise ValueError(
            f"the result has levels from {target.min():g} to {target.max():g} {units(levels)}, but "
            f"the data cover only {values.min():g} to {values.max():g} {units(own)}"
        )
    target = np.clip(target, values.min(), values.max())
    valid = {n: mask_invalid(a, by_chunk=True) for n, a in dataset.data_vars.items()}
    interpolated = xr.Dataset({n: interpolate(a, dim, target) for n, a in valid.items()})
    for name, array in interpolated.data_vars.items():
        array.encoding = dict(dataset[name].encoding)  # says how limits are packed
    return interpolated


def _positions(values: Float64s, target: Float64s) -> list[int] | None:
    """Where the data hold each level of the target, a repeated one as often; None if not all."""
    backwards = (values[0] - values[-1]) * (target[0] - target[-1]) < 0
    positions = np.arange(values.size)[:: -1 if backwards else 1]
    free: dict[float, list[int]] = {}
    for position in positions[::-1]:
        free.setdefault(float(values[position]), []).append(int(position))
    if any(np.count_nonzero(target == t) > len(free.get(float(t), [])) for t in np.unique(target)):
        return None
    return [free[float(t)].pop() for t in target]
