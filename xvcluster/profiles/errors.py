"""What the values of a model might as well have been: perturbed by their errors, or an ensemble."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.algorithms.leeway import find_leeway, spread_within
from xvcluster.arrays import Float64s, Floats, Labels
from xvcluster.grid.coords import canonical_units, units
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import describe, take_model, unwrap
from xvcluster.messages import plain, shown, warn
from xvcluster.options import check_number, is_number
from xvcluster.profiles.layout import Layout, as_dataset
from xvcluster.profiles.memory import Profiles, flatten_levels, stack

Sigma: TypeAlias = "float | xr.DataArray"
"""Standard deviations of the errors of one variable."""

Noise: TypeAlias = "Sigma | Mapping[str, Sigma] | xr.Dataset | Sequence[xr.DataArray | xr.Dataset]"
"""Errors of the data as users give them; see `ClusterResult.stability`."""

_LARGEST = 1e30
_LARGE = 1.1
"""Beyond what chance and the fit of the centroids to the errors explain."""

_ALLOWED = (
    "noise must be the standard deviation of the data's errors, as a number or a DataArray, one of "
    "these for each variable in a dict or a Dataset, or a list of the models of an ensemble"
)


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """The errors of a model's values.

    Attributes
    ----------
    profiles : Profiles
        The complete profiles of the model, in the units of the data.
    spread : ndarray, broadcast to the shape of their values, or None
        Standard deviations of errors that are normal and independent of each other.
    members : tuple of Dataset
        Otherwise, models of an ensemble.
    said : str
        The errors in words.
    """

    profiles: Profiles
    spread: Floats | None
    members: tuple[xr.Dataset, ...]
    said: str

    def count(self, n: int) -> int:
        """How many versions of the data there are if `n` are asked for."""
        return len(self.members) or n

    def versions(self, n: int, seed: np.random.SeedSequence, labels: Labels) -> Iterator[Floats]:
        """What all profiles might have been, each time of the shape of their values.

        Parameters
        ----------
        n : int
            How many, unless these are the models of an ensemble.
        seed : SeedSequence
        labels : ndarray of int, shape (n_profiles,)
            The cluster of each profile.
        """
        if self.spread is not None:
            yield from self._perturbed(n, seed, labels, self.spread)
        for number, member in enumerate(self.members, start=1):
            yield _profiles_of(member, self.profiles, number)

    def _perturbed(
        self, n: int, seed: np.random.SeedSequence, labels: Labels, spread: Floats
    ) -> Iterator[Floats]:
        """The profiles with what errors of this spread leave open; see `find_leeway`."""
        values = self.profiles.values
        sigma = np.sqrt(np.mean(spread.astype(np.float64) ** 2, axis=0))
        sigma = np.broadcast_to(sigma, values.shape[1:]).ravel()
        within = spread_within(self.profiles.block, labels, sigma)
        _warn_of_large(within, sigma)
        leeway = find_leeway(within).astype(values.dtype)
        for child in seed.spawn(n):
            drawn = np.random.default_rng(child).standard_normal(
                (len(values), sigma.size), np.float32
            )
            yield values + spread * (drawn @ leeway).reshape(values.shape)


def _warn_of_large(within: Float64s, sigma: Float64s) -> None:
    """Warn if errors would make profiles of a cluster differ more than they do."""
    erring = sigma > 0
    differing = float(np.trace(within[np.ix_(erring, erring)]))
    if np.count_nonzero(erring) > _LARGE**2 * differing:
        part = np.sqrt(differing / np.count_nonzero(erring))
        warn(
            "noise says that errors are larger than the differences between profiles of one "
            f"cluster, which are {part:.2g} times as large and include the errors. So "
            "errors are smaller, or alike at neighbouring levels, and stability_noise is no "
            "probability: give a smaller noise, or "
            "the models of an ensemble",
        )


def read_errors(layout: Layout, noise: Noise) -> Errors:
    """Read what a user says of the errors of a model's values, and check all of it.

    Raises
    ------
    TypeError
        If it is none of what `Noise` names.
    ValueError
        If it does not fit the model: other variables, units or points, or values that are missing,
        infinite or negative where the model has complete profiles.
    """
    noise = unwrap(noise, "noise")
    if isinstance(noise, list | tuple):
        members = _members(noise, layout)
        profiles = stack(layout)
        for number, member in enumerate(members, start=1):
            _profiles_of(member, profiles, number)
        return Errors(profiles, None, members, f"the {len(members)} models of an ensemble")
    sigmas = _by_variable(noise, layout)
    checked = {name: _check_sigma(sigma, name, layout) for name, sigma in sigmas.items()}
    profiles = stack(layout)
    spread = [_spread(sigma, name, profiles) for name, sigma in checked.items()]
    shape = np.broadcast_shapes(*(s.shape for s in spread))
    joined = np.stack([np.broadcast_to(s, shape) for s in spread], axis=-1)
    if not joined.any():
        raise ValueError("noise is 0 everywhere, so that there is nothing to perturb; leave it out")
    said = "independent normal errors of " + ", ".join(
        _in_words(sigma, name, layout) for name, sigma in checked.items()
    )
    return Errors(profiles, joined.astype(layout.dtype), (), said)


def _by_variable(noise: Any, layout: Layout) -> dict[str, Any]:
    """The standard deviations of each variable, in the order of the variables."""
    names = list(layout.variables)
    listed = ", ".join(repr(plain(n)) for n in names)
    if not isinstance(noise, Mapping):
        if not is_number(noise) and not isinstance(noise, xr.DataArray):
            raise TypeError(f"{_ALLOWED}; got {describe(noise, 'xarray.open_dataarray')}")
        if len(names) > 1:
            example = f"noise={{{', '.join(f'{plain(n)!r}: ...' for n in names)}}}"
            raise ValueError(
                f"noise is one {type(noise).__name__}, but there are {len(names)} variables, "
                f"{listed}; give one for each, {example}"
            )
        return {names[0]: noise}
    given = noise.data_vars if isinstance(noise, xr.Dataset) else noise
    found = {str(name): sigma for name, sigma in given.items()}
    if set(found) != set(names):
        raise ValueError(
            f"noise is given for {', '.join(repr(plain(n)) for n in found) or 'no variable'}, but "
            f"the clustered variables are {listed}; give it for each of them and no other"
        )
    return {name: found[name] for name in names}


def _check_sigma(sigma: Any, name: str, layout: Layout) -> float | xr.DataArray:
    """Return a number, or an array on some of the model's dimensions, at its points."""
    what = f"noise of {plain(name)!r}"
    if not isinstance(sigma, xr.DataArray):
        return check_number(what, sigma, above=0.0, most=_LARGEST, or_equal=True)
    if sigma.dtype.kind not in "fiu":
        raise TypeError(f"{what} is not numeric (dtype {sigma.dtype}); give standard deviations")
    return mask_invalid(_at_points(sigma, name, layout, what).compute())


