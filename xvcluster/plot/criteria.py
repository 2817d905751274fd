"""All criteria of a sweep against k, one small panel per criterion."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Array, Objects
from xvcluster.grid.labels import Result
from xvcluster.messages import plain
from xvcluster.plot import style
from xvcluster.plot.inputs import take_dataset
from xvcluster.plot.options import Panels, drawing, take_axes
from xvcluster.plot.profiles import tidy, write_title
from xvcluster.plot.size import arrange, letters, pitch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LIGHT = "#8fb0d6"

# the name of each criterion in its panel, which direction is better, and what no best k means
_CRITERIA = {
    "inertia": ("inertia", "", "no knee"),
    "silhouette": ("silhouette", "higher is better", "none"),
    "davies_bouldin": ("Davies–Bouldin", "lower is better", "none"),
    "calinski_harabasz": ("Caliński–Harabasz", "higher is better", "none"),
    "eigengap": ("eigengap", "higher is better", "none"),
    "valley": ("valley", "largest k below the line", "no valley"),
    "gap": ("gap", "", "none"),
    "stability": ("stability", "higher is better", "no k is stable"),
    "structure": ("structure", "1 in a smooth field", ""),
}

_THRESHOLDS = {
    "valley": "separate below {:g}",
    "stability": "stable from {:g} on",
    "structure": "smooth fields up to {:g}",
}
"""What the line at the threshold of a criterion means."""

_PANEL = (2.9, 2.1)
"""Width and height in inches."""

_LABELS = 0.7
"""Inches of the labels at the left of a panel."""


@drawing("lines.Line2D")
def criteria(
    dataset: Result | xr.Dataset,
    *,
    axes: Sequence[Axes] | Array | None = None,
    figsize: tuple[float, float] | None = None,
    legend: bool | str = True,
    title: str | None = None,
    **properties: Any,
) -> Panels:
    """Draw every criterion of a sweep against the number of clusters, each with its own best k.

    Parameters
    ----------
    dataset : SweepResult or Dataset
        A sweep, or its dataset.
    %(axes)s
        In the order of the criteria, as without `axes`.
    %(figsize)s
    %(legend)s
        Here thresholds and second lines, within the panels.
    %(title)s
        Default, of a new figure: how far the criteria agree, and which k is chosen.
    **properties
        Properties of the lines of the criteria, handed to `matplotlib.lines.Line2D`, such as
        ``color`` and ``marker``.

    Returns
    -------
    Panels
        One panel per criterion, with its best k in the title and as a circle. The dashed line in
        all panels is the k that the sweep chooses; the text above says how far the criteria agree.
        Error bars of the gap are one standard error.

    Raises
    ------
    TypeError
        If it is neither a sweep nor a Dataset.
    ValueError
        If the dataset has no criteria, or not the best k of each, if `axes` does not have one
        element per criterion, or `figsize` is given together with `axes`.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(depth=slice(5, 150), stride=4)
    >>> sweep = vs.vcluster.sweep(range(2, 7))
    >>> panels = sweep.plot.criteria()
    """
    from matplotlib.ticker import MaxNLocator

    dataset = take_dataset(dataset, "criteria", "a SweepResult or its dataset")
    names = [name for name in _CRITERIA if name in dataset]
    if not names or "best" not in dataset:
        raise ValueError(
            "this dataset does not contain criteria and the best k of each; its variables are "
            f"{plain(', '.join(map(str, dataset.data_vars)))}. Pass the dataset of a sweep, or "
            "result.sweep of a result that was chosen by one"
        )
    is_own = axes is None
    panels = _new_axes(len(names), figsize) if axes is None else take_axes(axes, len(names))
    for ax, name in zip(panels, names, strict=True):
        _draw_panel(ax, dataset, name, legend, properties)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    cell = panels[0].get_subplotspec() if is_own else None
    for ax in panels[-cell.get_geometry()[1] :] if cell else panels:
        ax.set_xlabel(fill("number of clusters k", _letters(ax, 8)), fontsize=8)
        ax.tick_params(labelbottom=True)
    if title is not None:
        panels[0].figure.suptitle(title, fontsize=12)
    elif is_own:
        _add_verdict(panels[0].figure, dataset)
    return Panels(panels)


def _new_axes(n_panels: int, figsize: tuple[float, float] | None) -> Objects:
    """Return the axes of a new figure, all with the same axis of k."""
    import matplotlib.pyplot as plt

    plan = arrange(n_panels, _PANEL, limit=3, margin=(0.0, 0.5), figsize=figsize)
    size: Any = {"figsize": plan.size, "layout": "constrained"}
    _, grid = plt.subplots(plan.n_rows, plan.n_columns, sharex=True, squeeze=False, **size)
    axes: Objects = grid.ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return axes[:n_panels]


def _draw_panel(
    ax: Axes, dataset: xr.Dataset, name: str, legend: bool | str, properties: dict[str, Any]
) -> None:
    """Draw one criterion and what belongs to it, and mark its best k."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    values = dataset[name]
    k = dataset["k"].values
    given = normalize_kwargs(properties, Line2D)
    line: dict[str, Any] = {"linewidth": 1.2, "marker": "o", "markersize": 3, **given}
    error = dataset["gap_error"].values if name == "gap" and "gap_error" in dataset else None
    look: dict[str, Any] = {"color": style.INK, "elinewidth": 0.8, "capsize": 2, **line}
    drawn: Any = ax.errorbar(k, values, yerr=error, label=style.axis_label(values), **look)
    if name == "silhouette" and "silhouette_sample" in dataset:
        sample = dataset["silhouette_sample"]
        look = {**line, "color": _LIGHT, "label": style.axis_label(sample), "zorder": 1.9}
        other = ax.plot(k, sample, **look)
        _add_legend(ax, [drawn, *other], legend)
    if name in _THRESHOLDS and "threshold" in values.attrs:
        threshold = float(values.attrs["threshold"])
        said = _THRESHOLDS[name].format(threshold)
        drawn = ax.axhline(threshold, color=style.INK, linewidth=0.7, label=said)
        _add_legend(ax, [drawn], legend)
    if name == "inertia" and (values > 0).all():
        _take_logarithm(ax)
    _mark_best(ax, dataset, name)
    _label(ax, values, _CRITERIA[name][1])


