"""Weights of profiles and of levels, through the public functions."""

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.grid.areas import EARTH_RADIUS_KM

CRITERIA = (
    "inertia",
    "silhouette",
    "silhouette_sample",
    "davies_bouldin",
    "calinski_harabasz",
    "gap",
    "gap_error",
)


def make_points(n=60, n_levels=6, seed=0):
    """Loose profiles (profile, depth) in three groups that overlap a little, in float64."""
    rng = np.random.default_rng(seed)
    values = np.repeat([3.0, 3.6, 4.5], n // 3)[:, None] + rng.normal(0, 0.15, (n, n_levels))
    coords = {"depth": ("depth", np.arange(n_levels) * 10.0, {"units": "km"})}
    return xr.DataArray(values, dims=("profile", "depth"), coords=coords, name="vs")


def make_weights(n=60, seed=1):
    """Whole numbers, each at least 1."""
    return xr.DataArray(np.random.default_rng(seed).integers(1, 5, n), dims="profile")


def repeat(points, weights):
    """The points with each as often as it weighs."""
    return points.isel(profile=np.repeat(np.arange(points.sizes["profile"]), weights.values))


def global_model(lat, lon, seed=0):
    """Profiles that vary smoothly over the sphere, on any points (lat, lon broadcast together)."""
    phi, lam = np.radians(lat), np.radians(lon)
    z = np.linspace(0.0, 1.0, 8).reshape(-1, *[1] * np.ndim(phi + lam))
    field = np.sin(2 * phi) + 0.6 * np.cos(phi) * np.cos(2 * lam) + 0.8 * np.sin(phi) ** 4
    other = np.cos(phi) ** 2 * np.sin(lam)
    return 4.0 + 0.3 * field * (1 - z) + 0.2 * other * z


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_kmeans_weights_equal_repetition(metric):
    points, weights = make_points(), make_weights()
    options = {"metric": metric, "tol": 0.0, "n_init": 5}
    weighted = points.vcluster.kmeans(3, weights=weights, **options)
    repeated = repeat(points, weights).vcluster.kmeans(3, **options)
    xr.testing.assert_allclose(weighted.centroids["vs"], repeated.centroids["vs"], rtol=1e-9)
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-9)
    for name in ("vs_std", "cluster_inertia", "cluster_margin"):
        xr.testing.assert_allclose(weighted.dataset[name], repeated.dataset[name], rtol=1e-9)
    plain = points.vcluster.kmeans(3, **options)
    assert np.abs(plain.centroids["vs"] - weighted.centroids["vs"]).max() > 1e-3


def test_kmeans_weighted_quantiles_are_those_of_numpy():
    points, weights = make_points(), make_weights() * 0.37
    result = points.vcluster.kmeans(2, weights=weights)
    for c in (1, 2):
        own = (result.labels == c).values
        expected = np.quantile(
            points.values[own],
            result.dataset["quantile"].values,
            axis=0,
            weights=weights.values[own],
            method="inverted_cdf",
        )
        found = result.dataset["vs_quantile"].sel(cluster=c).transpose("quantile", "depth")
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_kmeans_of_weights_all_one_is_that_without():
    points = make_points()
    plain = points.vcluster.kmeans(3).dataset
    weighted = points.vcluster.kmeans(3, weights=make_weights() * 0 + 1).dataset
    xr.testing.assert_equal(plain.drop_attrs(), weighted.drop_attrs())


def test_kmeans_profiles_of_weight_0_are_labelled_but_do_not_count():
    points, weights = make_points(), make_weights() > 2
    weighted = points.vcluster.kmeans(3, weights=weights, tol=0.0)
    left = points.isel(profile=np.flatnonzero(weights)).vcluster.kmeans(3, tol=0.0)
    xr.testing.assert_allclose(weighted.centroids["vs"], left.centroids["vs"], rtol=1e-9)
    assert weighted.inertia == pytest.approx(left.inertia, rel=1e-9)
    assert weighted.labels.notnull().all()
    assert weighted.dataset["count"].sum() == 60


