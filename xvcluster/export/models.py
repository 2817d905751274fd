"""The centroid of a cluster as a 1-D model of the Earth, completed by what the caller declares."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.export.earth import (
    AK135,
    MOHO,
    RADIUS,
    Column,
    ak135,
    brocher_density,
    brocher_vp,
    brocher_vs,
    gardner_density,
    merge_depths,
    sample,
)
from xvcluster.grid.coords import canonical_units, positive, units
from xvcluster.grid.labels import choose_clusters
from xvcluster.messages import plain, shown
from xvcluster.options import check_choice, check_number, check_path
from xvcluster.plot.style import plain_names
from xvcluster.record.check import check_result
from xvcluster.record.dataset import parameters_of
from xvcluster.record.replace import check_target
from xvcluster.record.replace import replace as replace_file

_LENGTHS = {"km": 1.0, "m": 1e-3}
_SPEEDS = {"km s-1": 1.0, "m s-1": 1e-3}
_DENSITIES = {"cm-3 g": 1.0, "kg m-3": 1e-3}
_NAMES = {
    "vp": r"(d|dln)?vp(v|h|_\w*)?",
    "vs": r"(d|dln)?vs(v|h|_\w*)?",
    "density": r"rho|density|dens",
}
"""What variables of a result are called, whatever the case."""

_RATIOS = "a ratio such as 1.73, 'brocher2005' for the crust, or 'ak135'"
_DENSE = "a number in g/cm3, 'brocher2005', 'gardner1974', or 'ak135'"
"""What may be given instead."""

_WAVES = {"vp": "P", "vs": "S"}
_LEAST_RATIO = (4 / 3) ** 0.5
"""Of Vp to Vs: below it, the bulk modulus would be negative."""

_ANY_DENSITY = 0.5, 25.0
"""Bounds in g/cm³, which numbers in kg/m³ are not within."""

_HIGHEST = -12.0
"""Kilometres of depth, above which no level of a model of the Earth lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A 1-D model, and what is to be said of it.

    Attributes
    ----------
    title : str
    notes : list of str
        Where each part of it comes from.
    column : Column
    top, bottom : float
        Depth of the first and the last level of the result in km.
    has_moho : bool
        Whether the Moho of ak135 is in it.
    """

    title: str
    notes: list[str]
    column: Column
    top: float
    bottom: float
    has_moho: bool


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


def write_models(
    result: xr.Dataset,
    path: str | os.PathLike[str],
    clusters: Any,
    endings: Sequence[str],
    compose: Callable[[Path, Model], str],
    ends: Mapping[str, Sequence[str]],
    **options: Any,
) -> list[Path]:
    """Write the models of some clusters, each to a file of its own.

    Parameters
    ----------
    result : Dataset
    path : path-like
        Must contain ``{cluster}`` if there are several.
    clusters
        Numbers or names; None for all that have members.
    endings : sequence of str
        How the name may end.
    compose : callable
        Makes the text of a file from its path and a model.
    ends : mapping of str to sequence of str
        What the options `above` and `below` may be.
    **options
        As for `declare`.
    """
    check_result(result, maps=False)
    path = check_path("path", path)
    if path.suffix.lower() not in endings:
        raise ValueError(
            f"the name of the file must end in {' or '.join(endings)}; got {str(path)!r}"
        )
    check_target(path)
    numbers = _choose(result, clusters)
    if len(numbers) > 1 and "{cluster}" not in path.name:
        raise ValueError(
            f"{len(numbers)} clusters need a file each; write {{cluster}} where its number is to "
            f"be, e.g. {path.stem + '_{cluster}' + path.suffix!r}, or choose one, e.g. "
            f"clusters={numbers[0]}"
        )
    declared = declare(result, ends, **options)
    models = [_complete(result, number, declared) for number in numbers]
    paths = [path.with_name(path.name.replace("{cluster}", str(n))) for n in numbers]
    texts = [compose(path, model) for path, model in zip(paths, models, strict=True)]
    for each, text in zip(paths, texts, strict=True):
        with replace_file(each) as temporary:
            temporary.write_bytes(_to_ascii(text))
    return paths


def _to_ascii(text: str) -> bytes:
    """Text without accents, and ? for letters that readers of these formats may not know."""
    parts = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in parts if not unicodedata.combining(c))
    return bare.encode("ascii", "replace")


def _choose(result: xr.Dataset, clusters: Any) -> list[int]:
    """Numbers of the chosen clusters; of all, those that have a centroid."""
    name = parameters_of(result)["variables"][0]
    dims = [d for d in result[name].dims if d != "cluster"]
    known = result["cluster"].values[result[name].notnull().all(dims).values].tolist()
    if clusters is None:
        return list(map(int, known))
    chosen = choose_clusters(result["label"], clusters, result["cluster"].values.tolist())
    empty = [n for n in chosen if n not in known]
    if empty:
        raise ValueError(f"cluster {empty[0]} is empty and has no profile; choose others")
    return list(dict.fromkeys(chosen))


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
    if rho is not None and canonical_units(units(result[rho])) not in _DENSITIES:
        raise ValueError(
            f"{plain(rho)!r} has the units {units(result[rho])!r}, but a density is in g/cm3 or "
            "kg/m3; set the attribute units before clustering"
        )
    relative = ", ".join(n for n in filter(None, found.values()) if _is_relative(result[n]))
    first, last = read_depths(result, parameters_of(result)["vertical"])[0][[0, -1]]
    lacks = next((f"no {_WAVES[w]} velocity" for w, n in found.items() if n is None), "")
    missing = [
        _find_missing("vp_vs", vp_vs, lacks, "both velocities", _RATIOS),
        _find_missing("density", density, "" if rho else "no density", "a density", _DENSE),
        _find_missing(
            "reference", reference, f"{plain(relative)} in %" if relative else "",
            "absolute velocities", "the model that this is a perturbation of: 'ak135' or a Dataset",
        ),
        _find_missing(
            "above", above, f"no level above {first:g} km" if first > 0 else "",
            "levels up to the surface", _either(ends["above"]),
        ),
        _find_missing(
            "below", below, f"no level below {last:g} km" if last < RADIUS else "",
            "levels down to the centre of the Earth", _either(ends["below"]),
        ),
    ]  # fmt: skip
    if any(missing):
        raise ValueError(
            "the result does not hold all that a model of the Earth needs, and nothing is filled "
            f"in unasked; it has {'; '.join(filter(None, missing))}"
        )
    check_choice("above", above, ends["above"], or_none=True)
    check_choice("below", below, ends["below"], or_none=True)
    return Declared(
        vp=found["vp"],
        vs=found["vs"],
        density_of=rho,
        vp_vs=_check_relation("vp_vs", vp_vs, ("brocher2005", "ak135"), (_LEAST_RATIO, np.inf)),
        density=_check_relation(
            "density", density, ("brocher2005", "gardner1974", "ak135"), _ANY_DENSITY
        ),
        above=above,
        below=below,
        reference=None if reference is None else _read_reference(reference, found, first, last),
        reference_name=AK135 if isinstance(reference, str) else "the reference that was given",
    )


def _find_missing(option: str, value: Any, lacks: str, has: str, allowed: str) -> str:
    """Say what is missing, and the option that says what to use; refuse one without effect."""
    if not lacks and value is not None:
        raise ValueError(
            f"{option}={shown(value)} has no effect, as the result has {has}; leave it out"
        )
    return f"{lacks}: give {option}=, {allowed}" if lacks and value is None else ""


def _either(words: Sequence[str]) -> str:
    return " or ".join(map(repr, words))


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


def _is_relative(array: xr.DataArray) -> bool:
    """Whether a velocity is a perturbation in percent; refuse other units than of a velocity."""
    unit = canonical_units(units(array))
    if unit == "%":
        return True
    if unit not in _SPEEDS:
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
        if wave not in reference or _is_relative(reference[wave]):
            raise ValueError(f"the reference has no {wave!r} in km/s, to which {name!r} refers")
        factor = _SPEEDS[canonical_units(units(reference[wave]))]
        own[wave] = factor * reference[wave].values.astype(np.float64)[order]
    return Column(depth, own["vp"], own["vs"], np.full(depth.size, np.nan))


def _complete(result: xr.Dataset, number: int, declared: Declared) -> Model:
    """The model of one cluster."""
    column, notes = _own_part(result, number, declared)
    top, bottom = column.depth[[0, -1]].tolist()
    parts, standard = [column], ak135()
    has_moho = declared.above == "ak135" and top > MOHO
    has_moho |= declared.below == "ak135" and bottom < MOHO
    if declared.above is not None:
        notes.append(f"above {top:g} km: {_say_end(declared.above, 'first')}")
        upper = standard[standard.depth < top].join(standard.at(column.depth[:1]))
        if declared.above == "constant":
            upper = replace(column[:1], depth=np.zeros(1))
        parts.insert(0, upper)
    if declared.below is not None:
        notes.append(f"below {bottom:g} km: {_say_end(declared.below, 'last')}")
        if declared.below == "ak135":
            parts.append(standard.at(np.array([bottom, bottom]))[1:])
            parts.append(standard[standard.depth > bottom])
    name = plain_names(result["label"])[number]
    title = plain(f"{name} (cluster {number} of {result.sizes['cluster']})")
    notes = [_say_source(result), *notes]
    return Model(title, notes, parts[0].join(*parts[1:]), top, bottom, has_moho)


def _say_source(result: xr.Dataset) -> str:
    """Say of what model, and by what, the clusters are."""
    carried = [plain(result.attrs[n], 60) for n in ("title", "id", "model") if n in result.attrs]
    source = f" of {carried[0]}" if carried else ""
    by = f"{result.attrs['method']}, xvcluster {metadata.version('xvcluster')}"
    return plain(f"centroid{source} by {by}")


def _say_end(declared: str, which: str) -> str:
    return AK135 if declared == "ak135" else f"constant, as at the {which} level"


def _own_part(result: xr.Dataset, number: int, declared: Declared) -> tuple[Column, list[str]]:
    """Velocities and density where the result has levels, and what to say of them."""
    depths, order = read_depths(result, parameters_of(result)["vertical"])
    depth, notes = _below_sea_level(depths)
    if declared.reference is not None:
        depth = merge_depths(depth, declared.reference.depth)

    def read(name: str) -> Float64s:
        own = result[name].sel(cluster=number).values.astype(np.float64)[order]
        own = own if np.array_equal(depth, depths) else sample(depth, depths, own)
        unit = canonical_units(units(result[name]))
        return own * (_SPEEDS | _DENSITIES).get(unit, 1.0)

    speeds: dict[str, Float64s] = {}
    for wave, name in (("vp", declared.vp), ("vs", declared.vs)):
        if name is None:
            continue
        speeds[wave] = read(name)
        notes.append(f"{wave.capitalize()}: {plain(name)}")
        if declared.reference is not None and _is_relative(result[name]):
            base = getattr(declared.reference.at(depth), wave)
            speeds[wave] = base * (1.0 + speeds[wave] / 100.0)
            notes[-1] += f", in % of {declared.reference_name}"
    at = f"of cluster {number}"
    if declared.vp_vs is not None:
        notes.append(_add_speed(speeds, depth, declared.vp_vs, at))
    if declared.density is None:
        name = str(declared.density_of)
        density, said = read(name), plain(name)
    else:
        density, said = _find_density(speeds["vp"], depth, declared.density, at)
    column = Column(depth, speeds["vp"], speeds["vs"], density)
    _require_physical(column, at)
    return column, [*notes, f"density: {said}"]


def _below_sea_level(depths: Float64s) -> tuple[Float64s, list[str]]:
    """Depths without those above sea level, and what to say of these."""
    below = depths[depths >= 0]
    if depths[0] < 0 < depths[-1] and below[0] > 0:
        below = np.append(0.0, below)
    if np.unique(below).size < 2:
        raise ValueError("the result has fewer than two levels below sea level; a model needs some")
    notes = [f"levels above sea level, up to {-depths[0]:g} km, are left out"]
    return below, notes if depths[0] < 0 else []


def _add_speed(speeds: dict[str, Float64s], depth: Float64s, relation: float | str, at: str) -> str:
    """Find the velocity that is missing from the other one, and say how."""
    has, lacks = ("vs", "vp") if "vs" in speeds else ("vp", "vs")
    own, what = speeds[has], f"{lacks.capitalize()}: from {has.capitalize()}"
    if relation == "brocher2005":
        low, high, find = (0.0, 4.5, brocher_vp) if has == "vs" else (1.5, 8.0, brocher_vs)
        advice = "use vp_vs='ak135', or a ratio"
        _require_range(own, depth, (low, high), has, f"vp_vs='brocher2005' holds {at}", advice)
        speeds[lacks] = find(own)
        return f"{what}, Brocher (2005), eq. {9 if has == 'vs' else 6}"
    if relation == "ak135":
        standard = ak135().at(depth)
        parts = (standard.vp, standard.vs) if has == "vs" else (standard.vs, standard.vp)
        with np.errstate(divide="ignore", invalid="ignore"):
            speeds[lacks] = own * (parts[0] / parts[1])
        return f"{what}, Vp/Vs of {AK135}"
    ratio = float(relation)
    speeds[lacks] = own * ratio if has == "vs" else own / ratio
    return f"{what}, Vp/Vs = {ratio:g}"


def _find_density(
    vp: Float64s, depth: Float64s, relation: float | str, at: str
) -> tuple[Float64s, str]:
    """Density where the result has none, and how it was found."""
    if relation == "ak135":
        return ak135().at(depth).density, AK135
    if relation == "brocher2005":
        advice = "use density='ak135', or a number in g/cm3"
        _require_range(vp, depth, (1.5, 8.5), "vp", f"density='brocher2005' holds {at}", advice)
        return brocher_density(vp), "from Vp, Brocher (2005), eq. 1"
    if relation == "gardner1974":
        advice = "use density='brocher2005', 'ak135', or a number in g/cm3"
        _require_range(vp, depth, (1.5, 6.1), "vp", f"density='gardner1974' holds {at}", advice)
        return gardner_density(vp), "from Vp, Gardner et al. (1974)"
    return np.full(vp.size, float(relation)), f"{float(relation):g} g/cm3"


def _require_range(
    values: Float64s,
    depth: Float64s,
    bounds: tuple[float, float],
    wave: str,
    what: str,
    advice: str,
) -> None:
    """Refuse a relation outside the velocities from which it was found."""
    low, high = bounds
    beyond = np.flatnonzero(~((values >= low) & (values <= high)))
    if beyond.size:
        i = beyond[0]
        raise ValueError(
            f"{what} for {wave.capitalize()} of {low:g} to {high:g} km/s only, but that is "
            f"{values[i]:.3g} km/s at {depth[i]:g} km; {advice}"
        )


def _require_physical(column: Column, at: str) -> None:
    """Refuse a model without positive Vp, bulk modulus and density."""
    vp, vs, density = column.vp, column.vs, column.density
    good = (
        (vp > 0) & (vs >= 0) & (_LEAST_RATIO * vs < vp) & (density > 0) & np.isfinite(vp * density)
    )
    if good.all():
        return
    i = np.flatnonzero(~good)[0]
    raise ValueError(
        f"the model {at} would have Vp = {vp[i]:.4g} km/s, Vs = {vs[i]:.4g} km/s and a density of "
        f"{density[i]:.4g} g/cm3 at {column.depth[i]:g} km, but 0 <= Vs < Vp / {_LEAST_RATIO:.4g} "
        "and density > 0 must hold; correct the units of the data, or choose other values of vp_vs "
        "and density"
    )
