"""How clusters change: areas and transitions, against brute force and a known Markov chain."""

import cftime
import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.grid.areas import cell_areas

SPHERE_KM2 = 4 * np.pi * 6371.0072**2
LAT, LON = np.arange(-75.0, 90, 30), np.arange(0.0, 360, 30)


def series(n_steps=4, k=3, *, missing=0.2, seed=0, lat=LAT, lon=LON):
    """Labels (time, lat, lon) at random, some of them missing."""
    random = np.random.default_rng(seed)
    shape = (n_steps, lat.size, lon.size)
    values = random.integers(1, k + 1, shape).astype(np.float32)
    values[random.random(shape) < missing] = np.nan
    time = np.datetime64("2000-01", "ns") + np.arange(n_steps) * np.timedelta64(31, "D")
    coords = {"time": time, "lat": lat, "lon": lon}
    return xr.DataArray(values, coords, ("time", "lat", "lon"), name="label")


def count(labels, areas, before, after=None, step=0):
    """Area of the cells of one label at a step, and of another at the next; by a plain loop."""
    total = 0.0
    for i in range(labels.sizes["lat"]):
        for j in range(labels.sizes["lon"]):
            now = labels.values[step, i, j]
            then = np.nan if after is None else labels.values[step + 1, i, j]
            is_now = now == before or (before == "none" and np.isnan(now))
            is_then = then == after or (after == "none" and np.isnan(then))
            total += areas[i, j] * (is_now and (after is None or is_then))
    return total


def test_areas_equal_brute_force():
    labels = series()
    areas = labels.vcluster.areas()
    cells = cell_areas(labels).values
    assert areas.dims == ("time", "cluster")
    assert areas.attrs["units"] == "km2"
    assert areas["cluster"].values.tolist() == [1, 2, 3]
    xr.testing.assert_equal(areas["time"].variable, labels["time"].variable)
    for step in range(4):
        for c in (1, 2, 3):
            expected = count(labels, cells, c, step=step)
            assert float(areas[step].sel(cluster=c)) == pytest.approx(expected)


def test_areas_of_labels_everywhere_are_that_of_the_sphere():
    areas = series(missing=0.0).vcluster.areas("time")
    np.testing.assert_allclose(areas.sum("cluster"), SPHERE_KM2)


def test_areas_of_a_result_average_to_those_of_its_table():
    data = xvcluster.tutorial.ocean()["temperature"].isel(depth=slice(0, 4))
    data = xr.concat([data, data + 2.0, data - 1.0], dim="time")
    result = data.vcluster.kmeans(4, n_init=1)
    areas = result.areas()
    assert areas.dims == ("time", "cluster")
    np.testing.assert_allclose(areas.mean("time"), result.dataset["area"])
    xr.testing.assert_identical(result.labels.vcluster.areas("time"), areas)


def test_areas_count_a_repeated_seam_once():
    labels = series()
    closed = xr.concat([labels, labels.isel(lon=[0]).assign_coords(lon=[360.0])], dim="lon")
    for turned in (closed, closed.transpose("lon", "lat", "time").isel(lat=slice(None, None, -1))):
        xr.testing.assert_allclose(turned.vcluster.areas(), labels.vcluster.areas())
        xr.testing.assert_allclose(turned.vcluster.transitions(), labels.vcluster.transitions())


def test_areas_without_cells_are_numbers_of_points():
    points = [[1, 1, 2, np.nan], [2, 2, 2, 1]]
    place = {"latitude": ("point", [0.0, 1, 2, 3]), "longitude": ("point", [0.0, 5, 1, 7])}
    labels = xr.DataArray(points, place, ("time", "point"))
    areas = labels.vcluster.areas()
    assert areas.values.tolist() == [[2, 1], [1, 3]]
    assert areas.attrs["units"] == "1"
    assert "no area" in areas.attrs["comment"]
    assert "time" not in areas.coords
    changes = labels.vcluster.transitions()
    assert changes["area"].values.tolist() == [[[0, 2], [0, 1]]]
    assert changes["gained"].values.tolist() == [[1, 0]]
    assert changes["area"].attrs["units"] == "1"
    assert "start" not in changes.coords


def test_areas_of_a_curvilinear_grid_with_points_without_a_place():
    lat, lon = xr.broadcast(xr.DataArray(LAT, dims="y"), xr.DataArray(LON, dims="x"))
    lat = (lat + 0.1 * lon / 30).where(lon != 90.0)
    labels = series(missing=0.0).rename(lat="y", lon="x").drop_vars(["y", "x"])
    labels = labels.assign_coords(latitude=lat, longitude=lon)
    cells = cell_areas(labels)
    areas = labels.vcluster.areas()
    np.testing.assert_allclose(areas.sum("cluster"), cells.sum())
    assert float(areas[1].sel(cluster=2)) == pytest.approx(float(cells.where(labels[1] == 2).sum()))


