"""A scale bar on a map: of a round length, true where it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.horizontal import unit_vectors
from xvcluster.messages import shown
from xvcluster.options import check_number
from xvcluster.plot import style
from xvcluster.plot.legend import inches

if TYPE_CHECKING:
    from cartopy.crs import Projection
    from cartopy.mpl.geoaxes import GeoAxes
    from matplotlib.axes import Axes
    from matplotlib.path import Path

_SHARE = 0.3
"""Of the width of a map that a bar takes, at most."""

_DIFFERENT = 2.0
"""The longest kilometre on paper is at most so many times as long as the shortest."""

_EQUAL = 1.1
"""Up to here, one bar is true for all of the map."""

_HEIGHT, _LETTER, _CLEAR = 0.3, 0.065, 0.1
"""Inches: of a bar with its length above, of a letter, and between them and the rim of the map."""

_FONT, _THICK, _RIM = 7, 4.0, 0.7
"""Points: of the length above a bar, of the bar, and of the rim of its light half."""

_ROUNDS = 20
"""Corrections of the width of a bar, each of which leaves a small part of its error."""


def check_scale_bar(scale_bar: Any) -> bool | float:
    """Return whether a bar is wanted, or its length in km; refuse anything else."""
    if isinstance(scale_bar, bool | np.bool_):
        return bool(scale_bar)
    if scale_bar is None or isinstance(scale_bar, str):
        raise TypeError(f"scale_bar must be True, False or a length in km; got {shown(scale_bar)}")
    return check_number("scale_bar, a length in km,", scale_bar, above=0)


def add_scale_bar(ax: Axes, length: bool | float, *, legend: bool | str = False) -> None:
    """Draw a scale bar in a lower corner of a map, or above a legend that lies below.

    Parameters
    ----------
    ax : GeoAxes
        Whose limits are set.
    length : True or float
        In km; True chooses a round one.
    legend : bool or str
        Where on the map its legend is.

    Raises
    ------
    ValueError
        If the axes have no projection, if the bar is longer than the map is wide, or if a kilometre
        is more than twice as long in one part or direction of the map than in another.
    """
    if not hasattr(ax, "projection"):
        raise ValueError(
            f"scale_bar={length!r} requires latitude and longitude, but the field to be drawn has "
            "no such coordinates; assign both, or omit scale_bar"
        )
    ratio = _check_scale(ax)
    left, right = ax.get_xlim()
    corner = _choose_corner(legend)
    start = _place(ax, corner, _SHARE * (right - left), 0.0)
    chosen = _round(_measure(ax.projection, *start, _SHARE * (right - left)))
    chosen = chosen if length is True else float(length)
    width = _width(ax, chosen, start)
    text = f"{chosen:,g} km"
    x, y = start = _place(ax, corner, width, _LETTER * len(text) + 0.1)
    width = _width(ax, chosen, start)
    if ratio > _EQUAL:
        text += f" at {_latitude(ax.projection, x + width / 2, y)}"
    _draw(ax, x, y, width, text)


def _check_scale(ax: GeoAxes) -> float:
    """Return by which factor the scale of a map varies; refuse more than two."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    x, y = np.meshgrid(np.linspace(left, right, 15)[1:-1], np.linspace(bottom, top, 15)[1:-1])
    inside = _outline(ax).contains_points(np.stack([x.ravel(), y.ravel()], axis=1))
    x, y = x.ravel()[inside], y.ravel()[inside]
    step = (right - left) / 1000
    lengths = np.stack(
        [_apart(ax.projection, x, y, x + dx, y + dy) for dx, dy in ((step, 0), (0, step))]
    )
    lengths = lengths[np.isfinite(lengths)]
    ratio = float(lengths.max() / lengths.min()) if lengths.size and lengths.min() else np.inf
    if ratio > _DIFFERENT:
        raise ValueError(
            f"a scale bar cannot be true for this map, on which a kilometre is up to {ratio:.1f} "
            "times as long in one part or direction as in another; omit scale_bar, draw a smaller "
            "region by extent, or pass a projection that is centred on it"
        )
    return ratio


def _outline(ax: GeoAxes) -> Path:
    """Return the rim of a map in the coordinates of its projection."""
    rim = ax.spines["geo"]
    rim.get_window_extent()  # fits it to the limits of the axes
    path: Path = rim.get_path().transformed(rim.get_transform() - ax.transData)
    return path


def _choose_corner(legend: bool | str) -> tuple[float, float]:
    """Return the corner of a bar, in fractions of the axes: away from the legend."""
    at = legend if isinstance(legend, str) else ""
    return float("left" in at), float(at == "lower center")


