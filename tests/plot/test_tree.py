"""The figure of a tree: what is drawn where, read back from the lines."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from cartopy.crs import PlateCarree
from scipy.cluster.hierarchy import dendrogram

from xvcluster import kmeans, open_result, ward
from xvcluster.plot import cluster_colors, tree


def read_branches(ax):
    """Starts and ends of the lines, and their colours."""
    (lines,) = ax.collections
    return np.array(lines.get_segments()), lines.get_colors()


def read_cut(ax):
    """Heights of the dashed line."""
    (line,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    return line.get_xdata()


def heights_of(ax):
    """Heights at which lines go across, sorted."""
    segments = read_branches(ax)[0]
    across = segments[segments[:, 0, 1] != segments[:, 1, 1]]
    return np.sort(across[:, 0, 0])


def test_tree_draws_the_last_30_merges_at_their_heights(close, field_of):
    result = ward(field_of(), 5, contiguous=False)
    ax = close(result.plot.tree(), drawn=True)
    expected = dendrogram(result.dataset["linkage"].values, 31, "lastp", no_plot=True)
    tops = np.sort([max(bar) for bar in expected["dcoord"]])
    # merges closer than the thickness of a line are drawn a little apart
    np.testing.assert_allclose(heights_of(ax), tops, rtol=0.1)
    assert heights_of(ax).size == 30


def test_tree_cuts_between_the_merges_of_clusters_and_those_above(close, field_of):
    for k in (1, 2, 5, 20):
        result = ward(field_of(), k, contiguous=False)
        ax = close(result.plot.tree(), drawn=True)
        cut = read_cut(ax)
        assert np.ptp(cut) == 0
        assert (heights_of(ax) > cut[0]).sum() == k - 1
        assert f"k = {k}" in [text.get_text() for text in ax.texts]


def test_tree_has_the_colours_of_the_clusters_below_the_cut(close, field_of):
    result = ward(field_of(), 4, contiguous=False)
    ax = close(result.plot.tree(), drawn=True)
    segments, colors = read_branches(ax)
    cut, below = read_cut(ax)[0], segments[..., 0].max(axis=1) < read_cut(ax)[0]
    own = {tuple(np.round(color, 3)) for color in cluster_colors(result.labels)}
    assert {tuple(np.round(color, 3)) for color in colors[below]} == own
    above = {tuple(np.round(c, 3)) for c in colors[segments[..., 0].min(axis=1) > 1.001 * cut]}
    assert len(above) == 1
    assert not above & own


def test_tree_names_each_cluster_once_with_its_share(close, field_of):
    result = ward(field_of(), 5)
    ax = close(result.plot.tree(), drawn=True)
    percent = result.table()["area_percent"].round().astype(int)
    wanted = {f"Cluster {c} · {share} %" for c, share in percent.items()}
    assert {label.get_text() for label in ax.get_yticklabels()} == wanted
    assert ax.get_xlabel() == "height (km/s)"
    assert "share of the area" in [text.get_text() for text in ax.texts]


def test_tree_names_lie_beside_the_branches_of_their_cluster(close, field_of):
    result = ward(field_of(), 4)
    ax = close(result.plot.tree(), drawn=True)
    segments, colors = read_branches(ax)
    rgba = cluster_colors(result.labels)
    for row, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
        number = int(label.get_text().split()[1])
        own = segments[(np.abs(colors - rgba[number - 1]) < 1e-6).all(axis=1)]
        assert own[..., 1].min() <= row <= own[..., 1].max()


def test_tree_without_room_names_fewer_clusters_that_do_not_overlap(close, field_of):
    result = ward(field_of(), 12)
    _, ax = plt.subplots(figsize=(3.5, 1.2), layout="constrained")
    close(result.plot.tree(ax=ax), drawn=True)
    boxes = sorted((t.get_window_extent() for t in ax.get_yticklabels()), key=lambda b: b.y0)
    assert 1 < len(boxes) < 12
    assert all(b.y0 >= a.y1 - 2 for a, b in pairwise(boxes))


@pytest.mark.parametrize("width", [3.5, 7])
def test_tree_names_keep_clear_of_the_bars_of_colours(close, width, field_of):
    _, ax = plt.subplots(figsize=(width, 4), layout="constrained")
    close(ward(field_of(), 6).plot.tree(ax=ax), drawn=True)
    bars = [line.get_window_extent() for line in ax.lines if line.get_linewidth() == 5]
    right = max(bar.x1 for bar in bars) + 2.5 * ax.figure.dpi / 72  # half of the line's width
    left = min(label.get_window_extent().x0 for label in ax.get_yticklabels())
    assert 2 < (left - right) * 72 / ax.figure.dpi < 6


def test_tree_in_low_axes_has_all_names_in_smaller_letters(close, field_of):
    _, ax = plt.subplots(figsize=(3.5, 4), layout="constrained")
    close(ward(field_of(), 20).plot.tree(ax=ax), drawn=True)
    labels = ax.get_yticklabels()
    assert len(labels) == 20
    assert 6 <= labels[0].get_fontsize() < 8.5
    boxes = sorted((t.get_window_extent() for t in labels), key=lambda b: b.y0)
    assert all(b.y0 >= a.y1 - 2 for a, b in pairwise(boxes))


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_tree_with_inversions_never_goes_back(close, seed, field_of):
    result = ward(field_of(seed, (7, 8)), 6)
    heights = result.dataset["linkage"].values[-30:, 2]
    assert (np.diff(heights) < 0).any()
    ax = close(result.plot.tree(), drawn=True)
    segments = read_branches(ax)[0]
    along = segments[segments[:, 0, 1] == segments[:, 1, 1]]
    assert (along[:, 0, 0] <= along[:, 1, 0]).all()  # from the leaf to the root


def test_tree_of_pieces_joins_them_by_dotted_lines_above_all(close, field_of):
    field = field_of()
    result = ward(field.where((field["lat"] < 43) | (field["lat"] > 45)), 6)
    ax = close(result.plot.tree(), drawn=True)
    (lines,) = ax.collections
    dotted = np.array([style[1] is not None for style in lines.get_linestyles()])
    segments = read_branches(ax)[0]
    across = segments[:, 0, 1] != segments[:, 1, 1]
    assert (dotted & across).sum() == 1
    assert segments[dotted & across, 0, 0] > segments[~dotted & across, 0, 0].max()


def test_tree_of_few_leaves_has_all_of_them(close, model):
    result = kmeans(model, 3).merge(2)
    assert heights_of(close(result.plot.tree(), drawn=True)).size == 2


def test_tree_of_as_many_clusters_as_leaves(close, model):
    ax = close(kmeans(model, 3).merge(3).plot.tree(), drawn=True)
    assert (heights_of(ax) > read_cut(ax).max()).all()


def test_tree_of_many_clusters_shows_each(close, field_of):
    result = ward(field_of(), 50)
    ax = close(result.plot.tree(), drawn=True)
    assert heights_of(ax).size == 49
    assert len(ax.get_yticks()) == 50


def test_tree_of_equal_profiles_is_drawn(close, field_of):
    field = xr.zeros_like(field_of()).copy()
    field[:, :, 6:] = 1.0
    ax = close(ward(field, 2).plot.tree(), drawn=True)
    assert np.isfinite(read_branches(ax)[0]).all()


def test_tree_draws_in_given_axes(close, model):
    _, ax = plt.subplots()
    close(ax)
    assert tree(kmeans(model, 3).merge(2), ax=ax) is ax


def test_tree_refuses_the_axes_of_a_map(close, model):
    result = kmeans(model, 3).merge(2)
    ax = close(plt.subplot(projection=PlateCarree()))
    with pytest.raises(TypeError, match=r"ax is a GeoAxes; pass plain Axes"):
        result.plot.tree(ax=ax)


def test_tree_refuses_a_result_without_one(model):
    with pytest.raises(ValueError, match=r"no tree: it was not made by ward"):
        kmeans(model, 3).plot.tree()


def test_tree_refuses_a_single_leaf(model):
    with pytest.raises(ValueError, match=r"a single leaf, so that there is no merge"):
        kmeans(model, 1).merge(1).plot.tree()


def test_tree_of_a_file_is_that_of_the_result(close, tmp_path, field_of):
    result = ward(field_of(), 5)
    result.to_netcdf(tmp_path / "a.nc")
    drawn = [close(r.plot.tree()) for r in (result, open_result(tmp_path / "a.nc"))]
    np.testing.assert_array_equal(*(read_branches(ax)[0] for ax in drawn))


def test_tree_of_renumbered_clusters_has_their_numbers_and_colours(close, field_of):
    field = field_of()
    matched = ward(field, 3).match(kmeans(field, 6))
    ax = close(matched.plot.tree(), drawn=True)
    present = np.unique(matched.labels.values)
    named = {int(label.get_text().split()[1]) for label in ax.get_yticklabels()}
    assert named == set(present.astype(int))


def test_tree_of_a_cleaned_map_is_cut_where_it_was(close, field_of):
    result = ward(field_of(), 12)
    cleaned = result.clean(min_cells=8)
    left = int((cleaned.dataset["count"] > 0).sum())
    assert left < 12
    ax = close(cleaned.plot.tree(), drawn=True)
    assert "k = 12" in [text.get_text() for text in ax.texts]
    names = [label.get_text().split()[1] for label in ax.get_yticklabels()]
    assert len(set(names)) == len(names) == left
