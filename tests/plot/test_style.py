import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from xvcluster.plot import style


def labels(k, **attrs):
    attrs = {"flag_values": np.arange(1, k + 1, dtype="int16")} | attrs
    return xr.DataArray(np.array([1.0, k, np.nan]), dims="profile", attrs=attrs)


def hue(color):
    return "red" if color[0] > color[2] else "blue"


@pytest.mark.parametrize("k", [1, 2, 3, 8, 20, 40])
def test_cluster_colors_one_opaque_row_a_cluster(k):
    colors = style.cluster_colors(labels(k))
    assert colors.shape == (k, 4)
    assert ((colors >= 0) & (colors <= 1)).all()
    assert (colors[:, 3] == 1).all()


@pytest.mark.parametrize("k", [2, 6, 12, 20])
def test_cluster_colors_neighbours_differ_and_none_is_pale(k):
    lab = style.to_oklab(style.cluster_colors(labels(k))[:, :3])
    # 0.02 is about the smallest difference that one can see
    assert np.linalg.norm(np.diff(lab, axis=0), axis=1).min() > 0.04
    assert lab[:, 0].max() < 0.9


# protanopia and deuteranopia of Machado, Oliveira & Fernandes (2009), in linear RGB
BLIND = {
    "no one": np.eye(3),
    "red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


@pytest.mark.parametrize("cones", BLIND)
def test_cluster_colors_in_no_order_all_differ_whoever_sees_them(cones):
    rgb = style.cluster_colors(labels(20))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(BLIND[cones]), 0, 1)
    lab = style.to_oklab(_encode(linear))
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1)
    assert apart[~np.eye(20, dtype=bool)].min() > 0.065


def _encode(linear):
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_cluster_colors_follow_an_order_only_if_there_is_one():
    plain = style.cluster_colors(labels(5))
    slow_to_fast = style.cluster_colors(labels(5, ordered_by="mean of vs (km/s), lowest first"))
    assert hue(plain[0]) == "blue"  # not the red of the slowest
    assert hue(slow_to_fast[0]) == "red"
    matched = style.cluster_colors(labels(5, ordered_by="matched to 'regions'"))
    np.testing.assert_array_equal(matched, plain)  # those of its reference
    matched = labels(5, ordered_by="matched to A; mean of vs (km/s), lowest first")
    np.testing.assert_array_equal(style.cluster_colors(matched), slow_to_fast)


def test_cluster_colors_slow_is_red_and_fast_is_blue():
    colors = style.cluster_colors(labels(6, ordered_by="mean of vs (km/s), lowest first"))
    assert [hue(colors[0]), hue(colors[-1])] == ["red", "blue"]


@pytest.mark.parametrize("units", ["K", "degC", "DEG C", "Celsius", "degrees_C", "°C", "kelvin"])
def test_cluster_colors_cold_is_blue_and_warm_is_red(units):
    colors = style.cluster_colors(labels(6, ordered_by=f"mean of TEMP ({units}), lowest first"))
    assert [hue(colors[0]), hue(colors[-1])] == ["blue", "red"]


@pytest.mark.parametrize("units", ["km/s", "kg m-2", "%", "km"])
def test_cluster_colors_other_units_are_no_temperature(units):
    colors = style.cluster_colors(labels(6, ordered_by=f"mean of x ({units}), lowest first"))
    assert hue(colors[0]) == "red"


def test_cluster_colors_without_flags_count_to_the_largest_label():
    plain = xr.DataArray([2.0, np.nan, 5.0], dims="profile")
    np.testing.assert_array_equal(style.cluster_colors(plain), style.cluster_colors(labels(5)))


def test_cluster_colors_all_missing_labels_have_one():
    assert style.cluster_colors(xr.DataArray([np.nan], dims="profile")).shape == (1, 4)


def test_cluster_colors_do_not_depend_on_the_values():
    some = labels(7).isel(profile=slice(1))
    np.testing.assert_array_equal(style.cluster_colors(some), style.cluster_colors(labels(7)))


def test_cluster_colors_near_nodes_look_alike():
    colors = style.cluster_colors(labels(81, som_shape=np.array([9, 9])))
    lab = style.to_oklab(colors[:, :3]).reshape(9, 9, 3)
    beside = np.linalg.norm(np.diff(lab, axis=1), axis=-1).max()
    assert beside < 0.5 * np.linalg.norm(lab[0, 0] - lab[-1, -1])
    assert len(np.unique(colors, axis=0)) == 81


def test_cluster_colors_of_a_row_of_nodes_are_distinct():
    colors = style.cluster_colors(labels(6, som_shape=np.array([1, 6])))
    assert len(np.unique(colors, axis=0)) == 6


