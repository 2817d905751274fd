"""What k-means at one and at many k have in common: checkpoints, and what is refused."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, sweep
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import DynamicTimeWarping, Euclidean
from xvcluster.algorithms.source import InMemory
from xvcluster.methods.checkpoint import Checkpoint
from xvcluster.methods.steps import require_distinct
from xvcluster.record.dataset import lowest_first


class InterruptError(Exception):
    """Stops a fit in the midst of it."""


@pytest.fixture
def settle_early(monkeypatch):
    """Settle on few profiles, before all are seen."""
    for metric in (Euclidean, DynamicTimeWarping):
        monkeypatch.setattr(metric, "settled_size", 40)


@pytest.fixture
def interrupt(monkeypatch):
    """Stop a fit after it has saved twice."""
    save, times = Checkpoint.save, []

    def save_twice(self, runs):
        save(self, runs)
        times.append(1)
        if len(times) == 2:
            raise InterruptError

    monkeypatch.setattr(Checkpoint, "save", save_twice)


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_kmeans_that_is_interrupted_goes_on_from_its_checkpoint(
    tmp_path, rough_model, settle_early, interrupt, metric
):
    path, options = tmp_path / "fit", {"metric": metric, "tol": 1e-9}
    expected = kmeans(rough_model, 4, **options)
    assert expected.parameters["n_iter"] > 2
    with pytest.raises(InterruptError):
        kmeans(rough_model, 4, checkpoint=path, **options)
    result = kmeans(rough_model, 4, checkpoint=path, **options)
    xr.testing.assert_identical(
        result.dataset.drop_attrs(deep=False), expected.dataset.drop_attrs(deep=False)
    )
    assert result.parameters == expected.parameters


def test_sweep_that_is_interrupted_goes_on_from_its_checkpoint(
    tmp_path, rough_model, settle_early, interrupt
):
    path, options = tmp_path / "fit", {"k": range(2, 8), "tol": 1e-9}
    expected = sweep(rough_model, **options)
    with pytest.raises(InterruptError):
        sweep(rough_model, checkpoint=path, **options)
    swept = sweep(rough_model, checkpoint=path, **options)
    xr.testing.assert_identical(swept.dataset, expected.dataset)
    for k in options["k"]:
        xr.testing.assert_identical(swept.result(k).centroids, expected.result(k).centroids)


def test_kmeans_of_what_fits_in_memory_writes_a_checkpoint_in_the_end(tmp_path, rough_model):
    path = tmp_path / "fit"
    first, again = (kmeans(rough_model, 4, checkpoint=path) for _ in range(2))
    assert path.exists()
    xr.testing.assert_identical(first.centroids["vs"], again.centroids["vs"])


@pytest.mark.parametrize("early", [False, True], ids=["all at once", "settled early"])
def test_kmeans_that_was_cut_short_goes_on_with_more_passes(tmp_path, request, early):
    if early:
        request.getfixturevalue("settle_early")
    values = np.random.default_rng(0).normal(size=(6, 2000)).cumsum(axis=0)
    data = xr.DataArray(values, dims=("depth", "point"))
    options = {"checkpoint": tmp_path / "fit", "tol": 0.0, "n_init": 1}
    with pytest.warns(UserWarning, match="still moving after max_iter=1 passes for k = 9"):
        short = kmeans(data, 9, max_iter=1, **options)
    result = kmeans(data, 9, max_iter=300, **options)
    assert result.inertia < short.inertia


def test_kmeans_refuses_a_checkpoint_of_other_options_or_data(tmp_path, rough_model):
    kmeans(rough_model, 4, checkpoint=tmp_path / "fit")
    message = "belongs to other data or options; delete it, or give another name"
    for data, options in [
        (rough_model, {"n_clusters": 5}),
        (rough_model, {"n_clusters": 4, "n_init": 2}),
        (rough_model + 0.1 * rough_model**2, {"n_clusters": 4}),
    ]:
        with pytest.raises(ValueError, match=message):
            kmeans(data, **options, checkpoint=tmp_path / "fit")


def test_kmeans_refuses_a_checkpoint_in_no_folder(tmp_path, model):
    with pytest.raises(FileNotFoundError, match=r"folder '.*nowhere' of the checkpoint does not"):
        kmeans(model, 3, checkpoint=tmp_path / "nowhere" / "fit")


def test_kmeans_of_soft_dtw_refuses_a_checkpoint(tmp_path, model):
    message = r"metric='softdtw' writes no checkpoint; leave checkpoint='fit' out"
    with pytest.raises(ValueError, match=message):
        kmeans(model, 3, metric="softdtw", checkpoint="fit")
    with pytest.raises(ValueError, match=message):
        sweep(model, [2, 3], metric="softdtw", checkpoint="fit")


def test_require_distinct_counts_profiles_that_differ():
    profiles = np.repeat(np.arange(3.0), 4)[:, None, None]
    source = InMemory.of(Block.of(profiles))
    require_distinct(source, 3)
    message = "n_clusters=4 is more than the distinct profiles among the 12 complete ones; ask for"
    with pytest.raises(ValueError, match=message):
        require_distinct(source, 4)


def test_lowest_first_orders_by_the_first_variable_over_the_levels():
    centroids = np.stack([[[3.0, 0], [0, 0]], [[1.0, 9], [1, 9]], [[4.0, 5], [4, 5]]])
    assert lowest_first(centroids).tolist() == [1, 0, 2]
