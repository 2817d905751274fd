"""Maps of several results: when they share colours, legend and extent."""

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster import kmeans
from xvcluster.plot import Panels, maps
from xvcluster.plot.style import cluster_colors


def field(lat, lon, k, *, seed=0, name="vs"):
    """Profiles of k clusters in bands of longitude, some of them moved."""
    random = np.random.default_rng(seed)
    band = np.clip(((lon + 1) / 20 * k).astype(int), 0, k - 1)
    values = band + 0.05 * random.random((3, lat.size, lon.size))
    coords = {"depth": [0.0, 10, 20], "latitude": lat, "longitude": lon}
    dims = ("depth", "latitude", "longitude")
    return xr.DataArray(values, coords, dims, name=name, attrs={"units": "km/s"})


LAT, LON = np.arange(40.0, 50.1, 1), np.arange(0.0, 20, 1)


@pytest.fixture
def coarse():
    return kmeans(field(LAT, LON, 5), 5)


@pytest.fixture
def fine():
    """On half of the region, on a finer grid, where three of the clusters are."""
    lat, lon = np.arange(42.0, 48, 0.5), np.arange(0.2, 11, 0.4)
    return kmeans(field(lat, lon, 5, seed=1), 3)


def drawn_on(ax):
    """Return the colour of each cell with a label."""
    mesh = next(c for c in ax.collections if hasattr(c, "get_coordinates"))
    values = np.ma.compressed(mesh.get_array())
    return values, mesh.cmap(mesh.norm(values))


