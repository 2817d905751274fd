"""Training of self-organizing maps."""

import numpy as np
import pytest
from minisom import MiniSom

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.som import FINE_PASSES, LAST_WIDTH, train_batch, train_online
from xvcluster.algorithms.source import InMemory
from xvcluster.kernels import som


def make_profiles(n=50):
    return np.random.default_rng(0).normal(size=(n, 4, 2))


def fit(profiles, shape, seed=0, **options):
    options = {"n_iterations": 200, "sigma": 0.5, "learning_rate": 0.2} | options
    return train_online(profiles, shape, seed=np.random.SeedSequence(seed), **options)


def fit_batch(profiles, shape, seed=0, **options):
    options = {"n_iterations": 6, "sigma": 1.5} | options
    source = InMemory.of(Block.of(profiles))
    return train_batch(source, shape, seed=np.random.SeedSequence(seed), **options)


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


@pytest.mark.parametrize("method", ["online", "batch"])
def test_train_starts_from_profiles(method):
    profiles = make_profiles()
    train = {"online": fit, "batch": fit_batch}[method]
    nodes = train(profiles, (3, 4), n_iterations=0)
    assert nodes.shape == (12, 4, 2)
    assert all((profiles == node).all(axis=(1, 2)).any() for node in nodes)


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
    seed = 4  # draws no profile twice: of two equal nodes, either may be the nearest
    nodes = fit_batch(profiles, shape, seed, n_iterations=0)
    assert len(np.unique(nodes, axis=0)) == len(nodes)
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
    np.testing.assert_allclose(
        fit_batch(profiles, shape, seed, sigma=sigma), nodes, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("sigma", [1e-200, 0.3, 1.5, 1e300])
def test_train_batch_stays_among_the_profiles_for_any_sigma(sigma):
    profiles = 5 + make_profiles(30)
    nodes = fit_batch(profiles, (3, 4), sigma=sigma)
    assert np.all((nodes >= profiles.min()) & (nodes <= profiles.max()))


def test_train_batch_forgets_what_rounding_leaves_in_a_node_that_loses_its_profiles():
    rng = np.random.default_rng(790)
    profiles = 5 + rng.standard_t(2, size=(rng.integers(6, 60), 2, 1))
    nodes = fit_batch(profiles, (2, 4), 790, n_iterations=15, sigma=0.1)
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
    options = {"n_iterations": FINE_PASSES + 20, "sigma": 1.5, "seed": np.random.SeedSequence(1)}
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
    options = {"n_iterations": FINE_PASSES - 3, "sigma": 1.5, "seed": np.random.SeedSequence(1)}
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
