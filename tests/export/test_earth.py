"""ak135, and relations among velocities and density, against tables and formulas by hand."""

from pathlib import Path

import numpy as np
import pytest

from xvcluster.export.earth import (
    ak135,
    brocher_density,
    brocher_vp,
    brocher_vs,
    gardner_density,
    merge_depths,
    sample,
)


def test_ak135_is_the_table_of_obspy():
    taup = pytest.importorskip("obspy.taup")
    table = np.loadtxt(Path(taup.__file__).parent / "data" / "ak135.tvel", skiprows=2)
    own = ak135()
    found = np.stack([own.depth, own.vp, own.vs, own.density], axis=1)
    np.testing.assert_array_equal(found, table)


def test_relations_are_those_of_brocher_and_gardner_by_hand():
    v = np.array([2.0, 3.5, 4.5])
    by_hand = [0.9409 + 2.0947 * x - 0.8206 * x**2 + 0.2683 * x**3 - 0.0251 * x**4 for x in v]
    np.testing.assert_allclose(brocher_vp(v), by_hand, rtol=1e-12)
    # rounded values that anyone can check with the paper's figures
    np.testing.assert_allclose(brocher_vp(np.array([3.5])), [5.96], atol=0.01)
    np.testing.assert_allclose(brocher_vs(np.array([6.0])), [3.55], atol=0.01)
    np.testing.assert_allclose(brocher_density(np.array([6.0])), [2.717], atol=0.001)
    np.testing.assert_allclose(gardner_density(np.array([1.0, 16.0])), [1.74, 3.48])


def test_brochers_relations_are_about_each_others_inverse():
    vs = np.linspace(1.5, 4.3, 20)
    np.testing.assert_allclose(brocher_vs(brocher_vp(vs)), vs, atol=0.08)


def test_sample_takes_the_side_of_a_discontinuity():
    depths, values = np.array([0.0, 10.0, 10.0, 20.0]), np.array([1.0, 2.0, 5.0, 6.0])
    found = sample(np.array([0.0, 5.0, 10.0, 10.0, 15.0, 20.0]), depths, values)
    np.testing.assert_allclose(found, [1.0, 1.5, 2.0, 5.0, 5.5, 6.0], atol=1e-6)
    np.testing.assert_allclose(sample(np.array([10.0]), depths, values), [2.0], atol=1e-6)


def test_merge_depths_keeps_discontinuities_of_both():
    own, other = np.array([5.0, 20.0, 20.0, 40.0]), np.array([0.0, 10.0, 10.0, 20.0, 40.0, 50.0])
    np.testing.assert_array_equal(merge_depths(own, other), [5.0, 10.0, 10.0, 20.0, 20.0, 40.0])
