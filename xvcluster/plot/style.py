"""Colours, names and axis labels, the same in every figure, from attributes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s, Integers
from xvcluster.grid.labels import (
    Clustering,
    choose_clusters,
    declared_numbers,
    given_colors,
    given_names,
    meanings_of,
    order_of,
    present_numbers,
    take_labels,
)
from xvcluster.grid.labels import check_labels as read_labels
from xvcluster.messages import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    Colors = Sequence[object] | Mapping[int | str, object] | str | Colormap

# Slow to fast: red to blue like RdYlBu, but never near-white, because a cluster in the middle must
# stand out from the paper and from the grey of missing cells; and as far apart as that leaves room
# for, up to ten clusters, as people without red, green or blue cones see them too.
_RAMP = (
    *("#660f1d", "#d5001b", "#da581a", "#fba400", "#ffdb86"),
    *("#bdd19e", "#46bea3", "#398bbf", "#3061e2", "#131e63"),
)
# From dark to light in equal steps of lightness, and as far apart as that leaves room for.
_SEQUENTIAL = (
    *("#3a1168", "#40325e", "#46485d", "#525b67", "#5f6e72", "#66837a"),
    *("#74987f", "#91aa7b", "#aebd6f", "#cccf5f", "#eee044"),
)
SEQUENTIAL = "sequential"
"""The name by which these are asked for."""

# The four corners of a SOM: first and last node of the first row, then of the last row.
_CORNERS = ("#c8283c", "#f7c948", "#3a3a9c", "#2fb3a0")

# Clusters in no order: the colours of Okabe & Ito (2008) without black, the yellow a little darker,
# and others as far as possible from them all, as people without red or green cones see them too.
_DISTINCT = (
    *("#0072b2", "#e69f00", "#56b4e9", "#d55e00", "#e8dc3a", "#009e73", "#cc79a7"),
    *("#240092", "#864961", "#6186ff", "#aac29e", "#aa3d00", "#313db6", "#aaceff"),
    *("#313d6d", "#cece6d", "#186de7", "#493d00", "#b63192", "#f3556d"),
)

MISSING = "#e4e4e4"
MISSING_POINT = "#c4c4c4"
OUTLINE = "#333333"
INK = "#2b4c7e"
BEST = "#c2202b"

_TEMPERATURE = re.compile(r"^(deg(ree)?s?)?(k|c|f|kelvins?|celsius|centigrade|fahrenheit)$")
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def cluster_numbers(labels: xr.DataArray) -> Integers:
    """Return the numbers of the clusters: ``flag_values``, otherwise 1 to the largest label."""
    declared = declared_numbers(labels)
    if declared is not None:
        return declared
    return np.arange(1, present_numbers(labels).max(initial=1) + 1)


def check_labels(source: Clustering) -> xr.DataArray:
    """Take labels into memory, NaN instead of numbers below 1; refuse what are no labels."""
    labels = take_labels(source, "the figure")
    name = "these values" if labels.name is None else repr(plain(labels.name))
    if labels.dtype.kind not in "iufb":
        raise ValueError(
            f"{name} of type {labels.dtype} cannot be drawn as labels: labels are cluster numbers, "
            "integers from 1, or NaN where there is no profile; pass result.labels"
        )
    return read_labels(labels, name)


def cluster_names(labels: xr.DataArray) -> dict[int, str]:
    """Return the name of each cluster number as in a legend, such as ``"Cluster 3"``."""
    return {n: drawable(name) for n, name in plain_names(labels).items()}


def plain_names(labels: xr.DataArray) -> dict[int, str]:
    """Return the name of each cluster number as text that is not for matplotlib."""
    numbers = [int(number) for number in cluster_numbers(labels)]
    words, own = meanings_of(labels), given_names(labels)
    return {n: _in_words(words.get(n, f"cluster_{n}")) for n in numbers} | own


def _in_words(meaning: str) -> str:
    """Return a flag meaning, such as ``cascade_arc``, as a name, such as ``Cascade arc``."""
    name = plain(meaning, 40)
    return (name[:1].upper() + name[1:]).replace("_", " ")


def som_shape(labels: xr.DataArray) -> tuple[int, int] | None:
    """Return the rows and columns of a SOM if the labels are its nodes, otherwise None."""
    shape = labels.attrs.get("som_shape")
    if shape is None:
        return None
    n_rows, n_columns = (int(n) for n in np.asarray(shape).ravel())
    return n_rows, n_columns


def cluster_colors(labels: xr.DataArray) -> Float64s:
    """Return the colours of the clusters, from the attributes of their labels alone.

    The same labels have the same colours in every figure and after a round trip to a file.
    The colours follow the order of the clusters from red (lowest mean) to blue (highest mean), like
    slow and fast in tomography; for temperatures, from blue (cold) to red (warm). Up to 20 clusters
    of which ``ordered_by`` tells no order have colours that differ, whoever sees them. The nodes of
    a self-organizing map have a two-dimensional scheme, in which neighbours have similar colours.
    Up to ten clusters, any two differ by a CIEDE2000 of at least 12.5 if they are ordered, and
    otherwise of at least 9.5, for people who see all colours and as Machado et al. (2009) compute
    it for those without red, green or blue cones.

    Parameters
    ----------
    labels : xr.DataArray
        Cluster numbers, of any shape. The attributes ``flag_values`` (without it, or if it does not
        name every label, the clusters are 1 to the largest label), ``som_shape`` and ``ordered_by``
        are used.

    Returns
    -------
    ndarray, shape (k, 4)
        RGBA between 0 and 1; row ``number - 1`` is the colour of cluster ``number``.

    Examples
    --------
    >>> import xarray as xr
    >>> from xvcluster.plot.style import cluster_colors
    >>> cluster_colors(xr.DataArray([1.0, 2.0, 3.0], dims="profile")).shape
    (3, 4)
    """
    return colors_of(check_labels(labels))


def colors_of(labels: xr.DataArray) -> Float64s:
    """Return the colours of labels by their attributes, which must hold, as in a result."""
    from matplotlib.colors import to_rgba

    rgba = _automatic_colors(labels)
    for number, color in given_colors(labels).items():
        rgba[number - 1] = to_rgba(color)
    return rgba


def _automatic_colors(labels: xr.DataArray) -> Float64s:
    """Return the colours of clusters that have none of their own."""
    n_clusters = int(cluster_numbers(labels).max())
    shape = som_shape(labels)
    if shape is not None and min(shape) > 1:
        return _grid_colors(*shape)
    order = order_of(labels)
    if not order and shape is None and n_clusters <= len(_DISTINCT):
        return _distinct_colors(n_clusters)
    colors = _ramp_colors(n_clusters)
    is_reversed = _is_ordered_by_temperature(order) != order.endswith("highest first")
    return colors[::-1].copy() if is_reversed else colors


def own_colors(dataset: xr.Dataset, colors: Colors | None = None) -> Float64s:
    """Return the colours along the dim ``cluster`` of a result, or of a selection from it."""
    return np.asarray(check_colors(dataset["label"], colors)[dataset["cluster"].values - 1])


def check_colors(labels: xr.DataArray, colors: Colors | None) -> Float64s:
    """Return the colours of labels as RGBA: the given ones, checked, or `cluster_colors`."""
    if colors is None:
        return colors_of(labels)
    if isinstance(colors, Mapping):
        return _of_some(labels, colors)
    n_clusters = int(cluster_numbers(labels).max())
    rgba = _read_colors(_of_colormap(colors, n_clusters))
    if len(rgba) != n_clusters:
        raise ValueError(
            f"colors has {len(rgba)} colours for {n_clusters} clusters; "
            f"pass one colour per cluster, in the order of their numbers"
        )
    return rgba


def refuse_no_colors(colors: Colors) -> None:
    """Refuse what is no colours, whatever the labels are."""
    _read_colors(list(colors.values()) if isinstance(colors, Mapping) else _of_colormap(colors, 1))


def _read_colors(colors: Any) -> Float64s:
    """Return colours of matplotlib as RGBA; refuse what is none."""
    from matplotlib.colors import to_rgba_array

    try:
        return np.asarray(to_rgba_array(colors), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"colors={plain(repr(colors), 80)} are no colours ({error}); pass one colour per "
            "cluster, such as ['red', '#00aa00', (0, 0, 1)], some of them as a dict, such as "
            "{2: 'red'}, or the name of a colormap, such as 'viridis' or 'sequential'"
        ) from None


def _of_some(labels: xr.DataArray, colors: Mapping[Any, Any]) -> Float64s:
    """Return the colours of labels, of which some are given by number or name."""
    rgba = colors_of(labels)
    numbers = choose_clusters(labels, list(colors), cluster_numbers(labels))
    for number, color in zip(numbers, colors.values(), strict=True):
        rgba[number - 1] = _read_colors([color])[0]
    return rgba


def check_own_colors(labels: xr.DataArray, colors: Colors | None) -> dict[int, str]:
    """Return the colours, as text, that clusters have of their own once they are given these."""
    from matplotlib.colors import to_hex

    if colors is None:
        return {}
    rgba, every = check_colors(labels, colors), cluster_numbers(labels).tolist()
    own: dict[int, str] = {}
    if isinstance(colors, Mapping):
        own, every = given_colors(labels), choose_clusters(labels, list(colors), every)
    return own | {n: to_hex(rgba[n - 1], keep_alpha=bool(rgba[n - 1, 3] < 1)) for n in every}


def _of_colormap(colors: Any, n_clusters: int) -> Any:
    """Return the colours of a colormap, evenly spaced unless it is a list; others as they are."""
    from matplotlib import colormaps
    from matplotlib.colors import Colormap, ListedColormap

    if isinstance(colors, str) and colors == SEQUENTIAL:
        return _sequential_colors(n_clusters)
    colors = colormaps[colors] if isinstance(colors, str) and colors in colormaps else colors
    if not isinstance(colors, Colormap):
        return colors
    if isinstance(colors, ListedColormap) and colors.N < 64:  # such as tab10
        return colors(np.arange(min(n_clusters, colors.N)))
    return colors(np.linspace(0, 1, n_clusters))


def text_color(color: Float64s) -> str:
    """Return a dark colour or white, whichever is easier to read on the given colour."""
    return OUTLINE if to_oklab(color[:3])[0] > 0.68 else "white"


def axis_label(array: xr.DataArray, *, width: int = 60) -> str:
    """Return the label of an axis, ``"long_name (units)"``, in lines of the given width."""
    name = array.attrs.get("long_name") or array.attrs.get("standard_name") or array.name
    text = "" if name is None else plain(name)
    units = plain(array.attrs.get("units", ""))
    return drawable(f"{text} ({units})" if units and units != "1" else text, width)


def check_axes(ax: Axes | None) -> None:
    """Refuse what is no plain axes."""
    if ax is not None and (hasattr(ax, "projection") or not hasattr(ax, "plot")):
        raise TypeError(
            f"ax is a {type(ax).__name__}; pass plain Axes of matplotlib, such as plt.subplot(), "
            "or omit ax"
        )


def drawable(text: object, width: int = 1000, *, formulas: bool = True) -> str:
    """Return text of a file as matplotlib can draw it, in lines of the given width.

    What stands between dollars stays a formula if it is one; names have no `formulas`.
    """
    from matplotlib.mathtext import MathTextParser

    lines = fill(plain(text, 1000), width).split("\n")
    for i, line in enumerate(lines):
        try:
            MathTextParser("path").parse(line)
            is_fit = formulas
        except (ValueError, RuntimeError):  # RuntimeError: braces nested too deeply
            is_fit = False
        if not is_fit:
            lines[i] = re.sub(r"(?<!\\)\$", r"\\$", line)
    return "\n".join(lines)


def undrawn(text: str) -> str:
    """Return text that `drawable` made fit for matplotlib as it was, on one line."""
    return text.replace("\\$", "$").replace("\n", " ")


def name_shares(dataset: xr.Dataset) -> tuple[list[str], str]:
    """Return each cluster's name and share, and what is shared: the area or the profiles."""
    of = "area" if "area" in dataset else "profiles"
    amount = dataset["area" if of == "area" else "count"].values
    percent = 100 * amount / (np.nansum(amount) or 1)
    names = cluster_names(dataset["label"])
    shares = zip(dataset["cluster"].values, percent, strict=True)
    return [f"{names[int(number)]} · {share_text(share)}" for number, share in shares], of


