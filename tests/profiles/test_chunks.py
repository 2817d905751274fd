"""Models in dask arrays are clustered as those in memory, whatever their chunks and scheduler."""

import logging
import os
import signal
import threading
import time
import warnings
from itertools import pairwise

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from dask.base import is_dask_collection
from distributed import Client, LocalCluster
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from xvcluster import kmeans, som, sweep
from xvcluster.algorithms import passes
from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.source import priorities
from xvcluster.profiles import QUANTILES, lay_out, open_profiles
from xvcluster.profiles.chunks import Chunks

METHODS = {
    "euclidean": lambda data: kmeans(data, 5, n_init=4),
    "dtw": lambda data: kmeans(data, 4, metric="dtw", window=2, n_init=1),
    "batch": lambda data: som(data, (3, 3), algorithm="batch", n_iterations=12),
    "merged": lambda data: som(data, (4, 4), algorithm="batch", n_iterations=12, n_clusters=4),
    "online": lambda data: som(data, (3, 2), algorithm="online", n_iterations=2000),
    "online merged": lambda data: som(
        data, (3, 3), algorithm="online", n_iterations=2000, n_clusters=4
    ),
}
ON_WORKERS = {name: METHODS[name] for name in ("euclidean", "dtw", "batch", "merged", "online")}
ON_WORKERS["sweep"] = lambda data: sweep(data, range(1, 6), n_init=2).result(4)
CHUNKS = {"latitude": (5, 5, 2), "longitude": (4, 7)}