def test_som_batch_weights_equal_repetition():
    points, weights = make_points(), make_weights()
    options = {"algorithm": "batch", "n_iterations": 30, "sigma": 1.0}
    for n_clusters in (None, 3):
        weighted = points.vcluster.som((3, 3), weights=weights, n_clusters=n_clusters, **options)
        repeated = repeat(points, weights).vcluster.som((3, 3), n_clusters=n_clusters, **options)
        for name in ("vs_node", "vs", "cluster_inertia"):
            xr.testing.assert_allclose(weighted.dataset[name], repeated.dataset[name], rtol=1e-9)


def test_sweep_criteria_of_weights_equal_repetition():
    points, weights = make_points(), make_weights()
    options = {"tol": 0.0, "criteria": ["gap"], "n_init": 5}
    weighted = points.vcluster.sweep(range(2, 6), weights=weights, **options)
    repeated = repeat(points, weights).vcluster.sweep(range(2, 6), **options)
    plain = points.vcluster.sweep(range(2, 6), **options)
    for name in CRITERIA:
        found = weighted.dataset[name].values
        np.testing.assert_allclose(found, repeated.dataset[name].values, rtol=1e-9, err_msg=name)
        assert not np.allclose(found, plain.dataset[name].values, rtol=1e-6), name
    xr.testing.assert_equal(weighted.dataset["best"], repeated.dataset["best"])


def test_kmeans_area_weights_undo_a_refinement_towards_the_poles():
    lat = np.arange(-89.0, 90.0, 2.0)
    rows = [(p, s) for p in lat for s in ([1.0] if abs(p) > 60 else [2.0])]
    columns = [np.arange(s / 2, 360.0, s) for _, s in rows]
    phi = np.concatenate([np.full(c.size, p) for (p, _), c in zip(rows, columns, strict=True)])
    width = np.concatenate([np.full(c.size, s) for (_, s), c in zip(rows, columns, strict=True)])
    lam = np.concatenate(columns)
    refined = xr.Dataset(
        {"vs": (("depth", "cell"), global_model(phi, lam))},
        coords={
            "depth": np.linspace(0.0, 700.0, 8),
            "lat": ("cell", phi, {"units": "degrees_north", "bounds": "lat_bnds"}),
            "lon": ("cell", lam, {"units": "degrees_east", "bounds": "lon_bnds"}),
            "lat_bnds": (("cell", "bnds"), np.stack([phi - 1, phi + 1], axis=1)),
            "lon_bnds": (("cell", "bnds"), np.stack([lam - width / 2, lam + width / 2], axis=1)),
        },
    )
    even = xr.DataArray(
        global_model(lat[:, None], np.arange(1.0, 360.0, 2.0)),
        dims=("depth", "lat", "lon"),
        coords={"depth": refined["depth"], "lat": lat, "lon": np.arange(1.0, 360.0, 2.0)},
        name="vs",
    )
    expected = even.vcluster.kmeans(5, weights="area", tol=0.0).centroids["vs"]
    spread = float(even.std())
    weighted = refined.vcluster.kmeans(5, weights="area", tol=0.0)
    assert np.abs(weighted.centroids["vs"] - expected).max() < 0.01 * spread
    assert weighted.dataset["area"].sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_KM**2)
    plain = refined.vcluster.kmeans(5, weights=None, tol=0.0).centroids["vs"]
    by_even = even.vcluster.kmeans(5, weights=None, tol=0.0).centroids["vs"]
    assert np.abs(plain - by_even).max() > 0.05 * spread
    assert np.abs(plain - expected).max() > 0.05 * spread


def test_kmeans_area_weights_count_a_seam_once_and_poles_right():
    lat, lon = np.arange(-90.0, 91.0, 5.0), np.arange(0.0, 361.0, 5.0)
    held_twice = xr.DataArray(
        global_model(lat[:, None], lon),
        dims=("depth", "lat", "lon"),
        coords={"depth": np.arange(8.0), "lat": lat, "lon": lon},
        name="vs",
    )
    once = held_twice.isel(lon=slice(None, -1))
    first, second = (a.vcluster.kmeans(4, weights="area", tol=0.0) for a in (held_twice, once))
    xr.testing.assert_allclose(first.centroids["vs"], second.centroids["vs"], rtol=1e-9)
    assert first.inertia == pytest.approx(second.inertia, rel=1e-9)
    # by hand: a row at a pole is half as high, and weights have a mean of 1
    height = np.sin(np.radians(np.minimum(lat + 2.5, 90))) - np.sin(
        np.radians(np.maximum(lat - 2.5, -90))
    )
    by_hand = xr.DataArray(height / height.mean(), dims="lat", coords={"lat": lat})
    third = once.vcluster.kmeans(4, weights=by_hand, tol=0.0)
    assert third.inertia == pytest.approx(second.inertia, rel=1e-9)


