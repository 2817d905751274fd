"""What the caller declares of 1-D models of the Earth, checked against what a result has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.export.earth import AK135, RADIUS, Column, ak135
from xvcluster.grid.coords import canonical_units, positive, units
from xvcluster.messages import plain, shown
from xvcluster.options import check_choice, check_number
from xvcluster.record.dataset import parameters_of

_LENGTHS = {"km": 1.0, "m": 1e-3}
SPEEDS = {"km s-1": 1.0, "m s-1": 1e-3}
DENSITIES = {"cm-3 g": 1.0, "kg m-3": 1e-3}
_NAMES = {
    "vp": r"(d|dln)?vp(v|h|_\w*)?",
    "vs": r"(d|dln)?vs(v|h|_\w*)?",
    "density": r"rho|density|dens",
}
"""What variables of a result are called, whatever the case."""

_OPTIONS = {
    "vp_vs": ("both velocities", "a ratio such as 1.73, 'brocher2005' for the crust, or 'ak135'"),
    "density": ("a density", "a number in g/cm3, 'brocher2005', 'gardner1974', or 'ak135'"),
    "reference": (
        "absolute velocities",
        "the model that this is a perturbation of: 'ak135' or a Dataset",
    ),
    "above": ("levels up to the surface", ""),
    "below": ("levels down to the centre of the Earth", ""),
}
"""Options that declare what a result lacks: what makes each needless, and what it may be."""

_WAVES = {"vp": "P", "vs": "S"}
LEAST_RATIO = (4 / 3) ** 0.5
"""Of Vp to Vs: below it, the bulk modulus would be negative."""

_ANY_DENSITY = 0.5, 25.0
"""Bounds in g/cm³, which numbers in kg/m³ are not within."""

_HIGHEST = -12.0
"""Kilometres of depth, above which no level of a model of the Earth lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """What the caller says of a model: which variables it has, and what takes the place of others.

    The attributes are the options of `to_nd`, checked against a result.
    """

    vp: str | None
    vs: str | None
    density_of: str | None
    vp_vs: float | str | None
    density: float | str | None
    above: str | None
    below: str | None
    reference: Column | None
    reference_name: str


def declare(
    result: xr.Dataset,
    ends: Mapping[str, Sequence[str]],
    *,
    vp: str | None,
    vs: str | None,
    vp_vs: float | str | None,
    density: float | str | None,
    above: str | None,
    below: str | None,
    reference: str | xr.Dataset | None,
) -> Declared:
    """Check what the caller says against what a result has, and refuse what is missing."""
    names = parameters_of(result)["variables"]
    found = {wave: _find(names, wave, name) for wave, name in (("vp", vp), ("vs", vs))}
    if not any(found.values()):
        raise ValueError(
            f"the result has no velocity that is known by its name: {plain(', '.join(names))}; "
            "name the variable, with vs= or vp="
        )
    rho = _find(names, "density", None)
    if rho is not None and canonical_units(units(result[rho])) not in DENSITIES:
        raise ValueError(
            f"{plain(rho)!r} has the units {units(result[rho])!r}, but a density is in g/cm3 or "
            "kg/m3; set the attribute units before clustering"
        )
    first, last = read_depths(result, parameters_of(result)["vertical"])[0][[0, -1]]
    relative = [n for n in filter(None, found.values()) if is_relative(result[n])]
    lacks = {
        "vp_vs": next((f"no {_WAVES[w]} velocity" for w, n in found.items() if n is None), ""),
        "density": "" if rho else "no density",
        "reference": f"{plain(', '.join(relative))} in %" if relative else "",
        "above": f"no level above {first:g} km" if first > 0 else "",
        "below": f"no level below {last:g} km" if last < RADIUS else "",
    }
    given = {"vp_vs": vp_vs, "density": density, "reference": reference}
    _refuse_missing(lacks, given | {"above": above, "below": below}, ends)
    check_choice("above", above, ends["above"], or_none=True)
    check_choice("below", below, ends["below"], or_none=True)
    return Declared(
        vp=found["vp"],
        vs=found["vs"],
        density_of=rho,
        vp_vs=_check_relation("vp_vs", vp_vs, ("brocher2005", "ak135"), (LEAST_RATIO, np.inf)),
        density=_check_relation(
            "density", density, ("brocher2005", "gardner1974", "ak135"), _ANY_DENSITY
        ),
        above=above,
        below=below,
        reference=None if reference is None else _read_reference(reference, found, first, last),
        reference_name=AK135 if isinstance(reference, str) else "the reference that was given",
    )


