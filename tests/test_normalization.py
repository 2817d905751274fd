"""How profiles are made comparable, through the public functions."""

import numpy as np
import pytest
import xarray as xr

import xvcluster

BY_LEVEL = ("anomaly", "percent", "level")
MODES = (*BY_LEVEL, "profile", "variable")


def by_hand(data, normalize):
    """Normalized data, from the words of the documentation."""
    points = [d for d in data.dims if d != "depth"]
    complete = data.where(data.notnull().all("depth"))
    mean = complete.mean(points)
    if normalize == "anomaly":
        return complete - mean
    if normalize == "percent":
        return 100 * (complete - mean) / mean
    if normalize == "level":
        return (complete - mean) / complete.std(points)
    if normalize == "profile":
        return (complete - complete.mean("depth")) / complete.std("depth")
    return complete / np.sqrt(complete.var(points).mean("depth"))


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_kmeans_is_that_of_data_normalized_by_hand(rough_model, normalize, metric):
    data = rough_model.astype(float)
    options = {"metric": metric, "tol": 0.0, "n_init": 4}
    found = data.vcluster.kmeans(4, normalize=normalize, **options)
    expected = by_hand(data, normalize).vcluster.kmeans(4, **options)
    pairs = np.unique(
        np.stack([found.labels.values.ravel(), expected.labels.values.ravel()]), axis=1
    )
    assert np.isfinite(pairs).all(axis=0).sum() == 4  # the same clusters, by whatever numbers
    assert found.inertia == pytest.approx(expected.inertia, rel=1e-6)
    np.testing.assert_allclose(found.dataset["margin"], expected.dataset["margin"], atol=1e-5)
    np.testing.assert_allclose(found.dataset["distance"], expected.dataset["distance"], rtol=1e-4)


@pytest.mark.parametrize("normalize", [*BY_LEVEL, "variable"])
def test_centroids_are_the_members_mean_in_the_units_of_the_data(rough_model, normalize):
    data = rough_model.astype(float)
    weights = 1.0 + np.cos(np.radians(data["latitude"]))
    result = data.vcluster.kmeans(4, normalize=normalize, weights=weights, tol=0.0)
    members = data.where(result.labels == result.centroids["cluster"])
    expected = members.weighted(weights).mean(["latitude", "longitude"])
    xr.testing.assert_allclose(
        result.centroids["vs"], expected.transpose("cluster", "depth"), rtol=1e-9
    )
    assert result.centroids["vs"].attrs["units"] == "km/s"
    spread = members.weighted(weights).std(["latitude", "longitude"]).transpose("cluster", "depth")
    np.testing.assert_allclose(result.dataset["vs_std"], spread, rtol=1e-9)


def test_centroids_of_shapes_have_the_members_mean_and_spread(rough_model):
    data = rough_model.astype(float)
    result = data.vcluster.kmeans(3, normalize="profile", tol=0.0)
    at = result.labels == result.centroids["cluster"]
    points = ["latitude", "longitude"]
    shape = by_hand(data, "profile").where(at).mean(points)
    mean, spread = (f("depth").where(at).mean(points) for f in (data.mean, data.std))
    expected = (mean + spread * shape).transpose("cluster", "depth")
    xr.testing.assert_allclose(result.centroids["vs"], expected, rtol=1e-9)
    np.testing.assert_allclose(result.dataset["vs_scale"], spread, rtol=1e-9)


@pytest.mark.parametrize("normalize", [None, *MODES])
@pytest.mark.parametrize("level_weights", [None, "thickness"])
@pytest.mark.parametrize("method", ["kmeans", "dtw", "som", "nodes"])
def test_predict_replays_it_after_netcdf(two_variables, tmp_path, normalize, level_weights, method):
    data = two_variables.assign_coords(depth=[0.0, 5.0, 10.0, 20.0, 40.0, 80.0])
    options = {"normalize": normalize, "level_weights": level_weights}
    if method == "dtw":
        result = data.vcluster.kmeans(3, metric="dtw", n_init=1, normalize=normalize)
    elif method == "kmeans":
        result = data.vcluster.kmeans(3, weights="area", **options)
    else:
        merged = {"n_clusters": 3} if method == "som" else {}
        result = data.vcluster.som((3, 3), algorithm="batch", n_iterations=5, **merged, **options)
    result.to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(opened.dataset, result.dataset)
    for own in (data, data.isel(depth=slice(None, None, -1)).transpose("longitude", ...)):
        predicted = opened.predict(own).transpose("latitude", "longitude")
        xr.testing.assert_equal(predicted, result.labels)
    # and with levels between, which are interpolated
    fine = data.interp(depth=np.sort(np.append(data["depth"], [2.5, 15.0])))
    xr.testing.assert_equal(opened.predict(fine), result.labels)


