"""Options are checked before any work."""

import numpy as np
import pytest

from xvcluster.options import (
    check_grid_size,
    check_integer,
    check_ks,
    check_metric,
    check_n_init,
    check_number,
    check_seed,
    check_window,
)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_check_integer_gives_a_plain_int(value):
    assert type(check_integer("n", value, 1)) is int


@pytest.mark.parametrize("value", [2.0, "3", None, True, np.True_, [3], np.array([3, 4])])
def test_check_integer_refuses_other_types(value):
    with pytest.raises(TypeError, match="n must be an integer of at least 1; got"):
        check_integer("n", value, 1)


def test_check_integer_refuses_less_than_the_least():
    with pytest.raises(ValueError, match="n must be at least 1; got 0"):
        check_integer("n", 0, 1)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int16(1)])
def test_check_number_gives_a_plain_float(value):
    number = check_number("x", value, above=0.0)
    assert type(number) is float
    assert number == value


@pytest.mark.parametrize("value", ["1", None, True, np.True_, 1j, np.complex128(1)])
def test_check_number_refuses_other_types(value):
    with pytest.raises(TypeError, match="x must be a number above 0; got"):
        check_number("x", value, above=0.0)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf])
def test_check_number_refuses_what_is_not_finite_and_above(value):
    with pytest.raises(ValueError, match=f"x must be finite and above 0; got {value}"):
        check_number("x", value, above=0.0)


def test_check_number_takes_its_bounds():
    assert check_number("x", 1, above=0.0, most=1.0) == 1.0
    assert check_number("x", 0, above=0.0, or_equal=True) == 0.0
    with pytest.raises(ValueError, match=r"above 0 and at most 1; got 1\.01"):
        check_number("x", 1.01, above=0.0, most=1.0)
    with pytest.raises(ValueError, match=r"x must be finite and at least 0; got -0\.1"):
        check_number("x", -0.1, above=0.0, or_equal=True)


def test_check_ks_sorts_and_drops_repeats():
    assert check_ks("k", (5, 2, np.int64(3), 2)) == [2, 3, 5]


@pytest.mark.parametrize("values", [5, 2.5, "2, 3"])
def test_check_ks_refuses_what_is_not_several(values):
    with pytest.raises(TypeError, match=r"k must be several integers, such as range\(2, 21\)"):
        check_ks("k", values)


def test_check_ks_refuses_none_at_all():
    with pytest.raises(ValueError, match=r"k is empty: range\(3, 3\); give integers"):
        check_ks("k", range(3, 3))


@pytest.mark.parametrize(("values", "error"), [([0, 1], ValueError), ([2, 2.5], TypeError)])
def test_check_ks_refuses_a_bad_k(values, error):
    with pytest.raises(error, match="each k of k must be"):
        check_ks("k", values)


def test_check_metric_lists_what_is_allowed():
    assert check_metric("dtw") == "dtw"
    with pytest.raises(ValueError, match="'l1'; choose one of 'euclidean', 'dtw', 'softdtw'"):
        check_metric("l1")


def test_check_window_tells_levels_from_units():
    for window, expected in ((None, None), (3, 3), (np.int64(3), 3), (2.0, 2.0), (0, 0), (0.0, 0)):
        found = check_window(window, "dtw")
        assert found == expected
        assert type(found) is type(expected) or window == 0.0
    assert type(check_window(np.float32(2), "dtw")) is float
    assert check_window(None, "euclidean") is None


@pytest.mark.parametrize("metric", ["euclidean", "softdtw"])
def test_check_window_refuses_another_metric(metric):
    with pytest.raises(ValueError, match=f"window=3 applies to metric='dtw' only; .* '{metric}'"):
        check_window(3, metric)


@pytest.mark.parametrize("window", [-1, -0.1, np.nan, np.inf])
def test_check_window_refuses_what_is_no_width(window):
    with pytest.raises(ValueError, match=f"window must be .*at least 0; got {window}"):
        check_window(window, "dtw")


@pytest.mark.parametrize("window", [True, "3", [3]])
def test_check_window_refuses_other_types(window):
    with pytest.raises(TypeError, match=r"window must be a.*got"):
        check_window(window, "dtw")


def test_check_n_init_knows_the_dear_metrics():
    assert [check_n_init("auto", m) for m in ("euclidean", "dtw", "softdtw")] == [10, 3, 3]
    assert check_n_init(4, "dtw") == 4


def test_check_n_init_refuses_other_words():
    with pytest.raises(ValueError, match=r"n_init must be 'auto' or an integer .* got 'many'"):
        check_n_init("many", "dtw")


def test_check_seed_of_none_is_always_a_new_one():
    assert check_seed(3).entropy == 3
    assert check_seed(None).entropy != check_seed(None).entropy


def test_check_grid_size_grows_with_the_fourth_root():
    assert check_grid_size(None, 65160) == (16, 16)
    assert check_grid_size(None, 16) == (2, 2)
    assert check_grid_size([2, np.int64(3)], 16) == (2, 3)


@pytest.mark.parametrize("grid_size", [4, (4,), (4, 0), (4, 2.5), "44"])
def test_check_grid_size_refuses_what_is_no_pair(grid_size):
    with pytest.raises(ValueError, match=r"grid_size must be a pair .* such as \(6, 6\); got"):
        check_grid_size(grid_size, 10)
