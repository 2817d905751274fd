import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh

from xvcluster.plot import cluster_colors
from xvcluster.plot import map as draw_map
from xvcluster.plot.methods import ResultPlots

LAT, LON = np.arange(35.0, 41.0), np.arange(-120.0, -112.0)
PLAIN = {"coastlines": False, "borders": False, "gridlines": False}


@pytest.fixture
def moving(labels_of):
    """Labels of three months, in each of which clusters move by one; the first has no cluster 4."""
    first = labels_of(LAT, LON, 4, missing=True)
    months = xr.DataArray(pd.date_range("2000-01-01", periods=3, freq="MS"), dims="time")
    moved = [first.copy(data=(first.values - 1 + i) % 4 + 1) for i in range(3)]
    moved[0] = moved[0].where(moved[0] < 4, 3)
    return xr.concat(moved, months.rename("time")).where(first > 0)


def meshes(figure):
    return [next(a for a in ax.collections if isinstance(a, QuadMesh)) for ax in figure.axes]


def test_map_with_col_draws_one_map_for_each_time(close, moving):
    figure = close(draw_map(moving, col="time", title="Months", **PLAIN), drawn=True).figure
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["time = 2000-01", "time = 2000-02", "time = 2000-03"]
    for drawn, labels in zip(meshes(figure), moving, strict=True):
        np.testing.assert_array_equal(drawn.get_array().filled(np.nan), labels)
    assert figure.get_suptitle() == "Months"


def test_map_with_col_has_the_same_colours_in_all_maps_and_one_legend(close, moving):
    figure = close(draw_map(moving, col="time", **PLAIN), drawn=True).figure
    for drawn in meshes(figure):
        np.testing.assert_allclose(drawn.to_rgba([1, 2, 3, 4]), cluster_colors(moving))
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == [*(f"Cluster {number}" for number in range(1, 5)), "no profile"]
    assert all(ax.get_legend() is None for ax in figure.axes)
    box = legend.get_window_extent()
    assert not any(box.overlaps(ax.get_tightbbox()) for ax in figure.axes)
    assert box.y0 >= 0


def test_map_with_col_shows_many_clusters_once(close, labels_of):
    labels = xr.concat([labels_of(LAT, LON, 24)] * 2, "run")
    figure = close(draw_map(labels, col="run", **PLAIN), drawn=True).figure
    keys = [child for ax in figure.axes for child in ax.child_axes]
    assert [key.get_title() for key in keys] == ["Cluster"]
    assert figure.legends == []


def test_map_with_col_passes_what_belongs_to_each_map(close, moving):
    field = moving.copy(data=np.arange(moving.size, dtype=float).reshape(moving.shape))
    field = field.drop_attrs().assign_attrs(units="K")
    figure = close(draw_map(moving, col="time", background=field, **PLAIN)).figure
    for drawn, own in zip(meshes(figure), field, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), own)


def test_map_with_col_wraps(close, moving):
    figure = close(draw_map(moving, col="time", col_wrap=1, **PLAIN)).figure
    assert figure.axes[0].get_gridspec().get_geometry() == (3, 1)


def test_map_with_col_of_plain_dims_and_of_numbers(close):
    labels = xr.DataArray(np.ones((2, 3, 4)), dims=("level", "y", "x"), name="label")
    labels = labels.assign_coords(level=("level", [10.0, 50.0], {"units": "m"}))
    figure = close(draw_map(labels, col="level")).figure
    assert [ax.get_title() for ax in figure.axes] == ["level = 10 m", "level = 50 m"]


def test_map_of_a_result_takes_col_too(close, result_of, moving):
    dataset = result_of(4).drop_dims("latitude").assign(label=moving)
    assert len(close(ResultPlots(dataset).map(col="time", **PLAIN)).axes) == 3


def test_map_of_several_times_tells_of_col(moving):
    text = r"3 entries along 'time'.*draw one map for each with plot\.map\(col='time'\)"
    with pytest.raises(ValueError, match=text):
        draw_map(moving)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"col": "tim"}, r"col='tim' is not a dimension of the labels, which have dims 'time', "),
        ({"col": "latitude"}, r"col='latitude' is a dimension of the map itself"),
        ({"col": "time", "col_wrap": 0}, r"col_wrap must be at least 1; got 0"),
        ({"col": "time", "legend": "lower left"}, r"one legend lies beside all maps, not at 'low"),
        ({"col": "time", "certainty": "margin"}, r"certainty='margin' is the name of a variable"),
        ({"col_wrap": 2}, r"col_wrap=2 has no effect without col"),
    ],
)
def test_map_refuses_facets_that_cannot_be(moving, options, text):
    with pytest.raises(ValueError, match=text):
        draw_map(moving, **options)


def test_map_refuses_facets_in_given_axes(close, moving):
    ax = close(plt.subplot(projection=ccrs.Robinson()))
    with pytest.raises(ValueError, match=r"col='time' draws a figure with axes of its own"):
        draw_map(moving, col="time", ax=ax)


def test_map_refuses_more_maps_than_fit(moving):
    many = moving.isel(time=np.zeros(1000, dtype=int))
    text = r"1000 panels .* do not fit in a figure of 20 inches; .* every third, labels\[::3\]"
    with pytest.raises(ValueError, match=text):
        draw_map(many, col="time")
