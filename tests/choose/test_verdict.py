"""The best k of each criterion, and what the criteria say together."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.choose.verdict import choose, conclude, find_knee, say

KS = [2, 3, 4, 5]


def make_criteria(**more):
    found = {
        "inertia": [100.0, 20.0, 15.0, 12.0],
        "silhouette": [0.3, 0.6, 0.5, 0.4],
        "davies_bouldin": [0.9, 0.8, 0.5, 0.7],
        "calinski_harabasz": [10.0, 40.0, 30.0, 20.0],
    }
    return {name: np.array(values) for name, values in (found | more).items()}


def test_choose_takes_the_best_of_each_criterion():
    found = make_criteria(
        gap=[0.1, 0.5, 0.52, 0.6],
        gap_error=[0.01, 0.01, 0.05, 0.01],
        eigengap=[0.01, 0.2, 0.3, 0.1],
        valley=[0.1, 0.3, 0.78, 0.8],
        stability=[0.97, 0.99, 0.985, 0.9],
        stability_error=[0.01, 0.01, 0.01, 0.01],
    )
    assert choose(KS, found) == {
        "inertia": 3,
        "silhouette": 3,
        "davies_bouldin": 4,
        "calinski_harabasz": 3,
        "eigengap": 4,
        "valley": 4,
        "gap": 3,
        "stability": 4,
    }


def test_choose_calls_nothing_stable_below_the_threshold():
    found = make_criteria(stability=[0.7, 0.74, 0.3, 0.2], stability_error=[0.1, 0.1, 0.1, 0.1])
    assert choose(KS, found)["stability"] == 0
    found["stability"][1] = 0.76
    assert choose(KS, found)["stability"] == 3


def test_choose_skips_criteria_that_are_nan():
    found = make_criteria(silhouette=[np.nan] * 4, davies_bouldin=[np.nan, 0.8, 0.5, 0.7])
    best = choose(KS, found)
    assert (best["silhouette"], best["davies_bouldin"]) == (0, 4)


def test_find_knee_of_lines_and_of_curves_that_do_not_fall():
    assert find_knee([2, 3, 4], np.array([3.0, 2.0, 1.0])) == 0
    assert find_knee([2, 3, 4], np.array([0.0, 0.0, 0.0])) == 0
    assert find_knee([2, 3], np.array([3.0, 1.0])) == 0
    assert find_knee(KS, make_criteria()["inertia"]) == 3


def test_knee_is_that_of_the_logarithm_from_one_cluster_on():
    # log-inertia falls by 2, then by 0.1: the knee is at the first k, which only k = 1 shows
    inertia = np.exp(-0.1 * np.arange(6.0))
    ks = [2, 3, 4, 5, 6, 7]
    assert choose(ks, {"inertia": inertia}, float(np.exp(2.0)))["inertia"] == 2
    assert choose(ks, {"inertia": inertia})["inertia"] == 0


def test_knee_does_not_move_with_the_end_of_a_long_range():
    ks = np.arange(2, 61)
    inertia = np.exp(-0.5 * np.minimum(ks, 6) - 0.05 * ks)
    found = [
        choose(ks[:n].tolist(), {"inertia": inertia[:n]}, 1.0)["inertia"] for n in (19, 39, 59)
    ]
    assert found == [6, 6, 6]


def test_knee_of_an_inertia_that_reaches_zero_is_where_it_does():
    assert choose([2, 3, 4], {"inertia": np.array([5.0, 0.0, 0.0])}, 10.0)["inertia"] == 3


def conclude_at(ks, **best):
    """The verdict on criteria that are each best at one k."""
    values = {"inertia": np.full(len(ks), 1.0), "silhouette": np.zeros(len(ks))}
    for name in ("calinski_harabasz", "eigengap", "stability"):
        if name in best:
            values[name] = np.where(np.array(ks) == best[name], 0.9, 0.0)
    if "valley" in best:
        values["valley"] = np.where(np.array(ks) <= best["valley"], 0.1, 1.2)
    return conclude(xr.Dataset({n: ("k", v) for n, v in values.items()}, {"k": ks})).attrs


@pytest.mark.parametrize(("valley", "expected"), [(3, 4), (5, 5), (6, 6), (8, 8)])
def test_best_k_is_the_median_with_the_valleys_counted_twice(valley, expected):
    found = conclude_at(range(2, 9), calinski_harabasz=7, eigengap=4, valley=valley, stability=4)
    without = conclude_at(range(2, 9), calinski_harabasz=7, eigengap=4, valley=valley)
    assert without["best_k"] == expected
    assert without["best_k_by"] == (
        "the median of Caliński–Harabasz, the eigengap and the valleys between clusters"
    )
    assert found["best_k"] == sorted([7, 4, valley, valley, 4])[2]


def test_clusters_without_valleys_count_as_the_fewest():
    found = conclude_at(range(2, 9), calinski_harabasz=6, eigengap=8, valley=1, stability=4)
    assert found["best_k"] == 4
    assert "At every k, some clusters have no valley between them." in found["verdict"]
    assert "no valleys between clusters (k = 2) and the stability" in found["best_k_by"]


def test_a_best_at_the_end_of_the_range_is_said_so_of_every_criterion():
    found = conclude_at(range(2, 9), eigengap=8, valley=8)
    assert "k = 8, the end of the range 2 to 8, by the eigengap and the valleys" in found["verdict"]
    first = conclude_at(range(5, 9), eigengap=5, valley=7)["verdict"]
    assert "k = 5, the start of the range 5 to 8, by the silhouette and the eigengap" in first
    inside = conclude_at(range(2, 9), eigengap=2, valley=7)["verdict"]
    assert "of the range" not in inside


def test_conclude_falls_back_on_the_silhouette_with_a_warning():
    criteria = xr.Dataset(
        {"inertia": ("k", [4.0, 3.0, 2.0]), "silhouette": ("k", [0.1, 0.2, 0.3])},
        coords={"k": [2, 3, 4]},
    )
    with pytest.warns(UserWarning, match=r"no criterion finds .*k = 2 to 4; took k = 4.*criteria"):
        concluded = conclude(criteria)
    assert (concluded.attrs["best_k"], concluded.attrs["best_k_by"]) == (4, "the best silhouette")
    assert concluded["best"].sel(criterion="inertia") == 0
    assert "The inertia has no knee" in concluded.attrs["verdict"]


def test_say_tells_whether_the_criteria_agree():
    agreed = {"inertia": 3, "silhouette": 3, "davies_bouldin": 3}
    assert say(KS, agreed, {}) == (
        "The criteria agree on k = 3 by the knee of the inertia, the silhouette and Davies–Bouldin."
    )
    apart = {"inertia": 3, "silhouette": 2, "gap": 0, "stability": 3}
    said = say(KS, apart, {})
    assert said.startswith(
        "The criteria disagree: k = 3 by the knee of the inertia and the stability; k = 2 by"
    )
    assert "The gap statistic gives none up to k = 5." in said


def test_say_tells_that_nothing_is_stable():
    best = {"inertia": 3, "silhouette": 3, "stability": 0}
    said = say(KS, best, {"stability": np.array([0.2, 0.31, 0.1, 0.1])})
    assert "No k is stable: the mean adjusted Rand index is 0.31 at most, at k = 3" in said


def test_choose_takes_the_largest_of_equally_stable_k():
    found = make_criteria(stability=[1.0, 0.79, 1.0, 0.86], stability_error=[0.0] * 4)
    assert choose(KS, found)["stability"] == 4
