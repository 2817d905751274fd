import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgba
from matplotlib.dates import num2date

from xvcluster.plot import cluster_colors, profiles, som, summary


def thick(ax):
    return max(ax.lines, key=lambda line: line.get_linewidth())


def test_profiles_one_panel_a_cluster_with_its_share(close, result_of):
    figure = close(profiles(result_of(4)), drawn=True).figure
    assert [ax.get_title() for ax in figure.axes] == [
        "Cluster 1 · 10 % of the area",
        "Cluster 2 · 20 % of the area",
        "Cluster 3 · 30 % of the area",
        "Cluster 4 · 40 % of the area",
    ]


def test_profiles_count_profiles_where_there_is_no_area(close, result_of):
    figure = close(profiles(result_of(4).drop_vars("area"))).figure
    assert figure.axes[0].get_title() == "Cluster 1 · 25 % of the profiles"


def test_profiles_draw_the_centroid_in_the_cluster_s_colour(close, result_of):
    dataset = result_of(3)
    figure = close(profiles(dataset), drawn=True).figure
    for index, ax in enumerate(figure.axes):
        line = thick(ax)
        np.testing.assert_array_equal(line.get_xdata(), dataset["vs"][index])
        assert to_rgba(line.get_color()) == tuple(cluster_colors(dataset["label"])[index])


def test_profiles_of_some_clusters_keep_their_colours(close, result_of):
    dataset = result_of(4).sel(cluster=[2, 4])
    figure = close(profiles(dataset)).figure
    colors = [to_rgba(thick(ax).get_color()) for ax in figure.axes]
    np.testing.assert_array_equal(colors, cluster_colors(dataset["label"])[[1, 3]])
    assert [ax.get_title()[:9] for ax in figure.axes] == ["Cluster 2", "Cluster 4"]


def test_profiles_without_a_vertical_keep_the_colours_of_some_clusters(close, result_of):
    dataset = result_of(4, vertical=None).sel(cluster=[2, 4])
    (ax,) = close(profiles(dataset)).axes
    colors = [patch.get_facecolor() for patch in ax.patches]
    np.testing.assert_allclose(colors, cluster_colors(dataset["label"])[[1, 3]])


@pytest.mark.parametrize(("positive", "inverted"), [("down", True), (None, True), ("up", False)])
def test_profiles_depth_points_down(close, result_of, positive, inverted):
    figure = close(profiles(result_of(2, positive=positive))).figure
    assert all(bool(ax.yaxis_inverted()) is inverted for ax in figure.axes)


@pytest.mark.parametrize("name", ["radius", "height", "altitude", "elevation"])
def test_profiles_draw_high_values_on_top_of_an_axis_that_increases_upwards(close, result_of, name):
    figure = close(profiles(result_of(2, vertical=name, positive=None))).figure
    assert not any(ax.yaxis_inverted() for ax in figure.axes)


def test_profiles_label_units_and_share_ranges(close, result_of):
    figure = close(profiles(result_of(4), ncols=2)).figure
    assert figure.axes[2].get_xlabel() == "velocity vs (km/s)"
    assert figure.axes[2].get_ylabel() == "depth (km)"
    assert [ax.get_ylabel() for ax in figure.axes[1::2]] == ["", ""]
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    assert len({ax.get_ylim() for ax in figure.axes}) == 1


def test_profiles_draw_all_variables_or_one(close, result_of):
    dataset = result_of(3, variables=("vs", "vp"))
    assert len(close(profiles(dataset)).axes) == 6
    figure = close(profiles(dataset, variable="vp")).figure
    assert len(figure.axes) == 3
    assert figure.axes[0].get_xlabel() == "velocity vp (km/s)"


def test_profiles_refuse_an_unknown_variable(result_of):
    with pytest.raises(ValueError, match=r"variable 'rho' was not clustered; choose one of \['vs'"):
        profiles(result_of(3), variable="rho")


