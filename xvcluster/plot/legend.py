"""Legends of clusters: a list of names, or a small grid of colours for many clusters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.plot import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

    Side = Literal["below", "right"]

LIST_LIMIT = 20
"""Above this number of clusters the legend is a grid of colours."""

_CELL = 0.19
"""Inches that a cell of that grid needs, so that a number fits in."""


def needs_key(labels: xr.DataArray) -> bool:
    """Whether the legend of labels is a grid of colours instead of a list."""
    return style.som_shape(labels) is not None or len(style.cluster_numbers(labels)) > LIST_LIMIT


def aspect(ax: Axes) -> float:
    """Return width over height of what the axes show."""
    if ax.get_aspect() == "auto":
        box = ax.get_position()
        width, height = ax.figure.get_size_inches()  # type: ignore[union-attr]
        return float(box.width * width / (box.height * height))
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    return float(abs((right - left) / (top - bottom)))


def side(ax: Axes) -> Side:
    """Return where the legend of a map belongs: below a wide one, otherwise at the right."""
    return "below" if aspect(ax) > 1.25 else "right"


def room(labels: xr.DataArray, width: float, side: Side) -> tuple[float, float]:
    """Return the width and height, in inches, that a legend adds to a map of the given width."""
    if needs_key(labels):
        return key_width(labels), 0.0
    if side == "right":
        return 1.25, 0.0
    n_rows = -(-(len(style.present_numbers(labels)) + 1) // _columns_that_fit(width))
    return 0.0, 0.25 + 0.2 * n_rows


def key_width(labels: xr.DataArray) -> float:
    """Return the width, in inches, that the grid of colours adds to a figure."""
    shape = key_shape(labels)
    return shape[1] * _cell(shape) + 0.35


def swatch(color: Any, name: str, *, dot: bool = False) -> Artist:
    """Return a legend entry: a patch for cells, a dot for points."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if not dot:
        return Patch(facecolor=color, edgecolor=style.OUTLINE, linewidth=0.4, label=name)
    dots = {"marker": "o", "markersize": 6, "markerfacecolor": color, "markeredgewidth": 0.4}
    return Line2D([], [], color="none", label=name, markeredgecolor=style.OUTLINE, **dots)


def missing_entry(labels: xr.DataArray, *, points: bool = False) -> list[Artist]:
    """Return the entry for points without a profile, if there are any."""
    if not bool(labels.isnull().any()):
        return []
    return [swatch(style.MISSING_POINT if points else style.MISSING, "no profile", dot=points)]


def add_legend(ax: Axes, labels: xr.DataArray, rgba: Float64s, *, points: bool = False) -> None:
    """Name the clusters that occur in labels outside the axes, where nothing is covered."""
    missing = missing_entry(labels, points=points)
    if needs_key(labels):
        key = ax.inset_axes((1.04, 0.25, 0.3, 0.5))
        key.set_axes_locator(partial(_locate_key, ax, key_shape(labels)))
        _draw_key(key, labels, rgba)
        if missing:
            _add_list(key, missing, side="below")
        return
    names = style.cluster_names(labels)
    entries = [
        swatch(rgba[number - 1], names.get(int(number), f"Cluster {number}"), dot=points)
        for number in style.present_numbers(labels)
    ]
    _add_list(ax, entries + missing, side=side(ax))


def _add_list(ax: Axes, entries: list[Artist], *, side: Side) -> None:
    """Add a frameless list of entries beside the axes, clear of the tick labels."""
    from matplotlib.transforms import ScaledTranslation

    look: dict[str, Any] = {"frameon": False, "fontsize": 8.5, "handlelength": 1.3}
    look |= {"handleheight": 1.0, "borderaxespad": 0.0}
    to_inches = ax.figure.dpi_scale_trans
    if side == "right":
        where = ax.transAxes + ScaledTranslation(0.15, 0, to_inches)
        look |= {"loc": "center left", "bbox_to_anchor": (1, 0.5), "labelspacing": 0.45}
    else:
        width = float(ax.get_position().width * ax.figure.get_size_inches()[0])  # type: ignore[union-attr]
        n_columns = balanced_columns(len(entries), limit=_columns_that_fit(width))
        where = ax.transAxes + ScaledTranslation(0, -0.55 if ax.get_xlabel() else -0.28, to_inches)
        look |= {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "columnspacing": 1.4}
        look |= {"ncols": n_columns}
    ax.legend(handles=entries, bbox_transform=where, **look)


def balanced_columns(n: int, limit: int) -> int:
    """Return the number of columns for n entries in as few rows as possible, evenly filled."""
    n_rows = -(-n // max(limit, 1))
    return -(-n // max(n_rows, 1))


def _draw_key(ax: Axes, labels: xr.DataArray, rgba: Float64s) -> None:
    """Fill axes with the grid of colours: the nodes of a SOM, or numbered clusters."""
    shape = key_shape(labels)
    cells = np.zeros((*shape, 4))
    cells.reshape(-1, 4)[: len(rgba)] = rgba
    ax.imshow(cells, interpolation="nearest", aspect="auto")
    ax.set_xticks(np.arange(0.5, shape[1] - 1), minor=True)
    ax.set_yticks(np.arange(0.5, shape[0] - 1), minor=True)
    ax.grid(which="minor", color="white", linewidth=0.5)
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    ax.spines[:].set_linewidth(0.5)
    ax.set_title("SOM node" if style.som_shape(labels) else "Cluster", fontsize=8.5, pad=4)
    if max(shape) > 10:
        return
    for index, color in enumerate(rgba):
        row, column = divmod(index, shape[1])
        look: dict[str, Any] = {"fontsize": 6, "color": style.text_color(color)}
        ax.text(column, row, str(index + 1), ha="center", va="center_baseline", **look)


def key_shape(labels: xr.DataArray) -> tuple[int, int]:
    """Return the rows and columns of the grid of colours."""
    shape = style.som_shape(labels)
    if shape is not None:
        return shape
    n_clusters = int(style.cluster_numbers(labels).max())
    n_columns = 5 if n_clusters <= 50 else 10
    return -(-n_clusters // n_columns), n_columns


def _cell(shape: tuple[int, int]) -> float:
    """Return the size, in inches, of a cell in a grid of this shape."""
    return min(_CELL, 1.8 / max(shape))


def _columns_that_fit(width: float) -> int:
    """Return how many entries fit side by side in this many inches."""
    return max(2, int(width / 0.95))


def _locate_key(parent: Axes, shape: tuple[int, int], *_: object) -> Bbox:
    """Return the rectangle of a grid of colours at the right of axes, whatever their layout."""
    from matplotlib.transforms import Bbox

    box = parent.get_position()
    figure_width, figure_height = parent.figure.get_size_inches()  # type: ignore[union-attr]
    n_rows, n_columns = shape
    width = n_columns * _cell(shape) / figure_width
    height = n_rows * _cell(shape) / figure_height
    middle = (box.y0 + box.y1) / 2
    return Bbox.from_bounds(box.x1 + 0.2 / figure_width, middle - height / 2, width, height)
