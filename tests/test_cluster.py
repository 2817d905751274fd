"""k-means and self-organizing maps, from arrays in to labels out."""

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
    assert centroids.dims == ("cluster", "depth")
    expected = model.groupby(labels).mean().transpose("label", "depth")
    np.testing.assert_allclose(centroids, expected, atol=0.1)


def test_kmeans_labels_are_those_of_the_nearest_centroid(rough_model):
    labels, centroids = kmeans(rough_model, 6)
    profiles = stack(rough_model)
    squared = ((profiles[:, None] - centroids.values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(labels), squared.argmin(axis=1))


def test_kmeans_numbers_clusters_by_their_mean(rough_model):
    for metric in METRICS:
        means = kmeans(rough_model, 5, metric=metric, n_init=1, max_iter=100).centroids.mean(
            "depth"
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
    som(two_variables, (2, 2), n_iterations=200)
    xr.testing.assert_identical(two_variables, before)


def test_kmeans_of_one_cluster_is_the_mean(rough_model):
    labels, centroids = kmeans(rough_model, 1)
    np.testing.assert_allclose(centroids[0], stack(rough_model).mean(axis=0), rtol=1e-6)
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
    assert np.all(result.centroids == 1.0)


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
        ({"window": 5}, ValueError, "window=5 is for metric='dtw' alone; the metric is 'euclid"),
        ({"window": 1.5, "metric": "softdtw"}, ValueError, "window=1.5 .*metric is 'softdtw'"),
        ({"window": -1, "metric": "dtw"}, ValueError, "window must be at least 0; got -1"),
        ({"window": -0.5, "metric": "dtw"}, ValueError, "window must be finite and at least 0"),
        ({"window": "5", "metric": "dtw"}, TypeError, "window must be a number at least 0; got"),
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


@pytest.mark.parametrize("window", [2, 20.0, 25.0])
def test_kmeans_with_a_window_measures_as_tslearn(rough_model, window):
    result = kmeans(rough_model, 4, metric="dtw", window=window, n_init=2)
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": 2}
    squared = cdist_dtw(stack(rough_model), result.centroids.values, **band) ** 2
    np.testing.assert_array_equal(flat(result.labels), squared.argmin(axis=1))
    np.testing.assert_allclose(result.inertia, squared.min(axis=1).sum(), rtol=1e-5)
    assert result.parameters["window"] == window
    assert type(result.parameters["window"]) is type(window)


def test_kmeans_of_the_model_takes_a_window(model):
    group = np.arange(63).reshape(7, 9) % 5 // 2 + 1
    for window in (5, np.int64(5), 10.0, 0):
        result = kmeans(model, 3, metric="dtw", window=window)
        np.testing.assert_array_equal(result.labels, group)
        assert result.parameters["window"] == window


@pytest.mark.parametrize("window", [6, 50.0, 1e6])
def test_kmeans_with_a_window_as_wide_as_the_levels_is_without_one(rough_model, window):
    bounded = kmeans(rough_model, 5, metric="dtw", window=window).dataset
    free = kmeans(rough_model, 5, metric="dtw").dataset
    xr.testing.assert_identical(bounded.drop_attrs(), free.drop_attrs())


def test_kmeans_with_a_window_of_no_levels_measures_as_euclidean(rough_model):
    result = kmeans(rough_model, 4, metric="dtw", window=0)
    squared = ((stack(rough_model)[:, None] - result.centroids.values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(result.labels), squared.argmin(axis=1))
    np.testing.assert_allclose(result.inertia, squared.min(axis=1).sum(), rtol=1e-5)


def test_kmeans_with_a_window_does_not_depend_on_the_direction_of_uneven_levels(rough_model):
    model = rough_model.assign_coords(depth=[0.0, 1.0, 2.0, 20.0, 40.0, 80.0])
    options = {"metric": "dtw", "window": 20.0, "n_init": 1}
    labels = kmeans(model, 4, **options).labels
    xr.testing.assert_identical(kmeans(model[::-1], 4, **options).labels, labels)


def test_kmeans_of_a_raster_takes_a_window(model):
    raster = model.isel(depth=0, drop=True)
    expected = kmeans(raster, 3).labels
    for window in (2, 2.5):
        result = kmeans(raster, 3, metric="dtw", window=window)
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
        return som(model, (2, 3), n_iterations=500).labels
    metric = "euclidean" if method == "kmeans" else "dtw"
    return kmeans(model, 4, metric=metric, n_init=2).labels


def test_som_numbers_nodes_by_row_and_column(rough_model):
    result = som(rough_model, (2, 3), n_iterations=2000)
    dataset = result.dataset
    assert result.n_clusters == 6
    assert dataset["som_row"].dims == dataset["som_column"].dims == ("cluster",)
    np.testing.assert_array_equal(
        dataset["cluster"], dataset["som_row"] * 3 + dataset["som_column"] + 1
    )
    assert dataset["label"].attrs["som_shape"].tolist() == [2, 3]
    assert dataset["label"].attrs["flag_meanings"].split()[-1] == "node_6"
    assert "ordered_by" not in dataset["label"].attrs


def test_som_labels_are_those_of_the_nearest_node(rough_model):
    labels, centroids = som(rough_model, (3, 3), n_iterations=2000)
    squared = ((stack(rough_model)[:, None] - centroids.values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(labels), squared.argmin(axis=1))


def test_som_keeps_the_numbers_of_empty_nodes(model):
    result = som(model, (8, 9), n_iterations=500)  # more nodes than profiles
    count = result.dataset["count"]
    assert count.sizes["cluster"] == 72
    assert (count == 0).any()
    assert int(count.sum()) == 63
    assert np.isfinite(result.centroids).all()
    empty = count["cluster"][count == 0]
    assert not np.isin(result.labels, empty).any()
    assert result.dataset["vs_std"].sel(cluster=empty).isnull().all()


def test_som_takes_a_grid_of_the_size_of_the_data(rough_model):
    result = som(rough_model, n_iterations=130)
    assert result.parameters["grid_size"] == [4, 4]  # 130 profiles
    assert result.n_clusters == 16


def test_som_merges_nodes_into_clusters(rough_model):
    result = som(rough_model, (4, 4), n_clusters=3, n_iterations=5000)
    dataset = result.dataset
    assert result.n_clusters == 3
    assert dataset["node_cluster"].dtype == dataset["node_count"].dtype == np.int64
    assert set(dataset["node_cluster"].values) == {1, 2, 3}
    assert int(dataset["node_count"].sum()) == 130
    assert np.all(np.diff(result.centroids.mean("depth")) > 0)
    assert dataset["label"].attrs["ordered_by"] == "mean of vs (km/s), lowest first"
    assert "som_shape" not in dataset["label"].attrs
    assert dataset["som_row"].dims == ("node",)
    nodes = dataset["vs_node"].values
    nearest = ((stack(rough_model)[:, None] - nodes) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(flat(result.labels) + 1, dataset["node_cluster"][nearest])
    np.testing.assert_array_equal(np.bincount(nearest, minlength=16), dataset["node_count"])


def test_som_centroids_of_merged_nodes_are_the_mean_of_their_members(rough_model):
    result = som(rough_model, (3, 3), n_clusters=4, n_iterations=5000)
    profiles, labels = stack(rough_model), flat(result.labels)
    for c in range(4):
        mean = profiles[labels == c].mean(axis=0)
        np.testing.assert_allclose(result.centroids[c], mean, rtol=1e-6)
        squared = ((profiles[labels == c] - mean) ** 2).sum()
        np.testing.assert_allclose(result.dataset["cluster_inertia"][c], squared, rtol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_som_merges_nodes_into_clusters_that_all_have_profiles(rough_model, seed):
    options = {"algorithm": "batch", "n_clusters": 6, "random_state": seed}
    dataset = som(rough_model, (9, 9), **options).dataset
    assert (dataset["node_count"] == 0).any()
    assert set(dataset["node_cluster"].values) == {1, 2, 3, 4, 5, 6}
    assert dataset["count"].min() > 0


def test_som_unmerged_has_a_node_for_every_cluster(rough_model):
    dataset = som(rough_model, (2, 2), n_iterations=500).dataset
    np.testing.assert_array_equal(dataset["node_cluster"], dataset["cluster"])
    np.testing.assert_array_equal(dataset["node_count"], dataset["count"])
    np.testing.assert_array_equal(dataset["vs_node"], dataset["vs"])


def test_som_of_constant_data_is_a_result(model):
    result = som(xr.ones_like(model), (2, 2), n_iterations=70)
    assert np.all(result.labels == 1)
    assert np.all(result.centroids == 1.0)


def test_som_in_a_batch_fits_all_profiles_and_records_how(rough_model):
    result = som(rough_model, (3, 4), algorithm="batch")
    assert result.parameters["algorithm"] == "batch"
    assert result.parameters["n_iterations"] == 50
    assert result.parameters["sigma"] == 2.0
    assert "learning_rate" not in result.parameters
    online = som(rough_model, (3, 4), n_iterations=5000)
    assert result.inertia < 1.1 * online.inertia
    xr.testing.assert_identical(result.predict(rough_model), result.labels)
    assert result.model.get_weights().shape[:2] == (3, 4)


def test_som_that_does_not_see_all_profiles_warns(rough_model):
    message = (
        r"shows the map 100 of all 130 profiles in n_iterations=100; raise it, or use algorithm='ba"
    )
    with pytest.warns(UserWarning, match=message):
        som(rough_model, (2, 2), n_iterations=100)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"grid_size": 3}, ValueError, r"grid_size must be a pair of positive integers.*got 3"),
        ({"grid_size": (0, 3)}, ValueError, r"pair of positive integers.*got \(0, 3\)"),
        ({"grid_size": (2, 2, 2)}, ValueError, r"pair of positive integers.*got \(2, 2, 2\)"),
        ({"n_iterations": 0}, ValueError, "n_iterations must be at least 1; got 0"),
        ({"sigma": 0}, ValueError, "sigma must be finite and above 0; got 0"),
        ({"sigma": np.inf}, ValueError, "sigma must be finite and above 0; got inf"),
        ({"sigma": "wide"}, TypeError, "sigma must be a number above 0; got 'wide'"),
        ({"learning_rate": 1.5}, ValueError, "above 0 and at most 1; got 1.5"),
        ({"algorithm": "Batch"}, ValueError, "algorithm is 'Batch'; choose from 'online', 'batch'"),
        ({"algorithm": "batch", "learning_rate": 0.1}, ValueError, "has no learning_rate"),
        ({"algorithm": "batch", "sigma": 0}, ValueError, "sigma must be finite and above 0; got 0"),
        ({"n_clusters": 0}, ValueError, "n_clusters must be at least 1; got 0"),
        ({"grid_size": (2, 2), "n_clusters": 5}, ValueError, "n_clusters=5 is more than the 2 x 2"),
        ({"random_state": 1.5}, TypeError, "random_state must be an integer of at least 0"),
    ],
)
def test_som_refuses_bad_options(model, options, error, match):
    with pytest.raises(error, match=match):
        som(model, **options)


def test_som_refuses_to_merge_into_more_than_the_distinct_profiles(model):
    with pytest.raises(ValueError, match="n_clusters=2 is more than the distinct profiles"):
        som(xr.ones_like(model), (2, 2), n_clusters=2)


def test_som_refuses_to_merge_into_more_than_the_distinct_nodes(model):
    few = model.isel(latitude=[0], longitude=[0, 2, 4])
    options = {"n_clusters": 3, "n_iterations": 1, "sigma": 0.01, "random_state": 3}
    with (
        pytest.warns(UserWarning, match="shows the map 1 of all 3 profiles in n_iterations=1;"),
        pytest.raises(ValueError, match="n_clusters=3 is more than the distinct nodes"),
    ):
        som(few.round(), (2, 2), **options)


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


def test_som_sees_profiles_of_the_whole_grid_in_few_iterations():
    values = np.repeat([0.0, 10.0], 500)[None]
    data = xr.DataArray(
        values + np.random.default_rng(0).normal(size=values.shape), dims=("depth", "point")
    )
    with pytest.warns(UserWarning, match="the map 300 of all 1000 profiles in n_iterations=300;"):
        result = som(data, (2, 2), n_iterations=300, sigma=0.5)
    assert float(result.dataset["distance"].max()) < 6.0


def test_kmeans_takes_a_single_profile_without_horizontal_dimensions(model):
    labels, centroids = kmeans(model.isel(latitude=0, longitude=0), 1)
    assert labels.item() == 1
    np.testing.assert_allclose(centroids[0], model[:, 0, 0], rtol=1e-6)
