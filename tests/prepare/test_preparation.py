from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from dask.base import is_dask_collection

import xvcluster  # noqa: F401  (registers .vcluster)
from xvcluster.prepare import interpolate, prepare


def columns(values, x, **attrs):
    """Profiles (point, depth) at the given depths."""
    values = np.atleast_2d(np.asarray(values, float))
    return xr.DataArray(
        values, dims=("point", "depth"), coords={"depth": ("depth", np.asarray(x, float), attrs)}
    )


@pytest.fixture
def uneven():
    """Twenty profiles on uneven depths."""
    rng = np.random.default_rng(1)
    return columns(rng.normal(4, 0.5, (20, 7)), [0, 3, 10, 12, 30, 55, 60], units="km")


# --- depth ---


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (slice(10, 30), [10, 20, 30]),
        ((10, 30), [10, 20, 30]),
        ([30, 10], [10, 20, 30]),
        (slice(None, 10), [0, 10]),
        (slice(25, None), [30, 40]),
        (slice(9.9, 10.1), [10]),
        (slice(-100, 5), [0]),
        (None, [0, 10, 20, 30, 40]),
    ],
)
def test_prepare_takes_a_depth_range_with_both_ends(model, depth, expected):
    assert prepare(model, depth=depth)["depth"].values.tolist() == expected


def test_prepare_takes_the_units_and_the_sign_of_the_file(model):
    upward = model.assign_coords(depth=-model["depth"] * 1000)
    upward["depth"].attrs = {"units": "m", "positive": "up"}
    cut = prepare(upward, depth=slice(-30_000, -10_000))
    assert cut["depth"].values.tolist() == [-10_000, -20_000, -30_000]
    assert cut["depth"].attrs == {"units": "m", "positive": "up"}
    np.testing.assert_array_equal(cut, prepare(model, depth=slice(10, 30)))


def test_prepare_keeps_the_direction_of_the_axis(model):
    flipped = model.isel(depth=slice(None, None, -1))
    xr.testing.assert_identical(
        prepare(flipped, depth=(5, 35), dz=5),
        prepare(model, depth=(5, 35), dz=5).isel(depth=slice(None, None, -1)),
    )


def test_prepare_refuses_a_range_outside_the_data(model):
    with pytest.raises(ValueError, match="range 50 to 90 km misses the data, which cover 0 to 40"):
        prepare(model, depth=slice(50, 90))
    with pytest.raises(ValueError, match="range -20 to -10 km misses"):
        prepare(model, depth=slice(-20, -10))


def test_prepare_suggests_the_range_of_an_axis_that_is_positive_up(model):
    upward = model.assign_coords(depth=("depth", -model["depth"].values, {"positive": "up"}))
    with pytest.raises(ValueError, match=r"this axis is positive upwards: try slice\(-30, -10\)"):
        prepare(upward, depth=slice(10, 30))


def test_prepare_refuses_a_range_between_two_levels(model):
    with pytest.raises(
        ValueError, match=r"no level lies in .* 12 to 18 km; the nearest are at 10 a"
    ):
        prepare(model, depth=slice(12, 18))


@pytest.mark.parametrize("depth", [5, (1, 2, 3), "ab", ("a", "b"), (np.nan, 3)])
def test_prepare_refuses_what_is_no_range(model, depth):
    with pytest.raises(ValueError, match="depth must be a slice or a pair of numbers; got"):
        prepare(model, depth=depth)


def test_prepare_refuses_the_step_of_a_slice(model):
    with pytest.raises(ValueError, match="has a step; resample with dz=5 instead"):
        prepare(model, depth=slice(0, 30, 5))


# --- dz ---


def test_prepare_interpolates_as_numpy_does(uneven):
    prepared = prepare(uneven, depth=(2, 58), dz=3.5)
    levels = 2 + 3.5 * np.arange(17)
    np.testing.assert_array_equal(prepared["depth"], levels)
    for own, found in zip(uneven.values, prepared.values, strict=True):
        np.testing.assert_allclose(found, np.interp(levels, uneven["depth"], own), rtol=1e-12)


def test_prepare_starts_at_the_smaller_end_and_goes_as_far_as_it_can(uneven):
    assert prepare(uneven, dz=25)["depth"].values.tolist() == [0, 25, 50]
    assert prepare(uneven, depth=(5, 500), dz=25)["depth"].values.tolist() == [5, 30, 55]


def test_prepare_resamples_a_range_between_two_levels(uneven):
    prepared = prepare(uneven, depth=(31, 33), dz=1)
    share = (np.array([31, 32, 33]) - 30) / 25
    expected = np.outer(uneven[:, 4], 1 - share) + np.outer(uneven[:, 5], share)
    np.testing.assert_allclose(prepared, expected, rtol=1e-12)


def test_prepare_keeps_its_own_levels_bit_by_bit(model):
    xr.testing.assert_identical(prepare(model, dz=10), model)
    third = model.assign_coords(depth=("depth", np.arange(5) * 0.1, model["depth"].attrs))
    np.testing.assert_array_equal(prepare(third, dz=0.1), third)


def test_prepare_takes_the_later_of_two_values_at_one_depth():
    profile = columns([3.0, 3.2, 4.0, 4.2], [0, 10, 10, 20])
    np.testing.assert_allclose(prepare(profile, dz=5)[0], [3.0, 3.1, 4.0, 4.1, 4.2])
    at_the_end = columns([3.0, 3.2, 4.0], [0, 10, 10])
    np.testing.assert_allclose(prepare(at_the_end, dz=5)[0], [3.0, 3.1, 4.0])


