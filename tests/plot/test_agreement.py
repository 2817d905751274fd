from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from xvcluster.agreement import compare
from xvcluster.plot import agreement, cluster_colors


def labels(k, seed=0, n=24, **attrs):
    drawn = np.random.default_rng(seed).integers(1, k + 1, (n // 3, n // 3))
    coords = {"lat": np.arange(float(n)), "lon": np.arange(float(n))}
    values = np.kron(drawn, np.ones((3, 3)))
    return xr.DataArray(values, coords, ("lat", "lon"), name="label", attrs=attrs)


@pytest.fixture(scope="module")
def found():
    names = "Basin_and_Range Snake_River_Plain_and_the_plateau_of_Yellowstone $x_{2}"
    flags = {"flag_values": [1, 2, 3], "flag_meanings": names}
    ordered = {"ordered_by": "mean of vs (km/s), lowest first"}
    return compare(labels(4, **ordered), labels(3, 1, **flags), n=19)


def numbers(ax):
    return {
        (round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts
    }


@pytest.mark.parametrize(("of", "dim"), [("cluster", "province"), ("province", "cluster")])
def test_agreement_writes_shares_that_add_up(close, found, of, dim):
    figure = close(found.plot.agreement(of=of), drawn=True).figure
    (ax,) = figure.axes
    rows = [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]
    contingency = found.dataset["contingency"]
    shares = (100 * contingency / contingency.sum(dim)).transpose("province", "cluster")
    written = numbers(ax)
    for row, name in enumerate(rows):
        values = shares.sel(province=name.replace("\\$", "$")).values
        assert [written[row, column] for column in range(4)] == [f"{v:.0f}" for v in values]


def test_agreement_has_the_clusters_in_their_colours(close, found):
    figure = close(agreement(found), drawn=True).figure
    ticks = figure.axes[0].get_xticklabels()
    assert [t.get_text() for t in ticks] == ["1", "2", "3", "4"]
    colors = [t.get_bbox_patch().get_facecolor() for t in ticks]
    ordered = labels(4, ordered_by="mean of vs (km/s), lowest first")
    np.testing.assert_allclose(colors, cluster_colors(ordered))


def test_agreement_wraps_long_names_within_the_figure(close, found):
    figure = close(agreement(found), drawn=True).figure
    ticks = figure.axes[0].get_yticklabels()
    assert max(t.get_text().count("\n") for t in ticks) == 1
    boxes = [t.get_window_extent() for t in [*ticks, *figure.axes[0].get_xticklabels()]]
    boxes.append(figure._suptitle.get_window_extent())
    for box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width
    heights = sorted((t.get_window_extent().y0, t.get_window_extent().y1) for t in ticks)
    assert all(low[1] < high[0] for low, high in pairwise(heights))


def test_agreement_says_how_sure_it_is(close, found):
    (title,) = close(agreement(found)).figure.texts
    assert f"(p = {found.p_value:.2g}, 19 random" in title.get_text().replace("\n", " ")


def test_agreement_leaves_an_empty_cluster_blank(close):
    own = labels(2, flag_values=[1, 2, 3], flag_meanings="a b c")
    ax = close(compare(own, labels(2, 1), n=19).plot.agreement()).figure.axes[0]
    assert {column for _, column in numbers(ax)} == {0, 1}
    assert len(ax.get_xticks()) == 3


def test_agreement_draws_the_largest_of_many_provinces(close):
    many = compare(labels(3, n=60), labels(70, 1, n=60), n=19)
    figure = close(many.plot.agreement()).figure
    assert len(figure.axes[0].get_yticks()) == 50
    n = many.dataset.sizes["province"]
    assert f"the 50 largest of {n} provinces" in figure.texts[0].get_text().replace("\n", " ")
    assert figure.get_size_inches().max() <= 20
    assert plt.get_fignums()


def test_agreement_refuses_what_is_none(found):
    with pytest.raises(
        ValueError, match=r"no table of clusters and provinces; its variables are x"
    ):
        agreement(xr.Dataset({"x": 1}))
    with pytest.raises(
        TypeError, match=r"plot\.agreement draws an Agreement or its dataset; got 3|int"
    ):
        agreement(3)
    with pytest.raises(ValueError, match=r"unknown of 'area'"):
        agreement(found, of="area")


def sizes_in(figure):
    ax = figure.axes[0]
    return [t.get_fontsize() for t in [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]]


def test_agreement_of_twenty_clusters_fits_on_a_page(close):
    found = compare(labels(20, n=60), labels(5, 1, n=60), n=19)
    figure = close(found.plot.agreement(), drawn=True).figure
    width = figure.get_size_inches()[0]
    assert width <= 7.3
    assert min(sizes_in(figure)) * min(7 / width, 1) >= 5.8
    for shown in ([t for t in figure.axes[0].texts if t.get_position()[1] == 0],
                  figure.axes[0].get_xticklabels()):  # fmt: skip
        boxes = sorted((t.get_window_extent().x0, t.get_window_extent().x1) for t in shown)
        assert all(left[1] <= right[0] for left, right in pairwise(boxes))


def test_agreement_is_drawn_in_axes_of_any_size(close, found):
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
    assert close(found.plot.agreement(ax=right), drawn=True) is right
    assert "adjusted Rand index" in right.get_title(loc="left")
    assert not left.texts
    assert figure._suptitle is None
    with pytest.raises(TypeError, match=r"ax is a str; pass plain Axes"):
        agreement(found, ax="axes")


def test_agreement_sets_no_name_of_a_province_as_mathematics(close, found):
    named = found.dataset.assign_coords(province=["$x_1$ & <b>", "costs $5", "b"])
    ax = close(agreement(named), drawn=True).figure.axes[0]
    written = sorted(t.get_text() for t in ax.get_yticklabels())
    assert written == [r"\$x_1\$ & <b>", "b", r"costs \$5"]
