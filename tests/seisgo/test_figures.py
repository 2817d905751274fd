import numpy as np

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
