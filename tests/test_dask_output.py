"""Results of dask arrays on disk: written chunk by chunk, over nothing that is not theirs."""

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

from xvcluster import kmeans, open_result

UNEVEN = {"latitude": (5, 2, 5), "longitude": (1, 7, 3)}


@pytest.fixture
def result(rough_model):
    return kmeans(rough_model.chunk(UNEVEN), 3, n_init=2)


def test_to_zarr_writes_uneven_chunks_and_comes_back_identical(result, rough_model, tmp_path):
    result.to_zarr(tmp_path / "result.zarr")
    again = open_result(tmp_path / "result.zarr")
    xr.testing.assert_identical(again.dataset.compute(), result.dataset.compute())
    assert again.labels.chunks is not None
    assert again.dataset["vs"].chunks is None
    np.testing.assert_array_equal(again.predict(rough_model), result.labels)


def test_to_zarr_writes_lazy_coordinates_in_even_chunks_too(rough_model, tmp_path):
    rows, columns = xr.broadcast(rough_model["latitude"], rough_model["longitude"])
    bent = rough_model.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    bent = bent.assign_coords(lat=(("y", "x"), rows.values), lon=(("y", "x"), columns.values))
    bent = bent.chunk(y=(5, 2, 5), x=(1, 7, 3))
    assert bent["lat"].chunks is not None
    found = kmeans(bent, 3, n_init=2)
    found.to_zarr(tmp_path / "bent.zarr")
    again = open_result(tmp_path / "bent.zarr")
    xr.testing.assert_identical(again.labels.compute(), found.labels.compute())


def test_to_zarr_replaces_an_earlier_result(result, rough_model, tmp_path):
    path = tmp_path / "result.zarr"
    kmeans(rough_model, 2).to_zarr(path)
    result.to_zarr(path)
    assert open_result(path).n_clusters == 3
    assert list(tmp_path.iterdir()) == [path]


def test_to_zarr_replaces_what_a_link_points_to(result, tmp_path):
    link, store = tmp_path / "link.zarr", tmp_path / "store.zarr"
    result.to_zarr(store)
    link.symlink_to(store)
    result.to_zarr(link)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, store]


def test_to_zarr_never_replaces_the_data(rough_model, tmp_path):
    path = tmp_path / "model.zarr"
    rough_model.to_dataset().to_zarr(path, consolidated=False)
    lazy = xr.open_zarr(path, consolidated=False)["vs"]
    with pytest.raises(ValueError, match="exists and holds no labels of xvcluster"):
        kmeans(lazy, 3, n_init=2).to_zarr(path)
    xr.testing.assert_equal(lazy.compute(), rough_model)


def test_to_zarr_keeps_the_former_store_when_writing_fails(result, tmp_path, monkeypatch):
    path = tmp_path / "result.zarr"
    result.to_zarr(path)

    def fail(self, *_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(xr.Dataset, "to_zarr", fail)
    with pytest.raises(OSError, match="disk full"):
        result.to_zarr(path)
    assert list(tmp_path.iterdir()) == [path]
    assert open_result(path).n_clusters == 3


def test_to_netcdf_never_replaces_a_folder(result, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        result.to_netcdf(tmp_path / "mine")
    assert (tmp_path / "mine").is_dir()


def test_to_zarr_and_to_netcdf_refuse_each_other_by_name(result, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.zarr"):
        result.to_zarr(tmp_path / "result.nc")
    with pytest.raises(ValueError, match="write it with to_zarr"):
        result.to_netcdf(tmp_path / "result.zarr")


def test_figures_and_outlines_pass_over_the_data_once(rough_model, computed):
    found = kmeans(rough_model.chunk(latitude=4), 3, n_init=2)
    for draw in (found.plot.map, found.plot.summary, lambda: found.boundaries(1)):
        before = len(computed)
        draw()
        assert len(computed) == before + 1
    plt.close("all")


def test_prepare_interpolates_no_undeclared_fill_value(rough_model):
    filled = rough_model.copy()
    filled.values[3:, :6, :6] = -9999.0
    lazy = filled.chunk(latitude=4, longitude=3).vcluster.prepare(dz=7)
    with pytest.warns(UserWarning, match="-9999, which the file does not declare"):
        expected = filled.vcluster.prepare(dz=7)
    xr.testing.assert_equal(lazy.compute(), expected)
