"""The options that all figures share: described, checked, and put to use in one place."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from xvcluster.arrays import Array, Objects
from xvcluster.messages import shown
from xvcluster.options import check_flag, check_number
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.size import MOST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

_LEAST = 0.5
"""Least width and height of a figure, in inches."""

_DESCRIPTIONS = {
    "ax": """ax : matplotlib Axes, optional
        Axes to draw in. Default: a new figure.""",
    "axes": """axes : sequence of matplotlib Axes, optional
        Axes to draw in, one per panel. Default: a new figure.""",
    "figsize": """figsize : (float, float), optional
        Width and height of the new figure in inches. Default: what its content needs.""",
    "colors": """colors : sequence or dict of colours, or colormap, optional
        One colour per cluster, in the order of their numbers; a dict of colours for some clusters,
        by number or name; or a colormap or the name of one: those of matplotlib, and
        ``"sequential"``, which grows lighter from the first cluster to the last and can be printed
        in grey. Default: the colours of the labels, see `cluster_colors`.""",
    "cmap": """cmap : str or Colormap, optional
        Colormap of a continuous field.""",
    "legend": """legend : bool or str, default True
        Explain what is drawn: beside it, or at a place on it, such as ``"lower left"``.""",
    "bar": """legend : bool, default True
        Explain what is drawn, beside it.""",
    "title": """title : str, optional
        Title above all.""",
}
"""What docstrings say of each option, indented as there."""

_OWN = {
    *("array", "axes", "clim", "clip_box", "cmap", "data", "extent", "figure", "norm"),
    *("offset_transform", "offsets", "paths", "segments", "transform", "verts", "xdata", "ydata"),
}
"""Properties by which figures show their data."""

_PAINT = {"c", "color", "colors", "facecolor", "facecolors", "fc"}
"""Properties by which they show clusters."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Panels:
    """The panels of a figure that has several.

    A figure of one panel is returned as its Axes, one of several as these. Both have a ``figure``,
    so that ``.figure.savefig("name.png")`` writes either. Neither is a figure itself, because
    notebooks would show a figure that ends a cell twice.

    Attributes
    ----------
    axes : ndarray of matplotlib Axes, shape (n_panels,)
        In the order in which they are drawn.

    Examples
    --------
    >>> panels = result.plot.profiles()  # doctest: +SKIP
    >>> panels.axes[0].set_ylim(400, 0)  # doctest: +SKIP
    >>> panels.savefig("profiles.png", dpi=300)  # doctest: +SKIP
    """

    axes: Objects

    @property
    def figure(self) -> Figure:
        """The figure that the panels are part of."""
        return figure_of(self.axes[0])

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Write the figure, as `matplotlib.figure.Figure.savefig` does."""
        self.figure.savefig(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Panels: {len(self.axes)}>"


def drawing(
    *artists: str, extra: tuple[str, ...] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Describe and check the options that a figure shares with others; leave none half drawn.

    ``%(name)s`` in the docstring stands for the description of an option. What is given is checked
    before the figure is begun, and a new figure that fails is closed: a notebook would show it.

    Parameters
    ----------
    *artists : str
        What the figure hands its keyword arguments to, in matplotlib, such as
        ``"collections.QuadMesh"``.
    extra : tuple of str
        Further keyword arguments that it takes.
    """
    return functools.partial(_wrap, artists, extra)


def _wrap(artists: tuple[str, ...], extra: tuple[str, ...], function: Callable[P, R]) -> Any:
    """Wrap a function that draws a figure."""

    @functools.wraps(function)
    def draw(*args: P.args, **options: P.kwargs) -> R:
        from matplotlib import pyplot as plt

        _check_names(function.__name__, parameters, options, artists, extra)
        check_values(parameters, options)
        before = set(plt.get_fignums())
        try:
            return function(*args, **options)
        except BaseException:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
            raise

    parameters = inspect.signature(function).parameters
    for name, described in _DESCRIPTIONS.items():
        draw.__doc__ = draw.__doc__ and draw.__doc__.replace(f"%({name})s", described)
    return draw