def test_kmeans_level_weights_equal_repeated_levels():
    points = make_points()
    weights = xr.DataArray([1, 3, 1, 2, 1, 2], dims="depth", coords={"depth": points["depth"]})
    weighted = points.vcluster.kmeans(3, level_weights=weights, tol=0.0)
    repeated = points.isel(depth=np.repeat(np.arange(6), weights.values)).vcluster.kmeans(3, tol=0)
    first = np.cumsum([0, *weights.values[:-1]])
    np.testing.assert_allclose(
        weighted.centroids["vs"], repeated.centroids["vs"].isel(depth=first), rtol=1e-9
    )
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-9)
    np.testing.assert_allclose(
        weighted.dataset["distance"], repeated.dataset["distance"], rtol=1e-5
    )


def test_kmeans_thickness_of_an_even_axis_changes_nothing():
    points = make_points()
    plain = points.vcluster.kmeans(3)
    weighted = points.vcluster.kmeans(3, level_weights="thickness")
    xr.testing.assert_allclose(plain.centroids["vs"], weighted.centroids["vs"], rtol=1e-12)
    assert weighted.inertia == pytest.approx(plain.inertia, rel=1e-12)
    np.testing.assert_array_equal(weighted.dataset["level_weight"], 1.0)


def test_kmeans_thickness_is_that_of_the_layers():
    points = make_points().assign_coords(depth=[0.0, 10.0, 20.0, 40.0, 80.0, 160.0])
    weighted = points.vcluster.kmeans(3, level_weights="thickness")
    layers = np.array([10.0, 10.0, 15.0, 30.0, 60.0, 80.0])
    np.testing.assert_allclose(weighted.dataset["level_weight"], layers / layers.mean())


def test_level_weights_are_found_whatever_the_direction_of_the_axis():
    points = make_points().assign_coords(depth=[0.0, 10.0, 20.0, 40.0, 80.0, 160.0])
    given = xr.DataArray(np.arange(1.0, 7.0), dims="depth", coords={"depth": points["depth"]})
    for weights in ("thickness", given):
        down = points.vcluster.kmeans(3, level_weights=weights)
        up = points.isel(depth=slice(None, None, -1)).vcluster.kmeans(3, level_weights=weights)
        xr.testing.assert_allclose(
            down.centroids["vs"], up.centroids["vs"].sortby("depth"), rtol=1e-12
        )
        xr.testing.assert_equal(down.labels, up.labels)


def test_weights_are_found_whatever_the_order_of_their_coordinate(rough_model):
    weights = 1.0 + rough_model["latitude"] * 0 + np.arange(12)
    plain = rough_model.vcluster.kmeans(4, weights=weights)
    turned = rough_model.vcluster.kmeans(4, weights=weights.isel(latitude=slice(None, None, -1)))
    xr.testing.assert_identical(
        plain.dataset.drop_attrs(deep=False), turned.dataset.drop_attrs(deep=False)
    )


@pytest.mark.parametrize("options", [{"weights": "area"}, {"weights": "given"}])
def test_weighted_results_of_chunks_are_those_of_arrays(rough_model, options, agree):
    if options["weights"] == "given":
        values = np.random.default_rng(3).uniform(0.1, 5.0, (12, 11))
        options = {"weights": rough_model.isel(depth=0).copy(data=values)}
    options |= {"level_weights": "thickness", "normalize": "level"}
    chunked = rough_model.chunk({"latitude": 5, "longitude": 4})
    whole = rough_model.vcluster.kmeans(4, **options)
    assert set(whole.parameters) >= {"weights", "level_weights", "normalize"}
    found = chunked.vcluster.kmeans(4, **options)
    xr.testing.assert_equal(found.labels.compute(), whole.labels)
    agree(found, whole)


