"""Results to NetCDF and back."""

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xvcluster import kmeans, open_result, som
from xvcluster.record.store import SCHEMA, read, write

KINDS = {
    "kmeans": lambda d: kmeans(d["vs"], 4),
    "sweep": lambda d: kmeans(d["vs"], k_range=range(1, 12)),
    "dtw": lambda d: kmeans(d["vs"], 3, metric="dtw"),
    "softdtw": lambda d: kmeans(d["vs"], 2, metric="softdtw", n_init=1, max_iter=3),
    "som": lambda d: som(d["vs"], (3, 4), algorithm="online", n_iterations=300),
    "merged": lambda d: som(d["vs"], (3, 4), n_clusters=3, algorithm="online", n_iterations=300),
    "several": lambda d: kmeans(d, 4),
    "several som": lambda d: som(d, (2, 2), algorithm="online", n_iterations=300),
    "raster": lambda d: kmeans(d["vs"].isel(depth=0), 4),
    "upward": lambda d: kmeans(d["vs"].isel(depth=slice(None, None, -1)), 4),
    "points": lambda d: kmeans(loose_points(d["vs"]), 4),
    "curvilinear": lambda d: kmeans(curvilinear(d["vs"]), 4),
    "time": lambda d: kmeans(in_time(d["vs"]), 4),
}
DATA = {"several": lambda d: d, "raster": lambda d: d["vs"].isel(depth=0, drop=True)}


def loose_points(model):
    return model.stack(profile=("latitude", "longitude")).reset_index("profile")  # noqa: PD013


def curvilinear(model):
    lat, lon = np.meshgrid(model["latitude"], model["longitude"], indexing="ij")
    moved = model.rename(latitude="y", longitude="x").drop_vars(["y", "x"])
    return moved.assign_coords(latitude=(("y", "x"), lat + 0.1), longitude=(("y", "x"), lon))


def in_time(model):
    """Two months; the second is the first, warmed, with a scalar coordinate beside them."""
    time = pd.date_range("2020-01-15", periods=2, freq="31D")
    both = xr.concat([model, model + 0.1], pd.Index(time, name="time"))
    return both.assign_attrs(model.attrs).assign_coords(run=7)


@pytest.fixture
def written(model, tmp_path):
    """A file that stands where the next one should go."""
    path = tmp_path / "result.nc"
    kmeans(model, 3).to_netcdf(path)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:the inertia has no knee")
@pytest.mark.filterwarnings("ignore:the centroids were still moving")
def test_a_result_comes_back_identical(two_variables, tmp_path, kind):
    result = KINDS[kind](two_variables)
    result.to_netcdf(tmp_path / "result.nc")
    again = open_result(str(tmp_path / "result.nc"))
    xr.testing.assert_identical(again.dataset, result.dataset)
    for name, variable in result.dataset.variables.items():
        if name != "time":  # xarray reads dates in nanoseconds
            assert again.dataset[name].dtype == variable.dtype, name
    assert again.parameters == result.parameters
    assert again.inertia == result.inertia


@pytest.mark.parametrize("kind", ["kmeans", "dtw", "som", "merged", "several", "raster", "upward"])
def test_a_result_predicts_after_the_round_trip(two_variables, tmp_path, kind):
    result = KINDS[kind](two_variables)
    result.to_netcdf(tmp_path / "result.nc")
    data = DATA.get(kind, lambda d: d["vs"])(two_variables)
    labels = open_result(tmp_path / "result.nc").predict(data)
    xr.testing.assert_equal(labels, result.labels.drop_vars("depth", errors="ignore"))


def test_a_result_written_twice_comes_back_identical(written):
    again = open_result(written)
    again.to_netcdf(written)
    xr.testing.assert_identical(open_result(written).dataset, again.dataset)


def test_labels_are_integers_on_disk(rough_model, tmp_path):
    result = kmeans(rough_model, 4)
    result.to_netcdf(tmp_path / "result.nc")
    with xr.open_dataset(tmp_path / "result.nc", mask_and_scale=False) as raw:
        assert raw["label"].dtype == np.int16
        assert raw["label"].attrs["_FillValue"] == -1
        np.testing.assert_array_equal(raw["label"], result.labels.fillna(-1))
        assert raw["status"].dtype == np.int8
    with netCDF4.Dataset(tmp_path / "result.nc") as file:
        assert file.data_model == "NETCDF4"
        assert file["label"].flag_meanings.startswith("cluster_1 ")
        assert file["label"].flag_values.dtype == np.int16


def test_data_are_grouped_by_labels_that_were_read(rough_model, tmp_path):
    kmeans(rough_model, 4).to_netcdf(tmp_path / "result.nc")
    labels, centroids = open_result(tmp_path / "result.nc")
    means = xr.Dataset({"vs": rough_model}).groupby(labels).mean()
    np.testing.assert_allclose(means["vs"].transpose("label", "depth"), centroids["vs"], rtol=1e-4)


