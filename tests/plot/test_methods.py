import inspect

import numpy as np
import pytest

from xvcluster.plot import map as draw_map
from xvcluster.plot.methods import ResultPlots


def with_margin(dataset):
    label = dataset["label"]
    values = np.linspace(0, 1, label.size).reshape(label.shape)
    margin = (label.dims, values, {"long_name": "margin", "units": "1"})
    return dataset.assign(margin=margin, distance=(label.dims, values, {"units": "km/s"}))


def test_map_of_a_result_takes_the_name_of_a_certainty(close, result_of):
    dataset = with_margin(result_of(3))
    named = close(ResultPlots(dataset).map(certainty="margin", title="Mine"))
    passed = close(draw_map(dataset["label"], certainty=dataset["margin"]))
    np.testing.assert_array_equal(*(ax.collections[0].get_array() for ax in (named, passed)))
    assert named.get_title() == "Mine"
    assert named.child_axes[0].get_xlabel() == "margin"


def test_map_of_a_result_takes_an_array_too(close, result_of):
    dataset = with_margin(result_of(3))
    ax = close(ResultPlots(dataset).map(certainty=dataset["margin"]))
    assert ax.child_axes[0].get_xlabel() == "margin"


def test_map_of_a_result_draws_the_stability_of_samples_and_under_noise(close, rough_model):
    sure = rough_model.vcluster.kmeans(3).stability(3, noise=0.2)
    for name, said in {"stability": "bootstrap samples", "stability_noise": "perturbed"}.items():
        ax = close(sure.plot.map(certainty=name))
        bar = ax.child_axes[0]
        assert said in (bar.get_xlabel() + bar.get_ylabel()).replace("\n", " ")


def test_map_of_a_result_names_what_there_is(result_of):
    message = (
        r"certainty='stability' is not a variable of this result; it has margin\. "
        r"For the stability, call result\.stability\(n=\.\.\.\) first"
    )
    with pytest.raises(ValueError, match=message):
        ResultPlots(with_margin(result_of(3))).map(certainty="stability")


def test_map_of_a_result_has_the_options_of_the_function():
    method = inspect.signature(ResultPlots.map)
    assert list(method.parameters)[1:] == list(inspect.signature(draw_map).parameters)[1:]
    assert ResultPlots.map.__doc__ == draw_map.__doc__
