"""Gaussian mixtures, from labelled arrays to results, against scikit-learn and pyXpcm's words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from xvcluster import gmm, kmeans, open_result
from xvcluster.profiles import collect

KINDS = ["full", "tied", "diag", "spherical"]
NORMALIZATIONS = [None, "anomaly", "percent", "level", "profile", "variable"]


def renumbered(labels, order):
    """Labels c as order[c - 1]."""
    numbers = np.append(np.nan, order).astype("float32")
    return labels.copy(data=numbers[np.nan_to_num(labels.values).astype(int)])


@pytest.fixture
def ocean(shared_data):
    """Temperature and salinity of the upper 1000 m, in float64."""
    data = xr.open_dataset(shared_data / "levitus_1deg.nc")[["TEMP", "SALT"]]
    return data.sel(depth=slice(0, 1000)).load().astype(np.float64)


def test_gmm_of_the_ocean_equals_the_pipeline_of_scikit_learn(ocean):
    options = {"variance_explained": 0.999, "n_init": 1, "max_iter": 100, "tol": 1e-3}
    result = gmm(ocean, 8, **options)
    profiles = collect(ocean)
    steps = [(StandardScaler(), PCA(0.999, svd_solver="full")) for _ in range(2)]
    columns = [
        pca.fit_transform(scaler.fit_transform(profiles.values[:, :, v]))
        for v, (scaler, pca) in enumerate(steps)
    ]
    components = np.concatenate(columns, axis=1)
    with threadpool_limits(1):  # more make it slower by far
        model = GaussianMixture(8, random_state=0).fit(components)
    expected = model.predict_proba(components)
    parts = zip(steps, np.split(model.means_, [columns[0].shape[1]], axis=1), strict=True)
    undone = [scaler.inverse_transform(pca.inverse_transform(m)) for (scaler, pca), m in parts]
    means = np.stack(undone, axis=-1)
    order = np.argsort(means[..., 0].mean(axis=1))
    maps = profiles.grid.flatten(result.dataset["posterior"])[:, profiles.points]
    assert np.isfinite(maps).all()
    np.testing.assert_allclose(maps.sum(axis=0), 1.0, atol=1e-6)
    np.testing.assert_allclose(maps.T, expected[:, order], atol=1e-6)
    labels = profiles.grid.flatten(result.labels)[profiles.points]
    np.testing.assert_array_equal(labels, expected[:, order].argmax(axis=1) + 1)
    for v, name in enumerate(("TEMP", "SALT")):
        np.testing.assert_allclose(result.centroids[name], means[order][..., v], rtol=1e-6)
    single = gmm(ocean.astype(np.float32), 8, **options)
    np.testing.assert_allclose(single.dataset["posterior"], result.dataset["posterior"], atol=1e-4)
    xr.testing.assert_equal(single.labels, result.labels)


@pytest.mark.parametrize("names", [["TEMP"], ["TEMP", "SALT"]])
def test_labels_by_default_are_those_of_pyxpcm(shared_data, names):
    # By pyxpcm 0.4.1-main on NumPy 1.26, after np.random.seed(1), whose start is the usual one:
    # pcm(K=4, features=dict.fromkeys(names, z)).fit_predict(data), for the levels z to 2000 m.
    recorded = np.load(Path(__file__).parent / "data/pyxpcm_levitus.npz")["_".join(names)]
    data = xr.open_dataset(shared_data / "levitus_1deg.nc")[names].sel(depth=slice(0, 2000))
    found = gmm(data, 4).labels.values
    known = recorded > 0
    np.testing.assert_array_equal(np.isfinite(found), known)
    assert adjusted_rand_score(found[known], recorded[known]) > 0.99


def test_gmm_finds_the_groups(model):
    result = gmm(model, 3)
    group = np.arange(63).reshape(7, 9) % 5 // 2 + 1
    np.testing.assert_array_equal(result.labels, group)
    expected = model.groupby(result.labels).mean().transpose("label", "depth")
    np.testing.assert_allclose(result.centroids["vs"], expected, atol=0.01)
    assert result.labels.attrs["ordered_by"] == "mean of vs (km/s), lowest first"
    assert result.parameters["method"] == result.dataset.attrs["method"] == "gmm"


def test_gmm_takes_the_number_of_clusters_of_the_least_bic(model):
    result = gmm(model, k_range=range(1, 7))
    assert result.n_clusters == 3
    bic = result.dataset["sweep_bic"]
    assert bic.dims == ("k",)
    assert int(bic.idxmin()) == 3
    xr.testing.assert_identical(result.labels, gmm(model, 3).labels)
    assert "sweep_bic" not in gmm(model, 3).dataset


@pytest.mark.parametrize(
    ("k_range", "end", "more"), [([1, 2], 2, "larger"), ([4, 5], 4, "smaller")]
)
def test_gmm_warns_where_the_least_bic_lies_at_the_end(model, k_range, end, more):
    text = rf"BIC is best at k = {end}, the (last|first) of k_range .* try {more} numbers"
    with pytest.warns(UserWarning, match=text):
        assert gmm(model, k_range=k_range, covariance="spherical").n_clusters == end


def test_gmm_does_not_warn_where_one_cluster_is_best(model):
    noise = model.copy(data=np.random.default_rng(0).normal(size=model.shape))
    assert gmm(noise, k_range=range(1, 4)).n_clusters == 1


def test_gmm_warns_of_what_has_not_converged(rough_model):
    text = "still changing after max_iter=1 steps for k = 1, 3, 4; raise max_iter or tol"
    with pytest.warns(UserWarning, match=text):
        gmm(rough_model, k_range=[1, 3, 4], max_iter=1, covariance="tied")


def test_posterior_is_that_of_complete_profiles(two_variables):
    result = gmm(two_variables, 4)
    posterior = result.dataset["posterior"]
    assert posterior.dims == ("cluster", "latitude", "longitude")
    assert posterior.dtype == np.float32
    known = result.labels.notnull()
    assert posterior.where(~known).isnull().all()
    np.testing.assert_allclose(posterior.sum("cluster").where(known, 1.0), 1.0, atol=1e-6)
    likeliest = posterior.fillna(0).argmax("cluster").where(known) + 1
    np.testing.assert_array_equal(likeliest, result.labels)
    second, first = np.sort(posterior.values, axis=0)[-2:]
    np.testing.assert_allclose(result.dataset["margin"], 1 - second / first, atol=1e-6)
    assert result.dataset["margin"].attrs["comment"].startswith("1 - p2/p1")


def test_robustness_is_that_of_pyxpcm(rough_model):
    dataset = gmm(rough_model, 4, n_init=1).dataset
    highest = dataset["posterior"].max("cluster", skipna=False)
    expected = (highest - 1 / 4) * 4 / 3
    np.testing.assert_allclose(dataset["robustness"], expected, atol=1e-6)
    classes = dataset["robustness_class"]
    values = dataset["robustness"].values
    bounds = [0, 0.33, 0.66, 0.9, 0.99, 1.0 + 1e-6]
    known = ~np.isnan(values)
    np.testing.assert_array_equal(classes.values[known], np.digitize(values[known], bounds) - 1)
    assert np.isnan(classes.values[~known]).all()
    assert len(np.unique(classes.values[known])) > 1
    assert classes.attrs["flag_meanings"].split()[1] == "as_likely_as_not"
    assert classes.attrs["flag_values"].tolist() == [0, 1, 2, 3, 4]


def test_gmm_of_one_component_is_the_mean(rough_model):
    result = gmm(rough_model, 1)
    known = rough_model.where(result.labels == 1)
    np.testing.assert_allclose(
        result.centroids["vs"][0], known.mean(["latitude", "longitude"]), rtol=1e-6
    )
    dataset = result.dataset
    for name in ("posterior", "robustness", "margin"):
        assert np.nanmin(dataset[name]) == np.nanmax(dataset[name]) == 1.0
    assert np.nanmax(dataset["robustness_class"]) == 4
    assert result.predict(rough_model).equals(result.labels)


def test_gmm_of_constant_data_is_one_cluster(model):
    result = gmm(xr.ones_like(model), 1)
    assert np.all(result.labels == 1)
    np.testing.assert_allclose(result.centroids["vs"], 1.0, rtol=1e-12)
    xr.testing.assert_equal(result.predict(xr.ones_like(model)), result.labels)


def test_gmm_of_a_raster(model, tmp_path):
    raster = model.isel(depth=0, drop=True)
    result = gmm(raster, 3)
    np.testing.assert_array_equal(result.labels, np.arange(63).reshape(7, 9) % 5 // 2 + 1)
    assert result.dataset["vs_axis"].dims == ("component",)
    result.to_netcdf(tmp_path / "raster.nc")
    xr.testing.assert_equal(open_result(tmp_path / "raster.nc").predict(raster), result.labels)
    one_level = gmm(model.isel(depth=[0]), 3)
    np.testing.assert_array_equal(one_level.labels, result.labels)


@settings(deadline=None, max_examples=15)
@given(
    order=st.permutations(["depth", "latitude", "longitude"]),
    flipped=st.sets(st.sampled_from(["depth", "latitude", "longitude"])),
    east=st.booleans(),
)
def test_gmm_does_not_depend_on_how_the_grid_is_stored(order, flipped, east):
    model = make_walks()
    stored = model.assign_coords(longitude=model["longitude"] % 360) if east else model
    stored = stored.isel({d: slice(None, None, -1) for d in flipped}).transpose(*order)
    result, expected = gmm(stored, 4, n_init=1), gmm(model, 4, n_init=1)
    labels = result.labels.assign_coords(longitude=(stored["longitude"] + 180) % 360 - 180)
    assert labels.dims == tuple(d for d in order if d != "depth")
    labels = labels.sortby(["latitude", "longitude"]).transpose("latitude", "longitude")
    np.testing.assert_array_equal(labels, expected.labels)
    xr.testing.assert_equal(expected.predict(stored), result.labels)


def make_walks():
    """Profiles in no groups on a grid that lies across the prime meridian."""
    values = np.random.default_rng(0).normal(size=(5, 6, 8)).cumsum(axis=0)
    coords = {"depth": np.arange(5.0), "latitude": np.arange(6.0)}
    coords["longitude"] = np.arange(-4.0, 4.0)
    return xr.DataArray(values, coords, ("depth", "latitude", "longitude"), name="vs")


def test_gmm_of_a_seed_is_always_the_same_and_records_it(rough_model):
    drawn = gmm(rough_model, 3, random_state=None)
    again = gmm(rough_model, 3, random_state=drawn.parameters["random_state"])
    xr.testing.assert_equal(again.dataset, drawn.dataset)


def test_gmm_never_changes_its_input(two_variables):
    before = two_variables.copy(deep=True)
    gmm(two_variables, 3)
    xr.testing.assert_identical(two_variables, before)


@pytest.mark.parametrize("normalize", ["level", "profile", None])
def test_gmm_of_dask_arrays_equals_that_in_memory(two_variables, agree, normalize):
    lazy = two_variables.chunk(latitude=5, longitude=4, depth=-1)
    options = {"normalize": normalize, "n_init": 1}
    found, expected = (gmm(data, 3, **options) for data in (lazy, two_variables))
    for name in ("label", "posterior", "robustness", "robustness_class"):
        assert found.dataset[name].chunks is not None
        np.testing.assert_allclose(found.dataset[name], expected.dataset[name], atol=1e-5)
    loose = ["posterior", "robustness", "margin"]
    both = (
        replace(result, dataset=result.dataset.drop_vars(loose)) for result in (found, expected)
    )
    agree(*both)


def test_gmm_of_chunks_is_fitted_to_a_sample_and_labels_all(rough_model, small_sample):
    found, expected = gmm(rough_model.chunk(latitude=5), 2), gmm(rough_model, 2)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert int(found.dataset["count"].sum()) == 130


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
@pytest.mark.parametrize("covariance", KINDS)
def test_gmm_comes_back_identical_and_predicts(two_variables, tmp_path, covariance, normalize):
    data = two_variables.isel(depth=slice(None, None, -1))
    result = gmm(data, 3, covariance=covariance, normalize=normalize, n_init=1)
    result.to_netcdf(tmp_path / "result.nc")
    opened = open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(opened.dataset, result.dataset)
    for name, variable in result.dataset.variables.items():
        assert opened.dataset[name].dtype == variable.dtype, name
    for other in (data, two_variables, two_variables.transpose(..., "depth")):
        labels = opened.predict(other).transpose(*result.labels.dims)
        xr.testing.assert_equal(labels, result.labels)
    xr.testing.assert_equal(opened.predict(data.chunk(latitude=4)).compute(), result.labels)


def test_gmm_comes_back_from_zarr_lazily(two_variables, tmp_path):
    result = gmm(two_variables.chunk(latitude=5), 3)
    result.to_zarr(tmp_path / "result.zarr")
    opened = open_result(tmp_path / "result.zarr")
    for name in ("posterior", "robustness", "robustness_class"):
        assert opened.dataset[name].chunks is not None
        assert opened.dataset["robustness_class"].dtype == np.float32
    xr.testing.assert_identical(opened.dataset.compute(), result.dataset.compute())
    xr.testing.assert_equal(opened.predict(two_variables), result.labels.compute())


def test_gmm_file_holds_classes_as_flags(model, tmp_path):
    gmm(model, 3).to_netcdf(tmp_path / "result.nc")
    raw = xr.open_dataset(tmp_path / "result.nc", mask_and_scale=False)["robustness_class"]
    assert raw.dtype == np.int8
    assert raw.attrs["_FillValue"] == -1


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
@pytest.mark.parametrize("covariance", KINDS)
def test_gmm_predicts_after_a_match_that_leaves_clusters_empty(
    two_variables, covariance, normalize
):
    result = gmm(two_variables, 3, covariance=covariance, normalize=normalize, n_init=1)
    matched = result.match(renumbered(result.labels, [5, 1, 3]))
    assert matched.n_clusters == 5
    np.testing.assert_array_equal(matched.labels, renumbered(result.labels, [5, 1, 3]))
    xr.testing.assert_identical(matched.predict(two_variables), matched.labels)
    profiles = scaled(two_variables, matched, normalize)
    predicted = matched.model.predict(profiles) + 1
    np.testing.assert_array_equal(predicted, matched.labels.values[matched.labels.notnull()])


def scaled(data, result, normalize):
    """Complete profiles, flat, as the model of a mixture takes them."""
    arrays = []
    for name in result.parameters["variables"]:
        array = data[name].where(result.labels.notnull()).astype(float)
        if normalize == "profile":
            mean, spread = array.mean("depth"), array.std("depth")
        else:
            mean, spread = result.dataset[f"{name}_offset"], result.dataset[f"{name}_scale"]
        array = ((array - mean) / spread).transpose(*result.labels.dims, "depth")
        arrays.append(array.values[result.labels.notnull().values])
    return np.stack(arrays, axis=-1).reshape(len(arrays[0]), -1)


def test_model_is_the_pipeline_of_scikit_learn(two_variables):
    result = gmm(two_variables, 3, covariance="tied")
    pca, mixture = (step for _, step in result.model.steps)
    assert (type(pca), type(mixture)) == (PCA, GaussianMixture)
    known = result.labels.notnull().values
    found = result.model.predict_proba(scaled(two_variables, result, "level"))
    np.testing.assert_allclose(found.T, result.dataset["posterior"].values[:, known], atol=1e-4)


def test_level_weights_count_for_more(rough_model):
    weights = xr.DataArray([1.0, 1, 1, 1, 1, 50], dims="depth")
    result = gmm(rough_model, 3, covariance="spherical", level_weights=weights)
    assert result.parameters["level_weights"] == "given"
    assert (result.labels != gmm(rough_model, 3, covariance="spherical").labels).any()
    xr.testing.assert_equal(result.predict(rough_model), result.labels)


def test_gmm_is_found_stable_where_groups_are_clear(model):
    sure = gmm(model, 3).stability(n=5)
    assert float(sure.dataset["stability"].min()) > 0.7
    assert sure.dataset["cluster_stability"].sizes["cluster"] == 3
    lazy = gmm(model.chunk(latitude=4)[::-1], 3).stability(n=5).dataset["stability"]
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy, sure.dataset["stability"], atol=1e-6)


def test_gmm_is_found_as_stable_after_a_match(two_variables):
    result = gmm(two_variables, 3)
    numbers = [5, 1, 3]
    expected = result.stability(n=3).dataset["cluster_stability"]
    matched = result.match(renumbered(result.labels, numbers)).stability(n=3).dataset
    found = matched["cluster_stability"].sel(cluster=numbers)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert matched["cluster_stability"].sel(cluster=[2, 4]).isnull().all()


def test_gmm_has_what_every_result_has(rough_model):
    own, other = gmm(rough_model, 3).dataset, kmeans(rough_model, 3).dataset
    assert set(other.variables) <= set(own.variables)
    np.testing.assert_allclose(own["component_weight"].sum(), 1.0)
    for name, array in own.variables.items():
        assert name in rough_model.coords or name in ("vs",) or "long_name" in array.attrs, name
    assert "gmm" in repr(gmm(rough_model, 3))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"n_clusters": 2, "n_components": 0}, ValueError, "n_components must be at least 1; got"),
        ({"n_clusters": 2, "n_components": 2.5}, TypeError, "n_components must be an integer of"),
        ({"n_clusters": 64}, ValueError, "n_clusters=64 is more than the distinct profiles"),
        ({"n_components": 8}, ValueError, "n_components=8 is the number of principal components"),
        ({"n_init": "best"}, ValueError, "n_init must be 'auto' or an integer of at least 1; got"),
        ({"covariance": "round"}, ValueError, "unknown covariance 'round'; choose one of 'full'"),
        ({"variance_explained": 0}, ValueError, "above 0 and at most 1; got 0"),
        ({"variance_explained": 1.5}, ValueError, "above 0 and at most 1; got 1.5"),
        ({"variance_explained": "all"}, TypeError, "variance_explained must be a number above 0"),
        ({"normalize": "z"}, ValueError, "unknown normalize 'z'"),
        ({"level_weights": "depth"}, ValueError, "level_weights must be 'thickness' or a DataArra"),
        ({"k_range": []}, ValueError, "k_range is empty"),
        ({"k_range": 5}, TypeError, "k_range must be several integers"),
        ({"k_range": [2, 64]}, ValueError, "k_range, up to 64, is more than the distinct profiles"),
        ({"n_init": 0}, ValueError, "n_init must be at least 1; got 0"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1; got 0"),
        ({"tol": -1}, ValueError, "tol must be finite and at least 0; got -1"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0; got -1"),
        ({"dim": "zz"}, ValueError, "dim='zz' is not a dimension"),
    ],
)
def test_gmm_refuses_bad_options(model, options, error, match):
    with pytest.raises(error, match=match):
        gmm(model, **options)


def test_gmm_refuses_a_single_profile(model):
    with pytest.raises(ValueError, match="needs at least two complete profiles, and there is 1"):
        gmm(model.isel(latitude=0, longitude=0), 1)


@pytest.mark.parametrize("name", ["posterior", "robustness_class", "component_mean", "component_"])
def test_gmm_refuses_names_that_it_needs(model, name):
    with pytest.raises(ValueError, match=f"use the name '{name}', which the result has"):
        gmm(model.rename(name), 2)
    with pytest.raises(ValueError, match="use the name 'vs_axis'"):
        gmm(xr.Dataset({"vs": model, "vs_axis": model}), 2)


def test_n_components_is_the_number_of_components_of_each_variable(two_variables):
    dataset = gmm(two_variables, 3, n_components=2).dataset
    assert dataset.sizes["component"] == 4
    assert not dataset["rho_axis"][:2].any()
    assert not dataset["vs_axis"][2:].any()
    assert gmm(two_variables, 3).dataset.sizes["component"] == 12  # all that there are
    assert gmm(two_variables["vs"], k_range=[2, 3, 4], n_components=2, n_init=1).n_clusters
    text = "n_components=2 and variance_explained=0.9 both say how many"
    with pytest.raises(ValueError, match=text):
        gmm(two_variables, 3, n_components=2, variance_explained=0.9)


def test_gmm_weighs_profiles_as_if_they_were_repeated(model):
    weights = xr.DataArray(np.arange(9) % 3 + 1, dims="longitude")
    result = gmm(model, 3, weights=weights)
    assert result.parameters["weights"] == "given"
    repeated = model.isel(longitude=np.repeat(np.arange(9), weights)).drop_vars("longitude")
    expected = gmm(repeated, 3)
    for name in ("vs", "component_weight"):
        np.testing.assert_allclose(result.dataset[name], expected.dataset[name], rtol=1e-5)
    by_area = gmm(model, 3, weights="area")
    share = by_area.dataset["area"] / by_area.dataset["area"].sum()
    np.testing.assert_allclose(by_area.dataset["component_weight"], share, rtol=1e-6)
    assert by_area.stability(n=2).dataset["stability"].max() > 0.5


def test_predict_proba_is_the_posterior(two_variables, tmp_path):
    result = gmm(two_variables, 3)
    expected = result.dataset["posterior"]
    result.to_netcdf(tmp_path / "result.nc")
    opened = open_result(tmp_path / "result.nc")
    xr.testing.assert_allclose(opened.predict_proba(two_variables), expected, atol=1e-5)
    lazy = opened.predict_proba(two_variables.chunk(latitude=5).isel(depth=slice(None, None, -1)))
    assert lazy.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), expected, atol=1e-5)
    matched = result.match(renumbered(result.labels, [5, 1, 3])).predict_proba(two_variables)
    np.testing.assert_allclose(matched.sel(cluster=[5, 1, 3]), expected, atol=1e-5)
    assert float(matched.sel(cluster=[2, 4]).max()) == 0.0


@pytest.mark.parametrize("covariance", KINDS)
def test_score_and_bic_are_those_of_scikit_learn(two_variables, covariance):
    data = two_variables.astype(np.float64)
    result = gmm(data, 3, covariance=covariance, n_init=1)
    other = data.isel(latitude=slice(3, None))
    pca, mixture = (step for _, step in result.model.steps)
    profiles = scaled(data, result, "level")
    south = result.labels[:3].notnull().values.sum()
    components = pca.transform(profiles[south:])
    np.testing.assert_allclose(result.score(other), mixture.score(components), rtol=1e-6)
    np.testing.assert_allclose(result.bic(other), mixture.bic(components), rtol=1e-6)
    np.testing.assert_allclose(result.score(other.chunk(latitude=4)), result.score(other))


def test_bic_of_its_own_data_is_that_of_the_sweep(model):
    result = gmm(model, k_range=range(1, 7))
    found = float(result.dataset["sweep_bic"].sel(k=result.n_clusters))
    np.testing.assert_allclose(result.bic(model), found, rtol=1e-5)


def test_score_counts_a_repeated_meridian_once():
    lon = np.arange(0.0, 361.0, 30.0)
    values = np.random.default_rng(0).normal(size=(4, 5, 13))
    values[..., -1] = values[..., 0]
    coords = {"depth": np.arange(4.0), "latitude": np.linspace(-60, 60, 5), "longitude": lon}
    data = xr.DataArray(values, coords, ("depth", "latitude", "longitude"), name="vs")
    result = gmm(data, 1)
    assert result.score(data) == pytest.approx(result.score(data[..., :-1]))
    assert result.bic(data) == pytest.approx(result.bic(data[..., :-1]))


@pytest.mark.parametrize("name", ["predict_proba", "score", "bic"])
def test_only_a_mixture_has_a_likelihood(model, name):
    with pytest.raises(ValueError, match="made by k-means, but only a Gaussian mixture has"):
        getattr(kmeans(model, 3), name)(model)
    with pytest.raises(ValueError, match="levels from 0 to 40 km, but"):
        getattr(gmm(model, 3), name)(model.isel(depth=slice(0, 2)))


def test_score_refuses_data_without_profiles(model):
    result = gmm(model, 3)
    with (
        pytest.warns(UserWarning, match="none of the 63 profiles is complete"),
        pytest.raises(ValueError, match="no profile of the data is complete, so that they have"),
    ):
        result.score(model * np.nan)


def test_gmm_warns_where_another_start_gives_another_map():
    text = (
        "the mixture of k = 4 depends on its start: another start, nearly as good as a "
        "k-means clustering, leads to a map "
        "that agrees with this one with an adjusted Rand index of 0.68"
    )
    with pytest.warns(UserWarning, match=text):
        gmm(make_walks(), 4)
