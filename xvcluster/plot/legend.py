"""Legends of clusters: a list of names, or a small grid of colours for many clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from xvcluster.arrays import Array, Float64s
from xvcluster.grid.labels import present_numbers
from xvcluster.plot import style
from xvcluster.plot.size import balanced_columns

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

    Side = Literal["below", "right"]

LIST_LIMIT = 20
"""Above this number of clusters the legend is a grid of colours."""

_LOOK: dict[str, Any] = {"fontsize": 8.5, "handlelength": 1.3, "handleheight": 1.0}

_PLACES = (
    "upper left",
    "upper center",
    "upper right",
    "center left",
    "center",
    "center right",
    "lower left",
    "lower center",
    "lower right",
)
"""Places on a map, in matplotlib's words."""

_CELL = 0.19
"""Inches that a cell of that grid needs, so that a number fits in."""


_SEPARATED = 80
"""Cells side by side, at most, between which lines leave enough of the colours."""


def needs_key(labels: xr.DataArray) -> bool:
    """Whether the legend of labels is a grid of colours instead of a list."""
    return style.som_shape(labels) is not None or len(style.cluster_numbers(labels)) > LIST_LIMIT


def inches(ax: Axes) -> Float64s:
    """Return the width and height of axes in inches."""
    figure = np.asarray(ax.figure.bbox.size) / ax.figure.dpi
    return np.asarray(ax.get_position().size * figure)


def inches_from(ax: Axes, x: float, y: float) -> Transform:
    """Return the transform of inches from a point of axes, in fractions, whatever their layout."""
    from matplotlib.transforms import ScaledTranslation

    point = ScaledTranslation(x, y, ax.transAxes)  # type: ignore[arg-type]
    return ax.figure.dpi_scale_trans + point


def aspect(ax: Axes) -> float:
    """Return width over height of axes."""
    width, height = inches(ax)
    return float(width / height)


def side(ax: Axes) -> Side:
    """Return where the legend of a map belongs: below a wide one, otherwise at the right."""
    return "below" if aspect(ax) > 1.25 else "right"


