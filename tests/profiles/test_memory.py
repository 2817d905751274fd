"""From labelled arrays to one array of profiles, and back."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.areas import cell_areas
from xvcluster.grid.coords import find_axes
from xvcluster.profiles import STATUS, collect
from xvcluster.profiles.memory import (
    count_complete,
    describe_incomplete,
    find_status,
    require_complete,
)


def test_collect_stacks_profiles_in_the_order_of_the_map(model):
    profiles = collect(model)
    expected = model.transpose("latitude", "longitude", "depth").values.reshape(63, 5, 1)
    np.testing.assert_array_equal(profiles.values, expected)
    assert profiles.values.dtype == np.float32
    assert profiles.values.flags.c_contiguous
    np.testing.assert_array_equal(profiles.points, np.arange(63))


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.transpose("longitude", "depth", "latitude"),
        lambda a: a.isel(depth=slice(None, None, -1)),
        lambda a: a.isel(latitude=slice(None, None, -1)),
        lambda a: a.isel(longitude=slice(None, None, -1)),
        lambda a: a.assign_coords(longitude=a["longitude"] + 360),
    ],
    ids=["transposed", "from below", "north first", "east first", "0-360"],
)
def test_collect_stacks_the_same_profiles_whatever_the_layout(model, change):
    model[1, 2, 3] = np.nan
    expected, found = collect(model), collect(change(model))
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.points, expected.points)
    np.testing.assert_allclose(found.cell_areas, expected.cell_areas)


def test_collect_orders_points_by_time_and_by_place(model):
    times = np.array(["2001-01", "2001-02"], "datetime64[ns]")
    hourly = xr.concat([model, model + 1], dim="time").assign_coords(time=times)
    found = collect(hourly.isel(time=[1, 0], longitude=[8, 0, 1, 7, 6, 2, 5, 4, 3]))
    np.testing.assert_array_equal(found.values, collect(hourly).values)


def test_collect_puts_variables_last(model):
    data = xr.Dataset({"vs": model, "vp": (1.7 * model).transpose()}, attrs={"id": "made"})
    profiles = collect(data)
    np.testing.assert_array_equal(profiles.values[..., 0], collect(data["vs"]).values[..., 0])
    np.testing.assert_array_equal(profiles.values[..., 1], collect(data["vp"]).values[..., 0])
    assert list(profiles.variables) == ["vs", "vp"]


def test_collect_gives_a_raster_one_level(model):
    profiles = collect(model.isel(depth=0, drop=True))
    assert profiles.values.shape == (63, 1, 1)
    assert profiles.vertical is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float32"),
        ("int16", "float32"),
        ("uint8", "float32"),
        ("int32", "float64"),
    ],
)
def test_collect_takes_the_precision_that_holds_the_data(model, given, expected):
    assert collect((10 * model).astype(given)).values.dtype == expected


def test_collect_gathers_more_profiles_than_a_chunk():
    data = xr.DataArray(np.random.default_rng(0).normal(size=(9001, 3)), dims=("point", "depth"))
    np.testing.assert_array_equal(collect(data).values[..., 0], data)


def test_collect_gives_the_areas_of_the_profiles(model):
    model[:, 0, 0] = np.nan
    areas = cell_areas(model, find_axes(model)).values.ravel()
    np.testing.assert_allclose(collect(model).cell_areas, areas[1:])


def test_collect_shares_areas_out_over_time(model):
    twice = collect(model.expand_dims(time=2))
    np.testing.assert_allclose(twice.cell_areas, np.tile(collect(model).cell_areas, 2) / 2)


def test_collect_knows_no_areas_of_loose_points(model):
    loose = model.stack(point=("latitude", "longitude"))
    assert collect(loose).cell_areas is None


def test_collect_counts_the_seam_once(model):
    globe = model.assign_coords(longitude=np.linspace(-180, 180, 9))
    globe[..., -1] = globe[..., 0]
    profiles = collect(globe)
    assert profiles.values.shape == (7 * 8, 5, 1)
    assert profiles.grid.shape == (7, 8)


def test_collect_tells_fine_longitudes_apart(model):
    local = model.assign_coords(longitude=10 + np.arange(9) * 2e-6)
    assert collect(local).values.shape == (63, 5, 1)


def test_collect_takes_rounded_longitudes_for_the_same(model):
    east = np.linspace(-179.9, 180.1, 9).astype("float32")
    assert collect(model.assign_coords(longitude=east)).values.shape == (7 * 8, 5, 1)
    almost = np.append(np.linspace(-180, 135, 8), 179.99999)
    assert collect(model.assign_coords(longitude=almost)).values.shape == (7 * 8, 5, 1)


def test_collect_tells_why_a_point_has_no_profile(model):
    model[:, 0, 1] = np.nan
    model[2, 0, 2] = np.nan
    model[2, 0, 3] = -3.0
    model[:, 0, 4] = -3.0
    profiles = collect(model.assign_attrs(valid_min=0.0))
    status = [STATUS[s] for s in profiles.status[:6]]
    assert status == ["labelled", "no_data", "incomplete", "invalid", "invalid", "labelled"]
    np.testing.assert_array_equal(profiles.points, np.flatnonzero(profiles.status == 0))


def test_collect_takes_a_profile_that_lacks_one_variable_for_incomplete(model):
    data = xr.Dataset({"vs": model, "vp": 1.7 * model})
    data["vp"][:, 0, 0] = np.nan
    data["vs"][:, 0, 1] = data["vp"][:, 0, 1] = np.nan
    status = [STATUS[s] for s in collect(data).status[:3]]
    assert status == ["incomplete", "no_data", "labelled"]


def test_collect_reads_valid_limits_of_packed_data(model):
    model.attrs["valid_max"] = np.int16(450)
    model.encoding = {"scale_factor": 0.01, "add_offset": 0.0}
    status = collect(model).status.reshape(7, 9)
    np.testing.assert_array_equal(status == 3, model.max("depth") > 4.505)


def test_collect_counts_why_no_profile_is_complete(model):
    model[:, :2] = np.nan
    model[3, 2:] = np.nan
    model[0, 3:] = -1.0
    message = (
        r"none of the 63 profiles is complete: 18 have no data, 9 have gaps, 36 hold a fill value "
        r"or lie outside.*prepare\(depth=.*max_gap"
    )
    with pytest.raises(ValueError, match=message):
        collect(model.assign_attrs(valid_min=0.0))


def test_to_map_puts_values_at_their_place(model):
    model[2, 0, 2] = np.nan
    flipped = model.isel(latitude=slice(None, None, -1)).transpose("longitude", "depth", "latitude")
    profiles = collect(flipped)
    at_depth = profiles.to_map(profiles.values[:, 0, 0])
    expected = flipped.isel(depth=0, drop=True).where(flipped.notnull().all("depth"))
    xr.testing.assert_identical(at_depth, expected.rename(None).drop_attrs(deep=False))


def test_to_map_gives_the_twin_of_the_seam_the_same(model):
    globe = model.assign_coords(longitude=np.linspace(0, 360, 9))
    globe[..., -1] = globe[..., 0]
    profiles = collect(globe)
    label = profiles.to_map(np.arange(len(profiles.values)))
    np.testing.assert_array_equal(label[:, 0], label[:, -1])
    assert len(np.unique(label)) == 56


def test_collect_merges_no_columns_of_a_regional_grid(model):
    odd = model.assign_coords(longitude=np.zeros(model.sizes["longitude"]))
    assert len(collect(odd).values) == 63


def test_find_status_tells_gaps_from_no_data_and_both_from_the_invalid():
    missing = [
        np.array([[0, 1, 0, 1, 0], [0, 1, 1, 1, 0]], bool),
        np.array([[0, 1, 0, 0, 0]], bool),
    ]
    invalid = [None, np.array([0, 0, 0, 0, 1], bool)]
    assert find_status(missing, invalid).tolist() == [0, 1, 2, 2, 3]
    assert find_status(missing, [None, None]).dtype == np.int8


def test_require_complete_passes_one_profile_and_refuses_none():
    require_complete(np.array([1, 5, 5, 5]))
    message = (
        "none of the 12 profiles is complete: 3 have no data, 4 have gaps, 5 hold a fill value"
    )
    with pytest.raises(ValueError, match=message):
        require_complete(np.array([0, 3, 4, 5]))


def test_count_complete_tells_why_profiles_are_incomplete():
    one = np.array([[0, 1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0, 0]], bool)
    other = np.array([[0, 1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1, 0], [0, 1, 1, 0, 0, 1, 0]], bool)
    # complete, no data, ends early, starts late, a gap, no second variable, a gap
    assert count_complete([one, other]).tolist() == [1, 2, 2, 1]
    assert count_complete([one[:, :2]]).tolist() == [1, 0, 0, 0]


def test_describe_incomplete_names_what_there_is():
    assert describe_incomplete(np.array([5, 0, 0, 0])) == ""
    said = describe_incomplete(np.array([6000, 1000, 0, 500]))
    assert said == (
        "1,500 of 7,500 profiles with data are incomplete and have no label: 1,000 do not reach "
        "the first or last level, 500 lack a variable"
    )
