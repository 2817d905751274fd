"""Scale bars: their length, where they lie, and the maps that can have none."""

import cartopy.crs as ccrs
import numpy as np
import pytest
import xarray as xr
from pyproj import Geod

from xvcluster.plot import map as draw_map
from xvcluster.plot import maps, summary, votes

WGS84 = Geod(ellps="WGS84")


def parts(ax):
    """Return the two lines of a scale bar, and its text."""
    lines = [line for line in ax.lines if line.get_zorder() == 6]
    texts = [text for text in ax.texts if "km" in text.get_text()]
    assert len(lines) == 2 * len(texts)
    return lines, texts


def measure(ax):
    """Return the length in km between the ends of a bar, and the one that it says."""
    (bar, _), (text,) = parts(ax)
    x, y = bar.get_data()
    ends = ccrs.PlateCarree().transform_points(ax.projection, np.array(x), np.array(y))
    *_, length = WGS84.inv(*ends[0, :2], *ends[1, :2])
    return length / 1000, float(text.get_text().split(" km")[0].replace(",", ""))


def box_of(ax):
    """Return the corners of a bar and its text on the page."""
    lines, texts = parts(ax)
    boxes = [item.get_window_extent() for item in (*lines, *texts)]
    return np.array([(b.x0, b.y0) for b in boxes] + [(b.x1, b.y1) for b in boxes])


def is_within(ax, points):
    """Whether points on the page are on the map."""
    rim = ax.spines["geo"]
    rim.get_window_extent()
    return rim.get_path().transformed(rim.get_transform()).contains_points(points)


@pytest.fixture
def region(labels_of):
    """Labels of a region of some degrees around a place."""

    def make(lat=40.0, lon=-112.0, height=17.0, width=27.0):
        return labels_of(
            np.linspace(lat - height / 2, lat + height / 2, 12),
            np.linspace(lon - width / 2, lon + width / 2, 15),
        )

    return make


@pytest.mark.parametrize(
    ("place", "projection"),
    [
        ((40, -112), None),
        ((46, -121, 9, 5), None),
        ((47.5, -122.3, 0.5, 0.8), None),
        ((-20, 179, 15, 20), None),
        ((0, 30, 20, 20), None),
        ((75, 10, 20, 300), None),
        ((-80, 0, 18, 200), None),
        ((40, -112), ccrs.Mercator()),
        ((40, -112), ccrs.PlateCarree()),
        ((55, 10, 20, 30), ccrs.AzimuthalEquidistant(10, 55)),
        ((55, 10, 20, 30), ccrs.RotatedPole(-162, 39.25)),
        ((0, 180, 10, 335), None),
    ],
    ids=str,
)
def test_scale_bar_is_as_long_as_it_says_and_on_the_map(close, region, place, projection):
    ax = close(draw_map(region(*place), projection=projection, scale_bar=True), drawn=True)
    length, said = measure(ax)
    assert length == pytest.approx(said, rel=1e-6)
    assert said in [step * 10**power for step in (1, 2, 5) for power in range(5)]
    assert is_within(ax, box_of(ax)).all()


def test_scale_bar_of_a_given_length(close, region):
    ax = close(draw_map(region(), scale_bar=750))
    assert measure(ax) == (pytest.approx(750, rel=1e-6), 750)


def test_scale_bar_tells_its_latitude_where_scale_varies(close, region):
    ax = close(draw_map(region(), projection=ccrs.Mercator(), scale_bar=True))
    (bar, _), (text,) = parts(ax)
    at = ccrs.PlateCarree().transform_point(*np.mean(bar.get_data(), axis=1), ax.projection)
    assert text.get_text() == f"500 km at {at[1]:.0f}°N"
    assert 31 < at[1] < 34
    south = close(draw_map(region(-40), projection=ccrs.Mercator(), scale_bar=True))
    assert parts(south)[1][0].get_text().endswith("°S")


def test_scale_bar_is_of_a_length_of_its_latitude(close, region):
    """On a Mercator map, a kilometre is longer by 1 / cos(latitude)."""
    widths = []
    for lat in (0, 60):
        labels = region(lat, 0, 4, 4)
        (bar, _), _ = parts(close(draw_map(labels, projection=ccrs.Mercator(), scale_bar=100)))
        at = ccrs.PlateCarree().transform_point(*np.mean(bar.get_data(), axis=1), ccrs.Mercator())
        widths.append(np.ptp(bar.get_xdata()) * np.cos(np.radians(at[1])))
    assert widths[0] == pytest.approx(widths[1], rel=5e-3)


