"""k-means, from arrays in to labels out."""

import os

import numba
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import cdist_dtw

from xvcluster import kmeans, som

METRICS = ["euclidean", "dtw", "softdtw"]


def stack(data):
    """Complete profiles (n, depth), in the order of the labels' values."""
    values = data.transpose("depth", ...).values.reshape(data.sizes["depth"], -1).T
    return values[~np.isnan(values).any(axis=1)].astype(float)


def flat(labels):
    """Labels of complete profiles, from 0."""
    values = labels.values.ravel()
    return values[~np.isnan(values)].astype(int) - 1


@pytest.mark.parametrize("metric", METRICS)
def test_kmeans_finds_the_groups(model, metric):
    labels, centroids = kmeans(model, 3, metric=metric, n_init=1, max_iter=10)
    group = np.arange(63).reshape(7, 9) % 5 // 2 + 1
    np.testing.assert_array_equal(labels, group)
    assert labels.dims == ("latitude", "longitude")
    assert centroids["vs"].dims == ("cluster", "depth")
    expected = model.groupby(labels).mean().transpose("label", "depth")
    np.testing.assert_allclose(centroids["vs"], expected, atol=0.1)


def test_kmeans_labels_are_those_of_the_nearest_centroid(rough_model):
    labels, centroids = kmeans(rough_model, 6)
    profiles = stack(rough_model)
    squared = ((profiles[:, None] - centroids["vs"].values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(labels), squared.argmin(axis=1))


def test_kmeans_numbers_clusters_by_their_mean(rough_model):
    for metric in METRICS:
        means = (
            kmeans(rough_model, 5, metric=metric, n_init=1, max_iter=100)
            .centroids["vs"]
            .mean("depth")
        )
        assert np.all(np.diff(means) > 0)


def test_kmeans_of_a_dataset_numbers_clusters_by_the_first_variable(two_variables):
    centroids = kmeans(two_variables, 4).centroids
    assert np.all(np.diff(centroids["vs"].mean("depth")) > 0)


def test_kmeans_of_several_variables_does_not_depend_on_their_units(two_variables):
    labels, _ = kmeans(two_variables, 4)
    scaled = two_variables.assign(rho=two_variables["rho"] / 1000)
    np.testing.assert_array_equal(kmeans(scaled, 4).labels, labels)


def test_kmeans_finds_k_by_the_knee(model):
    result = kmeans(model, k_range=range(1, 8))
    assert result.n_clusters == 3
    assert result.sweep.best_k == 3
    assert result.dataset["sweep_inertia"].sizes == {"k": 7}


def test_kmeans_never_changes_its_input(two_variables):
    before = two_variables.copy(deep=True)
    kmeans(two_variables, 3)
    som(two_variables, (2, 2), algorithm="online", n_iterations=200)
    xr.testing.assert_identical(two_variables, before)


def test_kmeans_of_one_cluster_is_the_mean(rough_model):
    labels, centroids = kmeans(rough_model, 1)
    np.testing.assert_allclose(centroids["vs"][0], stack(rough_model).mean(axis=0), rtol=1e-6)
    assert set(flat(labels)) == {0}


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_kmeans_gives_every_distinct_profile_its_cluster(model, metric):
    levels = (xr.zeros_like(model) + np.arange(63).reshape(7, 9) % 4).astype("float32")
    result = kmeans(levels, 4, metric=metric)
    assert result.inertia == 0.0
    np.testing.assert_array_equal(result.labels, levels[0] + 1)


@pytest.mark.parametrize("metric", METRICS)
def test_kmeans_of_constant_data_is_one_cluster(model, metric):
    result = kmeans(xr.ones_like(model), 1, metric=metric, n_init=1)
    assert np.all(result.labels == 1)
    assert np.all(result.centroids["vs"] == 1.0)


@pytest.mark.parametrize("k", [2, 64])
def test_kmeans_refuses_more_clusters_than_distinct_profiles(model, k):
    with pytest.raises(ValueError, match=f"n_clusters={k} is more than the distinct profiles"):
        kmeans(xr.ones_like(model), k)


def test_kmeans_warns_of_unsettled_centroids():
    noise = np.random.default_rng(0).normal(size=(10, 3000))
    with pytest.warns(UserWarning, match="still moving after max_iter=1 passes for k = 5"):
        kmeans(xr.DataArray(noise, dims=("depth", "point")), 5, max_iter=1, tol=0)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters must be at least 1; got 0"),
        ({"n_clusters": 2.5}, TypeError, "n_clusters must be an integer of at least 1; got 2.5"),
        ({"n_clusters": True}, TypeError, "n_clusters must be an integer of at least 1; got True"),
        ({"metric": "cosine"}, ValueError, "unknown metric 'cosine'; choose one of 'euclidean'"),
        ({"k_range": []}, ValueError, "k_range is empty"),
        ({"window": 5}, ValueError, "window=5 applies to metric='dtw' only; the metric is 'euclid"),
        ({"window": 1.5, "metric": "softdtw"}, ValueError, "window=1.5 .*metric is 'softdtw'"),
        ({"window": -1, "metric": "dtw"}, ValueError, "window must be at least 0; got -1"),
        ({"window": -0.5, "metric": "dtw"}, ValueError, "window must be finite and at least 0"),
        ({"window": "5", "metric": "dtw"}, TypeError, "window must be a number at least 0; got"),
        (
            {"window": 2, "window_depth": 30.0, "metric": "dtw"},
            ValueError,
            r"window=2 is a number of levels and window_depth=30\.0 a distance .*give one",
        ),
        ({"window_depth": 5.0}, ValueError, r"window_depth=5\.0 applies to metric='dtw' only"),
        ({"window_depth": -1, "metric": "dtw"}, ValueError, "window_depth must be finite and at"),
        ({"n_init": 0}, ValueError, "n_init must be at least 1; got 0"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1; got 0"),
        ({"tol": -1}, ValueError, "tol must be finite and at least 0; got -1"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0; got -1"),
        ({"dim": "zz"}, ValueError, "dim='zz' is not a dimension"),
    ],
)
def test_kmeans_refuses_bad_options(model, options, error, match):
    with pytest.raises(error, match=match):
        kmeans(model, **options)


def test_kmeans_without_a_seed_records_the_one_it_drew(rough_model):
    drawn = kmeans(rough_model, 4, n_init=1, random_state=None)
    again = kmeans(rough_model, 4, n_init=1, random_state=drawn.parameters["random_state"])
    np.testing.assert_array_equal(again.labels, drawn.labels)


@pytest.mark.parametrize(
    "window", [{"window": 2}, {"window_depth": 20.0}, {"window_depth": 25.0}], ids=str
)
def test_kmeans_with_a_window_measures_as_tslearn(rough_model, window):
    result = kmeans(rough_model, 4, metric="dtw", n_init=2, **window)
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": 2}
    squared = cdist_dtw(stack(rough_model), result.centroids["vs"].values, **band) ** 2
    np.testing.assert_array_equal(flat(result.labels), squared.argmin(axis=1))
    np.testing.assert_allclose(result.inertia, squared.min(axis=1).sum(), rtol=1e-5)
    ((name, value),) = window.items()
    assert result.parameters[name] == value
    assert type(result.parameters[name]) is type(value)


def test_kmeans_warns_of_a_window_that_is_no_integer_and_takes_it_as_a_distance(rough_model):
    expected = kmeans(rough_model, 4, metric="dtw", window_depth=20, n_init=1)
    with pytest.warns(UserWarning, match=r"write window_depth=20\.0 .*or window=20 for a number"):
        result = kmeans(rough_model, 4, metric="dtw", window=20.0, n_init=1)
    assert result.parameters == expected.parameters
    xr.testing.assert_identical(result.labels, expected.labels)


@pytest.mark.parametrize("levels", [None, list("abcdef")], ids=["counted", "named"])
def test_kmeans_refuses_a_window_in_units_where_levels_have_no_numbers(rough_model, levels):
    bare = rough_model.drop_vars("depth")
    data = bare if levels is None else bare.assign_coords(depth=levels)
    with pytest.raises(ValueError, match=r"window_depth=20\.0 cannot be applied: the .*'depth'"):
        kmeans(data, 4, metric="dtw", window_depth=20)
    counted = kmeans(data, 4, metric="dtw", window=2, n_init=1)
    expected = kmeans(rough_model, 4, metric="dtw", window=2, n_init=1)
    np.testing.assert_array_equal(counted.labels, expected.labels)


def test_kmeans_takes_a_window_of_days_along_dates(rough_model):
    dates = rough_model["depth"].values.astype("timedelta64[D]") + np.datetime64("2000-01-01")
    data = rough_model.rename(depth="time").assign_coords(time=dates.astype("datetime64[ns]"))
    result = kmeans(data, 4, metric="dtw", window_depth=20, n_init=1, dim="time")
    expected = kmeans(rough_model, 4, metric="dtw", window_depth=20, n_init=1)
    np.testing.assert_array_equal(result.labels, expected.labels)


def test_kmeans_of_the_model_takes_a_window(model):
    group = np.arange(63).reshape(7, 9) % 5 // 2 + 1
    for window in (5, np.int64(5), 0):
        result = kmeans(model, 3, metric="dtw", window=window)
        np.testing.assert_array_equal(result.labels, group)
        assert result.parameters["window"] == window


@pytest.mark.parametrize(
    "window", [{"window": 6}, {"window_depth": 50.0}, {"window_depth": 1e6}], ids=str
)
def test_kmeans_with_a_window_as_wide_as_the_levels_is_without_one(rough_model, window):
    bounded = kmeans(rough_model, 5, metric="dtw", **window).dataset
    free = kmeans(rough_model, 5, metric="dtw").dataset
    xr.testing.assert_identical(bounded.drop_attrs(), free.drop_attrs())


def test_kmeans_with_a_window_of_no_levels_measures_as_euclidean(rough_model):
    result = kmeans(rough_model, 4, metric="dtw", window=0)
    squared = ((stack(rough_model)[:, None] - result.centroids["vs"].values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(result.labels), squared.argmin(axis=1))
    np.testing.assert_allclose(result.inertia, squared.min(axis=1).sum(), rtol=1e-5)


def test_kmeans_with_a_window_does_not_depend_on_the_direction_of_uneven_levels(rough_model):
    model = rough_model.assign_coords(depth=[0.0, 1.0, 2.0, 20.0, 40.0, 80.0])
    options = {"metric": "dtw", "window_depth": 20.0, "n_init": 1}
    labels = kmeans(model, 4, **options).labels
    xr.testing.assert_identical(kmeans(model[::-1], 4, **options).labels, labels)


def test_kmeans_of_a_raster_takes_a_window(model):
    raster = model.isel(depth=0, drop=True)
    expected = kmeans(raster, 3).labels
    for window in ({"window": 2}, {"window_depth": 2.5}):
        result = kmeans(raster, 3, metric="dtw", **window)
        xr.testing.assert_identical(result.labels, expected)
        xr.testing.assert_equal(result.predict(raster), result.labels)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_kmeans_does_not_depend_on_the_number_of_threads(rough_model):
    found, threads = [], numba.get_num_threads()
    try:
        for n in (1, min(2, threads)):
            numba.set_num_threads(n)
            found.append(kmeans(rough_model, 5).dataset.drop_attrs())
    finally:
        numba.set_num_threads(threads)
    xr.testing.assert_identical(*found)


@settings(deadline=None, max_examples=15)
@given(
    order=st.permutations(["depth", "latitude", "longitude"]),
    flipped=st.sets(st.sampled_from(["depth", "latitude", "longitude"])),
    east=st.booleans(),
    method=st.sampled_from(["kmeans", "dtw", "som"]),
)
def test_labels_do_not_depend_on_how_the_grid_is_stored(order, flipped, east, method):
    model = make_walks()
    stored = model.assign_coords(longitude=model["longitude"] % 360) if east else model
    stored = stored.isel({d: slice(None, None, -1) for d in flipped}).transpose(*order)
    labels = cluster(method, stored).assign_coords(
        longitude=(stored["longitude"] + 180) % 360 - 180
    )
    assert labels.dims == tuple(d for d in order if d != "depth")
    labels = labels.sortby(["latitude", "longitude"]).transpose("latitude", "longitude")
    np.testing.assert_array_equal(labels, cluster(method, model))


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32), k=st.integers(1, 8))
def test_kmeans_of_a_seed_is_always_the_same(seed, k):
    model = make_walks()
    first, second = (kmeans(model, k, n_init=2, random_state=seed).labels for _ in range(2))
    xr.testing.assert_identical(first, second)
    assert set(flat(first)) <= set(range(k))