def test_areas_keep_clusters_that_occur_nowhere():
    labels = series().assign_attrs(flag_values=np.arange(1, 6, dtype=np.int16))
    areas = labels.vcluster.areas()
    assert areas["cluster"].values.tolist() == [1, 2, 3, 4, 5]
    assert areas.sel(cluster=[4, 5]).sum() == 0
    assert labels.vcluster.transitions()["share"].sel(before=4).isnull().all()


def test_changes_of_dask_labels_are_the_same():
    labels = series()
    lazy = labels.chunk(time=1, lon=5)
    xr.testing.assert_identical(lazy.vcluster.areas(), labels.vcluster.areas())
    xr.testing.assert_identical(lazy.vcluster.transitions(), labels.vcluster.transitions())


def test_changes_leave_the_labels_unchanged():
    labels = series()
    before = labels.copy(deep=True)
    labels.vcluster.areas()
    labels.vcluster.transitions()
    xr.testing.assert_identical(labels, before)


def test_transitions_equal_brute_force():
    labels = series()
    changes = labels.vcluster.transitions()
    cells = cell_areas(labels).values
    assert changes["area"].dims == ("step", "before", "after")
    for step in range(3):
        of_step = changes.isel(step=step)
        for c in (1, 2, 3):
            rest = [count(labels, cells, c, d, step) for d in (1, 2, 3)]
            np.testing.assert_allclose(of_step["area"].sel(before=c), rest)
            np.testing.assert_allclose(of_step["share"].sel(before=c), rest / np.sum(rest))
            lost, gained = (
                count(labels, cells, c, "none", step),
                count(labels, cells, "none", c, step),
            )
            assert float(of_step["lost"].sel(before=c)) == pytest.approx(lost)
            assert float(of_step["gained"].sel(after=c)) == pytest.approx(gained)


def test_transitions_add_up_to_the_areas():
    labels = series(n_steps=6, k=5)
    areas, changes = labels.vcluster.areas(), labels.vcluster.transitions()
    at_start = changes["area"].sum("after") + changes["lost"]
    at_end = changes["area"].sum("before") + changes["gained"]
    np.testing.assert_allclose(at_start, areas[:-1])
    np.testing.assert_allclose(at_end, areas[1:])
    np.testing.assert_allclose(changes["share"].sum("after"), 1.0)
    for name in ("area", "lost", "gained"):
        assert changes[name].attrs["units"] == "km2"


def test_transitions_say_between_which_steps():
    labels = series()
    changes = labels.vcluster.transitions()
    assert changes["step"].values.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(changes["start"], labels["time"][:-1])
    np.testing.assert_array_equal(changes["end"], labels["time"][1:])
    dates = [cftime.DatetimeNoLeap(2000, month, 16) for month in (1, 2, 3, 4)]
    changes = labels.assign_coords(time=dates).vcluster.transitions()
    assert changes["end"].values.tolist() == dates[1:]


def test_transitions_recover_a_known_markov_chain():
    truth = np.array([[0.8, 0.15, 0.05], [0.1, 0.7, 0.2], [0.0, 0.25, 0.75]])
    random = np.random.default_rng(7)
    n_points, n_steps = 40_000, 12
    states = np.zeros((n_steps, n_points), dtype=int)
    states[0] = random.integers(0, 3, n_points)
    for step in range(1, n_steps):
        passed = truth.cumsum(axis=1)[states[step - 1]]
        states[step] = (random.random((n_points, 1)) > passed).sum(axis=1)
    labels = xr.DataArray(states + 1, dims=("time", "point"))
    area = labels.vcluster.transitions()["area"]
    n = area.sum("after")
    error = np.sqrt(truth * (1 - truth) / n.values[..., None])  # of each step
    share = labels.vcluster.transitions()["share"]
    assert (np.abs(share - truth) <= 4 * error).all()
    pooled = area.sum("step") / n.sum("step")
    error = np.sqrt(truth * (1 - truth) / n.sum("step").values[:, None])
    assert (np.abs(pooled - truth) <= 4 * error).all()
    assert error.max() < 1.3e-3


def shuffled(labels, order):
    return labels.isel(time=order).chunk(time=1)


