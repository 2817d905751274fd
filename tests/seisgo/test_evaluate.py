import numpy as np
import pytest

from xvcluster.seisgo import vpcluster_evaluate_kmean, vpcluster_kmean

QUIET = {"plot": False, "evaluate_plot": False, "save": False}


def test_no_knee_warns_and_takes_the_best_silhouette():
    rng = np.random.default_rng(0)
    ts = rng.normal(np.repeat([0.0, 5.0, 10.0], 30)[:, None], 0.3, (90, 6))
    with pytest.warns(UserWarning, match=r"no knee over 3 to 4 clusters; took 3, which has the"):
        best, curve = vpcluster_evaluate_kmean(ts, [3, 4], plot=False)
    assert best == 3
    assert len(curve) == 2


def test_no_knee_of_one_cluster_never_takes_it(made):
    with pytest.warns(UserWarning, match="took 2"):
        outcome = vpcluster_kmean(*made, nrange=[1, 2], metric="dtw", spacing=6, **QUIET)
    assert outcome["para"]["n_clusters"] == 2


def test_a_single_number_leaves_nothing_to_choose():
    ts = np.random.default_rng(0).normal(size=(30, 5, 1))
    assert vpcluster_evaluate_kmean(ts, [4], plot=False)[0] == 4


def test_evaluate_draws_a_figure_that_stays_open(close):
    ts = np.random.default_rng(0).normal(np.repeat([0, 5, 9], 20)[:, None], 1, (60, 4))
    best, curve = vpcluster_evaluate_kmean(ts, range(2, 9))
    assert best == 3
    assert np.all(np.array(curve) > 0)
    _, smoothed = vpcluster_evaluate_kmean(ts, range(2, 9), smooth=True, smooth_n=5)
    assert smoothed[[0, -1]].tolist() == [curve[0], curve[-1]]
    assert len(close()) == 2


def test_a_box_longer_than_the_curve_is_refused():
    ts = np.random.default_rng(0).normal(size=(30, 5))
    with pytest.raises(ValueError, match=r"smooth_n=9 exceeds the 3 numbers of clusters"):
        vpcluster_evaluate_kmean(ts, [2, 3, 4], smooth=True, smooth_n=9, plot=False)