def room(labels: xr.DataArray, width: float, side: Side) -> tuple[float, float]:
    """Return the width and height, in inches, that a legend adds to a map of the given width."""
    if needs_key(labels):
        return key_width(labels), 0.0
    if side == "right":
        return max(1.25, entry_width(list(style.cluster_names(labels).values()))), 0.0
    names = list(style.cluster_names(labels).values())
    n_rows = -(-(len(present_numbers(labels)) + 1) // _columns_that_fit(width, names))
    return 0.0, 0.25 + 0.2 * n_rows


def key_width(labels: xr.DataArray) -> float:
    """Return the width, in inches, that the grid of colours adds to a figure."""
    return float(_key_size(labels)[1]) + 0.35


def swatch(color: Any, name: str, *, dot: bool = False) -> Artist:
    """Return a legend entry: a patch for cells, a dot for points."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if not dot:
        return Patch(facecolor=color, edgecolor=style.OUTLINE, linewidth=0.4, label=name)
    dots = {"marker": "o", "markersize": 6, "markerfacecolor": color, "markeredgewidth": 0.4}
    return Line2D([], [], color="none", label=name, markeredgecolor=style.OUTLINE, **dots)


def check_legend(legend: bool | str | None) -> None:
    """Refuse a legend that is neither True nor False nor a place on the map."""
    if isinstance(legend, str) and legend not in _PLACES:
        raise ValueError(
            f"legend={legend!r} is no place for a legend; pass True for one beside the map, False "
            f"for none, or one of {', '.join(map(repr, _PLACES))} for one on the map"
        )
    if not isinstance(legend, str | bool | None):
        raise TypeError(
            f"legend must be True, False or a place such as 'lower left'; got {legend!r}"
        )


def missing_entry(
    labels: xr.DataArray, *, points: bool = False, part_of: xr.DataArray | None = None
) -> list[Artist]:
    """Return the entry for points without a label, if there are any.

    They have no profile if all clusters occur, in the labels that these are part of; otherwise the
    others may have been taken out.
    """
    if not bool(labels.isnull().any()):
        return []
    whole = labels if part_of is None else part_of
    is_whole = np.isin(style.cluster_numbers(whole), present_numbers(whole)).all()
    name = "no profile" if is_whole else "no label"
    return [swatch(style.MISSING_POINT if points else style.MISSING, name, dot=points)]


def add_legend(
    ax: Axes,
    labels: xr.DataArray,
    rgba: Float64s,
    *,
    points: bool = False,
    place: str | None = None,
    beside: Side | None = None,
    part_of: xr.DataArray | None = None,
) -> None:
    """Name the clusters that occur in labels: outside the axes, or at a place on them."""
    if needs_key(labels):
        height, width = _key_size(labels)
        x, y = (1.0, 0.5) if place is None else _anchor(place)
        # the title is above the key, the entry for missing labels below it
        left = 0.2 if place is None else 0.16 - x * (width + 0.34)
        bottom = -height / 2 if place is None else 0.52 - y * (height + 0.82)
        key = ax.inset_axes((left, bottom, width, height), transform=inches_from(ax, x, y))
        missing = missing_entry(labels, points=points, part_of=part_of)
        if place is not None:
            below = 0.46 if missing else 0.06
            box = (left - 0.1, bottom - below, width + 0.22, height + below + 0.24)
            _back(ax, box, transform=inches_from(ax, x, y))
        _draw_key(key, labels, rgba)
        if missing:
            _add_list(key, missing, side="below")
        return
    named = entries(labels, rgba, points=points, part_of=part_of)
    if place is None:
        _add_list(ax, named, side=beside or side(ax))
        return
    look: dict[str, Any] = _LOOK | {"loc": place, "framealpha": 0.85}
    ax.legend(handles=named, **look).set_zorder(5)


def _back(ax: Axes, box: tuple[float, float, float, float], transform: Transform) -> None:
    """Whiten the map behind what is drawn on it."""
    from matplotlib.patches import Rectangle

    look: dict[str, Any] = {"facecolor": "white", "alpha": 0.85, "zorder": 4.9}
    ax.add_patch(Rectangle(box[:2], *box[2:], transform=transform, linewidth=0, **look))


def entries(
    labels: xr.DataArray,
    rgba: Float64s,
    *,
    points: bool = False,
    part_of: xr.DataArray | None = None,
) -> list[Artist]:
    """Return the entries of a legend: the clusters that occur, and points without a label."""
    names = style.cluster_names(labels)
    named = [
        swatch(rgba[number - 1], names[int(number)], dot=points)
        for number in present_numbers(labels)
    ]
    return named + missing_entry(labels, points=points, part_of=part_of)


def _anchor(place: str) -> tuple[float, float]:
    """Return a place in fractions of the axes."""
    x = 0.0 if "left" in place else 1.0 if "right" in place else 0.5
    return x, 0.0 if "lower" in place else 1.0 if "upper" in place else 0.5


def _add_list(ax: Axes, entries: list[Artist], *, side: Side) -> None:
    """Add a frameless list of entries beside the axes, clear of the tick labels."""
    look: dict[str, Any] = _LOOK | {"frameon": False, "borderaxespad": 0.0}
    if side == "right":
        look |= {"loc": "center left", "bbox_to_anchor": (0.15, 0), "labelspacing": 0.45}
        look |= {"bbox_transform": inches_from(ax, 1, 0.5)}
    else:
        below = -0.55 if ax.get_xlabel() else -0.28
        look |= {"loc": "upper center", "bbox_to_anchor": (0, below), "columnspacing": 1.4}
        look |= {"bbox_transform": inches_from(ax, 0.5, 0)}
        names = [str(entry.get_label()) for entry in entries]
        look |= {"ncols": balanced_columns(len(entries), _columns_that_fit(inches(ax)[0], names))}
    ax.legend(handles=entries, **look)


def _draw_key(ax: Axes, labels: xr.DataArray, rgba: Float64s) -> None:
    """Fill axes with the grid of colours: the nodes of a SOM, or numbered clusters."""
    shape = key_shape(labels)
    cells = np.zeros((*shape, 4))
    cells.reshape(-1, 4)[: len(rgba)] = rgba
    ax.imshow(cells, interpolation="nearest", aspect="auto")
    separate_cells(ax, shape)
    ax.set_title("SOM node" if style.som_shape(labels) else "Cluster", fontsize=8.5, pad=4)
    numbers = np.arange(1, shape[0] * shape[1] + 1).reshape(shape)
    write_in_cells(ax, numbers, cells, size=6)


def separate_cells(ax: Axes, shape: tuple[int, int]) -> None:
    """Separate the cells of an image by white lines, without ticks."""
    ax.set_xticks(np.arange(0.5, shape[1] - 1), minor=True)
    ax.set_yticks(np.arange(0.5, shape[0] - 1), minor=True)
    ax.grid(which="minor", color="white", linewidth=0.5 if max(shape) <= _SEPARATED else 0.0)
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    ax.spines[:].set_linewidth(0.5)


def write_in_cells(ax: Axes, numbers: Array, rgba: Float64s, *, size: float) -> None:
    """Write numbers in the visible cells of an image, unless these are too many to read."""
    if max(numbers.shape) > 10:
        return
    look: dict[str, Any] = {"fontsize": size, "ha": "center", "va": "center_baseline"}
    for row, column in np.argwhere(rgba[..., 3] > 0):
        color = style.text_color(rgba[row, column])
        ax.text(column, row, str(numbers[row, column]), color=color, **look)


def key_shape(labels: xr.DataArray) -> tuple[int, int]:
    """Return the rows and columns of the grid of colours."""
    shape = style.som_shape(labels)
    if shape is not None:
        return shape
    n_clusters = int(style.cluster_numbers(labels).max())
    n_columns = 5 if n_clusters <= 50 else 10
    return -(-n_clusters // n_columns), n_columns


def _key_size(labels: xr.DataArray) -> Float64s:
    """Return the height and width, in inches, of the grid of colours."""
    shape = key_shape(labels)
    size: Float64s = np.array(shape) * min(_CELL, 1.8 / max(shape))
    return np.maximum(size, _CELL)  # a single row of many nodes is no line


def entry_width(names: list[str]) -> float:
    """Return the inches that the longest entry of a list takes."""
    return 0.4 + max(map(len, names), default=0) * 0.066


def _columns_that_fit(width: float, names: list[str]) -> int:
    """Return how many entries fit side by side in this many inches."""
    longest = entry_width(names)
    if longest < 1.15:  # as of numbered clusters
        return max(2, int(width / 0.95))
    return max(1, int((width + 0.3) / longest))
