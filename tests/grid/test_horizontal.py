"""The horizontal grid, against other ways to write it down and brute force."""

import itertools

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.coords import Axes
from xvcluster.grid.horizontal import (
    find_columns,
    find_grid,
    places_of,
    require_grid,
    take_map,
    unit_vectors,
    warn_of_places,
)


def rectilinear(lat, lon):
    coords = {"latitude": np.asarray(lat, float), "longitude": np.asarray(lon, float)}
    return xr.DataArray(np.zeros((len(lat), len(lon))), coords, ("latitude", "longitude"))


def curvilinear(lat, lon):
    coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
    return xr.DataArray(np.zeros(lat.shape), coords, ("y", "x"))


def rotated(n_y, n_x, step, lat_0=33.0, lon_0=12.0):
    """2-D latitude and longitude of a regular grid whose centre is moved to a place."""
    phi, lam = np.meshgrid(
        np.radians(step * (np.arange(n_y) - (n_y - 1) / 2)),
        np.radians(step * (np.arange(n_x) - (n_x - 1) / 2)),
        indexing="ij",
    )
    x, y, z = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)
    turn = np.radians(lat_0)
    x, z = x * np.cos(turn) - z * np.sin(turn), x * np.sin(turn) + z * np.cos(turn)
    lon = np.degrees(np.arctan2(y, x)) + lon_0
    return np.degrees(np.arcsin(z)), (lon + 180) % 360 - 180


_STEPS = np.append(np.geomspace(5, 40, 9), np.geomspace(40, 5, 9))
GLOBAL = {
    "from -180": np.arange(-180.0, 180, 20),
    "from 0": np.arange(0.0, 360, 20),
    "backwards": np.arange(350.0, 0, -20),
    "relabelled": (np.arange(0.0, 360, 20) + 180) % 360 - 180,
    "rolled": (np.arange(0.0, 360, 20) + 180) % 360,
    "both conventions": np.array([-180.0, -150, -120, -90, -60, 330, 0, 30, 60, 90, 120, 150]),
    "stretched": np.cumsum(360 * _STEPS / _STEPS.sum()),
    "three": np.array([0.0, 120, 240]),
}
REGIONAL = {
    "region": np.arange(-125.0, -95),
    "across the dateline": (np.arange(161.0, 200, 2) + 180) % 360 - 180,
    "across Greenwich": np.arange(350.0, 372) % 360,
    "shuffled": np.arange(10.0, 30)[np.random.default_rng(0).permutation(20)],
    "a column is missing": np.delete(np.arange(0.0, 360, 20), 7),
    "two blocks": np.append(np.arange(0.0, 61, 5), np.arange(180.0, 241, 5)),
    "one": np.array([7.0]),
    "two": np.array([7.0, 8.0]),
}


@pytest.mark.parametrize("lon", GLOBAL.values(), ids=GLOBAL)
def test_find_columns_of_the_globe_go_around(lon):
    columns = find_columns(lon)
    assert columns.goes_around
    assert not columns.is_repeated.any()


@pytest.mark.parametrize("lon", REGIONAL.values(), ids=REGIONAL)
def test_find_columns_of_a_region_end_at_the_widest_gap(lon):
    columns = find_columns(lon)
    assert not columns.goes_around
    in_order = columns.lon[columns.order]
    gap = in_order[0] + 360 - in_order[-1]
    assert gap >= np.diff(in_order).max(initial=0.0)


@pytest.mark.parametrize("lon", (GLOBAL | REGIONAL).values(), ids=GLOBAL | REGIONAL)
def test_find_columns_run_from_west_to_east(lon):
    columns = find_columns(lon)
    in_order = columns.lon[columns.order]
    assert (np.diff(in_order) > 0).all()
    assert np.ptp(in_order) < 360
    np.testing.assert_allclose((columns.lon - lon + 180) % 360, 180)
    np.testing.assert_array_equal(columns.order[columns.number], np.arange(lon.size))


def test_find_columns_keep_the_longitudes_of_the_file_if_they_do_not_jump():
    for lon in (np.arange(235.05, 250, 0.1), np.arange(0.1, 360, 0.9), np.arange(-180.0, 181, 5)):
        np.testing.assert_array_equal(find_columns(lon).lon, lon)


