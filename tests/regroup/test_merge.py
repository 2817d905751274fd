"""Clusters of any result merged by a tree of their centroids."""

import numpy as np
import pytest
import xarray as xr
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from xvcluster import gmm, kmeans, open_result, som, ward


def test_equal_clusters_are_merged_as_scipy_does():
    centers = np.random.default_rng(0).normal(size=(12, 5))
    values = np.repeat(centers, 10, axis=0).T.reshape(5, 12, 10)
    coords = {"depth": np.arange(5.0), "lat": np.arange(12.0), "lon": np.arange(10.0)}
    data = xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs")
    merged = kmeans(data, 12).merge(4)
    wanted = np.repeat(fcluster(linkage(centers, "ward"), 4, "maxclust"), 10)
    assert adjusted_rand_score(wanted, merged.labels.values.ravel()) == 1.0
    heights = merged.dataset["linkage"].values[:, 2]
    expected = linkage(centers, "ward")[:, 2] * np.sqrt(10)  # ten profiles each
    np.testing.assert_allclose(heights, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "cluster",
    [
        lambda data: kmeans(data, 9),
        lambda data: som(data, (3, 3)),
        lambda data: som(data, (4, 4), n_clusters=8),
        lambda data: gmm(data, 7, n_components=2),
        lambda data: ward(data, 9),
        lambda data: kmeans(data, 9, normalize="profile"),
        lambda data: kmeans(data, 5).match(kmeans(data, 9, random_state=1)),
        lambda data: kmeans(data, 12).merge(9),
    ],
)
def test_clusters_are_merged_whole(rough_model, tmp_path, cluster):
    before = cluster(rough_model)
    merged = before.merge(3)
    own, other = before.labels.values.ravel(), merged.labels.values.ravel()
    pairs = np.unique(np.stack([own, other])[:, np.isfinite(own)], axis=1)
    assert pairs.shape[1] == np.unique(own[np.isfinite(own)]).size
    assert merged.n_clusters == 3
    assert int(merged.centroids["count"].sum()) == int(before.centroids["count"].sum())
    for c in (1, 2, 3):
        inside = rough_model.where(merged.labels == c)
        if before.parameters.get("normalize") is None and "weights" not in before.parameters:
            np.testing.assert_allclose(
                merged.centroids["vs"].sel(cluster=c),
                inside.mean(("latitude", "longitude")),
                rtol=1e-4,
            )
    merged.to_netcdf(tmp_path / "merged.nc")
    again = open_result(tmp_path / "merged.nc")
    xr.testing.assert_allclose(again.dataset, merged.dataset)
    assert f"found by {before.parameters['method']}" in repr(again)
    xr.testing.assert_equal(merged.cut(2).cut(3).labels, merged.labels)


def test_other_data_belong_to_the_cluster_of_the_nearest_node(rough_model):
    merged = kmeans(rough_model, 12).merge(4)
    xr.testing.assert_equal(merged.predict(rough_model), merged.labels)


@pytest.mark.filterwarnings("ignore:the mixture of k")
def test_chunks_give_what_memory_gives(rough_model):
    lazy = kmeans(rough_model.chunk(latitude=5), 8).merge(3)
    assert lazy.labels.chunks is not None
    xr.testing.assert_equal(lazy.labels.compute(), kmeans(rough_model, 8).merge(3).labels)
    with pytest.raises(ValueError, match="merge needs all profiles in memory"):
        gmm(rough_model.chunk(latitude=5), 4, n_components=2).merge(2)


def test_what_cannot_be_merged(rough_model):
    with pytest.raises(ValueError, match="n_clusters=9 is more than the 4 clusters"):
        kmeans(rough_model, 4).merge(9)
    with pytest.raises(ValueError, match="Euclidean distances"):
        kmeans(rough_model, 4, metric="dtw").merge(2)


def test_clusters_without_members_are_no_leaves(rough_model):
    cleaned = kmeans(rough_model, 12).clean(min_cells=20)
    n = int((cleaned.centroids["count"] > 0).sum())
    merged = cleaned.merge(1)
    assert merged.dataset.sizes["merge"] == n - 1
    with pytest.raises(ValueError, match=f"from 1, all in one, to {n}, the leaves"):
        merged.cut(n + 1)


def test_only_what_was_merged_from_k_means_has_a_stability(rough_model):
    assert "stability" in kmeans(rough_model, 12).merge(3).stability(3).dataset
    for result, made in (
        (kmeans(rough_model, 12).clean(min_cells=3), "k-means, cleaned"),
        (kmeans(rough_model, 12).merge(6), "ward"),
        (som(rough_model, (3, 3)), "som"),
    ):
        with pytest.raises(ValueError, match=f"were merged from those of {made}"):
            result.merge(3).stability(3)
