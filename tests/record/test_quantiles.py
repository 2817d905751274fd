"""Quantiles of any variables within the clusters of a result."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, open_result


def test_quantiles_of_what_was_clustered_are_those_of_the_result(rough_model, tmp_path):
    result = kmeans(rough_model, 3, weights=None)
    result.to_netcdf(tmp_path / "result.nc")
    found = open_result(tmp_path / "result.nc").quantiles(rough_model)["vs"]
    assert found.dims == ("quantile", "cluster", "depth")
    assert found.attrs["units"] == "km/s"
    xr.testing.assert_allclose(found, result.dataset["vs_quantile"], rtol=1e-5)


def test_quantiles_of_another_variable_are_those_of_the_members(two_variables):
    result = kmeans(two_variables["vs"], 3)
    other = two_variables["rho"].isel(depth=[1, 4]).transpose("longitude", "depth", "latitude")
    other = other.isel(longitude=slice(None, None, -1))
    found = result.quantiles(other.chunk(longitude=4), q=[0.0, 0.5])["rho"]
    labels = result.labels.transpose("latitude", "longitude")
    for c in (1, 2, 3):
        members = two_variables["rho"].isel(depth=[1, 4]).where(labels == c)
        for q in (0.0, 0.5):
            expected = np.nanquantile(members.values.reshape(2, -1), q, axis=1)
            np.testing.assert_allclose(found.sel(cluster=c, quantile=q), expected, rtol=1e-6)


def test_quantiles_leave_out_fill_values_and_repeated_meridians():
    lon = np.arange(0.0, 361.0, 90.0)
    coords = {"depth": [0.0, 1.0], "latitude": [-30.0, 0.0, 30.0], "longitude": lon}
    values = np.arange(30.0).reshape(2, 3, 5)
    values[..., -1] = values[..., 0]
    data = xr.DataArray(values, coords, ("depth", "latitude", "longitude"), name="vs")
    result = kmeans(data, 1)
    other = data[0].rename("age").assign_attrs(missing_value=0.0)
    once = np.array([1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13.0])
    assert result.quantiles(other, 0.5)["age"].item() == np.median(once)


def test_quantiles_of_an_empty_cluster_are_missing(model):
    result = kmeans(model, 3)
    matched = result.match(result.labels.where(result.labels != 2, 5))
    found = matched.quantiles(model)["vs"]
    assert found.sel(cluster=2).isnull().all()
    assert found.sel(cluster=5).notnull().all()


@pytest.mark.parametrize(
    ("change", "q", "match"),
    [
        (lambda d: d.isel(latitude=slice(2, None)), 0.5, "7 points along 'latitude', but the data"),
        (lambda d: d.assign_coords(latitude=d["latitude"] + 1), 0.5, "have 7 other ones"),
        (lambda d: d.rename(latitude="y"), 0.5, "but the data have no such dimension"),
        (lambda d: d, 1.5, "q must be finite and at least 0 and at most 1; got 1.5"),
        (lambda d: d, [], "q must be numbers from 0 to 1"),
    ],
)
def test_quantiles_refuse_other_points_and_bad_shares(model, change, q, match):
    with pytest.raises(ValueError, match=match):
        kmeans(model, 3).quantiles(change(model), q)
