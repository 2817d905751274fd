"""Many k at once, and the choice among them."""

import numpy as np
import pytest
import xarray as xr
from dask.base import is_dask_collection
from kneed import KneeLocator
from sklearn.metrics import silhouette_score
from tslearn.metrics import cdist_dtw

from xvcluster import kmeans, sweep
from xvcluster.algorithms.criteria import eigengaps
from xvcluster.algorithms.metrics import Euclidean
from xvcluster.choose.verdict import conclude


def stack(data):
    values = data.transpose("depth", ...).values.reshape(data.sizes["depth"], -1).T
    return values[~np.isnan(values).any(axis=1)].astype(float)


def squared_distances(metric, profiles, centroids):
    if metric == "dtw":
        return cdist_dtw(profiles, centroids) ** 2
    return ((profiles[:, None] - centroids) ** 2).sum(axis=2)


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_sweep_criteria_equal_brute_force(rough_model, metric):
    swept, profiles = sweep(rough_model, [2, 5, 3, 4], metric=metric), stack(rough_model)
    assert swept.dataset["k"].values.tolist() == [2, 3, 4, 5]
    for k in (2, 3, 4, 5):
        squared = squared_distances(metric, profiles, swept.result(k).centroids["vs"].values)
        first, second = np.sort(np.sqrt(squared), axis=1)[:, :2].T
        criteria = swept.dataset.sel(k=k)
        np.testing.assert_allclose(criteria["inertia"], (first**2).sum(), rtol=1e-5)
        np.testing.assert_allclose(criteria["silhouette"], np.mean(1 - first / second), rtol=1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_sweep_of_few_profiles_has_the_silhouette_of_all(rough_model, metric):
    swept, profiles = sweep(rough_model, [1, 2, 3, 5], metric=metric), stack(rough_model)
    found = swept.dataset["silhouette_sample"]
    assert found.attrs == {"long_name": "silhouette of 130 profiles", "units": "1"}
    assert np.isnan(found.sel(k=1))
    distances = np.sqrt(np.maximum(squared_distances(metric, profiles, profiles), 0.0))
    for k in (2, 3, 5):
        squared = squared_distances(metric, profiles, swept.result(k).centroids["vs"].values)
        labels = squared.argmin(axis=1)
        expected = silhouette_score(distances, labels, metric="precomputed")
        np.testing.assert_allclose(found.sel(k=k), expected, rtol=1e-5)


def test_sweep_of_many_profiles_samples_them_for_the_silhouette(monkeypatch, model):
    monkeypatch.setattr(Euclidean, "pairs", 20)
    found = sweep(model, range(2, 6)).dataset["silhouette_sample"]
    assert found.attrs["long_name"] == "silhouette of 20 profiles"
    drawn = ((np.arange(20) + 0.5) * 63 / 20).astype(int)  # the middle of each of even steps
    few, group = stack(model)[drawn], (np.arange(63) % 5 // 2)[drawn]
    np.testing.assert_allclose(found.sel(k=3), silhouette_score(few, group), rtol=1e-5)


def test_sweep_labels_are_those_of_its_results_and_of_kmeans(rough_model):
    swept = sweep(rough_model, range(2, 6))
    for k in range(2, 6):
        labels = swept.result(k).labels
        np.testing.assert_array_equal(swept.dataset["label"].sel(k=k), labels)
        assert kmeans(rough_model, k).inertia <= 1.05 * swept.result(k).inertia


def test_sweep_takes_the_knee_of_kneed_of_the_logarithm(rough_model):
    swept, profiles = sweep(rough_model, range(2, 9)), stack(rough_model)
    one = ((profiles - profiles.mean(axis=0)) ** 2).sum()
    curve = np.log([one, *swept.dataset["inertia"].values])
    knee = KneeLocator(range(1, 9), curve, curve="convex", direction="decreasing").knee
    assert swept.dataset["best"].sel(criterion="inertia") == knee


def test_sweep_takes_the_groups_that_there_are(model):
    for ks in ([2, 3], [3, 4], range(2, 9), range(1, 9)):
        swept = sweep(model, ks)
        assert swept.best_k == 3
        assert swept.dataset.attrs["best_k_by"].startswith("the median of")


def test_sweep_from_one_cluster_never_takes_its_silhouette(model):
    swept = sweep(model, [1, 2])
    assert swept.best_k == 2
    assert np.isnan(swept.dataset["silhouette"][0])


def test_kmeans_warns_of_a_best_k_at_the_end_of_the_range(model):
    with pytest.warns(UserWarning, match=r"best at k = 3, the last of k_range \(2 to 3\)"):
        kmeans(model, k_range=[2, 3])


def test_kmeans_warns_of_a_best_k_at_the_start_of_a_range_of_large_ones(rough_model):
    with pytest.warns(UserWarning, match=r"the first of k_range \(9 to 12\).*try smaller"):
        kmeans(rough_model, k_range=range(9, 13))


def test_sweep_of_few_profiles_compares_all_of_them_for_the_eigengap():
    """Five groups of ten profiles, of which half would not show them."""
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.normal(size=(5, 12)), 10, axis=0) + rng.normal(0, 0.05, (50, 12))
    few = xr.DataArray(groups, dims=("profile", "depth"), name="vs")
    distances = np.sqrt(((groups[:, None] - groups) ** 2).sum(axis=2))
    found = sweep(few, range(2, 9)).dataset["eigengap"]
    np.testing.assert_allclose(found, eigengaps(distances, range(2, 9)), atol=1e-9)
    assert found.idxmax() == 5


def test_sweep_of_one_k_has_nothing_to_choose(model):
    swept = sweep(model, [4])
    assert (swept.best_k, swept.dataset.attrs["best_k_by"]) == (4, "the only k")
    assert swept.result().sweep is None
    assert "sweep_inertia" not in swept.result().dataset


def conclude_of(inertia, silhouette):
    """The k that is taken of 2, 3 and 4, and by what."""
    found = {"inertia": ("k", inertia), "silhouette": ("k", silhouette)}
    attrs = conclude(xr.Dataset(found, {"k": [2, 3, 4]})).attrs
    return attrs["best_k"], attrs["best_k_by"]


def test_conclude_of_a_straight_line_falls_back():
    with pytest.warns(UserWarning, match="took k = 4"):
        assert conclude_of([3.0, 2.0, 1.0], [0.1, 0.2, 0.3]) == (4, "the best silhouette")


def test_conclude_of_a_curve_that_does_not_fall_falls_back():
    with pytest.warns(UserWarning, match="took k = 2"):
        assert conclude_of([0.0, 0.0, 0.0], [0.3, 0.3, 0.3]) == (2, "the best silhouette")


def test_sweep_inertia_falls_with_k(rough_model):
    inertia = sweep(rough_model, range(1, 15)).dataset["inertia"]
    assert np.all(np.diff(inertia) < 0)


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
@pytest.mark.parametrize("seed", range(3))
def test_sweep_inertia_never_rises_with_k(rough_model, metric, seed):
    swept = sweep(rough_model, range(1, 25), metric=metric, n_init=1, random_state=seed)
    assert np.all(np.diff(swept.dataset["inertia"]) <= 0)


def test_sweep_takes_a_window(rough_model):
    swept = sweep(rough_model, range(2, 7), metric="dtw", window_depth=10.0)
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": 1}
    for k in range(2, 7):
        result = swept.result(k)
        squared = cdist_dtw(stack(rough_model), result.centroids["vs"].values, **band) ** 2
        inertia = swept.dataset["inertia"].sel(k=k)
        np.testing.assert_allclose(inertia, squared.min(axis=1).sum(), rtol=1e-5)
        assert result.parameters["window_depth"] == 10.0
    with pytest.raises(
        ValueError, match="window=3 applies to metric='dtw' only; the metric is 'eu"
    ):
        sweep(rough_model, [2, 3], window=3)


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_original_is_in_the_units_of_the_data(two_variables, metric):
    swept = sweep(two_variables, [3], metric=metric)
    expected = two_variables["vs"].mean("depth", skipna=False).where(swept.result(3).labels > 0)
    np.testing.assert_allclose(swept._original(), expected, rtol=1e-6)


def test_result_has_the_sweep_attached(model):
    swept = sweep(model, range(1, 6))
    result = swept.result()
    assert result.sweep is swept
    assert result.n_clusters == swept.best_k
    for name in ("inertia", "silhouette"):
        xr.testing.assert_identical(
            result.dataset[f"sweep_{name}"].rename(name), swept.dataset[name]
        )


def test_result_refuses_a_k_that_was_not_tried(model):
    with pytest.raises(ValueError, match=r"the sweep has no k = 9; it tried 3, 4"):
        _two(model).result(9)


def test_repr_tells_the_best_k_and_the_criteria(model):
    text = repr(_two(model))
    assert text.startswith("<xvcluster.SweepResult: best k = 3 (by the median of")
    assert "inertia" in text
    assert "silhouette" in text
    assert "silhouette_sample" in text


def test_plot_has_the_figures_of_a_sweep(model):
    plots = _two(model).plot
    assert callable(plots.criteria)
    assert callable(plots.maps)


def test_sweep_of_soft_dtw(model):
    swept = sweep(model.isel(latitude=[0, 1]), [2, 3], metric="softdtw", n_init=1, max_iter=10)
    assert swept.best_k == 3
    assert swept.result().parameters["metric"] == "softdtw"


def test_sweep_refuses_no_k_and_a_single_number(model):
    with pytest.raises(ValueError, match=r"k is empty: \[\]; give integers"):
        sweep(model, [])
    with pytest.raises(TypeError, match=r"k must be several integers.*got 5"):
        sweep(model, 5)


def _two(model):
    return sweep(model, [3, 4])


def test_a_sweep_is_shown_without_computing(rough_model, computed):
    swept = sweep(rough_model.chunk(latitude=5, longitude=4), range(2, 6), n_init=2)
    computed.clear()
    assert "best k" in repr(swept)
    assert swept.best_k in range(2, 6)
    assert is_dask_collection(swept.dataset)
    assert computed == []
