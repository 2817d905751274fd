"""Maps of Zarr stores, checked when they are read."""

import json

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, open_result
from xvcluster.record.seal import SEAL


@pytest.fixture
def store(rough_model, tmp_path):
    path = tmp_path / "result.zarr"
    kmeans(rough_model.chunk(latitude=6), 3, n_init=2).to_zarr(path)
    return path


def chunk_of(store, name):
    return max(p for p in (store / name / "c").rglob("*") if p.is_file())


def test_maps_are_read_one_chunk_at_a_time(store, rough_model):
    result = open_result(store)
    assert result.labels.chunks == ((6, 6), (11,))
    chunk_of(store, "label").write_bytes(b"no chunk")
    first = result.labels[:6].compute()
    xr.testing.assert_equal(
        first, result.predict(rough_model)[:6].drop_vars("depth", errors="ignore")
    )


def test_a_chunk_that_is_damaged_is_named(store):
    result = open_result(store)
    chunk_of(store, "label").write_bytes(b"no chunk")
    message = r"result\.zarr is damaged, and its 'label' cannot be read: .*; make it again"
    for read in (result.labels.compute, result.plot.map, result.boundaries):
        with pytest.raises(ValueError, match=message):
            read()


def test_a_chunk_that_is_missing_is_named(store):
    chunk_of(store, "margin").unlink()
    with pytest.raises(
        ValueError, match=r"result\.zarr cannot be read.* 1 of 2 chunks of 'margin' are missing"
    ):
        open_result(store)


def test_lazy_labels_that_are_no_clusters_are_refused(store):
    raw = xr.open_zarr(store, consolidated=False, mask_and_scale=False).load()
    raw["label"][0, 1] = 77
    raw.drop_encoding().to_zarr(store, mode="w", consolidated=False)
    result = open_result(store)
    with pytest.raises(ValueError, match="'label' holds 77, but clusters are numbered 1 to 3"):
        result.labels.compute()


def test_a_store_without_checksums_may_lack_chunks_that_are_empty(store, rough_model):
    """As earlier versions wrote them."""
    raw = xr.open_zarr(store, consolidated=False).load()
    del raw.attrs[SEAL]
    encoding = {"label": {"dtype": "int16", "_FillValue": -1}}
    raw = raw.drop_encoding().assign(label=raw["label"].where(raw["latitude"] > 99))
    raw.to_zarr(store, mode="w", consolidated=False, encoding=encoding)
    assert np.isnan(open_result(store).labels).all()


@pytest.mark.parametrize("name", ["zarr.json", "label/zarr.json", "vs/zarr.json"])
@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"zarr_format": 9}'])
@pytest.mark.filterwarnings("ignore:Object at")
def test_damaged_metadata_are_refused_in_a_sentence(store, name, text):
    (store / name).write_text(text)
    with pytest.raises(
        ValueError, match=r"result\.zarr (cannot be read as Zarr|is damaged|is not a result)"
    ):
        open_result(store)


def test_a_shape_that_is_not_that_of_the_chunks_is_refused(store):
    path = store / "vs" / "zarr.json"
    metadata = json.loads(path.read_text())
    metadata["shape"] = [3, 10**9]
    path.write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match=r"result\.zarr cannot be read as Zarr"):
        open_result(store)
