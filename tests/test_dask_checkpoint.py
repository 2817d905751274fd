"""A long fit that is interrupted goes on from its checkpoint."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, sweep
from xvcluster.algorithms import passes
from xvcluster.methods.checkpoint import Checkpoint

FITS = {
    "kmeans": lambda data, **options: kmeans(data, 7, n_init=1, tol=0.0, **options),
    "dtw": lambda data, **options: kmeans(data, 5, metric="dtw", n_init=1, **options),
    "sweep": lambda data, **options: sweep(data, range(4, 8), n_init=1, tol=0.0, **options),
}


@pytest.fixture
def chunked(rough_model, small_sample):
    """A model of which not all profiles fit in the sample."""
    return rough_model.chunk(latitude=5, longitude=4)


@pytest.fixture
def passed(monkeypatch):
    """The passes over all chunks so far, in a list that grows."""
    seen, pass_over = [], passes._pass_over

    def note_and_pass(source, runs, metric):
        seen.append(len(runs))
        return pass_over(source, runs, metric)

    monkeypatch.setattr(passes, "_pass_over", note_and_pass)
    return seen


def interrupt(monkeypatch, n):
    """Let the n-th save of a checkpoint succeed, and then break off."""
    save, saved = Checkpoint.save, []

    def save_and_stop(self, runs):
        save(self, runs)
        saved.append(runs)
        if len(saved) == n:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_stop)


def centroids(result):
    found = result.result(6) if hasattr(result, "best_k") else result
    return found.dataset.compute().drop_attrs(deep=False)


@pytest.mark.filterwarnings("ignore:the inertia has no knee")
@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("n", [1, 3], ids=["before the first pass", "after the second"])
def test_a_fit_that_was_interrupted_goes_on(chunked, passed, monkeypatch, tmp_path, name, n):
    expected = FITS[name](chunked)
    undisturbed = len(passed)
    assert undisturbed > 3
    path = tmp_path / "fit.npz"
    with monkeypatch.context() as context:
        interrupt(context, n)
        with pytest.raises(KeyboardInterrupt):
            FITS[name](chunked, checkpoint=path)
    assert [p.name for p in tmp_path.iterdir()] == ["fit.npz"]
    passed.clear()
    found = FITS[name](chunked, checkpoint=path)
    assert len(passed) == undisturbed - (n - 1)
    xr.testing.assert_identical(centroids(found), centroids(expected))
    assert [p.name for p in tmp_path.iterdir()] == ["fit.npz"]


def test_a_fit_that_ended_is_not_done_again(chunked, passed, tmp_path):
    first = FITS["kmeans"](chunked, checkpoint=tmp_path / "fit.npz")
    passed.clear()
    again = FITS["kmeans"](chunked, checkpoint=tmp_path / "fit.npz")
    assert passed == []
    xr.testing.assert_identical(centroids(again), centroids(first))


def test_a_fit_goes_on_where_max_iter_ended_it(chunked, passed, tmp_path):
    path = tmp_path / "fit.npz"
    expected = FITS["kmeans"](chunked)
    passed.clear()
    with pytest.warns(UserWarning, match="were still moving after max_iter=2 passes for k = 7"):
        FITS["kmeans"](chunked, max_iter=2, checkpoint=path)
    assert len(passed) == 2
    resumed = FITS["kmeans"](chunked, checkpoint=path)
    assert resumed.inertia <= 1.02 * expected.inertia
    assert resumed.parameters["n_iter"] > 2


def test_a_fit_of_few_profiles_keeps_a_checkpoint_too(rough_model, tmp_path):
    path = tmp_path / "fit.npz"
    expected = kmeans(rough_model, 3, n_init=1)
    for data in (rough_model, rough_model):
        found = kmeans(data, 3, n_init=1, checkpoint=path)
        xr.testing.assert_identical(centroids(found), centroids(expected))


def test_a_save_that_fails_leaves_the_one_before(chunked, monkeypatch, tmp_path):
    path = tmp_path / "fit.npz"
    with monkeypatch.context() as context:
        interrupt(context, 2)
        with pytest.raises(KeyboardInterrupt):
            FITS["kmeans"](chunked, checkpoint=path)
    before = path.read_bytes()

    def fill_the_disk(file, **arrays):
        file.write(b"half")
        raise OSError("no space left")

    with monkeypatch.context() as context:
        context.setattr(np, "savez", fill_the_disk)
        with pytest.raises(OSError, match="no space left"):
            FITS["kmeans"](chunked, checkpoint=path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["fit.npz"]


@pytest.mark.parametrize(
    "options",
    [{"random_state": 1}, {"n_init": 2}, {"tol": 1e-3}, {"metric": "dtw"}, {"n_clusters": 4}],
    ids=lambda options: next(iter(options)),
)
def test_a_checkpoint_of_other_options_is_refused(chunked, tmp_path, options):
    path = tmp_path / "fit.npz"
    known = {"n_clusters": 3, "n_init": 1}
    kmeans(chunked, **known, checkpoint=path)
    with pytest.raises(
        ValueError, match=r"checkpoint '.*' belongs to other data or options; delete it"
    ):
        kmeans(chunked, **known | options, checkpoint=path)


def test_a_checkpoint_of_other_data_is_refused(chunked, tmp_path):
    path = tmp_path / "fit.npz"
    kmeans(chunked, 3, n_init=1, checkpoint=path)
    for other in (2 * chunked, chunked.isel(latitude=slice(1, None))):
        with pytest.raises(ValueError, match="belongs to other data or options"):
            kmeans(other, 3, n_init=1, checkpoint=path)


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "array", "other arrays"])
def test_a_file_that_is_no_checkpoint_is_refused(chunked, tmp_path, kind):
    path = tmp_path / "fit.npz"
    kmeans(chunked, 3, n_init=1, checkpoint=path)
    if kind == "array":
        with path.open("wb") as file:
            np.save(file, np.arange(3))
    elif kind == "other arrays":
        np.savez(path, values=np.arange(3))
    else:
        whole = path.read_bytes()
        path.write_bytes({"text": b"notes", "empty": b"", "cut": whole[: len(whole) // 2]}[kind])
    with pytest.raises(ValueError, match="is not a checkpoint of xvcluster; give another name"):
        kmeans(chunked, 3, n_init=1, checkpoint=path)


def test_a_checkpoint_in_no_folder_is_refused(chunked, tmp_path):
    with pytest.raises(FileNotFoundError, match="of the checkpoint does not exist; create it"):
        kmeans(chunked, 3, n_init=1, checkpoint=tmp_path / "none" / "fit.npz")


def test_softdtw_writes_no_checkpoint(rough_model, tmp_path):
    with pytest.raises(ValueError, match="metric='softdtw' writes no checkpoint"):
        kmeans(rough_model, 3, metric="softdtw", checkpoint=tmp_path / "fit.npz")
    assert list(tmp_path.iterdir()) == []
