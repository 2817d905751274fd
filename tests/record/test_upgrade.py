"""Results of earlier layouts, written by the versions that had them, are read as before."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster import open_result
from xvcluster.record.dataset import SCHEMA

FILES = sorted((Path(__file__).parent / "data").glob("layout*.nc"))


@pytest.fixture(scope="module")
def model():
    """The synthetic model that the files were made from."""
    tomography = xvcluster.tutorial.tomography(resolution=2.0)
    return tomography.vcluster.prepare(depth=slice(5, 60), dz=10)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_of_earlier_layouts_label_their_data_as_they_did(path, model):
    result = open_result(path)
    assert result.dataset.attrs["xvcluster_schema"] == SCHEMA
    found = result.predict(model[result.parameters["variables"]])
    np.testing.assert_array_equal(found, result.labels)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_of_earlier_layouts_say_how_profiles_were_scaled(path):
    result = open_result(path)
    assert "scale" not in result.parameters
    for name in result.parameters["variables"]:
        assert np.isfinite(result.dataset[f"{name}_offset"]).all()
        assert (result.dataset[f"{name}_scale"] > 0).all()
    assert result.table()["nearest_distance"].gt(0).all()
    assert result.model is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_upgraded_results_are_those_of_today(path, model, tmp_path):
    upgraded = open_result(path)
    upgraded.to_netcdf(tmp_path / "again.nc")
    again = open_result(tmp_path / "again.nc")
    assert again.parameters == upgraded.parameters
    np.testing.assert_array_equal(
        again.predict(model[again.parameters["variables"]]), upgraded.labels
    )


DAMAGES = {
    "the parameter 'scale' does not name vs": lambda p: p | {"scale": {"vp": 1.0}},
    "the parameter 'scale' of 'vs' must be a number": lambda p: p | {"scale": {"vs": "1"}},
    "the parameter 'scale' of 'vs' must be finite": lambda p: p | {"scale": {"vs": 0.0}},
    "the parameter 'scale' does not name": lambda p: p | {"scale": [1]},
    "it lacks the parameter 'scale'": lambda p: {n: v for n, v in p.items() if n != "scale"},
    "it lacks the parameter 'random_state'": lambda p: {
        n: v for n, v in p.items() if n != "random_state"
    },
}


@pytest.mark.parametrize("message", DAMAGES)
def test_damaged_results_of_earlier_layouts_are_refused(tmp_path, message):
    raw = xr.load_dataset(FILES[0])
    raw.attrs["parameters"] = json.dumps(DAMAGES[message](json.loads(raw.attrs["parameters"])))
    raw.to_netcdf(tmp_path / "old.nc")
    with pytest.raises(ValueError, match=rf"old\.nc is damaged, or was edited: {message}"):
        open_result(tmp_path / "old.nc")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_of_earlier_layouts_without_a_variable_are_refused(path, tmp_path):
    raw = xr.load_dataset(path)
    for name in raw.data_vars:
        raw.drop_vars(name).to_netcdf(tmp_path / "old.nc")
        if name in {"area", "vs_offset"}:  # not every result has these
            continue
        with pytest.raises(ValueError, match=rf"old\.nc is damaged.*lacks the variable '{name}'"):
            open_result(tmp_path / "old.nc")
