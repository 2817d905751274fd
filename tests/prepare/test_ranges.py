"""Ranges and steps that mean something else than the user thinks."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xvcluster.prepare import prepare

SEA = [0.0, 10.0, 100.0, 1000.0, 5500.0]


def columns(levels, dim="depth", **attrs):
    """Three profiles at some levels."""
    values = np.arange(3.0 * len(levels)).reshape(3, -1)
    return xr.DataArray(values, {dim: (dim, levels, attrs)}, ("point", dim), "t")


@pytest.mark.parametrize(
    ("levels", "attrs", "depth", "match"),
    [
        (SEA, {}, slice(-1000, 0), r"-1000 to 0 touches only one end of the data, which cover 0 to "
         r"5500; this axis is positive downwards: try slice\(0, 1000\)"),
        (SEA, {}, (0, -1000), r"try slice\(0, 1000\)"),
        (SEA, {}, slice(5500, 6000), "5500 to 6000 touches only one end of the data"),
        (SEA[1:], {}, slice(-1000, 0), r"misses the data.* try slice\(0, 1000\)"),
        ([-z for z in SEA], {"positive": "up"}, slice(0, 1000),
         r"touches only one end.*this axis is positive upwards: try slice\(-1000, 0\)"),
        # as MITgcm writes its files: the attribute is wrong
        ([-z for z in SEA], {"positive": "down"}, slice(0, 1000),
         r"touches only one end.*this axis is positive upwards: try slice\(-1000, 0\)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"dz": 5.0}], ids=["choose", "resample"])
def test_a_range_of_the_wrong_sign_is_refused(levels, attrs, depth, match, options):
    for order in (1, -1):
        with pytest.raises(ValueError, match=match):
            prepare(columns(levels[::order], **attrs), depth=depth, **options)


@pytest.mark.parametrize(
    ("depth", "kept"),
    [
        (slice(0, 0), [0.0]),
        ((5500, 5500), [5500.0]),
        (slice(-1000, 10), [0.0, 10.0]),
        (slice(None, None), SEA),
        (slice(100, None), SEA[2:]),
        (slice(100, np.inf), SEA[2:]),
        ([1000, 10], SEA[1:4]),
        (slice(1000, 10), SEA[1:4]),
        (np.array([10, 1000]), SEA[1:4]),
    ],
)
def test_ranges_may_be_open_reversed_or_a_single_level(depth, kept):
    assert prepare(columns(SEA), depth=depth)["depth"].values.tolist() == kept
    turned = prepare(columns(SEA[::-1]), depth=depth)
    assert turned["depth"].values.tolist() == kept[::-1]


def test_a_single_level_is_no_end_to_touch():
    assert prepare(columns([0.0]), depth=slice(0, 10)).sizes["depth"] == 1


@pytest.mark.parametrize(
    ("units", "far", "said"),
    [
        ("km", 1500, r"; if it is in m, write slice\(0, 1.5\)"),
        ("hPa", 1500, r"; if it is in Pa, write slice\(0, 15\)"),
        ("m", 1500, "taken in the units of the data$"),
        ("", 1500, "taken in the units of the data$"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"dz": 5.0}], ids=["choose", "resample"])
def test_a_range_that_reaches_far_beyond_the_data_warns(units, far, said, options):
    data = columns([0.0, 50.0, 100.0], units=units)
    with pytest.warns(UserWarning, match=f"0 to {far} .*reaches far beyond the data.*{said}"):
        found = prepare(data, depth=slice(0, far), **options)
    assert found["depth"].max() == 100.0
    prepare(data, depth=slice(0, 1000), **options)  # ten times as far is far enough


@pytest.mark.parametrize(
    ("dz", "number"), [(1e-9, "100,000,000,001"), (0.001, "100,001"), (1e-300, r"1e\+302")]
)
def test_a_step_that_makes_too_many_levels_is_refused(dz, number):
    with pytest.raises(ValueError, match=f"would make ({number}).*levels of the depth range 0 to"):
        prepare(columns([0.0, 50.0, 100.0]), dz=dz)


def test_a_hundred_times_the_levels_of_the_data_are_not_too_many():
    assert prepare(columns(np.arange(201.0)), dz=0.01).sizes["depth"] == 20_001
    assert prepare(columns([0.0, 99.99]), dz=0.01).sizes["depth"] == 10_000


@pytest.mark.parametrize("stride", [4, {"point": 4}])
def test_a_stride_larger_than_the_grid_is_refused(stride):
    with pytest.raises(ValueError, match=r"stride=4 is larger than the grid, which has 3 points"):
        prepare(columns(SEA), stride=stride)
    assert prepare(columns(SEA)[:1], stride=4).sizes["point"] == 1


# --- levels that are no numbers ---


@pytest.mark.parametrize("options", [{"depth": slice(10, 100)}, {"dz": 10}, {"max_gap": 10.0}])
@pytest.mark.parametrize("dim", ["N_LEVELS", "bottom_top", "s_rho", "depth"])
def test_an_index_is_not_taken_for_depth(options, dim):
    bare = columns(np.arange(200.0), dim).drop_vars(dim)
    match = rf"the vertical '{dim}' has no coordinate, .*only counted.*isel\({dim}=slice\(0, 10\)\)"
    with pytest.raises(ValueError, match=match):
        prepare(bare, **options)
    assert prepare(bare).sizes[dim] == 200


def test_an_index_beside_depths_that_vary_names_these():
    data = columns(np.arange(200), "N_LEVELS").to_dataset()
    data["PRES"] = (("point", "N_LEVELS"), np.ones((3, 200)))
    match = r"'N_LEVELS' only counts .*prepare\(depth=slice\(10, 100\), dz=10, levels='PRES'\)"
    with pytest.raises(ValueError, match=match):
        prepare(data, depth=slice(10, 100), dz=10)
    bare = data.drop_vars("N_LEVELS")
    with pytest.raises(ValueError, match=r"dz=10 cannot be applied.*slice\(LOW, HIGH\), dz=10"):
        prepare(bare, dz=10)
    assert prepare(data.drop_vars("PRES"), depth=slice(10, 100)).sizes["N_LEVELS"] == 91


def test_an_index_beside_depths_of_all_profiles_names_these():
    bare = columns(np.arange(5.0), "lev").drop_vars("lev").assign_coords(nav_lev=("lev", SEA))
    with pytest.raises(ValueError, match=r"lie at 'nav_lev', use data\.swap_dims\(lev='nav_lev'"):
        prepare(bare, depth=slice(0, 100))


def test_levels_that_vary_along_their_own_dimension_are_no_coordinate():
    data = columns(np.arange(4.0), "siglay").drop_vars("siglay")
    sigma = (("siglay", "point"), np.ones((4, 3)), {"standard_name": "ocean_sigma_coordinate"})
    data = data.assign_coords(siglay=sigma)
    with pytest.raises(ValueError, match=r"only counted.*levels='siglay'"):
        prepare(data, depth=slice(-1, 0))
    assert data.vcluster.kmeans(2).centroids["t"].dims == ("cluster", "siglay")


def test_names_are_a_range_in_the_order_of_the_file():
    bands = columns(["B02", "B03", "B8A", "B04"], "layer")
    for depth in (slice("B03", "B04"), slice("B04", "B03"), ("B03", "B04")):
        assert prepare(bands, depth=depth)["layer"].values.tolist() == ["B03", "B8A", "B04"]
    assert prepare(bands, depth=slice(None, "B03")).sizes["layer"] == 2
    with pytest.raises(ValueError, match="there is no level 'B12'; the levels are B02, B03, B8A"):
        prepare(bands, depth=slice("B03", "B12"))
    with pytest.raises(ValueError, match=r"dz=5 cannot be applied: the levels of 'layer' have nam"):
        prepare(bands, dz=5)


@pytest.mark.parametrize("calendar", ["datetime64", "noleap", "360_day"])
@pytest.mark.parametrize("order", [1, -1])
def test_times_are_a_range_of_dates(calendar, order):
    if calendar == "datetime64":
        times = pd.date_range("2000-01-15", periods=12, freq="MS")
    else:
        times = xr.date_range(
            "2000-02-01", periods=12, freq="MS", calendar=calendar, use_cftime=True
        )
    data = (
        columns(np.arange(12), "time").assign_coords(time=times).isel(time=slice(None, None, order))
    )
    expected = data.isel(time=data["time"].dt.month.isin([3, 4, 5]))
    assert expected.sizes["time"] == 3
    for depth in (slice("2000-03", "2000-05"), ("2000-05", "2000-03")):
        xr.testing.assert_identical(prepare(data, depth=depth, dim="time"), expected)
    with pytest.raises(ValueError, match=r"pair of times, such as slice\('200"):
        prepare(data, depth=slice(3, 5), dim="time")
    with pytest.raises(
        ValueError, match="2010 to 2011 misses the data, which cover 2000-02-01 to 2"
    ):
        prepare(data, depth=slice("2010", "2011"), dim="time")
    for option in ({"dz": 1.0}, {"max_gap": 40.0}):
        with pytest.raises(ValueError, match=r"cannot be applied to times.*data\.resample\(time="):
            prepare(data, dim="time", **option)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_what_is_no_depth_is_refused(bad):
    data = columns([0.0, 10.0, bad])
    match = r"coordinate 'depth' holds .*at 1 of its 3 levels.*isel\(depth=slice\(0, 2\)\)"
    with pytest.raises(ValueError, match=match):
        prepare(data, depth=slice(0, 10))
    with pytest.raises(ValueError, match=match):
        data.vcluster.kmeans(2)
    with pytest.raises(ValueError, match="coordinate 'depth' is complex"):
        columns([1j, 2j]).vcluster.kmeans(2)


def test_sigma_is_not_taken_for_depth_without_a_word():
    sigma = columns(np.linspace(-0.95, -0.05, 10), "s_rho", positive="up")
    z = sigma["s_rho"] * xr.DataArray([100.0, 2000.0, 4000.0], dims="point")
    data = sigma.assign_coords(z_rho=z)
    with pytest.warns(
        UserWarning, match=r"far beyond the data.*even levels of it, use levels='z_r"
    ):
        prepare(data, depth=slice(-1000, 0))
    with pytest.raises(ValueError, match=r"misses the data.*even levels of it, use levels='z_rho'"):
        prepare(data, depth=slice(-1000, -100))
