"""Self-organizing maps, from arrays in to labels out."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import som


def stack(data):
    """Complete profiles (n, depth), in the order of the labels' values."""
    values = data.transpose("depth", ...).values.reshape(data.sizes["depth"], -1).T
    return values[~np.isnan(values).any(axis=1)].astype(float)


def flat(labels):
    """Labels of complete profiles, from 0."""
    values = labels.values.ravel()
    return values[~np.isnan(values)].astype(int) - 1


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
    squared = ((stack(rough_model)[:, None] - centroids["vs"].values) ** 2).sum(axis=2)
    np.testing.assert_array_equal(flat(labels), squared.argmin(axis=1))


def test_som_keeps_the_numbers_of_empty_nodes(model):
    result = som(model, (8, 9), n_iterations=500)  # more nodes than profiles
    count = result.dataset["count"]
    assert count.sizes["cluster"] == 72
    assert (count == 0).any()
    assert int(count.sum()) == 63
    assert np.isfinite(result.centroids["vs"]).all()
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
    assert np.all(np.diff(result.centroids["vs"].mean("depth")) > 0)
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
    dataset = som(rough_model, (2, 2), n_iterations=500).dataset
    np.testing.assert_array_equal(dataset["node_cluster"], dataset["cluster"])
    np.testing.assert_array_equal(dataset["node_count"], dataset["count"])
    np.testing.assert_array_equal(dataset["vs_node"], dataset["vs"])


def test_som_of_constant_data_is_a_result(model):
    result = som(xr.ones_like(model), (2, 2), n_iterations=70)
    assert np.all(result.labels == 1)
    assert np.all(result.centroids["vs"] == 1.0)


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
        (
            {"algorithm": "Batch"},
            ValueError,
            "unknown algorithm 'Batch'; choose one of 'online', 'batch'",
        ),
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


def test_som_sees_profiles_of_the_whole_grid_in_few_iterations():
    values = np.repeat([0.0, 10.0], 500)[None]
    data = xr.DataArray(
        values + np.random.default_rng(0).normal(size=values.shape), dims=("depth", "point")
    )
    with pytest.warns(UserWarning, match="the map 300 of all 1000 profiles in n_iterations=300;"):
        result = som(data, (2, 2), n_iterations=300, sigma=0.5)
    assert float(result.dataset["distance"].max()) < 6.0
