"""One row for each cluster: its regions together, and what its attributes say."""

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import xvcluster
from xvcluster.boundaries import boundaries
from xvcluster.cli import main

shapely = pytest.importorskip("shapely")
geopandas = pytest.importorskip("geopandas")


@pytest.fixture(scope="module")
def ocean():
    """A result of two variables on a global grid, of which some clusters have names."""
    result = xvcluster.tutorial.ocean().isel(depth=slice(0, 5)).vcluster.kmeans(6, n_init=1)
    return result.rename({1: "Polar, Côte d'Azur", 2: "海"})


def test_dissolve_joins_the_regions_of_each_cluster(ocean):
    each, joined = ocean.boundaries(), ocean.boundaries(dissolve=True)
    assert joined["cluster"].tolist() == [1, 2, 3, 4, 5, 6]
    assert set(joined.geom_type) == {"MultiPolygon"}
    assert joined.crs == "EPSG:4326"
    expected = each.dissolve("cluster", aggfunc={"length_km": "sum", "area_km2": "sum"})
    assert joined.geometry.geom_equals(expected.geometry.reset_index(drop=True)).all()
    assert joined.geometry.is_valid.all()
    for name in ("length_km", "area_km2"):
        np.testing.assert_allclose(joined[name], expected[name])


def test_dissolve_tells_areas_shares_and_means(ocean):
    joined, area = ocean.boundaries(dissolve=True), ocean.dataset["area"]
    np.testing.assert_allclose(joined["area_km2"], area)
    np.testing.assert_allclose(joined["percent"], 100 * area / area.sum())
    means = ocean.centroids.mean("depth")
    np.testing.assert_allclose(joined["temperature_degree_Celsius"], means["temperature"])
    np.testing.assert_allclose(joined["salinity_1e_3"], means["salinity"])


def test_dissolve_of_some_clusters_tells_their_share_of_all(ocean):
    every = ocean.boundaries(dissolve=True)
    some = ocean.boundaries([5, 2], min_area=3e5, dissolve=True)
    large = ocean.boundaries([5, 2], min_area=3e5).groupby("cluster")["area_km2"].sum()
    assert some["cluster"].tolist() == [2, 5]
    np.testing.assert_allclose(some["area_km2"], large)
    total = every["area_km2"].sum()
    np.testing.assert_allclose(some["percent"], 100 * some["area_km2"] / total)
    assert not len(ocean.boundaries(min_area=1e15, dissolve=True))


def test_dissolve_weighs_levels_as_the_numbering_does(rough_model):
    uneven = rough_model.assign_coords(depth=[0.0, 1.0, 2.0, 4.0, 20.0, 60.0])
    uneven["depth"].attrs = rough_model["depth"].attrs
    result = uneven.vcluster.kmeans(4, level_weights="thickness")
    frame = result.boundaries(dissolve=True)
    expected = result.centroids["vs"].weighted(result.dataset["level_weight"]).mean("depth")
    np.testing.assert_allclose(frame["vs_km_s"], expected)
    assert frame["vs_km_s"].is_monotonic_increasing


def test_dissolve_of_labels_has_no_means_and_of_perturbations_names_their_unit(make_labels):
    labels = make_labels([[1, 2, 1], [1, 2, np.nan]], [0, 1], [0, 1, 2])
    frame = boundaries(labels, dissolve=True)
    columns = ["geometry", "cluster", "name", "length_km", "area_km2", "percent"]
    assert list(frame.columns) == columns
    assert frame["name"].tolist() == ["Cluster 1", "Cluster 2"]
    assert [len(shape.geoms) for shape in frame.geometry] == [2, 1]
    for unit in ("%", "percent"):
        values = labels.fillna(3).rename("dvs").assign_attrs(units=unit)
        frame = values.vcluster.kmeans(2).boundaries(dissolve=True)
        assert frame.columns[-1] == "dvs_pct"
        assert max(map(len, frame.columns)) <= 10  # of a Shapefile


def test_dissolve_crosses_the_dateline_in_one_row(make_labels):
    lon = np.arange(170.0, 191.0, 5)
    labels = make_labels(np.ones((2, 5)), [0, 1], np.where(lon > 180, lon - 360, lon))
    frame = boundaries(labels, dissolve=True)
    assert len(frame) == 1
    assert frame["percent"].item() == pytest.approx(100)


def test_dissolve_of_lines_is_refused(ocean):
    with pytest.raises(ValueError, match="dissolve=True joins polygons, but smooth=True draws"):
        ocean.boundaries(smooth=True, dissolve=True)


def test_dissolved_boundaries_go_to_a_geopackage_and_back(ocean, tmp_path):
    frame = ocean.boundaries(dissolve=True)
    frame.to_file(tmp_path / "atlas.gpkg")
    again = geopandas.read_file(tmp_path / "atlas.gpkg")
    assert again.crs == frame.crs
    assert set(again.columns) == set(frame.columns)
    assert again["name"].tolist() == frame["name"].tolist()
    for name in frame.columns.drop(["geometry", "name"]):
        np.testing.assert_allclose(again[name], frame[name])
    assert again.geometry.geom_equals(frame.geometry).all()


@pytest.mark.filterwarnings("ignore:Normalized/laundered field name:RuntimeWarning")
def test_dissolved_boundaries_go_to_a_shapefile_with_short_names(ocean, tmp_path):
    frame = ocean.boundaries(dissolve=True)
    with pytest.warns(UserWarning, match="longer than 10 characters will be truncated"):
        frame.to_file(tmp_path / "atlas.shp")
    again = geopandas.read_file(tmp_path / "atlas.shp")
    assert {name[:10] for name in frame.columns} == set(again.columns)
    assert again["name"].tolist() == frame["name"].tolist()
    for name in frame.columns.drop(["geometry", "name"]):
        np.testing.assert_allclose(again[name[:10]], frame[name])


def test_boundaries_command_dissolves(ocean, tmp_path):
    ocean.to_netcdf(tmp_path / "ocean.nc")
    arguments = ["boundaries", tmp_path / "ocean.nc", tmp_path / "ocean.gpkg", "--dissolve"]
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    assert "6 outlines of 6 clusters" in done.output
    found = geopandas.read_file(tmp_path / "ocean.gpkg")
    np.testing.assert_allclose(found["percent"], ocean.boundaries(dissolve=True)["percent"])


def test_dissolve_changes_no_input(ocean):
    before = ocean.dataset.copy(deep=True)
    ocean.boundaries(dissolve=True)
    xr.testing.assert_identical(ocean.dataset, before)
