"""Centroids on disk between the passes of a long fit, which goes on from them."""

import json

import numpy as np
import pytest
import xarray as xr

from xvcluster import kmeans, sweep
from xvcluster.algorithms import passes
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import Run
from xvcluster.algorithms.metrics import DynamicTimeWarping, Euclidean
from xvcluster.algorithms.source import InMemory
from xvcluster.methods.checkpoint import Checkpoint, _checksum, check_checkpoint

PARAMETERS = {"method": "k-means", "n_init": 3, "max_iter": 100, "random_state": 0, "k": [2, 3]}

FITS = {
    "kmeans": lambda data, **options: kmeans(data, 7, n_init=1, tol=0.0, **options),
    "dtw": lambda data, **options: kmeans(data, 5, metric="dtw", n_init=1, **options),
    "sweep": lambda data, **options: sweep(data, range(4, 8), n_init=1, tol=0.0, **options),
}


def make_source(n=50, seed=0):
    profiles = np.random.default_rng(seed).normal(size=(n, 4, 2))
    return InMemory.of(Block.of(profiles))


def make_runs():
    rng = np.random.default_rng(1)
    return {
        2: Run(rng.normal(size=(2, 4, 2)), 12.5, n_iter=7, converged=True),
        3: Run(rng.normal(size=(3, 4, 2)), np.inf),
    }


def test_checkpoint_gives_back_what_was_saved(tmp_path):
    runs = make_runs()
    saved = Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, make_source())
    saved.save(runs)
    loaded = Checkpoint.of(str(tmp_path / "fit.npz"), PARAMETERS, make_source()).load()
    assert list(loaded) == [2, 3]
    for k, run in runs.items():
        np.testing.assert_array_equal(loaded[k].centroids, run.centroids)
        assert loaded[k].centroids.dtype == np.float64
        for name in ("inertia", "n_iter", "converged"):
            assert getattr(loaded[k], name) == getattr(run, name)


def test_checkpoint_keeps_the_last_runs_in_one_file_of_the_name_given(tmp_path):
    saved = Checkpoint.of(tmp_path / "fit", PARAMETERS, make_source())
    runs = make_runs()
    saved.save(runs)
    runs[2].n_iter = 8
    saved.save(runs)
    assert saved.load()[2].n_iter == 8
    assert [path.name for path in tmp_path.iterdir()] == ["fit"]


def test_checkpoint_of_no_file_yet_has_no_runs(tmp_path):
    assert Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, make_source()).load() is None
    assert list(tmp_path.iterdir()) == []


def test_checkpoint_that_fails_to_be_written_leaves_the_last_one(tmp_path):
    saved = Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, make_source())
    saved.save(make_runs())
    broken = {2: Run("no array", n_iter=object())}
    with pytest.raises(TypeError):
        saved.save(broken)
    assert saved.load()[2].n_iter == 7
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]


def test_checkpoint_goes_on_with_more_passes(tmp_path):
    Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, make_source()).save(make_runs())
    more = PARAMETERS | {"max_iter": 999}
    assert Checkpoint.of(tmp_path / "fit.npz", more, make_source()).load()[2].n_iter == 7


@pytest.mark.parametrize(
    "change",
    [{"n_init": 4}, {"random_state": 1}, {"k": [2, 4]}, {"metric": "dtw"}, {"window": 3}],
    ids=str,
)
def test_checkpoint_refuses_a_file_of_other_options(tmp_path, change):
    Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, make_source()).save(make_runs())
    other = Checkpoint.of(tmp_path / "fit.npz", PARAMETERS | change, make_source())
    message = (
        r"the checkpoint .*fit\.npz' belongs to other data or options; delete it, or give another"
    )
    with pytest.raises(ValueError, match=message):
        other.load()


@pytest.mark.parametrize("source", [make_source(seed=1), make_source(49)], ids=["values", "fewer"])
def test_checkpoint_refuses_a_file_of_other_data(tmp_path, source):
    Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, make_source()).save(make_runs())
    with pytest.raises(ValueError, match="belongs to other data or options"):
        Checkpoint.of(tmp_path / "fit.npz", PARAMETERS, source).load()


def write_text(path):
    path.write_text("no checkpoint")


def write_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def write_arrays(path):
    with path.open("wb") as file:
        np.savez(file, something=np.zeros(3))


def write_pickle(path):
    with path.open("wb") as file:
        np.savez(file, about=np.array([{}], dtype=object))


def write_half(path):
    Checkpoint.of(path, PARAMETERS, make_source()).save(make_runs())
    path.write_bytes(path.read_bytes()[:200])


def write_nothing(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "write", [write_text, write_array, write_arrays, write_pickle, write_half, write_nothing]
)
def test_checkpoint_refuses_a_file_of_another_kind(tmp_path, write):
    path = tmp_path / "fit.npz"
    write(path)
    message = r"'.*fit\.npz' is not a checkpoint of xvcluster; give another name"
    with pytest.raises(ValueError, match=message):
        Checkpoint.of(path, PARAMETERS, make_source()).load()


def forge(path, change, checksum=True):
    """Change what a checkpoint says and holds; the checksum of the forged one is right."""
    with np.load(path) as file:
        said, former = map(str, file["about"])
        arrays = {name: file[name] for name in file.files if name != "about"}
    about, state = json.loads(said)
    change(state, arrays)
    said = json.dumps([about, state])
    sums = _checksum(said, arrays) if checksum else former
    with path.open("wb") as file:
        np.savez(file, about=np.array([said, sums]), **arrays)


def with_array(make):
    return lambda state, arrays: arrays.update(centroids_2=make(arrays["centroids_2"]))


