"""What a result must hold, checked where it comes from elsewhere."""

import json

import numpy as np
import pytest

from xvcluster import ClusterResult, gmm, kmeans, open_result, som
from xvcluster.record.check import check_labels, check_result, decisive

FITS = {
    "kmeans": lambda data: kmeans(data["vs"], 4),
    "dtw": lambda data: kmeans(data["vs"], 3, metric="dtw", window=2),
    "profile": lambda data: kmeans(data["vs"], 3, normalize="profile"),
    "weighted": lambda data: kmeans(data, 3, weights="area", level_weights="thickness"),
    "raster": lambda data: kmeans(data["vs"].isel(depth=0), 3),
    "som": lambda data: som(data["vs"], (2, 3), algorithm="online", n_iterations=300),
    "merged": lambda data: som(data, (3, 3), n_clusters=3, algorithm="online", n_iterations=300),
    "som profile": lambda data: som(
        data["vs"], (2, 3), algorithm="online", n_iterations=300, normalize="profile"
    ),
    "gmm": lambda data: gmm(data, 3),
    "tied": lambda data: gmm(data["vs"], 3, covariance="tied"),
    "diag": lambda data: gmm(data["vs"], 3, covariance="diag"),
    "spherical": lambda data: gmm(data["vs"], 3, covariance="spherical"),
}


@pytest.fixture
def dataset(rough_model):
    """That of a result, with four clusters."""
    return kmeans(rough_model, 4, n_init=1).dataset


def with_parameters(dataset, **changed):
    known = json.loads(dataset.attrs["parameters"]) | changed
    kept = {name: value for name, value in known.items() if value is not ...}
    return dataset.assign_attrs(parameters=json.dumps(kept))


def with_values(dataset, name, values):
    own = dataset[name]
    return dataset.assign({name: (own.dims, np.broadcast_to(values, own.shape), own.attrs)})


@pytest.mark.parametrize("name", FITS)
@pytest.mark.filterwarnings("ignore:online training shows")
def test_check_result_accepts_what_every_method_writes(two_variables, name):
    check_result(FITS[name](two_variables).dataset)


@pytest.mark.filterwarnings("ignore:online training shows")
def test_check_result_accepts_clusters_that_a_match_left_empty(rough_model):
    result = kmeans(rough_model, 3, n_init=1)
    reference = result.labels.where(result.labels != 2, 9).assign_attrs(flag_values=range(1, 10))
    matched = result.match(reference)
    assert (matched.dataset["count"] == 0).any()
    check_result(matched.dataset)


CHANGES = {
    "it lacks the variable 'vs_std'": lambda d: d.drop_vars("vs_std"),
    "it lacks the variable 'label'": lambda d: d.drop_vars("label"),
    "it lacks the parameter 'n_iter'": lambda d: with_parameters(d, n_iter=...),
    "the parameter n_iter must be an integer": lambda d: with_parameters(d, n_iter="2"),
    "the parameter tol must be a number": lambda d: with_parameters(d, tol=None),
    "the parameter metric must be 'euclidean' or 'dtw'": lambda d: with_parameters(d, metric="l1"),
    "the parameter unknown normalize 'x'": lambda d: with_parameters(d, normalize="x"),
    "the parameter variables must be a list": lambda d: with_parameters(d, variables="vs"),
    "the parameter vertical must be the name": lambda d: with_parameters(d, vertical=3),
    "the parameter 'method' is 'som'": lambda d: with_parameters(d, method="som"),
    "it lacks the attribute 'method'": lambda d: d.drop_attrs(deep=False),
    "it lacks the attribute 'parameters'": lambda d: d.assign_attrs(parameters=None),
    "'parameters' is not JSON": lambda d: d.assign_attrs(parameters="[" * 100_000),
    "'parameters' is not JSON: NaN is no": lambda d: d.assign_attrs(parameters='{"tol": NaN}'),
    "'parameters' must be a JSON object": lambda d: d.assign_attrs(parameters="[]"),
    "'parameters' must be text of at most": lambda d: d.assign_attrs(parameters=" " * 2_000_000),
    r"'vs' lies on \(cluster: 4\), but should lie on \(cluster, depth\)": lambda d: d.assign(
        vs=d["vs"].isel(depth=0)
    ),
    r"'vs' lies on \(depth: 6, cluster: 4\)": lambda d: d.assign(vs=d["vs"].transpose()),
    "'cluster' has length 3, but the parameter 'n_clusters' is 4": lambda d: d.isel(
        cluster=slice(3)
    ),
    "'vs' is of type int64, but should hold floating": lambda d: d.assign(vs=d["vs"].astype(int)),
    "'count' is of type float64, but should hold integers": lambda d: d.assign(
        count=d["count"].astype(float)
    ),
    "'cluster' is not 1, 2, 3, 4": lambda d: d.assign_coords(cluster=[1, 2, 3, 5]),
    "'quantile' is not 0.05": lambda d: d.assign_coords(quantile=[0.1, 0.2, 0.3, 0.4, 0.5]),
    "'vs' is NaN where a number is needed": lambda d: d.assign(vs=d["vs"].where(d["cluster"] > 1)),
    "no cluster has a centroid": lambda d: with_values(with_values(d, "vs", np.nan), "count", 0),
    "'vs' holds inf, but should be within": lambda d: with_values(d, "vs", np.inf),
    "'vs' holds 1e.300, but": lambda d: with_values(d, "vs", 1e300),
    "'vs_scale' holds 0, but should be within": lambda d: with_values(d, "vs_scale", 0.0),
    "the centroids are too large for": lambda d: with_values(d, "vs_scale", 1e-290),
    "'depth', the vertical, holds numbers that are not finite": lambda d: d.assign_coords(
        depth=d["depth"].where(d["depth"] > 0)
    ),
    "'depth', the vertical, lies on .other: 0": lambda d: d.drop_vars("depth").assign(
        depth=("other", np.zeros(0))
    ),
    "'label' holds 9, but clusters are numbered 1 to 4": lambda d: with_values(d, "label", 9.0),
    "'label' holds 1.5, but": lambda d: with_values(d, "label", 1.5),
    "'label' has no points": lambda d: d.isel(latitude=slice(0)),
    r"'vs' is empty: it lies on .cluster: 4, depth: 0": lambda d: d.isel(depth=slice(0)),
    "'status' holds 7, but should be within 0 to 3": lambda d: with_values(
        d, "status", np.int8(7)
    ),
    "'flag_values' of 'label' does not number 1 to 4": lambda d: d.assign(
        label=d["label"].assign_attrs(flag_values=[1, 2])
    ),
    "the latitude 'latitude' is not numeric": lambda d: d.assign_coords(
        latitude=d["latitude"].astype(str)
    ),
    "the latitude 'latitude', read as degrees, holds 1e.08": lambda d: d.assign_coords(
        latitude=d["latitude"] * 0 + 1e8
    ),
    "it holds 'level_weight', which does not go with": lambda d: d.assign(
        level_weight=d["depth"] + 1.0
    ),
    "'sweep_x' does not hold numbers along": lambda d: d.assign(sweep_x=d["area"]),
    "'window' does not go with metric='euclidean'": lambda d: with_parameters(d, window=2),
}  # fmt: skip


