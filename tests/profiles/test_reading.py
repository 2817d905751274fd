"""Chunks of any layout and with any fault become the profiles that arrays in memory become."""

import warnings

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans

CHUNKS = {"latitude": (5, 5, 2), "longitude": (4, 7)}


@pytest.fixture
def same(agree, small_sample):
    """Asserts that k-means of data in chunks and in memory is one, with the same warnings."""

    def check(data, sizes=CHUNKS, **options):
        found, expected = [], []
        for results, own in ((expected, data), (found, data.chunk(sizes))):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                results.append(kmeans(own, 4, n_init=2, **options))
            results.append([str(w.message) for w in caught])
        assert found[1] == expected[1]
        agree(found[0], expected[0])
        xr.testing.assert_equal(found[0].labels.compute(), expected[0].labels)
        return found

    return check


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.transpose("longitude", "depth", "latitude"),
        lambda a: a.transpose("latitude", "longitude", "depth"),
        lambda a: a.isel(depth=slice(None, None, -1)),
        lambda a: a.isel(latitude=slice(None, None, -1)),
        lambda a: a.isel(longitude=[3, 0, 1, 10, 9, 7, 8, 2, 4, 6, 5]),
        lambda a: a.assign_coords(longitude=a["longitude"] + 360),
        lambda a: a.isel(depth=2, drop=True),
        lambda a: a.drop_vars(["depth", "latitude", "longitude"]),
        lambda a: a.astype("float64"),
        lambda a: a.expand_dims(time=2).copy(),
    ],
    ids="transposed,depth last,from below,north first,mixed,0-360,raster,bare,double,time".split(
        ","
    ),
)
def test_kmeans_is_the_same_whatever_the_layout(rough_model, same, change):
    same(change(rough_model))


def test_levels_from_below_are_warped_in_the_same_order(rough_model, same):
    same(rough_model.isel(depth=slice(None, None, -1)), metric="dtw", window_depth=11.0)


@pytest.mark.parametrize("descending", [False, True])
def test_the_seam_that_a_globe_repeats_counts_once(rough_model, same, descending):
    globe = rough_model.assign_coords(longitude=np.linspace(0.0, 360.0, 11))
    globe[..., -1] = globe[..., 0]
    if descending:
        globe = globe.isel(depth=slice(None, None, -1), longitude=slice(None, None, -1))
    (result, _) = same(globe)
    assert result.dataset["count"].sum() == 12 * 10 - 2
    np.testing.assert_array_equal(result.labels[:, 0], result.labels[:, -1])


def test_loose_points_are_clustered_in_chunks(rough_model, same):
    points = rough_model.stack(point=("latitude", "longitude")).reset_index("point")
    points = points.drop_vars(["latitude", "longitude"])
    same(points, {"point": (1, 50, 81)})


def packed(model):
    """As undecoded integers, of which one value is declared as missing."""
    values = (1000 * model.fillna(-9.999)).round().astype("int16")
    return values.assign_attrs(model.attrs, missing_value=np.int16(-9999))


@pytest.mark.parametrize("dtype", ["int16", "int32", "int64"])
def test_integers_with_a_declared_missing_value(rough_model, same, dtype):
    (result, caught) = same(packed(rough_model).astype(dtype))
    assert not caught
    assert result.dataset["count"].sum() == 130


def test_valid_limits_of_decoded_data_stay_in_packed_units(rough_model, same):
    data = rough_model.assign_attrs(valid_range=np.array([200, 510], "int16"))
    data.encoding = {"scale_factor": 0.01, "add_offset": 0.0, "dtype": "int16"}
    (result, _) = same(data)
    assert 20 < result.dataset["count"].sum() < 130


@pytest.mark.parametrize("kinds", [("float32", "float64"), ("int16", "float32")])
def test_declared_fills_of_variables_of_different_precision(two_variables, same, kinds):
    vs, rho = two_variables["vs"], two_variables["rho"]
    vs = packed(vs) if kinds[0] == "int16" else vs.fillna(-77.7).assign_attrs(missing_value=-77.7)
    data = two_variables.assign(vs=vs.astype(kinds[0]), rho=rho.astype(kinds[1]))
    (result, caught) = same(data)
    assert not caught
    assert result.dataset["count"].sum() == 129


def test_undeclared_fill_values_are_counted_over_all_chunks(rough_model, same):
    filled = rough_model.fillna(99999.0)
    filled[:, 7:9, 2] = 99999.0
    filled[3, 11, 10] = -9999.0
    (result, caught) = same(filled)
    assert caught == [
        "20 of 792 values of 'vs' are -9999 or 99999, which the file does not declare as missing: "
        "taken as missing. Declare it (attrs['missing_value']) to silence this"
    ]
    assert result.dataset["count"].sum() == 127


def test_a_value_that_only_looks_like_a_fill_in_its_chunk_stays(rough_model, same):
    ranging = (rough_model - 4.0) * 2000.0
    ranging[0, 0, 1] = 999.0
    ranging[:, :5, :4] = ranging[:, :5, :4].clip(max=999.0)
    (_, caught) = same(ranging)
    assert not caught


@pytest.mark.parametrize("fill", [1e20, 3.4028234663852886e38, 1.7976931348623157e308])
def test_undeclared_fill_values_may_be_huge(rough_model, same, fill):
    (result, caught) = same(rough_model.astype("float64" if fill > 1e300 else "f4").fillna(fill))
    assert len(caught) == 1
    assert result.dataset["count"].sum() == 130


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_refused(rough_model, value):
    rough_model[1, 8, 9] = value
    with pytest.raises(ValueError, match="variable 'vs' holds infinities"):
        kmeans(rough_model.chunk(CHUNKS), 3)


@pytest.mark.parametrize("wrong", ["nothing", "gaps", "invalid"])
def test_no_complete_profile_is_the_same_error_as_in_memory(rough_model, wrong):
    if wrong == "invalid":
        data = rough_model.assign_attrs(valid_max=0.0)
    else:
        data = rough_model.where(rough_model["depth"] > (99 if wrong == "nothing" else 15))
    with pytest.raises(ValueError, match="none of the 132 profiles is complete") as expected:
        kmeans(data, 3)
    with pytest.raises(ValueError, match="none of the 132 profiles is complete") as found:
        kmeans(data.chunk(CHUNKS), 3)
    assert str(found.value) == str(expected.value)


def test_a_sample_is_drawn_of_the_profiles_where_most_points_have_none(model, same):
    many = xr.concat([model] * 20, dim=xr.Variable("time", np.arange(20)))
    same(many.where(many["time"] == 7), {"time": 3, "latitude": 4})