def test_weights_are_refused_by_methods_that_know_none(model):
    with pytest.raises(
        ValueError, match=r"metric='softdtw' does not support weights; leave them out"
    ):
        xvcluster.kmeans(model, 2, metric="softdtw", weights="area")
    with pytest.raises(
        ValueError, match=r"metric='dtw' does not support level_weights.*'euclidean'"
    ):
        xvcluster.kmeans(model, 2, metric="dtw", level_weights="thickness")
    with pytest.raises(ValueError, match=r"algorithm='online' does not support weights.*batch"):
        xvcluster.som(model, (2, 2), algorithm="online", weights="area")


def test_weights_that_do_not_fit_are_refused(model):
    def refused(weights, match, error=ValueError):
        with pytest.raises(error, match=match):
            xvcluster.kmeans(model, 2, weights=weights)

    level = model.isel(depth=0, drop=True)
    refused("areas", "weights must be 'auto', 'area', None or a DataArray; got 'areas'")
    refused([1.0, 2.0], "weights must be 'auto', 'area', None or a DataArray; got list", TypeError)
    refused(level.astype(str), "weights must be numeric; their dtype is", TypeError)
    refused(model, r"weights must lie on latitude, longitude of the data; .* \('depth'")
    refused(-level, "weights must be finite and at least 0; they range from -")
    refused(level * 0, "weights are 0 at all complete profiles; at least one must count")
    refused(level.where(level > 3.5), "weights are NaN at .* of 63 complete profiles; .* 0 for one")
    refused(level.isel(latitude=slice(3)), "weights lack some of the data's 'latitude': .* 35")
    bare = xr.DataArray(np.ones(4), dims="latitude")
    refused(bare, "weights have 4 values along 'latitude', the data 7")


def test_area_weights_need_cells():
    with pytest.raises(
        ValueError, match=r"weights='area' needs a grid of latitude and longitude.*DataArray"
    ):
        make_points().vcluster.kmeans(2, weights="area")


def test_level_weights_that_do_not_fit_are_refused(model):
    with pytest.raises(ValueError, match=r"level_weights must be finite and above 0.*from 0 to 1"):
        xvcluster.kmeans(model, 2, level_weights=xr.DataArray([1, 1, 0, 1, 1], dims="depth"))
    with pytest.raises(
        ValueError, match=r"level_weights must lie on depth of the data; .*latitude"
    ):
        xvcluster.kmeans(model, 2, level_weights=model.isel(depth=0, longitude=0, drop=True))
    with pytest.raises(
        ValueError, match="level_weights need a vertical, which the data do not have"
    ):
        xvcluster.kmeans(model.isel(depth=0), 2, level_weights="thickness")


def test_weights_of_chunks_that_are_nan_are_refused(model):
    level = model.isel(depth=0, drop=True)
    with pytest.raises(ValueError, match=r"weights are NaN at .* complete profiles"):
        model.chunk({"latitude": 3}).vcluster.kmeans(2, weights=level.where(level > 3.5))


def test_som_merges_no_nodes_that_only_profiles_of_weight_0_are_near_to():
    points = make_points()
    first = xr.DataArray(np.arange(60) < 40, dims="profile")  # the third group counts for nothing
    options = {"algorithm": "batch", "n_iterations": 20, "n_clusters": 2}
    result = points.vcluster.som((1, 6), weights=first, **options)
    assert np.isfinite(result.centroids["vs"]).all()
    left = points.isel(profile=slice(40)).mean()
    assert abs(float(result.centroids["vs"].mean()) - float(left)) < 0.2
    chunked = points.chunk({"profile": 20}).vcluster.som((1, 6), weights=first, **options)
    xr.testing.assert_equal(chunked.labels.compute(), result.labels)
    np.testing.assert_array_equal(chunked.dataset["node_count"], result.dataset["node_count"])


