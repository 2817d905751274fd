"""The SOM kernel against MiniSom."""

import warnings

import numpy as np
import pytest
from minisom import MiniSom

from xvcluster.kernels import som
from xvcluster.kernels.som import train_online


def train_minisom(X, weights, order, n_iterations, sigma, learning_rate):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Warning: sigma might be too high")
        reference = MiniSom(*weights.shape, sigma=sigma, learning_rate=learning_rate)
    reference._weights = weights.copy()
    reference.train(X[order], n_iterations)
    return reference.get_weights()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (1, 6), (1, 1)])
def test_train_online_equals_minisom(shape, sigma):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))
    order = rng.permutation(np.arange(400) % 60)
    weights = X[rng.integers(60, size=shape[0] * shape[1])].reshape(*shape, 8)
    own = weights.copy()
    train_online(X, order, own, 0, 400, sigma, 0.5)
    np.testing.assert_allclose(
        own, train_minisom(X, weights, order, 400, sigma, 0.5), rtol=0, atol=1e-10
    )


def test_train_online_in_pieces_equals_all_at_once():
    rng = np.random.default_rng(1)
    X, order = rng.normal(size=(30, 5)), rng.integers(30, size=101)
    whole = rng.normal(size=(3, 3, 5))
    pieces = whole.copy()
    train_online(X, order, whole, 0, 101, 0.8, 0.2)
    for first in range(0, 101, 25):
        train_online(X, order[first : first + 25], pieces, first, 101, 0.8, 0.2)
    np.testing.assert_array_equal(pieces, whole)


def test_train_online_of_float32_profiles_keeps_weights_in_float64():
    rng = np.random.default_rng(2)
    X, order = rng.normal(size=(30, 5)).astype("float32"), np.arange(30)
    weights = rng.normal(size=(2, 2, 5))
    expected = train_minisom(X.astype(float), weights, order, 30, 0.5, 0.1)
    train_online(X, order, weights, 0, 30, 0.5, 0.1)
    np.testing.assert_allclose(weights, expected, atol=1e-10)


def test_kernels_equal_the_plain_python_that_they_are_compiled_from(monkeypatch):
    rng = np.random.default_rng(3)
    X, order = rng.normal(size=(10, 3)), np.arange(10)
    compiled = rng.normal(size=(3, 2, 3))
    plain = compiled.copy()
    train_online(X, order, compiled, 0, 10, 0.8, 0.2)
    for name in ("_winner", "_copy"):
        monkeypatch.setattr(som, name, getattr(som, name).py_func)
    train_online.py_func(X, order, plain, 0, 10, 0.8, 0.2)
    np.testing.assert_allclose(plain, compiled, rtol=1e-12)


@pytest.mark.parametrize("sigma", [1e-200, 1e300])
def test_train_online_stays_within_the_grid_for_any_sigma(sigma):
    X = np.random.default_rng(0).normal(size=(20, 3))
    weights = X[:6].reshape(2, 3, 3).copy()
    train_online(X, np.arange(20), weights, 0, 20, sigma, 0.5)
    assert np.isfinite(weights).all()
