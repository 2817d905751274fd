"""A self-organizing map as a grid of nodes: distances, hits and the profiles of the codebook."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Array, Float64s, Indices, Objects
from xvcluster.grid.coords import units
from xvcluster.grid.labels import Result
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.inputs import take_result
from xvcluster.plot.levels import Levels, find_levels
from xvcluster.plot.options import Panels, drawing, take_axes
from xvcluster.plot.profiles import line_style, pick_variables
from xvcluster.plot.size import arrange, letters, moderate, pitch
from xvcluster.record.dataset import read_nodes
from xvcluster.record.method import quality_of

_HEAD = 0.3  # inches for the line above all panels
_WIDTH = 3.5
"""Inches of a panel."""
_EMPTY = "#d9822b"

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from xvcluster.plot.style import Colors


@drawing()
def som(
    dataset: Result | xr.Dataset,
    *,
    variable: Hashable | None = None,
    axes: Sequence[Axes] | Array | None = None,
    figsize: tuple[float, float] | None = None,
    colors: Colors | None = None,
    cmap: str | Colormap | None = None,
    legend: bool = True,
    title: str | None = None,
) -> Panels:
    """Draw a self-organizing map: its U-matrix, its hits and its codebook.

    The U-matrix shows the mean distance of each node's codebook vector to those of its neighbours,
    up to eight: ridges separate groups of nodes. Nodes without a profile are hatched: they lie
    between the others. The hits are the numbers of profiles of the nodes.
    The codebook is shown as one small profile per node, all to the same scale, or as one value if
    there is no vertical.

    Parameters
    ----------
    dataset : ClusterResult or Dataset
        A result made by `som`, or its dataset.
    variable : hashable, optional
        The variable of the codebook to draw. Default: all of them, in one panel each.
    %(axes)s
        The U-matrix, the hits, and the codebook of each variable.
    %(figsize)s
    %(colors)s
    %(cmap)s
        Here the U-matrix; default: ``"bone_r"``.
    %(bar)s
        Here the colorbars of distances and hits.
    %(title)s
        Default, of a new figure: the size and the errors of the map.

    Returns
    -------
    Panels
        The U-matrix, the hits, and the codebook of each variable.

    Raises
    ------
    TypeError
        If it is neither a result nor a Dataset.
    ValueError
        If the dataset is not a result of `som`, `variable` is not in it, `colors` does not have one
        colour per cluster, or `axes` not one element per panel.

    Notes
    -----
    Distances are between nodes scaled as profiles were for the fit: as they are for one variable
    that is not normalized.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> result = vs.vcluster.som((5, 5), n_clusters=5)
    >>> panels = result.plot.som()
    """
    dataset = take_result(dataset, "som").compute()  # read lazy maps only once
    if "node" not in dataset.dims or "som_row" not in dataset.coords:
        raise ValueError(
            f"this result was made by {dataset.attrs.get('method')!r} and has no nodes; plot.som "
            "draws results of som only. Use plot.profiles or plot.summary"
        )
    names = pick_variables(dataset, variable)
    n_panels = 2 + len(names)
    rgba = style.check_colors(dataset["label"], colors)
    is_own = axes is None
    panels = _new_axes(dataset, n_panels, figsize) if axes is None else take_axes(axes, n_panels)
    _draw_distances(panels[0], dataset, cmap or "bone_r", with_bar=legend)
    _draw_hits(panels[1], dataset, with_bar=legend)
    for ax, name in zip(panels[2:], names, strict=True):
        _draw_codebook(ax, dataset, name, rgba, with_bar=legend)
    for ax in panels:
        _draw_grid(ax, dataset)
    if is_own:
        _add_head(panels[0].figure, style.drawable(quality_of(dataset)) if title is None else title)
    elif title is not None:
        panels[0].figure.suptitle(title, fontsize=12)
    return Panels(panels)


def _new_axes(dataset: xr.Dataset, n_panels: int, figsize: tuple[float, float] | None) -> Objects:
    """Return the axes of a new figure."""
    import matplotlib.pyplot as plt

    n_rows, n_columns = _shape(dataset)
    height = float(np.clip(_WIDTH * n_rows / n_columns, 1.2, 5.0)) + 0.9
    panel = (_WIDTH, height)
    plan = arrange(n_panels, panel, limit=5, margin=(0.0, _HEAD), figsize=figsize)
    size: Any = {"figsize": plan.size, "layout": "compressed"}
    _, grid = plt.subplots(plan.n_rows, plan.n_columns, squeeze=False, **size)
    axes: Objects = grid.ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return axes[:n_panels]


def _add_head(figure: Figure, text: str) -> None:
    """Write a line above all panels, which are aligned, and leave room for it."""
    width, height = (float(length) for length in figure.get_size_inches())
    text = fill(text, letters(width, 9.5))
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.0, 0.0, 1.0, 1.0 - (_HEAD + 0.16 * text.count("\n")) / height))
    figure.text(0.5, 1.0 - 0.06 / height, text, ha="center", va="top", fontsize=9.5)


def u_matrix(dataset: xr.Dataset) -> Float64s:
    """Return the mean distance of each node's codebook vector to its neighbours, (row, column)."""
    from scipy.spatial.distance import cdist

    nodes = read_nodes(dataset, "node")[1].reshape(dataset.sizes["node"], -1)
    places = np.stack([dataset["som_row"], dataset["som_column"]], axis=1)
    is_beside = cdist(places, places, "chebyshev") == 1
    total = cdist(nodes, nodes).sum(axis=1, where=is_beside)
    return _on_grid(dataset, total / np.maximum(is_beside.sum(axis=1), 1))


