import importlib

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgba

from xvcluster import tutorial
from xvcluster.plot import cluster_colors, som

u_matrix = importlib.import_module("xvcluster.plot.som").u_matrix


@pytest.fixture
def tomography():
    return tutorial.tomography(resolution=1.0)["vs"]


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def test_som_draws_distances_hits_and_codebook(close, som_of):
    figure = close(som(som_of(3, 4)), drawn=True).figure
    assert titles(figure) == ["U-matrix", "Hits", "Codebook of vs"]
    hits = [text.get_text() for text in figure.axes[1].texts]
    assert hits == [str(10 * node) for node in range(12)]


def test_som_large_grids_have_no_numbers(close, som_of):
    assert len(close(som(som_of(11, 3))).axes[1].texts) == 0


def test_som_profiles_have_the_colours_of_their_clusters(close, som_of):
    dataset = som_of(3, 4, merged=3)
    lines = close(som(dataset)).axes[2].lines
    colors = cluster_colors(dataset["label"])[dataset["node_cluster"].values - 1]
    np.testing.assert_allclose([to_rgba(line.get_color()) for line in lines], colors)


def test_som_profiles_stay_in_their_cells_and_depth_points_down(close, som_of):
    ax = close(som(som_of(3, 4))).axes[2]
    assert ax.yaxis_inverted()
    for node, line in enumerate(ax.lines):
        row, column = divmod(node, 4)
        assert np.abs(line.get_xdata() - column).max() < 0.5
        assert np.abs(line.get_ydata() - row).max() < 0.5
        assert line.get_ydata()[0] < line.get_ydata()[-1]


def test_som_draws_the_high_values_of_a_radius_on_top(close, som_of):
    dataset = som_of(3, 4, vertical="radius")
    del dataset["radius"].attrs["positive"]
    ax = close(som(dataset)).axes[2]
    assert all(line.get_ydata()[0] > line.get_ydata()[-1] for line in ax.lines)
    assert ax.get_xlabel().endswith("radius: 50 to 0 km, top to bottom")


def test_som_says_what_the_cells_show(close, som_of):
    text = close(som(som_of(3, 4))).axes[2].get_xlabel()
    assert text == "vs: 1 to 12 km/s, left to right\ndepth: 0 to 50 km, top to bottom"


def test_som_outlines_merged_clusters_only(close, som_of):
    plain = close(som(som_of(3, 4))).axes[0]
    merged = close(som(som_of(3, 4, merged=3))).axes[0]
    assert len(plain.collections) == 0
    segments = sum(len(lines.get_segments()) for lines in merged.collections)
    assert segments == 8


def test_som_without_a_vertical_colours_cells(close, som_of):
    figure = close(som(som_of(3, 4, vertical=None))).figure
    np.testing.assert_allclose(figure.axes[2].images[0].get_array().ravel(), np.arange(1, 13))


def test_som_draws_each_variable_or_one(close, som_of):
    dataset = som_of(2, 2, variables=("vs", "vp"))
    assert titles(close(som(dataset)))[2:] == ["Codebook of vs", "Codebook of vp"]
    assert titles(close(som(dataset, variable="vp")))[2:] == ["Codebook of vp"]


def test_u_matrix_is_the_mean_distance_to_neighbours(som_of):
    dataset = som_of(3, 3, variables=("vs", "vp"))
    nodes = np.concatenate([dataset["vs_node"], dataset["vp_node"]], axis=1) / 2
    expected = np.zeros((3, 3))
    for a in range(9):
        near = [
            b for b in range(9) if a != b and max(abs(a // 3 - b // 3), abs(a % 3 - b % 3)) == 1
        ]
        expected[a // 3, a % 3] = np.mean([np.linalg.norm(nodes[a] - nodes[b]) for b in near])
    np.testing.assert_allclose(u_matrix(dataset), expected)


def test_u_matrix_of_a_single_row(som_of):
    dataset = som_of(1, 3)
    assert u_matrix(dataset) == pytest.approx(np.full((1, 3), np.sqrt(6)))


def test_som_refuses_another_method(result_of):
    with pytest.raises(
        ValueError, match=r"made by 'k-means' and has no nodes.*results of som only"
    ):
        som(result_of(3))


def test_som_refuses_an_unknown_variable(som_of):
    with pytest.raises(ValueError, match=r"variable 'rho' was not clustered"):
        som(som_of(), variable="rho")


def test_som_changes_no_input(close, som_of):
    dataset = som_of()
    before = dataset.copy(deep=True)
    close(som(dataset))
    xr.testing.assert_identical(dataset, before)


def test_som_along_time_tells_its_dates(close, som_of):
    months = np.arange("2000-01", "2000-07", dtype="datetime64[M]").astype("datetime64[ns]")
    figure = close(som(som_of(2, 3).assign_coords(depth=months)), drawn=True).figure
    text = figure.axes[2].get_xlabel()
    assert text == "vs: 1 to 6 km/s, bottom to top\ndepth: 2000-01 to 2000-06, left to right"
    # the values of a node rise with those of the codebook, in the cell that is its own
    first, last = figure.axes[2].lines[0], figure.axes[2].lines[-1]
    assert first.get_ydata().mean() == pytest.approx(0 + 0.4)
    assert last.get_ydata().mean() == pytest.approx(1 - 0.4)
    assert (np.diff(first.get_xdata()) > 0).all()


def test_som_tells_the_errors_of_the_map(close, tomography):
    dataset = tomography.vcluster.som((3, 4)).dataset
    title = close(som(dataset)).figure.texts[0].get_text()
    found = float(dataset["quantization_error"]), float(dataset["topographic_error"])
    expected = "map of 3 x 4 nodes: quantization error {:.3g} km/s, topographic error {:.2f}"
    assert title == expected.format(*found)
    older = dataset.drop_vars(["quantization_error", "topographic_error"])
    assert close(som(older)).figure.texts[0].get_text() == ""


def test_som_hatches_nodes_without_a_profile(close, som_of):
    dataset = som_of(3, 4)
    dataset["node_count"][5] = 0
    figure = close(som(dataset), drawn=True).figure
    (hatched,) = figure.axes[0].patches
    corners = hatched.get_path().vertices.reshape(-1, 5, 2)[:, :4].mean(axis=1)
    np.testing.assert_allclose(corners, [[0, 0], [1, 1]])  # nodes 1 and 6
    told = [ax.get_xlabel() for ax in figure.axes if "hatched" in ax.get_xlabel()]
    assert told[0].split("\n")[-1] == "hatched: nodes without a profile"
    dataset["node_count"] += 1
    assert not close(som(dataset)).axes[0].patches