def make_walks():
    """Profiles in no groups on a grid that lies across the prime meridian."""
    values = np.random.default_rng(0).normal(size=(5, 6, 8)).cumsum(axis=0)
    coords = {"depth": np.arange(5.0), "latitude": np.arange(6.0)}
    coords["longitude"] = np.arange(-4.0, 4.0)
    return xr.DataArray(values, coords, ("depth", "latitude", "longitude"), name="vs")


def cluster(method, model):
    if method == "som":
        return som(model, (2, 3), algorithm="online", n_iterations=500).labels
    metric = "euclidean" if method == "kmeans" else "dtw"
    return kmeans(model, 4, metric=metric, n_init=2).labels


@pytest.mark.parametrize("name", ["label", "count", "cluster", "distance"])
def test_reserved_names_are_refused(model, name):
    for data in (model.rename(name), model.rename(longitude=name)):
        for method in (lambda d: kmeans(d, 3), lambda d: som(d, (2, 2))):
            with pytest.raises(ValueError, match=f"use the name '{name}', which the result has"):
                method(data)


def test_reserved_names_are_those_of_the_vertical_and_of_statistics_too(model):
    with pytest.raises(ValueError, match="use the name 'quantile'"):
        kmeans(model.rename(depth="quantile"), 3)
    both = xr.Dataset({"vs": model, "vs_std": model})
    with pytest.raises(ValueError, match="use the name 'vs_std'"):
        kmeans(both, 3)
    with pytest.raises(ValueError, match="use the name 'k'"):
        kmeans(model.rename(depth="k"), dim="k")
    assert kmeans(model.rename(depth="k"), 3, dim="k").n_clusters == 3


def test_kmeans_of_float32_finds_small_signals_on_a_strong_trend():
    rng = np.random.default_rng(0)
    trend = np.linspace(0.0, 32_000.0, 40)[:, None]
    groups = np.repeat(np.arange(4), 50)
    signal = 5.0 * np.sin(groups + np.linspace(0, 3, 40)[:, None])
    values = trend + signal + rng.normal(0, 0.2, (40, 200))
    data = xr.DataArray(values, dims=("depth", "point"))
    labels, _ = kmeans(data.astype(np.float32), 4)
    np.testing.assert_array_equal(np.bincount(labels.values.astype(int))[1:], 50)
    xr.testing.assert_equal(labels, kmeans(data, 4).labels)


def test_kmeans_takes_a_single_profile_without_horizontal_dimensions(model):
    labels, centroids = kmeans(model.isel(latitude=0, longitude=0), 1)
    assert labels.item() == 1
    np.testing.assert_allclose(centroids["vs"][0], model[:, 0, 0], rtol=1e-6)