few = settings(
    deadline=None, max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
unseen = pytest.mark.filterwarnings("ignore:online training shows the map")


def pieces(size):
    """Chunk sizes along a dimension, of any raggedness."""
    cuts = st.lists(st.integers(1, size - 1), max_size=3, unique=True).map(sorted)
    return cuts.map(lambda cuts: tuple(b - a for a, b in pairwise([0, *cuts, size])))


chunkings = st.fixed_dictionaries(
    {"latitude": pieces(12), "longitude": pieces(11), "depth": st.just((6,)) | pieces(6)}
)
one_wide = {"latitude": (12,), "longitude": (1,) * 11, "depth": (6,)}
one_missing = {"latitude": (3, 9), "longitude": (2, 9), "depth": (6,)}


@pytest.fixture
def holed_model(rough_model):
    """A model with a corner of no data, so large that it can fill a chunk."""
    rough_model[:, :3, :2] = np.nan
    return rough_model


def run(method, data, chunks):
    """A result by a method of data in these chunks; a warning if they split the vertical."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = method(data.chunk(chunks))
    split = [w for w in caught if "is split over" in str(w.message)]
    assert len(split) == (len(chunks["depth"]) > 1)
    return result


@pytest.mark.parametrize("name", METHODS)
def test_methods_agree_with_those_in_memory(holed_model, agree, name):
    expected = METHODS[name](holed_model)
    agree(METHODS[name](holed_model.chunk(one_missing)), expected)


@unseen
@pytest.mark.parametrize("name", METHODS)
def test_methods_agree_where_not_all_fits_in_the_sample(holed_model, agree, small_sample, name):
    expected = METHODS[name](holed_model)

    @few
    @given(chunks=chunkings)
    @example(chunks=one_wide)
    @example(chunks=one_missing)
    def check(chunks):
        agree(run(METHODS[name], holed_model, chunks), expected)

    check()


def test_kmeans_of_several_variables_agrees_whatever_the_chunks(two_variables, agree, small_sample):
    def cluster(data):
        return kmeans(data, 3, n_init=2)

    expected = cluster(two_variables)

    @settings(few, max_examples=6)
    @given(chunks=chunkings)
    def check(chunks):
        agree(run(cluster, two_variables, chunks), expected)

    check()


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
@pytest.mark.parametrize("everywhere", [True, False], ids=["passes", "sample"])
def test_sweep_agrees_with_that_in_memory(holed_model, agree, request, metric, everywhere):
    if everywhere:
        request.getfixturevalue("small_sample")
    options = {"metric": metric, "n_init": 1}
    expected = sweep(holed_model, range(1, 6), **options)
    found = sweep(holed_model.chunk(one_missing), range(1, 6), **options)
    for name, array in expected.dataset.data_vars.items():
        np.testing.assert_allclose(found.dataset[name], array, rtol=1e-6, err_msg=name)
    assert found.dataset.attrs == expected.dataset.attrs
    assert found.dataset["label"].chunks == ((1,) * 5, *holed_model.chunk(one_missing).chunks[1:])
    agree(found.result(4), expected.result(4))


@pytest.mark.parametrize("everywhere", [True, False], ids=["passes", "sample"])
def test_kmeans_without_k_agrees_with_that_in_memory(model, request, everywhere):
    if everywhere:
        request.getfixturevalue("small_sample")
    options = {"k_range": range(1, 7), "n_init": 2}
    found = kmeans(model.chunk(latitude=3), **options)
    assert found.n_clusters == 3
    np.testing.assert_array_equal(found.labels, kmeans(model, **options).labels)


@pytest.mark.parametrize("name", ["euclidean", "dtw", "batch"])
def test_labels_are_the_same_on_any_number_of_threads(rough_model, small_sample, name):
    data = rough_model.chunk(latitude=5, longitude=4)
    with dask.config.set(scheduler="synchronous"):
        expected = METHODS[name](data).dataset.compute()
    for workers in (1, 2, 4):
        with dask.config.set(scheduler="threads", num_workers=workers):
            found = METHODS[name](data).dataset.compute()
        xr.testing.assert_equal(found, expected)


def test_another_seed_draws_another_sample(rough_model, small_sample):
    data = rough_model.chunk(latitude=3)
    results = [kmeans(data, 6, n_init=1, max_iter=300, random_state=s) for s in (0, 1)]
    assert results[0].inertia != results[1].inertia


@pytest.mark.parametrize("name", METHODS)
def test_maps_are_dask_arrays_chunked_as_the_data(rough_model, name):
    data = rough_model.chunk(latitude=(5, 4, 3), longitude=(1, 10))
    dataset = METHODS[name](data).dataset
    maps = {"label", "status", "distance", "margin"}
    for variable in maps:
        assert dataset[variable].chunks == ((5, 4, 3), (1, 10))
    assert {n for n, a in dataset.variables.items() if a.chunks is not None} == maps


def test_quantiles_are_those_of_a_sample_with_more_of_small_clusters(
    rough_model, small_sample, monkeypatch
):
    monkeypatch.setattr("xvcluster.profiles.chunks._FEW", 1)
    options = {"normalize": None, "by_level": True, "seed": np.random.SeedSequence(0)}
    whole = open_profiles(lay_out(rough_model), **options).layout
    data = rough_model.chunk(CHUNKS)
    profiles = open_profiles(lay_out(data), **options)
    left_out = np.flatnonzero(~np.isin(whole.points, profiles.points))[0]
    rest = np.setdiff1d(np.arange(130), left_out)[[0, 30, 60, 90]]
    centroids = whole.values[[left_out, *rest]].astype(float)
    centroids[0] += 9.0 * (centroids[0] - centroids[1:].mean(axis=0))
    assigner = Assigner(centroids, get_metric("euclidean"))
    labels = assign(whole.values, assigner).labels
    found = profiles.members(assigner).statistics(centroids)
    sizes = []
    for c in range(5):
        members = np.flatnonzero(labels == c)
        n = max(np.isin(whole.points[members], profiles.points).sum(), 40 // 5)
        drawn = members[np.argsort(priorities(whole.points[members], profiles.seed))[:n]]
        expected = np.quantile(whole.values[drawn], QUANTILES, axis=0)
        np.testing.assert_allclose(found.quantiles[:, c], expected, rtol=1e-5, atol=1e-6)
        sizes.append(len(drawn))
    assert min(sizes) < 8 < max(sizes)
    assert found.comment == (
        f"of {sum(sizes)} of all 130 profiles, drawn at random: of each cluster at least 8, or all "
        "that it has"
    )
    other = open_profiles(lay_out(rough_model.chunk(latitude=1)), **options).members(assigner)
    np.testing.assert_array_equal(other.statistics(centroids).quantiles, found.quantiles)


def test_chunks_of_the_vertical_are_merged_with_one_warning(rough_model, agree):
    expected = kmeans(rough_model, 4, n_init=2)
    data = rough_model.chunk(depth=2, **CHUNKS)
    with pytest.warns(UserWarning, match=r"'depth' is split over 3 chunks") as caught:
        found = kmeans(data, 4, n_init=2)
    assert len(caught) == 1
    assert found.labels.chunks == data.chunks[1:]
    agree(found, expected)


def test_merged_chunks_that_are_large_are_cut(rough_model, agree, monkeypatch):
    expected = kmeans(rough_model, 4, n_init=2)
    monkeypatch.setattr("xvcluster.profiles.chunks._LARGEST", 2000)
    with pytest.warns(UserWarning, match=r"'depth' is split over 3 chunks"):
        found = kmeans(rough_model.chunk(depth=2), 4, n_init=2)
    assert found.labels.chunks == ((12,), (11,))
    agree(found, expected)
    with pytest.warns(UserWarning, match=r"'depth' is split over 3 chunks"):
        chunks = Chunks.of(lay_out(rough_model.chunk(depth=2)))
    assert len(chunks.parts) > 1
    assert sum(place.taken().sum() for place in chunks.places) == 132


def test_sweep_and_som_warn_once_of_chunks_of_the_vertical(rough_model):
    data = rough_model.chunk(depth=3)
    with pytest.warns(UserWarning, match="is split over 2 chunks") as caught:
        sweep(data, range(2, 6), n_init=1).result(3)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match="is split over 2 chunks") as caught:
        som(data, (2, 2), algorithm="batch", n_iterations=12)
    assert len(caught) == 1


def test_a_variable_in_memory_stands_beside_one_in_chunks(two_variables, agree):
    expected = kmeans(two_variables, 4, n_init=2)
    for lazy in ("vs", "rho"):
        mixed = two_variables.assign({lazy: two_variables[lazy].chunk(CHUNKS)})
        found = kmeans(mixed, 4, n_init=2)
        assert found.labels.chunks == two_variables.chunk(CHUNKS)["vs"].chunks[1:]
        agree(found, expected)


def test_variables_may_differ_in_chunks_and_in_the_order_of_dimensions(two_variables, agree):
    mixed = two_variables.assign(rho=two_variables["rho"].transpose().chunk(longitude=3))
    mixed = mixed.assign(vs=two_variables["vs"].chunk(CHUNKS))
    agree(kmeans(mixed, 4, n_init=2), kmeans(two_variables, 4, n_init=2))


def test_more_clusters_than_distinct_profiles_are_refused(rough_model):
    alike = xr.zeros_like(rough_model)
    with pytest.raises(ValueError, match="n_clusters=2 is more than the distinct profiles"):
        kmeans(alike.chunk(CHUNKS), 2)


@pytest.mark.parametrize("method", [kmeans, som, sweep])
def test_reserved_names_are_refused_before_anything_is_computed(rough_model, computed, method):
    argument = {kmeans: 3, som: (2, 2), sweep: [2, 3]}[method]
    with pytest.raises(ValueError, match="the data use the name 'label'"):
        method(rough_model.rename("label").chunk(CHUNKS), argument)
    with pytest.raises(ValueError, match="the data use the name 'cluster'"):
        method(rough_model.chunk(CHUNKS).rename(latitude="cluster"), argument, dim="depth")
    assert computed == []


def test_options_are_refused_before_anything_is_computed(rough_model, computed, tmp_path):
    data = rough_model.chunk(CHUNKS)
    with pytest.raises(ValueError, match="metric='softdtw' needs all profiles in memory"):
        kmeans(data, 3, metric="softdtw")
    with pytest.raises(ValueError, match="metric='softdtw' needs all profiles in memory"):
        sweep(data, [2, 3], metric="softdtw")
    with pytest.raises(ValueError, match="n_clusters=9 is more than the 2 x 2 nodes"):
        som(data, (2, 2), n_clusters=9)
    with pytest.raises(ValueError, match="max_iter"):
        kmeans(data, 3, max_iter=0)
    with pytest.raises(ValueError, match="tol"):
        kmeans(data, 3, tol=-1.0)
    assert computed == []


def broken(data, place):
    """Data of which the chunk at a place cannot be read."""

    def read(block, block_id=None):
        if block_id == place:
            raise OSError("the disk is gone")
        return block

    values = da.map_blocks(read, data.chunk(CHUNKS).data, dtype=data.dtype, meta=data.values[:0])
    return data.copy(data=values)


def test_a_chunk_that_cannot_be_read_is_named(rough_model):
    data = broken(rough_model, (0, 1, 1))
    named = (
        r"the chunk at latitude\[5:10\], longitude\[4:11\] cannot be processed: the disk is gone\."
    )
    with pytest.raises(RuntimeError, match=named) as caught:
        kmeans(data, 3)
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(RuntimeError, match=named):
        som(data, (2, 2))


def test_inputs_are_unchanged(two_variables):
    data = two_variables.chunk(CHUNKS)
    before, attrs = data.copy(deep=True), dict(data["vs"].attrs)
    kmeans(data, 3, n_init=1)
    xr.testing.assert_identical(data.compute(), before.compute())
    assert data.chunks == before.chunks
    assert data["vs"].attrs == attrs


def test_kmeans_takes_lazy_coordinates(bent_model, agree, small_sample):
    expected = kmeans(bent_model, 4, n_init=2)
    found = kmeans(bent_model.chunk(y=5, x=4), 4, n_init=2)
    agree(found, expected)
    xr.testing.assert_equal(found.labels.compute(), expected.labels)


def test_kmeans_passes_over_the_data_but_never_holds_the_maps(rough_model, computed, small_sample):
    result = kmeans(rough_model.chunk(CHUNKS), 4, n_init=2)
    assert len(computed) > 3
    before = len(computed)
    for name in ("label", "status", "distance", "margin"):
        assert is_dask_collection(result.dataset[name].variable)
    assert len(computed) == before


def start(*, processes):
    """A cluster of two workers on this machine, without a dashboard, and its client."""
    with dask.config.set({"distributed.comm.timeouts.connect": "20s"}):
        cluster = LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=processes,
            dashboard_address="127.0.0.1:0",
            host="127.0.0.1" if processes else None,
            silence_logs=logging.CRITICAL,
        )
        return cluster, Client(cluster, timeout=20, set_as_default=False)


@pytest.fixture(scope="module")
def in_threads():
    """Two workers in this process."""
    cluster, client = start(processes=False)
    with cluster, client:
        yield client


@pytest.fixture(scope="module")
def in_processes():
    """Two workers in processes of their own."""
    cluster, client = start(processes=True)
    with cluster, client:
        yield client


@unseen
@pytest.mark.parametrize("name", ON_WORKERS)
def test_methods_agree_on_workers(rough_model, agree, small_sample, in_threads, name):
    with in_threads.as_current():
        found = ON_WORKERS[name](rough_model.chunk(CHUNKS))
        agree(found, ON_WORKERS[name](rough_model))


def test_workers_give_the_labels_of_threads(rough_model, small_sample, in_threads):
    data = rough_model.chunk(CHUNKS)
    with in_threads.as_current():
        found = ON_WORKERS["euclidean"](data).dataset.compute()
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_equal(found, ON_WORKERS["euclidean"](data).dataset.compute())


def test_predict_is_computed_on_workers(rough_model, in_threads):
    result = ON_WORKERS["euclidean"](rough_model)
    with in_threads.as_current():
        labels = result.predict(rough_model.chunk(CHUNKS)).compute()
    xr.testing.assert_equal(labels, result.labels)


def test_a_chunk_that_workers_cannot_read_is_named(rough_model, in_threads):
    def read(block, block_id=None):
        if block_id == (0, 2, 1):
            raise OSError("the disk is gone")
        return block

    data = rough_model.chunk(CHUNKS)
    values = da.map_blocks(read, data.data, dtype=data.dtype, meta=rough_model.values[:0])
    named = r"the chunk at latitude\[10:12\], longitude\[4:11\] cannot be processed: the disk"
    with in_threads.as_current(), pytest.raises(RuntimeError, match=named):
        kmeans(data.copy(data=values), 3)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_methods_agree_on_workers_in_processes(
    rough_model, agree, small_sample, in_processes, name
):
    with in_processes.as_current():
        found = ON_WORKERS[name](rough_model.chunk(CHUNKS))
        agree(found, ON_WORKERS[name](rough_model))


def test_a_worker_may_be_lost_in_the_middle_of_a_fit(
    rough_model, monkeypatch, small_sample, in_processes
):
    def read_slowly(block):
        time.sleep(0.05)
        return block

    data = rough_model.chunk(latitude=3, longitude=4)
    expected = kmeans(data, 6, n_init=1, tol=0.0)
    slow = data.copy(data=da.map_blocks(read_slowly, data.data, dtype=data.dtype))
    reading, pass_over = threading.Event(), passes._pass_over

    def tell_and_pass(*args):
        reading.set()
        return pass_over(*args)

    monkeypatch.setattr(passes, "_pass_over", tell_and_pass)
    pids = list(in_processes.run(os.getpid).values())

    def kill_one():
        reading.wait(30)
        time.sleep(0.1)
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    with in_processes.as_current():
        found = kmeans(slow, 6, n_init=1, tol=0.0)
        labels = found.labels.compute()
    killer.join()
    in_processes.wait_for_workers(2, timeout=30)
    assert pids[0] not in in_processes.run(os.getpid).values()
    xr.testing.assert_equal(labels, expected.labels.compute())
    np.testing.assert_array_equal(found.centroids["vs"], expected.centroids["vs"])
