"""The numbers of a page, read back from it, against the result and the data."""

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.explore import contents


def half(bits):
    return bits.view(np.float16).astype(np.float64)


def places_of(texts, numbers):
    """Place of each cell that a page draws."""
    x, y = numbers["x"], numbers["y"]
    if texts["kind"] == "grid":
        y, x = (a.ravel() for a in np.meshgrid(y, x, indexing="ij"))
    return x, y


def profiles_of(texts, numbers, v=0):
    """Profiles (n_levels, n) of a variable, as the page adds them up."""
    clustering = texts["clusterings"][texts["chosen"]]
    n_variables, k = len(texts["variables"]), len(clustering["numbers"])
    labels = numbers[f"labels_{texts['chosen']}"].astype(int)
    centroids = numbers[f"centroids_{texts['chosen']}"].reshape(n_variables, k, -1)[v]
    n_levels = centroids.shape[-1]
    rows = slice(v * n_levels, (v + 1) * n_levels)
    apart = half(numbers["profiles"]).reshape(n_variables * n_levels, -1)[rows]
    found = apart * numbers["scales"][rows, None] + centroids[labels - 1].T
    return np.where(labels > 0, found, np.nan), labels


def assert_profiles_of(data, texts, numbers, lat="latitude", lon="longitude"):
    """Assert that each cell of a page has the profile of the data at its place, and its label."""
    x, y = places_of(texts, numbers)
    found, labels = profiles_of(texts, numbers)
    centroids = numbers[f"centroids_{texts['chosen']}"].reshape(
        len(texts["clusterings"][texts["chosen"]]["numbers"]), -1
    )
    values = data.transpose("depth", ...).values.reshape(data.sizes["depth"], -1).astype(float)
    places = xr.broadcast(data[lat], data[lon])
    own_y, own_x = (p.transpose(*data[0].dims).values.ravel() for p in places)
    assert (labels > 0).any()
    for i in np.flatnonzero(labels):
        apart = np.abs(own_y - y[i]) + np.abs((own_x - x[i] + 180) % 360 - 180)
        assert apart.min() < 1e-3
        own = values[:, apart.argmin()]
        tolerance = 0.003 * np.abs(own - centroids[labels[i] - 1]) + 1e-6 * np.abs(own)
        assert np.all(np.abs(found[:, i] - own) <= tolerance)


@pytest.mark.parametrize("turned", [False, True])
def test_a_page_holds_the_profile_of_each_point_of_a_grid(rough_model, read_page, turned):
    data = rough_model.isel(latitude=slice(None, None, -1), depth=slice(None, None, -1))
    data = data.transpose("longitude", "depth", "latitude") if turned else rough_model
    result = data.vcluster.kmeans(3)
    texts, numbers = read_page(result.explore().html)
    assert_profiles_of(data.transpose("depth", "latitude", "longitude"), texts, numbers)
    assert (numbers["labels_0"] > 0).sum() == result.dataset["count"].sum()
    np.testing.assert_array_equal(numbers["levels"], data["depth"])
    assert texts["points_down"]


def test_a_page_holds_the_profile_of_each_cell_of_a_bent_grid(bent_model, read_page):
    texts, numbers = read_page(bent_model.vcluster.kmeans(3).explore().html)
    assert texts["kind"] == "polygons"
    assert_profiles_of(bent_model, texts, numbers, "lat", "lon")


def test_a_page_holds_the_profiles_of_dask_arrays(rough_model, read_page):
    lazy = rough_model.chunk(latitude=5)
    texts, numbers = read_page(lazy.vcluster.kmeans(3).explore().html)
    assert_profiles_of(rough_model, texts, numbers)


def test_each_variable_has_profiles_of_its_own(two_variables, read_page):
    texts, numbers = read_page(two_variables.vcluster.kmeans(3).explore().html)
    assert texts["variables"] == ["shear velocity (km/s)", "density (kg m-3)"]
    x, y = places_of(texts, numbers)
    for v, name in enumerate(("vs", "rho")):
        found, labels = profiles_of(texts, numbers, v)
        points = {"latitude": xr.DataArray(y, dims="i"), "longitude": xr.DataArray(x, dims="i")}
        own = two_variables[name].sel(points).transpose("depth", "i").values
        known = labels > 0
        np.testing.assert_allclose(found[:, known], own[:, known], rtol=2e-3)


def test_a_page_holds_centroids_quantiles_labels_and_maps_of_the_result(rough_model, read_page):
    result = rough_model.vcluster.kmeans(3).stability(n=3)
    texts, numbers = read_page(result.explore().html)
    dataset = result.dataset
    np.testing.assert_allclose(numbers["centroids_0"].reshape(3, -1), dataset["vs"], rtol=1e-6)
    quantiles = numbers["quantiles_0"].reshape(3, 5, -1).swapaxes(0, 1)
    np.testing.assert_allclose(quantiles, dataset["vs_quantile"], rtol=1e-6)
    labels = numbers["labels_0"].reshape(12, 11)
    np.testing.assert_array_equal(labels, dataset["label"].fillna(0))
    for name in ("margin", "stability", "distance"):
        found = half(numbers[name]).reshape(12, 11) * texts["fields"][name]["scale"]
        np.testing.assert_allclose(found, dataset[name], rtol=1e-3, atol=1e-6)
    distance = texts["fields"]["distance"]
    assert distance["units"] == "km/s"
    assert distance["high"] == pytest.approx(float(dataset["distance"].quantile(0.99)))
    assert distance["is_cut"]
    assert not texts["fields"]["margin"]["is_cut"]