def _shape(dataset: xr.Dataset) -> tuple[int, int]:
    """Return the rows and columns of the grid of nodes."""
    return int(dataset["som_row"].max()) + 1, int(dataset["som_column"].max()) + 1


def _on_grid(dataset: xr.Dataset, along_node: Array) -> Array:
    """Reshape values along node to (row, column)."""
    return along_node.reshape(_shape(dataset))


def _draw_distances(ax: Axes, dataset: xr.Dataset, cmap: str | Colormap, *, with_bar: bool) -> None:
    """Draw the U-matrix with its colorbar."""
    scale = dataset["distance"].attrs.get("units", "1")
    ax.set_title("U-matrix", fontsize=9.5)
    label = f"mean distance to neighbouring nodes ({'scaled' if scale == '1' else scale})"
    empty = np.argwhere(_on_grid(dataset, dataset["node_count"].values) == 0)
    label = style.drawable(label) + ("\nhatched: nodes without a profile" if len(empty) else "")
    distances = u_matrix(dataset)
    least: dict[str, Any] = (
        {} if np.ptp(distances) > 0 else {"vmin": 0, "vmax": distances.max() or 1}
    )
    _draw_values(ax, distances, label, with_bar=with_bar, cmap=cmap, **least)
    _hatch(ax, empty)


