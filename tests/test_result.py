"""What a result tells, against brute force."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from dask.base import is_dask_collection
from matplotlib import pyplot as plt

from xvcluster import kmeans, som, sweep
from xvcluster.grid.areas import cell_areas
from xvcluster.grid.coords import find_axes
from xvcluster.result import ClusterResult


def members(data, labels, cluster):
    """Profiles (n, depth) of one cluster."""
    values = data.transpose("depth", "latitude", "longitude").values
    return values[:, labels.values == cluster].T.astype(float)


def test_result_unpacks_to_labels_and_centroids(model):
    result = kmeans(model, 3)
    labels, centroids = result
    xr.testing.assert_identical(labels, result.labels)
    xr.testing.assert_identical(centroids, result.centroids)
    assert result.n_clusters == 3
    assert result.sweep is None


def test_centroids_are_in_the_units_of_the_data(rough_model):
    labels, centroids = kmeans(rough_model, 4)
    means = rough_model.groupby(labels).mean().transpose("label", "depth")
    np.testing.assert_allclose(centroids["vs"], means, rtol=1e-4)
    assert centroids["vs"].attrs == rough_model.attrs
    assert centroids["vs"].dtype == np.float64
    xr.testing.assert_identical(centroids["depth"].variable, rough_model["depth"].variable)


def test_centroids_hold_what_is_known_of_the_clusters_and_no_maps(rough_model, two_variables):
    known = ["count", "area", "cluster_inertia", "cluster_margin"]
    for data, names in ((rough_model, ["vs"]), (two_variables, ["vs", "rho"])):
        centroids = kmeans(data, 4).centroids
        spread = [f"{name}_{ending}" for ending in ("std", "quantile") for name in names]
        assert list(centroids) == names + spread + known
        assert set(centroids.dims) == {"cluster", "depth", "quantile"}
        assert centroids["area"].attrs["units"] == "km2"


def test_centroids_of_several_variables_are_the_members_means(two_variables):
    labels, centroids = kmeans(two_variables, 4)
    means = two_variables.groupby(labels).mean().transpose("label", "depth")
    for name in ("vs", "rho"):
        np.testing.assert_allclose(centroids[name], means[name], rtol=1e-4)
        assert centroids[name].attrs == two_variables[name].attrs


def test_statistics_equal_brute_force(rough_model):
    dataset = kmeans(rough_model, 4).dataset
    areas = cell_areas(rough_model, find_axes(rough_model))
    for cluster in range(1, 5):
        own, found = members(rough_model, dataset["label"], cluster), dataset.sel(cluster=cluster)
        assert found["count"] == len(own)
        np.testing.assert_allclose(found["vs_std"], own.std(axis=0), rtol=1e-5)
        quantiles = np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
        np.testing.assert_allclose(found["vs_quantile"], quantiles, rtol=1e-5)
        squared = ((own - found["vs"].values) ** 2).sum()
        np.testing.assert_allclose(found["cluster_inertia"], squared, rtol=1e-5)
        distances = np.linalg.norm(own[:, None] - dataset["vs"].values, axis=2)
        first, second = np.sort(distances, axis=1)[:, :2].T
        np.testing.assert_allclose(found["cluster_margin"], np.mean(1 - first / second), rtol=1e-4)
        area = areas.values[dataset["label"].values == cluster].sum()
        np.testing.assert_allclose(found["area"], area, rtol=1e-12)
    assert dataset["quantile"].values.tolist() == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert dataset["area"].attrs["units"] == "km2"


def test_inertia_is_the_sum_of_squared_distances(two_variables):
    result = kmeans(two_variables, 4)
    np.testing.assert_allclose(result.inertia, (result.dataset["distance"] ** 2).sum(), rtol=1e-5)
    assert "units" not in result.dataset["distance"].attrs


def test_maps_tell_distance_margin_and_status(rough_model):
    dataset = kmeans(rough_model, 4).dataset
    profiles = rough_model.values.reshape(6, -1).T
    distance = np.sqrt(((profiles[:, None] - dataset["vs"].values) ** 2).sum(axis=2))
    first, second = np.sort(distance, axis=1)[:, :2].T
    np.testing.assert_allclose(dataset["distance"].values.ravel(), first, rtol=1e-4)
    np.testing.assert_allclose(dataset["margin"].values.ravel(), 1 - first / second, atol=1e-4)
    assert dataset["distance"].attrs["units"] == "km/s"
    status = np.zeros((12, 11))
    status[0, 0], status[3, 4] = 1, 2
    np.testing.assert_array_equal(dataset["status"], status)
    assert dataset["status"].attrs["flag_meanings"] == "labelled no_data incomplete invalid"
    np.testing.assert_array_equal(np.isnan(dataset["label"]), status > 0)


def test_labels_lie_on_the_horizontal_dimensions_with_their_coordinates(rough_model):
    data = rough_model.expand_dims(time=pd.date_range("2020-01-01", periods=2)).copy()
    data = data.transpose("longitude", "time", "depth", "latitude")
    labels = kmeans(data, 3).labels
    assert labels.dims == ("longitude", "time", "latitude")
    assert labels.dtype == np.float32
    for name in labels.dims:
        xr.testing.assert_identical(labels[name], data[name])


def test_labels_carry_cf_flags(model):
    attrs = kmeans(model, 3).labels.attrs
    assert attrs["flag_values"].dtype == np.int16
    assert attrs["flag_values"].tolist() == [1, 2, 3]
    assert attrs["flag_meanings"] == "cluster_1 cluster_2 cluster_3"
    assert attrs["ordered_by"] == "mean of vs (km/s), lowest first"
    assert attrs["long_name"] == "cluster"


def test_dataset_carries_where_the_data_came_from(two_variables):
    source = two_variables.assign_attrs(reference="Doe 2020", history="made", other="dropped")
    source.encoding["source"] = "/some/where/model.nc"
    attrs = kmeans(source, 3).dataset.attrs
    assert (attrs["title"], attrs["id"], attrs["reference"]) == ("made", "X-1", "Doe 2020")
    assert attrs["source"] == "model.nc"
    assert "other" not in attrs
    assert attrs["Conventions"] == "CF-1.11"
    first, second = attrs["history"].split("\n")
    assert first == "made"
    assert second.endswith("k-means, 3 clusters")


def test_parameters_record_the_method_and_all_options(two_variables):
    result = kmeans(two_variables, 3, tol=1e-3, n_init=2)
    parameters = result.parameters
    assert parameters == json.loads(result.dataset.attrs["parameters"])
    expected = {"method": "k-means", "metric": "euclidean", "n_clusters": 3, "n_init": 2}
    expected |= {"tol": 1e-3, "max_iter": 300, "random_state": 0, "vertical": "depth"}
    assert expected.items() <= parameters.items()
    assert parameters["variables"] == ["vs", "rho"]
    complete = two_variables.where(result.labels > 0)
    for name in ("vs", "rho"):
        spread = np.sqrt(complete[name].var(["latitude", "longitude"]).mean("depth"))
        np.testing.assert_allclose(result.dataset[f"{name}_scale"], spread, rtol=1e-4)


def test_a_raster_has_centroids_without_a_vertical(model):
    result = kmeans(model.isel(depth=0, drop=True), 3)
    assert result.centroids["vs"].dims == ("cluster",)
    assert result.parameters["vertical"] is None
    assert result.dataset["vs_quantile"].dims == ("quantile", "cluster")


def test_loose_points_have_no_area(model):
    points = model.stack(profile=("latitude", "longitude")).reset_index("profile")  # noqa: PD013
    dataset = kmeans(points, 3).dataset
    assert "area" not in dataset
    assert dataset["label"].dims == ("profile",)
    assert "area_km2" not in ClusterResult(dataset).table()


def test_select_keeps_some_clusters(rough_model):
    result = kmeans(rough_model, 4)
    labels = result.labels
    np.testing.assert_array_equal(result.select(2), labels.where(labels == 2))
    np.testing.assert_array_equal(result.select(np.int64(2)), result.select([2]))
    np.testing.assert_array_equal(result.select([1, 4]), labels.where(labels.isin([1, 4])))
    assert result.select(2).attrs == labels.attrs


@pytest.mark.parametrize("clusters", [0, 5, [1, 7]])
def test_select_refuses_a_cluster_that_is_not_there(rough_model, clusters):
    wrong = clusters if isinstance(clusters, int) else 7
    with pytest.raises(ValueError, match=f"no cluster {wrong}; the clusters are 1, 2, 3, 4"):
        kmeans(rough_model, 4).select(clusters)


def test_table_has_one_row_a_cluster(rough_model):
    result = kmeans(rough_model, 4)
    table, dataset = result.table(), result.dataset
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table.index.name == "cluster"
    np.testing.assert_array_equal(table["profiles"], dataset["count"])
    np.testing.assert_array_equal(table["area_km2"], dataset["area"])
    for share in ("area_percent", "inertia_percent"):
        np.testing.assert_allclose(table[share].sum(), 100)
    for cluster in range(1, 5):
        margin = dataset["margin"].values[dataset["label"].values == cluster]
        np.testing.assert_allclose(table["mean_margin"][cluster], margin.mean(), rtol=1e-5)


def test_table_of_identical_members_has_no_inertia(model):
    assert kmeans(xr.ones_like(model), 1).table()["inertia_percent"].tolist() == [0.0]


def test_table_has_no_margin_where_a_node_is_empty(model):
    result = som(model, (4, 4), algorithm="online", n_iterations=300)
    table = result.table()
    assert len(table) == 16
    np.testing.assert_array_equal(table["mean_margin"].isna(), table["profiles"] == 0)


def test_repr_tells_the_clusters(two_variables):
    result = kmeans(two_variables, 3)
    headline = "3 clusters of 129 profiles of vs, rho, k-means"
    assert repr(result).startswith(f"<xvcluster.ClusterResult: {headline}>\n")
    html = result._repr_html_()
    assert headline in html
    assert html.count("<tr") >= 4
    assert "xr-wrap" in html


def test_plot_has_the_figures_of_a_result(model):
    plots = kmeans(model, 3).plot
    for name in ("map", "profiles", "summary", "som"):
        assert callable(getattr(plots, name))


def test_results_of_equal_calls_are_equal(rough_model):
    first, second = (kmeans(rough_model, 4).dataset.drop_attrs(deep=False) for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_a_result_is_shown_without_computing(rough_model, computed):
    result = kmeans(rough_model.chunk(latitude=5, longitude=4), 4, n_init=2)
    computed.clear()
    assert result.table()["profiles"].sum() == 130
    assert "4 clusters of 130 profiles of vs" in repr(result)
    assert "ClusterResult" in result._repr_html_()
    assert is_dask_collection(result.select(2))
    assert result.inertia > 0
    assert computed == []


def test_figures_and_outlines_pass_over_the_data_once(rough_model, computed):
    found = kmeans(rough_model.chunk(latitude=4), 3, n_init=2)
    for draw in (found.plot.map, found.plot.summary, lambda: found.boundaries(1)):
        before = len(computed)
        draw()
        assert len(computed) == before + 1
    plt.close("all")


def test_html_of_a_result_escapes_the_names_that_a_file_gives(model):
    result = kmeans(model.rename("<script>alert(1)</script>"), 3)
    shown = result._repr_html_()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_reprs_tell_how_many_profiles_were_left_out(model):
    result = kmeans(model, 2)
    incomplete = "3 of 63 profiles with data are incomplete and have no label: 3 have gaps"
    result.dataset["status"].attrs["comment"] = incomplete
    assert repr(result).splitlines()[1] == incomplete
    assert f"<p>{incomplete}</p>" in result._repr_html_()


MARKUP = "<script>alert(1)</script>"


@pytest.mark.filterwarnings("ignore:the inertia has no knee")
def test_html_reprs_hold_no_markup_of_a_file(rough_model):
    data = rough_model.rename(depth=f"depth{MARKUP}").rename(f"vs{MARKUP}")
    data[f"depth{MARKUP}"].attrs = {"axis": "Z", "units": MARKUP, MARKUP: MARKUP}
    data.attrs |= {"long_name": MARKUP, "units": MARKUP}
    swept = sweep(data, [2, 3, 4])
    result = swept.result()
    result.dataset.attrs |= {"method": MARKUP, "title": MARKUP, "best_k_by": MARKUP}
    swept.dataset.attrs |= {"best_k_by": MARKUP, "verdict": MARKUP}
    for shown in (result, swept):
        html = shown._repr_html_()
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_reprs_hold_no_control_characters_and_are_short(model):
    evil = "\x1b[2J\r\u202e"
    result = kmeans(model.rename(f"vs{evil}"), 2)
    result.dataset.attrs |= {"method": evil + 10_000_000 * "A", "title": 10_000_000 * "A"}
    assert not set(repr(result)) & {"\x1b", "\r", "\u202e"}
    assert len(repr(result)) < 2000
    assert len(result._repr_html_()) < 200_000


@pytest.mark.filterwarnings("ignore:the inertia has no knee")
def test_a_sweep_shows_its_table_and_verdict_in_a_notebook(model):
    swept = sweep(model, [2, 3, 4, 5])
    html = swept._repr_html_()
    assert f"<b>SweepResult</b>: best k = {swept.best_k}" in html
    assert swept.verdict in html
    assert "silhouette" in html
    assert f"<th>{swept.best_k}</th>" in html