@pytest.mark.parametrize("normalize", MODES)
def test_results_of_chunks_are_those_of_arrays(two_variables, normalize):
    whole = two_variables.vcluster.kmeans(3, normalize=normalize)
    chunked = two_variables.chunk({"latitude": 5}).vcluster.kmeans(3, normalize=normalize)
    xr.testing.assert_equal(chunked.labels.compute(), whole.labels)
    for name in ("vs", "rho", "vs_std", "rho_std"):
        xr.testing.assert_allclose(chunked.dataset[name], whole.dataset[name], rtol=1e-5)
    assert chunked.inertia == pytest.approx(whole.inertia, rel=1e-5)
    xr.testing.assert_equal(chunked.predict(two_variables.chunk()).compute(), whole.labels)


def test_clusters_are_numbered_by_their_mean_in_the_units_of_the_data(rough_model):
    for normalize in MODES:
        for result in (
            rough_model.vcluster.kmeans(4, normalize=normalize),
            rough_model.vcluster.som((3, 3), n_clusters=4, normalize=normalize),
        ):
            means = result.centroids["vs"].mean("depth").values
            assert (np.diff(means) > 0).all(), normalize


def test_several_variables_are_scaled_each_by_its_spread_by_default(two_variables):
    by_default = two_variables.vcluster.kmeans(3)
    asked = two_variables.vcluster.kmeans(3, normalize="variable")
    xr.testing.assert_equal(by_default.labels, asked.labels)
    heavier = two_variables.assign(rho=1000 * two_variables["rho"])
    for normalize in (None, *MODES):
        options = {"normalize": normalize}
        first = two_variables.vcluster.kmeans(3, **options).labels
        xr.testing.assert_equal(heavier.vcluster.kmeans(3, **options).labels, first)


def test_constant_levels_and_profiles_stay_finite(model):
    flat = model.copy()
    flat[0] = 3.0  # a level that does not vary
    flat[:, 0, 0] = 3.0  # a profile that does not vary
    for normalize in MODES:
        result = flat.vcluster.kmeans(3, normalize=normalize)
        assert np.isfinite(result.centroids["vs"]).all()
        assert result.labels.notnull().all()
        xr.testing.assert_equal(result.predict(flat), result.labels)


def test_units_of_distance_are_those_that_profiles_are_compared_in(model):
    units = {n: model.vcluster.kmeans(2, normalize=n).dataset["distance"].units for n in MODES}
    assert units == dict.fromkeys(MODES, "1") | {"anomaly": "km/s", "percent": "%"}


def test_model_of_tslearn_predicts_scaled_profiles(rough_model):
    result = rough_model.vcluster.kmeans(4, normalize="level", level_weights="thickness")
    own = result.dataset
    scaled = (rough_model - own["vs_offset"]) / own["vs_scale"] * np.sqrt(own["level_weight"])
    stacked = scaled.stack(point=["latitude", "longitude"]).transpose("point", "depth")
    complete = stacked.dropna("point")
    predicted = result.model.predict(complete.values[..., None]) + 1
    expected = result.labels.stack(point=["latitude", "longitude"]).sel(point=complete["point"])
    np.testing.assert_array_equal(predicted, expected)


def test_unknown_and_undefined_normalizations_are_refused(model):
    with pytest.raises(ValueError, match=r"unknown normalize 'z-score'; choose one of 'anomaly'"):
        model.vcluster.kmeans(2, normalize="z-score")
    centred = model - model.mean()
    for data in (centred, centred + 0.5):  # whose means are of both signs, or small
        with pytest.raises(ValueError, match=r"normalize='percent' divides by the mean.*'anomaly'"):
            data.vcluster.kmeans(2, normalize="percent")
    with pytest.raises(ValueError, match=r"normalize='profile' needs several levels"):
        model.isel(depth=0).vcluster.kmeans(2, normalize="profile")


def twice_rho(data):
    """A Dataset of vs, and rho in two variables: squared differences in rho count twice."""
    return data.assign(rho_=data["rho"])


@pytest.mark.parametrize("normalize", [None, *MODES])
@pytest.mark.parametrize("level_weights", [None, "thickness"])
def test_variable_weights_equal_repeated_variables(two_variables, normalize, level_weights):
    data = two_variables.astype(float).assign_coords(depth=[0.0, 5.0, 10.0, 20.0, 40.0, 80.0])
    options = {"normalize": normalize, "level_weights": level_weights, "tol": 0.0}
    found = data.vcluster.kmeans(3, variable_weights={"rho": 2}, **options)
    expected = twice_rho(data).vcluster.kmeans(3, **options)
    xr.testing.assert_equal(found.labels.drop_attrs(), expected.labels.drop_attrs())
    assert found.inertia == pytest.approx(expected.inertia, rel=1e-9)
    assert found.parameters["variable_weights"] == {"vs": 1.0, "rho": 2.0}
    for name in ("vs", "rho", "rho_std", "distance", "margin"):
        np.testing.assert_allclose(found.dataset[name], expected.dataset[name], rtol=1e-5)