@pytest.mark.parametrize(
    ("lon", "repeated"),
    [
        ([0, 90, 180, 270], []),
        ([0, 120, 240, 360], [3]),
        ([180, 0, -180], [2]),
        ([7], []),
        (np.float32([-124.2, 0.0, 235.8]), [2]),
        ([0.0, 180.0, -1e-13], [0]),
        (np.arange(9) * 2e-6 + 10, []),
        (np.append(np.linspace(-180, 135, 8), 179.99999), [0]),
        (np.arange(-180.0, 181, 45) % 360, [8]),
    ],
)
def test_find_columns_tell_which_repeat_a_meridian(lon, repeated):
    columns = find_columns(np.asarray(lon, dtype=float))
    assert np.flatnonzero(columns.is_repeated).tolist() == repeated
    around = (columns.lon - columns.lon[columns.order[columns.number]] + 180) % 360 - 180
    np.testing.assert_allclose(around, 0, atol=1e-4)


def test_find_grid_tells_the_kind_and_the_order_of_dimensions():
    lat, lon = rotated(6, 8, 1.0)
    field = rectilinear([1, 2, 3], [4, 5]).transpose("longitude", "latitude")
    found = find_grid(field)
    assert (found.kind, found.shape) == ("rectilinear", (3, 2))
    assert found.dims == ("latitude", "longitude")
    found = find_grid(curvilinear(lat, lon).transpose("x", "y", transpose_coords=False))
    assert (found.kind, found.dims, found.shape) == ("curvilinear", ("y", "x"), (6, 8))
    points = rectilinear([1, 2, 3], [4, 5]).stack(point=("latitude", "longitude"))
    found = find_grid(points)
    assert (found.kind, found.dims, found.shape) == ("points", ("point",), (6,))
    assert find_grid(field.drop_vars("latitude")) is None
    assert find_grid(field, Axes(None, "latitude", None)) is None


def test_find_grid_of_1d_and_2d_coordinates_is_curvilinear():
    lat, lon = rotated(6, 8, 1.0)
    mixed = curvilinear(lat, lon).assign_coords(lat=("y", np.arange(6.0)))
    found = find_grid(mixed)
    assert found.kind == "curvilinear"
    np.testing.assert_array_equal(found.lat, np.repeat(np.arange(6.0)[:, None], 8, axis=1))


def test_find_grid_reads_a_dataset_and_leaves_it_as_it_was():
    data = rectilinear([10, 20], [0, 120, 240]).to_dataset(name="vs")
    data["latitude"].attrs["bounds"] = "edges"
    data["edges"] = (("latitude", "side"), [[9.0, 11.0], [19.0, 21.0]])
    before = data.copy(deep=True)
    latitudes, longitudes = find_grid(data).edges
    np.testing.assert_array_equal(latitudes, data["edges"])
    np.testing.assert_array_equal(longitudes, [[-60, 60], [60, 180], [180, 300]])
    xr.testing.assert_identical(data, before)


def test_edges_lie_halfway_in_the_order_of_the_file():
    latitudes, longitudes = find_grid(rectilinear([20, 0, 10], [4, 2, 1])).edges
    np.testing.assert_array_equal(latitudes, [[15, 25], [-5, 5], [5, 15]])
    np.testing.assert_array_equal(longitudes, [[3, 5], [1.5, 3], [0.5, 1.5]])


@pytest.mark.parametrize("lon", GLOBAL.values(), ids=GLOBAL)
def test_meridians_of_a_grid_that_goes_around_end_where_they_begin(lon):
    for field in (rectilinear([0], lon), rectilinear([0], np.append(lon, lon[0] + 360))):
        meridians = find_grid(field).meridians
        assert meridians.size == lon.size + 1
        assert np.ptp(meridians) == pytest.approx(360)


def test_grid_tells_which_points_have_a_place():
    lat, lon = rotated(4, 5, 1.0)
    lat[1, 2] = lon[3, 0] = np.nan
    found = find_grid(curvilinear(lat, lon))
    assert np.argwhere(~found.is_placed).tolist() == [[1, 2], [3, 0]]
    assert np.isnan(found.vectors[~found.is_placed]).any(axis=-1).all()
    np.testing.assert_allclose(np.linalg.norm(found.vectors[found.is_placed], axis=-1), 1)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("repeats", [False, True])
def test_curvilinear_grid_goes_around_along_its_columns(repeats, turned):
    lat, lon = rotated(12, 24, 15.0)
    if repeats:
        lat, lon = (np.concatenate([a, a[:, :1]], axis=1) for a in (lat, lon))
    found = find_grid(curvilinear(lat.T, lon.T) if turned else curvilinear(lat, lon))
    assert found.goes_around
    assert found.dims == (("x", "y") if turned else ("y", "x"))
    assert found.columns.is_repeated.sum() == repeats
    assert found.corners.shape == (13, 25 + repeats, 3)
    np.testing.assert_allclose(found.corners[:, 0], found.corners[:, 24])
    assert not find_grid(curvilinear(lat[:, :20], lon[:, :20])).goes_around