def names_in(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_matched_results_share_colours_and_one_legend(close, coarse, fine):
    matched = fine.match(coarse)
    figure = close(maps({"Coarse": coarse, "Fine": matched}), drawn=True).figure
    one, other = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["Coarse", "Fine"]
    assert [ax.get_legend() for ax in figure.axes] == [None, None]
    assert names_in(figure.legends[0])[:5] == [f"Cluster {n}" for n in range(1, 6)]
    rgba = cluster_colors(coarse.labels)
    for ax, result in ((one, coarse), (other, matched)):
        values, colors = drawn_on(ax)
        np.testing.assert_array_equal(np.unique(values), np.unique(result.labels))
        np.testing.assert_allclose(colors, rgba[values.astype(int) - 1])
    handles = figure.legends[0].legend_handles[:5]
    np.testing.assert_allclose([handle.get_facecolor() for handle in handles], rgba)


def test_more_clusters_than_the_reference_have_colours_of_their_number(close, coarse, fine):
    matched = coarse.match(fine)
    figure = close(maps([fine, matched])).figure
    rgba = cluster_colors(matched.labels)
    for ax in figure.axes:
        values, colors = drawn_on(ax)
        np.testing.assert_allclose(colors, rgba[values.astype(int) - 1])
    assert len(figure.legends) == 1


def test_results_of_the_same_numbers_share_a_legend(close, coarse):
    other = kmeans(field(LAT, LON, 5, seed=4), 5)
    figure = close(maps([coarse, other])).figure
    assert len(figure.legends) == 1
    assert [ax.get_title() for ax in figure.axes] == ["(a)", "(b)"]


def test_other_clusters_have_their_own_colours_and_legends(close, coarse, fine):
    figure = close(maps([coarse, fine]), drawn=True).figure
    assert figure.legends == []
    for ax, result in zip(figure.axes, (coarse, fine), strict=True):
        values, colors = drawn_on(ax)
        np.testing.assert_allclose(colors, cluster_colors(result.labels)[values.astype(int) - 1])
        assert names_in(ax.get_legend())[:3] == ["Cluster 1", "Cluster 2", "Cluster 3"]
    boxes = [ax.get_legend().get_window_extent() for ax in figure.axes]
    boxes += [ax.get_window_extent() for ax in figure.axes]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_names_and_colours_of_one_are_those_of_all_matched(close, coarse, fine):
    named = coarse.rename({1: "Arc", 4: "Shield"}).recolor({2: "#123456"})
    plain = fine.match(coarse)
    figure = close(maps([plain, named])).figure
    expected = ["Arc", "Cluster 2", "Cluster 3", "Shield", "Cluster 5"]
    assert names_in(figure.legends[0])[:5] == expected
    values, colors = drawn_on(figure.axes[0])
    own = np.unique(colors[values == 2], axis=0)
    np.testing.assert_allclose(own, [(0x12 / 255, 0x34 / 255, 0x56 / 255, 1)])


def test_other_names_of_the_same_number_are_not_the_same_clusters(close, coarse):
    one, other = coarse.rename({1: "Arc"}), coarse.rename({1: "Basin"})
    figure = close(maps([one, other])).figure
    assert figure.legends == []
    assert [names_in(ax.get_legend())[0] for ax in figure.axes] == ["Arc", "Basin"]


def test_maps_of_regions_that_overlap_have_the_same_extent(close, coarse, fine):
    figure = close(maps([fine, coarse])).figure
    limits = [(*ax.get_xlim(), *ax.get_ylim()) for ax in figure.axes]
    assert limits[0] == limits[1]
    assert figure.axes[0].projection == figure.axes[1].projection
    alone = close(maps([coarse])).figure.axes[0]
    np.testing.assert_allclose(limits[0], (*alone.get_xlim(), *alone.get_ylim()))


def test_maps_of_regions_apart_have_their_own_extents(close, coarse):
    away = kmeans(field(LAT, LON, 5).assign_coords(longitude=LON + 100), 5)
    figure = close(maps([coarse, away])).figure
    middles = []
    for ax in figure.axes:
        x, y = np.mean(ax.get_xlim()), np.mean(ax.get_ylim())
        middles.append(ccrs.PlateCarree().transform_point(x, y, ax.projection)[0])
    assert middles == pytest.approx([9.5, 109.5], abs=0.6)


def test_maps_across_the_dateline_have_one_extent_in_any_convention(close):
    wide = field(LAT, LON, 4)
    east = kmeans(wide.assign_coords(longitude=LON + 165), 4)
    west = kmeans(wide.assign_coords(longitude=LON - 190), 4)
    figure = close(maps([east, west])).figure
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    corner = (figure.axes[0].get_xlim()[1], np.mean(figure.axes[0].get_ylim()))
    lon = ccrs.PlateCarree().transform_point(*corner, figure.axes[0].projection)[0]
    assert -171 < lon < -168


@pytest.mark.parametrize("order", [1, -1])
def test_a_region_beside_the_globe_is_shown_on_the_globe(close, coarse, order):
    lat, lon = np.arange(-85.0, 86, 10), np.arange(-175.0, 180, 10)
    globe = kmeans(field(lat, lon, 5), 5)
    figure = close(maps([globe, coarse][::order]), drawn=True).figure
    for ax in figure.axes:
        assert isinstance(ax.projection, ccrs.Robinson)
        assert ax.get_xlim() == pytest.approx(ax.projection.x_limits, rel=1e-6)
        assert ax.get_ylim() == pytest.approx(ax.projection.y_limits, rel=1e-3)


def test_maps_of_label_arrays_on_other_grids_and_of_points(close, coarse):
    points = coarse.labels.stack(station=("latitude", "longitude")).reset_index("station")
    plane = coarse.labels.drop_vars(["latitude", "longitude"])
    panels = close(maps([coarse.labels, points, plane], titles=["grid", "points", "plane"]))
    assert isinstance(panels, Panels)
    assert [hasattr(ax, "projection") for ax in panels.axes] == [True, True, False]
    assert len(panels.figure.legends) == 1


def test_maps_of_several_results_take_the_options_of_maps(close, coarse, fine):
    matched = fine.match(coarse)
    extent = (0, 10, 42, 48)
    panels = close(
        maps(
            [coarse, matched], titles=["One", "Other"], title="Both", extent=extent, ncols=1,
            colors="viridis", scale_bar=200, legend=False, figsize=(3.5, 5),
        ),
        drawn=True,
    )  # fmt: skip
    figure = panels.figure
    assert tuple(figure.get_size_inches()) == (3.5, 5)
    assert figure.get_suptitle() == "Both"
    assert figure.legends == []
    assert panels.axes[0].get_position().x0 == pytest.approx(panels.axes[1].get_position().x0)
    bars = [[text.get_text() for text in ax.texts if "km" in text.get_text()] for ax in panels.axes]
    assert bars == [["200 km"], []]
    values, colors = drawn_on(panels.axes[1])
    expected = plt.get_cmap("viridis")(np.linspace(0, 1, 5))
    np.testing.assert_allclose(colors, expected[values.astype(int) - 1])


def test_maps_of_several_results_in_given_axes(close, coarse, fine):
    figure, axes = plt.subplots(1, 2, subplot_kw={"projection": ccrs.PlateCarree()})
    panels = maps([coarse, fine.match(coarse)], axes=axes)
    close(figure, drawn=True)
    assert list(panels.axes) == list(axes)
    assert figure.legends == []
    assert axes[0].get_legend() is None
    assert names_in(axes[1].get_legend())[0] == "Cluster 1"


@pytest.mark.parametrize(("figsize", "ncols"), [((3.5, 4.5), 1), ((7.0, 3.0), None)])
def test_maps_of_several_results_at_the_width_of_journals(close, coarse, fine, figsize, ncols):
    title = "A model with a long name, of somebody and others 2010"
    results = {title: coarse, "Another one": fine.match(coarse)}
    panels = close(maps(results, figsize=figsize, ncols=ncols), drawn=True)
    figure = panels.figure
    texts = [ax.title for ax in panels.axes] + figure.legends[0].get_texts()
    boxes = [text.get_window_extent() for text in texts]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
    assert min(text.get_fontsize() for text in texts) >= 6


def test_maps_of_results_change_none(close, coarse, fine):
    matched = fine.match(coarse)
    before = [result.dataset.copy(deep=True) for result in (coarse, matched)]
    close(maps([coarse, matched]))
    for result, kept in zip((coarse, matched), before, strict=True):
        xr.testing.assert_identical(result.dataset, kept)


def test_maps_of_several_results_refuse_what_has_no_effect(coarse, fine, sweep_of):
    with pytest.raises(ValueError, match=r"plot\.maps got no results, \[\]; give at least one"):
        maps([])
    with pytest.raises(ValueError, match=r"titles must be one for each of the 2 maps; got \['a'\]"):
        maps([coarse, fine], titles=["a"])
    with pytest.raises(ValueError, match=r"titles must be one for each of the 2 maps; got 'ab'"):
        maps([coarse, fine], titles="ab")
    with pytest.raises(ValueError, match=r"ks=\[2, 3\] has no effect for several results; omit it"):
        maps([coarse, fine], ks=[2, 3])
    with pytest.raises(ValueError, match=r"original=True has no effect for several results"):
        maps([coarse, fine], original=True)
    with pytest.raises(ValueError, match=r"titles=\['a'\] has no effect, unless several results"):
        maps(sweep_of(), titles=["a"])
    with pytest.raises(
        ValueError, match=r"titles=\['a'\] has no effect for a dict, whose keys are"
    ):
        maps({"coarse": coarse}, titles=["a"])
    with pytest.raises(ValueError, match=r"ncols=1 has no effect on given axes"):
        maps([coarse], axes=plt.subplots(subplot_kw={"projection": ccrs.PlateCarree()})[1], ncols=1)
    plt.close("all")
    with pytest.raises(TypeError, match=r"has labels for each k; choose one, e\.g\. sweep\.result"):
        maps([coarse, xvcluster.sweep(field(LAT, LON, 3), [2, 3])])
    with pytest.raises(TypeError, match=r"got list that holds the path 'fine\.nc'\. Open it first"):
        maps([coarse, "fine.nc"])
