"""The figures of a command: whether they can be drawn, before any work, and writing them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
import xarray as xr

from xvcluster.cli.report import spell_moment
from xvcluster.grid.coords import find_axes
from xvcluster.grid.horizontal import find_grid
from xvcluster.plot import geometry, view
from xvcluster.record.replace import replace

Labelled = TypeVar("Labelled", bound=xr.DataArray | xr.Dataset)

_MOST_NAMED = 6


def check_format(path: Path) -> None:
    """Raise an error if matplotlib cannot write figures of this format."""
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix.lstrip(".").lower() not in kinds:
        raise ValueError(
            f"a figure cannot be written as {path.name!r}; its name must end in one of "
            f"{', '.join('.' + kind for kind in kinds)}"
        )


def check_map(data: xr.Dataset, plot: Path | None, dim: Hashable | None, time: str | None) -> None:
    """Raise an error if labels of these data could not be drawn on a map that is asked for.

    Parameters
    ----------
    data : Dataset
        The variables to cluster; no values are read.
    plot : Path or None
        The map to draw.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.
    time : str, optional
        As for `at_time`.
    """
    first = next(iter(data.data_vars.values()))
    vertical = find_axes(data, dim).vertical
    dims = [d for d in first.dims if str(d) != vertical]
    coords = {n: c for n, c in data.coords.items() if set(c.dims) <= set(dims)}
    ones = np.broadcast_to(np.float32(1), [first.sizes[d] for d in dims])
    labels = xr.DataArray(ones, coords, dims, name="label")
    check_time(labels, plot, time)
    if plot is None:
        return
    place = geometry.locate(at_time(labels, time))
    if place.kind != "plane":
        view.shape(place)


def check_time(labels: xr.DataArray, plot: Path | None, time: str | None) -> None:
    """Raise an error if the map to draw of labels is not clear, or a time is given for none."""
    if plot is not None:
        at_time(labels, time)
    elif time is not None:
        raise ValueError("--time has no effect: no map is to be drawn")


def at_time(labelled: Labelled, time: str | None) -> Labelled:
    """Choose the one map that a figure shows, of labels at several times.

    Parameters
    ----------
    labelled : DataArray or Dataset
        Labels, or a Dataset with ``label``.
    time : str, optional
        The time, as in the file or the beginning of it: "2000-03" is a month.

    Returns
    -------
    DataArray or Dataset

    Raises
    ------
    ValueError
        If there are several times and none is given, none or several are of that time, or a time
        is given although there is only one map.
    """
    labels = labelled["label"] if isinstance(labelled, xr.Dataset) else labelled
    grid = find_grid(labels)
    placed = labels.dims[-2:] if grid is None else grid.dims
    others = [d for d in labels.dims if d not in placed and d != "k" and labels.sizes[d] > 1]
    if not others:
        if time is not None:
            raise ValueError(f"--time {time} has no effect: there is only one map to draw")
        return labelled
    if len(others) > 1:
        names = ", ".join(repr(str(d)) for d in others)
        raise ValueError(
            f"a figure shows one map, and the labels lie along {names} as well; omit --plot, and "
            f"draw one map in Python: labels.isel({others[0]}=0, {others[1]}=0).vcluster.plot.map()"
        )
    (along,) = others
    known = [spell_moment(value) for value in labels[along].values]
    wanted = "" if time is None else spell_moment(time)
    found = [i for i, value in enumerate(known) if value.startswith(wanted)]
    chosen = [i for i in found if known[i] == wanted] or found
    if len(chosen) != 1:
        few = ", ".join(known[:_MOST_NAMED]) + (", ..." if len(known) > _MOST_NAMED else "")
        given = f"--time {time} fits {len(chosen) or 'none'} of them; " if time else ""
        raise ValueError(
            f"a figure shows one map, but there are {len(known)} along {str(along)!r} ({few}); "
            f"{given}choose one, e.g. --time {known[0]}"
        )
    return labelled.isel({along: chosen[0]})  # type: ignore[return-value]


def write_figure(
    draw: Callable[[], Any], path: Path | None, dpi: int = 200, *, written: Path | None = None
) -> None:
    """Draw a figure, or axes, into a file if one is given, and say so.

    Parameters
    ----------
    draw : callable
    path : Path or None
    dpi : int
    written : Path, optional
        What the command wrote before, and which stays if the figure cannot be drawn.
    """
    if path is None:
        return
    try:
        _draw_into(draw, path, dpi)
    except Exception as error:
        if written is None:
            raise
        raise ValueError(f"{written} is written, but its figure failed: {error}") from error
    click.echo(f"Wrote {path}")


def _draw_into(draw: Callable[[], Any], path: Path, dpi: int) -> None:
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")  # never open a window
    before = set(plt.get_fignums())
    try:
        figure = draw().figure
        with replace(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lstrip(".").lower(), dpi=dpi)
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
