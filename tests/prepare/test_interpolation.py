"""Profiles with levels of their own, interpolated to even ones."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.prepare import prepare


def make_floats(n=40, m=30, seed=0):
    """Profiles of a float: each at pressures of its own, with some values missing."""
    rng = np.random.default_rng(seed)
    pressure = np.sort(rng.uniform(2.0, 900.0, (n, m)), axis=1)
    temperature = 20.0 - 0.01 * pressure + rng.normal(0.0, 1.0, (n, m))
    temperature[rng.random((n, m)) < 0.1] = np.nan
    pressure[rng.random((n, m)) < 0.05] = np.nan
    dims = ("N_PROF", "N_LEVELS")
    return xr.Dataset(
        {"TEMP": (dims, temperature, {"units": "degC"}), "PRES": (dims, pressure)},
        {"LATITUDE": ("N_PROF", rng.uniform(-60, 60, n)), "LONGITUDE": ("N_PROF", np.arange(n))},
    ).assign(
        PRES=lambda d: d["PRES"].assign_attrs(units="dbar", standard_name="sea_water_pressure")
    )


def by_hand(values, own, levels, max_gap=np.inf):
    """numpy.interp of each profile between its valid points, and NaN in gaps."""
    rows = []
    n = values.shape[-1]
    for value, place in zip(values.reshape(-1, n), own.reshape(-1, n), strict=True):
        valid = np.isfinite(place) & np.isfinite(value)
        order = np.argsort(place[valid], kind="stable")
        x, y = place[valid][order], value[valid][order]
        row = np.interp(levels, x, y, np.nan, np.nan)
        after = np.searchsorted(x, levels).clip(0, x.size - 1)
        gap = x[after] - x[(after - 1).clip(0)]
        rows.append(np.where((gap > max_gap) & ~np.isin(levels, x), np.nan, row))
    return np.reshape(rows, (*values.shape[:-1], levels.size))


@pytest.mark.parametrize("max_gap", [None, 40.0])
@pytest.mark.parametrize("order", ["down", "up", "mixed"])
def test_levels_interpolate_each_profile_as_numpy_does(max_gap, order):
    data = make_floats()
    rng = np.random.default_rng(1)
    places = {"down": np.arange(30), "up": np.arange(30)[::-1], "mixed": rng.permutation(30)}
    turned = data.isel(N_LEVELS=places[order])
    found = prepare(turned, depth=slice(50, 800), dz=25, levels="PRES", max_gap=max_gap)
    levels = 50.0 + 25.0 * np.arange(31)
    assert found["TEMP"].dims == ("N_PROF", "PRES")
    np.testing.assert_array_equal(found["PRES"], levels)
    expected = by_hand(data["TEMP"].values, data["PRES"].values, levels, max_gap or np.inf)
    assert 0 < np.isnan(expected).sum() < expected.size
    np.testing.assert_allclose(found["TEMP"], expected, rtol=1e-12)


def test_levels_name_and_describe_the_new_vertical():
    data = make_floats()
    found = prepare(data, depth=slice(50, 800), dz=25, levels="PRES")
    assert set(found.data_vars) == {"TEMP"}
    assert found["TEMP"].attrs == {"units": "degC"}
    attrs = {"units": "dbar", "standard_name": "sea_water_pressure", "axis": "Z"}
    assert found["PRES"].attrs == attrs
    result = prepare(found, depth=slice(100, 600)).vcluster.kmeans(3, weights=None)
    assert result.parameters["vertical"] == "PRES"
    assert prepare(data["TEMP"], depth=(50, 80), dz=5, levels=data["PRES"]).dims[1] == "PRES"
    unnamed = data["PRES"].rename(None)
    assert prepare(data["TEMP"], depth=(50, 80), dz=5, levels=unnamed).dims[1] == "depth"


def make_ocean():
    """A terrain-following ocean, of which the temperature depends on the height alone."""
    bottom = np.linspace(-4000.0, -100.0, 5)[:, None] * np.ones(6)
    surface = np.linspace(0.0, 1.0, 3)
    sigma = np.linspace(-0.98, -0.02, 20)
    z = surface[:, None, None, None] + sigma[:, None, None] * -bottom
    coords = {"z_rho": (("time", "s_rho", "y", "x"), z, {"units": "m", "positive": "up"})}
    return xr.DataArray(0.01 * z, coords, ("time", "s_rho", "y", "x"), "temp")


def test_levels_may_change_with_time_and_terrain():
    ocean = make_ocean()
    found = prepare(ocean, depth=slice(-90, -10), dz=10, levels="z_rho", stride=2)
    assert dict(found.sizes) == {"time": 3, "z_rho": 9, "y": 3, "x": 3}
    np.testing.assert_array_equal(found["z_rho"], np.arange(-90.0, 0.0, 10.0))
    assert found["z_rho"].attrs == {"axis": "Z", "units": "m", "positive": "up"}
    z = ocean["z_rho"][..., ::2, ::2]
    covered = (z.min("s_rho") <= found["z_rho"]) & (found["z_rho"] <= z.max("s_rho"))
    expected = (0.01 * found["z_rho"]).where(covered).transpose(*found.dims)
    assert 0 < int(covered.sum()) < covered.size
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("chunks", [{"y": 2}, {"s_rho": 7, "x": 5, "time": 1}])
def test_levels_of_dask_arrays_stay_lazy_and_give_the_same(chunks, computed):
    ocean = make_ocean().astype("float32")
    options = {"depth": slice(-90, -10), "dz": 10, "levels": "z_rho", "max_gap": 150.0}
    found = prepare(ocean.chunk(chunks), **options)
    assert computed == []
    assert found.chunks is not None
    xr.testing.assert_identical(found.compute(), prepare(ocean, **options))


def test_levels_change_no_input():
    data = make_floats()
    before = data.copy(deep=True)
    prepare(data, depth=slice(50, 800), dz=25, levels="PRES", stride=2)
    xr.testing.assert_identical(data, before)


def one_profile(values, own):
    dims = ("point", "level")
    coords = {"z": (dims, np.atleast_2d(np.asarray(own, float)), {"units": "m"})}
    return xr.DataArray(np.atleast_2d(np.asarray(values, float)), coords, dims)


@pytest.mark.parametrize("direction", [1, -1])
def test_levels_take_the_later_of_two_values_at_one_depth(direction):
    profile = one_profile([3.0, 3.2, 4.0, 4.2], [0, 10, 10, 20]).isel(
        level=slice(None, None, direction)
    )
    found = prepare(profile, depth=(0, 20), dz=5, levels="z")[0]
    np.testing.assert_allclose(found, [3.0, 3.1, 4.0, 4.1, 4.2])


def test_levels_of_a_profile_without_points_or_with_one():
    profile = one_profile(
        [[1.0, 2.0], [np.nan, 5.0], [np.nan, np.nan]], [[0, 20], [0, 10], [0, 20]]
    )
    found = prepare(profile, depth=(0, 20), dz=10, levels="z")
    nan = np.nan
    np.testing.assert_array_equal(found, [[1.0, 1.5, 2.0], [nan, 5.0, nan], [nan, nan, nan]])


def test_levels_reach_ends_that_are_rounded_to_float32():
    profile = one_profile([1.0, 2.0], [0.1, 0.7])
    profile["z"] = profile["z"].astype("float32")
    found = prepare(profile, depth=(0.1, 0.7), dz=0.2, levels="z")[0]
    np.testing.assert_allclose(found, [1.0, 4 / 3, 5 / 3, 2.0], rtol=1e-6)


def test_levels_mask_declared_fill_values_of_levels_and_data():
    profile = one_profile([1.0, -999.0, 3.0, 4.0], [0, 10, 20, 99999])
    profile.attrs["missing_value"] = -999.0
    profile["z"].attrs["missing_value"] = 99999.0
    np.testing.assert_array_equal(prepare(profile, depth=(0, 20), dz=10, levels="z")[0], [1, 2, 3])


def test_levels_need_a_range_and_a_step():
    data = make_floats()
    for options in ({}, {"dz": 5}, {"depth": slice(0, 50)}, {"depth": slice(None, 50), "dz": 5}):
        with pytest.raises(
            ValueError, match=r"levels='PRES' needs a range with both ends and a st"
        ):
            prepare(data, levels="PRES", **options)


def test_levels_are_checked_against_what_they_cover():
    data = make_floats()
    with pytest.raises(ValueError, match=r"-500 to -10 dbar misses the data.*try slice\(10, 500\)"):
        prepare(data, depth=slice(-500, -10), dz=10, levels="PRES")
    with pytest.warns(
        UserWarning, match=r"reaches far beyond the data.*in Pa, write slice\(0, 900"
    ):
        prepare(data, depth=slice(0, 9e6), dz=1e5, levels="PRES")
    with pytest.raises(ValueError, match=r"dz=1e-06 would make 100,000,001 levels"):
        prepare(data, depth=slice(100, 200), dz=1e-6, levels="PRES")


@pytest.mark.parametrize(
    ("levels", "error", "match"),
    [
        ("PRESSURE", ValueError, r"levels='PRESSURE' is not among .*these could be: 'PRES'"),
        ("LATITUDE", ValueError, r"must lie along the vertical 'N_LEVELS' .*lies on \('N_PROF',\)"),
        (5, TypeError, "levels must be the name of a variable or a DataArray; got int"),
        (np.zeros(3), TypeError, "levels must be the name of a variable or a DataArray; got nda"),
        ("QC", TypeError, "levels must be numeric; 'QC' has the dtype"),
    ],
)
def test_levels_are_refused_where_they_are_none(levels, error, match):
    data = make_floats().assign_coords(QC=(("N_PROF", "N_LEVELS"), np.full((40, 30), "1")))
    with pytest.raises(error, match=match):
        prepare(data, depth=slice(0, 100), dz=10, levels=levels)


def test_levels_that_lie_elsewhere_are_refused():
    data = make_floats()
    with pytest.raises(ValueError, match="do not lie at the points of the data along 'N_PROF'"):
        prepare(data["TEMP"], depth=(0, 100), dz=10, levels=data["PRES"][:20])
    more = data["PRES"].expand_dims(time=2)
    with pytest.raises(ValueError, match=r"other dimensions of the data.*lies on \('time', "):
        prepare(data["TEMP"], depth=(0, 100), dz=10, levels=more)
    both = data.assign(reference=("N_LEVELS", np.arange(30.0)))
    with pytest.raises(ValueError, match="'reference' does not lie on 'N_PROF' as levels do"):
        prepare(both, depth=(0, 100), dz=10, levels="PRES")