def _check_names(
    figure: str,
    parameters: Mapping[str, inspect.Parameter],
    options: Mapping[str, Any],
    artists: tuple[str, ...],
    extra: tuple[str, ...],
) -> None:
    """Refuse keywords that are neither options of the figure nor properties of what it draws."""
    names = [name for name, it in parameters.items() if it.kind is not it.VAR_KEYWORD]
    unknown = [name for name in options if name not in names]
    if not unknown:
        return
    known = _properties(artists) | set(extra) if artists else set()
    for name in unknown:
        if name in known:
            continue
        meant = difflib.get_close_matches(name, [*names[1:], *known], 1)
        handed = f", and properties of {artists[0].split('.')[1]}" if artists else ""
        hint = f"did you mean {meant[0]!r}? It" if meant else "it"
        raise TypeError(
            f"plot.{figure} has no option {name!r}; {hint} takes {', '.join(names[1:])}{handed}"
        )


def _properties(artists: tuple[str, ...]) -> set[str]:
    """Return the names of the properties of artists, less those by which data are shown."""
    from matplotlib.artist import ArtistInspector

    known: set[str] = set()
    for name in artists:
        module, kind = name.split(".")
        artist = getattr(import_module(f"matplotlib.{module}"), kind)
        inspector = ArtistInspector(artist)
        known |= {*inspector.get_setters(), *chain(*inspector.aliasd.values())}
        known -= set() if kind == "Line2D" else _PAINT
    return known - _OWN


def check_values(parameters: Mapping[str, inspect.Parameter], options: dict[str, Any]) -> None:
    """Check the values of shared options of a figure, of which no data have been read."""
    if options.get("figsize") is not None:
        _check_size(options["figsize"], options)
    title = options.get("title")
    if not isinstance(title, str | None):
        raise TypeError(f"title must be text; got {shown(title)}")
    if options.get("cmap") is not None:
        _check_colormap(options["cmap"])
    if options.get("colors") is not None:
        style.refuse_no_colors(options["colors"])
    if "legend" in options:
        takes_place = "str" in str(parameters["legend"].annotation)
        check = legends.check_legend if takes_place else functools.partial(check_flag, "legend")
        check(options["legend"])


def _check_size(figsize: Any, options: dict[str, Any]) -> None:
    """Refuse a size that is none, or that the given axes already have."""
    for name in ("ax", "axes"):
        if options.get(name) is not None:
            raise ValueError(
                f"figsize={figsize!r} has no effect on the given {name}; pass one of the two"
            )
    if not isinstance(figsize, Sequence | np.ndarray) or isinstance(figsize, str):
        raise TypeError(f"figsize must be (width, height) in inches; got {shown(figsize)}")
    if len(figsize) != 2:
        raise ValueError(f"figsize must be (width, height) in inches; got {shown(figsize)}")
    for name, length in zip(("width", "height"), figsize, strict=True):
        check_number(f"the {name} of figsize", length, above=_LEAST, most=10 * MOST, or_equal=True)


def _check_colormap(cmap: Any) -> None:
    """Refuse what is no colormap of matplotlib."""
    from matplotlib import colormaps
    from matplotlib.colors import Colormap

    if isinstance(cmap, Colormap) or (isinstance(cmap, str) and cmap in colormaps):
        return
    meant = difflib.get_close_matches(str(cmap), list(colormaps), 1) or ["viridis"]
    raise ValueError(
        f"cmap={shown(cmap)} is no colormap; pass the name of one of matplotlib, such as "
        f"{meant[0]!r}, or a Colormap"
    )


def take_axes(axes: Axes | Sequence[Axes] | Array, n_panels: int) -> Objects:
    """Return given axes, one per panel, as a flat array; refuse anything else."""
    from matplotlib.axes import Axes

    if isinstance(axes, Panels):
        axes = axes.axes
    if isinstance(axes, Sequence | np.ndarray):
        given = np.asarray(axes, dtype=object).ravel()
    else:
        given = np.empty(1, dtype=object)
        given[0] = axes
    for ax in given:
        if not isinstance(ax, Axes):
            raise TypeError(
                f"axes holds a {type(ax).__name__}; pass Axes of matplotlib, one per panel, e.g. "
                "those of plt.subplots(1, 3)"
            )
    if given.size != n_panels:
        raise ValueError(f"axes has {given.size} axes for {n_panels} panels; pass {n_panels}")
    return given


def figure_of(ax: Axes) -> Figure:
    """Return the figure of axes, also of those in a subfigure."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure
