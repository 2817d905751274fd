import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xvcluster.grid.missing import Extremes, find_extremes, find_invalid, mask_invalid


def array(values, dtype="float32", encoding=(), **attrs):
    data = xr.DataArray(np.array(values, dtype), dims="x", name="v", attrs=attrs)
    data.encoding = dict(encoding)
    return data


def refused(data):
    """Positions that find_invalid refuses, without a warning."""
    invalid = find_invalid(data)
    return [] if invalid is None else np.flatnonzero(invalid).tolist()


# --- declared by the attributes ---


@pytest.mark.parametrize("name", ["fill_value", "missing_value", "_FillValue"])
@pytest.mark.parametrize("value", [-500.0, "-500.", [-500.0, -501.0], np.float32(-500)])
def test_find_invalid_takes_a_plain_fill_attribute(name, value):
    assert refused(array([1, -500, 2, 3], **{name: value})) == [1]


def test_find_invalid_compares_a_fill_value_as_float32_rounds_it():
    assert refused(array([1, 99999.9, 2], missing_value=99999.9)) == [1]


def test_find_invalid_takes_a_fill_value_beyond_the_dtype_for_no_match():
    assert refused(array(range(-15, 10), "int8", missing_value=-9999)) == []
    assert refused(array([1, 2, 3], missing_value=1e40)) == []


def test_find_invalid_takes_a_declared_infinity():
    assert refused(array([1, np.inf, 2], missing_value=np.inf)) == [1]


@pytest.mark.parametrize("name", ["missing_value", "valid_range", "valid_min"])
def test_find_invalid_passes_over_an_attribute_without_numbers(name):
    assert refused(array([1, 2, 3], **{name: "none"})) == []


@pytest.mark.parametrize(
    ("attrs", "expected"),
    [
        ({"valid_min": 2.0}, [0]),
        ({"valid_max": 3.0}, [3]),
        ({"valid_min": 2.0, "valid_max": 3.0}, [0, 3]),
        ({"valid_range": [2.0, 3.0]}, [0, 3]),
        ({"valid_range": "2., 3."}, [0, 3]),
        ({"valid_range": "2.0f, 3.e+0f"}, [0, 3]),
        ({"valid_range": "2-3"}, [0, 3]),
        ({"valid_range": "-5 to 3"}, [3]),
        ({"valid_min": "2"}, [0]),
        ({"valid_range": [2.0]}, []),
        ({"valid_range": [0.0, 9.0], "valid_min": 3.0}, [0, 1]),
    ],
)
def test_find_invalid_takes_the_valid_range(attrs, expected):
    assert refused(array([1, 2, 3, 4], **attrs)) == expected


def test_find_invalid_keeps_the_limits_themselves_and_nan():
    assert refused(array([0.1, 0.7, np.nan], valid_min=0.1, valid_max=0.7)) == []


def test_find_invalid_unpacks_limits_of_packed_data():
    packing = {"scale_factor": 0.01, "add_offset": 10.0}
    values = np.float32(np.array([-1, 0, 350, 351]) * 0.01 + 10)
    assert refused(array(values, encoding=packing, valid_range=np.int16([0, 350]))) == [0, 3]
    assert refused(array(values, encoding=packing, valid_max=13.0)) == [2, 3]


def test_find_invalid_unpacks_limits_by_an_offset_alone():
    assert refused(array([9, 10, 11], encoding={"add_offset": 10.0}, valid_min=np.int8(0))) == [0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_find_invalid_keeps_every_packed_value_up_to_the_limit(tmp_path, dtype):
    packing = {
        "dtype": "int16",
        "_FillValue": -9999,
        "scale_factor": np.dtype(dtype).type(0.01),
        "add_offset": 273.15,
    }
    data = array(np.arange(-200, 4500) * 0.01 + 273.15, dtype)
    data.attrs["valid_range"] = np.int16([0, 4000])
    data.to_netcdf(tmp_path / "packed.nc", encoding={"v": packing})
    with xr.open_dataset(tmp_path / "packed.nc") as opened:
        valid = ~find_invalid(opened["v"])
    assert np.flatnonzero(valid)[[0, -1]].tolist() == [200, 4200]


OPERATIONS = {
    "as opened": lambda packed: packed,
    "mean": lambda packed: packed.mean("time", keep_attrs=True),
    "where": lambda packed: packed.where(packed > -1e9),
    "astype": lambda packed: packed.astype("float64"),
    "arithmetic": lambda packed: (packed + 0.0).assign_attrs(packed.attrs),
    "coarsen": lambda packed: packed.coarsen(time=2).mean(keep_attrs=True),
    "fillna": lambda packed: packed.fillna(0.0),
}


@pytest.fixture
def packed_file(tmp_path):
    """Temperatures of −10 to 29.5 °C, packed in hundredths from −20 °C, as the limits are."""
    values = np.arange(-10.0, 30.0, 0.25).reshape(2, 80)
    data = xr.DataArray(values, dims=("time", "x"), name="t", attrs={"units": "degC"})
    data.attrs["valid_range"] = np.int16([0, 5000])
    packing = {"dtype": "int16", "scale_factor": 0.01, "add_offset": -20.0, "_FillValue": -32767}
    data.to_netcdf(tmp_path / "packed.nc", encoding={"t": packing})
    with xr.open_dataset(tmp_path / "packed.nc") as opened:
        yield opened["t"]


@pytest.mark.filterwarnings("ignore:valid_range of 't' is .* ignored:UserWarning")
@pytest.mark.parametrize("name", OPERATIONS)
def test_find_invalid_refuses_no_value_by_limits_of_the_packed_file(packed_file, name):
    packed_file.load()
    for lazy in (False, True):
        data = OPERATIONS[name](packed_file.chunk() if lazy else packed_file)
        invalid = find_invalid(data)
        assert invalid is None or not invalid.any()


def test_find_invalid_warns_of_limits_that_are_no_longer_those_of_the_values(packed_file):
    shifted = packed_file.load().copy() + 0.0
    shifted.attrs = dict(packed_file.attrs)
    told = (
        r"valid_range of 't' is \[ *0 5000\], of integers, but .* ignored.*attrs\['valid_range'\]"
    )
    for data in (shifted, shifted.chunk()):
        with pytest.warns(UserWarning, match=told):
            assert find_invalid(data) is None
    assert find_invalid(abs(shifted).assign_attrs(shifted.attrs)) is None  # all within: no warning


@pytest.mark.parametrize(
    "declared", [{"valid_min": np.int16(3)}, {"valid_max": 3}, {"valid_range": [2, 3]}]
)
def test_find_invalid_takes_integer_limits_of_what_was_never_packed(declared):
    expected = {"valid_min": [0, 1], "valid_max": [3], "valid_range": [0, 3]}[next(iter(declared))]
    assert refused(array([1, 2, 3, 4], encoding={"dtype": "float32"}, **declared)) == expected
    assert refused(array([1, 2, 3, 4], encoding={"dtype": "int16"}, **declared)) == expected
    assert refused(array([1, 2, 3, 4], "int16", **declared)) == expected
    undecoded = {"scale_factor": 0.01, "add_offset": 273.15}
    assert refused(array([1, 2, 3, 4], **declared, **undecoded)) == expected


@pytest.mark.parametrize("limits", ["100, 300", "100 to 300", np.int16([100, 300]), [100, 300]])
@pytest.mark.parametrize("scale", [0.01, [0.01], np.float32(0.01)])
def test_find_invalid_unpacks_limits_of_whatever_type(limits, scale):
    values = np.array([0.99, 1.0, 3.0, 3.01]) + 5.0
    packing = {"scale_factor": scale, "add_offset": [5.0], "dtype": "int16"}
    assert refused(array(values, "float64", packing, valid_range=limits)) == [0, 3]


def test_find_invalid_takes_limits_by_text_with_a_point_for_those_of_the_values():
    packing = {"scale_factor": 0.01, "dtype": "int16"}
    assert refused(array([0.5, 1.5, 3.5], encoding=packing, valid_range="1.0, 3.0")) == [0, 2]


def test_find_invalid_turns_limits_around_where_the_scale_is_negative():
    values = np.array([-0.5, -1.0, -3.0, -3.5])
    packing = {"scale_factor": -0.01, "dtype": "int16"}
    assert refused(array(values, "float64", packing, valid_range=np.int16([100, 300]))) == [0, 3]
    assert refused(array(values, "float64", packing, valid_min=np.int16(100))) == [0]


def test_find_invalid_reads_limits_of_unsigned_bytes(tmp_path):
    raw = xr.DataArray(np.array([0, 10, 200, 255], "uint8").view("int8"), dims="x", name="v")
    raw.attrs = {"_Unsigned": "true", "scale_factor": 0.5, "valid_range": np.int8([10, -6])}
    raw.to_netcdf(tmp_path / "unsigned.nc")
    with xr.open_dataset(tmp_path / "unsigned.nc") as opened:
        np.testing.assert_array_equal(opened["v"], [0.0, 5.0, 100.0, 127.5])
        assert refused(opened["v"].load()) == [0, 3]  # valid are 10 to 250


def test_find_invalid_unpacks_a_plain_fill_value():
    packing = {"scale_factor": 0.01, "add_offset": 5.0, "dtype": "int16"}
    values = np.float32(np.array([100, -900, 300]) * 0.01 + 5.0)
    assert refused(array(values, encoding=packing, fill_value=np.int16(-900))) == [1]


# --- left in the file undecoded ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "fill", [99999, -9999, 1e20, -999.25, 9.969209968386869e36, -1e34, 32767, -32768, 999.9, 1e15]
)
def test_find_invalid_takes_undeclared_fill_values_and_counts_them(fill, dtype):
    data = array([3.1, fill, 4.2, fill, 5.0, np.nan], dtype)
    with pytest.warns(UserWarning, match=r"2 of 6 values of 'v' are .* not declare as missing"):
        invalid = find_invalid(data)
    assert np.flatnonzero(invalid).tolist() == [1, 3]


def test_find_invalid_takes_float32_fill_values_stored_in_float64():
    with pytest.warns(UserWarning, match=r"1 of 3 values of 'v' are 1e\+20"):
        assert refused(array([1.0, np.float32(1e20), 2.0], "float64")) == [1]


def test_find_invalid_takes_undeclared_fill_values_of_integers():
    with pytest.warns(UserWarning, match="1 of 3 values of 'v' are -9999,"):
        assert refused(array([12, -9999, 15], "int16")) == [1]


@pytest.mark.parametrize("fills", [(-9999, 9999), (99999, 1e20), (-99999, -9999), (9999, 99999)])
def test_find_invalid_takes_several_undeclared_fill_values(fills):
    with pytest.warns(UserWarning, match="2 of 5 values of 'v' are .* or "):
        assert refused(array([3, fills[0], 4, fills[1], 5], "float64")) == [1, 3]


def test_find_invalid_takes_an_undeclared_fill_value_beside_a_declared_one():
    with pytest.warns(UserWarning, match="1 of 4 values of 'v' are 99999,"):
        assert refused(array([3, -500, 99999, 4], missing_value=-500)) == [1, 2]


@pytest.mark.parametrize(
    "values",
    [
        [9996, 9998, 9999, 10001],
        [0, 5000, 9000, 9999],
        [-9999, -5000, 0],
        [990, 1013, 999],
        [-500.0, 3.1, 4],
        [1e19, 9e19, 1e20],
        [12345, 99998, 3],
    ],
)
def test_find_invalid_keeps_legitimate_data_near_such_values(values):
    assert refused(array(values, "float64")) == []


def test_find_invalid_finds_nothing_in_missing_data():
    assert refused(array([np.nan, np.nan])) == []


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_find_invalid_refuses_infinities(value):
    with pytest.raises(ValueError, match=r"variable 'v' holds infinities.*numpy\.isfinite"):
        find_invalid(array([1, value, 2]))