def test_longitudes_of_loose_points_do_not_jump_unless_they_lie_all_around():
    def at(lon):
        coords = {"lat": ("cast", np.zeros(len(lon))), "lon": ("cast", np.asarray(lon, float))}
        return find_grid(xr.DataArray(np.zeros(len(lon)), coords, "cast"))

    np.testing.assert_allclose(at([170, -170, 175]).columns.lon, [170, 190, 175])
    np.testing.assert_allclose(at([350, 5, 355]).columns.lon, [350, 365, 355])
    everywhere = np.random.default_rng(0).uniform(-180, 180, 200)
    np.testing.assert_array_equal(at(everywhere).columns.lon, everywhere)


def test_unit_vectors_point_to_the_poles_and_along_the_equator():
    lat, lon = np.array([90.0, 0, 0, -90]), np.array([12.0, 0, 90, 0])
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, -1]]
    np.testing.assert_allclose(unit_vectors(lat, lon), expected, atol=1e-15)


def test_places_of_vectors_are_where_unit_vectors_point_to():
    lat, lon = np.array([[90.0, 41.5, 0], [-7, -60, 3]]), np.array([[0.0, -120, 179], [5, 60, -90]])
    found = places_of(3.0 * unit_vectors(lat, lon))
    np.testing.assert_allclose(found, (lat, lon), atol=1e-12)


def test_require_grid_names_the_coordinates_that_there_are():
    with pytest.raises(ValueError, match=r"no latitude and longitude .*\('latitude'\); assign"):
        require_grid(rectilinear([1, 2], [3, 4]).drop_vars("longitude"))


def test_take_map_drops_single_entries_and_refuses_several():
    field = rectilinear([1, 2, 3], [4, 5])
    dims = ("longitude", "latitude")
    found = take_map(field.expand_dims(time=1), dims, "", "")
    xr.testing.assert_identical(found, field.transpose(*dims))
    with pytest.raises(
        ValueError, match=r"^a map, but the field has 2 entries along 'time'.*try time=0"
    ):
        take_map(field.expand_dims(time=2), dims, "a map", "try {dim}=0")


# --- what files hold instead of degrees ---


def test_find_grid_takes_fill_values_for_no_place():
    lat, lon = rotated(4, 5, 1.0)
    lat[1, 2], lon[1, 2], lat[3, 0], lon[2, 2] = (
        9.969209968386869e36,
        9.969209968386869e36,
        -999,
        np.inf,
    )
    found = find_grid(curvilinear(lat, lon))
    assert np.argwhere(~found.is_placed).tolist() == [[1, 2], [2, 2], [3, 0]]


def test_find_grid_takes_zeros_of_left_out_land_for_no_place():
    lat, lon = rotated(8, 9, 1.0)
    lat[:3, :4] = lon[:3, :4] = 0.0
    assert (~find_grid(curvilinear(lat, lon)).is_placed).sum() == 12


def test_a_2d_grid_of_parallels_that_reaches_a_pole_is_rectilinear_in_either_order():
    lat, lon = np.meshgrid([90.0, 80.0, 70.0], [350.0, 0.0, 10.0, 20.0], indexing="ij")
    lat[1, 1:3] = lon[1, 1:3] = np.nan
    for field in (curvilinear(lat, lon), curvilinear(lat.T, lon.T).rename(y="x", x="y")):
        found = find_grid(field)
        assert (found.kind, found.dims, found.shape) == ("rectilinear", ("y", "x"), (3, 4))
        np.testing.assert_array_equal(found.lat, [90, 80, 70])
        np.testing.assert_array_equal(found.is_placed, np.isfinite(lat))
        np.testing.assert_array_equal(np.isnan(found.vectors).any(axis=-1), np.isnan(lat))


@pytest.mark.parametrize("overlap", [1, 2, 3, 8])
def test_curvilinear_grid_tells_how_many_columns_repeat_others(overlap):
    lat, lon = np.meshgrid(np.arange(-60.0, 61, 5), np.arange(0.0, 360, 10), indexing="ij")
    lat = lat + 2 * np.sin(np.radians(lon))
    lat, lon = (np.concatenate([a, a[:, :overlap]], axis=1) for a in (lat, lon))
    columns = find_grid(curvilinear(lat, lon)).columns
    assert columns.goes_around
    assert np.flatnonzero(columns.is_repeated).tolist() == [36 + i for i in range(overlap)]