@pytest.mark.parametrize(
    ("legend", "left", "low"),
    [
        (True, True, True),
        (False, True, True),
        ("lower left", False, True),
        ("lower right", True, True),
        ("lower center", True, False),
        ("center left", False, True),
        ("upper left", False, True),
        ("upper right", True, True),
    ],
)
def test_scale_bar_is_clear_of_the_legend(close, region, legend, left, low):
    ax = close(draw_map(region(), legend=legend, scale_bar=True), drawn=True)
    box = box_of(ax)
    centre = box.mean(axis=0)
    middle = ax.bbox.get_points().mean(axis=0)
    assert ((centre < middle) == [left, low]).all()
    if legend:
        other = ax.get_legend().get_window_extent()
        apart = (box.max(axis=0) < other.min) | (box.min(axis=0) > other.max)
        assert apart.any()


def test_scale_bar_is_legible(close, region):
    ax = close(draw_map(region(), scale_bar=True))
    assert parts(ax)[1][0].get_fontsize() >= 6


def test_scale_bar_leaves_the_limits_of_the_map(close, region):
    plain, barred = (close(draw_map(region(), scale_bar=bar), drawn=True) for bar in (False, True))
    assert plain.get_xlim() == barred.get_xlim()
    assert plain.get_ylim() == barred.get_ylim()
    assert parts(plain) == ([], [])


def test_other_maps_have_one_scale_bar(close, result_of, sweep_of, labels_of):
    months = xr.concat([labels_of(np.arange(40.0, 45), np.arange(5.0, 12))] * 3, "time")
    count = labels_of(np.arange(40.0, 45), np.arange(5.0, 12)).drop_attrs().astype(int)
    agreed = xr.Dataset({"votes": (count % 2).expand_dims(cluster=[1]), "n_models": 0 * count + 2})
    figures = [
        summary(result_of(), scale_bar=True),
        maps(sweep_of(), scale_bar=200),
        draw_map(months, col="time", scale_bar=True),
        votes(agreed, scale_bar=True),
    ]
    for figure in figures:
        close(figure, drawn=True)
        axes = [ax for ax in figure.figure.axes if hasattr(ax, "projection")]
        found = [len(parts(ax)[1]) for ax in axes]
        assert found == [1] + [0] * (len(axes) - 1)
        assert is_within(axes[0], box_of(axes[0])).all()
        length, said = measure(axes[0])
        assert length == pytest.approx(said, rel=1e-6)


def test_scale_bar_is_refused_on_a_global_map(labels_of):
    labels = labels_of(np.arange(-85.0, 86, 10), np.arange(-175.0, 180, 10))
    with pytest.raises(ValueError, match=r"cannot be true for this map.*omit scale_bar, draw"):
        draw_map(labels, scale_bar=True)


def test_scale_bar_is_refused_without_coordinates(labels_of):
    plane = xr.DataArray([[1.0, 2.0], [2.0, 1.0]], dims=("y", "x"))
    with pytest.raises(ValueError, match=r"scale_bar=True requires latitude and longitude"):
        draw_map(plane, scale_bar=True)


def test_scale_bar_is_refused_if_it_does_not_fit(region):
    with pytest.raises(ValueError, match=r"scale_bar=9000 km is too long .* on which 2000 km fit"):
        draw_map(region(), scale_bar=9000)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ("200 km", TypeError, r"scale_bar must be True, False or a length in km; got '200 km'"),
        (None, TypeError, r"scale_bar must be True, False or a length in km; got None"),
        (0, ValueError, r"scale_bar, a length in km, must be finite and above 0; got 0"),
        (-5.0, ValueError, r"scale_bar, a length in km, must be finite and above 0"),
        (np.nan, ValueError, r"scale_bar, a length in km, must be finite and above 0"),
    ],
)
def test_scale_bar_of_no_length_is_refused(region, sweep_of, wrong, error, message):
    with pytest.raises(error, match=message):
        draw_map(region(), scale_bar=wrong)
    with pytest.raises(error, match=message):
        maps(sweep_of(), scale_bar=wrong)
