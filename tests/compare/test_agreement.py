"""The table of clusters and provinces, and the measures of its agreement."""

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics

from xvcluster import open_result, tutorial
from xvcluster.agreement import compare
from xvcluster.compare.agreement import _whole
from xvcluster.grid.areas import cell_areas

geopandas = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")


def map_of(values, lat=None, lon=None, **attrs):
    values = np.asarray(values, dtype=float)
    lat = np.arange(values.shape[0]) if lat is None else lat
    lon = np.arange(values.shape[1]) if lon is None else lon
    coords = {"lat": np.asarray(lat, float), "lon": np.asarray(lon, float)}
    return xr.DataArray(values, coords, ("lat", "lon"), name="label", attrs=attrs)


def blocks(k=2, n=12, seed=0):
    """Labels 1…k in blocks of three cells by three."""
    drawn = np.random.default_rng(seed).integers(1, k + 1, (n // 3, n // 3))
    return map_of(np.kron(drawn, np.ones((3, 3))))


def frame_of(*polygons, names=None):
    names = [f"p{i}" for i in range(len(polygons))] if names is None else names
    return geopandas.GeoDataFrame({"name": names}, geometry=list(polygons), crs="EPSG:4326")


def test_measures_are_those_of_scikit_learn_with_repetition():
    table = np.array([[4, 0, 7], [1, 9, 2], [0, 0, 3]])
    clusters, provinces = (np.repeat(i.ravel(), table.ravel()) for i in np.indices(table.shape))
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(
        provinces, clusters
    )
    found = _whole(table.astype(float))
    assert found["homogeneity"] == pytest.approx(homogeneity)
    assert found["completeness"] == pytest.approx(completeness)
    assert found["v_measure"] == pytest.approx(v_measure)
    assert found["purity"] == pytest.approx((7 + 9 + 3) / 26)
    assert _whole(1e6 * table)["v_measure"] == pytest.approx(v_measure)


@pytest.mark.parametrize("table", [[[5.0]], [[5.0, 2.0]], [[5.0], [2.0]], [[1.0, 1.0], [1.0, 1.0]]])
def test_measures_of_single_rows_and_columns_are_those_of_scikit_learn(table):
    counts = np.array(table).astype(int)
    clusters, provinces = (np.repeat(i.ravel(), counts.ravel()) for i in np.indices(counts.shape))
    expected = metrics.homogeneity_completeness_v_measure(provinces, clusters)
    found = _whole(np.array(table))
    names = ("homogeneity", "completeness", "v_measure")
    np.testing.assert_allclose([found[name] for name in names], expected, atol=1e-12)


def test_polygons_that_follow_cells_give_what_their_labels_give():
    own, other = blocks(3), blocks(2, seed=1)
    shapes = [
        shapely.union_all(
            [shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5)
             for y in range(12) for x in range(12) if other.values[y, x] == number]
        )
        for number in (1, 2)
    ]  # fmt: skip
    by_labels = compare(own, other, n=49).dataset
    by_polygons = compare(own, frame_of(*shapes, names=["cluster 1", "cluster 2"]), n=49).dataset
    for name in by_labels.data_vars:
        if by_labels[name].dtype.kind == "f":
            np.testing.assert_allclose(by_polygons[name], by_labels[name], rtol=1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(by_polygons[name], by_labels[name], err_msg=name)


def test_a_cell_is_split_and_what_lies_outside_is_told():
    own = map_of([[1, 1, 2, np.nan]], lat=[0])
    frame = frame_of(shapely.box(-0.5, -0.5, 0.75, 0.5), shapely.box(0.75, -0.5, 1.5, 0.5))
    found = compare(own, frame, n=19).dataset
    area = float(cell_areas(own)[0, 0])
    np.testing.assert_allclose(
        found["contingency"], [[1.25 * area, 0.75 * area], [0, 0]], rtol=1e-9
    )
    np.testing.assert_allclose(found["coverage"], [1, 0], atol=1e-9)
    np.testing.assert_allclose(found["cluster_purity"], [0.625, np.nan])
    assert found["main_province"].values.tolist() == ["p0", ""]
    np.testing.assert_allclose(found["province_completeness"], 1)
    assert found["main_cluster"].values.tolist() == [1, 1]
    assert found["contingency"].attrs["units"] == "km2"


def test_the_indices_are_those_of_match():
    ocean = tutorial.ocean()["temperature"].isel(depth=slice(0, 4))
    own, other = ocean.vcluster.kmeans(3), ocean.isel(depth=[3]).vcluster.kmeans(4)
    found, matched = own.compare(other, n=19).dataset, own.match(other).dataset["contingency"]
    for name in ("adjusted_rand_index", "adjusted_mutual_information"):
        assert float(found[name]) == matched.attrs[name]
    assert found["contingency"].sum() == pytest.approx(float(matched.sum()))
    xr.testing.assert_identical(found, own.labels.vcluster.compare(other.labels, n=19).dataset)


def test_provinces_that_nothing_meets_are_left_out():
    frame = frame_of(shapely.box(-1, -1, 6, 20), shapely.box(50, 50, 60, 60))
    found = compare(blocks(), frame, n=19)
    assert found.dataset["province"].values.tolist() == ["p0"]
    said = "1 province has nothing in common with any cluster and is left out: 'p1'"
    assert found.dataset.attrs["comment"] == said
    assert said in repr(found)
    assert "left out: &#x27;p1&#x27;" in found._repr_html_()


def test_label_maps_are_named_by_their_flags():
    flags = {"flag_values": [1, 2], "flag_meanings": "old_crust young_crust"}
    found = compare(blocks(), blocks(seed=2).assign_attrs(flags), n=19)
    assert found.dataset["province"].values.tolist() == ["old crust", "young crust"]
    plain = compare(blocks(), blocks(seed=2), n=19).dataset
    assert plain["province"].values.tolist() == ["cluster 1", "cluster 2"]


def test_labels_without_a_place_have_a_table_and_no_p_value():
    own, other = (a.drop_vars(["lat", "lon"]) for a in (blocks(), blocks(seed=1)))
    found = compare(own, other)
    assert found.dataset["contingency"].attrs["units"] == "1"
    assert float(found.dataset["contingency"].sum()) == 144
    assert "the points have no latitude and longitude" in found.sentence
    with pytest.raises(ValueError, match=r"labels have no latitude and longitude"):
        compare(own, frame_of(shapely.box(0, 0, 9, 9)))


def test_loose_points_count():
    lat, lon = np.random.default_rng(0).uniform(0, 20, (2, 400))
    coords = {"lat": ("station", lat), "lon": ("station", lon)}
    own = xr.DataArray(1.0 + (lon > 10), coords, ("station",), name="label")
    frame = frame_of(shapely.box(0, 0, 10, 20), shapely.box(10, 0, 20, 10))
    found = compare(own, frame, n=99)
    expected = [[(lon <= 10).sum(), 0], [0, ((lon > 10) & (lat < 10)).sum()]]
    np.testing.assert_array_equal(found.dataset["contingency"], expected)
    assert found.dataset["contingency"].attrs["units"] == "1"
    assert "points" in found.table().columns


def test_bounds_of_a_dataset_are_its_cells():
    labels = map_of([[1.0], [2.0]], lat=[0, 10], lon=[0])
    labels["lat"].attrs["bounds"] = "lat_bounds"
    edges = ("lat", "two"), [[-5.0, 2.0], [2.0, 15.0]]
    found = compare(
        labels.to_dataset().assign(lat_bounds=edges), frame_of(shapely.box(-90, -90, 90, 90))
    )
    sines = np.sin(np.radians([-5, 2, 15]))
    share = found.dataset["contingency"].values[:, 0]
    np.testing.assert_allclose(share[1] / share[0], np.diff(sines)[1] / np.diff(sines)[0])
    np.testing.assert_allclose(found.dataset["coverage"], 1)


def test_input_that_cannot_be_compared_is_refused():
    own = blocks()
    with pytest.raises(
        ValueError, match=r"no cluster lies in a province: .* lat 0 to 11 .* latitude 50 to 60"
    ):
        compare(own, frame_of(shapely.box(50, 50, 60, 60)))
    with pytest.raises(ValueError, match=r"no point has a label in both"):
        compare(own, own.assign_coords(lat=own["lat"] + 40))
    with pytest.raises(ValueError, match=r"column='name' names the provinces of a GeoDataFrame"):
        compare(own, own, "name")
    with pytest.raises(
        ValueError, match=r"compare needs one map, but 'label' has 2 entries .*'time'"
    ):
        compare(xr.concat([own, own], "time"), own)
    with pytest.raises(TypeError, match=r"provinces must be a GeoDataFrame .*; got None"):
        compare(own, None)
    with pytest.raises(ValueError, match=r"n must be at least 0; got -1"):
        compare(own, own, n=-1)
    with pytest.raises(ValueError, match=r"unknown null 'torus'; choose one of 'auto', 'rot"):
        compare(own, own, null="torus")
    with pytest.raises(TypeError, match=r"a SweepResult has labels for each k"):
        compare(own, tutorial.tomography(resolution=2)["vs"].vcluster.sweep([2, 3], n_init=1))


def test_inputs_stay_as_they_are():
    own, other = blocks(), blocks(seed=1)
    before = own.copy(deep=True), other.copy(deep=True)
    compare(own, other, n=19)
    for now, then in zip((own, other), before, strict=True):
        xr.testing.assert_identical(now, then)


@pytest.fixture
def mesh():
    """Profiles at loose points, whose cells are three boxes of 2, 2 and 4 degrees."""
    west, east = np.array([[0.0, 2, 4], [2, 4, 8]])
    coords = {
        "lat": ("cell", np.full(3, 1.0), {"bounds": "lat_v", "units": "degrees_north"}),
        "lon": ("cell", (west + east) / 2, {"bounds": "lon_v", "units": "degrees_east"}),
        "depth": ("depth", [1.0, 2.0], {"positive": "down", "units": "km"}),
    }
    ring = [
        np.stack(a, 1) for a in ([west, east, east, west], [*[0 * west] * 2, *[0 * west + 2] * 2])
    ]
    vs = ("cell", "depth"), [[1.0, 1], [1, 1], [5, 5]], {"units": "km/s"}
    bounds = {"lon_v": (("cell", "v"), ring[0]), "lat_v": (("cell", "v"), ring[1])}
    return xr.Dataset({"vs": vs, **bounds}, coords)


def test_the_cells_of_a_mesh_are_those_of_the_data(mesh, tmp_path):
    result = mesh.vcluster.kmeans(2)
    frame = frame_of(shapely.box(0, -5, 3, 5), shapely.box(3, -5, 9, 5))
    found = result.compare(frame, n=19).dataset["contingency"]
    assert found.attrs["units"] == "km2"
    one = float(result.dataset["area"][0]) / 4
    np.testing.assert_allclose(found, [[3 * one, one], [0, 4 * one]], rtol=1e-3)
    by_labels = result.compare(result, n=19).dataset["contingency"]
    np.testing.assert_allclose(by_labels, np.diag(result.dataset["area"]))
    result.dataset.to_netcdf(tmp_path / "mesh.nc")
    with pytest.warns(UserWarning, match=r"points are counted; open the result with its data"):
        counted = open_result(tmp_path / "mesh.nc").compare(frame, n=19)
    assert counted.dataset["contingency"].attrs["units"] == "1"
    again = open_result(tmp_path / "mesh.nc", mesh).compare(frame, n=19)
    np.testing.assert_array_equal(again.dataset["contingency"], found)


def test_flags_that_share_a_name_stay_apart():
    flags = {"flag_values": [1, 2, 3], "flag_meanings": "a b a"}
    found = compare(blocks(), blocks(3, seed=2).assign_attrs(flags), n=19)
    assert found.dataset["province"].values.tolist() == ["a", "b", "a (2)"]
    assert list(found.table())[-3:] == ["a", "b", "a (2)"]


def test_what_lies_outside_is_told_of_clusters_and_of_provinces():
    own = map_of([[1, 1, 2, 2]], lat=[0])
    frame = frame_of(shapely.box(-1.5, -0.5, 0.5, 0.5), shapely.box(2.5, -0.5, 2.75, 0.5))
    found = compare(own, frame, n=19)
    np.testing.assert_allclose(found.dataset["coverage"], [0.5, 0.125], rtol=1e-9)
    np.testing.assert_allclose(found.dataset["province_coverage"], [0.5, 1], rtol=1e-9)
    np.testing.assert_allclose(found.dataset["cluster_purity"], 1)
    np.testing.assert_allclose(float(found.dataset["total_coverage"]), 1.25 / 4)
    assert found.sentence.endswith("; 31% of the clusters' area lies in provinces")
    np.testing.assert_allclose(found.table("province")["coverage_percent"], [50, 100])
    for name in ("cluster_purity", "province_completeness"):
        assert "that is in the main one" in found.dataset[name].attrs["long_name"]
    other = map_of([[np.nan, 1, 1, 1, 1, 1]], lat=[0], lon=np.arange(-1, 5))
    of_labels = compare(own, other, n=19).dataset
    np.testing.assert_allclose(of_labels["province_coverage"], 4 / 5)
    assert "area lies in" not in compare(own, other, n=19).sentence


def test_so_few_moved_maps_that_none_could_be_significant_are_refused():
    for n in (1, 18):
        with pytest.raises(ValueError, match=rf"n={n} moved maps cannot give .* at least 19, or 0"):
            compare(blocks(), blocks(), n=n)
    assert compare(blocks(), blocks(), n=19).p_value == 0.05
    without = compare(blocks(), blocks(), n=0)
    assert np.isnan(without.p_value)
    assert without.dataset["p_value"].attrs["n"] == 0
    assert "not known (none: n=0 asks for no p-value)" in without.sentence