def test_profiles_take_axes(close, result_of):
    figure, axes = plt.subplots(1, 3)
    panels = close(profiles(result_of(3), axes=axes))
    assert panels.figure is figure
    assert list(panels.axes) == list(np.ravel(axes))
    assert axes[2].get_title().startswith("Cluster 3")


def test_profiles_refuse_too_few_axes(close, result_of):
    figure, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match=r"axes has 2 axes for 3 panels; pass 3"):
        profiles(result_of(3), axes=axes)
    with pytest.raises(ValueError, match=r"ncols=2 has no effect on the given axes"):
        profiles(result_of(2), axes=axes, ncols=2)
    close(figure)


def test_profiles_refuse_no_columns(result_of):
    with pytest.raises(ValueError, match=r"ncols must be at least 1, got 0"):
        profiles(result_of(3), ncols=0)


def test_profiles_without_a_vertical_are_boxes(close, result_of):
    dataset = result_of(3, vertical=None)
    figure = close(profiles(dataset)).figure
    (ax,) = figure.axes
    texts = [text.get_text() for text in ax.get_yticklabels()]
    assert texts == ["Cluster 1 · 17 %", "Cluster 2 · 33 %", "Cluster 3 · 50 %"]
    assert ax.get_xlabel() == "velocity vs (km/s)"
    colors = [patch.get_facecolor() for patch in ax.patches]
    np.testing.assert_allclose(colors, cluster_colors(dataset["label"]))


def test_profiles_of_one_level_are_boxes(close, result_of):
    dataset = result_of(3).isel(depth=[2])
    (ax,) = close(profiles(dataset), drawn=True).axes
    colors = [patch.get_facecolor() for patch in ax.patches]
    np.testing.assert_allclose(colors, cluster_colors(dataset["label"]))


def test_profiles_along_time_have_dates(close, result_of):
    dataset = result_of(2)
    months = np.arange("2000-01", "2000-07", dtype="datetime64[M]").astype("datetime64[ns]")
    figure = close(profiles(dataset.assign_coords(depth=months)), drawn=True).figure
    for ax, centroid in zip(figure.axes, dataset["vs"].values, strict=True):
        ends = [num2date(at).strftime("%Y-%m-%d") for at in ax.get_xlim()]
        assert ends == ["2000-01-01", "2000-06-01"]
        np.testing.assert_array_equal(thick(ax).get_ydata(), centroid)
    assert "Mar" in texts(figure.axes[0].xaxis)
    assert figure.axes[0].get_ylabel() == "velocity vs (km/s)"
    assert len({ax.get_ylim() for ax in figure.axes}) == 1


