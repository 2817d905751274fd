"""How labels become cells: the order of their rows and columns, and the edges between them."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.boundaries import boundaries

shapely = pytest.importorskip("shapely")
pytest.importorskip("geopandas")


def test_boundaries_of_irregular_cells_are_halfway(make_labels):
    frame = boundaries(make_labels([[1, 1, 2]], [40], [10, 11, 14]))
    assert frame.geometry[0].bounds == (9.5, 39.5, 12.5, 40.5)


def test_boundaries_add_points_along_parallels(make_labels, check, geod):
    frame = check(make_labels([[1.0]], [60], [10]).reindex(longitude=[10, 20], fill_value=1.0))
    steps = np.diff(shapely.get_coordinates(frame.geometry[0]), axis=0)
    assert np.abs(steps[:, 0]).max() <= 1
    perimeter = geod.geometry_length(frame.geometry[0].exterior) / 1e3
    np.testing.assert_allclose(perimeter, frame["length_km"], rtol=1e-4)


def test_boundaries_take_a_repeated_seam_once(make_labels, make_blobs):
    lat, lon = np.arange(-88.0, 90, 4), np.arange(-180.0, 180, 4)
    once = make_labels(make_blobs(len(lat), len(lon), 4, 2, around=True), lat, lon)
    twice = xr.concat([once, once[:, :1].assign_coords(longitude=[180.0])], "longitude")
    xr.testing.assert_equal(boundaries(twice).drop(columns="geometry").to_xarray(),
                            boundaries(once).drop(columns="geometry").to_xarray())  # fmt: skip
    assert boundaries(twice).geometry.geom_equals(boundaries(once).geometry).all()


@pytest.mark.parametrize("order", ["reversed", "transposed", "0..360", "shuffled"])
def test_boundaries_are_the_same_in_any_order(make_labels, make_blobs, order):
    labels = make_labels(make_blobs(20, 30, 4, 2), np.arange(-10, 10), np.arange(-15.0, 15))
    other = {
        "reversed": labels[::-1, ::-1],
        "transposed": labels.T,
        "0..360": labels.assign_coords(longitude=labels.longitude % 360),
        "shuffled": labels[np.random.default_rng(0).permutation(20)],
    }[order]
    expected, found = boundaries(labels), boundaries(other)
    assert expected.geometry.geom_equals_exact(found.geometry, 1e-9).all()
    np.testing.assert_allclose(found["length_km"], expected["length_km"])


def test_boundaries_of_2d_coordinates_along_parallels_are_those_of_1d(
    make_labels, make_blobs, make_curvilinear
):
    plain = make_labels(
        make_blobs(45, 90, 4, 3, around=True), np.arange(-88, 90, 4), np.arange(0, 360, 4)
    )
    lat, lon = np.meshgrid(plain.latitude, plain.longitude, indexing="ij")
    for labels in (
        make_curvilinear(plain.values, lat, lon),
        make_curvilinear(plain.values.T, lat.T, lon.T),
    ):
        assert boundaries(labels).geometry.geom_equals(boundaries(plain).geometry).all()


def test_boundaries_leave_out_cells_of_unknown_place(make_blobs, make_rotated, labelled_area):
    labels = make_rotated(make_blobs(20, 20, 3, 2), 1.0, 40, 10)
    gap = labels["lat"].copy()
    gap[3, 4] = np.nan
    frame = boundaries(labels.assign_coords(lat=gap))
    assert shapely.is_valid(frame.geometry.to_numpy()).all()
    missing = labelled_area(labels) - frame["area_km2"].sum()
    assert 0 < missing < 10 * labelled_area(labels) / labels.size


def test_boundaries_refuse_loose_points():
    where = {"lat": ("profile", [1.0, 2.0]), "lon": ("profile", [3.0, 4.0])}
    with pytest.raises(ValueError, match=r"loose points along 'profile', which have no cells"):
        boundaries(xr.DataArray([1.0, 2.0], where, "profile"))


def test_boundaries_refuse_labels_of_no_place():
    with pytest.raises(ValueError, match=r"no latitude and longitude among their coordinates"):
        boundaries(xr.DataArray(np.ones((2, 3)), dims=("row", "column")))


def test_boundaries_refuse_a_row_of_a_2d_grid(make_rotated):
    labels = make_rotated(np.ones((1, 5)), 1.0, 50, 0)
    with pytest.raises(ValueError, match=r"shape \(1, 5\), in which cells have no width"):
        boundaries(labels)


def test_boundaries_refuse_several_times(make_labels):
    labels = make_labels(np.ones((2, 2)), [0, 1], [0, 1]).expand_dims(time=3)
    with pytest.raises(ValueError, match=r"3 entries along 'time'.*labels\.isel\(time=0\)"):
        boundaries(labels)


@pytest.mark.parametrize("fill", [np.nan, 9.969209968386869e36, 0.0])
def test_boundaries_of_a_curved_grid_with_gaps_enclose_the_cells_that_have_a_place(
    make_blobs, make_rotated, check, fill
):
    labels = make_rotated(make_blobs(24, 20, 3, 2), 1.0, 40, 10)
    is_gap = np.zeros(labels.shape, dtype=bool)
    is_gap[3:9, 4:9] = is_gap[:4, 15:] = is_gap[15] = is_gap[20, 7] = True
    gappy = labels.assign_coords({n: labels[n].where(~is_gap, fill) for n in ("lat", "lon")}).where(
        ~is_gap
    )
    frame = check(gappy)
    cells = 111.19**2 * np.count_nonzero(~is_gap)
    np.testing.assert_allclose(frame["area_km2"].sum(), cells, rtol=0.02)
    # labels in the gap have no place
    assert boundaries(labels.assign_coords(gappy.coords)).geometry.geom_equals(frame.geometry).all()


@pytest.mark.parametrize("lat", [np.linspace(-90, 90, 19), np.linspace(90, -90, 37)])
def test_boundaries_of_a_2d_grid_with_rows_at_the_poles_enclose_the_earth(
    make_blobs, make_curvilinear, check, lat
):
    y, x = np.meshgrid(lat, np.arange(0.0, 360, 7.5), indexing="ij")
    check(make_curvilinear(make_blobs(*y.shape, 4, 2, around=True), y, x), 4 * np.pi * 6371.0072**2)


def test_boundaries_in_radians_are_those_in_degrees(make_blobs, make_rotated):
    labels = make_rotated(make_blobs(12, 15, 3, 2), 2.0, 40, 10)
    turned = labels.assign_coords(
        {n: np.radians(labels[n]).assign_attrs(units="radian") for n in ("lat", "lon")}
    )
    found, expected = boundaries(turned), boundaries(labels)
    assert found.geometry.geom_equals_exact(expected.geometry, 1e-9).all()
