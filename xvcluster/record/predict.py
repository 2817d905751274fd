"""Label other data by an earlier result, and say how well a mixture fits them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.mixture import Mixture
from xvcluster.arrays import Float64s, Floats
from xvcluster.grid.coords import canonical_units, find_axes, is_same_direction, units
from xvcluster.grid.labels import name_coordinate
from xvcluster.grid.levels import has_times, numbers_of, vertical_of
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import take_model
from xvcluster.messages import plain
from xvcluster.prepare import interpolate
from xvcluster.profiles import (
    Layout,
    as_dataset,
    join_maps,
    label_profiles,
    lay_out,
    map_profiles,
)
from xvcluster.profiles.memory import in_units
from xvcluster.profiles.scaling import ProfileScaling, Scaling
from xvcluster.record.check import check_result
from xvcluster.record.dataset import parameters_of, read_assigner, turn_levels
from xvcluster.record.method import method_of


def predict(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None = None
) -> xr.DataArray:
    """Label every profile of other data; see `ClusterResult.predict`."""
    layout, scaling, assigner = _open(result, data, dim)
    return label_profiles(layout, scaling, assigner).pipe(_describe_labels, result)


def predict_distances(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None = None
) -> tuple[xr.DataArray, xr.DataArray]:
    """The same, and the distances to all clusters, in one pass; see `ClusterResult.predict`."""
    layout, scaling, assigner = _open(result, data, dim)
    _require_distances(result, assigner)
    cluster = result["cluster"]

    def find(profiles: Floats) -> Float64s:
        apart = assigner.distances(profiles, cluster.size)
        return np.column_stack([assigner(profiles).labels + 1, apart])

    label, *found = map_profiles(layout, scaling, find, 1 + cluster.size)
    distance = _place(layout, in_units(join_maps(found, "cluster"), scaling), result)
    own = {n: v for n, v in result["distance"].attrs.items() if n == "units"}
    distance.attrs = {"long_name": "distance to each centroid", **own}
    labels = layout.grid.place(label).pipe(_describe_labels, result)
    return labels, distance.rename("distance")


def _place(layout: Layout, maps: xr.Variable, result: xr.Dataset) -> xr.DataArray:
    """Give a map of each cluster its coordinates."""
    cluster = {"cluster": result["cluster"].variable, **name_coordinate(result["label"], "cluster")}
    return layout.grid.place(maps).assign_coords(cluster)


def _describe_labels(label: xr.DataArray, result: xr.Dataset) -> xr.DataArray:
    """Labels with the name and the attributes of those of a result."""
    return label.rename("label").drop_attrs(deep=False).assign_attrs(result["label"].attrs)


def _require_distances(result: xr.Dataset, assigner: Assigner) -> None:
    """Refuse distances that labels do not follow from."""
    if isinstance(assigner, Mixture):
        raise ValueError(
            "distances=True does not apply to a Gaussian mixture, whose labels follow from "
            "probabilities; use result.predict_proba(data) for these"
        )
    if parameters_of(result)["metric"] == "softdtw":
        raise ValueError(
            "distances=True does not apply to metric='softdtw', whose values may be negative and "
            "are no distances; cluster the data with metric='dtw'"
        )


def predict_proba(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None = None
) -> xr.DataArray:
    """Find the probability of each cluster for every profile of other data; of a mixture only.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult that `gmm` made.
    data, dim
        As for `predict`.

    Returns
    -------
    DataArray
        ``posterior`` (cluster, horizontal), as in the result, lazy for dask arrays; NaN where there
        is no complete profile. If clusters have names, these are the coordinate ``cluster_name``.

    Raises
    ------
    ValueError
        As for `predict`, or if another method made the result.
    """
    layout, scaling, mixture = _open_mixture(result, data, dim)
    cluster = result["cluster"]

    def find(profiles: Floats) -> Float64s:
        probability = np.zeros((len(profiles), cluster.size))
        own = np.arange(cluster.size) if mixture.groups is None else mixture.groups
        probability[:, own] = mixture.posterior(profiles)
        return probability

    found = map_profiles(layout, scaling, find, cluster.size)
    posterior = _place(layout, join_maps(found, "cluster"), result)
    posterior.name = "posterior"
    posterior.attrs = dict(result["posterior"].attrs)
    return posterior


def score(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None = None
) -> float:
    """Find the mean log-likelihood of the profiles of other data; of a mixture only.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult that `gmm` made.
    data, dim
        As for `predict`.

    Returns
    -------
    float
        Of the principal components of the scaled profiles, each of which counts once: what
        ``score`` of scikit-learn and of pyXpcm is. Comparable between mixtures only if their
        components are the same.

    Raises
    ------
    ValueError
        As for `predict`, if another method made the result, or if no profile is complete.
    """
    return _log_likelihood(result, data, dim)[0]


def bic(result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None = None) -> float:
    """Find the Bayesian information criterion of other data, the lower the better.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult that `gmm` made.
    data, dim
        As for `predict`.

    Returns
    -------
    float
        −2 · n · `score` + p · ln n, of n profiles and the p parameters of the mixture.

    Raises
    ------
    ValueError
        As for `score`.
    """
    mean, n, mixture = _log_likelihood(result, data, dim)
    return float(-2.0 * n * mean + mixture.n_parameters * np.log(n))


def _log_likelihood(
    result: xr.Dataset, data: xr.DataArray | xr.Dataset, dim: Hashable | None
) -> tuple[float, int, Mixture]:
    """Mean log-likelihood of the profiles of other data, their number, and the mixture."""
    layout, scaling, mixture = _open_mixture(result, data, dim, in_order=True)
    found = map_profiles(layout, scaling, lambda p: mixture.log_likelihood(p)[:, None], 1)[0]
    values = layout.grid.flatten(found.astype(np.float64))  # each meridian once
    known = values[~np.isnan(values)]
    if not known.size:
        raise ValueError("no profile of the data is complete, so that they have no likelihood")
    return float(known.mean()), known.size, mixture


def _open(
    result: xr.Dataset,
    data: xr.DataArray | xr.Dataset,
    dim: Hashable | None,
    *,
    in_order: bool = False,
) -> tuple[Layout, Scaling | ProfileScaling, Assigner]:
    """Lay out other data on the levels of a result, and read what scales and assigns them."""
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
    layout = lay_out(dataset, dim, in_order=in_order)
    return layout, *read_assigner(turn_levels(result, layout.descending))


def _open_mixture(
    result: xr.Dataset,
    data: xr.DataArray | xr.Dataset,
    dim: Hashable | None,
    *,
    in_order: bool = False,
) -> tuple[Layout, Scaling | ProfileScaling, Mixture]:
    """The same of a mixture; any other result is refused."""
    if not isinstance(read_assigner(result)[1], Mixture):
        raise ValueError(
            f"the result was made by {method_of(result).name}, but only a Gaussian mixture has "
            "probabilities and a likelihood; cluster the data with gmm, or use predict"
        )
    layout, scaling, assigner = _open(result, data, dim, in_order=in_order)
    return layout, scaling, cast(Mixture, assigner)


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
    own = vertical_of(dataset, str(dim))
    here, there = numbers_of(own), numbers_of(levels)
    if here is None or there is None:
        return _to_same_levels(dataset, dim, own, levels)
    if has_times(own) or has_times(levels):
        _require_same_calendar(own, levels)
        sign = 1.0
    else:
        _require_same_units(str(dim), units(own), units(levels))
        sign = 1.0 if is_same_direction(own, levels) else -1.0
    target = sign * there
    if here.shape == target.shape and np.array_equal(here, target):
        return dataset
    held = _positions(here, target)
    if held is not None:
        return dataset.isel({dim: held})
    slack = 1e-6 * max(np.ptp(here), 1.0)
    if target.min() < here.min() - slack or target.max() > here.max() + slack:
        raise ValueError(
            f"the result has levels from {_ends(levels, sign)} {units(levels)}, but the data cover "
            f"only {_ends(own)} {units(own)}"
        )
    target = np.clip(target, here.min(), here.max())
    if own.dtype.kind not in "fiu":
        dataset = dataset.assign_coords({dim: (dim, here)})
    valid = {n: mask_invalid(a, by_chunk=True) for n, a in dataset.data_vars.items()}
    interpolated = xr.Dataset({n: interpolate(a, dim, target) for n, a in valid.items()})
    for name, array in interpolated.data_vars.items():
        array.encoding = dict(dataset[name].encoding)  # says how limits are packed
    return interpolated


def _ends(levels: xr.DataArray, sign: float = 1.0) -> str:
    """The smallest and the largest of some levels."""
    if levels.dtype.kind not in "fiu":
        return f"{levels.values.min()} to {levels.values.max()}"
    values = sign * levels.values.astype(np.float64)
    return f"{values.min():g} to {values.max():g}"


def _to_same_levels(
    dataset: xr.Dataset, dim: Hashable, own: xr.DataArray, levels: xr.DataArray
) -> xr.Dataset:
    """Select the levels of the result by their names; levels that are counted must be as many."""
    if own.name in own.coords and levels.name in levels.coords:
        names = own.values.tolist()
        if set(levels.values.tolist()) <= set(names) and len(set(names)) == len(names):
            return dataset.isel({dim: [names.index(n) for n in levels.values.tolist()]})
        raise ValueError(
            f"the result has the levels {_listed(levels)}, but the data have {_listed(own)}"
        )
    if (own.name in own.coords) != (levels.name in levels.coords):
        which, other = ("result", "data") if own.name in own.coords else ("data", "result")
        raise ValueError(
            f"the levels of the {which} are only counted, but those of the {other} have values; "
            "give both the same coordinate, or prepare both with prepare(depth=..., dz=..., "
            "levels=...)"
        )
    if own.size != levels.size:
        raise ValueError(
            f"the result has {levels.size} levels that are only counted, but the data have "
            f"{own.size}; give the same levels, or both a coordinate"
        )
    return dataset


def _listed(levels: xr.DataArray) -> str:
    """Some values of a coordinate."""
    shown = ", ".join(plain(v, 40) for v in levels.values[:12])
    return shown + (", ..." if levels.size > 12 else "")


def _require_same_calendar(own: xr.DataArray, levels: xr.DataArray) -> None:
    """Refuse times for levels that are none, and dates of different calendars."""
    calendars = [_calendar(own), _calendar(levels)]
    if calendars[0] != calendars[1]:
        said = [f"dates of the calendar {c!r}" if c else "no dates" for c in calendars]
        raise ValueError(
            f"the levels of the data are {said[0]}, those of the result {said[1]}; convert the "
            "data first, e.g. with data.convert_calendar"
        )


def _calendar(times: xr.DataArray) -> str:
    """The calendar of dates; empty for durations and numbers."""
    if not has_times(times) or times.dtype.kind == "m":
        return ""
    calendar = str(times.dt.calendar)
    # alike since 1582; files of either are read in the other
    return "standard" if calendar in ("gregorian", "proleptic_gregorian") else calendar


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
