"""The figures of a command: their options, whether they can be drawn, and writing them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import numpy as np
import xarray as xr

from xvcluster.cli.commandline import BadInput, together
from xvcluster.cli.report import spell_moment
from xvcluster.grid.coords import find_axes
from xvcluster.grid.horizontal import find_grid
from xvcluster.plot import geometry, view
from xvcluster.plot.basemap import Resolution
from xvcluster.plot.options import check_values
from xvcluster.record.replace import replace

Labelled = TypeVar("Labelled", bound=xr.DataArray | xr.Dataset)

_MOST_NAMED = 6

_NO_FIELD = {"cmap": ("map", "maps")}
"""Options without effect in figures whose continuous field cannot be given in the shell."""


def _read_colors(_context: object, _option: object, text: str | None) -> Any:
    """Turn what --colors was given into a list, a dict, or the name of a colormap."""
    if text is None or not ("," in text or "=" in text):
        return text
    parts = [part.strip() for part in text.split(",")]
    pairs = [part.rpartition("=") for part in parts]
    if not any(equals for _, equals, _ in pairs):
        return parts
    if not all(equals for _, equals, _ in pairs):
        raise BadInput(
            f"--colors {text} gives some colours with a cluster and some without; give all of them "
            "in the order of their numbers, or each with its cluster, such as 1=red,3=#00aa00"
        )
    return {int(key) if key.isdecimal() else key: color for key, _, color in pairs}


def _read_legend(_context: object, _option: object, text: str | None) -> bool | str | None:
    """Turn what --legend was given into False or a place."""
    return False if text == "none" else text


def _read_scale_bar(_context: object, _option: object, text: str | None) -> bool | float | None:
    """Turn what --scale-bar was given into True or a length."""
    if text is None or text == "auto":
        return None if text is None else True
    try:
        return float(text)
    except ValueError:
        raise BadInput(
            f"--scale-bar {text} is neither 'auto' nor a length in km, such as 500"
        ) from None


FIGURE_OPTIONS = together(
    click.option("--title", help="Title above all."),
    click.option(
        "--figsize", nargs=2, type=float, metavar="W H", help="Width and height in inches."
    ),
    click.option(
        "--colors",
        callback=_read_colors,
        metavar="COLORS",
        help="Colours of the clusters: a colormap such as viridis, or sequential; one colour per "
        "cluster, such as red,white,#0000aa; or those of some clusters, such as 1=red,3=gold.",
    ),
    click.option("--cmap", help="Colormap of the U-matrix of a SOM."),
    click.option(
        "--legend",
        callback=_read_legend,
        metavar="PLACE|none",
        help="Place of the legend, such as 'lower left', or none. Default: beside.",
    ),
    click.option(
        "--projection",
        metavar="NAME",
        help="Projection of maps, a class of cartopy such as Robinson, centred on the map.",
    ),
    click.option(
        "--extent", nargs=4, type=float, metavar="W E S N", help="What maps show, in degrees."
    ),
    click.option(
        "--scale-bar",
        callback=_read_scale_bar,
        metavar="auto|KM",
        help="Draw a scale bar, of a round length or of the given one.",
    ),
    click.option(
        "--resolution",
        type=click.Choice(get_args(Resolution)),
        help="Of coastlines and borders. Default: auto.",
    ),
    click.option("-v", "--variable", metavar="NAME", help="Variable to draw. Default: all."),
    click.option(
        "--certainty",
        metavar="NAME",
        help="Variable by which the colours of a map fade, such as margin or stability.",
    ),
    click.option(
        "-k",
        "--clusters",
        "ks",
        type=int,
        multiple=True,
        help="Number of clusters of a map of a tree; repeat for several maps.",
    ),
    click.option("--ncols", type=int, help="Number of panels in a row."),
    click.option(
        "--start",
        nargs=2,
        type=float,
        metavar="LON LAT",
        help="Where a section begins, in degrees.",
    ),
    click.option(
        "--end", nargs=2, type=float, metavar="LON LAT", help="Where it ends, along a great circle."
    ),
)
"""What `xvcluster plot` hands to the figure, as far as this takes it."""


def choose_options(kind: str, figure: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given; refuse what the figure does not take, or bad values.

    Parameters
    ----------
    kind : str
        Name of the figure.
    figure : callable
        The function that draws it.
    given : dict
        The options, None where they were not given.
    """
    options = {name: value for name, value in given.items() if value not in (None, ())}
    parameters = inspect.signature(figure).parameters
    for name in options:
        if name not in parameters or kind in _NO_FIELD.get(name, ()):
            flag = {"ks": "-k"}.get(name, f"--{name.replace('_', '-')}")
            raise BadInput(
                f"{flag} has no effect with --kind {kind}; omit it, or choose another kind"
            )
    check_values(parameters, options)
    view.check_extent(options.get("extent"))
    if "projection" in options:
        options["projection"] = _find_projection(options["projection"])
    return options


def _find_projection(name: str) -> Any:
    """Return the class of cartopy that is called so."""
    import cartopy.crs as ccrs

    known = {
        key.lower(): value
        for key, value in vars(ccrs).items()
        if isinstance(value, type) and issubclass(value, ccrs.Projection) and key[0] != "_"
    }
    found = known.get(name.lower().replace(" ", "").replace("_", ""))
    if found is None:
        near = difflib.get_close_matches(name.lower(), known, 3) or ["robinson"]
        meant = ", ".join(known[key].__name__ for key in near)
        raise BadInput(f"cartopy has no projection {name!r}; did you mean {meant}?")
    return found


def centre(projection: type[Any], labels: xr.DataArray, extent: Any) -> Any:
    """Make a projection that is centred on what a map of labels shows."""
    labels = labels.isel({d: 0 for d in labels.dims if d == "k"})
    west, east, south, north = view.check_extent(extent) or geometry.locate(labels).box
    middle = {"central_longitude": (west + east) / 2, "central_latitude": (south + north) / 2}
    takes = inspect.signature(projection).parameters
    try:
        return projection(**{key: value for key, value in middle.items() if key in takes})
    except TypeError as error:
        raise BadInput(
            f"--projection {projection.__name__} cannot be made from a centre alone ({error}); "
            "choose another one, or draw it in Python"
        ) from None


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
