"""The Dataset of a clustering."""

import numpy as np
import pytest

from xvcluster.record.dataset import lowest_first


def test_lowest_first_orders_by_the_first_variable_over_the_levels():
    centroids = np.stack([[[3.0, 0], [0, 0]], [[1.0, 9], [1, 9]], [[4.0, 5], [4, 5]]])
    assert lowest_first(centroids).tolist() == [1, 0, 2]


def _stations(model):
    """The model at stations that are known by name, without an index of their positions."""
    lined_up = model.stack(station=("latitude", "longitude")).reset_index("station")
    names = [f"s{i}" for i in range(lined_up.sizes["station"])]
    return lined_up.assign_coords(name=("station", names)).set_xindex("name")


@pytest.mark.parametrize(
    "cluster",
    [
        lambda data: data.vcluster.kmeans(3),
        lambda data: data.vcluster.gmm(2),
        lambda data: data.vcluster.som((2, 2)),
        lambda data: data.vcluster.sweep(range(2, 4)).result(3),
    ],
)
def test_results_keep_the_indexes_of_the_data_and_make_no_others(rough_model, cluster):
    stations = _stations(rough_model)
    labels = cluster(stations).labels
    assert set(labels.xindexes) == {"name"}
    few = labels.isel(station=slice(5, None))
    assert (labels == few).sizes["station"] == few.size  # aligned by name
    unindexed = rough_model.drop_indexes("latitude")
    assert set(cluster(unindexed).labels.xindexes) == {"longitude"}