@pytest.mark.parametrize("normalize", [None, *MODES])
@pytest.mark.parametrize("nodes", [False, True])
def test_variable_weights_are_kept_in_files_and_chunks(two_variables, tmp_path, normalize, nodes):
    weights = {"variable_weights": {"vs": 0.5, "rho": 8}}
    options = {"normalize": normalize, **weights}

    def cluster(data):
        if nodes:
            return data.vcluster.som((3, 3), algorithm="batch", n_iterations=3, **options)
        return data.vcluster.kmeans(3, **options)

    result = cluster(two_variables)
    result.to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc")
    xr.testing.assert_equal(opened.predict(two_variables), result.labels)
    chunked = cluster(two_variables.chunk({"latitude": 5}))
    xr.testing.assert_equal(chunked.labels.compute(), result.labels)
    assert "variable_weights={'vs': 0.5, 'rho': 8.0}" in repr(opened)


@pytest.mark.parametrize("normalize", [None, "variable", "anomaly", "level"])
@pytest.mark.parametrize("method", ["kmeans", "som", "gmm"])
def test_a_profile_added_to_all_changes_no_label(two_variables, normalize, method):
    data = two_variables.astype(float)
    added = data.assign(rho=data["rho"] + 30.0 * data["depth"] ** 2)
    options = {"n_clusters": 3, "normalize": normalize}
    if method == "som":
        options |= {"grid_size": (3, 3), "algorithm": "batch"}
    first, second = (getattr(d.vcluster, method)(**options) for d in (data, added))
    xr.testing.assert_equal(second.labels, first.labels)
    if method != "som":
        np.testing.assert_allclose(second.dataset["rho_scale"], first.dataset["rho_scale"])


def test_variables_are_scaled_by_their_spread_about_the_mean_of_each_level(two_variables):
    data = two_variables.astype(float)
    complete = data.where(data.to_array().notnull().all(["variable", "depth"]))
    points = ["latitude", "longitude"]
    weights = np.cos(np.radians(data["latitude"]))
    result = data.vcluster.kmeans(3, weights=weights, level_weights=1.0 + data["depth"])
    for name in ("vs", "rho"):
        by_level = complete[name].weighted(weights).var(points)
        expected = np.sqrt(by_level.weighted(1.0 + data["depth"]).mean())
        np.testing.assert_allclose(result.dataset[f"{name}_scale"], expected, rtol=1e-9)


def test_clusters_are_numbered_by_their_mean_weighted_by_level(rough_model):
    crossing = rough_model.astype(float)
    crossing["depth"] = [0.0, 1.0, 2.0, 3.0, 4.0, 100.0]
    crossing[-1] = 10.0 - crossing[0]  # where the deepest level is low, the others are high
    for method in ("kmeans", "gmm"):
        result = getattr(crossing.vcluster, method)(3, level_weights="thickness")
        own = result.centroids["vs"]
        assert (np.diff(own.weighted(result.dataset["level_weight"]).mean("depth")) > 0).all()
        assert (np.diff(own.mean("depth")) < 0).any()
        assert (
            result.labels.attrs["ordered_by"] == "mean of vs (km/s) weighted by level, lowest first"
        )


def test_variable_weights_that_do_not_fit_are_refused(two_variables):
    def refused(weights, match, error=ValueError):
        with pytest.raises(error, match=match):
            two_variables.vcluster.kmeans(2, variable_weights=weights)

    refused({"vp": 1}, r"variable_weights name 'vp', but the variables are 'vs', 'rho'")
    refused({"rho": 0}, r"variable_weights\['rho'\] must be finite and above 0; got 0")
    refused({"rho": np.nan}, r"variable_weights\['rho'\] must be finite and above 0; got nan")
    refused({"rho": "2"}, r"variable_weights\['rho'\] must be a number above 0; got '2'", TypeError)
    refused(
        [1, 2], r"a number for each variable .* such as \{'vs': 1, 'rho': 2\}; got \[", TypeError
    )
    with pytest.raises(ValueError, match="are for several variables, but the data have only 'vs'"):
        two_variables["vs"].vcluster.som((2, 2), variable_weights={"vs": 2})