def _spread(sigma: float | xr.DataArray, name: str, profiles: Profiles) -> Floats:
    """Standard deviations (n_profiles, n_levels), or one number, (1, 1)."""
    if not isinstance(sigma, xr.DataArray):
        return np.full((1, 1), sigma)
    sizes = dict(profiles.dataset.sizes)
    on_all = xr.DataArray(sigma.variable.set_dims(sizes))  # type: ignore[no-untyped-call]
    spread: Floats = flatten_levels(profiles, on_all)[:, profiles.points].T
    for kind, is_bad in (
        ("missing or infinite", ~np.isfinite(spread)),
        ("negative", spread < 0),
    ):
        if is_bad.any():
            raise ValueError(
                f"noise of {plain(name)!r} is {kind} at {is_bad.sum():,} of {spread.size:,} values "
                "of complete profiles; give a standard deviation, 0 or more, wherever there are "
                "data"
            )
    return spread


def _in_words(sigma: float | xr.DataArray, name: str, layout: Layout) -> str:
    """The standard deviation of a variable's errors."""
    unit = units(layout.dataset[name])
    own = f"{sigma:g}" if not isinstance(sigma, xr.DataArray) else f"{float(sigma.mean()):.3g}"
    text = f"{own} {unit}".strip() + (" on average" if isinstance(sigma, xr.DataArray) else "")
    return text if len(layout.variables) == 1 else f"{text} in {plain(name)}"


def _members(noise: Sequence[Any], layout: Layout) -> tuple[xr.Dataset, ...]:
    """The models of an ensemble on the points of the own one, each with its variables."""
    if len(noise) < 2:
        raise ValueError(f"an ensemble has at least 2 models; noise is a list of {len(noise)}")
    if not isinstance(noise[0], xr.DataArray | xr.Dataset | xr.DataTree):
        raise TypeError(f"{_ALLOWED}; got {shown(noise)}")
    return tuple(_member(given, layout, number) for number, given in enumerate(noise, start=1))