def texts(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("calendar", ["noleap", "360_day"])
def test_profiles_along_dates_of_a_model_run_from_left_to_right(close, result_of, calendar):
    dates = xr.date_range("2000-01-01", periods=6, freq="MS", calendar=calendar, use_cftime=True)
    dataset = result_of(2).drop_vars("depth").assign_coords(depth=dates)
    ax = close(profiles(dataset), drawn=True).axes[0]
    days = {"noleap": [0, 31, 59, 90, 120, 151], "360_day": [0, 30, 60, 90, 120, 150]}
    np.testing.assert_array_equal(thick(ax).get_xdata(), days[calendar])
    assert texts(ax.xaxis) == ["2000-01", "2000-04"]


def test_profiles_along_named_months_run_from_left_to_right(close, result_of):
    dataset = result_of(2, vertical="time").drop_vars("time")
    names = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN"]
    ax = close(profiles(dataset.assign_coords(time=names)), drawn=True).axes[0]
    assert texts(ax.xaxis) == ["JAN", "MAR", "MAY"]
    np.testing.assert_array_equal(thick(ax).get_ydata(), dataset["vs"][0])


def test_profiles_along_months_by_number_run_from_left_to_right(close, result_of):
    dataset = result_of(2, vertical="month").drop_vars("month")
    ax = close(profiles(dataset.assign_coords(month=np.arange(1, 7)))).axes[0]
    assert ax.get_xlim() == (1, 6)
    assert ax.get_xlabel() == "month"


def test_profiles_along_named_bands_have_the_first_on_top(close, result_of):
    names = ["B02", "B03", "B04", "B08", "B11", "B12"]
    dataset = result_of(2, vertical="band").drop_vars("band").assign_coords(band=names)
    ax = close(profiles(dataset), drawn=True).axes[0]
    assert texts(ax.yaxis) == names
    assert ax.yaxis_inverted()


def test_profiles_along_several_indexes_name_all(close, result_of):
    index = pd.MultiIndex.from_product([["dry", "wet"], [1, 2, 3]], names=["season", "layer"])
    coords = xr.Coordinates.from_pandas_multiindex(index, "level")
    dataset = result_of(2, vertical="level").drop_vars("level").assign_coords(coords)
    assert texts(close(profiles(dataset), drawn=True).axes[0].yaxis)[:2] == ["dry, 1", "dry, 2"]


def test_profiles_of_counted_levels_have_the_names_beside_them(close, result_of):
    names = ["B02", "B03", "B04", "B08", "B11", "B12"]
    lengths = [490.0, 560.0, 665.0, 842.5, 1610.0, 2190.0]
    dataset = result_of(2, vertical="band").drop_vars("band")
    dataset = dataset.assign_coords(name=("band", names))
    assert texts(close(profiles(dataset), drawn=True).axes[0].yaxis) == names
    dataset = dataset.assign_coords(wavelength=("band", lengths))
    ax = close(profiles(dataset), drawn=True).axes[0]
    assert texts(ax.yaxis)[:4] == ["B02, 490", "B03, 560", "B04, 665", "B08, 842.5"]


def test_profiles_of_counted_levels_without_names_are_counted(close, result_of):
    dataset = result_of(2, vertical="bottom_top").drop_vars("bottom_top")
    assert close(profiles(dataset)).axes[0].get_ylim() == (0, 5)


@pytest.mark.parametrize(
    ("values", "attrs", "top"),
    [
        ([-5, -15, -25, -35, -45, -5000], {"positive": "down", "units": "m"}, -5),
        ([1000, 850, 500, 200, 100, 10], {"units": "hPa", "positive": "up"}, 10),
        ([0, 10, 20, 30, 40, 50], {"standard_name": "height_above_geopotential_datum"}, 50),
        ([-0.9, -0.7, -0.5, -0.3, -0.2, -0.1], {"standard_name": "ocean_sigma_coordinate"}, -0.1),
    ],
    ids=["MITgcm", "pressure", "height", "sigma"],
)
def test_profiles_have_the_surface_or_the_sky_on_top(close, result_of, som_of, values, attrs, top):
    levels = ("depth", np.asarray(values, float), attrs)
    bottom = values[0] if top == values[-1] else values[-1]
    for figure, panel in (
        (profiles(result_of(2).assign_coords(depth=levels)), 0),
        (summary(result_of(2).assign_coords(depth=levels)), 1),
    ):
        assert close(figure).axes[panel].get_ylim() == (bottom, top)
    text = close(som(som_of(2, 2).assign_coords(depth=levels))).axes[2].get_xlabel()
    assert f"{top:g} to {bottom:g}" in text


def test_profiles_along_durations_are_in_days(close, result_of):
    hours = np.arange(0, 144, 24).astype("timedelta64[h]").astype("timedelta64[ns]")
    dataset = result_of(2).drop_vars("depth").assign_coords(depth=hours)
    ax = close(profiles(dataset), drawn=True).axes[0]
    assert ax.get_ylim() == (5, 0)
    assert ax.get_ylabel() == "depth (days)"


def test_profiles_change_no_input(close, result_of):
    dataset = result_of(3)
    before = dataset.copy(deep=True)
    close(profiles(dataset))
    xr.testing.assert_identical(dataset, before)