def share_text(percent: float) -> str:
    """Return a rounded percentage, such as ``"12 %"`` or ``"<1 %"``."""
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def _is_ordered_by_temperature(ordered_by: object) -> bool:
    """Whether clusters are ordered by a temperature, judged by the units in parentheses."""
    units = re.search(r"\(([^()]*)\)", str(ordered_by))
    return bool(units and is_temperature(units.group(1)))


def is_temperature(units: str) -> bool:
    """Whether units are those of a temperature."""
    return _TEMPERATURE.match(re.sub(r"[\s_.°]", "", units).lower()) is not None


def _distinct_colors(n: int) -> Float64s:
    """Return the first colours of those that tell clusters apart and suggest no order."""
    from matplotlib.colors import to_rgba_array

    return np.asarray(to_rgba_array(_DISTINCT[:n]), dtype=np.float64)


def _sequential_colors(n: int) -> Float64s:
    """Return colours that grow lighter in equal steps."""
    from matplotlib.colors import to_rgba_array

    anchors = to_oklab(to_rgba_array(_SEQUENTIAL)[:, :3])
    at, places = np.linspace(0, 1, n), np.linspace(0, 1, len(anchors))
    lab = [np.interp(at, places, anchors[:, channel]) for channel in range(3)]
    return to_rgba(np.stack(lab, axis=1))


