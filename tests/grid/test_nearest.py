"""Labels at other points, against patterns known everywhere and a search for the nearest point."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.nearest import nearest_labels


def grid(latitude, longitude, pattern=None):
    """Labels on 1-D latitude and longitude: of a pattern, or each cell its own number."""
    latitude, longitude = np.asarray(latitude, float), np.asarray(longitude, float)
    lat, lon = np.meshgrid(latitude, longitude, indexing="ij")
    own = np.arange(1, lat.size + 1).reshape(lat.shape) if pattern is None else pattern(lat, lon)
    coords = {"latitude": latitude, "longitude": longitude}
    return xr.DataArray(own.astype("float32"), coords, ("latitude", "longitude"), "label")


def halves(lat, lon):
    """1 within 90° of the dateline, 2 elsewhere."""
    return np.where(np.cos(np.radians(lon)) < 0, 1, 2)


def bands(lat, lon):
    """Three bands of latitude."""
    return 1 + (lat > -30).astype(int) + (lat > 30)


def points(latitude, longitude, dim="point"):
    return xr.DataArray(latitude, dims=dim), xr.DataArray(longitude, dims=dim)


def curvilinear(latitude, longitude):
    """Labels of a grid of 2-D coordinates that is turned by 30° against the parallels."""
    x, y = np.meshgrid(longitude, latitude)
    angle = np.radians(30)
    lon = x * np.cos(angle) - y * np.sin(angle)
    lat = x * np.sin(angle) + y * np.cos(angle)
    own = np.arange(1.0, x.size + 1).reshape(x.shape)
    coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
    return xr.DataArray(own.astype("float32"), coords, ("y", "x"), "label")


def test_nearest_labels_of_the_own_points_are_the_labels():
    labels = grid([10, 20, 30], [350, 355, 360, 365])
    found = nearest_labels(labels, labels["latitude"], labels["longitude"])
    xr.testing.assert_identical(found, labels)


@pytest.mark.parametrize("backwards", [{}, {"latitude": -1}, {"longitude": -1}])
@pytest.mark.parametrize("order", [("latitude", "longitude"), ("longitude", "latitude")])
@pytest.mark.parametrize("shift", [-360, 0, 360])
def test_nearest_labels_do_not_depend_on_order_direction_or_convention(backwards, order, shift):
    labels = grid([10, 20, 30], [170, 175, 180, 185])
    at = points([9.0, 14.0, 16.0, 31.0], [172.4, 172.6, -177.6, -173.0])
    turned = labels.isel({d: slice(None, None, s) for d, s in backwards.items()}).transpose(*order)
    turned = turned.assign_coords(longitude=turned["longitude"] + shift)
    assert nearest_labels(turned, *at).values.tolist() == [1, 2, 7, 12]


def test_nearest_labels_are_nan_outside_of_a_region():
    labels = grid([10, 20], [0, 10])
    inside = points([5.0, 25.0, 15.0], [-5.0, 15.0, 365.0])
    assert np.isfinite(nearest_labels(labels, *inside)).all()
    outside = points([4.9, 25.1, 15.0, 15.0, np.nan], [0.0, 0.0, -5.1, 15.1, 0.0])
    assert np.isnan(nearest_labels(labels, *outside)).all()


@pytest.mark.parametrize(
    "longitude",
    [np.arange(-179, 180, 2), np.arange(0, 360, 2), np.arange(-180, 181, 2), np.arange(0, 361, 2),
     np.append(np.arange(0, 181, 2), np.arange(-178, 0, 2))],
)  # fmt: skip
def test_nearest_labels_of_a_global_grid_close_the_seam(longitude):
    labels = grid(np.arange(-89, 90, 2), longitude, halves)
    lon = np.array([-180.0, -179.99, 179.99, 180.0, 0.0, 0.01, -0.01, 359.99, 360.0])
    found = nearest_labels(labels, *points(np.zeros(9), lon))
    assert found.values.tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 2]


def test_nearest_labels_leave_a_gap_that_is_wider_than_the_cells():
    labels = grid([0, 10], np.arange(0, 340, 10))
    found = nearest_labels(labels, *points([0.0, 0.0, 0.0], [334.9, 340.0, 355.1]))
    assert found.values.tolist() == [34, pytest.approx(np.nan, nan_ok=True), 1]


@pytest.mark.parametrize("last", [89.5, 88.6, 90.0])
def test_nearest_labels_reach_a_pole_where_no_other_row_has_room(last):
    labels = grid(np.linspace(-last, last, 91), np.arange(0, 360, 10), bands)
    assert nearest_labels(labels, *points([-90.0, 90.0], [5.0, 5.0])).values.tolist() == [1, 3]


def test_nearest_labels_leave_out_a_pole_that_is_farther():
    labels = grid(np.arange(-80, 81, 5), np.arange(0, 360, 10), bands)
    assert np.isnan(nearest_labels(labels, *points([-90.0, 83.0], [5.0, 5.0]))).all()


def test_nearest_labels_of_a_single_column_fill_one_degree():
    found = nearest_labels(grid([0, 1], [180]), *points([0.0, 0.0], [-179.6, -179.4]))
    assert found.values.tolist() == [1, pytest.approx(np.nan, nan_ok=True)]


def test_nearest_labels_do_not_fill_what_has_none():
    labels = grid([10, 20, 30], [0, 10, 20])
    land = labels.where(labels != 5)
    fine = grid(np.arange(5.5, 35), np.arange(-4.5, 25))
    found = nearest_labels(land, fine["latitude"], fine["longitude"])
    full = nearest_labels(labels, fine["latitude"], fine["longitude"])
    xr.testing.assert_identical(found, full.where(full != 5))
    assert int(found.isnull().sum()) == 100


def test_nearest_labels_go_to_a_curvilinear_grid():
    labels, there = grid(np.arange(-5, 20), np.arange(-10, 20)), curvilinear([0, 2, 4], [0, 3.3, 6])
    found = nearest_labels(labels, there["lat"], there["lon"])
    assert found.dims == ("y", "x")
    assert list(found.coords) == ["lat", "lon"]
    nearest = labels.sel(latitude=there["lat"], longitude=there["lon"], method="nearest")
    np.testing.assert_array_equal(found, nearest)


def test_nearest_labels_of_a_curvilinear_grid_are_those_of_the_nearest_point():
    labels = curvilinear(np.arange(0.0, 10), np.arange(0.0, 12))
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.5, 11.5, 200), rng.uniform(-0.5, 9.5, 200)
    angle = np.radians(30)
    at = points(x * np.sin(angle) + y * np.cos(angle), x * np.cos(angle) - y * np.sin(angle))
    found = nearest_labels(labels, *at)
    assert np.isfinite(found).all()
    phi, lam = (np.radians(labels[n].values.ravel()) for n in ("lat", "lon"))
    for value, lat, lon in zip(found.values, *np.radians([a.values for a in at]), strict=True):
        cosine = np.sin(phi) * np.sin(lat) + np.cos(phi) * np.cos(lat) * np.cos(lam - lon)
        assert value == labels.values.ravel()[cosine.argmax()]


def test_nearest_labels_of_a_curvilinear_grid_end_with_it():
    labels = curvilinear(np.arange(0.0, 10), np.arange(0.0, 12))
    assert np.isnan(nearest_labels(labels, *points([-1.0, 40.0], [0.0, 200.0]))).all()


def test_nearest_labels_of_a_curvilinear_grid_pass_over_cells_without_coordinates():
    labels = curvilinear(np.arange(0.0, 10), np.arange(0.0, 12))
    placed = labels["lat"].notnull() & (labels != 1)
    labels = labels.assign_coords(lat=labels["lat"].where(placed), lon=labels["lon"].where(placed))
    at = labels.isel(y=5, x=slice(3, 6))
    np.testing.assert_array_equal(nearest_labels(labels, at["lat"], at["lon"]), at)


def test_nearest_labels_of_a_curvilinear_grid_may_lie_on_transposed_dimensions():
    labels = curvilinear(np.arange(0.0, 10), np.arange(0.0, 12))
    found = nearest_labels(labels.transpose("x", "y"), labels["lat"], labels["lon"])
    np.testing.assert_array_equal(found.transpose("y", "x"), labels)


@pytest.mark.parametrize("spacing", [0.5, 3.0])
def test_nearest_labels_of_loose_points_cover_what_these_fill_evenly(spacing):
    cells = grid(np.arange(0, 10, spacing), np.arange(0, 10, spacing))
    loose = cells.stack(point=("latitude", "longitude")).reset_index("point")
    rng = np.random.default_rng(0)
    at = points(rng.uniform(0, 9, 100), rng.uniform(0, 9, 100))
    np.testing.assert_array_equal(nearest_labels(loose, *at), nearest_labels(cells, *at))
    assert np.isnan(nearest_labels(loose, *points([0.0], [-1.6 * spacing]))).all()


def test_nearest_labels_of_loose_points_at_one_place_are_the_first_that_there_is():
    coords = {"lat": ("cast", [1.0, 1.0, 1.0, 3.0]), "lon": ("cast", [5.0, 365.0, 5.0, 5.0])}
    labels = xr.DataArray([np.nan, 2.0, 3.0, 4.0], coords, "cast")
    assert nearest_labels(labels, *points([1.2, 2.8], [5.0, 5.0])).values.tolist() == [2, 4]


def test_nearest_labels_of_one_loose_point_reach_half_a_degree():
    labels = xr.DataArray([2.0], {"lat": ("cast", [1.0]), "lon": ("cast", [5.0])}, "cast")
    found = nearest_labels(labels, *points([1.4, 1.6], [5.0, 5.0]))
    assert found.values.tolist() == [2, pytest.approx(np.nan, nan_ok=True)]


def test_nearest_labels_of_integers_have_nan():
    found = nearest_labels(grid([0, 1], [0, 1]).astype("int16"), *points([0.0, 9.0], [0.0, 0.0]))
    assert found.dtype == np.float32
    assert found.values.tolist() == [1, pytest.approx(np.nan, nan_ok=True)]


def test_nearest_labels_of_lazy_labels_are_computed():
    labels = grid([10, 20, 30], [0, 10, 20])
    found = nearest_labels(labels.chunk(), labels["latitude"], labels["longitude"])
    xr.testing.assert_identical(found, labels)
    assert found.chunks is None


def test_nearest_labels_drop_a_dimension_of_one_entry():
    labels = grid([10, 20], [0, 10])
    found = nearest_labels(labels.expand_dims(time=[2000]), labels["latitude"], labels["longitude"])
    xr.testing.assert_identical(found, labels)


def test_nearest_labels_refuse_several_maps():
    labels = grid([10, 20], [0, 10])
    several = labels.expand_dims(time=[2000, 2001])
    with pytest.raises(
        ValueError, match=r"'label' has 2 entries along 'time' .* labels.isel\(time=0\)"
    ):
        nearest_labels(several, labels["latitude"], labels["longitude"])


def test_nearest_labels_refuse_labels_without_latitude_and_longitude():
    labels = grid([10, 20], [0, 10]).drop_vars("longitude")
    with pytest.raises(ValueError, match=r"no latitude and longitude .*\('latitude'\); assign"):
        nearest_labels(labels, *points([10.0], [0.0]))


def test_nearest_labels_leave_the_input_as_it_was():
    labels = grid([10, 20], [0, 10])
    before = labels.copy(deep=True)
    nearest_labels(labels, *points([10.0], [0.0])).attrs["new"] = 1
    xr.testing.assert_identical(labels, before)


# --- what files hold instead of degrees ---


def test_nearest_labels_on_a_curved_grid_with_gaps_are_those_of_placed_points():
    labels = curvilinear(np.arange(40.0, 50), np.arange(10.0, 22))
    gap = labels["lat"].copy()
    gap[2:5, 3:6] = 9.969209968386869e36
    gap[7, 7] = np.nan
    found = nearest_labels(labels.assign_coords(lat=gap), labels["lat"], labels["lon"])
    assert found.isnull()[2:5, 3:6].all()
    outside = np.ones(labels.shape, dtype=bool)
    outside[2:5, 3:6] = outside[7, 7] = False
    np.testing.assert_array_equal(found.values[outside], labels.values[outside])


def test_nearest_labels_of_a_row_of_no_place_are_missing():
    labels = grid([10, 20, 30, 40], [0, 10, 20])
    gap = labels.assign_coords(latitude=[10.0, np.nan, 30.0, 40.0])
    found = nearest_labels(gap, *points([11.0, 20.0, 26.0, 40.0], [0.0, 10.0, 20.0, 0.0]))
    np.testing.assert_array_equal(found, [1, np.nan, 9, 10])


def test_nearest_labels_at_points_of_no_place_are_missing():
    for labels in (
        grid([40, 41, 42], [10, 11, 12]),
        curvilinear(np.arange(40.0, 50), np.arange(9.0)),
    ):
        at = points([41.0, np.nan, 41.0, 1e20], [11.0, 11.0, np.inf, 11.0])
        assert np.isnan(nearest_labels(labels, *at)[1:]).all()


def test_nearest_labels_take_radians_in_the_grid_and_at_the_points():
    labels = curvilinear(np.arange(40.0, 50), np.arange(10.0, 22))
    in_radians = labels.assign_coords(
        {n: (("y", "x"), np.radians(labels[n].values), {"units": "radian"}) for n in ("lat", "lon")}
    )
    at = points([41.3, 60.0, 55.1], [-8.0, 3.0, -14.0])
    turned = tuple(np.radians(a).assign_attrs(units="rad") for a in at)
    expected = nearest_labels(labels, *at)
    for source in (labels, in_radians):
        for where in (at, turned):
            np.testing.assert_array_equal(nearest_labels(source, *where), expected)
    assert expected.notnull().any()
