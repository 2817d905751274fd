"""Labels of other data by an earlier result."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import gmm, kmeans, open_result, som, ward
from xvcluster.prepare import prepare
from xvcluster.record.predict import predict

FITS = {
    "euclidean": lambda data: kmeans(data, 5, n_init=4),
    "dtw": lambda data: kmeans(data, 4, metric="dtw", window=2, n_init=1),
    "merged": lambda data: som(data, (4, 4), algorithm="batch", n_iterations=20, n_clusters=4),
}


def upward(model):
    """The same model on an axis of elevation."""
    attrs = {"units": "km", "positive": "up"}
    return model.rename(depth="elevation").assign_coords(
        elevation=("elevation", -model["depth"].values, attrs)
    )


@pytest.mark.parametrize(("metric", "max_iter"), [("euclidean", 99), ("dtw", 99), ("softdtw", 3)])
def test_predict_labels_the_data_of_the_fit_as_the_fit_did(two_variables, metric, max_iter):
    result = kmeans(two_variables, 4, metric=metric, n_init=1, max_iter=max_iter)
    xr.testing.assert_equal(result.predict(two_variables), result.labels)
    assert result.predict(two_variables).attrs == result.labels.attrs


@pytest.mark.parametrize("window", [{"window": 1}, {"window_depth": 15.0}], ids=str)
def test_predict_keeps_to_the_window_of_the_fit(two_variables, tmp_path, window):
    result = kmeans(two_variables, 4, metric="dtw", n_init=1, **window)
    xr.testing.assert_equal(result.predict(two_variables), result.labels)
    result.to_netcdf(tmp_path / "result.nc")
    opened = open_result(tmp_path / "result.nc")
    ((name, value),) = window.items()
    assert opened.parameters[name] == value
    assert type(opened.parameters[name]) is type(value)
    xr.testing.assert_equal(opened.predict(two_variables), result.labels)


def test_predict_keeps_to_a_window_on_uneven_levels_in_any_direction(rough_model):
    model = rough_model.assign_coords(
        depth=("depth", [0.0, 1.0, 2.0, 20.0, 40.0, 80.0], rough_model["depth"].attrs)
    )
    result = kmeans(model, 6, metric="dtw", window_depth=20.0, n_init=1)
    turned = upward(model)
    for other in (model[::-1], turned, turned.isel(elevation=slice(None, None, -1))):
        np.testing.assert_array_equal(result.predict(other), result.labels)


@pytest.mark.parametrize("n_clusters", [None, 3])
def test_predict_by_a_map_labels_as_the_fit_did(rough_model, n_clusters):
    result = som(rough_model, (3, 3), n_clusters=n_clusters, algorithm="online", n_iterations=2000)
    xr.testing.assert_equal(result.predict(rough_model), result.labels)


def test_predict_of_a_raster(model):
    raster = model.isel(depth=2, drop=True)
    result = kmeans(raster, 3)
    xr.testing.assert_equal(result.predict(raster), result.labels)


def test_predict_on_another_grid(rough_model):
    result = kmeans(rough_model, 4)
    part = rough_model.isel(latitude=slice(None, None, -2), longitude=slice(3, 9))
    part = part.transpose("longitude", "depth", "latitude")
    labels = result.predict(part)
    assert labels.dims == ("longitude", "latitude")
    expected = result.labels.isel(latitude=slice(None, None, -2), longitude=slice(3, 9)).T
    xr.testing.assert_equal(labels, expected)


def test_predict_interpolates_to_the_levels_of_the_result(rough_model):
    result = kmeans(rough_model, 4)
    fine = rough_model.interp(depth=np.linspace(0, 50, 21), assume_sorted=True)
    labels = result.predict(fine.assign_coords(depth=fine["depth"].assign_attrs(units="km")))
    xr.testing.assert_equal(labels, result.labels)


def test_predict_takes_a_wider_range_of_levels(rough_model):
    result = kmeans(rough_model.isel(depth=slice(1, 4)), 4)
    expected = result.predict(rough_model.isel(depth=slice(1, 4)))
    xr.testing.assert_equal(result.predict(rough_model), expected)


@pytest.mark.parametrize("said", ["down", "up", None])
def test_predict_takes_levels_below_zero_for_depths_whatever_the_file_says(rough_model, said):
    result = kmeans(rough_model, 3, n_init=1)
    below = -rough_model["depth"].drop_attrs() - 0.0
    attrs = {"units": "km"} | ({"positive": said} if said else {})
    turned = rough_model.assign_coords(depth=below.assign_attrs(attrs))
    np.testing.assert_array_equal(result.predict(turned), result.labels)


def test_predict_takes_an_axis_of_both_signs_where_only_its_negative_part_was_clustered(model):
    z = xr.DataArray([-300.0, -200.0, -100.0, 0.0, 100.0], dims="z", attrs={"units": "m"})
    whole = model.rename(depth="z").assign_coords(z=z)
    result = kmeans(whole.isel(z=slice(3)), 3, n_init=1)
    np.testing.assert_array_equal(result.predict(whole), result.labels)


@pytest.mark.parametrize("flipped", [False, True])
def test_predict_of_an_axis_that_is_positive_up(rough_model, flipped):
    other = upward(rough_model)
    other = other.isel(elevation=slice(None, None, -1)) if flipped else other
    result = kmeans(rough_model, 4)
    np.testing.assert_array_equal(result.predict(other), result.labels)
    back = kmeans(other, 4)
    np.testing.assert_array_equal(back.predict(rough_model), result.labels)


def test_predict_of_an_axis_stored_upside_down(rough_model):
    result = kmeans(rough_model, 4)
    np.testing.assert_array_equal(result.predict(rough_model[::-1]), result.labels)
    back = kmeans(rough_model[::-1], 4)
    np.testing.assert_array_equal(back.predict(rough_model), result.labels)


def test_predict_knows_the_vertical_of_the_result(model):
    odd = model.rename(depth="q").drop_vars("q")
    result = kmeans(odd, 3, dim="q")
    xr.testing.assert_equal(result.predict(odd), result.labels)
    other = odd.rename(q="shell")
    xr.testing.assert_equal(predict(result.dataset, other, "shell"), result.labels)


@pytest.mark.parametrize("name", [None, "VS", "Vs"])
def test_predict_takes_its_variable_in_any_case_or_without_a_name(two_variables, name):
    result = kmeans(two_variables["vs"], 4)
    xr.testing.assert_equal(result.predict(two_variables["vs"].rename(name)), result.labels)


def test_predict_takes_more_variables_than_it_needs(two_variables):
    result = kmeans(two_variables["vs"], 4)
    xr.testing.assert_equal(result.predict(two_variables), result.labels)


def test_predict_refuses_another_variable_of_the_same_units(two_variables):
    result = kmeans(two_variables["vs"], 4)
    with pytest.raises(ValueError, match=r"made from vs, but the data lack vs; they have vp"):
        result.predict(two_variables["vs"].rename("vp"))


@pytest.mark.parametrize("backwards", [False, True])
def test_predict_keeps_levels_that_the_data_hold_twice_apart(model, backwards):
    below = model.isel(depth=[2]) + 0.3
    twice = xr.concat(
        [model.isel(depth=slice(0, 3)), below, model.isel(depth=slice(3, None))], "depth"
    )
    result = kmeans(twice.isel(depth=slice(1, None)), 3)
    data = twice.isel(depth=slice(None, None, -1)) if backwards else twice
    xr.testing.assert_equal(result.predict(data), result.labels)


def test_predict_gives_no_label_to_incomplete_profiles(rough_model):
    result = kmeans(rough_model, 4)
    gappy = rough_model.copy()
    gappy[1, 5, 5] = np.nan
    assert np.isnan(result.predict(gappy)[5, 5])


def test_predict_never_changes_its_input(two_variables):
    result, before = kmeans(two_variables, 3), two_variables.copy(deep=True)
    result.predict(two_variables)
    xr.testing.assert_identical(two_variables, before)


def test_predict_needs_no_latitudes(model):
    result = kmeans(model, 3)
    unknown = model.assign_coords(latitude=np.full(model.sizes["latitude"], np.nan))
    np.testing.assert_array_equal(result.predict(unknown), result.labels)


def test_predict_refuses_data_without_the_variables(two_variables):
    result = kmeans(two_variables, 3)
    with pytest.raises(ValueError, match=r"made from vs, rho, but the data lack rho; they have vs"):
        result.predict(two_variables["vs"])


def test_predict_refuses_other_units(model):
    result = kmeans(model, 3)
    with pytest.raises(ValueError, match=r"'vs' is in 'm/s', but the result was made .* in 'km/s'"):
        result.predict((model * 1000).assign_attrs(units="m/s"))
    metres = model.assign_coords(depth=model["depth"].assign_attrs(units="m"))
    with pytest.raises(ValueError, match=r"'depth' is in 'm', but the result was made .* in 'km'"):
        result.predict(metres)


@pytest.mark.parametrize(
    ("one", "other"), [("degC", "°C"), ("hPa", "millibar"), ("K", "Kelvin"), ("m s**-1", "m/s")]
)
def test_predict_takes_other_spellings_of_equal_units_alone(model, one, other):
    result = kmeans(model.assign_attrs(units=one), 3, n_init=1)
    xr.testing.assert_equal(result.predict(model.assign_attrs(units=other)), result.labels)
    for wrong in ("degF", "kPa", "mPa", "km/s"):
        with pytest.raises(
            ValueError, match=rf"'vs' is in '{wrong}', but the result was made from"
        ):
            result.predict(model.assign_attrs(units=wrong))


def test_predict_takes_another_spelling_of_the_units(model):
    result = kmeans(model, 3)
    xr.testing.assert_equal(result.predict(model.assign_attrs(units="km.s-1")), result.labels)


@pytest.mark.parametrize("levels", [slice(0, 4), slice(1, 5)])
def test_predict_refuses_data_that_do_not_cover_the_levels(model, levels):
    part = model.isel(depth=levels)
    low, high = float(part["depth"][0]), float(part["depth"][-1])
    text = f"levels from 0 to 40 km, but the data cover only {low:g} to {high:g} km"
    with pytest.raises(ValueError, match=text):
        kmeans(model, 3).predict(part)


def test_predict_refuses_a_raster_for_profiles_and_profiles_for_a_raster(model):
    raster = model.isel(depth=0, drop=True)
    with pytest.raises(ValueError, match="the result has a vertical dimension, but the data have"):
        kmeans(model, 3).predict(raster)
    with pytest.raises(
        ValueError, match=r"no vertical dimension, but .* 'depth'; select one level"
    ):
        kmeans(raster, 3).predict(model)


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize(
    "chunks",
    [
        {"latitude": (12,), "longitude": (1,) * 11},
        {"latitude": (3, 9), "longitude": (2, 9)},
        {"latitude": (1, 4, 7), "longitude": 5, "depth": (1, 5)},
    ],
    ids=["one wide", "one missing", "split"],
)
@pytest.mark.filterwarnings("ignore:the vertical 'depth' is split")
def test_predict_of_chunks_is_that_in_memory(rough_model, chunks, name):
    rough_model[:, :3, :2] = np.nan
    result = FITS[name](rough_model)
    other = (rough_model + 0.1).assign_attrs(rough_model.attrs)
    found = result.predict(other.chunk(chunks))
    xr.testing.assert_identical(found.compute(), result.predict(other))


def test_predict_by_a_result_of_chunks_gives_its_labels(two_variables, small_sample):
    data = two_variables.chunk(latitude=5, longitude=4)
    result = kmeans(data, 4, n_init=2)
    xr.testing.assert_equal(result.predict(data), result.labels)
    xr.testing.assert_equal(result.predict(data.compute()), result.labels.compute())


def test_predict_warns_once_of_chunks_of_the_vertical(rough_model):
    result = kmeans(rough_model, 3, n_init=2)
    with pytest.warns(UserWarning, match="is split over 2 chunks") as caught:
        labels = result.predict(rough_model.chunk(depth=3))
    assert len(caught) == 1
    xr.testing.assert_equal(labels.compute(), result.labels)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_predict_labels_no_infinite_profile(rough_model, value):
    result = kmeans(rough_model, 3, n_init=2)
    rough_model[1, 8, 9] = value
    labels = result.predict(rough_model.chunk(latitude=5, longitude=4))
    with pytest.raises(ValueError, match="variable 'vs' holds infinities"):
        labels.compute()


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_predict_computes_nothing(rough_model, computed, metric):
    chunked = rough_model.chunk(latitude=5, longitude=4)
    result = kmeans(rough_model, 3, metric=metric, n_init=1)
    labels = predict(result.dataset, chunked)
    assert labels.chunks == chunked.chunks[1:]
    assert computed == []
    xr.testing.assert_equal(labels.compute(), result.labels)


def test_predict_at_other_levels_computes_nothing(rough_model, computed):
    result = kmeans(prepare(rough_model, depth=slice(5, 45), dz=5), 3, n_init=1)
    labels = result.predict(rough_model.chunk(latitude=5, longitude=4))
    assert computed == []
    xr.testing.assert_equal(labels.compute(), result.predict(rough_model))


def test_predict_computes_no_lazy_coordinate(rough_model, bent_model, computed):
    result = kmeans(rough_model, 3, n_init=1)
    labels = result.predict(bent_model.chunk(y=5, x=4))
    assert computed == []
    np.testing.assert_array_equal(labels, result.labels)


def test_distances_are_those_of_the_scikit_learn_model(rough_model):
    from sklearn.cluster import KMeans

    result = kmeans(rough_model, 5, n_init=2, weights=None)
    own = KMeans(5, init=result.centroids["vs"].values, n_init=1, max_iter=1)
    flat = rough_model.stack(point=("latitude", "longitude")).dropna("point").values.T
    own.fit(flat)
    own.cluster_centers_ = result.centroids["vs"].values
    _, distances = result.predict(rough_model, distances=True)
    found = distances.stack(point=("latitude", "longitude")).dropna("point")
    np.testing.assert_allclose(found.transpose("point", "cluster"), own.transform(flat), rtol=1e-5)
    assert distances.name == "distance"
    assert distances.attrs["units"] == "km/s"


@pytest.mark.parametrize("window", [None, 2])
def test_distances_under_dtw_are_those_of_tslearn(two_variables, window):
    from tslearn.metrics import cdist_dtw

    result = kmeans(two_variables, 4, metric="dtw", n_init=1, max_iter=5, window=window)
    _, distances = result.predict(two_variables, distances=True)
    names, dataset = ["vs", "rho"], result.dataset
    scale = [dataset[f"{n}_scale"] for n in names]
    offset = [dataset[f"{n}_offset"] for n in names]
    scaled = [(two_variables[n] - o) / s for n, o, s in zip(names, offset, scale, strict=True)]
    profiles = xr.concat(scaled, "variable").stack(point=("latitude", "longitude"))
    profiles = profiles.dropna("point").transpose("point", "depth", "variable").values
    centers = [(dataset[n] - o) / s for n, o, s in zip(names, offset, scale, strict=True)]
    centers = xr.concat(centers, "variable").transpose("cluster", "depth", "variable").values
    band = {} if window is None else {"sakoe_chiba_radius": window}
    found = distances.stack(point=("latitude", "longitude")).dropna("point")
    expected = cdist_dtw(profiles, centers, **band)
    np.testing.assert_allclose(found.transpose("point", "cluster"), expected, rtol=1e-5)


FITS_OF_DISTANCES = {
    **FITS,
    "weighted": lambda data: kmeans(data, 5, n_init=2, level_weights="thickness"),
    "by profile": lambda data: kmeans(data, 5, n_init=2, normalize="profile"),
    "nodes": lambda data: som(data, (3, 3), algorithm="batch", n_iterations=5),
    "ward": lambda data: ward(data, 4),
    "empty": lambda data: kmeans(data, 3, n_init=2).match(kmeans(data, 6, n_init=2)),
}


@pytest.mark.parametrize("name", FITS_OF_DISTANCES)
def test_the_least_distance_is_that_of_the_label(rough_model, name):
    result = FITS_OF_DISTANCES[name](rough_model)
    other = rough_model + 0.05
    labels, distances = result.predict(other, distances=True)
    xr.testing.assert_identical(labels, result.predict(other))
    assert distances.dims[0] == "cluster"
    np.testing.assert_array_equal(distances["cluster"], result.dataset["cluster"])
    least = distances["cluster"].values[distances.fillna(np.inf).argmin("cluster")]
    np.testing.assert_array_equal(np.where(labels.notnull(), least, np.nan), labels)
    is_empty = result.dataset["count"] == 0
    assert distances.where(labels.notnull() & ~is_empty, 0.0).notnull().all()
    assert distances.sel(cluster=is_empty.values).isnull().all()
    if name not in ("merged", "ward"):
        again = result.predict(rough_model, distances=True)[1].min("cluster")
        np.testing.assert_allclose(again, result.dataset["distance"], rtol=2e-6)


def test_distances_to_a_cluster_of_nodes_are_to_the_nearest_of_them(rough_model):
    result = FITS["merged"](rough_model)
    nodes = result.dataset["vs_node"]
    apart = np.sqrt(((rough_model - nodes) ** 2).sum("depth", skipna=False))
    expected = apart.groupby(result.dataset["node_cluster"].astype(int)).min("node")
    _, distances = result.predict(rough_model, distances=True)
    expected = expected.transpose("node_cluster", "latitude", "longitude").values
    np.testing.assert_allclose(distances, expected, rtol=1e-5)


def test_distances_and_probabilities_carry_the_names_of_clusters(rough_model):
    names = ["Cluster 1", "Arc", "Cluster 3"]
    for fit, find in (
        (kmeans, lambda result: result.predict(rough_model, distances=True)[1]),
        (gmm, lambda result: result.predict_proba(rough_model)),
    ):
        result = fit(rough_model, 3, n_init=1)
        found = find(result.rename({2: "Arc"}))
        assert found["cluster_name"].dims == ("cluster",)
        assert found["cluster_name"].values.tolist() == names
        xr.testing.assert_identical(found.drop_vars("cluster_name"), find(result))


def test_distances_of_dask_data_are_lazy_and_the_same(rough_model, computed):
    result = kmeans(rough_model, 4, n_init=1)
    expected = result.predict(rough_model, distances=True)
    lazy = result.predict(rough_model.chunk(latitude=5, longitude=4), distances=True)
    assert not computed
    for mine, theirs in zip(lazy, expected, strict=True):
        assert mine.chunks is not None
        xr.testing.assert_equal(mine.compute(), theirs)


def test_distances_of_a_mixture_and_of_soft_dtw_are_refused(rough_model):
    with pytest.raises(ValueError, match=r"does not apply to a Gaussian mixture, .*predict_proba"):
        gmm(rough_model, 3).predict(rough_model, distances=True)
    soft = kmeans(rough_model, 2, metric="softdtw", n_init=1, max_iter=1)
    with pytest.raises(ValueError, match=r"does not apply to metric='softdtw'"):
        soft.predict(rough_model, distances=True)
    with pytest.raises(TypeError, match="distances must be True, False or None; got 'all'"):
        soft.predict(rough_model, distances="all")
