"""Models for travel times by TauP: the formats ``.nd`` and ``.tvel``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from xvcluster.export.earth import MOHO, RADIUS, Column
from xvcluster.export.models import Model, write_models
from xvcluster.messages import warn

_DEEP = 1000.0
"""Kilometres: the core lies below this, fluids above are water."""

_REACH = 65.0
"""Kilometres: TauP takes the discontinuity nearest to 35 km for the Moho, if it is less far than
this, and otherwise the surface."""

ENDINGS = (".nd", ".tvel")
"""Of the names of files."""

_SKIN = 0.001
"""Kilometres: a thickness that no travel time depends on."""


def to_nd(
    result: xr.Dataset,
    path: str | os.PathLike[str],
    clusters: int | str | Iterable[int | str] | None = None,
    *,
    vp: str | None = None,
    vs: str | None = None,
    vp_vs: float | str | None = None,
    density: float | str | None = None,
    above: str | None = None,
    below: str | None = None,
    reference: str | xr.Dataset | None = None,
) -> list[Path]:
    """Write centroids as 1-D models for TauP, named discontinuities (.nd) or .tvel.

    What the result does not hold must be declared, and is said in the header of the file. Nothing
    is filled in without that.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult with levels in km or m, and velocities in km/s or m/s, or their
        perturbations in %.
    path : path-like
        Ends in ``.nd`` or ``.tvel``. ``{cluster}`` in the name stands for the number of the
        cluster; without it, one cluster must be chosen. Existing files are replaced, but only once
        the new ones are complete.
    clusters : int, str or iterable, optional
        Numbers or names of clusters. Default: all that have members.
    vp, vs : str, optional
        The variables of both velocities. Default: those of such names, vp or vs, vsv, dvs, ….
    vp_vs : float, "brocher2005" or "ak135", optional
        Needed if the result has one velocity only: the ratio of both; or by the relation of Brocher
        (2005) for the crust; or the ratio that ak135 has at each depth.
    density : float, "brocher2005", "gardner1974" or "ak135", optional
        Needed if the result has no density (``rho`` or ``density``): a number in g/cm³; or from Vp
        by Brocher (2005) or Gardner et al. (1974); or that of ak135 at each depth.
    above : {"ak135", "constant"}, optional
        Needed if the levels begin below the surface: what is above the first. "constant" has the
        values of the first level.
    below : {"ak135"}, optional
        Needed if the levels end above the centre of the Earth: what is below the last.
    reference : "ak135" or Dataset, optional
        Needed for perturbations: the model that these refer to. A Dataset has ``vs`` or ``vp`` in
        km/s along depth alone.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    TypeError
        If an option has the wrong type.
    ValueError
        If something is missing and not declared, or declared and not missing; if levels or
        velocities have other units; if a relation is used beyond the velocities that it holds for;
        if there is no such cluster, if Vs is 0 above the core, or if the name has another ending.

    Notes
    -----
    Values are linear between the levels, as TauP takes them; a level that is there twice is a
    discontinuity, and so are the ends of the levels where ak135 continues the model. Levels above
    sea level are left out. Where velocities decrease from the surface on, those of the first metre
    are constant, because ObsPy cannot build the model otherwise. The core of the Earth is named in
    an ``.nd`` file, and its Moho where that is the one of ak135. Otherwise TauP takes for the Moho
    the discontinuity nearest to 35 km, of those above 100 km. Smooth profiles have none, and then
    Pn, Pg and PmP do not exist in the model, or belong to where ak135 begins.

    Warns
    -----
    UserWarning
        If the Moho is not among the levels, nor that of ak135.

    References
    ----------
    Brocher, T. M. (2005). Empirical relations between elastic wavespeeds and density in the Earth's
    crust. Bull. Seismol. Soc. Am. 95, 2081-2092. https://doi.org/10.1785/0120050077

    Crotwell, H. P., Owens, T. J. & Ritsema, J. (1999). The TauP toolkit. Seismol. Res. Lett. 70,
    154-160. https://doi.org/10.1785/gssrl.70.2.154

    Gardner, G. H. F., Gardner, L. W. & Gregory, A. R. (1974). Formation velocity and density.
    Geophysics 39, 770-780. https://doi.org/10.1190/1.1440465

    Kennett, B. L. N., Engdahl, E. R. & Buland, R. (1995). Constraints on seismic velocities in the
    Earth from traveltimes. Geophys. J. Int. 122, 108-124.
    https://doi.org/10.1111/j.1365-246X.1995.tb03540.x

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> result = vs.vcluster.kmeans(4)
    >>> declared = {"vp_vs": 1.75, "density": "ak135", "below": "ak135"}
    >>> paths = result.to_nd("cluster_{cluster}.nd", **declared)  # doctest: +SKIP
    """
    return write_models(
        result, path, clusters, ENDINGS, _compose,
        {"above": ("ak135", "constant"), "below": ("ak135",)},
        vp=vp, vs=vs, vp_vs=vp_vs, density=density, above=above, below=below, reference=reference,
    )  # fmt: skip


def _compose(path: Path, model: Model) -> str:
    """The text of a file, in the format of its ending."""
    _refuse_water(model)
    model = _with_skin(_about_moho(model))
    rows = [" ".join(f"{x:13.6f}" for x in row) for row in _rows(model.column)]
    if path.suffix.lower() == ".tvel":
        head = [f"{model.title} - {wave}; {'; '.join(model.notes)}" for wave in "PS"]
        return "\n".join([*head, *rows, ""])
    for place, name in reversed(_boundaries(model)):
        rows.insert(place, name)
    units = "depth (km), Vp (km/s), Vs (km/s), density (g/cm3)"
    head = [f"# {text}".replace("\n", " ") for text in (model.title, *model.notes, units)]
    return "\n".join([*head, *rows, ""])


def _refuse_water(model: Model) -> None:
    """Refuse levels without S velocity above the core, which TauP cannot build."""
    fluid = (model.column.vs == 0) & (model.column.depth < _DEEP)
    if fluid.any():
        raise ValueError(
            f"Vs is 0 at {model.column.depth[fluid][0]:g} km of depth, in {model.title}, but TauP "
            "cannot build models with water; cluster the levels below it, e.g. with "
            "prepare(depth=...), and say what is above them with above="
        )


def _about_moho(model: Model) -> Model:
    """Tell of a model in which TauP finds no Moho, or takes the end of the levels for it."""
    column = model.column
    is_jump = (np.diff(column.depth) == 0) & ((np.diff(column.vp) != 0) | (np.diff(column.vs) != 0))
    jumps = column.depth[:-1][is_jump]
    jumps = jumps[np.abs(jumps - MOHO) < _REACH]
    found = float(jumps[np.abs(jumps - MOHO).argmin()]) if jumps.size else 0.0
    if model.has_moho or found not in (0.0, model.top, model.bottom):
        return model
    note = "TauP finds none, and no Pn, Pg or PmP"
    if found:
        note = f"TauP takes {found:g} km, where ak135 begins or ends, for it"
    warn(
        f"no Moho is among the levels: {note}; a level that is there twice, with the values above "
        "and below it, would be one"
    )
    return replace(model, notes=[*model.notes, f"no Moho in the levels: {note}"])


def _with_skin(model: Model) -> Model:
    """Keep velocities constant in the first metre if they decrease with depth at the surface.

    ObsPy finds no low-velocity zone that begins at the surface, and then cannot build the model.
    """
    depth, speeds = model.column.depth[:2], (model.column.vp[:2], model.column.vs[:2])
    is_slower = [(v[0] > 0) & (v[1] / (RADIUS - depth[1]) < v[0] / RADIUS) for v in speeds]
    if not any(is_slower) or depth[1] <= _SKIN:
        return model
    skin = replace(model.column[:1], depth=np.array([_SKIN]))
    note = f"constant to {1000 * _SKIN:g} m of depth, as TauP needs where velocities decrease"
    column = model.column[:1].join(skin, model.column[1:])
    return replace(model, column=column, notes=[*model.notes, note])


def _rows(column: Column) -> list[list[float]]:
    """Depth and properties of each row."""
    table = np.stack([getattr(column, n) for n in Column.__slots__], axis=1)
    return [[float(x) for x in row] for row in table]


def _boundaries(model: Model) -> list[tuple[int, str]]:
    """Before which rows the boundaries of mantle and core lie, in order."""
    column, found = model.column, []
    for i in np.flatnonzero(np.diff(column.depth) == 0) + 1:
        upper, lower = column.vs[i - 1], column.vs[i]
        depth = column.depth[i]
        if depth == MOHO and model.has_moho:
            found.append((int(i), "mantle"))
        elif depth > _DEEP and upper > 0 == lower:
            found.append((int(i), "outer-core"))
        elif depth > _DEEP and upper == 0 < lower:
            found.append((int(i), "inner-core"))
    return found
