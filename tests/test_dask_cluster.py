"""Fits on the workers of dask.distributed, and what happens where one is lost."""

import logging
import os
import signal
import threading
import time

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

from xvcluster import kmeans, som, sweep
from xvcluster.algorithms import passes

METHODS = {
    "euclidean": lambda data: kmeans(data, 5, n_init=4),
    "dtw": lambda data: kmeans(data, 4, metric="dtw", window=2, n_init=1),
    "batch": lambda data: som(data, (3, 3), algorithm="batch", n_iterations=12),
    "merged": lambda data: som(data, (4, 4), algorithm="batch", n_iterations=12, n_clusters=4),
    "online": lambda data: som(data, (3, 2), n_iterations=2000),
    "sweep": lambda data: sweep(data, range(1, 6), n_init=2).result(4),
}
chunks = {"latitude": (5, 5, 2), "longitude": (4, 7)}
unseen = pytest.mark.filterwarnings("ignore:online training shows the map")


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
@pytest.mark.parametrize("name", METHODS)
def test_methods_agree_on_workers(rough_model, agree, small_sample, in_threads, name):
    with in_threads.as_current():
        found = METHODS[name](rough_model.chunk(chunks))
        agree(found, METHODS[name](rough_model), rough_model)


def test_workers_give_the_labels_of_threads(rough_model, small_sample, in_threads):
    data = rough_model.chunk(chunks)
    with in_threads.as_current():
        found = METHODS["euclidean"](data).dataset.compute()
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_equal(found, METHODS["euclidean"](data).dataset.compute())


def test_predict_is_computed_on_workers(rough_model, in_threads):
    result = METHODS["euclidean"](rough_model)
    with in_threads.as_current():
        labels = result.predict(rough_model.chunk(chunks)).compute()
    xr.testing.assert_equal(labels, result.labels)


def test_a_chunk_that_workers_cannot_read_is_named(rough_model, in_threads):
    def read(block, block_id=None):
        if block_id == (0, 2, 1):
            raise OSError("the disk is gone")
        return block

    data = rough_model.chunk(chunks)
    values = da.map_blocks(read, data.data, dtype=data.dtype, meta=rough_model.values[:0])
    named = r"the chunk at latitude\[10:12\], longitude\[4:11\] cannot be worked on: the disk"
    with in_threads.as_current(), pytest.raises(RuntimeError, match=named):
        kmeans(data.copy(data=values), 3)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_methods_agree_on_workers_in_processes(
    rough_model, agree, small_sample, in_processes, name
):
    with in_processes.as_current():
        found = METHODS[name](rough_model.chunk(chunks))
        agree(found, METHODS[name](rough_model), rough_model)


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
    np.testing.assert_array_equal(found.centroids, expected.centroids)