def _hatch(ax: Axes, cells: Indices) -> None:
    """Hatch some cells (n, 2) of an image, by row and column."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not len(cells):
        return
    square = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5], [-0.5, -0.5]])
    path = Path.make_compound_path(*(Path(square + cell[::-1], closed=True) for cell in cells))
    ax.add_patch(PathPatch(path, hatch="////", facecolor="none", edgecolor=_EMPTY, linewidth=0))


def _draw_hits(ax: Axes, dataset: xr.Dataset, *, with_bar: bool) -> None:
    """Draw the number of profiles of each node, as text too if it fits."""
    hits = _on_grid(dataset, dataset["node_count"].values)
    ax.set_title("Hits", fontsize=9.5)
    look: dict[str, Any] = {"cmap": "YlGnBu", "vmin": 0, "vmax": max(hits.max(), 1)}
    image = _draw_values(ax, hits, "profiles", with_bar=with_bar, alpha=0.9, **look)
    size = min(8.5, 60 / max(hits.shape), 180 / (max(hits.shape) * len(f"{hits.max()}")))
    legends.write_in_cells(ax, hits, np.asarray(image.cmap(image.norm(hits))), size=size)


def _draw_values(
    ax: Axes, values: Array, label: str, *, with_bar: bool, **options: Any
) -> AxesImage:
    """Draw one value per node, with a thin colorbar below."""
    image = ax.imshow(values, interpolation="nearest", **options)
    if not with_bar:
        return image
    bar = ax.figure.colorbar(image, ax=ax, location="bottom", shrink=0.8, aspect=30, pad=0.03)
    fitting = letters(pitch(ax)[0], 8)
    bar.set_label("\n".join(fill(line, fitting) for line in label.split("\n")), fontsize=8)
    bar.ax.tick_params(labelsize=7, width=0.5, length=2)
    bar.outline.set_linewidth(0.5)
    return image


def _draw_codebook(
    ax: Axes, dataset: xr.Dataset, name: Hashable, rgba: Float64s, *, with_bar: bool
) -> None:
    """Draw the codebook of one variable: a small profile in every cell, or a value."""
    levels = find_levels(dataset)
    nodes = dataset[f"{name}_node"]
    ax.set_title(style.drawable(f"Codebook of {name}"), fontsize=9.5)
    described = nodes if nodes.attrs else dataset[name]
    if levels is None:
        values = _on_grid(dataset, nodes.values)
        label = style.axis_label(described, width=38)
        _draw_values(ax, values, label, with_bar=with_bar, cmap="viridis")
        return
    colors = rgba[dataset["node_cluster"].values - 1]
    pale = 0.72 + 0.28 * colors[:, :3]
    ax.imshow(pale.reshape(*_shape(dataset), 3), interpolation="nearest")
    values = nodes.transpose("node", ...).values
    low, high = np.nanmin(values), np.nanmax(values)
    spread = (values - low) / ((high - low) or 1.0) - 0.5
    along = _within_cell(levels)
    _, n_columns = _shape(dataset)
    for node, profile in enumerate(spread):
        row, column = divmod(node, n_columns)
        # rows of an image count downwards
        x, y = (along, -profile) if levels.is_time else (profile, along)
        ax.plot(column + 0.78 * x, row + 0.8 * y, color=colors[node], **line_style(1.3))
    across, upright = "left to right", "top to bottom"
    ways = ("bottom to top", across) if levels.is_time else (across, upright)
    spans = f"{name}: {low:.3g} to {high:.3g} {units(described)}".rstrip() + f", {ways[0]}"
    ends = f"{levels.name}: {' to '.join(levels.ends())} {levels.units}".rstrip() + f", {ways[1]}"
    fitting = letters(pitch(ax)[0], 8)
    text = "\n".join(fill(style.drawable(said), fitting) for said in (spans, ends))
    ax.set_xlabel(text, fontsize=8, labelpad=6)


def _within_cell(levels: Levels) -> Float64s:
    """Return where levels lie in a cell of an image, from −0.5 to 0.5, left to right or down."""
    at = levels.at.astype(np.float64)
    along = (at - at.min()) / (np.ptp(at) or 1.0) - 0.5
    return np.asarray(along if levels.is_time or levels.points_down else -along)


def _draw_grid(ax: Axes, dataset: xr.Dataset) -> None:
    """Separate cells by white lines, and clusters of merged nodes by dark lines."""
    n_rows, n_columns = _shape(dataset)
    legends.separate_cells(ax, (n_rows, n_columns))
    ax.set_xlim(-0.5, n_columns - 0.5)
    ax.set_ylim(n_rows - 0.5, -0.5)
    if moderate(n_columns / n_rows) != n_columns / n_rows:
        ax.set_aspect("auto")  # cells of a long map need not be square
    clusters = _on_grid(dataset, dataset["node_cluster"].values)
    if clusters.max() == dataset.sizes["node"]:
        return
    look: dict[str, Any] = {"colors": "#111111", "linewidth": 1.6, "capstyle": "round"}
    rows, columns = np.nonzero(clusters[:, 1:] != clusters[:, :-1])
    ax.vlines(columns + 0.5, rows - 0.5, rows + 0.5, **look)
    rows, columns = np.nonzero(clusters[1:] != clusters[:-1])
    ax.hlines(rows + 0.5, columns - 0.5, columns + 0.5, **look)