# --- masking ---


def test_mask_invalid_gives_clean_data_back_as_they_are():
    data = array([1, 2, 3])
    assert mask_invalid(data) is data


def test_mask_invalid_makes_values_missing_and_keeps_the_rest():
    data = array([1, 7, 3], valid_max=5.0, units="km/s")
    before = data.copy(deep=True)
    masked = mask_invalid(data)
    np.testing.assert_array_equal(masked, [1, np.nan, 3])
    assert masked.attrs == data.attrs
    assert masked.dtype == np.float32
    xr.testing.assert_identical(data, before)


def test_mask_invalid_warns_once_alone():
    with pytest.warns(UserWarning, match="1 of 3"):
        masked = mask_invalid(array([1, 99999, 3]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mask_invalid(masked) is masked


# --- extremes ---


def same(one, other):
    """Whether extremes are the same, fill values that lie among all others left out."""
    np.testing.assert_array_equal([one.low, one.high], [other.low, other.high])
    beyond = [
        {v: n for v, n in found.fills.items() if not found.low <= v <= found.high}
        for found in (one, other)
    ]
    assert beyond[0] == beyond[1]
    assert sorted(one.apart()) == sorted(other.apart())


def test_find_extremes_passes_over_fill_values_at_the_ends_and_nan():
    found = find_extremes(np.array([[3.0, 9999, np.nan], [1e20, 5.0, -9999], [9999, 4.0, 999]]))
    assert (found.low, found.high) == (3.0, 5.0)
    assert found.fills == {9999.0: 2, 1e20: 1, -9999.0: 1, 999.0: 1}
    assert sorted(found.apart()) == [-9999.0, 999.0, 9999.0, 1e20]


def test_find_extremes_keeps_fill_values_among_others():
    found = find_extremes(np.array([0, 9999, 20000], "int32"))
    assert (found.low, found.high, found.fills) == (0.0, 20000.0, {})


def test_find_extremes_of_missing_data_are_nan():
    found = find_extremes(np.full((2, 3), np.nan))
    assert np.isnan([found.low, found.high]).all()
    assert found.apart() == []


def test_find_extremes_never_changes_the_values():
    values = np.array([1.0, 9999.0, np.nan])
    before = values.copy()
    find_extremes(values)
    np.testing.assert_array_equal(values, before)


def test_apart_keeps_a_fill_value_that_others_come_near():
    assert Extremes(5000.0, 9998.0, {9999.0: 3}).apart() == []
    assert Extremes(3.0, 5.0, {9999.0: 3, 1e20: 1}).apart() == [9999.0, 1e20]
    assert Extremes(np.nan, np.nan, {9999.0: 3}).apart() == [9999.0]


@pytest.mark.parametrize(
    "parts",
    [
        [[1, 2, 3], [4, 5]],
        [[1, 9999, 3], [4, 9999, 9999]],
        [[5, 9999], [9990, 10001, 9999]],  # of the first part alone, 9999 stands beyond
        [[np.nan], [1, 2, np.nan], [99999]],
        [[9999], [9999, 9999]],
        [[np.nan], [np.nan]],
        [[-9999, 1], [1e20, 2], [3]],
        [[1, np.inf], [9999, 2]],
    ],
)
def test_extremes_joined_are_those_of_all(parts):
    arrays = [np.array(part, float) for part in parts]
    joined = Extremes.join(map(find_extremes, arrays))
    same(joined, find_extremes(np.concatenate(arrays)))


SOME = st.sampled_from([np.nan, -9999.0, -500.0, 0.0, 3.0, 999.0, 1013.0, 9999.0, 1e5, 1e20])


@given(parts=st.lists(st.lists(SOME, min_size=1, max_size=6), min_size=1, max_size=5))
def test_extremes_joined_are_those_of_all_whatever_the_parts(parts):
    arrays = [np.array(part) for part in parts]
    same(Extremes.join(map(find_extremes, arrays)), find_extremes(np.concatenate(arrays)))
