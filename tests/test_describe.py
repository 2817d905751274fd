"""Statistics of the members of each cluster against NumPy."""

import numpy as np
import pytest

from xvcluster.describe import QUANTILES, _quantiles, _spread


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_equals_numpy(dtype):
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(500, 7, 2)).astype(dtype)
    labels = rng.choice([0, 1, 3], p=[0.9, 0.09, 0.01], size=500).astype("int32")
    labels[0] = 4  # alone in its cluster; cluster 2 is empty
    before = values.copy()
    std, quantiles = _spread(values, labels, 5)
    for c in (0, 1, 3, 4):
        members = values[labels == c].astype(float)
        np.testing.assert_allclose(std[c], members.std(axis=0), rtol=1e-6)
        expected = np.quantile(members, QUANTILES, axis=0)
        np.testing.assert_allclose(quantiles[:, c], expected, rtol=1e-6)
    assert np.isnan(std[2]).all()
    assert np.isnan(quantiles[:, 2]).all()
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("n", [1, 2, 3, 20, 21, 1001])
def test_quantiles_of_any_number_of_members_equal_numpy(n):
    ordered = np.sort(np.random.default_rng(n).normal(size=(4, n)), axis=1)
    expected = np.quantile(ordered, QUANTILES, axis=1)
    np.testing.assert_allclose(_quantiles(ordered), expected, rtol=1e-12, atol=1e-15)
