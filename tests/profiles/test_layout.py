"""Where profiles lie, found from names and coordinates alone."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.areas import cell_areas
from xvcluster.grid.coords import find_axes
from xvcluster.profiles import as_dataset, collect, lay_out


@pytest.mark.parametrize("direction", [1, -1])
def test_to_levels_keeps_the_direction_and_attrs_of_the_file(model, direction):
    data = model.isel(depth=slice(None, None, direction))
    profiles = collect(data)
    (array,) = profiles.to_levels(profiles.values.astype(float), "point")
    assert array.dims == ("point", "depth")
    xr.testing.assert_identical(profiles.coords["depth"], data["depth"])
    np.testing.assert_array_equal(array[0], data[:, 0, 0])
    assert array.attrs == data.attrs


def test_to_levels_gives_a_raster_no_vertical(model):
    profiles = collect(model.isel(depth=0, drop=True))
    (array,) = profiles.to_levels(np.ones((4, 1, 1)), "cluster")
    assert array.dims == ("cluster",)


def test_to_levels_gives_levels_without_a_coordinate_none(model):
    profiles = collect(model.drop_vars("depth"))
    (array,) = profiles.to_levels(np.ones((4, 5, 1)), "cluster")
    assert array.dims == ("cluster", "depth")
    assert "depth" not in profiles.coords


def test_lay_out_drops_attributes_that_do_not_hold_for_centroids(model):
    model.attrs |= {"missing_value": 99999.0, "valid_range": "0, 9", "actual_range": [3, 5]}
    model["depth"].attrs |= {"units": " km  ", "bounds": "depth_bounds", "edges": "depth_edges"}
    layout = lay_out(model)
    assert layout.variables["vs"] == {"long_name": "shear velocity", "units": "km/s"}
    assert layout.vertical.attrs == {"units": "km", "positive": "down"}


def test_as_dataset_names_a_nameless_array(model):
    assert list(as_dataset(model.rename(None)).data_vars) == ["value"]


def test_as_dataset_makes_coordinates_of_what_describes_others(model):
    data = model.to_dataset().reset_coords(drop=False)
    data["depth"].attrs["bounds"] = "depth_bounds"
    data["depth_bounds"] = (("depth", "bnds"), np.zeros((5, 2)))
    data["vs"].attrs["grid_mapping"] = "crs"
    data["crs"] = 0
    data["lat2"] = (("latitude", "longitude"), np.zeros((7, 9)), {"standard_name": "latitude"})
    data["lon2"] = (("latitude", "longitude"), np.zeros((7, 9)), {"units": "degrees_east"})
    assert list(as_dataset(data).data_vars) == ["vs"]


def test_as_dataset_refuses_a_coordinate(model):
    with pytest.raises(ValueError, match="'depth' is a coordinate; cluster a data variable"):
        as_dataset(model["depth"])


def test_as_dataset_refuses_a_dataset_without_variables(model):
    with pytest.raises(ValueError, match="no data variables; there is nothing to cluster"):
        as_dataset(model.to_dataset().drop_vars("vs"))


def test_as_dataset_refuses_variables_that_are_not_numeric(model):
    data = xr.Dataset({"name": model.astype(str), "vs": model})
    with pytest.raises(TypeError, match=r"'name' is not numeric \(dtype <U.*data\[\['vs'\]\]"):
        as_dataset(data)
    with pytest.raises(TypeError, match=r"not numeric \(dtype bool\); convert it first"):
        as_dataset(model > 4)


def test_as_dataset_refuses_variables_on_different_dimensions(model):
    data = xr.Dataset({"vs": model, "moho": model.isel(depth=0, drop=True)})
    message = r"different dimensions: 'vs' on .*'depth'.*'moho' on .*e\.g\. data\[\['vs'\]\]"
    with pytest.raises(ValueError, match=message):
        as_dataset(data)


def test_as_dataset_refuses_empty_data(model):
    with pytest.raises(ValueError, match="dimension 'depth' has length 0"):
        as_dataset(model.isel(depth=slice(0)))


@pytest.mark.parametrize("direction", [1, -1])
def test_lay_out_gives_the_levels_from_the_low_end_to_the_high_one(model, direction):
    layout = lay_out(model.isel(depth=slice(None, None, direction)))
    assert layout.levels.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert layout.descending == (direction == -1)
    np.testing.assert_array_equal(layout.vertical, model["depth"][::direction])


def test_lay_out_of_a_raster_has_one_level_at_zero(model):
    layout = lay_out(model.isel(depth=0, drop=True))
    assert layout.vertical is None
    assert layout.levels.tolist() == [0.0]


def test_lay_out_never_looks_at_values_or_changes_the_data(model):
    model[:] = np.inf  # which no profile may hold
    before = model.copy(deep=True)
    assert lay_out(model).grid.shape == (7, 9)
    xr.testing.assert_identical(model, before)


def test_areas_lie_on_the_dimensions_of_the_data_and_are_shared_out_over_time(model):
    twice = model.expand_dims(time=2)
    areas = lay_out(twice).areas()
    assert set(areas.dims) == {"time", "latitude", "longitude"}
    expected = cell_areas(model, find_axes(model))
    np.testing.assert_allclose(areas.sum("time").transpose(*expected.dims), expected)
    assert lay_out(model.stack(point=("latitude", "longitude"))).areas() is None


def test_grid_spreads_what_it_has_flattened(model):
    turned = model.isel(latitude=slice(None, None, -1)).transpose("longitude", "depth", "latitude")
    grid = lay_out(turned).grid
    flat = grid.flatten(turned.isel(depth=0, drop=True))
    np.testing.assert_array_equal(flat, model[0].values.ravel())
    xr.testing.assert_equal(grid.place(grid.spread(flat)), turned.isel(depth=0, drop=True))
