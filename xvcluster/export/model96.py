"""Models for surface waves: ``model96`` of Herrmann's Computer Programs in Seismology."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from textwrap import wrap

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.export.earth import QUANTITIES
from xvcluster.export.models import Model, write_models

ENDINGS = (".mod", ".model96", ".d")
"""Of the names of files."""

_DEEPEST = 660.0
"""Depth in km of the half-space where ak135 continues a model."""

_MOST_LAYERS = 200
"""Of the programs that read the format."""

_WIDTH = 80
_FREE = 4
"""Characters of a line that the programs read, and lines that are free for what one likes."""

_COLUMNS = (
    "     H(KM)   VP(KM/S)   VS(KM/S) RHO(GM/CC)         QP         QS       ETAP       ETAS"
    "      FREFP      FREFS"
)


def to_model96(
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
    """Write centroids as layered models for surface waves, in the format ``model96``.

    Parameters
    ----------
    result : Dataset
        As for `to_nd`.
    path : path-like
        Ends in ``.mod``, ``.model96`` or ``.d``. Otherwise as for `to_nd`.
    clusters, vp, vs, vp_vs, density, above, reference
        As for `to_nd`.
    below : {"constant", "ak135"}
        What is below the last level: "constant" is a half-space with its values; "ak135" has the
        layers of ak135 down to 660 km, and its values there as the half-space.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    TypeError
        If an option has the wrong type.
    ValueError
        As for `to_nd`, or if there are more than 200 layers, which is what the programs hold.

    Notes
    -----
    Layers lie between the levels and have the mean of the values above and below, so that a wave
    takes as long through them as through the gradient, to second order of the contrast. The model
    is of a spherical Earth, isotropic, and without attenuation: QP and QS are 0. What was declared
    is in lines 2 and 8 to 11, which the format leaves free.

    References
    ----------
    Herrmann, R. B. (2013). Computer Programs in Seismology: An evolving tool for instruction and
    research. Seismol. Res. Lett. 84, 1081-1088. https://doi.org/10.1785/0220110096

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> result = vs.vcluster.kmeans(4)
    >>> declared = {"vp_vs": 1.75, "density": "ak135", "below": "constant"}
    >>> paths = result.to_model96("cluster_{cluster}.mod", **declared)  # doctest: +SKIP
    """
    return write_models(
        result, path, clusters, ENDINGS, _compose,
        {"above": ("ak135", "constant"), "below": ("constant", "ak135")},
        vp=vp, vs=vs, vp_vs=vp_vs, density=density, above=above, below=below, reference=reference,
    )  # fmt: skip


def _compose(_: Path, model: Model) -> str:
    """The text of a file."""
    notes = ["mean of each layer; QP = QS = 0: no attenuation", *model.notes]
    head = [
        "MODEL.01", model.title, "ISOTROPIC", "KGS", "SPHERICAL EARTH", "1-D", "CONSTANT VELOCITY",
        *_fill(notes), _COLUMNS,
    ]  # fmt: skip
    rest = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    rows = [[*row, *rest] for row in _layers(model).tolist()]
    return "\n".join([*head, *("".join(f"{x:11.5f}" for x in row) for row in rows), ""])


def _fill(notes: list[str]) -> list[str]:
    """Put notes on the free lines; what does not fit into their width is at the end of the last."""
    lines = wrap("; ".join(notes), _WIDTH)
    return [*lines[: _FREE - 1], " ".join(lines[_FREE - 1 :]), *[""] * _FREE][:_FREE]


def _layers(model: Model) -> Float64s:
    """Thickness, velocities and density (n, 4) of each layer; the half-space is 0 km thick."""
    column = model.column[model.column.depth <= max(_DEEPEST, model.bottom)]
    properties = np.stack([getattr(column, name) for name in QUANTITIES], axis=1)
    thickness = np.diff(column.depth)
    means = (properties[1:] + properties[:-1]) / 2
    layers = np.column_stack([thickness, means])[thickness > 0]
    if len(layers) >= _MOST_LAYERS:
        raise ValueError(
            f"the model has {len(layers)} layers and a half-space, but the programs that read "
            f"model96 hold {_MOST_LAYERS} in all; cluster fewer levels, e.g. with prepare(dz=...)"
        )
    return np.vstack([layers, [0.0, *properties[-1]]])
