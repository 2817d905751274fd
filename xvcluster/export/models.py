"""The centroid of a cluster as a 1-D model of the Earth, completed by what the caller declares."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.export.declared import (
    DENSITIES,
    LEAST_RATIO,
    SPEEDS,
    Declared,
    declare,
    is_relative,
    read_depths,
)
from xvcluster.export.earth import (
    AK135,
    MOHO,
    Column,
    ak135,
    brocher_density,
    brocher_vp,
    brocher_vs,
    gardner_density,
    merge_depths,
    sample,
)
from xvcluster.grid.coords import canonical_units, units
from xvcluster.grid.labels import choose_clusters
from xvcluster.messages import plain
from xvcluster.options import check_path
from xvcluster.plot.style import plain_names
from xvcluster.record.check import check_result
from xvcluster.record.dataset import parameters_of
from xvcluster.record.replace import check_target
from xvcluster.record.replace import replace as replace_file


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
    paths = [name_file(path, number) for number in numbers]
    texts = [compose(path, model) for path, model in zip(paths, models, strict=True)]
    for each, text in zip(paths, texts, strict=True):
        with replace_file(each) as temporary:
            temporary.write_bytes(_to_ascii(text))
    return paths


def name_file(path: Path, number: int) -> Path:
    """The file of a cluster, whose number stands for ``{cluster}`` in the name."""
    return path.with_name(path.name.replace("{cluster}", str(number)))


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
        return own * (SPEEDS | DENSITIES).get(unit, 1.0)

    speeds: dict[str, Float64s] = {}
    for wave, name in (("vp", declared.vp), ("vs", declared.vs)):
        if name is None:
            continue
        speeds[wave] = read(name)
        notes.append(f"{wave.capitalize()}: {plain(name)}")
        if declared.reference is not None and is_relative(result[name]):
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
        (vp > 0) & (vs >= 0) & (LEAST_RATIO * vs < vp) & (density > 0) & np.isfinite(vp * density)
    )
    if good.all():
        return
    i = np.flatnonzero(~good)[0]
    raise ValueError(
        f"the model {at} would have Vp = {vp[i]:.4g} km/s, Vs = {vs[i]:.4g} km/s and a density of "
        f"{density[i]:.4g} g/cm3 at {column.depth[i]:g} km, but 0 <= Vs < Vp / {LEAST_RATIO:.4g} "
        "and density > 0 must hold; correct the units of the data, or choose other values of vp_vs "
        "and density"
    )