def _place(
    ax: GeoAxes, corner: tuple[float, float], width: float, least: float
) -> tuple[float, float]:
    """Return where a bar begins that lies within the rim, as near to a corner as it can.

    `width` is in the coordinates of the projection; `least` is that of the text in inches.
    """
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    inch = float(np.max([right - left, top - bottom] / inches(ax)))
    clear, height, text = _CLEAR * inch, _HEIGHT * inch, max(width, least * inch)
    rim = _outline(ax)
    x0 = right - clear - text if corner[0] else left + clear
    y0 = top - clear - height if corner[1] else bottom + clear
    edge = np.linspace(0, 1, 9)
    box = np.stack([np.tile(edge, 2), np.repeat([0.0, 1.0], 9)], axis=1)
    box = np.concatenate([box, box[:, ::-1]]) * [text + 2 * clear, height + 2 * clear] - clear
    for share in np.linspace(0, 0.5, 101):
        x = x0 + share * (right - left) * (-1 if corner[0] else 1)
        y = y0 + share * (top - bottom) * (-1 if corner[1] else 1)
        # the window itself is a rim, on which a point is not inside
        if rim.contains_points(box * (1 - 1e-6) + [x, y]).all():
            break
    return x + (text - width) / 2, y


def _apart(projection: Projection, x: Any, y: Any, to_x: Any, to_y: Any) -> Float64s:
    """Return how far places on a map are apart on a sphere, in km."""
    from cartopy.crs import PlateCarree

    ends = []
    for place in ((x, y), (to_x, to_y)):
        pair = np.broadcast_arrays(*np.atleast_1d(*place))
        at = PlateCarree().transform_points(projection, *map(np.asarray, pair))
        at = np.where(np.isfinite(at), at, np.nan)
        ends.append(unit_vectors(at[:, 1], at[:, 0]))
    chord = np.linalg.norm(ends[0] - ends[1], axis=-1)
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1)))


def _measure(projection: Projection, x: float, y: float, width: float) -> float:
    """Return the length in km, on the ellipsoid, of a bar on a map."""
    from cartopy.crs import PlateCarree
    from cartopy.geodesic import Geodesic

    points = np.array([[x, y], [x + width, y]])
    start, end = PlateCarree().transform_points(projection, *points.T)[:, :2]
    return float(Geodesic().inverse(start, end)[0, 0]) / 1000


def _round(length: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is not above a length."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length))


def _width(ax: GeoAxes, length: float, start: tuple[float, float]) -> float:
    """Return the width on a map, in its coordinates, of a bar of some km."""
    left, right = ax.get_xlim()
    widths = (right - left) * np.arange(1, 19) / 20
    lengths = [
        _measure(ax.projection, (left + right - width) / 2, start[1], width) for width in widths
    ]
    # beyond half a turn, the ends of a bar come closer again
    last = int(np.nanargmax(lengths)) + 1
    longest = lengths[last - 1]
    if not length <= longest:
        raise ValueError(
            f"scale_bar={length:g} km is too long for this map, on which {_round(longest):g} km "
            "fit; pass a shorter one, or True"
        )
    width = np.interp(length, [0.0, *lengths[:last]], [0.0, *widths[:last]])
    for _ in range(_ROUNDS):
        width *= length / _measure(ax.projection, *start, width)
    return float(width)


def _latitude(projection: Projection, x: float, y: float) -> str:
    """Return the latitude of a place on a map, such as ``"42°N"``."""
    from cartopy.crs import PlateCarree

    lat = PlateCarree().transform_point(x, y, projection)[1]
    return f"{abs(lat):.0f}°{'N' if lat >= 0 else 'S'}"


def _draw(ax: GeoAxes, x: float, y: float, width: float, text: str) -> None:
    """Draw a bar, one half dark and the other light, with its length above."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    look: dict[str, Any] = {"solid_capstyle": "butt", "zorder": 6, "transform": ax.transData}
    halo = [withStroke(linewidth=2.5, foreground="white", alpha=0.85)]
    ends = [x, x + width]
    ax.add_artist(Line2D(ends, [y, y], color=style.OUTLINE, lw=_THICK, path_effects=halo, **look))
    rim = _RIM / 72 * float(np.ptp(ax.get_xlim()) / inches(ax)[0])
    light = [x + width / 2, max(ends[1] - rim, x + width / 2)]
    ax.add_artist(Line2D(light, [y, y], color="white", lw=_THICK - 2 * _RIM, **look))
    at: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "zorder": 6}
    ax.annotate(
        text, (x + width / 2, y), ha="center", va="bottom", fontsize=_FONT, color=style.OUTLINE,
        path_effects=halo, annotation_clip=False, **at,
    )  # fmt: skip
