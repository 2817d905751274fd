"""Options are checked before any work."""

import itertools

import numpy as np
import pytest

from xvcluster.options import (
    check_bootstrap,
    check_choice,
    check_clusters,
    check_convergence,
    check_flag,
    check_grid_size,
    check_integer,
    check_ks,
    check_members,
    check_metric,
    check_n_init,
    check_number,
    check_path,
    check_seed,
    check_training,
    check_window,
    choose_ks,
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


@pytest.mark.parametrize(
    ("check", "match"),
    [
        (
            lambda: check_clusters("n_clusters", 10**9),
            "n_clusters must be at most 32,767; got 1000",
        ),
        (lambda: check_ks("k", range(2, 10**6)), "each k of k must be at most 32,767; got 32768"),
        (lambda: check_ks("k", range(2, 1500)), "k asks for 1,124,249 centroids .* 1,000,000"),
        (lambda: check_n_init(10**9, "dtw"), "n_init must be at most 10,000"),
        (lambda: check_convergence(10**12, 0.1), "max_iter must be at most 1,000,000"),
        (lambda: check_bootstrap("n", 10**9, None), "n must be at most 10,000"),
        (lambda: check_bootstrap("n", 9, 1e-300), r"block_size must be .* 0\.001; got 1e-300"),
        (lambda: check_seed(2**128), "random_state must be at most 340,282,"),
        (lambda: check_grid_size((10**5, 10**5), 9), "10,000,000,000 nodes, .* most 32,767 with"),
        (lambda: check_grid_size((101, 100), 9, "batch"), "10,100 nodes, .* 10,000 with .*'batch'"),
        (lambda: check_training("online", 10**9, None, None), "n_iterations .* most 100,000,000"),
        (lambda: check_training("batch", 10**8, None, None), "n_iterations .* most 1,000,000"),
    ],
)
def test_work_is_bounded(check, match):
    with pytest.raises(ValueError, match=match):
        check()


def test_bounds_themselves_are_allowed():
    assert check_clusters("n_clusters", 32_767) == 32_767
    assert check_grid_size((100, 100), 9, "batch") == (100, 100)
    assert check_seed(2**128 - 1).entropy == 2**128 - 1


def test_check_ks_ends_where_numbers_do_not():
    with pytest.raises(ValueError, match="each k of k must be at most 32,767"):
        check_ks("k", itertools.count(2))
    assert check_ks("k", itertools.repeat(3)) == [3]


def test_check_number_refuses_integers_beyond_all_floats():
    with pytest.raises(ValueError, match="x must be finite and above 0; got 1000"):
        check_number("x", 10**400, above=0.0)
    with pytest.raises(ValueError, match="got a number of type int with too many digits"):
        check_number("x", 10**5000, above=0.0)


def test_check_seed_names_the_alternative():
    with pytest.raises(TypeError, match=r"random_state must be an integer .*None draws a seed"):
        check_seed(np.random.default_rng(0))


@pytest.mark.parametrize("value", ["l1", ["l1"], np.array(["euclidean", "dtw"]), None, 3])
def test_check_choice_refuses_all_else(value):
    with pytest.raises(ValueError, match=r"unknown metric .*; choose one of 'a', 'b'$"):
        check_choice("metric", value, ("a", "b"))


def test_check_choice_takes_none_where_it_is_a_choice():
    assert check_choice("normalize", None, ("a", "b"), or_none=True) is None
    with pytest.raises(ValueError, match="choose one of 'a', 'b', or None"):
        check_choice("normalize", "c", ("a", "b"), or_none=True)


def test_check_flag_takes_no_words():
    assert [check_flag("smooth", value) for value in (None, True, np.False_)] == [None, True, False]
    for value in ("no", 0, np.array([True, False])):
        with pytest.raises(TypeError, match="smooth must be True, False or None; got"):
            check_flag("smooth", value)


def test_check_members_takes_one_or_several_in_their_order():
    known = np.array([1, 2, 3, 4])
    for given in (4, 4.0, np.float32(4), np.array(4)):
        assert check_members(given, known) == [4]
    for given in ([3, 1], (3.0, 1.0), np.array([3, 1]), iter([3, 1])):
        assert check_members(given, known) == [3, 1]
    assert sorted(check_members({3, 1}, known)) == [1, 3]


@pytest.mark.parametrize("given", [5, True, "1", [1, "2"], 1.5, None, [[1, 2]], itertools.count(1)])
def test_check_members_refuses_what_is_no_cluster(given):
    with pytest.raises(ValueError, match=r"there is no cluster .*; the clusters are 1, 2, 3, 4$"):
        check_members(given, range(1, 5))


@pytest.mark.parametrize("path", [3, None, b"file", ["file"], "a\0b"])
def test_check_path_refuses_what_is_no_path(path):
    with pytest.raises(TypeError, match="checkpoint must be the path of a file; got"):
        check_path("checkpoint", path)


def test_choose_ks_warns_of_a_range_without_effect():
    assert choose_ks(4, range(2, 21), "n_clusters") == [4]
    assert choose_ks(None, [3, 2], "n_clusters") == [2, 3]
    with pytest.warns(UserWarning, match="k_range has no effect together with n_clusters=4"):
        assert choose_ks(4, [2, 3], "n_clusters") == [4]
