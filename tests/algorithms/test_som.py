"""Training of self-organizing maps."""

import numpy as np
import pytest
from minisom import MiniSom
from sklearn.decomposition import PCA

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.som import (
    FINE_PASSES,
    LAST_WIDTH,
    judge,
    span_plane,
    train_batch,
    train_online,
)
from xvcluster.algorithms.source import InMemory
from xvcluster.kernels import som


def make_profiles(n=50):
    return np.random.default_rng(0).normal(size=(n, 4, 2))


def fit(profiles, shape, seed=0, **options):
    options = {"n_iterations": 200, "sigma": 0.5, "learning_rate": 0.2} | options
    return train_online(profiles, shape, seed=np.random.SeedSequence(seed), **options)


def fit_batch(profiles, shape, **options):
    options = {"n_iterations": 6, "sigma": 1.5} | options
    return train_batch(InMemory.of(Block.of(profiles)), shape, **options)


def test_train_online_equals_minisom_from_the_weights_and_order_it_drew(monkeypatch):
    profiles, shown = make_profiles(), []
    X, kernel = profiles.reshape(50, -1), som.train_online

    def record(X, order, *arguments):
        shown.extend(order)
        kernel(X, order, *arguments)

    monkeypatch.setattr(som, "train_online", record)
    first, ours = (fit(profiles, (3, 4), seed=7, n_iterations=n) for n in (0, 230))
    assert len(shown) == 230
    assert all(len(np.unique(shown[i : i + 50])) == 50 for i in range(0, 200, 50))
    theirs = MiniSom(3, 4, 8, sigma=0.5, learning_rate=0.2)
    theirs._weights = first.reshape(3, 4, 8).copy()
    theirs.train(X[shown], 230)
    np.testing.assert_allclose(ours, theirs.get_weights().reshape(12, 4, 2), atol=1e-10)


def test_train_online_starts_from_profiles():
    profiles = make_profiles()
    nodes = fit(profiles, (3, 4), n_iterations=0)
    assert nodes.shape == (12, 4, 2)
    assert all((profiles == node).all(axis=(1, 2)).any() for node in nodes)


def test_train_batch_starts_on_the_principal_plane():
    profiles = make_profiles()
    profiles[:, 1] *= 4
    nodes = fit_batch(profiles, (3, 4), n_iterations=0)
    pca = PCA(2).fit(profiles.reshape(50, 8))
    signs = np.sign([axis[np.abs(axis).argmax()] for axis in pca.components_])
    std = np.sqrt(pca.explained_variance_ * 49 / 50)  # of 50 profiles, which are all there are
    placed = pca.transform(nodes.reshape(12, 8)) * signs / std
    rows, columns = np.linspace(-1, 1, 3), np.linspace(-1, 1, 4)  # the longer side comes first
    expected = [[along, across] for across in rows for along in columns]
    np.testing.assert_allclose(placed, expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (2, 2), (4, 3)])
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_span_plane_gives_different_nodes_on_the_line_through_profiles_along_one(shape, n_features):
    along = np.random.default_rng(0).normal(size=(40, 1))
    profiles = (3 + along * np.arange(1, n_features + 1))[..., None]
    nodes = span_plane(Block.of(profiles), shape)[..., 0]
    assert len(np.unique(nodes[:, 0].round(9))) == len(nodes) == np.prod(shape)
    position = nodes[:, :1] - 3
    np.testing.assert_allclose(nodes - 3, position * np.arange(1, n_features + 1), atol=1e-12)
    assert np.all(np.diff(nodes[:, 0]) > 0) or shape[0] > 1


def test_span_plane_of_constant_profiles_is_their_value():
    nodes = span_plane(Block.of(np.full((7, 3, 1), 0.1)), (2, 2))
    np.testing.assert_array_equal(nodes, 0.1)


def test_span_plane_counts_profiles_by_their_weights():
    profiles, weights = make_profiles(), np.random.default_rng(1).integers(0, 4, 50)
    weighted = span_plane(Block.of(profiles, weights.astype(float)), (3, 3))
    repeated = span_plane(Block.of(np.repeat(profiles, weights, axis=0)), (3, 3))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:The topographic error is not defined")
@pytest.mark.parametrize("shape", [(4, 5), (1, 6), (6, 1), (2, 2), (1, 2), (1, 1)])
@pytest.mark.parametrize("order", ["trained", "random"])
def test_judge_equals_minisom(shape, order):
    profiles = make_profiles(3000)
    nodes = fit_batch(profiles, shape)
    if order == "random":
        nodes = np.random.default_rng(2).permutation(nodes)
    theirs = MiniSom(*shape, 8, sigma=0.5)
    theirs._weights = nodes.reshape(*shape, 8)
    X = profiles.reshape(-1, 8)
    fit = judge(InMemory.of(Block.of(profiles)), nodes, shape)
    assert fit.quantization_error == pytest.approx(theirs.quantization_error(X), rel=1e-12)
    assert fit.topographic_error == pytest.approx(theirs.topographic_error(X), nan_ok=True)
    winners = [np.ravel_multi_index(theirs.winner(x), shape) for x in X]
    np.testing.assert_array_equal(fit.hits, np.bincount(winners, minlength=np.prod(shape)))


def test_judge_counts_profiles_by_their_weights():
    profiles, weights = make_profiles(), np.random.default_rng(1).integers(0, 4, 50)
    nodes = make_profiles(12)
    weighted = judge(InMemory.of(Block.of(profiles, weights.astype(float))), nodes, (3, 4))
    repeated = judge(InMemory.of(Block.of(np.repeat(profiles, weights, axis=0))), nodes, (3, 4))
    for name in ("quantization_error", "topographic_error", "mass"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name))
    assert weighted.hits.sum() == 50


