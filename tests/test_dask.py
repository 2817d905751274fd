"""Models in dask arrays are clustered as those in memory, whatever their chunks and threads."""

import warnings
from itertools import pairwise

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from xvcluster import kmeans, som, sweep

METHODS = {
    "euclidean": lambda data: kmeans(data, 5, n_init=4),
    "dtw": lambda data: kmeans(data, 4, metric="dtw", window=2, n_init=1),
    "batch": lambda data: som(data, (3, 3), algorithm="batch", n_iterations=20),
    "merged": lambda data: som(data, (4, 4), algorithm="batch", n_iterations=20, n_clusters=4),
    "online": lambda data: som(data, (3, 2), n_iterations=2000),
    "online merged": lambda data: som(data, (3, 3), n_iterations=2000, n_clusters=4),
}

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
    agree(METHODS[name](holed_model.chunk(one_missing)), expected, holed_model)


@unseen
@pytest.mark.parametrize("name", METHODS)
def test_methods_agree_where_not_all_fits_in_the_sample(holed_model, agree, small_sample, name):
    expected = METHODS[name](holed_model)

    @few
    @given(chunks=chunkings)
    @example(chunks=one_wide)
    @example(chunks=one_missing)
    def check(chunks):
        agree(run(METHODS[name], holed_model, chunks), expected, holed_model)

    check()


def test_kmeans_of_several_variables_agrees_whatever_the_chunks(two_variables, agree, small_sample):
    def cluster(data):
        return kmeans(data, 3, n_init=2)

    expected = cluster(two_variables)

    @settings(few, max_examples=6)
    @given(chunks=chunkings)
    def check(chunks):
        agree(run(cluster, two_variables, chunks), expected, two_variables)

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
    agree(found.result(4), expected.result(4), holed_model)


@pytest.mark.parametrize("everywhere", [True, False], ids=["passes", "sample"])
def test_kmeans_without_k_agrees_with_that_in_memory(model, request, everywhere):
    if everywhere:
        request.getfixturevalue("small_sample")
    options = {"k_range": range(1, 7), "n_init": 2}
    found = kmeans(model.chunk(latitude=3), **options)
    assert found.n_clusters == 3
    np.testing.assert_array_equal(found.labels, kmeans(model, **options).labels)


@few
@given(chunks=chunkings, name=st.sampled_from(["euclidean", "dtw", "merged"]))
def test_predict_agrees_with_that_in_memory(holed_model, chunks, name):
    result = METHODS[name](holed_model)
    other = (holed_model + 0.1).assign_attrs(holed_model.attrs)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is split over")
        found = result.predict(other.chunk(chunks))
    xr.testing.assert_identical(found.compute(), result.predict(other))


def test_predict_by_a_result_of_chunks_gives_its_labels(two_variables, small_sample):
    data = two_variables.chunk(latitude=5, longitude=4)
    result = kmeans(data, 4, n_init=2)
    xr.testing.assert_equal(result.predict(data), result.labels)
    xr.testing.assert_equal(result.predict(data.compute()), result.labels.compute())


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