def _ramp_colors(n: int) -> Float64s:
    """Return colours in equal perceived steps along the ramp; few clusters omit its dark ends."""
    from matplotlib.colors import to_rgba_array

    anchors = to_oklab(to_rgba_array(_RAMP)[:, :3])
    steps = np.linalg.norm(np.diff(anchors, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    margin = 0.12 if n <= 3 else max(0.0, 0.12 - 0.02 * (n - 3))
    at = np.linspace(margin, 1 - margin, n) if n > 1 else np.array([0.8])
    lab = np.stack([np.interp(at, length, anchors[:, channel]) for channel in range(3)], axis=1)
    return to_rgba(lab)


def _grid_colors(n_rows: int, n_columns: int) -> Float64s:
    """Return the colours of a grid of nodes, row by row, interpolated between four corners."""
    from matplotlib.colors import to_rgba_array

    corners = to_oklab(to_rgba_array(_CORNERS)[:, :3]).reshape(2, 2, 3)
    sides = np.linspace(corners[:, 0], corners[:, 1], n_columns, axis=1)
    return to_rgba(np.linspace(sides[0], sides[1], n_rows).reshape(-1, 3))


def to_oklab(rgb: Float64s) -> Float64s:
    """Convert sRGB to OKLab, in which equal distances look equal (Ottosson 2020)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def to_rgba(lab: Float64s) -> Float64s:
    """Convert OKLab to opaque sRGB, clipped to what a screen can show."""
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.concatenate([rgb, np.ones((len(rgb), 1))], axis=1)
