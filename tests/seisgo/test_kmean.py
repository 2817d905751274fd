import warnings

import numpy as np
import pytest
from kneed import KneeLocator

from xvcluster.algorithms.metrics import import_tslearn_kmeans
from xvcluster.seisgo import vpcluster_kmean

QUIET = {"plot": False, "evaluate_plot": False, "save": False}


@pytest.mark.parametrize(
    "extraction",
    [
        {},
        {"dz": 2.0},
        {"zrange": (5, 60)},
        {"spacing": 3},
        {"dz": 3.5, "zrange": [4.0, 61.0], "spacing": 2},
    ],
    ids=str,
)
def test_vpcluster_kmean_equals_the_loop(axes, extraction, loop_kmean, assert_same):
    outcome = vpcluster_kmean(*axes, 5, **extraction, **QUIET)
    expected = loop_kmean(axes, 5, **extraction)
    assert_same(outcome, expected)
    np.testing.assert_array_equal(
        outcome["model"].cluster_centers_, expected["model"].cluster_centers_
    )
    assert outcome["para"]["sum_square"] == []


def test_vpcluster_kmean_under_warping_equals_the_loop(cascadia, loop_kmean, assert_same):
    cut = {"spacing": 16, "dz": 10.0, "zrange": (0, 50)}
    outcome = vpcluster_kmean(*cascadia, 3, metric="dtw", **cut, **QUIET)
    assert_same(outcome, loop_kmean(cascadia, 3, "dtw", **cut))


@pytest.mark.parametrize("smooth", [False, True])
def test_vpcluster_kmean_chooses_the_first_knee(
    axes, smooth, loop_profiles, loop_fit, loop_kmean, assert_same
):
    ks = np.arange(2, 9)
    options = {"nrange": ks, "spacing": 3, "evaluate_smooth": smooth}
    outcome = vpcluster_kmean(*axes, **options, **QUIET)
    profiles = loop_profiles(*axes, spacing=3)[0]
    curve = np.array([loop_fit(profiles, k)[0].inertia_ for k in ks])
    if smooth:
        curve[1:-1] = np.convolve(curve, np.ones(3) / 3, mode="same")[1:-1]
    knee = KneeLocator(ks, curve, S=1, curve="convex", direction="decreasing").all_knees[0]
    np.testing.assert_array_equal(outcome["para"]["sum_square"], curve)
    assert outcome["para"]["n_clusters"] == knee
    assert outcome["para"]["nrange"] is ks
    assert_same(outcome, loop_kmean(axes, knee, spacing=3))


def test_vpcluster_kmean_tries_2_to_20_by_itself(made):
    outcome = vpcluster_kmean(*made, spacing=3, **QUIET)
    assert outcome["para"]["nrange"].tolist() == list(range(2, 21))
    assert len(outcome["para"]["sum_square"]) == 19


def test_vpcluster_kmean_has_the_dictionary_of_seisgo(made):
    given = {"source": "made", "tag": "vs"}
    outcome = vpcluster_kmean(*made, 3, **given, **QUIET)
    keys = "method source tag depth model pred para cluster_map"
    assert list(outcome) == keys.split()
    assert (outcome["method"], outcome["source"], outcome["tag"]) == ("k-means", "made", "vs")
    assert isinstance(outcome["model"], import_tslearn_kmeans())
    assert outcome["para"] == {
        "n_clusters": 3,
        "n_jobs": 1,
        "metric": "euclidean",
        "max_iter_barycenter": 100,
        "random_state": 0,
        "nrange": None,
        "sum_square": [],
    }


def test_vpcluster_kmean_never_changes_the_model(made):
    model = np.ma.masked_greater(made[3], 4.4)
    before = model.copy()
    vpcluster_kmean(*made[:3], model, 3, zrange=(0, 20), **QUIET)
    np.testing.assert_array_equal(model.data, before.data)
    np.testing.assert_array_equal(model.mask, before.mask)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lat": np.arange(3.0)}, ValueError, r"model has shape \(.*depth, lat and lon have"),
        ({"lon": np.ones((2, 2))}, ValueError, r"lon must be 1-D and not empty; got shape \(2, 2"),
        ({"dep": []}, ValueError, r"depth must be 1-D and not empty; got shape \(0,\)"),
        ({"vmodel": np.ones(4)}, ValueError, r"the model has shape \(4,\), but"),
        ({"vmodel": np.array(["a"])}, TypeError, "the model 'v' must be numeric; got dtype <U1"),
        (
            {"zrange": (900, 950)},
            ValueError,
            r"zrange 900 to 950 km contains none .* range from 0 to",
        ),
        ({"zrange": 5}, ValueError, r"zrange must be a pair of depths, such as .*; got 5"),
        ({"spacing": 0}, ValueError, "spacing must be finite and above 0; got 0"),
        ({"dz": -1.0}, ValueError, "dz must be finite and above 0; got -1.0"),
        ({"ncluster": 0}, ValueError, "ncluster must be at least 1; got 0"),
        (
            {"ncluster": 10**6},
            ValueError,
            "ncluster=1000000 exceeds the number of distinct profiles",
        ),
        ({"ncluster": None, "nrange": [4, 2]}, ValueError, r"must be ascending .*; got \[4, 2\]"),
        ({"ncluster": None, "nrange": []}, ValueError, r"nrange must be ascending .*; got \[\]"),
        ({"metric": "cosine"}, ValueError, "unknown metric 'cosine'; choose one of 'euclidean'"),
    ],
)
def test_vpcluster_kmean_refuses_bad_input(made, change, error, message):
    lat, lon, depth, values = made
    given = {"lat": lat, "lon": lon, "dep": depth, "vmodel": values, "ncluster": 3}
    with pytest.raises(error, match=message):
        vpcluster_kmean(**given | {"depth_units": "km"} | QUIET | change)


def test_seisgo_is_reached_from_the_package():
    import xvcluster

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert xvcluster.seisgo.vpcluster_kmean is vpcluster_kmean