@pytest.mark.parametrize("order", [[3, 1, 2, 0], [3, 2, 1, 0]])
@pytest.mark.parametrize(
    "steps",
    [
        None,
        [-21.0, -14.0, -7.0, 0.0],
        [np.timedelta64(n, "D") for n in (1, 2, 3, 4)],
        [cftime.Datetime360Day(2000, month, 30) for month in (1, 2, 3, 4)],
    ],
    ids=["dates", "ages", "durations", "calendar"],
)
def test_changes_are_those_of_steps_in_ascending_order(steps, order):
    labels = series() if steps is None else series().assign_coords(time=steps)
    mixed = shuffled(labels, order)
    xr.testing.assert_identical(mixed.vcluster.areas(), labels.vcluster.areas())
    xr.testing.assert_identical(mixed.vcluster.transitions(), labels.vcluster.transitions())
    cells = cell_areas(labels).values
    found = mixed.vcluster.transitions()["area"].sel(step=2, before=1, after=3)
    assert float(found) == pytest.approx(count(labels, cells, 1, 3, 1))


@pytest.mark.parametrize("steps", [["MAM", "JJA", "DJF", "SON"], None], ids=["names", "none"])
def test_changes_of_steps_without_an_order_are_those_of_the_labels(steps):
    labels = series().drop_vars("time")
    labels = labels if steps is None else labels.assign_coords(time=steps)
    areas = labels.vcluster.areas()
    for step in range(4):
        expected = labels.isel(time=[step]).vcluster.areas()[0]
        np.testing.assert_allclose(areas[step], expected)
    assert steps is None or areas["time"].values.tolist() == steps


def test_changes_carry_the_names_of_clusters(tmp_path):
    data = xvcluster.tutorial.ocean()["temperature"].isel(depth=slice(0, 4), latitude=slice(0, 20))
    data = xr.concat([data, data + 2.0], dim="time")
    plain = data.vcluster.kmeans(3, n_init=1)
    result = plain.rename({1: "Pole", 3: "Équateur"})
    names = ["Pole", "Cluster 2", "Équateur"]
    areas, changes = result.areas(), result.transitions()
    assert areas["cluster_name"].values.tolist() == names
    warm = areas.swap_dims(cluster="cluster_name").sel(cluster_name="Équateur")
    np.testing.assert_array_equal(warm, plain.areas().sel(cluster=3))
    assert changes["before_name"].dims == ("before",)
    assert changes["after_name"].values.tolist() == names
    changes.to_netcdf(tmp_path / "changes.nc")
    with xr.open_dataset(tmp_path / "changes.nc") as read:
        assert read["before_name"].values.tolist() == names
    xr.testing.assert_identical(areas.drop_vars("cluster_name"), plain.areas())
    xr.testing.assert_identical(
        changes.drop_vars(["before_name", "after_name"]), plain.transitions()
    )


def test_changes_need_a_dimension_beside_the_map():
    labels = series()
    for change in (labels[0].vcluster.areas, labels[0].vcluster.transitions):
        with pytest.raises(ValueError, match=r"dims 'lat', 'lon', which are those of one map; .*"):
            change()
    with pytest.raises(ValueError, match=r"dim='lat' is a dimension of the map itself"):
        labels.vcluster.areas("lat")
    with pytest.raises(ValueError, match=r"dim='month' is not a dimension of the labels"):
        labels.vcluster.areas("month")
    with pytest.raises(ValueError, match=r"dim=\[\] is not a dimension of the labels"):
        labels.vcluster.areas([])
    with pytest.raises(
        ValueError, match=r"at least two steps, but along 'time' the labels have one"
    ):
        labels[:1].vcluster.transitions()


def test_changes_refuse_to_guess_among_several_dimensions():
    labels = xr.concat([series(), series(seed=1)], dim="member")
    with pytest.raises(ValueError, match=r"choose one, e\.g\. dim='member', and select one entry"):
        labels.vcluster.areas()
    with pytest.raises(ValueError, match=r"beside 'time' the labels have 2 maps along 'member'"):
        labels.vcluster.transitions("time")
    one = labels.isel(member=[1])
    xr.testing.assert_identical(one.vcluster.areas(), series(seed=1).vcluster.areas())


def test_changes_refuse_what_are_no_labels():
    with pytest.raises(ValueError, match=r"holds \d\.5, but labels are integers from 1"):
        (series() + 0.5).vcluster.areas()
    with pytest.raises(ValueError, match="has no variable 'label'"):
        series().to_dataset(name="vs").vcluster.areas()
