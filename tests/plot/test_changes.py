"""Figures of a time axis: drawn areas and shares, against sums over the points."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xvcluster import kmeans
from xvcluster.plot import areas, transitions
from xvcluster.plot.methods import LabelPlots, ResultPlots
from xvcluster.plot.style import colors_of

LAT = np.arange(-50.0, 51, 20)
LON = np.arange(0.0, 360, 15)


def markov_chain(chances, n_steps=60, seed=2):
    """Labels on a grid, of which each follows a chain of its own."""
    random = np.random.default_rng(seed)
    states = [random.integers(0, len(chances), (LAT.size, LON.size))]
    for _ in range(n_steps):
        passed = random.random(states[0].shape)[..., None] > np.cumsum(chances, axis=1)[states[-1]]
        states.append(passed.sum(axis=-1))
    k = len(chances)
    coords = {
        "time": pd.date_range("2000-01-15", periods=n_steps + 1, freq="MS"),
        "lat": ("lat", LAT, {"units": "degrees_north"}),
        "lon": ("lon", LON, {"units": "degrees_east"}),
    }
    names = [f"cluster_{n}" for n in range(1, k + 1)]
    attrs = {"flag_values": np.arange(1, k + 1), "flag_meanings": " ".join(names)}
    values = np.stack(states) + 1.0
    return xr.DataArray(values, coords, ("time", "lat", "lon"), name="label", attrs=attrs)


CHANCES = np.array([[0.9, 0.08, 0.02], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]])


@pytest.fixture(scope="module")
def chain():
    return markov_chain(CHANCES)


def cell_areas():
    """Areas in km² of cells of 20 by 15 degrees, by the formula for zones of a sphere."""
    zones = np.sin(np.radians(LAT + 10)) - np.sin(np.radians(LAT - 10))
    return np.repeat(6371.0072**2 * zones[:, None] * np.radians(15), LON.size, axis=1)


def stacks_of(ax):
    """Return the lower and the upper rim of each stacked area, (2, step), from the first on."""
    rims = []
    for stack in ax.collections[::-1]:
        x, y = stack.get_paths()[0].vertices.T
        ends = [(y[x == at].min(), y[x == at].max()) for at in np.unique(x)]
        rims.append(np.transpose(ends))
    return rims


def test_areas_are_stacked_in_their_colours(close, chain):
    ax = close(areas(chain), drawn=True)
    lower = np.zeros(chain.sizes["time"])
    for number, rim in zip((3, 2, 1), stacks_of(ax)[::-1], strict=True):
        expected = np.where(chain == number, cell_areas(), 0).sum(axis=(1, 2)) / 1e6
        np.testing.assert_allclose(rim[0], lower, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(rim[1] - rim[0], expected, rtol=1e-6)
        lower = rim[1]
    colors = np.concatenate([stack.get_facecolor() for stack in ax.collections])
    np.testing.assert_allclose(colors, colors_of(chain)[::-1])
    assert ax.get_ylabel() == "area (million km²)"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["Cluster 1", "Cluster 2", "Cluster 3"]


def test_areas_as_lines(close, chain):
    ax = close(areas(chain, stacked=False, colors=["red", "green", "blue"]))
    for number, line in enumerate(ax.lines, start=1):
        expected = np.where(chain == number, cell_areas(), 0).sum(axis=(1, 2)) / 1e6
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-6)
    np.testing.assert_allclose(ax.lines[0].get_color(), (1, 0, 0, 1))
    assert ax.get_ylim()[0] == 0


def test_areas_run_from_left_to_right_in_any_order(close, chain):
    expected = stacks_of(close(areas(chain)))
    found = stacks_of(close(areas(chain.isel(time=slice(None, None, -1)))))
    np.testing.assert_allclose(found, expected)


def test_transitions_lead_from_the_past_to_the_future_in_any_order(close, chain):
    some = chain.isel(time=slice(0, 4))
    for order in ([3, 1, 2, 0], [3, 2, 1, 0]):
        ax = close(transitions(some.isel(time=order), step=1))
        assert ax.get_title() == "from 2000-02 to 2000-03"
        expected = [
            [np.where((some[0] == i) & (some[1] == j), cell_areas(), 0).sum() for j in (1, 2, 3)]
            for i in (1, 2, 3)
        ]
        share = expected / np.sum(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(np.ma.filled(ax.images[0].get_array(), np.nan), share)


@pytest.mark.parametrize("stacked", [True, False])
def test_lines_of_areas_and_names_of_axes_are_clear_of_all_else(close, chain, stacked):
    some = chain.isel(time=slice(0, 10))
    ax = close(areas(some, stacked=stacked, figsize=(3.5, 3), legend="upper left"), drawn=True)
    highest = max((line.get_ydata().max() for line in ax.lines), default=0)
    assert highest < 0.98 * ax.get_ylim()[1]
    year = ax.xaxis.get_offset_text()
    assert year.get_text()
    assert not year.get_window_extent().overlaps(ax.xaxis.label.get_window_extent())
    assert ax.xaxis.label.get_window_extent().y0 >= 0


@pytest.mark.parametrize(
    ("steps", "label", "first"),
    [
        (xr.DataArray([1, 4, 7], dims="time", attrs={"units": "months"}), "time (months)", 1),
        (None, "time", 1),
        (xr.DataArray(["DJF", "MAM", "JJA"], dims="time"), "time", 0),
        (xr.date_range("0001-01-01", periods=3, calendar="360_day", use_cftime=True), "time", 0),
    ],
    ids=["numbers", "none", "names", "calendar"],
)
def test_areas_over_any_kind_of_steps(close, chain, steps, label, first):
    some = chain.isel(time=slice(0, 3))
    some = some.drop_vars("time") if steps is None else some.assign_coords(time=steps)
    ax = close(areas(some, figsize=(3.5, 2.5)), drawn=True)
    assert ax.get_xlabel() == label
    assert ax.get_xlim()[0] == first
    shown = [text.get_text() for text in ax.get_xticklabels() if text.get_text()]
    assert len(shown) >= 2


def test_areas_of_points_are_their_number(close):
    labels = xr.DataArray([[1.0, 1, 2], [1, 2, 2], [2, 2, np.nan]], dims=("time", "point"))
    ax = close(areas(labels, stacked=False))
    assert ax.get_ylabel() == "points"
    np.testing.assert_array_equal([line.get_ydata() for line in ax.lines], [[2, 1, 0], [1, 2, 2]])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["Cluster 1", "Cluster 2"]


def test_transitions_recover_a_markov_chain(close, chain):
    ax = close(transitions(chain), drawn=True)
    share = np.ma.filled(ax.images[0].get_array(), np.nan)
    n_from = np.array([(chain[:-1].values == n).sum() for n in (1, 2, 3)])[:, None]
    error = np.sqrt(CHANCES * (1 - CHANCES) / n_from)
    assert (np.abs(share - CHANCES) <= 4 * error).all()
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert ax.get_title() == "60 steps, from 2000-02 to\n2005-02"


def test_transitions_of_one_step_are_those_of_its_points(close, chain):
    before, after = chain[3].values, chain[4].values
    area = cell_areas()
    expected = [[area[(before == i) & (after == j)].sum() for j in (1, 2, 3)] for i in (1, 2, 3)]
    expected = np.array(expected)
    ax = close(transitions(chain, step=4), drawn=True)
    share = expected / expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ax.images[0].get_array(), share)
    texts = {tuple(map(round, text.get_position())): text.get_text() for text in ax.texts}
    assert set(texts) == {(j, i) for i, j in np.argwhere(expected > 0)}
    for (j, i), text in texts.items():
        percent, km2 = text.split("\n")
        assert float(percent.removesuffix(" %")) == pytest.approx(100 * share[i, j], abs=0.5)
        assert float(km2) == pytest.approx(expected[i, j] / 1e6, rel=0.06)
    assert "million km²" in ax.get_xlabel()
    assert ax.get_title() == "from 2000-05 to 2000-06"


def test_transitions_say_what_numbers_of_steps_are(close, chain):
    some = chain.isel(time=slice(0, 3)).rename(time="month").assign_coords(month=[1, 4, 7])
    assert close(transitions(some, step=2)).get_title() == "from month 4 to month 7"
    all_steps = close(transitions(some)).get_title().replace("\n", " ")
    assert all_steps == "2 steps, from month 1 to month 7"


def test_transitions_of_clusters_that_are_never_left(close):
    labels = xr.DataArray([[1.0, 1, 2], [1, 2, 2]], dims=("time", "point"))
    labels.attrs["flag_values"] = [1, 2, 3]
    ax = close(transitions(labels), drawn=True)
    np.testing.assert_array_equal(np.ma.getmaskarray(ax.images[0].get_array())[2], True)
    texts = {text.get_text() for text in ax.texts}
    assert texts == {"50 %\n1", "100 %\n1"}
    assert ax.get_title() == "from map 1 to 2"


def test_transitions_are_named_in_the_colours_of_clusters(close, chain):
    own = chain.assign_attrs(cluster_names=["Ice", "Fronts", "Tropics"])
    ax = close(transitions(own, colors=["red", "green", "blue"]), drawn=True)
    names = ["Ice", "Fronts", "Tropics"]
    assert [text.get_text() for text in ax.get_xticklabels()] == names
    assert [text.get_text() for text in ax.get_yticklabels()] == names
    strips = [child.images[0].get_array().reshape(3, -1) for child in ax.child_axes[:2]]
    for strip in strips:
        np.testing.assert_allclose(strip[0], (1, 0, 0, 1))
    plain = close(transitions(chain))
    assert [text.get_text() for text in plain.get_xticklabels()] == ["1", "2", "3"]


@pytest.mark.parametrize("figsize", [(3.5, 3.0), (7.0, 6.0)])
@pytest.mark.parametrize(("k", "name"), [(3, ""), (10, ""), (5, "subtropical gyre")])
def test_transitions_fit_at_the_width_of_journals(close, figsize, k, name):
    chances = np.full((k, k), 0.2 / (k - 1)) + np.eye(k) * (0.8 - 0.2 / (k - 1))
    labels = markov_chain(chances, 5)
    if name:
        labels.attrs["cluster_names"] = [f"{n}. {name}" for n in range(1, k + 1)]
    ax = close(transitions(labels, figsize=figsize), drawn=True)
    cell = ax.get_window_extent().width / k
    for text in ax.texts:
        assert text.get_fontsize() >= 6
        assert text.get_window_extent().width < cell
    for text in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title, ax.xaxis.label):
        box = text.get_window_extent()
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= ax.figure.bbox.x1
        assert box.y1 <= ax.figure.bbox.y1


def test_figures_draw_in_given_axes(close, chain):
    figure, (one, other) = plt.subplots(1, 2)
    assert areas(chain, ax=one, legend="lower left", title="Areas") is one
    assert transitions(chain, ax=other, legend=False, title="Changes", cmap="Greens") is other
    close(figure, drawn=True)
    assert [one.get_title(), other.get_title()] == ["Areas", "Changes"]
    assert len(other.child_axes) == 2
    assert other.images[0].get_cmap().name == "Greens"


def test_changes_are_methods_of_results_and_labels(close, chain):
    field = (chain + 0.1 * np.random.default_rng(0).random(chain.shape)).rename("sst")
    result = kmeans(field.isel(time=slice(0, 4)), 3)
    np.testing.assert_allclose(
        close(result.plot.transitions()).images[0].get_array(),
        close(chain.isel(time=slice(0, 4)).vcluster.plot.transitions()).images[0].get_array(),
    )
    close(result.plot.areas())
    close(chain.vcluster.plot.areas())
    for owner in (ResultPlots, LabelPlots):
        for name, function in (("areas", areas), ("transitions", transitions)):
            method = inspect.signature(getattr(owner, name)).parameters
            assert list(method)[1:] == list(inspect.signature(function).parameters)[1:]


def test_changes_refuse_what_has_no_steps(chain):
    for draw in (areas, transitions):
        with pytest.raises(ValueError, match=r"those of one map"):
            draw(chain.isel(time=0))
        with pytest.raises(ValueError, match=r"at least two steps, but along 'time'"):
            draw(chain.isel(time=[0]))
    with pytest.raises(ValueError, match=r"have one; its areas are what areas\(\) returns$"):
        areas(chain.isel(time=[0]))
    with pytest.raises(TypeError, match=r"stacked must be True, False or None; got 'yes'"):
        areas(chain, stacked="yes")
    with pytest.raises(
        ValueError, match=r"step must be a number from 1 to 60, which counts the steps.*; got 61"
    ):
        transitions(chain, step=61)
    for step in (0, "2000-03", True, 1.5):
        with pytest.raises(ValueError, match=r"from one map to the next, or None for all of them"):
            transitions(chain, step=step)
    with pytest.raises(ValueError, match=r"step can only be 1, which"):
        transitions(chain.isel(time=slice(0, 2)), step=2)
