import numpy as np
import pytest
from matplotlib.colors import to_rgba

from xvcluster import tutorial
from xvcluster.plot.style import _distinct_colors
from xvcluster.seisgo import vpcluster_kmean, vpcluster_som


def test_panels_carry_the_numbers_of_the_map_where_nodes_are_empty(close, figures_of):
    values = np.repeat([1.0, 9.0], 6).reshape(1, 3, 4) + np.linspace(0, 0.1, 12).reshape(3, 4)
    axes = np.arange(40.0, 43), np.arange(-120.0, -116), np.arange(3.0), values.repeat(3, axis=0)
    options = {"niteration": 100, "random_state": 3}
    outcome, panels, _ = figures_of(vpcluster_som, *axes, (3, 4), **options)
    numbers = np.unique(outcome["cluster_map"]["cluster"])
    assert numbers.tolist() != list(range(1, len(numbers) + 1))
    titles = [ax.get_title().split(" · ")[0] for ax in panels.axes if ax.get_visible()]
    assert titles == [f"Cluster {number}" for number in numbers]


def test_panels_have_depth_down_and_the_units_of_the_caller(made, close, figures_of):
    options = {"units": "km/s", "depth_units": "km", "tag": "vs", "figsize": (6, 5)}
    _, panels, _ = figures_of(vpcluster_kmean, *made, 4, **options)
    bottom, top = panels.axes[0].get_ylim()
    assert bottom > top
    assert panels.get_supxlabel() == "vs (km/s)"
    assert panels.get_supylabel() == "depth (km)"
    assert panels.get_size_inches().tolist() == [6, 5]


def test_panels_that_do_not_fill_their_rows_keep_their_ticks(made, close, figures_of):
    _, panels, _ = figures_of(vpcluster_kmean, *made, 7)
    assert [ax.get_visible() for ax in panels.axes] == [True] * 7 + [False]
    below = panels.axes[3].xaxis.get_tick_params(which="major")
    assert below["labelbottom"]


def test_panels_have_negative_depths_at_their_bottom(made, close, figures_of):
    lat, lon, depth, values = made
    _, panels, _ = figures_of(vpcluster_kmean, lat, lon, -depth, values, 2)
    bottom, top = panels.axes[0].get_ylim()
    assert bottom < top


def test_maps_draw_coordinates_that_are_not_geographic(made, close, figures_of):
    lat, lon, depth, values = made
    _, _, drawn = figures_of(vpcluster_kmean, lat * 100, lon * 100, depth, values, 3)
    assert not hasattr(drawn.axes[0], "projection")


def test_panels_of_many_nodes_are_small(made, close, figures_of):
    _, panels, _ = figures_of(vpcluster_som, *made, (7, 7), niteration=1000, random_state=0)
    shown = [ax for ax in panels.axes if ax.get_visible()]
    assert len(shown) > 25
    assert shown[0].get_title() == "1"


def test_panels_draw_each_member_as_a_line(made, close, figures_of):
    outcome, panels, _ = figures_of(vpcluster_kmean, *made, 4)
    for ax, members in zip(panels.axes, outcome["pred"], strict=True):
        drawn = np.array(ax.collections[0].get_segments())
        np.testing.assert_array_equal(drawn[..., 0], members[0].T)
        np.testing.assert_array_equal(drawn[..., 1], np.broadcast_to(made[2], drawn.shape[:2]))
        low, high = ax.get_xlim()
        assert low < members.min() <= members.max() < high


def test_panels_draw_2000_of_more_members(close, figures_of):
    values = np.linspace(1.0, 2.0, 61 * 50).reshape(1, 61, 50).repeat(3, axis=0)
    axes = np.linspace(30, 40, 61), np.linspace(-120.0, -110, 50), np.arange(3.0)
    _, panels, _ = figures_of(vpcluster_kmean, *axes, values, 1)
    drawn = np.array(panels.axes[0].collections[0].get_segments())[:, 0, 0]
    assert len(np.unique(drawn)) == 2000
    assert (drawn[0], drawn[-1]) == (1.0, 2.0)


def test_panels_and_map_have_colours_without_an_order(made, close, figures_of):
    _, panels, _ = figures_of(vpcluster_kmean, *made, 3)
    drawn = [to_rgba(ax.lines[0].get_color()) for ax in panels.axes]
    np.testing.assert_allclose(drawn, _distinct_colors(3))


@pytest.mark.parametrize("call", [vpcluster_kmean, vpcluster_som])
@pytest.mark.parametrize("dep_has_units", [True, False])
def test_panels_take_units_from_labelled_arrays(call, dep_has_units, close, figures_of):
    vs = tutorial.tomography(resolution=2.0)["vs"]
    dep = vs["depth"] if dep_has_units else vs["depth"].values
    options = {"niteration": 100} if call is vpcluster_som else {"ncluster": 2}
    _, panels, _ = figures_of(call, vs["latitude"], vs["longitude"], dep, vs, **options)
    assert (panels.get_supxlabel(), panels.get_supylabel()) == ("v (km/s)", "depth (km)")


def test_panels_have_no_units_that_nobody_gave(made, close, figures_of):
    _, panels, _ = figures_of(vpcluster_kmean, *made, 2)
    assert (panels.get_supxlabel(), panels.get_supylabel()) == ("v", "depth")
