"""Results read from files together with their data."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import gmm, kmeans, open_result, som, ward


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (ward, {}),
        (ward, {"contiguous": False, "weights": "area", "level_weights": "thickness"}),
        (kmeans, {"normalize": "profile", "variable_weights": {"vs": 2.0}}),
        (som, {"grid_size": (3, 3)}),
        (gmm, {"n_components": 2}),
    ],
)
def test_a_result_with_its_data_is_as_it_was(two_variables, tmp_path, method, options):
    result = method(two_variables, **{"n_clusters": 4} | options)
    result.to_netcdf(tmp_path / "result.nc")
    turned = two_variables.isel(latitude=slice(None, None, -1)).transpose("longitude", ...)
    again = open_result(tmp_path / "result.nc", two_variables)
    xr.testing.assert_allclose(again.merge(3).dataset, result.merge(3).dataset)
    if method is ward:
        xr.testing.assert_allclose(again.cut(6).dataset, result.cut(6).dataset)
    if not result.parameters.get("contiguous"):
        found, wanted = (r.stability(5).dataset["stability"] for r in (again, result))
        xr.testing.assert_allclose(found, wanted)
    with pytest.raises(ValueError, match="not those that were clustered: along 'latitude'"):
        open_result(tmp_path / "result.nc", turned)


def test_other_data_are_refused(rough_model, tmp_path):
    ward(rough_model, 4).to_netcdf(tmp_path / "result.nc")
    for data, said in (
        (rough_model.rename("vp"), "hold 'vp', but the result is of 'vs'"),
        (rough_model.rename("vp").to_dataset(), "lack 'vs'"),
        (rough_model.isel(depth=slice(0, 3)), "along 'depth' they have other places"),
        (rough_model.isel(longitude=slice(0, 3)), "along 'longitude'"),
    ):
        with pytest.raises(ValueError, match=said):
            open_result(tmp_path / "result.nc", data)
    with pytest.raises(ValueError, match="'vs_offset', by which they are scaled"):
        open_result(tmp_path / "result.nc", rough_model + 3.0).cut(3)
    with pytest.raises(ValueError, match="needs all profiles in memory"):
        open_result(tmp_path / "result.nc", rough_model.chunk(latitude=5)).cut(3)
    with pytest.raises(ValueError, match="of 130 complete profiles, but the data have 132"):
        open_result(tmp_path / "result.nc", rough_model.fillna(0.0)).cut(3)
    weights = xr.ones_like(rough_model[0])
    ward(rough_model, 4, weights=weights).to_netcdf(tmp_path / "weighted.nc")
    with pytest.raises(ValueError, match="weights that were given as an array"):
        open_result(tmp_path / "weighted.nc", rough_model)


def test_a_zarr_store_with_its_data(rough_model, tmp_path):
    result = kmeans(rough_model, 5)
    result.to_zarr(tmp_path / "result.zarr")
    again = open_result(tmp_path / "result.zarr", rough_model)
    np.testing.assert_array_equal(again.merge(2).labels, result.merge(2).labels)


def test_loose_points_in_another_order_are_refused_and_cells_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    lat, lon = (
        a.ravel() for a in np.meshgrid(np.arange(0.0, 40.0, 5.0), np.arange(0.0, 40.0, 5.0))
    )
    coords = {"depth": [0.0, 1.0], "lat": ("cell", lat), "lon": ("cell", lon)}
    bounds = {
        "lat_b": (("cell", "v"), lat[:, None] + [-2.5, -2.5, 2.5, 2.5]),
        "lon_b": (("cell", "v"), lon[:, None] + [-2.5, 2.5, 2.5, -2.5]),
    }
    values = rng.normal(size=(2, lat.size))
    data = xr.Dataset(
        {"t": (("depth", "cell"), values), "s": (("depth", "cell"), values**2)} | bounds, coords
    )
    data["lat"].attrs["bounds"], data["lon"].attrs["bounds"] = "lat_b", "lon_b"
    result = ward(data[["t"]].assign(data[["lat_b", "lon_b"]]), 5, weights="area")
    result.to_netcdf(tmp_path / "cells.nc")
    again = open_result(tmp_path / "cells.nc", data)
    xr.testing.assert_allclose(again.cut(8).dataset, result.cut(8).dataset)
    xr.testing.assert_equal(again.clean(min_area=1e6).labels, result.clean(min_area=1e6).labels)
    with pytest.raises(ValueError, match="'lat' they have other places"):
        open_result(tmp_path / "cells.nc", data.isel(cell=slice(None, None, -1)))