def test_the_table_is_that_of_the_result_with_its_names_and_colours(model, read_page):
    result = model.vcluster.kmeans(3).rename({2: "Arc & basin"}).recolor({1: "#102030"})
    texts, _ = read_page(result.explore().html)
    clustering = texts["clusterings"][0]
    assert clustering["names"] == ["Cluster 1", "Arc & basin", "Cluster 3"]
    assert clustering["colors"][0] == "#102030"
    row = dict(zip(clustering["heads"], clustering["rows"][1], strict=True))
    table = result.table().loc[2]
    assert row["profiles"] == f"{table['profiles']:.0f}"
    assert row["area (%)"] == f"{table['area_percent']:.1f}"
    assert row["mean margin"] == f"{table['mean_margin']:.2f}"


def test_without_data_a_page_has_no_profiles_and_with_them_the_same(
    rough_model, read_page, tmp_path
):
    result = rough_model.vcluster.kmeans(3)
    result.to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc")
    texts, numbers = read_page(opened.explore().html)
    assert not texts["has_profiles"]
    assert "profiles" not in numbers
    texts, numbers = read_page(opened.explore(rough_model).html)
    assert texts["has_profiles"]
    assert_profiles_of(rough_model, texts, numbers)


def test_other_data_are_refused(rough_model, tmp_path):
    result = rough_model.vcluster.kmeans(3)
    with pytest.raises(ValueError, match="other places than the result"):
        result.explore(rough_model.isel(latitude=slice(1, None)))
    with pytest.raises(ValueError, match=r"of 130 complete profiles, but the data have \d+:"):
        result.explore(rough_model.where(rough_model["latitude"] > 36))


def test_each_time_is_a_map_of_its_own(model, read_page):
    times = xr.DataArray(np.array(["2000-01", "2000-02"], "M8[ns]"), dims="time", name="time")
    data = xr.concat(
        [model, model.isel(latitude=slice(None, None, -1)).assign_coords(model.coords)], times
    )
    data = data.transpose("depth", "latitude", "time", "longitude")
    result = data.vcluster.kmeans(3)
    texts, numbers = read_page(result.explore().html)
    assert texts["maps"] == ["time = 2000-01", "time = 2000-02"]
    maps = numbers["labels_0"].reshape(2, 7, 9)
    wanted = result.labels.transpose("time", "latitude", "longitude")
    np.testing.assert_array_equal(maps, wanted)
    found, _ = profiles_of(texts, numbers)
    own = data.transpose("depth", "time", "latitude", "longitude").values.reshape(5, -1)
    np.testing.assert_allclose(found, own, rtol=1e-4)


def test_profiles_over_time_run_from_left_to_right(model, read_page):
    days = np.array(
        ["2001-01-15", "2001-02-15", "2001-03-15", "2001-04-15", "2001-05-15"], "M8[ns]"
    )
    cycle = model.rename(depth="time").assign_coords(time=days)
    texts, numbers = read_page(cycle.vcluster.kmeans(3, dim="time").explore().html)
    assert texts["levels_across"]
    np.testing.assert_array_equal(numbers["levels"], days.astype("M8[ms]").astype(float))


def test_a_page_of_a_sweep_has_the_clustering_at_each_k(rough_model, read_page):
    sweep = rough_model.vcluster.sweep(range(2, 5))
    result = sweep.result(3)
    texts, numbers = read_page(result.explore().html)
    assert [len(each["numbers"]) for each in texts["clusterings"]] == [2, 3, 4]
    assert texts["chosen"] == 1
    for index, k in enumerate((2, 3, 4)):
        labels = sweep.dataset["label"].sel(k=k).fillna(0)
        np.testing.assert_array_equal(numbers[f"labels_{index}"].reshape(12, 11), labels)


def test_points_and_single_values_have_a_page(model, read_page):
    points = model.isel(depth=0, drop=True).stack(p=("latitude", "longitude")).reset_index("p")
    result = points.vcluster.kmeans(3, weights=None)
    texts, numbers = read_page(result.explore().html)
    assert texts["kind"] == "points"
    np.testing.assert_array_equal(numbers["levels"], [0, 1])
    found, labels = profiles_of(texts, numbers)
    np.testing.assert_allclose(found[0], points, rtol=1e-3)
    np.testing.assert_array_equal(labels, result.labels)


def test_more_than_a_page_can_hold_is_refused(model, monkeypatch):
    result = model.vcluster.kmeans(3)
    monkeypatch.setattr(contents, "_MOST", 100)
    with pytest.raises(ValueError, match=r"the data have 315 values, and a page holds at most 100"):
        result.explore()
    monkeypatch.setattr(contents, "_MOST_MAPS", 1)
    times = xr.concat([model, model], xr.DataArray([1, 2], dims="run", name="run"))
    with pytest.raises(ValueError, match=r"at most 1 maps, but the labels have 2 along 'run'"):
        times.vcluster.kmeans(3).explore()
