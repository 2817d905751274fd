"""How sure the cluster of each point is."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import binary_dilation

import xvcluster
from xvcluster.tutorial import tomography


def test_stability_is_certain_of_clear_groups(model):
    sure = model.vcluster.kmeans(3).stability(5)
    np.testing.assert_array_equal(sure.dataset["stability"], 1.0)
    np.testing.assert_array_equal(sure.dataset["cluster_stability"], 1.0)
    assert sure.dataset["stability"].dims == ("latitude", "longitude")


def test_stability_is_least_near_the_boundaries_of_the_provinces():
    model = tomography(resolution=0.5)
    stable = model["vs"].vcluster.prepare(depth=slice(0, 120)).vcluster.kmeans(6).stability(20)
    province, stability = model["province"].values, stable.dataset["stability"].values
    edge = np.zeros(province.shape, dtype=bool)
    edge[1:] |= province[1:] != province[:-1]
    edge[:, 1:] |= province[:, 1:] != province[:, :-1]
    near, far = binary_dilation(edge), ~binary_dilation(edge, iterations=3)
    assert 1 - stability[near].mean() > 3 * (1 - stability[far].mean())
    lowest = stability < 0.8
    assert lowest.any()
    assert near[lowest].mean() > 1.5 * near.mean()


def test_cluster_stability_is_the_weighted_mean_of_the_map(rough_model):
    weights = 1.0 + np.abs(rough_model["latitude"] - 40)
    sure = rough_model.vcluster.kmeans(4, weights=weights).stability(6).dataset
    at = sure["label"] == sure["cluster"]
    expected = sure["stability"].where(at).weighted(weights).mean(["latitude", "longitude"])
    np.testing.assert_allclose(sure["cluster_stability"], expected, rtol=1e-6)
    assert sure["cluster_stability"].min() < 1
    assert (sure["stability"].isnull() == sure["label"].isnull()).all()


@pytest.mark.parametrize(
    "options",
    [
        {"metric": "dtw", "n_init": 1},
        {"normalize": "profile"},
        {"normalize": "level", "level_weights": "thickness", "weights": "area"},
    ],
)
def test_stability_repeats_what_was_done(rough_model, options):
    result = rough_model.vcluster.kmeans(3, **options)
    turned = rough_model.transpose("longitude", ...).isel(depth=slice(None, None, -1))
    expected = result.stability(4).dataset["stability"]
    found = turned.vcluster.kmeans(3, **options).stability(4).dataset["stability"]
    xr.testing.assert_allclose(found.transpose("latitude", "longitude"), expected)
    assert 0 <= expected.min() < expected.max() <= 1


def test_stability_of_chunks_is_that_of_arrays(rough_model):
    whole = rough_model.vcluster.kmeans(3).stability(4).dataset
    chunked = rough_model.chunk({"latitude": 5}).vcluster.kmeans(3).stability(4).dataset
    assert chunked["stability"].chunks is not None
    xr.testing.assert_allclose(chunked["stability"].compute(), whole["stability"])
    np.testing.assert_allclose(chunked["cluster_stability"], whole["cluster_stability"])


def test_stability_of_a_merged_map(rough_model):
    options = {"n_clusters": 3, "n_iterations": 10, "algorithm": "batch"}
    for more in ({}, {"weights": "area"}):
        sure = rough_model.vcluster.som((3, 3), **options, **more).stability(4).dataset
        assert 0.3 < sure["stability"].mean() <= sure["stability"].max() <= 1
    sure = (
        rough_model.vcluster.som((3, 3), n_clusters=3, algorithm="online", n_iterations=500)
        .stability(4)
        .dataset
    )
    assert 0 < sure["stability"].mean() <= 1


def test_stability_follows_a_match(rough_model):
    result = rough_model.vcluster.kmeans(3)
    turned = result.match(4 - result.labels)
    expected = result.stability(4).dataset
    found = turned.stability(4).dataset
    xr.testing.assert_allclose(found["stability"], expected["stability"])
    np.testing.assert_allclose(found["cluster_stability"], expected["cluster_stability"][::-1])
    # and clusters that a match left empty
    more = result.match(result.labels.where(result.labels < 2, result.labels + 1)).stability(4)
    xr.testing.assert_allclose(more.dataset["stability"], expected["stability"])
    assert np.isnan(more.dataset["cluster_stability"].sel(cluster=2))


def test_stability_goes_to_netcdf_and_to_the_table(rough_model, tmp_path):
    sure = rough_model.vcluster.kmeans(3).stability(4, block_size=300)
    assert sure.dataset["stability"].attrs["comment"] == "4 samples of blocks of about 300 km"
    sure.to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(opened.dataset, sure.dataset)
    xr.testing.assert_equal(opened.predict(rough_model), sure.labels)
    table = opened.table()
    np.testing.assert_array_equal(table["mean_stability"], sure.dataset["cluster_stability"])
    assert "mean_stability" in sure._repr_html_()
    assert "mean_stability" not in rough_model.vcluster.kmeans(3).table()


def test_stability_is_the_same_again_and_leaves_the_result(rough_model):
    result = rough_model.vcluster.kmeans(3)
    before = result.dataset.copy(deep=True)
    first, again = result.stability(3).dataset, result.stability(3).dataset
    xr.testing.assert_identical(first, again)
    xr.testing.assert_identical(result.dataset, before)
    other = result.stability(3, random_state=7).dataset
    assert not np.array_equal(first["stability"], other["stability"], equal_nan=True)


def test_stability_is_refused_where_nothing_can_be_repeated(model, tmp_path):
    model.vcluster.kmeans(3).to_netcdf(tmp_path / "result.nc")
    refused = {
        "was read from a file, which does not hold": xvcluster.open_result(tmp_path / "result.nc"),
        "the nodes of this map are not merged": model.vcluster.som(
            (2, 2), algorithm="online", n_iterations=100
        ),
        "under metric='softdtw'": model.vcluster.kmeans(2, metric="softdtw", n_init=1, max_iter=2),
    }
    for text, result in refused.items():
        with pytest.raises(ValueError, match=f"the stability cannot be computed: .*{text}"):
            result.stability(3)
    with pytest.raises(ValueError, match="n must be at least 2; got 1"):
        model.vcluster.kmeans(3).stability(1)