def _take_logarithm(ax: Axes) -> None:
    """Scale the axis of the inertia as its knee is sought, with numbers as on other axes."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _letters(ax: Axes, size: float) -> int:
    """Return how many letters of a size fit within a panel."""
    return letters(pitch(ax)[0] - _LABELS, size)


def _add_legend(ax: Axes, handles: list[Any], legend: bool | str) -> None:
    """Add a small legend above the lines, and extend the axis to make room for it."""
    if not legend:
        return
    place: Any = legend if isinstance(legend, str) else "upper right"
    for handle in handles:
        handle.set_label(fill(handle.get_label(), _letters(ax, 8.5)))  # of 7 points, beside a line
    n_lines = sum(handle.get_label().count("\n") + 1 for handle in handles)
    low, high = ax.get_ylim()
    if place.startswith("upper"):
        ax.set_ylim(low, high + (0.06 + 0.13 * n_lines) * (high - low))
    look: dict[str, Any] = {"handlelength": 1.6, "borderaxespad": 0.2, "labelspacing": 0.3}
    # opaque, so that the dashed line does not run through the words
    look |= {"framealpha": 1.0, "edgecolor": "none", "borderpad": 0.2}
    ax.legend(handles=handles, loc=place, fontsize=7, **look)


def _mark_best(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    """Mark the best k of a criterion, and the k that the sweep chooses by a dashed line."""
    taken = _taken(dataset)
    if taken is not None:
        ax.axvline(taken, color="0.55", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    word, _, otherwise = _CRITERIA[name]
    best = int(dataset["best"].reindex(criterion=[name], fill_value=0).item())
    if not best:
        p = dataset[name].attrs.get("p_value")
        said = otherwise if p is None else f"p = {p:.2g}"
        write_title(ax, f"{word} · {said}", 9, beside=_LABELS)
        ax.title.set_color("0.4")
        return
    write_title(
        ax, f"{word} · {'knee' if name == 'inertia' else 'best'} at {best}", 9, beside=_LABELS
    )
    ax.title.set_color(style.BEST)
    if best in dataset["k"].values:
        ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 1.5}
        at = dataset[name].sel(k=best)
        ax.plot([best], [at], marker="o", markersize=9, color=style.BEST, linestyle="none", **ring)


def _taken(dataset: xr.Dataset) -> int | None:
    """Return the k that the sweep chooses, if it is known and drawn."""
    taken = dataset.attrs.get("best_k")
    return taken if taken in dataset["k"].values else None


def _label(ax: Axes, values: xr.DataArray, direction: str) -> None:
    """Label the axes of a criterion, say which direction is better, and add a light grid."""
    fitting = min(letters(pitch(ax)[1], 7.5), 24)
    text, direction = style.axis_label(values, width=fitting), fill(direction, fitting)
    ax.set_ylabel(f"{text}\n{direction}".strip(), fontsize=7.5)
    if not np.isfinite(values).any() and "threshold" not in values.attrs:
        ax.set_yticks([])
    tidy(ax)
    ax.tick_params(labelsize=7.5)


def _add_verdict(figure: Figure, dataset: xr.Dataset) -> None:
    """Write above the panels how far the criteria agree, and which k the sweep chooses."""
    best, by = _taken(dataset), dataset.attrs.get("best_k_by")
    taken = f"dashed: k = {best}" + (f" ({by})" if by else "") if best is not None else ""
    width = int(float(figure.get_size_inches()[0]) / 0.063)
    told = [style.drawable(text, width) for text in (dataset.attrs.get("verdict"), taken) if text]
    if told:
        figure.suptitle("\n".join(told), fontsize=8.5, x=0.01, ha="left")
