"""The frame of outlines: which clusters and minima, its columns, files of it, and the command."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import xvcluster
from xvcluster.boundaries import boundaries
from xvcluster.cli import main

shapely = pytest.importorskip("shapely")
geopandas = pytest.importorskip("geopandas")


def test_boundaries_choose_clusters_and_minima(make_labels, make_blobs):
    labels = make_labels(make_blobs(60, 60, 5, 2), np.arange(60.0) - 30, np.arange(60.0))
    every = boundaries(labels)
    some = boundaries(labels, [4, 2], min_length=800, min_area=2e5)
    expected = every[every["cluster"].isin([2, 4])]
    expected = expected.query("length_km >= 800 and area_km2 >= 2e5").reset_index(drop=True)
    assert 0 < len(some) < len(every)
    assert some.geometry.geom_equals(expected.geometry).all()
    assert some["cluster"].is_monotonic_increasing
    assert set(boundaries(labels, 3)["cluster"]) == {3}
    assert boundaries(labels, min_area=1e12).crs == "EPSG:4326"


def test_boundaries_squeeze_a_time_of_length_one_and_change_no_input(make_labels, make_blobs):
    labels = make_labels(make_blobs(9, 9, 2, 1), np.arange(9), np.arange(9)).expand_dims(time=1)
    before = labels.copy(deep=True)
    assert len(boundaries(labels)) == len(boundaries(labels.isel(time=0)))
    xr.testing.assert_identical(labels, before)


def test_boundaries_of_a_result_have_its_areas():
    ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    result = ocean.vcluster.kmeans(5)
    frame = result.boundaries()
    area = frame.groupby("cluster")["area_km2"].sum()
    np.testing.assert_allclose(area, result.dataset["area"], rtol=1e-9)
    assert len(boundaries(result.dataset)) == len(frame)


def test_boundaries_refuse_unknown_clusters(make_labels):
    with pytest.raises(ValueError, match=r"no cluster 7; the clusters are 1, 2"):
        boundaries(make_labels([[1, 2]], [0], [0, 1]), [1, 7])


@pytest.mark.parametrize("name", ["min_length", "min_area"])
def test_boundaries_refuse_negative_minima(make_labels, name):
    with pytest.raises(ValueError, match=rf"{name} must be finite and at least 0; got -1"):
        boundaries(make_labels([[1, 2]], [0], [0, 1]), **{name: -1})


def test_boundaries_tell_how_to_install_geopandas(make_labels, monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(ImportError, match=r'pip install "xvcluster\[geo\]"'):
        boundaries(make_labels([[1, 2]], [0], [0, 1]))


@pytest.fixture
def lesson(shared_data):
    """The raster of the Carpentry lesson, in six clusters."""
    with xr.open_dataset(shared_data / "tpw_201910.nc") as dataset:
        return dataset["precipitable_water"].load().vcluster.kmeans(6)


def test_boundaries_of_the_lesson_go_to_a_shapefile_and_back(labelled_area, lesson, tmp_path):
    frame = lesson.boundaries([4, 6], min_length=200)
    assert (frame["length_km"] >= 200).all()
    assert set(frame["cluster"]) == {4, 6}
    selected = labelled_area(lesson.select([4, 6]))
    np.testing.assert_allclose(lesson.boundaries([4, 6])["area_km2"].sum(), selected, rtol=1e-9)
    frame.to_file(tmp_path / "outlines.shp")
    again = geopandas.read_file(tmp_path / "outlines.shp")
    assert again.crs == frame.crs
    assert len(again) == len(frame)
    for name in ("cluster", "length_km", "area_km2"):
        np.testing.assert_allclose(again[name], frame[name], rtol=1e-9)
    assert again.geometry.geom_equals(frame.geometry).all()


@pytest.mark.parametrize("suffix", ["shp", "gpkg", "geojson"])
def test_boundaries_command_writes_what_the_method_gives(tmp_path, suffix):
    result = xvcluster.tutorial.ocean()["temperature"].isel(depth=0).vcluster.kmeans(6)
    source, output = tmp_path / "clusters.nc", tmp_path / f"outlines.{suffix}"
    result.to_netcdf(source)
    arguments = ["boundaries", source, output, "--cluster", 4, "--cluster", 6, "--min-length", 900]
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    expected = result.boundaries([4, 6], min_length=900)
    found = geopandas.read_file(output)
    assert f"{len(expected)} outlines of 2 clusters" in done.output
    np.testing.assert_allclose(found["area_km2"], expected["area_km2"])
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["outlines.kml"], "must end in one of .shp, .gpkg, .geojson"),
        (["outlines.shp", "--cluster", "9"], "there is no cluster 9"),
        (["outlines.shp", "--min-area", "1e12"], "no outline is that large"),
        (["here.shp"], "exists already"),
    ],
)
def test_boundaries_command_refuses(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.shp").touch()
    xvcluster.tutorial.ocean()["temperature"].isel(depth=0).vcluster.kmeans(3).to_netcdf("r.nc")
    done = CliRunner().invoke(main, ["boundaries", "r.nc", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"here.shp", "r.nc"}


def test_boundaries_of_a_lazy_result_are_those_of_one_in_memory(rough_model):
    found, expected = (
        xvcluster.kmeans(d, 3, n_init=2) for d in (rough_model.chunk(latitude=5), rough_model)
    )
    assert found.boundaries().equals(expected.boundaries())


@pytest.mark.parametrize(
    ("renumber", "clusters"),
    [(lambda a: a + 1, [2, 3]), (lambda a: a * 2, [2, 4]), (lambda a: a, [1, 2])],
    ids=["plus one", "doubled", "as they are"],
)
def test_boundaries_lose_no_cluster_to_older_flag_values(make_labels, renumber, clusters):
    old = make_labels([[1, 2], [1, 2]], [0, 1], [0, 1]).assign_attrs(flag_values=[1, 2])
    with xr.set_options(keep_attrs=True):
        assert boundaries(renumber(old))["cluster"].tolist() == clusters


def test_boundaries_take_a_result_of_any_kind(make_labels):
    labels = make_labels([[1, 2], [1, 2]], [0, 1], [0, 1])
    dataset = xr.Dataset({"label": labels})
    result = SimpleNamespace(dataset=dataset)
    for source in (dataset, result):
        assert boundaries(source).equals(boundaries(labels))
    with pytest.raises(TypeError, match=r"a DataArray of cluster numbers; got ndarray"):
        boundaries(labels.values)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda labels: labels + 0.5, ValueError, r"holds 1\.5, but labels are integers from 1"),
        (lambda labels: labels.astype(str), TypeError, "but labels are integers from 1"),
        (lambda labels: labels * 1j, TypeError, "but labels are integers from 1"),
        (lambda labels: labels.isel(latitude=slice(0, 0)), ValueError, "'latitude' has length 0"),
        (lambda labels: labels.values, TypeError, "labels must be a ClusterResult or a DataArray"),
        (lambda labels: labels.to_dataset(name="found"), ValueError, "has no variable 'label'"),
        (lambda labels: None, TypeError, "got None"),
    ],
)
def test_boundaries_refuse_what_are_no_labels(model, change, error, match):
    labels = model.vcluster.kmeans(3).labels
    with pytest.raises(error, match=match):
        boundaries(change(labels))


def test_boundaries_take_a_result(model):
    result = model.vcluster.kmeans(3)
    assert boundaries(result).equals(result.boundaries())