def _refuse_missing(
    lacks: Mapping[str, str], given: Mapping[str, Any], ends: Mapping[str, Sequence[str]]
) -> None:
    """Refuse what the result lacks and no option declares, and options without effect."""
    missing = []
    for option, (has, allowed) in _OPTIONS.items():
        value = given[option]
        if not lacks[option] and value is not None:
            raise ValueError(
                f"{option}={shown(value)} has no effect, as the result has {has}; leave it out"
            )
        if lacks[option] and value is None:
            words = allowed or " or ".join(map(repr, ends[option]))
            missing.append(f"{lacks[option]}: give {option}=, {words}")
    if missing:
        raise ValueError(
            "the result does not hold all that a model of the Earth needs, and nothing is filled "
            f"in unasked; it has {'; '.join(missing)}"
        )


def _check_relation(
    name: str, value: float | str | None, words: Iterable[str], bounds: tuple[float, float]
) -> float | str | None:
    """Return a number within bounds, or one of some words."""
    if value is None or isinstance(value, str):
        chosen: str | None = check_choice(name, value, words, or_none=True)
        return chosen
    return check_number(name, value, above=bounds[0], most=bounds[1])


def _find(names: Sequence[str], wave: str, given: str | None) -> str | None:
    """Find the variable of a velocity or of the density, by its name."""
    if given is not None:
        return str(check_choice(wave, given, names))
    found = [n for n in names if re.fullmatch(_NAMES[wave], n.lower())]
    if len(found) > 1:
        raise ValueError(
            f"{plain(' and '.join(found))} may both be {wave}; choose one, e.g. {wave}={found[0]!r}"
        )
    return found[0] if found else None


def is_relative(array: xr.DataArray) -> bool:
    """Whether a velocity is a perturbation in percent; refuse other units than of a velocity."""
    unit = canonical_units(units(array))
    if unit == "%":
        return True
    if unit not in SPEEDS:
        raise ValueError(
            f"{plain(array.name)!r} has the units {units(array)!r}, but a velocity is in km/s or "
            "m/s, and a perturbation in %; set the attribute units before clustering, e.g. "
            f"data[{plain(array.name)!r}].attrs['units'] = 'km/s'"
        )
    return False


def read_depths(data: xr.Dataset, dim: str | None) -> tuple[Float64s, Any]:
    """Depths of the levels in km, ascending, and where they are along the dimension.

    Raises
    ------
    ValueError
        If they are no depths or heights in km or m.
    """
    if dim is None:
        raise ValueError("the result has no levels, so that there is no model by depth")
    vertical = data[dim]
    factor = _LENGTHS.get(canonical_units(units(vertical)))
    if factor is None or vertical.dtype.kind not in "fiu":
        raise ValueError(
            f"the levels {plain(dim)!r} have the units {units(vertical)!r}, but a model of the "
            f"Earth needs depths in km or m; set them, e.g. data[{plain(dim)!r}].attrs['units'] = "
            "'km', before clustering"
        )
    depth = factor * vertical.values.astype(np.float64)
    depth = depth if positive(vertical) == "down" else -depth
    if depth.min() < _HIGHEST or depth.max() > RADIUS + 1:
        raise ValueError(
            f"the levels {plain(dim)!r} reach from {depth.min():g} to {depth.max():g} km of depth; "
            "if they are radii, turn them into depths before clustering, e.g. "
            "data.assign_coords(depth=6371 - data['radius'])"
        )
    # of two equal depths, the first is above the other, whichever way the levels run
    order = np.arange(depth.size)[:: 1 if depth[0] <= depth[-1] else -1]
    order = order[np.argsort(depth[order], kind="stable")]
    return depth[order], order


def _read_reference(
    reference: Any, found: Mapping[str, str | None], first: float, last: float
) -> Column:
    """The model that perturbations at depths from the first to the last refer to."""
    if isinstance(reference, str):
        check_choice("reference", reference, ("ak135",))
        return ak135()
    if not isinstance(reference, xr.Dataset) or len(reference.dims) != 1:
        raise TypeError(
            "reference must be 'ak135', or a Dataset with vs or vp (km/s) along depth alone; got "
            f"{shown(reference)}"
        )
    depth, order = read_depths(reference, str(next(iter(reference.dims))))
    if depth[0] > max(first, 0.0) or depth[-1] < last:
        raise ValueError(
            f"the reference covers {depth[0]:g} to {depth[-1]:g} km of depth, but perturbations "
            f"lie at {first:g} to {last:g} km; give one that covers these"
        )
    own = {}
    for wave, name in found.items():
        own[wave] = np.full(depth.size, np.nan)
        if name is None:
            continue
        if wave not in reference or is_relative(reference[wave]):
            raise ValueError(f"the reference has no {wave!r} in km/s, to which {name!r} refers")
        factor = SPEEDS[canonical_units(units(reference[wave]))]
        own[wave] = factor * reference[wave].values.astype(np.float64)[order]
    return Column(depth, own["vp"], own["vs"], np.full(depth.size, np.nan))