def test_train_online_gives_a_codebook_in_the_shape_of_profiles():
    assert fit(make_profiles(), (2, 3)).shape == (6, 4, 2)


def test_train_online_gives_the_same_map_from_the_same_seed_only():
    profiles = make_profiles()
    np.testing.assert_array_equal(fit(profiles, (3, 3)), fit(profiles, (3, 3)))
    assert np.any(fit(profiles, (3, 3)) != fit(profiles, (3, 3), seed=1))


def test_train_online_reports_all_its_steps():
    done = []
    fit(make_profiles(), (2, 2), n_iterations=1234, report=done.append)
    assert sum(done) == 1234
    assert len(done) <= 100


@pytest.mark.parametrize("shape", [(3, 4), (1, 5), (1, 1)])
@pytest.mark.parametrize("sigma", [1.5, 0.1])
@pytest.mark.parametrize("n", [30, 5000], ids=["nodes without profiles", "many"])
def test_train_batch_equals_its_formula(n, shape, sigma):
    profiles = 5 + make_profiles(n)
    nodes = fit_batch(profiles, shape, n_iterations=0)
    assert len(np.unique(nodes, axis=0)) == len(nodes)  # of two equal ones, either may be nearest
    end = min(sigma, LAST_WIDTH)
    for t in range(6):
        width = sigma * (end / sigma) ** (t / 5)
        winners = ((profiles[:, None] - nodes) ** 2).sum(axis=(2, 3)).argmin(axis=1)
        moved = []
        for row, column in np.ndindex(shape):
            other_row, other_column = np.divmod(winners, shape[1])
            squared = (other_row - row) ** 2 + (other_column - column) ** 2
            near = np.exp(-squared / (2 * width**2))
            moved.append(np.average(profiles, axis=0, weights=near))
        nodes = np.array(moved)
    np.testing.assert_allclose(fit_batch(profiles, shape, sigma=sigma), nodes, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sigma", [1e-200, 0.3, 1.5, 1e300])
def test_train_batch_stays_among_the_profiles_for_any_sigma(sigma):
    profiles = 5 + make_profiles(30)
    nodes = fit_batch(profiles, (3, 4), sigma=sigma)
    assert np.all((nodes >= profiles.min()) & (nodes <= profiles.max()))


def test_train_batch_forgets_what_rounding_leaves_in_a_node_that_loses_its_profiles():
    rng = np.random.default_rng(790)
    profiles = 5 + rng.standard_t(2, size=(rng.integers(6, 60), 2, 1))
    nodes = fit_batch(profiles, (2, 4), n_iterations=15, sigma=0.1)
    assert np.all((nodes >= profiles.min() - 1e-9) & (nodes <= profiles.max() + 1e-9))


def test_train_batch_puts_like_profiles_side_by_side():
    along = np.linspace(0, 1, 3000)[np.random.default_rng(0).permutation(3000)]
    profiles = np.stack([along, along**2], axis=1)[..., None]
    nodes = fit_batch(profiles, (1, 10), n_iterations=30, sigma=5.0)[:, 0, 0]
    steps = np.diff(nodes)
    assert np.all(steps > 0) or np.all(steps < 0)
    assert np.ptp(nodes) > 0.8


def test_train_batch_of_more_profiles_than_its_sample_sees_all_in_the_end():
    profiles, sample = 5 + make_profiles(2000), 5 + make_profiles(2000)[::10]
    options = {"n_iterations": FINE_PASSES + 20, "sigma": 1.5}
    done = []
    source = InMemory(Block.of(profiles), Block.of(sample))
    ours = train_batch(source, (2, 3), report=done.append, **options)
    assert done == [1] * (FINE_PASSES + 20)
    widths = np.geomspace(1.5, LAST_WIDTH, FINE_PASSES + 20)
    nodes = train_batch(source, (2, 3), **options | {"n_iterations": 0})
    place = np.indices((2, 3)).reshape(2, -1)
    apart = np.hypot(*(place[:, :, None] - place[:, None]))
    for seen, width in zip([sample] * 20 + [profiles] * FINE_PASSES, widths, strict=True):
        winners = ((seen[:, None] - nodes) ** 2).sum(axis=(2, 3)).argmin(axis=1)
        near = np.exp(-0.5 * (apart / width) ** 2)[:, winners]
        nodes = np.tensordot(near, seen, 1) / near.sum(axis=1)[:, None, None]
    np.testing.assert_allclose(ours, nodes, rtol=1e-9)


def test_train_batch_of_few_passes_sees_all_profiles_in_each():
    profiles, sample = make_profiles(2000), make_profiles(2000)[::10]
    options = {"n_iterations": FINE_PASSES - 3, "sigma": 1.5}
    passes = []

    class Counted(InMemory):
        def total(self, step, join):
            passes.append(step)
            return InMemory.total(self, step, join)

    train_batch(Counted(Block.of(profiles), Block.of(sample)), (2, 3), **options)
    assert len(passes) == FINE_PASSES - 3


def test_train_batch_reports_every_pass():
    done = []
    fit_batch(make_profiles(), (2, 2), n_iterations=11, report=done.append)
    assert done == [1] * 11


@pytest.mark.parametrize("method", [fit, fit_batch])
def test_train_never_changes_the_profiles(method):
    profiles = make_profiles()
    before = profiles.copy()
    method(profiles, (3, 3))
    np.testing.assert_array_equal(profiles, before)
