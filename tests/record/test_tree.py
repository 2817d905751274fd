"""The last merges of a result's tree, against SciPy's cuts of the whole tree."""

import numpy as np
import pytest
import xarray as xr
from scipy.cluster.hierarchy import cut_tree, fcluster
from scipy.cluster.hierarchy import linkage as find_linkage
from sklearn.metrics import adjusted_rand_score

from xvcluster import kmeans, open_result, ward
from xvcluster.record.tree import Top, cut_of, require_tree


def make_tree(n=40, k=4, seed=0):
    """What a result holds of a tree of n points, by SciPy, cut into k clusters."""
    points = np.random.default_rng(seed).normal(size=(n, 2))
    linkage = find_linkage(points, "ward")
    labels = fcluster(linkage, k, "maxclust").astype(np.float32)
    dataset = xr.Dataset(
        {
            "linkage": (("merge", "merge_part"), linkage),
            "leaf": ("point", np.arange(1, n + 1, dtype=np.float32)),
            "label": ("point", labels),
        }
    )
    counts = np.bincount(labels.astype(int))[1:]
    return dataset.assign(count=("cluster", counts)).assign_coords(cluster=np.arange(1, k + 1))


@pytest.mark.parametrize("n_twigs", [1, 2, 7, 40, 99])
def test_top_has_the_cuts_of_the_whole_tree(n_twigs):
    dataset = make_tree()
    top = Top.of(dataset, n_twigs)
    n = min(n_twigs, 40)
    assert len(top) == len(top.sizes) == n
    assert top.sizes.sum() == 40
    np.testing.assert_array_equal(top.linkage[:, 2:], dataset["linkage"].values[40 - n :, 2:])
    for k in range(1, n + 1):
        found = top.cut(k)[top.twigs]
        assert adjusted_rand_score(cut_tree(dataset["linkage"].values, k)[:, 0], found) == 1


def test_top_is_a_tree_whose_branches_do_not_cross():
    top = Top.of(make_tree(), 12)
    for k in range(1, 13):
        assert (np.diff(top.cut(k)) >= 0).all()


def test_top_knows_the_clusters_of_the_result_in_their_order():
    dataset = make_tree(k=2)
    top = Top.of(dataset, 10)
    by_hand = [dataset["label"].values[top.twigs == t] for t in range(10)]
    assert [set(labels) for labels in by_hand] == [{c} for c in top.clusters]
    np.testing.assert_array_equal(top.clusters, np.sort(top.clusters))
    np.testing.assert_array_equal(top.numbers(top.cut(2)), [1, 2])


def test_top_of_labels_that_are_no_cut_takes_the_most_frequent():
    dataset = make_tree(k=2)
    labels = dataset["label"].values
    labels[np.flatnonzero(labels == 1)[0]] = 2
    np.testing.assert_array_equal(Top.of(dataset, 2).clusters, [1, 2])


def test_twigs_without_a_point_belong_to_no_cluster():
    dataset = make_tree(k=2)
    some = dataset.assign(label=dataset["label"].where(dataset["label"] == 1))
    top = Top.of(some, 2)
    np.testing.assert_array_equal(np.sort(top.clusters), [0, 1])
    np.testing.assert_array_equal(top.sizes > 0, top.clusters > 0)


def test_the_cut_of_a_tree_is_known_whatever_became_of_the_clusters(model, tmp_path):
    result = ward(model, 3)
    result.to_netcdf(tmp_path / "a.nc")
    others = [result.match(kmeans(model, 5)), result.cut(4).cut(3), open_result(tmp_path / "a.nc")]
    for other in others:
        assert cut_of(other.dataset) == 3
    assert cut_of(result.dataset.isel(latitude=[0]).sel(cluster=[2])) == 3


@pytest.mark.parametrize("k", [0, 41, 2.5, "three"])
def test_the_cut_of_a_damaged_tree_is_refused(k):
    dataset = make_tree()
    dataset["linkage"].attrs["n_clusters"] = k
    with pytest.raises(ValueError, match=r"'linkage' was cut into .* clusters, but has 40 leaves"):
        cut_of(dataset)


def test_results_of_other_methods_have_no_tree(model):
    with pytest.raises(ValueError, match=r"no tree: it was not made by ward\. Merge its clusters"):
        require_tree(kmeans(model, 3).dataset)