def test_constant_levels_and_variables_are_not_scaled(rough_model):
    both = xr.Dataset({"vs": rough_model, "flat": rough_model * 0 + np.float32(7.1)})
    for data in (both, both.chunk({"latitude": 5})):
        for options in ({}, {"weights": "area"}, {"weights": "area", "normalize": "variable"}):
            found = data.vcluster.kmeans(3, **options)
            assert np.all(found.dataset["flat_scale"] == 1.0)
        found = data.vcluster.kmeans(3, weights="area", normalize="level").dataset
        np.testing.assert_array_equal(found["flat_scale"], 1.0)


def with_bounds(model):
    """The model as a Dataset with bounds of its levels, which are not half-way between them."""
    edges = np.array([0.0, 2.0, 18.0, 22.0, 38.0, 42.0])
    bounds = ("depth", "bnds"), np.stack([edges[:-1], edges[1:]], axis=1)
    dataset = model.to_dataset().assign(depth_bnds=bounds)
    dataset["depth"].attrs["bounds"] = "depth_bnds"
    return dataset


def test_thickness_is_that_of_the_bounds(model):
    for dataset in (with_bounds(model), with_bounds(model).set_coords("depth_bnds")):
        layers = np.array([2.0, 16.0, 4.0, 16.0, 4.0])
        for data, expected in (
            (dataset, layers),
            (dataset.vcluster.prepare(depth=slice(5, 30)), layers[1:4]),
        ):
            found = data.vcluster.kmeans(3, level_weights="thickness").dataset["level_weight"]
            np.testing.assert_allclose(found, expected / expected.mean())


def test_thickness_after_interpolation_is_that_of_the_new_levels(model):
    for dataset in (with_bounds(model), with_bounds(model).set_coords("depth_bnds")):
        even = dataset.vcluster.prepare(dz=4)
        assert "depth_bnds" not in even.variables
        found = even.vcluster.kmeans(3, level_weights="thickness").dataset["level_weight"]
        np.testing.assert_allclose(found, 1.0)


def test_weights_warn_of_bounds_that_were_left_behind(model):
    with pytest.warns(UserWarning, match="edges halfway .*'depth'.*'depth_bnds', which the data"):
        with_bounds(model)["vs"].vcluster.kmeans(3, level_weights="thickness")


def test_areas_and_thickness_know_no_order_of_their_axes(rough_model):
    uneven = rough_model.assign_coords(depth=[0.0, 5.0, 10.0, 20.0, 40.0, 80.0])
    order = {"depth": [3, 1, 2, 0, 4, 5], "latitude": np.random.default_rng(0).permutation(12)}
    options = {"weights": "area", "level_weights": "thickness"}
    sorted_, mixed = (d.vcluster.kmeans(3, **options) for d in (uneven, uneven.isel(order)))
    xr.testing.assert_allclose(mixed.dataset["area"], sorted_.dataset["area"])
    xr.testing.assert_allclose(
        mixed.dataset["level_weight"].sortby("depth"), sorted_.dataset["level_weight"]
    )


def test_weights_are_found_at_coordinates_that_float32_rounds(rough_model):
    fine = rough_model.assign_coords(latitude=35 + np.arange(12) / 3)
    weights = xr.DataArray(np.arange(1.0, 13), {"latitude": fine["latitude"].astype("f4")})
    found = fine.vcluster.kmeans(3, weights=weights)
    expected = fine.vcluster.kmeans(3, weights=weights.drop_vars("latitude"))
    xr.testing.assert_equal(found.labels, expected.labels)
    assert found.inertia == expected.inertia


def test_stability_draws_only_what_has_a_weight(rough_model):
    corner = (rough_model["latitude"] < 39) & (rough_model["longitude"] < -116)
    sure = rough_model.vcluster.kmeans(2, weights=corner).stability(20).dataset
    assert 0 < sure["stability"].min() <= 1


@pytest.mark.filterwarnings("ignore:the inertia has no knee")
def test_light_weights_warn_that_they_count_profiles():
    weights = make_weights()
    with pytest.warns(UserWarning, match=r"the weights sum to 1, .*weights / weights.mean\(\)"):
        make_points().vcluster.sweep([2, 3], weights=weights / weights.sum())