def test_prepare_keeps_missing_neighbours_from_exact_levels():
    profile = columns([3.0, np.nan, 4.0, 5.0], [0, 10, 20, 30])
    found = prepare(profile, dz=5)[0].values
    np.testing.assert_array_equal(np.isnan(found), [0, 1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(found[[0, 4, 5, 6]], [3.0, 4.0, 4.5, 5.0])


@pytest.mark.parametrize(("dtype", "expected"), [("int16", "float32"), ("float32", "float32")])
def test_prepare_computes_in_the_precision_of_the_data(dtype, expected):
    profile = columns([3, 5, 9], [0, 10, 20]).astype(dtype)
    prepared = prepare(profile, dz=5)
    assert prepared.dtype == expected
    np.testing.assert_array_equal(prepared[0], [3, 4, 5, 7, 9])


@pytest.mark.parametrize("dz", [0, -2.0])
def test_prepare_refuses_a_step_that_is_not_positive(model, dz):
    with pytest.raises(ValueError, match=f"dz must be .*above 0; got {dz}"):
        prepare(model, dz=dz)


def test_prepare_refuses_a_step_that_is_no_number(model):
    with pytest.raises(TypeError, match="dz must be a number above 0; got '2'"):
        prepare(model, dz="2")


def test_prepare_refuses_a_step_larger_than_the_range(model):
    with pytest.raises(ValueError, match="dz=21 is larger than the depth range 10 to 30 km"):
        prepare(model, depth=(10, 30), dz=21)
    with pytest.raises(ValueError, match="dz=41 is larger than the depth range 0 to 40 km"):
        prepare(model, depth=(-500, 500), dz=41)


def test_prepare_refuses_depths_in_disorder(model):
    shuffled = model.assign_coords(depth=[0.0, 20, 10, 30, 40])
    with pytest.raises(ValueError, match=r"'depth' is not monotonic.*data\.sortby\('depth'\)"):
        prepare(shuffled, dz=5)


def test_interpolate_repeats_a_single_level():
    found = interpolate(columns([[3.0], [4.0]], [7]), "depth", [7.0, 7.0])
    np.testing.assert_array_equal(found, [[3, 3], [4, 4]])


def test_interpolate_takes_levels_in_any_order(uneven):
    there = interpolate(uneven, "depth", [5.0, 20.0, 40.0])
    back = interpolate(uneven, "depth", [40.0, 20.0, 5.0])
    xr.testing.assert_identical(back, there.isel(depth=slice(None, None, -1)))


# --- max_gap ---


def fill_by_hand(values, x, max_gap):
    """Gaps no wider than max_gap, one value after the other."""
    filled = values.copy()
    known = np.flatnonzero(~np.isnan(values))
    for before, after in pairwise(known):
        if x[after] - x[before] <= max_gap:
            inside = slice(before + 1, after)
            filled[inside] = np.interp(x[inside], x[[before, after]], values[[before, after]])
    return filled


@pytest.mark.parametrize("max_gap", [5, 12, 20, 27, 100])
@pytest.mark.parametrize("direction", [1, -1])
def test_prepare_fills_gaps_as_by_hand(uneven, max_gap, direction):
    gappy = uneven.where(np.random.default_rng(2).random(uneven.shape) > 0.4)
    expected = [fill_by_hand(v, uneven["depth"].values, max_gap) for v in gappy.values]
    found = prepare(gappy.isel(depth=slice(None, None, direction)), max_gap=max_gap)
    np.testing.assert_allclose(found.isel(depth=slice(None, None, direction)), expected)
    xr.testing.assert_equal(
        found["depth"], uneven["depth"].isel(depth=slice(None, None, direction))
    )


def test_prepare_fills_all_inner_gaps_as_pandas_does(uneven):
    gappy = uneven.where(np.random.default_rng(3).random(uneven.shape) > 0.4)
    frame = pd.DataFrame(gappy.values.T, index=uneven["depth"].values)
    expected = frame.interpolate(method="index", limit_area="inside").to_numpy().T
    np.testing.assert_allclose(prepare(gappy, max_gap=1e6), expected)


def test_prepare_fills_gaps_from_levels_beyond_the_range():
    profile = columns([3.0, np.nan, 4.0, 5.0], [0, 10, 20, 30])
    np.testing.assert_allclose(prepare(profile, depth=(10, 30), max_gap=20)[0], [3.5, 4.0, 5.0])


def test_prepare_fills_a_gap_between_two_values_at_one_depth():
    profile = columns([3.0, np.nan, 4.0, 5.0], [10, 10, 10, 30])
    np.testing.assert_allclose(prepare(profile, max_gap=1)[0], [3.0, 3.0, 4.0, 5.0])


def test_prepare_refuses_a_gap_that_is_not_positive(model):
    with pytest.raises(ValueError, match=r"max_gap must be .*above 0; got 0"):
        prepare(model, max_gap=0)


# --- stride ---


def test_prepare_thins_latitude_and_longitude(model):
    hourly = model.expand_dims(time=3)
    thinned = prepare(hourly, stride=2)
    xr.testing.assert_identical(thinned, hourly[..., ::2, ::2])


def test_prepare_thins_the_dimensions_that_a_mapping_names(model):
    thinned = prepare(model, stride={"longitude": 3})
    xr.testing.assert_identical(thinned, model[..., ::3])


def test_prepare_thins_everything_but_time_where_coordinates_are_unknown(model):
    bare = model.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    thinned = prepare(bare.expand_dims(time=3), stride=2)
    assert dict(thinned.sizes) == {"time": 3, "depth": 5, "y": 4, "x": 5}


def test_prepare_thins_loose_points(uneven):
    assert prepare(uneven, stride=3).sizes["point"] == 7


def test_prepare_drops_the_bounds_of_cells_that_are_thinned(model):
    data = model.to_dataset()
    data["latitude"].attrs["bounds"] = "latitude_bounds"
    edges = np.stack([data["latitude"] - 0.5, data["latitude"] + 0.5], axis=1)
    data["latitude_bounds"] = (("latitude", "bnds"), edges)
    assert "latitude_bounds" in prepare(data, stride={"longitude": 2})
    thinned = prepare(data, stride=2)
    assert "latitude_bounds" not in thinned
    area = [d.vcluster.kmeans(1).table()["area_km2"].sum() for d in (data, thinned)]
    assert area[1] > area[0]


@pytest.mark.parametrize("stride", [0, -1, {"latitude": 0}])
def test_prepare_refuses_a_stride_below_1(model, stride):
    with pytest.raises(ValueError, match=r"stride.* must be at least 1; got"):
        prepare(model, stride=stride)


@pytest.mark.parametrize("stride", [1.5, "2", True, None])
def test_prepare_refuses_a_stride_that_is_no_integer(model, stride):
    with pytest.raises(TypeError, match="stride must be an integer of at least 1; got"):
        prepare(model, stride=stride)


@pytest.mark.parametrize("name", ["lat", "depth"])
def test_prepare_refuses_a_stride_along_an_unknown_dimension(model, name):
    message = f"stride names '{name}', which is not a horizontal.*'latitude', 'longitude'"
    with pytest.raises(ValueError, match=message):
        prepare(model, stride={name: 2})


# --- any data ---


def test_prepare_masks_invalid_values_before_it_interpolates(model):
    spoiled = model.copy()
    spoiled[1, 0, 0] = 99999
    with pytest.warns(UserWarning, match="1 of 315 values of 'vs' are 99999"):
        prepared = prepare(spoiled, dz=5)
    assert np.isnan(prepared[:, 0, 0]).values.tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0]
    assert prepared.max() < 6


def test_prepare_keeps_attributes_and_how_limits_are_packed(model):
    model.attrs["valid_max"] = np.int16(550)
    model.encoding = {"scale_factor": 0.01, "add_offset": 0.0}
    prepared = prepare(model, dz=5, stride=2, max_gap=20)
    assert prepared.attrs == model.attrs
    assert prepared["depth"].attrs == model["depth"].attrs
    assert prepared.vcluster.kmeans(3).dataset["count"].sum() == 20


@pytest.mark.parametrize("as_dataset", [False, True])
def test_prepare_changes_no_input(model, as_dataset):
    model[2, 1, 1] = np.nan
    model.attrs["valid_max"] = 5.3
    model.encoding = {"zlib": True}
    data = model.to_dataset() if as_dataset else model
    before = data.copy(deep=True)
    prepare(data, depth=(5, 35), dz=5, stride=2, max_gap=25)
    xr.testing.assert_identical(data, before)
    assert model.encoding == {"zlib": True}


def test_prepare_treats_every_variable_of_a_dataset_alike(model):
    data = xr.Dataset({"vs": model, "vp": 1.7 * model}, attrs={"id": "made"})
    data["elevation"] = model[0].drop_vars("depth") * 0
    data["name"] = ("longitude", list("abcdefghi"))
    data.encoding["source"] = "made.nc"
    options = {"depth": (5, 35), "dz": 5, "stride": 2, "max_gap": 10}
    prepared = prepare(data, **options)
    xr.testing.assert_identical(prepared["vs"], prepare(data["vs"], **options))
    xr.testing.assert_identical(prepared["vp"], prepare(data["vp"], **options))
    xr.testing.assert_identical(prepared["elevation"], data["elevation"][::2, ::2])
    xr.testing.assert_identical(prepared["name"], data["name"][::2])
    assert prepared.attrs == {"id": "made"}
    assert prepared.encoding == {"source": "made.nc"}


def test_prepare_keeps_the_texts_of_a_dataset_without_vertical(model):
    data = xr.Dataset({"vs": model[0], "name": ("longitude", list("abcdefghi"))})
    xr.testing.assert_identical(
        prepare(data, stride=2),
        data.isel(latitude=slice(None, None, 2), longitude=slice(None, None, 2)),
    )


def test_prepare_refuses_a_variable_that_is_not_numeric(model):
    with pytest.raises(TypeError, match=r"'vs' is not numeric .*cannot be prepared"):
        prepare(model.astype(str))


def test_prepare_refuses_a_vertical_option_without_a_vertical(model):
    with pytest.raises(ValueError, match="no vertical dimension, so dz cannot be applied"):
        prepare(model.isel(depth=0, drop=True), dz=2)


def test_prepare_thins_and_masks_a_raster(model):
    raster = model.isel(depth=0, drop=True).assign_attrs(valid_max=4.5)
    expected = raster.where(raster <= 4.5)[::2, ::2]
    xr.testing.assert_identical(prepare(raster, stride=2), expected)


def test_prepare_leaves_layers_with_names_alone(model):
    layers = model.rename(depth="layer").assign_coords(layer=list("abcde"))
    xr.testing.assert_identical(prepare(layers, stride=2), layers[:, ::2, ::2])


def test_prepare_refuses_empty_data(model):
    with pytest.raises(ValueError, match="the data are empty: dimension 'latitude' has length 0"):
        prepare(model.sel(latitude=slice(40, 36)), dz=5)


def test_interpolate_computes_nothing_on_dask_arrays(model):
    import dask

    def refuse(*args, **kwargs):
        raise AssertionError("computed")

    with dask.config.set(scheduler=refuse):
        lazy = interpolate(model.chunk(depth=2, latitude=3), "depth", [5.0, 15.0])
    np.testing.assert_allclose(lazy.compute(), interpolate(model, "depth", [5.0, 15.0]))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4"])
def test_prepare_interpolates_integers_without_overflow(dtype):
    column = np.array([200, 20, 200, 20], dtype=dtype)
    data = xr.DataArray(
        np.tile(column[:, None], 3),
        dims=("depth", "point"),
        coords={"depth": [0.0, 10.0, 20.0, 30.0]},
    )
    resampled = prepare(data, dz=5.0).isel(point=0)
    np.testing.assert_allclose(resampled, [200, 110, 20, 110, 200, 110, 20])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2},
        {"depth": (5, 45), "dz": 2.5, "stride": 2, "max_gap": 25},
        {"depth": slice(10, 30)},
        {"max_gap": 30},
    ],
    ids=lambda options: " ".join(options) or "nothing",
)
def test_prepare_of_dask_arrays_is_lazy_and_gives_the_same(rough_model, computed, options):
    data = rough_model.assign_attrs(valid_min=0.0, missing_value=-999.0)
    prepared = prepare(data.chunk(depth=2, latitude=5, longitude=4), **options)
    assert is_dask_collection(prepared)
    assert computed == []
    xr.testing.assert_identical(prepared.compute(), prepare(data, **options))


