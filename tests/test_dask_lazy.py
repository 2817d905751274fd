"""What stays lazy of dask arrays, and what is read of a result of them."""

import numpy as np
import pytest
import xarray as xr
from dask.base import is_dask_collection

from xvcluster import kmeans, open_result, sweep
from xvcluster.prepare import prepare
from xvcluster.record.predict import predict


@pytest.fixture
def chunked(rough_model):
    """A model of nine chunks."""
    return rough_model.chunk(latitude=5, longitude=4)


def curvilinear(data, *, lazy):
    """A model on a curved grid, whose coordinates are in dask arrays too."""
    south, east = data["latitude"].values[:, None], data["longitude"].values
    dims = ("y", "x")
    moved = data.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    moved = moved.assign_coords(
        lat=(dims, south + 0.02 * (east + 120), {"units": "degrees_north"}),
        lon=(dims, east + 0.03 * (south - 35), {"units": "degrees_east"}),
    )
    return moved.chunk(y=5, x=4) if lazy else moved


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2},
        {"depth": slice(5, 45), "dz": 5, "stride": 2, "max_gap": 30},
        {"depth": slice(10, 30)},
        {"max_gap": 30},
    ],
    ids=lambda options: " ".join(options) or "nothing",
)
def test_prepare_computes_nothing(chunked, computed, options):
    prepared = prepare(chunked, **options)
    assert is_dask_collection(prepared)
    assert computed == []
    xr.testing.assert_allclose(prepared.compute(), prepare(chunked.compute(), **options))


def test_prepare_computes_no_lazy_coordinate(rough_model, computed):
    data = curvilinear(rough_model, lazy=True)
    assert is_dask_collection(data["lat"].variable)
    prepared = prepare(data, depth=slice(5, 45), dz=5, stride=2, max_gap=30)
    assert computed == []
    assert is_dask_collection(prepared["lat"].variable)


def test_prepare_of_a_dataset_computes_nothing(two_variables, computed):
    data = two_variables.assign(rho=two_variables["rho"].assign_attrs(missing_value=-1.0))
    assert is_dask_collection(prepare(data.chunk(latitude=5), depth=slice(5, 45), dz=5))
    assert computed == []


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_predict_computes_nothing(rough_model, chunked, computed, metric):
    result = kmeans(rough_model, 3, metric=metric, n_init=1)
    labels = predict(result.dataset, chunked)
    assert labels.chunks == chunked.chunks[1:]
    assert computed == []
    xr.testing.assert_equal(labels.compute(), result.labels)


def test_predict_at_other_levels_computes_nothing(rough_model, chunked, computed):
    result = kmeans(prepare(rough_model, depth=slice(5, 45), dz=5), 3, n_init=1)
    labels = result.predict(chunked)
    assert computed == []
    xr.testing.assert_equal(labels.compute(), result.predict(rough_model))


def test_predict_computes_no_lazy_coordinate(rough_model, computed):
    result = kmeans(rough_model, 3, n_init=1)
    labels = result.predict(curvilinear(rough_model, lazy=True))
    assert computed == []
    np.testing.assert_array_equal(labels, result.labels)


def test_kmeans_takes_lazy_coordinates(rough_model, agree, small_sample):
    expected = kmeans(curvilinear(rough_model, lazy=False), 4, n_init=2)
    found = kmeans(curvilinear(rough_model, lazy=True), 4, n_init=2)
    agree(found, expected, rough_model)
    xr.testing.assert_equal(found.labels.compute(), expected.labels)


def test_kmeans_passes_over_the_data_but_never_holds_the_maps(chunked, computed, small_sample):
    result = kmeans(chunked, 4, n_init=2)
    assert len(computed) > 3
    before = len(computed)
    for name in ("label", "status", "distance", "margin"):
        assert is_dask_collection(result.dataset[name].variable)
    assert len(computed) == before


def test_a_result_is_shown_without_computing(chunked, computed):
    result = kmeans(chunked, 4, n_init=2)
    computed.clear()
    assert result.table()["profiles"].sum() == 130
    assert "4 clusters of 130 profiles of vs" in repr(result)
    assert "ClusterResult" in result._repr_html_()
    assert is_dask_collection(result.select(2))
    assert result.inertia > 0
    assert computed == []


def test_a_sweep_is_shown_without_computing(chunked, computed):
    swept = sweep(chunked, range(2, 6), n_init=2)
    computed.clear()
    assert "best k" in repr(swept)
    assert swept.best_k in range(2, 6)
    assert is_dask_collection(swept.dataset)
    assert computed == []


def test_to_netcdf_computes_and_open_result_gives_it_back(chunked, tmp_path):
    result = kmeans(chunked, 4, n_init=2)
    result.to_netcdf(tmp_path / "result.nc")
    again = open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(again.dataset, result.dataset.compute())
    assert [path.name for path in tmp_path.iterdir()] == ["result.nc"]
    xr.testing.assert_equal(again.predict(chunked).compute(), again.labels)


def test_a_map_and_a_summary_are_drawn_of_dask_results(chunked):
    from matplotlib import pyplot as plt

    swept = sweep(chunked, range(2, 6), n_init=2)
    assert [ax.get_title() for ax in swept.plot.maps().axes[:4]] == [
        f"k = {k}" for k in range(2, 6)
    ]
    assert len(swept.result(4).plot.summary().axes) >= 2
    plt.close("all")


def test_boundaries_of_a_dask_result_are_those_of_one_in_memory(chunked):
    found, expected = (kmeans(data, 3, n_init=2) for data in (chunked, chunked.compute()))
    assert found.boundaries().equals(expected.boundaries())