def _member(given: Any, layout: Layout, number: int) -> xr.Dataset:
    """One model of an ensemble, with the own variables at the own points."""
    member, names = as_dataset(take_model(given)), list(layout.variables)
    if len(names) == 1 and len(member.data_vars) == 1:
        member = member.rename({next(iter(member.data_vars)): names[0]})
    missing = [name for name in names if name not in member.data_vars]
    if missing:
        raise ValueError(
            f"model {number} of the ensemble lacks {', '.join(repr(plain(n)) for n in missing)}; "
            f"it has {', '.join(repr(plain(n)) for n in member.data_vars)}"
        )
    what = f"model {number} of the ensemble"
    arrays = {}
    for name in names:
        array = _at_points(member[name], name, layout, what)
        if set(array.dims) != set(layout.dataset.dims):
            raise ValueError(
                f"{what} lies on {tuple(array.dims)}, but the data on "
                f"{tuple(layout.dataset.dims)}; give the same model as was clustered"
            )
        arrays[name] = array.variable
    return xr.Dataset(arrays, layout.dataset.coords)


def _profiles_of(member: xr.Dataset, own: Profiles, number: int) -> Floats:
    """The values of a model of the ensemble at the own complete profiles."""
    shared = {f.name: getattr(own, f.name) for f in fields(Layout)}
    try:
        found = stack(Layout(**shared | {"dataset": member}))
    except ValueError as error:
        raise ValueError(f"model {number} of the ensemble: {error}") from error
    lacking = np.setdiff1d(own.points, found.points).size
    if lacking:
        raise ValueError(
            f"model {number} of the ensemble has no complete profile at {lacking:,} of "
            f"{own.points.size:,} points where the data have one; fill it or cluster only what all "
            "models have"
        )
    values: Floats = found.values[np.searchsorted(found.points, own.points)]
    return values


def _at_points(array: xr.DataArray, name: str, layout: Layout, what: str) -> xr.DataArray:
    """Return an array at the points and levels of the model; other ones, or units, are an error."""
    dataset = layout.dataset
    own, other = units(dataset[name]), units(array)
    if own and other and canonical_units(own) != canonical_units(other):
        raise ValueError(
            f"{what} is in {plain(other, 40)!r}, but {plain(name)!r} in {plain(own, 40)!r}; "
            "convert it and set its units attribute"
        )
    spare = [d for d in array.dims if d not in dataset.dims]
    if spare:
        raise ValueError(
            f"{what} has the dimension {plain(spare[0])!r}, which the data lack: they lie on "
            f"{tuple(dataset.dims)}. An ensemble is given as a list, e.g. "
            f"noise=list(models.transpose({plain(spare[0])!r}, ...))"
        )
    for dim in array.dims:
        array = array.isel({dim: _positions(array, dataset, dim, what)})
    for place in (layout.axes.latitude, layout.axes.longitude):
        if place in array.coords and place not in array.dims:
            _require_same_place(array[place], dataset[place], what)
    return array


def _positions(array: xr.DataArray, dataset: xr.Dataset, dim: Hashable, what: str) -> Any:
    """Where an array has the points of the data along a dimension, in their order."""
    if dim in array.indexes and dim in dataset.indexes:
        known, wanted = array.indexes[dim], dataset.indexes[dim]
        if known.equals(wanted) or _is_close(known, wanted):
            return slice(None)
        if known.is_unique and wanted.isin(known).all():
            return known.get_indexer(wanted)
        raise ValueError(
            f"{what} is on other points than the data: its {plain(dim)!r} does not contain all "
            "values of theirs; bring it to the grid and the levels of the data, e.g. with "
            ".interp_like(data)"
        )
    if array.sizes[dim] != dataset.sizes[dim]:
        raise ValueError(
            f"{what} has {array.sizes[dim]} entries along {plain(dim)!r}, but the data "
            f"{dataset.sizes[dim]}; give one for each"
        )
    return slice(None)


def _is_close(known: pd.Index, wanted: pd.Index) -> bool:
    """Whether two coordinates are the same but for the rounding of float32."""
    if known.size != wanted.size or known.dtype.kind not in "fiu" or wanted.dtype.kind not in "fiu":
        return False
    return bool(np.allclose(known, wanted, rtol=1e-6, atol=1e-6))


def _require_same_place(own: xr.DataArray, other: xr.DataArray, what: str) -> None:
    same = set(own.dims) == set(other.dims)
    if not same or not np.allclose(own.transpose(*other.dims), other, atol=1e-5, equal_nan=True):
        raise ValueError(
            f"{what} is on other points than the data: the values of {plain(own.name)!r} differ"
        )