def test_cluster_colors_survive_a_file(tmp_path):
    written = labels(6, ordered_by="mean of T (K), lowest first").rename("label")
    written.to_netcdf(tmp_path / "labels.nc")
    with xr.open_dataset(tmp_path / "labels.nc") as read:
        colors = style.cluster_colors(read["label"])
    np.testing.assert_array_equal(colors, style.cluster_colors(written))


def test_check_colors_refuses_another_number():
    with pytest.raises(ValueError, match=r"colors has 2 colours for 3 clusters; pass one colour"):
        style.check_colors(labels(3), ["red", "blue"])


def test_check_colors_takes_a_colormap_or_its_name():
    from matplotlib import colormaps

    for colors in ("viridis", colormaps["viridis"]):
        expected = colormaps["viridis"]([0.0, 0.5, 1.0])
        np.testing.assert_array_equal(style.check_colors(labels(3), colors), expected)
    listed = style.check_colors(labels(3), "tab10")
    np.testing.assert_array_equal(listed, colormaps["tab10"](np.arange(3)))


@pytest.mark.parametrize(
    ("colors", "text"),
    [
        ("virdis", r"colors='virdis' are no colours .* pass one colour per cluster, .*'viridis'"),
        (3, r"colors=3 are no colours"),
        ([1, 2, 3], r"colors=\[1, 2, 3\] are no colours"),
        ({1: "red", 2: "blu"}, r"colors=\['blu'\] are no colours"),
        ({1: "red", 99: "blue"}, r"there is no cluster 99"),
        ("red", r"colors has 1 colours for 12 clusters"),
        ("tab10", r"colors has 10 colours for 12 clusters"),
    ],
)
def test_check_colors_refuses_what_is_no_colours(colors, text):
    with pytest.raises(ValueError, match=text):
        style.check_colors(labels(12), colors)


@pytest.mark.parametrize("renumber", [lambda a: a + 1, lambda a: a * 2])
def test_cluster_colors_have_a_row_for_every_label_whatever_the_attributes_say(renumber):
    with xr.set_options(keep_attrs=True):
        new = renumber(labels(3))
    assert len(style.cluster_colors(new)) == int(new.max())


def test_cluster_names_read_the_flag_meanings():
    named = labels(2, flag_meanings="node_1 node_2")
    assert style.cluster_names(named) == {1: "Node 1", 2: "Node 2"}


def test_cluster_names_leave_out_what_is_no_cluster():
    named = labels(2, flag_values=[0, 1, 2], flag_meanings="none craton basin")
    assert style.cluster_names(named) == {1: "Craton", 2: "Basin"}


def test_cluster_names_count_where_meanings_are_missing():
    assert style.cluster_names(labels(2)) == {1: "Cluster 1", 2: "Cluster 2"}


@pytest.mark.parametrize(
    ("attrs", "label"),
    [
        ({"long_name": "Shear velocity", "units": "km/s"}, "Shear velocity (km/s)"),
        ({"units": "km"}, "vs (km)"),
        ({"long_name": "ratio", "units": "1"}, "ratio"),
        ({}, "vs"),
    ],
)
def test_axis_label_from_attributes(attrs, label):
    assert style.axis_label(xr.DataArray(1.0, name="vs", attrs=attrs)) == label


@pytest.mark.parametrize(("percent", "text"), [(0, "0 %"), (0.2, "<1 %"), (17.6, "18 %")])
def test_share_text_is_short(percent, text):
    assert style.share_text(percent) == text


def test_shares_count_profiles_where_there_is_no_area(result_of):
    names, of = style.name_shares(result_of(4).drop_vars("area"))
    assert of == "profiles"
    assert names == [f"Cluster {number} · 25 %" for number in range(1, 5)]


def test_importing_plot_leaves_matplotlib_alone():
    code = "import sys, xvcluster.plot; print({'matplotlib', 'cartopy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (r"$\delta V_s$ (%)", r"$\delta V_s$ (%)"),
        (r"costs $5", r"costs \$5"),
        (r"$x^{ $", r"\$x^{ \$"),
        ("two\nlines\x1b[2J", "two lines [2J"),
        ("$" + "{" * 150 + "$", r"\$" + "{" * 150 + r"\$"),
        ("A" * 5000, "A" * 1000 + "…"),
        ("", ""),
    ],
)
def test_drawable_keeps_formulas_and_nothing_that_matplotlib_cannot_draw(text, drawn):
    from matplotlib.figure import Figure

    assert style.drawable(text, 2000) == drawn
    figure = Figure()
    figure.text(0, 0, style.drawable(text, 30))
    figure.canvas.draw()


@pytest.mark.parametrize("attribute", ["long_name", "units"])
def test_axis_label_can_always_be_drawn(attribute):
    from matplotlib.figure import Figure

    array = xr.DataArray(1.0, name="$v^{$", attrs={attribute: "$x^{ $\n\x1b[2J"})
    label = style.axis_label(array)
    assert "\x1b" not in label
    figure = Figure()
    figure.text(0, 0, label)
    figure.canvas.draw()
