"""How sure the labels on a map are: colours that fade, and the bar that shows how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.grid.coords import find_horizontal
from xvcluster.grid.missing import mask_invalid
from xvcluster.plot import style
from xvcluster.plot.fields import bar_axes, clear_of_ticks, style_bar

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes

    from xvcluster.plot.legend import Side


_LEAST = 0.15
"""What is left of a colour at no certainty, so that one still sees which it was."""

_STEPS = 100
"""Steps in which a colour fades: whole percents."""

_ROUNDING = 1e-5
"""How far beyond 0 and 1 sums in float32 may come."""

_STRIPES = 5
"""The bar shows at most so many clusters."""


def match_certainty(
    labels: xr.DataArray, certainty: xr.DataArray | str | None, *, over_field: bool
) -> xr.DataArray | None:
    """The certainty in the order of the labels, still lazy where it was; refuses other points."""
    if certainty is None:
        return None
    if isinstance(certainty, str):
        raise ValueError(
            f"certainty={certainty!r} names a variable of a result, but these are labels alone; "
            f"draw result.plot.map(certainty={certainty!r}), or pass the array itself"
        )
    if not isinstance(certainty, xr.DataArray):
        raise TypeError(
            f"certainty is a {type(certainty).__name__}; pass a DataArray on the points of the "
            'labels, such as result.dataset["margin"]'
        )
    if over_field:
        raise ValueError(
            "certainty fades the colours of labels, but over a background clusters are outlines "
            "only; leave out one of both"
        )
    spare = [d for d in certainty.dims if d not in labels.dims and certainty.sizes[d] == 1]
    certainty = certainty.isel(dict.fromkeys(spare, 0), drop=True)
    lone = [d for d in labels.dims if d not in certainty.dims and labels.sizes[d] == 1]
    if set(certainty.dims) != set(labels.dims) - set(lone):
        raise ValueError(
            f"certainty has dims {certainty.dims}, but the labels {labels.dims}; pass one value "
            "for each point of the labels"
        )
    for dim in certainty.dims:
        certainty = _in_order_of(labels, certainty, dim)
    expanded: xr.DataArray = certainty.expand_dims(lone).transpose(*labels.dims)
    return expanded


def _in_order_of(labels: xr.DataArray, certainty: xr.DataArray, dim: Hashable) -> xr.DataArray:
    """The certainty with the entries of the labels along a dim, found by its coordinate."""
    if dim in labels.indexes and dim in certainty.indexes:
        wanted, known = labels.indexes[dim], certainty.indexes[dim]
        if wanted.equals(known):
            return certainty
        if known.is_unique and wanted.isin(known).all():
            return certainty.isel({dim: known.get_indexer(wanted)})
        raise ValueError(
            f"certainty is on other points than the labels: {dim!r} does not hold all of the "
            "labels' values; choose both from one result, or reindex the certainty like the labels"
        )
    if labels.sizes[dim] != certainty.sizes[dim]:
        raise ValueError(
            f"certainty has {certainty.sizes[dim]} entries along {dim!r}, but the labels "
            f"{labels.sizes[dim]}; pass one value for each point of the labels"
        )
    return certainty


def read_together(
    labels: xr.DataArray, certainty: xr.DataArray | None
) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Labels and certainty in memory, lazy ones computed once and at once; checks the latter."""
    if certainty is None:
        return labels.compute(), None
    # unlike a Dataset, a tree leaves the coordinates of both alone
    both = {"labels": labels, "certainty": certainty}
    lazy = {key: array.to_dataset(name="of this map") for key, array in both.items()}
    read = xr.DataTree.from_dict(lazy).compute()
    labels, certainty = (
        read[key].to_dataset()["of this map"].rename(array.name) for key, array in both.items()
    )
    _check_places(labels, certainty)
    return labels, _check_values(certainty)


