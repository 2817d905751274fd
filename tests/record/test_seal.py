"""Checksums of what labels of other data depend on."""

import json

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xvcluster import kmeans, open_result, som
from xvcluster.record.seal import SEAL, break_seal, seal


@pytest.fixture
def written(rough_model, tmp_path):
    path = tmp_path / "result.nc"
    kmeans(rough_model, 4, n_init=1).to_netcdf(path)
    return path


def edit(path, change):
    """Edit a file by xarray alone."""
    with xr.open_dataset(path) as opened:
        dataset = opened.load()
    change(dataset).to_netcdf(path)


def test_results_in_memory_have_no_checksums(written):
    assert SEAL in xr.load_dataset(written).attrs
    assert SEAL not in open_result(written).dataset.attrs


EDITS = {
    "vs": lambda d: d.assign(vs=d["vs"] * 1.001),
    "vs_scale": lambda d: d.assign(vs_scale=d["vs_scale"] * 2),
    "vs_offset": lambda d: d.assign(vs_offset=d["vs_offset"][::-1].variable),
    "depth": lambda d: d.assign_coords(depth=d["depth"].values[::-1]),
    "parameters": lambda d: d.assign_attrs(
        parameters=d.attrs["parameters"].replace("euclidean", "dtw")
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_changes_labels_is_refused_and_named(written, name):
    edit(written, EDITS[name])
    message = (
        rf"result\.nc is damaged, or was edited: '{name}' is not what was written.*"
        rf"use the original, or delete the attribute '{SEAL}' if you changed it on purpose"
    )
    with pytest.raises(ValueError, match=message):
        open_result(written)


def test_an_edit_on_purpose_is_accepted_without_the_checksums(written):
    before = open_result(written).dataset["vs_scale"]

    def change(dataset):
        del dataset.attrs[SEAL]
        return dataset.assign(vs_scale=dataset["vs_scale"] * 2)

    edit(written, change)
    np.testing.assert_array_equal(open_result(written).dataset["vs_scale"], 2 * before)


def test_titles_units_and_maps_can_be_edited(written, rough_model):
    expected = open_result(written)
    edit(written, lambda d: d.isel(latitude=slice(2, None)).assign_attrs(title="better").assign(
        vs=d["vs"].assign_attrs(long_name="speed"), mine=("cluster", [1, 2, 3, 4])
    ))  # fmt: skip
    edited = open_result(written)
    assert edited.dataset.attrs["title"] == "better"
    xr.testing.assert_equal(edited.labels, expected.labels[2:])
    xr.testing.assert_equal(edited.predict(rough_model), expected.predict(rough_model))


def test_a_result_that_was_changed_in_memory_is_written_as_it_is(written, rough_model):
    matched = open_result(written).match(kmeans(rough_model, 6, n_init=1))
    matched.to_netcdf(written)
    xr.testing.assert_identical(open_result(written).dataset, matched.dataset)


@pytest.mark.filterwarnings("ignore:online training shows")
def test_nodes_and_their_clusters_are_sealed(rough_model):
    sealed = seal(
        som(rough_model, (2, 3), n_clusters=2, algorithm="online", n_iterations=300).dataset
    )
    assert {"vs_node", "node_cluster", "vs_scale", "method"} <= set(json.loads(sealed.attrs[SEAL]))
    other = sealed.assign(node_cluster=sealed["node_cluster"][::-1].variable)
    with pytest.raises(ValueError, match="'node_cluster' is not what was written"):
        break_seal(other)


@pytest.mark.parametrize(
    ("levels", "again"),
    [
        (["a", "b"], np.array(["a", "b"], dtype=object)),
        (
            pd.date_range("2000-01-01", periods=2, unit="s"),
            pd.date_range("2000-01-01", periods=2, unit="ns"),
        ),
        (
            pd.date_range("2000-01-01", periods=2),
            [cftime.DatetimeGregorian(2000, 1, 1), cftime.DatetimeGregorian(2000, 1, 2)],
        ),
        (np.array([0, 10]), np.array([0.0, 10.0], dtype="float32")),
    ],
    ids=["text", "resolution", "calendar", "type"],
)
def test_levels_may_come_back_as_another_type(rough_model, levels, again):
    result = kmeans(rough_model.isel(depth=slice(2)), 2, n_init=1).dataset
    sealed = seal(result.assign_coords(depth=levels))
    break_seal(sealed.assign_coords(depth=again))
    with pytest.raises(ValueError, match="'depth' is not what was written"):
        break_seal(sealed.assign_coords(depth=again[::-1]))


@pytest.mark.parametrize("text", ["text", "[" * 100_000, "[1]", 7])
def test_break_seal_refuses_what_is_no_checksums(rough_model, text):
    dataset = kmeans(rough_model, 2, n_init=1).dataset.assign_attrs({SEAL: text})
    with pytest.raises(ValueError, match=f"'{SEAL}' holds no checksums"):
        break_seal(dataset)
