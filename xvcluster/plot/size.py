"""The size of figures in inches, bounded whatever the data and the number of panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xvcluster.options import check_integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 20.0
"""Maximum width and height of a figure."""

PAGE = 7.2
"""Width of a page, on which several maps lie side by side unless they would be too high."""

SLIM = 6.0
"""A map is at most this many times as long as wide: a line of profiles is shown in its region."""

_LEAST = 0.8
"""Least width and height of a panel."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Panels in rows and columns, and the size of their figure."""

    n_rows: int
    n_columns: int
    size: tuple[float, float]


def bounded(width: float, height: float) -> tuple[float, float]:
    """Return a size of at most 20 inches on each side."""
    return min(float(width), MOST), min(float(height), MOST)


def moderate(shape: float) -> float:
    """Return width over height of a map, neither slim nor flat."""
    return float(np.clip(shape, 1 / SLIM, SLIM)) if np.isfinite(shape) else 1.0


def fit_page(shape: float, beside: float, columns: int = 3) -> tuple[float, int]:
    """Return the width of one of several maps, and how many of them lie side by side on a page.

    Parameters
    ----------
    shape : float
        Width over height of each map.
    beside : float
        Inches that each map needs beside it.
    columns : int
        Number of wide maps that lie side by side.
    """
    width = float(np.clip(2.6 * shape, 1.4, PAGE / columns - beside))
    return width, int(PAGE / (width + beside) + 1e-6)


def letters(inches: float, points: float) -> int:
    """Return how many letters of a size fit in a line."""
    return max(int(inches * 72 / (0.58 * points)), 8)


def text_width(text: str, points: float) -> float:
    """Return the width in inches of a line of letters of a size."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0.0, 0.0), text, size=points).get_extents().width) / 72


def pitch(ax: Axes) -> tuple[float, float]:
    """Return the width and height in inches that each of several panels has, before any layout."""
    cell = ax.get_subplotspec()
    width, height = (float(length) / ax.figure.dpi for length in ax.figure.bbox.size)
    if cell is None or ax.figure.get_layout_engine() is None:
        share = ax.get_position()
        return width * float(share.width), height * float(share.height)
    n_rows, n_columns = cell.get_geometry()[:2]
    return (width - 0.45) / n_columns, (height - 0.6) / n_rows - 0.25


def balanced_columns(n: int, limit: int) -> int:
    """Return the number of columns for n entries in as few rows as possible, evenly filled."""
    n_rows = -(-n // max(limit, 1))
    return -(-n // max(n_rows, 1))


def _choose_columns(
    n_panels: int,
    panel: tuple[float, float],
    limit: int,
    groups: int,
    margin: tuple[float, float],
    figsize: tuple[float, float] | None,
) -> int:
    """Return how many panels of a group lie side by side."""
    width, height = panel
    if figsize is not None:
        columns = {balanced_columns(n_panels, n) for n in range(1, n_panels + 1)}
        room = figsize[0] - margin[0], figsize[1] - groups * margin[1]
        return max(columns, key=lambda n: _scale(n_panels, n, panel, groups, room))
    n_columns = balanced_columns(n_panels, limit)
    if groups * (-(-n_panels // n_columns) * height + margin[1]) > MOST:
        fitting = int((MOST - margin[0]) / width)
        n_columns = max(n_columns, balanced_columns(n_panels, fitting))
    return n_columns


def _scale(
    n_panels: int, n_columns: int, panel: tuple[float, float], groups: int, room: Sequence[float]
) -> float:
    """Return by how much panels have to be scaled to fit in the room of a figure."""
    n_rows = -(-n_panels // n_columns) * groups
    return min(room[0] / (n_columns * panel[0]), room[1] / (n_rows * panel[1]))


def _spell(figsize: tuple[float, float] | None) -> str:
    """Return the size of a figure in words."""
    return f"{MOST:g}" if figsize is None else f"{figsize[0]:g} by {figsize[1]:g}"


def arrange(
    n_panels: int,
    panel: tuple[float, float],
    *,
    limit: int,
    ncols: int | None = None,
    groups: int = 1,
    margin: tuple[float, float] = (0.0, 0.0),
    figsize: tuple[float, float] | None = None,
    hint: str = "one variable, or some clusters: result.dataset.sel(cluster=[1, 2])",
) -> Arrangement:
    """Arrange panels in a figure of at most 20 inches on each side, or of a given size.

    Parameters
    ----------
    n_panels : int
        Number of panels of each group, which has rows of its own.
    panel : (width, height)
        Of a panel in inches, unless there are so many that they must be smaller.
    limit : int
        Maximum number of columns, unless they would not fit one below the other.
    ncols : int, optional
        Number of columns that the user asks for.
    groups : int, default 1
    margin : (width, height)
        Of the figure, and of each group, in inches.
    figsize : (width, height), optional
        Of the figure in inches, as the user asks for.
    hint : str
        What to draw instead if there are too many.

    Raises
    ------
    ValueError
        If there are so many panels that none could be read, or `ncols` is less than 1.
    """
    width, height = panel
    if ncols is not None and check_integer("ncols", ncols, -(10**9)) < 1:
        raise ValueError(f"ncols must be at least 1, got {ncols}; None chooses it")
    n_columns = ncols or _choose_columns(n_panels, panel, limit, groups, margin, figsize)
    n_columns = min(n_columns, n_panels)
    n_rows = -(-n_panels // n_columns) * groups
    size = bounded(n_columns * width + margin[0], n_rows * height + groups * margin[1])
    size = figsize or size
    if n_panels > 1 and min(size[0] / n_columns, size[1] / n_rows) < _LEAST:
        raise ValueError(
            f"{n_panels * groups} panels in {n_columns} columns and {n_rows} rows do not fit in a "
            f"figure of {_spell(figsize)} inches; draw fewer, e.g. {hint}"
        )
    return Arrangement(n_rows, n_columns, size)
