"""The levels of profiles as an axis: upright for depths, from left to right for times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Float64s
from xvcluster.grid.coords import positive, units
from xvcluster.messages import plain
from xvcluster.plot import style
from xvcluster.record.dataset import parameters_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_TIMES = frozenset("time t date year season quarter month week weekday day dayofyear hour".split())
"""Names of dimensions that are times, such as those of means over months."""

_CHARACTERS = 22
"""How many characters of names fit side by side below a narrow panel."""

_YEAR = 8
"""Points: size of what dates of an axis have in common, such as the year."""

_NAMES = 24
"""How many names fit one below the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The levels of profiles.

    Attributes
    ----------
    at : ndarray, shape (n_levels,)
        Numbers or dates; of levels that are neither, their positions, and of dates in an unusual
        calendar the days since the first.
    names : list of str, optional
        Of levels that are no numbers.
    name, units, label : str
        Of the coordinate, and of its axis.
    is_time : bool
        Whether the axis runs from left to right.
    points_down : bool
        Whether an upright axis has its lowest value on top.
    """

    at: Array
    names: list[str] | None
    name: str
    units: str
    label: str
    is_time: bool
    points_down: bool

    def draw(self, ax: Axes, values: Array, **look: Any) -> None:
        """Draw a profile."""
        ax.plot(*(self.at, values)[:: 1 if self.is_time else -1], **look)

    def paths(self, values: Float64s) -> Float64s:
        """Return the points (n, n_levels, 2) of n profiles on axes."""
        pair = np.stack([np.broadcast_to(self.at, values.shape), values], axis=-1)
        return pair if self.is_time else pair[..., ::-1]

    def fill(self, ax: Axes, low: Array, high: Array, **look: Any) -> None:
        """Fill the band between two profiles."""
        fill = ax.fill_between if self.is_time else ax.fill_betweenx
        fill(self.at, low, high, linewidth=0, **look)

    def axis(self, ax: Axes) -> Axis:
        """Return the axis of the levels."""
        return ax.xaxis if self.is_time else ax.yaxis

    def limit_values(self, ax: Axes, low: float, high: float) -> None:
        """Set the range of the axis of the values."""
        limit = ax.set_ylim if self.is_time else ax.set_xlim
        limit(low, high)

    def labels(self, of_values: str) -> tuple[str, str]:
        """Return the labels of the axes x and y."""
        return (self.label, of_values) if self.is_time else (of_values, self.label)

    def limit(self, ax: Axes) -> None:
        """Set the range and the ticks of the axis of the levels: depth points down."""
        low, high = self.at.min(), self.at.max()
        if low != high and self.is_time:
            ax.set_xlim(low, high)
        elif low != high:
            ax.set_ylim(*(low, high)[:: -1 if self.points_down else 1])
        if self.names is not None and self.at.dtype.kind != "M":
            longest = max(map(len, self.names))
            fitting = max(_CHARACTERS // (longest + 2), 2) if self.is_time else _NAMES
            some = slice(None, None, -(-len(self.names) // fitting))
            self.axis(ax).set_ticks(self.at[some], self.names[some])
        elif self.is_time and self.at.dtype.kind == "M":
            _show_dates(ax)

    def ends(self) -> tuple[str, str]:
        """Return the levels at both ends of the axis: on top and below, or left and right."""
        first, last = int(self.at.argmin()), int(self.at.argmax())
        if not (self.is_time or self.points_down):
            first, last = last, first
        if self.names is not None:
            return self.names[first], self.names[last]
        return f"{self.at[first]:g}", f"{self.at[last]:g}"


def find_levels(dataset: xr.Dataset) -> Levels | None:
    """Return the levels of a result, or None if it has a single one."""
    name = parameters_of(dataset).get("vertical")
    if name is None or dataset.sizes[name] == 1:
        return None
    return read_levels(_named_levels(dataset, name))


def _named_levels(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return the vertical coordinate; where levels are only counted, what else names them."""
    others = [c for n, c in dataset.coords.items() if c.dims == (name,) and n != name]
    if name in dataset.coords or not others:
        return dataset[name]
    rows = list(zip(*(_texts(other) for other in others), strict=True))
    values = np.empty(len(rows), dtype=object)
    values[:] = rows
    return xr.DataArray(values, dims=name, name=name)


def _texts(coordinate: xr.DataArray) -> list[str]:
    levels = read_levels(coordinate)
    return levels.names or [f"{value:g}" for value in levels.at]


def read_levels(coordinate: xr.DataArray) -> Levels:
    """Read how the levels of a coordinate are drawn: numbers, durations, dates or names."""
    is_named_time = str(coordinate.name).lower() in _TIMES
    says_time = (
        coordinate.attrs.get("standard_name") == "time" or coordinate.attrs.get("axis") == "T"
    )
    values, names = coordinate.values, None
    is_date = values.dtype.kind == "M"
    if values.dtype.kind == "m":
        coordinate = coordinate.copy(data=values / np.timedelta64(1, "D"))
        coordinate, values = coordinate.assign_attrs(units="days"), coordinate.values
    elif is_date:
        names = _short_dates(np.datetime_as_string(values, unit="s"))
    elif values.dtype.kind not in "fiub":
        is_date = bool(values.size) and hasattr(values.flat[0], "calendar")
        names = _short_dates([d.isoformat() for d in values]) if is_date else _spell(values)
        values = _days(values) if is_date else np.arange(len(values))
    return Levels(
        at=values,
        names=names,
        name=str(coordinate.name),
        units=units(coordinate),
        label=style.axis_label(coordinate),
        is_time=is_date or is_named_time or says_time,
        points_down=positive(coordinate) == "down",
    )


def _spell(values: Array) -> list[str]:
    """Return the names of levels; of several indexes, theirs side by side."""
    parts = [value if isinstance(value, tuple) else (value,) for value in values]
    return [plain(", ".join(map(str, part)), 20) for part in parts]


def _short_dates(dates: Any) -> list[str]:
    """Shorten dates, 2000-01-01T00:00:00, by what is the same at the end of all."""
    texts = [str(date)[:19] for date in dates]
    for ending, length in ((":00", 16), ("T00:00", 10), ("-01", 7), ("-01", 4)):
        if not all(text.endswith(ending) for text in texts):
            break
        texts = [text[:length] for text in texts]
    return texts


def _days(dates: Array) -> Array:
    """Return dates of cftime as days since the first."""
    return np.array([(date - dates[0]).total_seconds() / 86400 for date in dates])


def _show_dates(ax: Axes) -> None:
    """Give a narrow axis a few short dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    dates = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(dates)
    ax.xaxis.offsetText.set_fontsize(_YEAR)
    dates.format_ticks(ax.get_xticks())  # type: ignore[no-untyped-call]
    if dates.get_offset():  # type: ignore[no-untyped-call] # at the end of the line of the label
        ax.xaxis.labelpad += 1.2 * _YEAR
