"""The accessor `.vcluster`."""

import inspect

import pytest
import xarray as xr

import xvcluster


@pytest.mark.parametrize("name", ["prepare", "kmeans", "som", "gmm", "sweep"])
def test_methods_have_the_signature_and_docstring_of_their_functions(name):
    function, method = getattr(xvcluster, name), getattr(xvcluster.VCluster, name)
    own, theirs = inspect.signature(method), inspect.signature(function)
    assert list(own.parameters)[1:] == list(theirs.parameters)[1:]
    assert method.__doc__ == function.__doc__


def test_kmeans_equals_the_function(two_variables):
    for data in (two_variables, two_variables["vs"]):
        expected = xvcluster.kmeans(data, 3, n_init=1).labels
        xr.testing.assert_identical(data.vcluster.kmeans(3, n_init=1).labels, expected)


def test_som_equals_the_function(model):
    expected = xvcluster.som(model, (2, 2), algorithm="online", n_iterations=100).labels
    xr.testing.assert_identical(
        model.vcluster.som((2, 2), algorithm="online", n_iterations=100).labels, expected
    )


def test_gmm_equals_the_function(model):
    expected = xvcluster.gmm(model, 3).labels
    xr.testing.assert_identical(model.vcluster.gmm(3).labels, expected)


def test_sweep_equals_the_function(model):
    expected = xvcluster.sweep(model, [4]).dataset
    xr.testing.assert_identical(model.vcluster.sweep([4]).dataset, expected)


def test_prepare_gives_the_same_type(two_variables):
    assert two_variables.vcluster.prepare(stride=2).sizes["latitude"] == 6
    assert two_variables["vs"].vcluster.prepare(depth=(10, 30)).sizes["depth"] == 3


def test_predict_equals_that_of_the_result(model):
    result = model.vcluster.kmeans(3)
    xr.testing.assert_identical(model.vcluster.predict(result), result.predict(model))


def test_plot_has_the_figures_of_a_label_array(model):
    assert callable(model.vcluster.kmeans(3).labels.vcluster.plot.map)


def test_plot_refuses_a_dataset(two_variables):
    with pytest.raises(TypeError, match=r"plot needs a label array, .* dataset\['label'\]"):
        two_variables.vcluster.plot  # noqa: B018


def test_predict_refuses_what_is_no_result(model, two_variables):
    for given in (model, model.vcluster.kmeans(2).dataset, "result.nc", None):
        with pytest.raises(TypeError, match=r"result must be a ClusterResult; got .*open_result"):
            model.vcluster.predict(given)


def test_boundaries_of_labels_are_a_function(model):
    pytest.importorskip("geopandas")
    labels = model.vcluster.kmeans(3).labels
    assert set(xvcluster.boundaries(labels, 2)["cluster"]) == {2}
