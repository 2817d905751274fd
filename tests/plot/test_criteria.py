import inspect

import numpy as np
import pytest
import xarray as xr

from xvcluster.plot import criteria
from xvcluster.plot.methods import SweepPlots

BEST = {
    "inertia": 4,
    "silhouette": 3,
    "davies_bouldin": 5,
    "calinski_harabasz": 2,
    "gap": 6,
    "stability": 3,
}
VERDICT = "the criteria disagree: " + ", ".join(f"{name} takes {k}" for name, k in BEST.items())


def make_criteria(ks=range(2, 8), names=tuple(BEST), best=BEST):
    """The criteria of a sweep, those that one cluster alone does not have NaN."""
    k = np.array(ks)
    values = {
        "inertia": (100 / k, {"long_name": "sum of squared distances"}),
        "silhouette": (1 / k, {"long_name": "simplified silhouette", "units": "1"}),
        "davies_bouldin": (k / 10, {"long_name": "Davies–Bouldin index", "units": "1"}),
        "calinski_harabasz": (500 / k, {"long_name": "Caliński–Harabasz index", "units": "1"}),
        "gap": (np.log(k), {"long_name": "gap", "units": "1"}),
        "stability": (1 - k / 10, {"long_name": "mean adjusted Rand index", "threshold": 0.8}),
    }
    alone = ("inertia", "gap")
    dataset = xr.Dataset(coords={"k": k, "criterion": list(names)})
    for name in names:
        numbers, attrs = values[name]
        dataset[name] = ("k", numbers if name in alone else np.where(k > 1, numbers, np.nan), attrs)
    if "silhouette" in names:
        sample = np.where(k > 1, 0.9 / k, np.nan)
        dataset["silhouette_sample"] = ("k", sample, {"long_name": "silhouette of 500 profiles"})
    if "gap" in names:
        dataset["gap_error"] = ("k", 0.1 * k)
    dataset["best"] = ("criterion", [best[name] for name in names])
    return dataset.assign_attrs(best_k=4, best_k_by="knee", verdict=VERDICT)


def panel(figure, word):
    (ax,) = (ax for ax in figure.axes if ax.get_title().startswith(word))
    return ax


def rings(ax):
    return [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_markersize() == 9]


def test_criteria_names_the_best_k_of_each(close):
    figure = close(criteria(make_criteria())).figure
    assert [ax.get_title() for ax in figure.axes] == [
        "inertia · knee at 4",
        "silhouette · best at 3",
        "Davies–Bouldin · best at 5",
        "Caliński–Harabasz · best at 2",
        "gap · best at 6",
        "stability · best at 3",
    ]


def test_criteria_says_where_there_is_no_best_k(close):
    figure = close(criteria(make_criteria(best=dict.fromkeys(BEST, 0)))).figure
    assert [ax.get_title() for ax in figure.axes] == [
        "inertia · no knee",
        "silhouette · none",
        "Davies–Bouldin · none",
        "Caliński–Harabasz · none",
        "gap · none",
        "stability · no k is stable",
    ]
    assert [rings(ax) for ax in figure.axes] == [[]] * 6


def test_criteria_rings_the_best_k_of_each(close):
    dataset = make_criteria()
    figure = close(criteria(dataset)).figure
    for ax, (name, k) in zip(figure.axes, BEST.items(), strict=True):
        assert rings(ax) == [(k, pytest.approx(float(dataset[name].sel(k=k))))]


def test_criteria_draws_the_values_against_k(close):
    dataset = make_criteria()
    for ax, name in zip(close(criteria(dataset)).axes, BEST, strict=True):
        np.testing.assert_allclose(ax.lines[0].get_xydata(), np.stack([dataset.k, dataset[name]]).T)


@pytest.mark.parametrize(("n", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3))])
def test_criteria_has_a_panel_for_those_that_there_are(close, n, shape):
    figure = close(criteria(make_criteria(names=tuple(BEST)[:n])), drawn=True).figure
    assert len(figure.axes) == n
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == shape
    # every column is labelled at its lowest panel
    assert sum(bool(ax.get_xlabel()) for ax in figure.axes) == shape[1]


def test_criteria_share_whole_numbers_of_clusters(close):
    first, *others = close(criteria(make_criteria(range(2, 4))), drawn=True).axes
    assert {ax.get_xlim() for ax in others} == {first.get_xlim()}
    np.testing.assert_array_equal(first.get_xticks(), np.round(first.get_xticks()))


def test_criteria_say_which_way_is_better(close):
    figure = close(criteria(make_criteria())).figure
    assert panel(figure, "Davies").get_ylabel() == "Davies–Bouldin index\nlower is better"
    assert panel(figure, "Cali").get_ylabel() == "Caliński–Harabasz index\nhigher is better"
    assert panel(figure, "inertia").get_ylabel() == "sum of squared distances"


def test_criteria_draw_both_silhouettes(close):
    dataset = make_criteria()
    ax = panel(close(criteria(dataset)), "silhouette")
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["simplified silhouette", "silhouette of 500 profiles"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), dataset["silhouette_sample"])