@pytest.mark.parametrize("message", CHANGES)
def test_check_result_names_the_part_that_is_wrong(dataset, message):
    with pytest.raises(ValueError, match=message):
        check_result(CHANGES[message](dataset))


OF_METHODS = {
    "gmm": {
        "'component_weight' sums to 3, but shares": lambda d: with_values(
            d, "component_weight", 1.0
        ),
        "'component_covariance' holds what is no covariance": lambda d: with_values(
            d, "component_covariance", -1.0
        ),
        "covariance must be 'full' or": lambda d: with_parameters(d, covariance="round"),
    },
    "merged": {
        "'node_cluster' holds 4, but clusters": lambda d: with_values(d, "node_cluster", 4),
        "'grid_size' is .2, 2., but there are 9 nodes": lambda d: with_parameters(
            d, grid_size=[2, 2]
        ),
        "it lacks the variable 'vs_node'": lambda d: d.drop_vars("vs_node"),
        "'node' is not 1, 2, 3, 4, 5": lambda d: d.assign_coords(node=d["node"] + 1),
    },
}
CASES = [(name, message) for name, changes in OF_METHODS.items() for message in changes]


@pytest.mark.parametrize(("name", "message"), CASES)
@pytest.mark.filterwarnings("ignore:online training shows")
def test_check_result_knows_what_each_method_holds(two_variables, name, message):
    changed = OF_METHODS[name][message](FITS[name](two_variables).dataset)
    with pytest.raises(ValueError, match=message):
        check_result(changed)


@pytest.mark.parametrize("name", ["kmeans", "dtw", "profile", "som", "gmm"])
@pytest.mark.filterwarnings("ignore:online training shows")
def test_predict_refuses_centroids_without_their_levels(two_variables, name):
    result = FITS[name](two_variables)
    data = two_variables[result.parameters["variables"]]
    nodes = "vs_node" if name == "som" else "vs"
    short = result.dataset.assign({nodes: result.dataset[nodes].isel(depth=0, drop=True)})
    with pytest.raises(ValueError, match=rf"'{nodes}' lies on .* but should lie on"):
        ClusterResult(short).predict(data)


def test_text_of_a_file_is_shown_without_its_control_characters(dataset, tmp_path):
    dataset.assign_attrs(method="\x1b[2Jk-means\n").to_netcdf(tmp_path / "odd.nc")
    with pytest.raises(ValueError, match=r"odd\.nc is damaged.*method 'k?") as raised:
        open_result(tmp_path / "odd.nc")
    assert str(raised.value).isprintable()


def test_decisive_are_nodes_scaling_and_levels(dataset):
    assert decisive(dataset) == ["vs", "vs_offset", "vs_scale", "depth"]


@pytest.mark.parametrize("values", [[0.0], [5.0], [1.5], [np.inf], [-1]])
def test_check_labels_refuses_what_is_no_cluster(values):
    with pytest.raises(ValueError, match=r"'label' holds .*, but clusters are numbered 1 to 4"):
        check_labels(np.array(values), "label", 4)


def test_check_labels_accepts_nan_and_nothing():
    check_labels(np.array([1.0, np.nan, 4.0]), "label", 4)
    check_labels(np.array([np.nan]), "label", 4)