def _check_places(labels: xr.DataArray, certainty: xr.DataArray) -> None:
    """Refuse another order of loose points or of a curvilinear grid, where no index tells it."""
    for name in find_horizontal(labels):
        if name is None or name not in certainty.coords:
            continue
        own, other = labels[name], certainty[name]
        same_dims = set(own.dims) == set(other.dims)
        if not same_dims or not np.allclose(own, other.transpose(*own.dims), equal_nan=True):
            raise ValueError(
                f"certainty is on other points than the labels: the values of {name!r} differ; "
                "choose both from one result, in the same order"
            )


def _check_values(certainty: xr.DataArray) -> xr.DataArray:
    """The certainty within 0 and 1, NaN where it is missing."""
    name = "certainty" if certainty.name is None else f"certainty {certainty.name!r}"
    if certainty.dtype.kind not in "iufb":
        raise ValueError(
            f"{name} is of type {certainty.dtype}; pass numbers from 0 (ambiguous) to 1 (certain)"
        )
    certainty = mask_invalid(certainty.astype(np.float64))
    low, high = float(certainty.min()), float(certainty.max())
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ValueError(
            f"{name} reaches from {low:g} to {high:g}; it must lie between 0 (ambiguous) and 1 "
            '(certain), as result.dataset["margin"] does'
        )
    clipped: xr.DataArray = certainty.clip(0, 1, keep_attrs=True)
    return clipped


def fade(
    labels: xr.DataArray, certainty: xr.DataArray, rgba: Float64s
) -> tuple[xr.DataArray, Float64s]:
    """Numbers of shades on the points of the labels, and the shades: all of a cluster in a row."""
    percent = np.round(certainty.fillna(0).values * _STEPS)
    numbers = labels.copy(data=(labels.values - 1) * (_STEPS + 1) + percent + 1)
    return numbers, shades(rgba).reshape(-1, 4)


def shades(rgba: Float64s) -> Float64s:
    """Each colour from nearly white to itself, shape (k, steps, 4)."""
    left = _LEAST + (1 - _LEAST) * np.linspace(0, 1, _STEPS + 1)
    faded = np.repeat(rgba[:, np.newaxis], len(left), axis=1)
    faded[..., :3] = 1 + left[:, np.newaxis] * (faded[..., :3] - 1)
    return faded


def add_certainty_bar(
    ax: Axes, certainty: xr.DataArray, rgba: Float64s, labels: xr.DataArray, *, side: Side
) -> None:
    """Draw a small bar of stripes that fade from 1 to 0, where the legend is not."""
    numbers = style.present_numbers(labels)
    some = np.unique(np.linspace(0, len(numbers) - 1, _STRIPES).round().astype(int))
    stripes = shades(rgba[numbers[some] - 1]) if len(numbers) else shades(rgba[:1])
    bar = bar_axes(ax, side, offset=clear_of_ticks(ax))
    along, across = (bar.xaxis, bar.yaxis) if side == "below" else (bar.yaxis, bar.xaxis)
    if side == "right":
        stripes = stripes.transpose(1, 0, 2)
        bar.yaxis.tick_right()
        bar.yaxis.set_label_position("right")
    look: dict[str, Any] = {"aspect": "auto", "origin": "lower", "interpolation": "nearest"}
    bar.imshow(stripes, extent=(0, 1, 0, 1), **look)
    across.set_ticks([])
    along.set_ticks([0, 0.5, 1], ["0", "0.5", "1"])
    bar.spines[:].set_linewidth(0.4)
    style_bar(bar)
    label = style.axis_label(certainty, width=_characters(ax, side)) or "certainty"
    along.set_label_text(label, fontsize=7)
    along.labelpad = 1.5


def _characters(ax: Axes, side: Side) -> int:
    """Characters of a label that fit along a bar."""
    box, (width, height) = ax.get_position(), ax.figure.get_size_inches()  # type: ignore[union-attr]
    length = 0.8 * box.width * width if side == "below" else 0.76 * box.height * height
    return max(12, int(length / 0.055))
