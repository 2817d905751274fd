import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.labels import check_labels, declared_numbers, present_numbers, take_labels


def labels(values, **attrs):
    return xr.DataArray(values, dims="point", attrs=attrs)


@pytest.mark.parametrize(
    ("renumber", "numbers"),
    [(lambda a: a + 1, [2, 3, 4]), (lambda a: a * 2, [2, 4, 6]), (lambda a: a * a, [1, 4, 9])],
    ids=["plus one", "doubled", "squared"],
)
def test_check_labels_believes_the_values_where_attributes_are_older(renumber, numbers):
    old = labels([1.0, 2.0, 3.0], flag_values=[1, 2, 3], flag_meanings="a b c", ordered_by="mean")
    with xr.set_options(keep_attrs=True):
        new = renumber(old)
    assert "flag_values" in new.attrs
    found = check_labels(new, "new")
    assert present_numbers(found).tolist() == numbers
    assert declared_numbers(found) is None
    assert found.attrs == {"ordered_by": "mean"}


def test_check_labels_keeps_what_is_said_of_clusters_that_do_not_occur():
    old = labels([1.0, np.nan, 3.0], flag_values=[1, 2, 3], flag_meanings="a b c")
    found = check_labels(old.where(old != 3), "some")
    assert declared_numbers(found).tolist() == [1, 2, 3]
    assert found.attrs["flag_meanings"] == "a b c"


def test_check_labels_drops_the_shape_of_a_map_that_has_no_such_node():
    nodes = labels([1.0, 6.0], som_shape=np.array([2, 3]))
    assert "som_shape" in check_labels(nodes, "nodes").attrs
    with xr.set_options(keep_attrs=True):
        assert "som_shape" not in check_labels(nodes + 1, "nodes").attrs


@pytest.mark.parametrize("flags", ["1b, 2b", {"a": 1}, [np.nan], [0, -1]])
def test_declared_numbers_reads_no_flags_that_are_no_numbers(flags):
    assert declared_numbers(labels([1.0, 2.0], flag_values=flags)) is None


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ([1.0, 2.5], ValueError, r"m holds 2\.5, but labels are integers from 1"),
        ([-0.2, -1.5], ValueError, r"m holds -0\.2, but labels are integers from 1"),
        ([0.2, 0.5], ValueError, r"m holds 0\.2, but labels are integers from 1"),
        (["a", "b"], TypeError, r"m is of type <U1, but labels are integers from 1"),
        ([1 + 2j], TypeError, r"m is of type complex128, but"),
        ([1, 2, 10**9 + 24], ValueError, r"m holds or declares the label 1000000\d+, but only 3"),
    ],
)
def test_check_labels_refuses_what_is_no_labels(values, error, text):
    with pytest.raises(error, match=text):
        check_labels(labels(values), "m")


def test_check_labels_warns_of_a_zero_beside_missing_labels():
    numbered_from_zero = labels([0.0, np.nan, 1.0, 2.0], flag_values=[1, 2, 3])
    with pytest.warns(UserWarning, match=r"m holds 0, which is treated as no label"):
        check_labels(numbered_from_zero, "m")


def test_check_labels_warns_of_several_numbers_below_zero():
    with pytest.warns(UserWarning, match=r"m holds 3 different numbers below 0, -4 to -1, which"):
        check_labels(labels([-4, -2, -1, 1]), "m")
    check_labels(labels([-1, -1, 1]), "m")


def test_check_labels_takes_true_for_the_first_cluster():
    np.testing.assert_array_equal(check_labels(labels([True, False]), "m"), [1.0, np.nan])


def test_take_labels_of_a_result_a_dataset_or_an_array():
    array = labels([1.0, 2.0])
    dataset = xr.Dataset({"label": array})

    class Result:
        pass

    result = Result()
    result.dataset = dataset
    for source in (array, dataset, result):
        xr.testing.assert_equal(take_labels(source, "m"), array)
    with pytest.raises(ValueError, match=r"the Dataset of m has no variable 'label'"):
        take_labels(xr.Dataset(), "m")
    with pytest.raises(
        TypeError, match=r"labels must be a ClusterResult or a DataArray .* ndarray"
    ):
        take_labels(array.values, "m")
