"""Which coordinate is the vertical, latitude or longitude, and the spelling of units."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.coords import (
    Axes,
    at_rest,
    canonical_units,
    find_axes,
    is_same_direction,
    is_time,
    other_places,
    positive,
    refuse_empty,
    units,
)

NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def grid(lat, lon, names=("latitude", "longitude"), attrs=(NORTH, EAST)):
    coords = {
        names[0]: (names[0], np.asarray(lat, float), attrs[0]),
        names[1]: (names[1], np.asarray(lon, float), attrs[1]),
    }
    return xr.DataArray(np.zeros((len(lat), len(lon))), dims=names, coords=coords)


def test_find_axes_tells_an_emc_model(model):
    assert find_axes(model) == Axes("depth", "latitude", "longitude")


@pytest.mark.parametrize(
    "name", ["depth", "Dep", "Z", "zdim", "LEV", "level", "deptht", "Pressure"]
)
def test_find_axes_tells_a_vertical_by_its_name_in_any_case(name):
    data = xr.DataArray(np.zeros((2, 3, 4)), dims=(name, "lat", "lon"))
    assert find_axes(data) == Axes(name, None, None)


@pytest.mark.parametrize("attrs", [{"axis": "Z"}, {"positive": "down"}, {"standard_name": "depth"}])
def test_find_axes_tells_a_vertical_by_cf_attributes(attrs):
    data = xr.DataArray(
        np.zeros((2, 3)), dims=("k_index", "point"), coords={"k_index": ("k_index", [0, 1], attrs)}
    )
    assert find_axes(data).vertical == "k_index"


def test_find_axes_lets_cf_attributes_count_before_names():
    data = xr.DataArray(
        np.zeros((2, 3, 4)),
        dims=("level", "surface", "point"),
        coords={"surface": ("surface", [0, 1, 2], {"axis": "Z"})},
    )
    assert find_axes(data).vertical == "surface"


@pytest.mark.parametrize("names", [("LAT", "Lon"), ("nav_lat", "nav_lon"), ("y", "x")])
def test_find_axes_tells_bare_names_of_latitude_and_longitude(names):
    data = grid([31, 32], [3, 4, 5], names=names, attrs=({}, {}))
    assert find_axes(data) == Axes(None, *names)


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (np.arange(20), np.arange(400)),
        (np.arange(1, 21), np.arange(1, 31)),
        (np.arange(20), np.linspace(3.0, 9.0, 5)),
        (np.linspace(0.0, 80.0, 20), np.linspace(0.0, 500.0, 30)),
    ],
)
def test_find_axes_takes_no_count_of_cells_nor_kilometres_for_degrees(y, x):
    data = grid(y, x, names=("y", "x"), attrs=({}, {}))
    assert find_axes(data) == Axes(None, None, None)


def test_find_axes_takes_no_latitude_that_is_the_vertical(model):
    assert find_axes(model, dim="latitude") == Axes("latitude", None, "longitude")


def test_find_axes_tells_latitude_and_longitude_by_cf_attributes_alone():
    data = grid([1, 2], [3, 4, 5], names=("north", "east"))
    assert find_axes(data) == Axes(None, "north", "east")


def test_find_axes_takes_2d_latitude_before_kilometres_of_y():
    lat, lon = np.meshgrid([40.0, 41.0], [-120.0, -119.0, -118.0], indexing="ij")
    data = xr.DataArray(
        np.zeros((5, 2, 3)),
        dims=("depth", "y", "x"),
        coords={
            "y": ("y", [0.0, 50.0]),
            "x": ("x", [0.0, 50.0, 100.0]),
            "latitude": (("y", "x"), lat),
            "longitude": (("y", "x"), lon),
        },
    )
    assert find_axes(data) == Axes("depth", "latitude", "longitude")


def test_find_axes_takes_no_kilometres_for_degrees():
    data = grid([0, 500], [0, 500, 1000], names=("y", "x"), attrs=({"units": "km"}, {}))
    assert find_axes(data) == Axes(None, None, None)


def test_find_axes_takes_no_text_for_degrees():
    data = xr.DataArray(np.zeros(2), dims="lat", coords={"lat": ["south", "north"]})
    assert find_axes(data).latitude is None


def test_find_axes_tells_loose_points():
    data = xr.DataArray(
        np.zeros((3, 4)),
        dims=("profile", "depth"),
        coords={"lat": ("profile", [1.0, 2, 3]), "lon": ("profile", [1.0, 2, 3])},
    )
    assert find_axes(data) == Axes("depth", "lat", "lon")


def test_find_axes_tells_a_raster_with_a_leading_time():
    data = grid([1, 2], [3, 4]).expand_dims(month=np.array(["2019-10"], "datetime64[ns]"))
    assert find_axes(data).vertical is None


def test_find_axes_takes_cf_axes_of_time_and_map_for_no_vertical():
    coords = {d: (d, [0.0, 1.0], {"axis": a}) for d, a in (("step", "T"), ("up", "Y"), ("to", "X"))}
    data = xr.DataArray(np.zeros((2, 2, 2)), dims=("step", "up", "to"), coords=coords)
    assert find_axes(data) == Axes(None, None, None)


def test_find_axes_ignores_the_scalar_depth_of_a_slice(model):
    assert find_axes(model.isel(depth=0)).vertical is None


def test_find_axes_obeys_an_explicit_dimension():
    data = xr.DataArray(np.zeros((2, 3, 4)), dims=("level", "depth", "point"))
    assert find_axes(data, "level").vertical == "level"


def test_find_axes_refuses_two_candidates():
    data = xr.DataArray(np.zeros((2, 3, 4)), dims=("level", "depth", "point"))
    with pytest.raises(ValueError, match=r"could be the vertical: 'level', 'depth'.*dim='level'"):
        find_axes(data)


def test_find_axes_refuses_an_unknown_dimension():
    data = xr.DataArray(np.zeros((2, 3)), dims=("shell", "point"))
    with pytest.raises(ValueError, match=r"no vertical dimension found.*Pass dim='shell'"):
        find_axes(data)


def test_find_axes_refuses_a_dim_that_the_data_lack(model):
    with pytest.raises(ValueError, match=r"dim='height' is not a dimension.*'depth', 'latitude'"):
        find_axes(model, "height")


def test_find_axes_refuses_two_latitudes():
    data = xr.DataArray(
        np.zeros(3),
        dims="profile",
        coords={n: ("profile", np.zeros(3)) for n in ("lat", "Latitude")},
    )
    with pytest.raises(ValueError, match=r"could be the latitude: 'lat', 'Latitude'.*drop_vars"):
        find_axes(data)


def test_find_axes_takes_the_latitude_that_is_a_dimension():
    data = grid([1, 2], [3, 4]).assign_coords(lat=("latitude", [5.0, 6.0], NORTH))
    assert find_axes(data).latitude == "latitude"


# --- which of several latitudes and longitudes are those of the data ---


def on_plane(places, dims=("y", "x"), shape=(4, 5), lead=(), **attrs):
    """A field with coordinates, each a pair of dimensions and attributes, that differ in value."""
    field = xr.DataArray(np.zeros((*[2] * len(lead), *shape)), dims=(*lead, *dims), attrs=attrs)
    sizes = dict(zip(dims, shape, strict=True)) | dict.fromkeys(lead, 2)
    for i, (name, (own, about)) in enumerate(places.items()):
        n = [sizes[d] for d in own]
        values = i + np.linspace(20, 50, int(np.prod(n))).reshape(n)
        field = field.assign_coords({name: (own, values, about)})
    return field


YX = ("y", "x")


@pytest.mark.parametrize("place", ["attrs", "encoding"])
def test_find_axes_obeys_the_attribute_coordinates(place):
    pop = on_plane(
        {"ULAT": (YX, NORTH), "ULONG": (YX, EAST), "TLAT": (YX, NORTH), "TLONG": (YX, EAST)}
    )
    with pytest.raises(ValueError, match=r"could be the latitude: 'ULAT', 'TLAT'"):
        find_axes(pop)
    getattr(pop, place)["coordinates"] = "TLONG TLAT z_t"
    assert find_axes(pop) == Axes(None, "TLAT", "TLONG")
    assert find_axes(pop.to_dataset(name="TEMP")) == Axes(None, "TLAT", "TLONG")
    assert other_places(pop) == {"ULAT", "ULONG"}


def test_find_axes_finds_what_the_attribute_names_among_the_variables_of_a_dataset():
    names = {"ulat": (YX, {}), "ulon": (YX, {}), "tlat": (YX, {}), "tlon": (YX, {})}
    data = on_plane(names, coordinates="tlon tlat").to_dataset(name="t").reset_coords()
    assert find_axes(data) == Axes(None, "tlat", "tlon")


@pytest.mark.parametrize("about", [(NORTH, EAST), ({}, {})])
def test_find_axes_takes_2d_coordinates_before_nominal_ones(about):
    # MOM6: yh and xh are right south of the bipolar cap only
    data = on_plane(
        {"yh": (("yh",), NORTH), "xh": (("xh",), EAST), "geolat": (("yh", "xh"), about[0]),
         "geolon": (("yh", "xh"), about[1])},
        dims=("yh", "xh"),
    )  # fmt: skip
    assert find_axes(data) == Axes(None, "geolat", "geolon")


def test_find_axes_takes_the_places_of_a_cubed_sphere():
    dims = ("nf", "Ydim", "Xdim")
    data = on_plane(
        {"Ydim": (("Ydim",), NORTH), "Xdim": (("Xdim",), EAST),
         "lats": (dims, NORTH), "lons": (dims, EAST)},
        dims=dims, shape=(6, 3, 3), coordinates="lons lats",
    )  # fmt: skip
    assert find_axes(data) == Axes(None, "lats", "lons")


GRID = {"standard_name": "grid_latitude", "units": "degrees"}
GRID_X = {"standard_name": "grid_longitude", "units": "degrees"}


@pytest.mark.parametrize(
    ("names", "about"),
    [
        (("rlat", "rlon"), (NORTH, EAST)),
        (("y", "x"), (GRID, GRID_X)),
        (("grid_latitude", "grid_longitude"), (GRID, GRID_X)),
    ],
)
def test_find_axes_takes_a_rotated_pole_for_no_place(names, about):
    turned = {name: ((name,), a) for name, a in zip(names, about, strict=True)}
    assert find_axes(on_plane(turned, dims=names)) == Axes(None, None, None)
    true = {"lat": (names, NORTH), "lon": (names, EAST)}
    assert find_axes(on_plane(turned | true, dims=names)) == Axes(None, "lat", "lon")


@pytest.mark.parametrize(
    "names",
    [
        ("nav_lat", "nav_lon"), ("gphit", "glamt"), ("TLAT", "TLONG"), ("geolat", "geolon"),
        ("XLAT", "XLONG"), ("lat_rho", "lon_rho"), ("latCell", "lonCell"), ("clat", "clon"),
        ("latc", "lonc"), ("YC", "XC"), ("lats", "lons"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("about", [{}, {"units": "degrees"}])
def test_find_axes_knows_the_names_of_models(names, about):
    data = on_plane(dict.fromkeys(names, (YX, about)))
    assert find_axes(data) == Axes(None, *names)


def test_find_axes_takes_the_places_of_the_variable_among_those_of_a_file():
    points = {"node": 7, "nele": 9}
    places = {"lat": "node", "lon": "node", "latc": "nele", "lonc": "nele"}
    data = xr.Dataset(
        {
            n: (d, np.arange(float(points[d])), NORTH if "lat" in n else EAST)
            for n, d in places.items()
        }
    )
    for dim, names in (("node", ("lat", "lon")), ("nele", ("latc", "lonc"))):
        one = data.assign(t=((dim, "depth"), np.zeros((points[dim], 2))))
        assert find_axes(one) == Axes("depth", *names)


@pytest.mark.parametrize("about", [{"units": "rad"}, {}])
def test_find_axes_finds_the_radians_of_mpas_among_the_variables(about):
    data = xr.Dataset(
        {"t": (("nCells", "level"), np.zeros((5, 2)))}
        | {n: ("nCells", np.linspace(0.0, 1.5, 5), about) for n in ("latCell", "lonCell")}
    )
    data["t"].attrs["coordinates"] = "latCell lonCell"
    assert find_axes(data) == Axes("level", "latCell", "lonCell")


@pytest.mark.parametrize(
    "unit", ["decimal degrees", "°N", "N", "dd", "1", "none", "", "Degrees", "radian"]
)
def test_find_axes_trusts_a_full_name_whatever_its_units(unit):
    data = grid([0.1, 0.2], [0.3, 0.4, 0.5], ("lat", "lon"), [{"units": unit}] * 2)
    assert find_axes(data) == Axes(None, "lat", "lon")


@pytest.mark.parametrize("unit", ["m", "km", "meters", "Kilometres", "ft"])
def test_find_axes_takes_no_length_for_degrees_whatever_its_name(unit):
    data = grid([1, 2], [3, 4, 5], ("lat", "lon"), [{"units": unit}] * 2)
    assert find_axes(data) == Axes(None, None, None)


# --- time ---


def moving(n_times=20, still=True):
    lat = np.linspace(20, 50, 20).reshape(4, 5)
    lats = np.stack([lat + (0 if still else 0.1 * t) for t in range(n_times)])
    coords = {"XLAT": (("Time", *YX), lats, NORTH), "XLONG": (("Time", *YX), lats, EAST)}
    return xr.DataArray(np.zeros((n_times, 3, 4, 5)), dims=("Time", "level", *YX), coords=coords)


def test_at_rest_drops_a_time_along_which_a_coordinate_is_constant():
    data = moving()
    for array in (data, data.where(data["XLAT"] < 30), data.isel(Time=[3])):
        xr.testing.assert_equal(at_rest(array, "XLAT"), data["XLAT"][0].reset_coords(drop=True))
    gappy = data.assign_coords(XLAT=data["XLAT"].where(data["XLAT"] < 40))
    assert at_rest(gappy, "XLAT").dims == YX


def test_at_rest_refuses_a_coordinate_that_changes():
    with pytest.raises(
        ValueError, match=r"'XLAT' changes along 'Time'.*isel\(Time=0\).*stack\(point="
    ):
        at_rest(moving(still=False), "XLAT")


def test_at_rest_leaves_points_along_time_as_they_are():
    track = xr.DataArray(np.zeros(3), dims="time", coords={"lat": ("time", [1.0, 2, 3])})
    assert at_rest(track, "lat").dims == ("time",)


def test_at_rest_reads_few_times_of_dask_arrays(computed):
    data = moving(200)
    at_rest(data.assign_coords(XLAT=data["XLAT"].chunk(Time=1)), "XLAT")
    assert 0 < len(computed) <= 8


def test_find_axes_keeps_constant_coordinates_if_time_is_the_vertical():
    assert find_axes(moving().isel(level=0), dim="Time") == Axes("Time", "XLAT", "XLONG")
    changing = moving(still=False).isel(level=0)
    assert find_axes(changing, dim="Time") == Axes("Time", None, None)


@pytest.mark.parametrize(
    ("dim", "values", "expected"),
    [
        ("Time", [0, 1], True),
        ("month", np.array(["2001-01", "2001-02"], "datetime64[ns]"), True),
        ("month", [1, 2], False),
    ],
)
def test_is_time_reads_name_and_values(dim, values, expected):
    assert is_time(xr.DataArray(np.zeros(2), dims=dim, coords={dim: values}), dim) is expected


def test_refuse_empty_names_the_dimension(model):
    with pytest.raises(ValueError, match="empty: dimension 'latitude' has length 0"):
        refuse_empty(model.sel(latitude=slice(40, 36)))


# --- attributes ---


@pytest.mark.parametrize(
    ("name", "attrs", "expected"),
    [
        ("depth", {}, "down"),
        ("elevation", {}, "up"),
        ("depth", {"positive": " UP "}, "up"),
        ("radius", {"positive": "down"}, "down"),
        ("height", {"positive": "sideways"}, "up"),
    ],
)
def test_positive_reads_the_attribute_then_the_name(name, attrs, expected):
    coordinate = xr.DataArray([0.0, 1.0], dims=name, name=name, attrs=attrs)
    assert positive(coordinate) == expected
    assert positive(coordinate.variable) == expected


@pytest.mark.parametrize(
    ("name", "values", "attrs", "expected"),
    [
        # MITgcm writes the centres of its cells so, and says "down"
        ("Z", [-5.0, -15.0, -5000.0], {"positive": "down", "units": "meters"}, "up"),
        ("depth", [0.0, -10.0, -100.0], {"units": "m"}, "up"),
        ("depth", [5.0, 15.0, 5000.0], {"units": "m"}, "down"),
        ("depth", [-3.0, 0.0, 60.0], {"units": "km"}, "down"),
        ("z", [10.0, 50.0], {"standard_name": "height_above_geopotential_datum"}, "up"),
        ("z", [10.0, 50.0], {"standard_name": "depth"}, "down"),
        ("z", [10.0, 50.0], {"long_name": "Geometric altitude"}, "up"),
        ("lev", [10.0, 50.0], {"standard_name": "height", "units": "m"}, "up"),
        ("heightAboveGround", [2.0, 10.0], {}, "up"),
        ("height_2", [2.0, 10.0], {}, "up"),
        ("height", [2.0, 10.0], {"standard_name": "depth"}, "down"),
        ("lev", [1000.0, 10.0], {"units": "millibar", "positive": "up"}, "down"),
        ("z", [1e5, 1e3], {"standard_name": "air_pressure"}, "down"),
        ("altitude", [1000.0, 10.0], {"units": "hPa"}, "down"),
        ("s_rho", [-0.95, -0.05], {"standard_name": "ocean_s_coordinate_g2"}, "up"),
        ("siglay", [-0.05, -0.95], {"standard_name": "ocean_sigma_coordinate"}, "up"),
        ("lev", [0.01, 0.99], {"standard_name": "atmosphere_sigma_coordinate"}, "down"),
        ("model_level_number", [1, 2, 3], {"units": "1"}, "down"),
        ("bottom_top", [0, 1, 2], {}, "up"),
        ("band", ["B02", "B03"], {}, "down"),
        ("z", [np.nan, -1.0], {}, "up"),
    ],
)
def test_positive_by_what_a_file_says_and_by_its_values(name, values, attrs, expected):
    assert positive(xr.DataArray(values, dims=name, name=name, attrs=attrs)) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([5.0, 5000.0], [-5.0, -5000.0], False),
        ([-5.0, -5000.0], [-10.0, -100.0], True),
        # one is the part of the other below zero
        ([-5000.0, -10.0], [-5000.0, 500.0], True),
        ([-3.0, 0.0], [-3.0, 60.0], True),
    ],
)
def test_is_same_direction_by_the_signs(one, other, expected):
    vertical = [xr.DataArray(values, dims="z", name="z") for values in (one, other)]
    assert is_same_direction(*vertical) is expected
    assert is_same_direction(*vertical[::-1]) is expected


def test_units_strips_stray_blanks():
    assert units(xr.DataArray(0, attrs={"units": " km   s-1 "})) == "km s-1"
    assert units(xr.DataArray(0)) == ""


@pytest.mark.parametrize(
    "same",
    [
        ("km/s", "km.s-1", "kilometer sec^-1", "KM s**-1", " km  s-1", "km*s-1", "km / s"),
        ("%", "percent", "Percent"),
        ("km", "kilometers", "km (bsl)", " kilometre "),
        ("kg/m3", "kg m-3", "kg/m^3", "kg.m^-3", "kg/m**3", "kg meter-3"),
        ("s-1", "1/s", "1 s-1"),
        ("m s-2", "m/s2", "m s^-2"),
        ("", "1", "none", "-", "dimensionless", "unitless", "kg/kg", "kg kg-1", "m3 m-3", "1.0"),
        (
            "m/s",
            "m s-1",
            "m s**-1",
            "meters per second",
            "metre/second",
            "m·s⁻¹",
            "m.s^-1",
            "[m/s]",
            "(m/s)",
            "s-1 m",
        ),
        (
            "degC",
            "degree_C",
            "degrees_celsius",
            "Celsius",
            "°C",
            "deg_C",
            "deg C",
            "DEG C",
            "degrees C",
            "℃",
            "C",
            "degree_Celsius",
            "ºC",
        ),
        ("K", "kelvin", "Kelvin", "kelvins", "degK", "deg_K", "degrees_K", "degree_Kelvin"),
        ("hPa", "mbar", "millibars", "millibar", "mb", "hectopascal", "HPA"),
        ("dbar", "decibar", "decibars", "dBar", "DBAR"),
        ("Pa", "pascals", "PASCAL"),
        (
            "psu",
            "PSU",
            "1e-3",
            "0.001",
            "g kg-1",
            "g/kg",
            "PSS-78",
            "practical salinity units",
            "‰",
        ),
        (
            "kg/m^3",
            "kg m⁻³",
            "kilograms per cubic m".replace("cubic m", "m3"),
            "kg.m**-3",
            "m-3 kg",
        ),
        ("umol/kg", "µmol kg-1", "μmol/kg", "micromol/kg", "micromoles per kg"),
        ("W/m2", "W m-2", "Watts/m^2", "watts m**-2"),
        ("degC/km", "°C/km", "deg C km-1", "celsius km-1"),
        ("kg/(m2 s)", "kg m-2 s-1", "kg/m2/s"),
        ("m s-1 m-1", "s-1"),
        ("%", "pct", "per cent"),
        ("MPa", "megapascals"),
        ("rad", "radian", "radians"),
        ("degrees", "degree", "deg", "°"),
        ("d", "day", "days"),
    ],
)
def test_canonical_units_spells_the_same_alike(same):
    assert len({canonical_units(text) for text in same}) == 1


def test_canonical_units_keeps_different_units_apart():
    written = ["km/s", "m/s", "km", "m", "%", "kg/m3", "kg/m2", "g/cm3", "DEG C", "PPT", ""]
    written += ["K", "hPa", "Pa", "dbar", "bar", "kPa", "MPa", "mPa", "GPa", "psu", "degF", "mm"]
    written += ["Mm", "mg", "Mg", "mW", "MW", "J/(kg K)", "J/(mol K)", "kg", "m2 s-2", "m2 s-1"]
    written += ["degree", "rad", "s", "min", "h", "d", "mmol m-3", "umol m-3", "mol/kg", "umol/kg"]
    assert len({canonical_units(text) for text in written}) == len(written)


@pytest.mark.parametrize(
    "part", ["a", "(", "/(", "/ ", "deg ", "°_", "m-1 ", "-", ".", "per ", "1", "m/", "**", "\t"]
)
def test_canonical_units_takes_time_in_proportion_to_the_text(part):
    import time

    def seconds(n):
        start = time.perf_counter()
        canonical_units(part * n)
        return time.perf_counter() - start

    seconds(10)
    assert min(seconds(40_000) for _ in range(2)) < 4.0


@pytest.mark.parametrize("attrs", [{"axis": "Z"}, {"positive": "down"}, {}])
def test_the_vertical_is_that_along_which_a_coordinate_of_depths_lies(attrs):
    depth = ("i_level", np.array([5.0, 10.0, 20.0]), attrs)
    data = xr.DataArray(np.zeros((4, 3)), dims=("iPROF", "i_level"), coords={"depth": depth})
    assert find_axes(data).vertical == "i_level"


def test_heights_of_stations_are_no_vertical():
    heights = {"altitude": ("spot", np.arange(4.0))}
    data = xr.DataArray(np.zeros((3, 4)), dims=("depth", "spot"), coords=heights)
    assert find_axes(data).vertical == "depth"