def test_prepare_computes_no_lazy_coordinate(bent_model, computed):
    data = bent_model.chunk(y=5, x=4)
    assert is_dask_collection(data["lat"].variable)
    prepared = prepare(data, depth=slice(5, 45), dz=5, stride=2, max_gap=30)
    assert computed == []
    assert is_dask_collection(prepared["lat"].variable)


def test_prepare_of_a_dataset_computes_nothing(two_variables, computed):
    data = two_variables.assign(rho=two_variables["rho"].assign_attrs(missing_value=-1.0))
    assert is_dask_collection(prepare(data.chunk(latitude=5), depth=slice(5, 45), dz=5))
    assert computed == []


def test_prepare_interpolates_no_undeclared_fill_value(rough_model):
    filled = rough_model.copy()
    filled.values[3:, :6, :6] = -9999.0
    lazy = filled.chunk(latitude=4, longitude=3).vcluster.prepare(dz=7)
    with pytest.warns(UserWarning, match="-9999, which the file does not declare"):
        expected = filled.vcluster.prepare(dz=7)
    xr.testing.assert_equal(lazy.compute(), expected)


@pytest.mark.parametrize("where", ["attrs", "encoding"])
def test_prepare_keeps_the_bounds_of_levels_wherever_they_are_named(model, where):
    edges = np.stack([model["depth"] - 5.0, model["depth"] + 5.0], axis=1)
    data = model.to_dataset().assign_coords(depth_bounds=(("depth", "bnds"), edges))
    getattr(data["depth"], where)["bounds"] = "depth_bounds"
    prepared = prepare(data, depth=slice(10, 30))
    np.testing.assert_array_equal(prepared["depth_bounds"], edges[1:4])
    assert "depth_bounds" not in prepare(data, dz=5.0)


def test_stride_keeps_all_times_of_a_grid_that_a_file_holds_for_each(bent_model):
    times = xr.concat([bent_model] * 3, "time")
    for name in ("lat", "lon"):
        times = times.assign_coords({name: xr.concat([bent_model[name]] * 3, "time").variable})
    assert prepare(times, stride=2).sizes == {"time": 3, "depth": 6, "y": 6, "x": 6}