def test_a_failing_write_leaves_the_old_file_whole(rough_model, written, monkeypatch):
    before = written.read_bytes()

    def crash(self, path, **options):
        path.write_bytes(before[: len(before) // 2])
        raise OSError("no space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", crash)
    with pytest.raises(OSError, match="no space left"):
        kmeans(rough_model, 4).to_netcdf(written)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_a_write_leaves_no_temporary_file(written):
    assert list(written.parent.iterdir()) == [written]


def test_write_refuses_a_folder_that_is_not_there(model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere' does not exist; create it"):
        kmeans(model, 3).to_netcdf(tmp_path / "nowhere" / "result.nc")


def test_open_result_leaves_the_file_free(written):
    result = open_result(written)
    written.unlink()
    assert np.isfinite(result.labels).all()
    assert not result.dataset["label"].encoding


def test_open_result_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.nc"):
        open_result(tmp_path / "none.nc")


def test_open_result_refuses_a_file_of_others(model, tmp_path):
    model.to_netcdf(tmp_path / "model.nc")
    with pytest.raises(ValueError, match=r"model\.nc is not a result of xvcluster.*give a file"):
        open_result(tmp_path / "model.nc")


def test_open_result_refuses_a_newer_layout(written):
    newer = open_result(written).dataset.assign_attrs(xvcluster_schema=SCHEMA + 1)
    newer.to_netcdf(written)
    text = f"has layout version {SCHEMA + 1}, newer than {SCHEMA}.*upgrade xvcluster"
    with pytest.raises(ValueError, match=text):
        open_result(written)


def test_write_takes_attributes_that_netcdf_cannot_hold(tmp_path, model):
    data = model.assign_attrs(checked=np.True_, nothing=None, about={"a": 1})
    data["latitude"].attrs["regular"] = True
    result = data.vcluster.kmeans(2)
    result.to_netcdf(tmp_path / "result.nc")
    again = open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(again.dataset, result.dataset)
    assert again.centroids["vs"].attrs["checked"] == 1
    assert again.centroids["vs"].attrs["about"] == "{'a': 1}"
    assert "nothing" not in again.centroids["vs"].attrs


@pytest.fixture
def lazy_result(rough_model):
    """A result of dask arrays in uneven chunks."""
    chunks = {"latitude": (5, 2, 5), "longitude": (1, 7, 3)}
    return kmeans(rough_model.chunk(chunks), 3, n_init=2)


def test_to_zarr_writes_uneven_chunks_and_comes_back_identical(lazy_result, rough_model, tmp_path):
    lazy_result.to_zarr(tmp_path / "result.zarr")
    again = open_result(tmp_path / "result.zarr")
    xr.testing.assert_identical(again.dataset.compute(), lazy_result.dataset.compute())
    assert again.labels.chunks is not None
    assert again.dataset["vs"].chunks is None
    np.testing.assert_array_equal(again.predict(rough_model), lazy_result.labels)


def test_to_zarr_writes_lazy_coordinates_in_even_chunks_too(bent_model, tmp_path):
    bent = bent_model.chunk(y=(5, 2, 5), x=(1, 7, 3))
    assert bent["lat"].chunks is not None
    found = kmeans(bent, 3, n_init=2)
    found.to_zarr(tmp_path / "bent.zarr")
    again = open_result(tmp_path / "bent.zarr")
    xr.testing.assert_identical(again.labels.compute(), found.labels.compute())


def test_to_zarr_replaces_an_earlier_result(lazy_result, rough_model, tmp_path):
    path = tmp_path / "result.zarr"
    kmeans(rough_model, 2).to_zarr(path)
    lazy_result.to_zarr(path)
    assert open_result(path).n_clusters == 3
    assert list(tmp_path.iterdir()) == [path]


def test_to_zarr_replaces_what_a_link_points_to(lazy_result, tmp_path):
    link, store = tmp_path / "link.zarr", tmp_path / "store.zarr"
    lazy_result.to_zarr(store)
    link.symlink_to(store)
    lazy_result.to_zarr(link)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, store]


def test_to_zarr_never_replaces_the_data(rough_model, tmp_path):
    path = tmp_path / "model.zarr"
    rough_model.to_dataset().to_zarr(path, consolidated=False)
    lazy = xr.open_zarr(path, consolidated=False)["vs"]
    with pytest.raises(ValueError, match="exists and holds no labels of xvcluster"):
        kmeans(lazy, 3, n_init=2).to_zarr(path)
    xr.testing.assert_equal(lazy.compute(), rough_model)


def test_to_zarr_keeps_the_former_store_when_writing_fails(lazy_result, tmp_path, monkeypatch):
    path = tmp_path / "result.zarr"
    lazy_result.to_zarr(path)

    def fail(self, *_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(xr.Dataset, "to_zarr", fail)
    with pytest.raises(OSError, match="disk full"):
        lazy_result.to_zarr(path)
    assert list(tmp_path.iterdir()) == [path]
    assert open_result(path).n_clusters == 3


def test_to_netcdf_never_replaces_a_folder(lazy_result, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        lazy_result.to_netcdf(tmp_path / "mine")
    assert (tmp_path / "mine").is_dir()


def test_to_zarr_and_to_netcdf_refuse_each_other_by_name(lazy_result, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.zarr"):
        lazy_result.to_zarr(tmp_path / "result.nc")
    with pytest.raises(ValueError, match="write it with to_zarr"):
        lazy_result.to_netcdf(tmp_path / "result.zarr")


def test_to_netcdf_computes_lazy_maps_and_comes_back_identical(lazy_result, rough_model, tmp_path):
    lazy_result.to_netcdf(tmp_path / "result.nc")
    again = open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(again.dataset, lazy_result.dataset.compute())
    assert [path.name for path in tmp_path.iterdir()] == ["result.nc"]
    xr.testing.assert_equal(again.predict(rough_model.chunk(latitude=5)).compute(), again.labels)


def test_a_lazy_result_says_that_its_store_was_replaced(lazy_result, rough_model, tmp_path):
    path = tmp_path / "result.zarr"
    lazy_result.to_zarr(path)
    opened = open_result(path)
    np.testing.assert_array_equal(opened.labels.compute(), lazy_result.labels)
    kmeans(rough_model, 2).to_zarr(path)
    with pytest.raises(ValueError, match=r"was replaced since it was opened; open it again"):
        opened.labels.compute()
    assert open_result(path).n_clusters == 2


def test_a_lazy_result_can_be_written_over_its_own_store(lazy_result, tmp_path):
    path = tmp_path / "result.zarr"
    lazy_result.to_zarr(path)
    open_result(path).to_zarr(path)
    xr.testing.assert_identical(open_result(path).dataset.compute(), lazy_result.dataset.compute())


def test_open_result_refuses_arrays_that_no_file_of_its_size_can_hold(written):
    with netCDF4.Dataset(written, "a") as file:
        file.createDimension("huge", 10**11)
        file.createVariable("nothing", "f8", ("huge",), chunksizes=(10**6,))
    with pytest.raises(
        ValueError, match=r"cannot be read as NetCDF: it declares arrays of 745 GiB"
    ):
        open_result(written)


def test_to_netcdf_says_what_it_cannot_hold(model, tmp_path):
    result = kmeans(model, 2)
    result.dataset["vs"].attrs["[odd]/"] = 1
    with pytest.raises(ValueError, match=r"odd\.nc cannot be written as NetCDF: .*illegal char"):
        result.to_netcdf(tmp_path / "odd.nc")


def test_open_result_refuses_integers_with_a_scale_for_centroids(written):
    """They come as floats, and have lost most of their digits."""
    with xr.open_dataset(written) as opened:
        dataset = opened.load()
    del dataset.attrs["xvcluster_checksums"]
    packed = {"vs": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -1}}
    dataset.drop_encoding().to_netcdf(written, encoding=packed)
    with pytest.raises(ValueError, match="'vs' is of type int16, but should hold floating-point"):
        open_result(written)


@pytest.mark.parametrize("name", ["a/b", "", "a\nb", " a", "a ", "(a)", "x" * 300])
@pytest.mark.parametrize("file", ["result.nc", "result.zarr"])
def test_names_that_files_lose_or_refuse_are_refused(model, tmp_path, name, file):
    result = model.rename(name).vcluster.kmeans(2)
    with pytest.raises(ValueError, match=r"the name .* cannot be written: .* with data\.rename"):
        write(result.dataset, tmp_path / file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "Ω°", "2m", "a.b(c)", "_a", "x" * 200])
def test_all_other_names_are_written(model, tmp_path, name):
    result = model.rename(name).vcluster.kmeans(2)
    for file in ("result.nc", "result.zarr"):
        write(result.dataset, tmp_path / file)
        found = read(tmp_path / file)
        np.testing.assert_array_equal(found[name].values, result.centroids[name].values)


def test_a_store_that_was_opened_can_be_written_as_a_file(lazy_result, tmp_path):
    """Warnings are errors here: Zarr's types name their order of bytes, of which NetCDF warns."""
    lazy_result.to_zarr(tmp_path / "result.zarr")
    open_result(tmp_path / "result.zarr").to_netcdf(tmp_path / "result.nc")
    again = open_result(tmp_path / "result.nc").dataset
    xr.testing.assert_identical(again, lazy_result.dataset.compute())
