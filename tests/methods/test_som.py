"""Self-organizing maps, from arrays in to labels out."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, som, tutorial

ONLINE = {"algorithm": "online", "sigma": 0.3}
"""As SeisGo trains a map."""


@pytest.fixture(scope="module")
def tomography():
    return tutorial.tomography(resolution=0.4)["vs"].isel(depth=slice(0, None, 3))


def stack(data):
    """Complete profiles (n, depth), in the order of the labels' values."""
    values = data.transpose("depth", ...).values.reshape(data.sizes["depth"], -1).T
    return values[~np.isnan(values).any(axis=1)].astype(float)


def flat(labels):
    """Labels of complete profiles, from 0."""
    values = labels.values.ravel()
    return values[~np.isnan(values)].astype(int) - 1


def test_som_numbers_nodes_by_row_and_column(rough_model):
    result = som(rough_model, (2, 3), n_iterations=2000, **ONLINE)
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
    labels, centroids = som(rough_model, (3, 3), n_iterations=2000, **ONLINE)
    squared = ((stack(rough_model)[:, None] - centroids["vs"].values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(labels), squared.argmin(axis=1))


@pytest.mark.filterwarnings("ignore:this is hardly a map")
def test_som_keeps_the_numbers_of_empty_nodes(model):
    result = som(model, (8, 9), n_iterations=500, **ONLINE)  # more nodes than profiles
    count = result.dataset["count"]
    assert count.sizes["cluster"] == 72
    assert (count == 0).any()
    assert int(count.sum()) == 63
    assert np.isfinite(result.centroids["vs"]).all()
    empty = count["cluster"][count == 0]
    assert not np.isin(result.labels, empty).any()
    assert result.dataset["vs_std"].sel(cluster=empty).isnull().all()


def test_som_takes_a_grid_of_the_size_of_the_data(rough_model):
    result = som(rough_model)
    assert result.parameters["grid_size"] == [4, 4]  # 130 profiles
    assert result.n_clusters == 16


@pytest.mark.filterwarnings("ignore:this is hardly a map")
def test_som_merges_nodes_into_clusters(rough_model):
    result = som(rough_model, (4, 4), n_clusters=3, n_iterations=5000, **ONLINE)
    dataset = result.dataset
    assert result.n_clusters == 3
    assert dataset["node_cluster"].dtype == dataset["node_count"].dtype == np.int64
    assert set(dataset["node_cluster"].values) == {1, 2, 3}
    assert int(dataset["node_count"].sum()) == 130
    assert np.all(np.diff(result.centroids["vs"].mean("depth")) > 0)
    assert dataset["label"].attrs["ordered_by"] == "mean of vs (km/s), lowest first"
    assert "som_shape" not in dataset["label"].attrs
    assert dataset["som_row"].dims == ("node",)
    nodes = dataset["vs_node"].values
    nearest = ((stack(rough_model)[:, None] - nodes) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(flat(result.labels) + 1, dataset["node_cluster"][nearest])
    np.testing.assert_array_equal(np.bincount(nearest, minlength=16), dataset["node_count"])


def test_som_centroids_of_merged_nodes_are_the_mean_of_their_members(rough_model):
    result = som(rough_model, (3, 3), n_clusters=4, n_iterations=5000, **ONLINE)
    profiles, labels = stack(rough_model), flat(result.labels)
    for c in range(4):
        mean = profiles[labels == c].mean(axis=0)
        np.testing.assert_allclose(result.centroids["vs"][c], mean, rtol=1e-6)
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
    dataset = som(rough_model, (2, 2), n_iterations=500, **ONLINE).dataset
    np.testing.assert_array_equal(dataset["node_cluster"], dataset["cluster"])
    np.testing.assert_array_equal(dataset["node_count"], dataset["count"])
    np.testing.assert_array_equal(dataset["vs_node"], dataset["vs"])


def test_som_of_constant_data_is_a_result(model):
    result = som(xr.ones_like(model), (2, 2), n_iterations=70, **ONLINE)
    assert np.all(result.labels == 1)
    assert np.all(result.centroids["vs"] == 1.0)


def test_som_in_a_batch_fits_all_profiles_and_records_how(rough_model):
    result = som(rough_model, (3, 4))
    assert result.parameters["algorithm"] == "batch"
    assert result.parameters["n_iterations"] == 50
    assert result.parameters["sigma"] == pytest.approx(4 / 3)
    assert "learning_rate" not in result.parameters
    online = som(rough_model, (3, 4), algorithm="online", n_iterations=5000)
    assert result.inertia < 1.1 * online.inertia  # both end with a width of 0.5
    xr.testing.assert_identical(result.predict(rough_model), result.labels)
    assert result.model.get_weights().shape[:2] == (3, 4)


def test_som_that_does_not_see_all_profiles_warns(rough_model):
    message = (
        r"shows the map 100 of all 130 profiles in n_iterations=100; raise it, or use algorithm='ba"
    )
    with pytest.warns(UserWarning, match=message):
        som(rough_model, (2, 2), n_iterations=100, **ONLINE)


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
        (
            {"algorithm": "online", "learning_rate": 1.5},
            ValueError,
            "above 0 and at most 1; got 1.5",
        ),
        (
            {"algorithm": "Batch"},
            ValueError,
            "unknown algorithm 'Batch'; choose one of 'batch', 'online'",
        ),
        (
            {"learning_rate": 0.1},
            ValueError,
            "has no learning_rate; leave it out, or use algorithm='on",
        ),
        (ONLINE | {"sigma": 0}, ValueError, "sigma must be finite and above 0; got 0"),
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
    options = {"n_clusters": 3, "n_iterations": 1, "sigma": 1e300}  # makes all nodes equal
    with pytest.raises(ValueError, match="n_clusters=3 is more than the distinct nodes"):
        som(few.round(), (2, 2), **options)


def test_som_sees_profiles_of_the_whole_grid_in_few_iterations():
    values = np.repeat([0.0, 10.0], 500)[None]
    data = xr.DataArray(
        values + np.random.default_rng(0).normal(size=values.shape), dims=("depth", "point")
    )
    with pytest.warns(UserWarning, match="the map 300 of all 1000 profiles in n_iterations=300;"):
        result = som(data, (2, 2), algorithm="online", n_iterations=300, sigma=0.5)
    assert float(result.dataset["distance"].max()) < 6.0


def test_som_of_one_level_is_a_row_of_nodes_in_the_order_of_their_values(rough_model):
    result = som(rough_model.isel(depth=0))
    assert result.parameters["grid_size"] == [1, 16]
    assert (np.diff(result.dataset["vs_node"]) > 0).all()
    assert float(result.dataset["topographic_error"]) == 0.0


@pytest.mark.parametrize("n_clusters", [None, 3])
@pytest.mark.parametrize("options", [{}, {"algorithm": "online"}, {"normalize": "level"}])
def test_som_has_the_errors_that_minisom_finds(rough_model, n_clusters, options):
    result = som(rough_model, (3, 4), n_clusters=n_clusters, **options)
    profiles = stack(rough_model)
    if "normalize" in options:
        profiles = (profiles - profiles.mean(axis=0)) / profiles.std(axis=0)
    model, dataset = result.model, result.dataset
    assert float(dataset["quantization_error"]) == pytest.approx(
        model.quantization_error(profiles), rel=1e-5
    )
    error = model.topographic_error(profiles)
    assert float(dataset["topographic_error"]) == pytest.approx(error)
    assert dataset["quantization_error"].attrs["units"] == (
        "1" if "normalize" in options else "km/s"
    )
    assert f"topographic error {error:.2f}" in repr(result)


def test_som_counts_its_errors_by_the_weights_and_in_chunks(rough_model):
    weights = xr.DataArray([0, 1, 2] * 4, dims="latitude")
    result = som(rough_model, (3, 3), weights=weights)
    chunked = som(rough_model.chunk({"latitude": 5, "longitude": 4}), (3, 3), weights=weights)
    times = weights.broadcast_like(rough_model[0]).where(result.labels.notnull())
    times = times.values.ravel()[~np.isnan(times.values.ravel())].astype(int)
    profiles = np.repeat(stack(rough_model), times, axis=0)
    for dataset in (result.dataset, chunked.dataset):
        quantization = result.model.quantization_error(profiles)
        assert float(dataset["quantization_error"]) == pytest.approx(quantization, rel=1e-5)
        topographic = result.model.topographic_error(profiles)
        assert float(dataset["topographic_error"]) == pytest.approx(topographic)


def test_som_of_a_single_node_has_no_topographic_error(model):
    result = som(model, (1, 1))
    assert np.isnan(result.dataset["topographic_error"])
    assert "topographic error nan" not in repr(result)


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"algorithm": "online"}, r"try algorithm='batch' or a sigma of 1.5 or more \(it is 0.1\)"),
        ({"algorithm": "batch"}, r"try a larger sigma \(it is 0.1\) or a smaller grid_size"),
    ],
)
def test_som_that_is_no_map_warns_and_tells_what_to_do(options, advice):
    noise = np.random.default_rng(0).normal(size=(10, 400))
    data = xr.DataArray(noise, dims=("depth", "point"))
    with pytest.warns(UserWarning, match=f"topographic error is 0.[5-9].*{advice}"):
        som(data, (7, 7), sigma=0.1, **options)


@pytest.mark.parametrize("algorithm", ["batch", "online"])
def test_som_gives_a_map_by_default(tomography, algorithm):
    dataset = som(tomography, algorithm=algorithm).dataset
    assert float(dataset["topographic_error"]) <= 0.15
    n_nodes = dataset.sizes["node"]
    of_centroids = float(kmeans(tomography, n_nodes).dataset["distance"].mean())
    assert float(dataset["quantization_error"]) <= 1.25 * of_centroids


def test_som_in_a_batch_depends_on_no_draw(rough_model):
    one, other = (som(rough_model, random_state=seed).dataset for seed in (0, 1))
    xr.testing.assert_equal(one, other)