FORGERIES = {
    "NaN": (with_array(lambda a: a * np.nan), "holds what are no finite numbers in float64"),
    "inf": (with_array(lambda a: a + np.inf), "holds what are no finite numbers in float64"),
    "integers": (with_array(lambda a: a.astype(int)), "no finite numbers in float64"),
    "float32": (with_array(lambda a: a.astype("f4")), "no finite numbers in float64"),
    "text": (with_array(lambda a: a.astype(str)), "no finite numbers in float64"),
    "fewer": (with_array(lambda a: a[:1]), r"does not hold centroids of k = \[2, 3\]"),
    "levels": (with_array(lambda a: a[:, :2]), r"does not hold centroids of k = \[2, 3\]"),
    "flat": (with_array(lambda a: a.reshape(2, -1)), "does not hold centroids of"),
    "another k": (
        lambda state, arrays: (
            arrays.update(centroids_4=arrays.pop("centroids_3")),
            state.update({"4": state.pop("3")}),
        ),
        "does not hold centroids of k",
    ),
    "no array": (lambda state, arrays: arrays.pop("centroids_3"), "does not say how far"),
    "no state": (lambda state, arrays: state["2"].clear(), "does not say how far its fits are"),
    "n_iter": (lambda state, arrays: state["2"].update(n_iter="7"), "does not say how far"),
    "converged": (lambda state, arrays: state["2"].update(converged=1), "does not say how far"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_checkpoint_refuses_what_no_fit_wrote(tmp_path, name):
    path = tmp_path / "fit.npz"
    saved = Checkpoint.of(path, PARAMETERS, make_source())
    saved.save(make_runs())
    change, message = FORGERIES[name]
    forge(path, change)
    message = rf"the checkpoint '.*fit\.npz' is damaged: .*{message}.*; delete it, and the fit st"
    with pytest.raises(ValueError, match=message):
        saved.load()


def test_checkpoint_refuses_centroids_that_were_edited(tmp_path):
    path = tmp_path / "fit.npz"
    saved = Checkpoint.of(path, PARAMETERS, make_source())
    saved.save(make_runs())
    forge(path, with_array(lambda a: a * 1.01), checksum=False)
    with pytest.raises(ValueError, match=r"is damaged: it is not what was written; delete it"):
        check_checkpoint(path)


def test_checkpoint_refuses_what_unpacks_to_more_than_the_file(tmp_path):
    path = tmp_path / "fit.npz"
    np.savez_compressed(path, about=np.array(["", ""]), centroids_2=np.zeros(10_000_000))
    with pytest.raises(ValueError, match=r"is not a checkpoint of xvcluster; give another name"):
        check_checkpoint(path)


def test_check_checkpoint_refuses_a_folder_that_does_not_exist(tmp_path):
    message = r"the folder '.*nowhere' of the checkpoint does not exist; create it"
    with pytest.raises(FileNotFoundError, match=message):
        check_checkpoint(tmp_path / "nowhere" / "fit.npz")


def test_check_checkpoint_refuses_another_file_before_any_work(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.raises(ValueError, match=r"notes.txt' is not a checkpoint of xvcluster"):
        check_checkpoint(other)
    assert other.read_text() == "mine"


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


def test_a_checkpoint_of_other_options_or_data_is_refused(chunked, tmp_path):
    path = tmp_path / "fit.npz"
    known = {"n_clusters": 3, "n_init": 1, "checkpoint": path}
    kmeans(chunked, **known)
    message = r"checkpoint '.*' belongs to other data or options; delete it"
    for other in ({"random_state": 1}, {"tol": 1e-3}, {"metric": "dtw"}, {"n_clusters": 4}):
        with pytest.raises(ValueError, match=message):
            kmeans(chunked, **known | other)
    for data in (2 * chunked, chunked.isel(latitude=slice(1, None))):
        with pytest.raises(ValueError, match=message):
            kmeans(data, **known)


def test_a_bad_path_of_a_checkpoint_is_refused_before_any_work(chunked, computed, tmp_path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(ValueError, match="is not a checkpoint of xvcluster; give another name"):
        kmeans(chunked, 3, checkpoint=tmp_path / "notes")
    with pytest.raises(FileNotFoundError, match="of the checkpoint does not exist; create it"):
        kmeans(chunked, 3, checkpoint=tmp_path / "none" / "fit.npz")
    assert computed == []


def test_softdtw_writes_no_checkpoint(rough_model, tmp_path):
    with pytest.raises(ValueError, match="metric='softdtw' writes no checkpoint"):
        kmeans(rough_model, 3, metric="softdtw", checkpoint=tmp_path / "fit.npz")
    assert list(tmp_path.iterdir()) == []


class InterruptError(Exception):
    """Stops a fit in the midst of it."""


@pytest.fixture
def settle_early(monkeypatch):
    """Settle on few profiles, before all are seen."""
    for metric in (Euclidean, DynamicTimeWarping):
        monkeypatch.setattr(metric, "settled_size", 40)


@pytest.fixture
def stop_after_two_saves(monkeypatch):
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
    tmp_path, rough_model, settle_early, stop_after_two_saves, metric
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
    tmp_path, rough_model, settle_early, stop_after_two_saves
):
    path, options = tmp_path / "fit", {"k": range(2, 8), "tol": 1e-9}
    expected = sweep(rough_model, **options)
    with pytest.raises(InterruptError):
        sweep(rough_model, checkpoint=path, **options)
    swept = sweep(rough_model, checkpoint=path, **options)
    xr.testing.assert_identical(swept.dataset, expected.dataset)
    for k in options["k"]:
        xr.testing.assert_identical(
            swept.result(k).centroids["vs"], expected.result(k).centroids["vs"]
        )


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
