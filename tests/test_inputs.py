"""What is given as a model: objects of xarray are taken, of all else a sentence says what to do."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.inputs import describe, take_model, unwrap

DOORS = {
    "kmeans": lambda result, given: xvcluster.kmeans(given, 2),
    "som": lambda result, given: xvcluster.som(given, (2, 2)),
    "gmm": lambda result, given: xvcluster.gmm(given, 2),
    "sweep": lambda result, given: xvcluster.sweep(given, [2, 3]),
    "prepare": lambda result, given: xvcluster.prepare(given),
    "predict": lambda result, given: result.predict(given),
}
WRONG = {
    "array": (lambda model: model.values, r"ndarray\. Name its axes, .*'depth', 'lat', 'lon'"),
    "map": (lambda model: model.values[0], r"ndarray\. Name its axes, .*dims=\('lat', 'lon'\)"),
    "column": (lambda model: model.values[0, 0], r'ndarray\. Open a file, .*open_dataset\("file'),
    "dask": (lambda model: model.chunk().data, r"Array\. Name its axes, e\.g\. xarray\.DataArray"),
    "table": (lambda model: model.to_dataframe(), r"DataFrame\. Put it on a grid .*to_xarray\(\)"),
    "nothing": (lambda model: None, r"got None\. Open a file"),
    "list": (lambda model: [[1.0, 2.0]], r"got list\. Name its axes"),
    "parts": (lambda model: [model, model], r"got list\. Put all of it .*xarray\.merge\(data\)"),
    "mapping": (lambda model: {"vs": model}, r"dict\. Turn it .*xarray\.Dataset\(data\)"),
    "name": (lambda model: "m.nc", r"the path 'm\.nc'\. Open it .*xarray\.open_dataset\('m\.nc'\)"),
    "path": (lambda model: Path("m.nc"), r"the path 'm\.nc'\. Open it first"),
    "variable": (lambda model: model.variable, r"got Variable\. Add its coordinates"),
    "number": (lambda model: 3, r"got int\. Open a file"),
    "module": (lambda model: np, r"got module\. Open a file"),
    "result": (None, r"ClusterResult\. .*or result\.labels"),
}


@pytest.fixture(scope="module")
def model():
    """A model of twelve profiles, which are clustered in no time."""
    values = np.random.default_rng(0).normal(size=(5, 3, 4))
    coords = {"depth": np.arange(0.0, 50.0, 10.0), "lat": [0.0, 1.0, 2.0], "lon": np.arange(4.0)}
    return xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs")


@pytest.fixture(scope="module")
def result(model):
    return model.vcluster.kmeans(3)


@pytest.fixture(scope="module")
def swept(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a missing knee
        return model.vcluster.sweep([2, 3])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("wrong", WRONG)
def test_all_doors_say_how_to_make_a_model(model, result, door, wrong):
    make, match = WRONG[wrong]
    with pytest.raises(TypeError, match=f"the data must be a DataArray or Dataset .*{match}"):
        DOORS[door](result, result if make is None else make(model))


@pytest.mark.parametrize("door", DOORS)
def test_all_doors_refuse_a_dataset_without_variables(model, result, door):
    for empty in (xr.Dataset(), model.drop_vars("depth").coords.to_dataset()):
        with pytest.raises(ValueError, match="the Dataset has no data variables"):
            DOORS[door](result, empty)


def test_the_only_group_of_a_tree_is_clustered(model, result):
    tree = xr.DataTree.from_dict({"/": model.coords.to_dataset(), "/a/b": model.to_dataset()})
    dataset = model.to_dataset()
    xr.testing.assert_identical(xvcluster.kmeans(tree, 3).labels, result.labels)
    xr.testing.assert_identical(result.predict(tree), result.labels)
    xr.testing.assert_identical(
        xvcluster.prepare(tree, depth=(10, 30)), xvcluster.prepare(dataset, depth=(10, 30))
    )


def test_groups_of_a_tree_are_named(model):
    tree = xr.DataTree.from_dict({"/x/one": model.to_dataset(), "/two": model.to_dataset()})
    with pytest.raises(ValueError, match=r"in 2 groups: '/two', '/x/one'\. Give .*tree\['/two'\]"):
        xvcluster.kmeans(tree, 3)
    with pytest.raises(ValueError, match="the data are a DataTree without variables"):
        xvcluster.kmeans(xr.DataTree(), 3)


def test_names_of_groups_are_shown_without_control_characters(model):
    groups = {f"/a\x1b[2J{i}": model.to_dataset() for i in range(30)}
    with pytest.raises(ValueError, match="in 30 groups: '/a") as caught:
        unwrap(xr.DataTree.from_dict(groups), "the data")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_objects_of_xarray_are_taken_as_they_are(model):
    for data in (model, model.to_dataset()):
        assert take_model(data) is data
        assert unwrap(data, "the data") is data


def test_a_store_is_opened_as_one():
    assert describe("model.zarr") == "the path 'model.zarr'. Open it first, e.g. " + (
        "xarray.open_zarr('model.zarr')"
    )


def test_a_single_number_is_no_model():
    for data in (xr.DataArray(3.0), xr.Dataset({"vs": 3.0})):
        for fit in (xvcluster.kmeans, xvcluster.som, xvcluster.gmm, xvcluster.sweep):
            with pytest.raises(ValueError, match="the data are a single number"):
                fit(data)


def test_labels_name_what_to_open(result, swept):
    for given, match in (
        ("a.nc", r"labels must be a ClusterResult .*xvcluster\.open_result\('a\.nc'\)"),
        (result.labels.values, r"labels must be .*ndarray\. Name its axes.*'lat', 'lon'"),
        (swept, r"labels for each k; choose one, e\.g\. sweep\.result\([23]\)"),
    ):
        with pytest.raises(TypeError, match=match):
            result.match(given)
        with pytest.raises(TypeError, match=match):
            xvcluster.consensus([result, given])
