"""Results as objects of the reference libraries."""

import warnings

import numpy as np
import pytest
from minisom import MiniSom

from xvcluster import kmeans, open_result, som
from xvcluster.algorithms.metrics import import_tslearn_kmeans


def scaled(data, result, vertical="depth"):
    """Complete profiles as `model` takes them, and their labels."""
    parameters = result.parameters
    data = data.to_dataset(name=parameters["variables"][0]) if hasattr(data, "name") else data
    arrays = []
    for name in parameters["variables"]:
        array = data[name] if vertical else data[name].expand_dims("level")
        scale = result.dataset[f"{name}_scale"].values.reshape(-1, 1, 1)
        array = array.transpose(..., *result.labels.dims).values / scale
        arrays.append(array.reshape(len(array), -1).T)
    labels = result.labels.values.ravel()
    return np.stack(arrays, axis=-1)[~np.isnan(labels)], labels[~np.isnan(labels)]


@pytest.mark.parametrize("metric", ["euclidean", "dtw", "softdtw"])
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_model_of_kmeans_predicts_the_labels(two_variables, metric, several):
    data = two_variables if several else two_variables["vs"]
    result = kmeans(data, 4, metric=metric, n_init=1, max_iter=60)
    profiles, labels = scaled(data, result)
    assert isinstance(result.model, import_tslearn_kmeans())
    np.testing.assert_array_equal(result.model.predict(profiles) + 1, labels)


@pytest.mark.parametrize(
    "window", [{"window": 0}, {"window": 2}, {"window": 5}, {"window_depth": 20.0}], ids=str
)
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_model_with_a_window_predicts_the_labels(two_variables, window, several):
    data = two_variables if several else two_variables["vs"]
    result = kmeans(data, 4, metric="dtw", n_init=1, **window)
    profiles, labels = scaled(data, result)
    np.testing.assert_array_equal(result.model.predict(profiles) + 1, labels)


def test_model_refuses_a_window_that_is_no_number_of_levels(model):
    uneven = model.assign_coords(depth=[0.0, 1.0, 2.0, 20.0, 40.0])
    result = kmeans(uneven, 3, metric="dtw", window_depth=5.0, n_init=1)
    with pytest.raises(ValueError, match=r"window_depth=5\.0 of this result spans a different n"):
        _ = result.model


def test_model_of_a_raster_predicts_the_labels(model):
    raster = model.isel(depth=0, drop=True)
    result = kmeans(raster, 3)
    profiles, labels = scaled(raster, result, vertical=None)
    np.testing.assert_array_equal(result.model.predict(profiles) + 1, labels)


def test_model_takes_levels_in_the_order_of_the_file(rough_model):
    data = rough_model[::-1]
    result = kmeans(data, 4)
    profiles, labels = scaled(data, result)
    np.testing.assert_array_equal(result.model.predict(profiles) + 1, labels)


@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
@pytest.mark.parametrize("n_clusters", [None, 3])
def test_model_of_a_map_has_the_winner_of_every_profile(two_variables, several, n_clusters):
    data = two_variables if several else two_variables["vs"]
    result = som(data, (2, 4), n_clusters=n_clusters, algorithm="online", n_iterations=1000)
    profiles, labels = scaled(data, result)
    model = result.model
    assert isinstance(model, MiniSom)
    winners = np.array([model.winner(x) for x in profiles.reshape(len(profiles), -1)])
    nodes = winners[:, 0] * 4 + winners[:, 1]
    np.testing.assert_array_equal(result.dataset["node_cluster"].values[nodes], labels)


def test_model_is_built_from_a_file_too(model, tmp_path):
    kmeans(model, 3).to_netcdf(tmp_path / "result.nc")
    result = open_result(tmp_path / "result.nc")
    profiles, labels = scaled(model, result)
    np.testing.assert_array_equal(result.model.predict(profiles) + 1, labels)


def test_model_never_shares_its_centroids_with_the_result(model):
    for result in (
        kmeans(model, 3),
        som(model, (2, 2), algorithm="online", n_iterations=70),
    ):
        before = result.dataset.copy(deep=True)
        built = result.model
        centers = built.get_weights() if isinstance(built, MiniSom) else built.cluster_centers_
        centers[:] = 0.0
        assert result.dataset.identical(before)


def test_import_tslearn_kmeans_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert import_tslearn_kmeans().__name__ == "TimeSeriesKMeans"