def test_criteria_need_no_silhouette_of_a_sample(close):
    figure = close(criteria(make_criteria().drop_vars("silhouette_sample"))).figure
    assert panel(figure, "silhouette").get_legend() is None


def test_criteria_draw_the_error_of_the_gap(close):
    dataset = make_criteria()
    (bars,) = panel(close(criteria(dataset)), "gap").collections
    low, high = np.array([path[:, 1] for path in bars.get_segments()]).T
    np.testing.assert_allclose(low, dataset["gap"] - dataset["gap_error"])
    np.testing.assert_allclose(high, dataset["gap"] + dataset["gap_error"])


def test_criteria_need_no_error_of_the_gap(close):
    figure = close(criteria(make_criteria().drop_vars("gap_error"))).figure
    assert list(panel(figure, "gap").collections) == []


def test_criteria_draw_from_where_k_is_stable(close):
    ax = panel(close(criteria(make_criteria())), "stability")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["stable from 0.8 on"]
    assert [0.8, 0.8] in [list(line.get_ydata()) for line in ax.lines]


def test_criteria_need_no_threshold(close):
    dataset = make_criteria()
    del dataset["stability"].attrs["threshold"]
    assert panel(close(criteria(dataset)), "stability").get_legend() is None


@pytest.mark.parametrize("n", [1, 3, 4, 6])
def test_criteria_tell_the_verdict_and_the_k_taken(close, n):
    figure = close(criteria(make_criteria(names=tuple(BEST)[:n])), drawn=True).figure
    *verdict, taken = figure._suptitle.get_text().splitlines()
    assert " ".join(verdict) == VERDICT
    assert taken == "dashed: k = 4 (knee)"
    box = figure._suptitle.get_window_extent()
    assert not any(box.overlaps(ax.get_tightbbox()) for ax in figure.axes)
    assert box.x1 <= figure.bbox.width
    assert box.y1 <= figure.bbox.height


def test_criteria_draw_the_k_taken_as_a_dashed_line(close):
    for ax in close(criteria(make_criteria())).axes:
        dashed = [line for line in ax.lines if line.is_dashed()]
        assert [list(line.get_xdata()) for line in dashed] == [[4, 4]]


def test_criteria_without_attributes_tell_nothing_more(close):
    figure = close(criteria(make_criteria().drop_attrs(deep=False))).figure
    assert figure._suptitle is None
    assert not any(line.is_dashed() for ax in figure.axes for line in ax.lines)


def test_criteria_panels_do_not_overlap(close):
    figure = close(criteria(make_criteria()), drawn=True).figure
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert not any(a.overlaps(b) for a, b in pairs)


def test_criteria_legend_is_clear_of_the_lines(close):
    figure = close(criteria(make_criteria()), drawn=True).figure
    for word in ("silhouette", "stability"):
        ax = panel(figure, word)
        box = ax.get_legend().get_window_extent()
        curve = ax.transData.transform(ax.lines[0].get_xydata())
        assert not any(box.contains(*point) for point in curve)


def test_criteria_from_one_cluster_on(close):
    figure = close(criteria(make_criteria(range(1, 6))), drawn=True).figure
    drawn = panel(figure, "silhouette").lines[0].get_ydata()
    np.testing.assert_array_equal(
        np.isnan(np.asarray(drawn, dtype=float)), [True, False, False, False, False]
    )


@pytest.mark.parametrize("k", [1, 4])
def test_criteria_of_one_k_alone(close, k):
    figure = close(criteria(make_criteria([k])), drawn=True).figure
    ax = figure.axes[0]
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [k]
    # without a value there is no scale to read
    assert bool(len(panel(figure, "silhouette").get_yticks())) == (k > 1)


def test_criteria_leave_out_a_ring_at_a_k_that_is_not_there(close):
    figure = close(criteria(make_criteria().sel(k=[2, 3]))).figure
    assert figure.axes[0].get_title() == "inertia · knee at 4"
    assert rings(figure.axes[0]) == []
    assert "dashed" not in figure._suptitle.get_text()


def test_criteria_need_no_best_k_of_each(close):
    figure = close(criteria(make_criteria().sel(criterion=["inertia"]))).figure
    assert figure.axes[1].get_title() == "silhouette · none"


def test_criteria_is_a_method_of_a_sweep(close):
    method = inspect.signature(SweepPlots.criteria)
    assert list(method.parameters)[1:] == list(inspect.signature(criteria).parameters)[1:]
    assert len(close(SweepPlots(make_criteria()).criteria()).axes) == 6


def test_criteria_refuse_another_dataset(result_of):
    with pytest.raises(
        ValueError, match=r"does not contain criteria and the best k of each.*label, vs"
    ):
        criteria(result_of(2))
    with pytest.raises(ValueError, match=r"Pass the dataset of a sweep"):
        criteria(make_criteria().drop_vars("best"))


def test_criteria_change_no_input(close):
    dataset = make_criteria()
    before = dataset.copy(deep=True)
    close(criteria(dataset))
    xr.testing.assert_identical(dataset, before)


def test_criteria_draw_the_inertia_as_its_knee_is_sought(close):
    figure = close(criteria(make_criteria())).figure
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[1].get_yscale() == "linear"
