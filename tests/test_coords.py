import numpy as np
import pytest
import xarray as xr

from xvcluster.coords import (
    EARTH_RADIUS_KM,
    Axes,
    canonical_units,
    cell_areas,
    cell_edges,
    find_axes,
    is_time,
    positive,
    refuse_empty,
    units,
)

SPHERE_KM2 = 4 * np.pi * EARTH_RADIUS_KM**2
NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def grid(lat, lon, names=("latitude", "longitude"), attrs=(NORTH, EAST)):
    coords = {
        names[0]: (names[0], np.asarray(lat, float), attrs[0]),
        names[1]: (names[1], np.asarray(lon, float), attrs[1]),
    }
    return xr.DataArray(np.zeros((len(lat), len(lon))), dims=names, coords=coords)


def total_area(data):
    return float(cell_areas(data, find_axes(data)).sum())


# --- which coordinate is which ---


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
        ("", "1"),
    ],
)
def test_canonical_units_spells_the_same_alike(same):
    assert len({canonical_units(text) for text in same}) == 1


def test_canonical_units_keeps_different_units_apart():
    written = ["km/s", "m/s", "km", "m", "%", "kg/m3", "kg/m2", "g/cm3", "DEG C", "PPT", ""]
    assert len({canonical_units(text) for text in written}) == len(written)


# --- cells ---


def test_cell_edges_lie_half_way_and_stop_at_limits():
    np.testing.assert_array_equal(cell_edges([0, 1, 3]), [-0.5, 0.5, 2, 4])
    np.testing.assert_array_equal(cell_edges([3, 1, 0]), [4, 2, 0.5, -0.5])
    np.testing.assert_array_equal(cell_edges([-90, 0, 90], (-90, 90)), [-90, -45, 45, 90])


def test_cell_edges_give_a_single_centre_one_degree():
    np.testing.assert_array_equal(cell_edges([10]), [9.5, 10.5])


def test_cell_areas_follow_the_formula():
    areas = cell_areas(grid([10, 12], [100, 103]), Axes(None, "latitude", "longitude"))
    by_hand = 6371.0072**2 * (np.sin(np.radians(11)) - np.sin(np.radians(9))) * np.radians(3)
    assert areas.dims == ("latitude", "longitude")
    np.testing.assert_allclose(areas[0], by_hand)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (np.arange(-89.5, 90), np.arange(0.5, 360)),
        (np.arange(89.5, -90, -1), np.arange(-180, 180, 2)),
        (np.linspace(-90, 90, 19), np.arange(360, 0, -5)),
        (np.arange(-87.5, 90, 5), (np.arange(0, 360, 5) + 180) % 360 - 180),
        (np.arange(-87.5, 90, 5), (np.arange(0, 360, 5) + 180) % 360),
    ],
    ids=["global", "north first", "points at the poles", "relabelled", "rolled"],
)
def test_cell_areas_sum_to_the_sphere(lat, lon):
    assert total_area(grid(lat, lon)) == pytest.approx(SPHERE_KM2)


def bounded(lat, lon, **bounds):
    """A Dataset that gives the bounds of its cells, which a DataArray cannot hold."""
    data = grid(lat, lon).to_dataset(name="value")
    for name, edges in bounds.items():
        data[name].attrs["bounds"] = f"{name}_bounds"
        data[f"{name}_bounds"] = ((name, "bnds"), np.asarray(edges, float))
    return data


def test_cell_areas_use_the_bounds_of_the_file():
    data = bounded([0, 10], [0, 10], latitude=[[-1, 1], [9, 11]])
    band = 2 * np.sin(np.radians(1)) * np.radians(10) * EARTH_RADIUS_KM**2
    np.testing.assert_allclose(cell_areas(data, find_axes(data))[0], band)
    as_coordinates = data.set_coords("latitude_bounds")
    np.testing.assert_allclose(cell_areas(as_coordinates, find_axes(data))[0], band)


def test_cell_areas_read_bounds_across_the_seam():
    lon = np.arange(-179.5, 180)
    edges = np.stack([lon - 0.5, lon + 0.5], axis=1)
    edges[-1] = 179.0, -180.0
    data = bounded(np.arange(-89.5, 90), lon, longitude=edges)
    assert total_area(data) == pytest.approx(SPHERE_KM2)


def test_cell_areas_of_a_zonal_mean_go_around():
    data = bounded(np.arange(-89.5, 90), [180.0], longitude=[[0.0, 360.0]])
    assert total_area(data) == pytest.approx(SPHERE_KM2)


def test_cell_areas_pass_over_bounds_of_another_shape():
    data = bounded([0, 10], [0, 10], latitude=[[-5, 0, 5], [5, 10, 15]])
    expected = cell_areas(grid([0, 10], [0, 10]), find_axes(data))
    xr.testing.assert_equal(cell_areas(data, find_axes(data)), expected)


def test_cell_areas_of_a_2d_grid_are_those_of_the_1d_grid():
    flat = grid(np.arange(30, 40, 0.5), np.arange(170, 190, 0.5))
    lat, lon = xr.broadcast(flat.latitude, flat.longitude)
    curved = xr.DataArray(
        flat.values,
        dims=("y", "x"),
        coords={"lat": (("y", "x"), lat.values), "lon": (("y", "x"), lon.values % 360 - 180)},
    )
    curved["lon"].values[:] = (lon.values + 180) % 360 - 180
    found = cell_areas(curved, find_axes(curved))
    np.testing.assert_allclose(found, cell_areas(flat, find_axes(flat)), rtol=2e-4)


def test_cell_areas_are_unknown_without_cells(model):
    lone = xr.DataArray(
        np.zeros(3), dims="profile", coords={n: ("profile", np.arange(3.0)) for n in ("lat", "lon")}
    )
    assert cell_areas(lone, find_axes(lone)) is None
    assert cell_areas(model.drop_vars("latitude"), Axes("depth", None, "longitude")) is None
    row = xr.DataArray(
        np.zeros((1, 3)),
        dims=("y", "x"),
        coords={n: (("y", "x"), np.arange(3.0)[None]) for n in ("lat", "lon")},
    )
    assert cell_areas(row, find_axes(row)) is None