def test_find_grid_of_radians_is_that_of_degrees():
    lat, lon = rotated(12, 24, 15.0)
    found = find_grid(curvilinear(np.radians(lat), np.radians(lon)).rename(lat="clat", lon="clon"))
    np.testing.assert_allclose(found.lat, lat)
    assert found.goes_around
    assert find_grid(curvilinear(lat, lon)).goes_around


def test_find_grid_drops_a_time_along_which_the_grid_rests():
    lat, lon = rotated(6, 8, 1.0)
    coords = {n: (("time", "y", "x"), np.stack([a] * 3)) for n, a in (("lat", lat), ("lon", lon))}
    found = find_grid(xr.DataArray(np.zeros((3, 6, 8)), coords, ("time", "y", "x")))
    assert (found.kind, found.dims) == ("curvilinear", ("y", "x"))
    np.testing.assert_array_equal(found.lat, lat)


def test_rows_and_columns_without_a_place_lie_between_their_neighbours():
    field = rectilinear([10, np.nan, 30, 40], [0, 90, np.nan, 270])
    found = find_grid(field)
    np.testing.assert_array_equal(found.lat, [10, 20, 30, 40])
    np.testing.assert_array_equal(found.lon, [0, 90, 180, 270])
    np.testing.assert_array_equal(found.parallels, [5, 15, 25, 35, 45])
    assert found.goes_around
    assert np.isnan(found.places[0][1]).all()
    assert np.isnan(found.places[1][:, 2]).all()
    assert (found.is_placed.sum(), found.is_placed[1].any(), found.is_placed[:, 2].any()) == (
        9,
        0,
        0,
    )


def corners_by_hand(points, placed):
    """Mean of where placed neighbours on one or two sides say that a corner lies, by loops."""
    m, n = points.shape[:2]
    found = np.full((m + 1, n + 1, 3), np.nan)

    def half(i, j, di, dj):
        for sign in (1, -1):
            r, c = i + sign * di, j + sign * dj
            if 0 <= r < m and 0 <= c < n and placed[r, c]:
                return sign * (points[r, c] - points[i, j]) / 2
        raise AssertionError("no neighbour")

    for r in range(m + 1):
        for c in range(n + 1):
            votes = []
            for i, di in ((r - 1, 1), (r, -1)):
                for j, dj in ((c - 1, 1), (c, -1)):
                    if 0 <= i < m and 0 <= j < n and placed[i, j]:
                        votes.append(points[i, j] + half(i, j, di, 0) + half(i, j, 0, dj))
            if votes:
                found[r, c] = np.mean(votes, axis=0)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def test_corners_beside_points_without_a_place_are_extrapolated():
    lat, lon = rotated(9, 11, 2.0)
    placed = np.ones(lat.shape, dtype=bool)
    placed[2:5, 3:6] = placed[0, 8] = placed[6, 8] = False
    found = find_grid(curvilinear(np.where(placed, lat, np.nan), lon))
    expected = corners_by_hand(unit_vectors(lat, lon), placed)
    # those of the grid itself curve with it
    for row, column in itertools.product((0, -1), (0, -1)):
        expected[row, column] = find_grid(curvilinear(lat, lon)).corners[row, column]
    np.testing.assert_allclose(found.corners, expected, atol=1e-12)
    assert np.isnan(found.corners[3:5, 4:6]).all()


def test_warn_of_places_says_what_it_cannot_use():
    axes, repeated = Axes(None, "latitude", "longitude"), rectilinear([10, 20, 20], [0, 1])
    with pytest.warns(UserWarning, match=r"'latitude' holds 20 more than once.*drop_duplicates"):
        warn_of_places(repeated, axes, find_grid(repeated))
    text = xr.DataArray(np.zeros(2), {"lat": ("y", ["45N", "46N"])}, "y")
    with pytest.warns(UserWarning, match=r"'lat' is of type <U3, not numbers of degrees"):
        warn_of_places(text, Axes(None, None, None), None)
    lacking = xr.DataArray(np.zeros(2), dims="nCells", attrs={"coordinates": "latCell lonCell"})
    with pytest.warns(UserWarning, match=r"'latCell' and 'lonCell', which they do not hold"):
        warn_of_places(lacking, Axes(None, None, None), None)
    closed = rectilinear([10, 20], [0, 120, 240, 360])
    warn_of_places(closed, axes, find_grid(closed))