def test_few_profiles_that_count_are_told():
    weights = xr.DataArray(np.arange(60) < 2, dims="profile")
    with pytest.raises(ValueError, match=r"among the 60 complete ones, and those of weight 0"):
        make_points().vcluster.kmeans(3, weights=weights)


def on_the_globe(lat, lon=None):
    lon = np.arange(0.0, 360.0, 20.0) if lon is None else lon
    return xr.DataArray(
        global_model(np.asarray(lat)[:, None], lon),
        dims=("depth", "lat", "lon"),
        coords={"depth": np.linspace(0.0, 700.0, 8), "lat": lat, "lon": lon},
        name="vs",
    )


def test_auto_weighs_by_area_where_latitudes_span_more_than_20_degrees():
    wide = on_the_globe(np.arange(-80.0, 81.0, 10.0))
    for data in (wide, wide.chunk({"lat": 6})):
        result = data.vcluster.kmeans(3)
        expected = wide.vcluster.kmeans(3, weights="area")
        xr.testing.assert_equal(result.labels.compute(), expected.labels)
        assert result.inertia == pytest.approx(expected.inertia, rel=1e-6)
        assert result.parameters["weights"] == "area"
        assert "weights='area'" in repr(result)
    assert "weights" not in wide.vcluster.kmeans(3, weights=None).parameters
    narrow = wide.isel(lat=slice(0, 3))  # 20 degrees
    result = narrow.vcluster.kmeans(3)
    assert "weights" not in result.parameters
    assert "weights" not in repr(result)
    assert wide.drop_vars(["lat", "lon"]).vcluster.kmeans(2).parameters.get("weights") is None
    along_a_meridian = wide.isel(lon=0)
    assert along_a_meridian.vcluster.kmeans(2).parameters.get("weights") is None


def test_auto_weighs_in_sweeps_and_batches_too():
    data = on_the_globe(np.arange(-80.0, 81.0, 20.0))
    swept = data.vcluster.sweep([2])
    assert swept.result(2).parameters["weights"] == "area"
    batch = data.vcluster.som((2, 2), algorithm="batch", n_iterations=2)
    assert batch.parameters["weights"] == "area"


def test_auto_says_once_why_profiles_that_span_the_globe_are_not_weighed():
    data = on_the_globe(np.arange(-80.0, 81.0, 40.0), np.arange(0.0, 360.0, 60.0))
    loose = data.stack(point=("lat", "lon")).reset_index("point")
    text = "span 160 degrees of latitude, but they have no cells .* give weights .* weights=None"
    with pytest.warns(UserWarning, match=text) as caught:
        result = loose.vcluster.kmeans(2)
    assert len(caught) == 1
    assert "weights" not in result.parameters
    loose["lat"].attrs["bounds"] = "lat_bounds"
    with pytest.warns(UserWarning, match="give a Dataset that holds the bounds of cells, 'lat_bou"):
        loose.vcluster.kmeans(2)
    with pytest.warns(UserWarning, match="metric='softdtw' cannot weigh .* use metric='euclidean'"):
        data.vcluster.kmeans(2, metric="softdtw", n_init=1)
    with pytest.warns(UserWarning, match="algorithm='online' cannot weigh .*algorithm='batch', or"):
        data.vcluster.som((2, 2), algorithm="online", n_iterations=100)
    loose.vcluster.kmeans(2, weights=None)
    data.vcluster.som((2, 2), algorithm="online", n_iterations=100, weights=None)


def test_auto_gives_profiles_without_a_place_the_weight_of_an_average_cell():
    lat, lon = np.meshgrid(np.arange(-80.0, 81.0, 20.0), np.arange(0.0, 360.0, 20.0), indexing="ij")
    data = on_the_globe(lat[:, 0]).drop_vars(["lat", "lon"])
    lat[2, 3] = np.nan
    data = data.rename(lat="y", lon="x").assign_coords(lat=(("y", "x"), lat), lon=(("y", "x"), lon))
    with pytest.raises(ValueError, match="weights are NaN at 1 of"):
        data.vcluster.kmeans(2, weights="area")
    with pytest.warns(UserWarning, match="have no latitude and longitude"):
        result = data.vcluster.kmeans(2)
    assert result.parameters["weights"] == "area"
    assert result.labels.notnull().all()
