"""The certainty of the labels on a map: colours that fade, and a bar that shows the scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.grid.coords import find_horizontal
from xvcluster.grid.labels import present_numbers
from xvcluster.grid.missing import mask_invalid
from xvcluster.plot import legend as legends
from xvcluster.plot import style
from xvcluster.plot.fields import bar_axes, clear_of_ticks

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes

    from xvcluster.plot.legend import Side


_LEAST = 0.15
"""Share of a colour that remains at certainty 0, so that it can still be recognized."""

_STEPS = 100
"""Number of steps in which a colour fades: whole percents."""

_ROUNDING = 1e-5
"""Tolerance beyond 0 and 1 for sums in float32."""

_STRIPES = 5
"""Maximum number of clusters that the bar shows."""


def match_certainty(
    labels: xr.DataArray, certainty: xr.DataArray | str | None, *, over_field: bool
) -> xr.DataArray | None:
    """Return the certainty in the order of the labels, still lazy; other points are an error."""
    if certainty is None:
        return None
    if isinstance(certainty, str):
        raise ValueError(
            f"certainty={certainty!r} is the name of a variable of a result, but only labels were "
            f"given; draw result.plot.map(certainty={certainty!r}), or pass the array itself"
        )
    if not isinstance(certainty, xr.DataArray):
        raise TypeError(
            f"certainty is a {type(certainty).__name__}; pass a DataArray on the points of the "
            'labels, such as result.dataset["margin"]'
        )
    if over_field:
        raise ValueError(
            "certainty fades the colours of labels, but over a background clusters are only "
            "outlined; omit one of the two"
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
    """Return the certainty in the order of the labels along a dim, by its coordinate."""
    if dim in labels.indexes and dim in certainty.indexes:
        wanted, known = labels.indexes[dim], certainty.indexes[dim]
        if wanted.equals(known):
            return certainty
        if known.is_unique and wanted.isin(known).all():
            return certainty.isel({dim: known.get_indexer(wanted)})
        raise ValueError(
            f"certainty and labels are on different points: {dim!r} does not contain all values of "
            "the labels; take both from one result, or reindex the certainty like the labels"
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
    """Read labels and certainty into memory, sharing the work of lazy ones; check the latter."""
    if certainty is None:
        return labels.compute(), None
    if labels.chunks is not None and certainty.chunks is not None:
        from dask.base import compute

        labels, certainty = compute(labels, certainty)  # type: ignore[no-untyped-call]
    labels, certainty = labels.compute(), certainty.compute()
    _check_places(labels, certainty)
    return labels, _check_values(certainty)


def _check_places(labels: xr.DataArray, certainty: xr.DataArray) -> None:
    """Raise an error if points that have no index, scattered or curvilinear, are not the same."""
    for name in find_horizontal(labels):
        if name is None or name not in certainty.coords:
            continue
        own, other = labels[name], certainty[name]
        same_dims = set(own.dims) == set(other.dims)
        if not same_dims or not np.allclose(own, other.transpose(*own.dims), equal_nan=True):
            raise ValueError(
                f"certainty and labels are on different points: the values of {name!r} differ; "
                "take both from one result, in the same order"
            )


def _check_values(certainty: xr.DataArray) -> xr.DataArray:
    """Return the certainty, from 0 to 1 within rounding, NaN where it is missing.

    A margin is negative where another centroid is nearer than that of the cluster.
    """
    name = "certainty" if certainty.name is None else f"certainty {certainty.name!r}"
    if certainty.dtype.kind not in "iufb":
        raise ValueError(
            f"{name} is of type {certainty.dtype}; pass numbers from 0 (ambiguous) to 1 (certain)"
        )
    certainty = mask_invalid(certainty.astype(np.float64))
    low, high = float(certainty.min()), float(certainty.max())
    least = -1.0 if certainty.name == "margin" else 0.0
    if low < least - _ROUNDING or high > 1 + _ROUNDING:
        raise ValueError(
            f"{name} ranges from {low:g} to {high:g}; it must lie between 0 (ambiguous) and 1 "
            '(certain), as result.dataset["margin"] does'
        )
    return certainty


def fade(
    labels: xr.DataArray, certainty: xr.DataArray, rgba: Float64s
) -> tuple[xr.DataArray, Float64s]:
    """Return the labels as numbers of shades, and the shades, cluster by cluster."""
    percent = np.round(certainty.fillna(0).clip(0, 1).values * _STEPS)
    numbers = labels.copy(data=(labels.values - 1) * (_STEPS + 1) + percent + 1)
    return numbers, shades(rgba).reshape(-1, 4)


def shades(rgba: Float64s) -> Float64s:
    """Return the shades of each colour, from nearly white to itself, shape (k, steps, 4)."""
    remaining = _LEAST + (1 - _LEAST) * np.linspace(0, 1, _STEPS + 1)
    faded = np.repeat(rgba[:, np.newaxis], len(remaining), axis=1)
    faded[..., :3] = 1 + remaining[:, np.newaxis] * (faded[..., :3] - 1)
    return faded


def add_certainty_bar(
    ax: Axes, certainty: xr.DataArray, rgba: Float64s, labels: xr.DataArray, *, side: Side
) -> None:
    """Draw a small bar of stripes that fade from 1 to 0, at the side without the legend."""
    numbers = present_numbers(labels)
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
    least = "≤ 0" if float(certainty.min()) < -_ROUNDING else "0"
    along.set_ticks([0, 0.5, 1], [least, "0.5", "1"])
    label = style.axis_label(certainty, width=_characters(ax, side)) or "certainty"
    along.set_label_text(label, fontsize=7)
    along.labelpad = 1.5


def _characters(ax: Axes, side: Side) -> int:
    """Return the number of characters of a label that fit along a bar."""
    width, height = legends.inches(ax)
    length = 0.8 * width if side == "below" else 0.76 * height
    return max(12, int(length / 0.055))
