import numpy as np
import pytest
import xarray as xr
from cartopy.mpl.geoaxes import GeoAxes
from matplotlib.colors import to_rgba

from xvcluster.plot import cluster_colors, summary


def inside(figure, box):
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


def test_summary_map_and_centroids_share_colours_and_legend(close, result_of):
    dataset = result_of(4)
    figure = close(summary(dataset, title="Provinces")).figure
    map_ax, panel = figure.axes
    assert isinstance(map_ax, GeoAxes)
    assert panel.yaxis_inverted()
    assert panel.get_xlabel() == "velocity vs (km/s)"
    colors = [to_rgba(line.get_color()) for line in panel.lines]
    np.testing.assert_allclose(colors, cluster_colors(dataset["label"]))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["Cluster 1 · 10 %", "Cluster 2 · 20 %", "Cluster 3 · 30 %",
                     "Cluster 4 · 40 %", "no profile"]  # fmt: skip
    assert figure.legends[0].get_title().get_text() == "share of the area"


def test_summary_of_some_clusters_keeps_their_colours(close, result_of):
    dataset = result_of(4).sel(cluster=[2, 4])
    figure = close(summary(dataset)).figure
    colors = [to_rgba(line.get_color()) for line in figure.axes[1].lines]
    np.testing.assert_allclose(colors, cluster_colors(dataset["label"])[[1, 3]])
    swatches = figure.legends[0].legend_handles[:2]
    np.testing.assert_allclose([s.get_facecolor() for s in swatches], colors)


@pytest.mark.parametrize("vertical", ["depth", None])
@pytest.mark.parametrize("variables", [("vs",), ("vs", "vp")])
@pytest.mark.parametrize("k", [3, 20])
def test_summary_parts_do_not_overlap(close, result_of, vertical, variables, k):
    figure = close(
        summary(result_of(k, vertical=vertical, variables=variables), title="A title"), drawn=True
    ).figure
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    boxes += [figure.legends[0].get_window_extent(), figure._suptitle.get_window_extent()]
    assert all(inside(figure, box) for box in boxes)
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert not any(a.overlaps(b) for a, b in pairs)


def test_summary_of_the_globe_fits(close, result_of, labels_of):
    labels = labels_of(np.arange(-85, 90, 10.0), np.arange(5, 360, 10.0), 4)
    figure = close(summary(result_of(4, labels=labels)), drawn=True).figure
    assert all(inside(figure, ax.get_tightbbox()) for ax in figure.axes)


def test_summary_of_som_nodes_has_their_grid(close, som_of):
    figure = close(summary(som_of(5, 5)), drawn=True).figure
    assert figure.legends == []
    key = figure.axes[-1].child_axes[0]
    assert key.get_title() == "SOM node"
    assert inside(figure, key.get_tightbbox())


def test_summary_without_latitude_and_longitude_is_plain(close, result_of, labels_of):
    labels = labels_of(np.arange(5), np.arange(8), 4, names=("y", "x"))
    labels = labels.drop_vars(["y", "x"])
    figure = close(summary(result_of(4, labels=labels)), drawn=True).figure
    assert not isinstance(figure.axes[0], GeoAxes)


def test_summary_of_one_level_has_boxes(close, result_of):
    figure = close(summary(result_of(3).isel(depth=[2])), drawn=True).figure
    assert len(figure.axes[1].patches) == 3


def test_summary_along_time_has_dates(close, result_of):
    months = np.arange("2000-01", "2000-07", dtype="datetime64[M]").astype("datetime64[ns]")
    figure = close(summary(result_of(2).assign_coords(depth=months)), drawn=True).figure
    assert "Mar" in [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert figure.axes[1].get_ylabel() == "velocity vs (km/s)"


def test_summary_takes_labels_below_1_as_missing(close, result_of):
    dataset = result_of(2)
    undecoded = dataset.assign(label=dataset["label"].fillna(-1).astype("int16"))
    undecoded["label"].attrs = dataset["label"].attrs
    texts = [text.get_text() for text in close(summary(undecoded)).figure.legends[0].get_texts()]
    assert texts == ["Cluster 1 · 33 %", "Cluster 2 · 67 %", "no profile"]


def test_summary_says_how_to_draw_one_of_several_times(close, result_of):
    dataset = result_of(2)
    labels = dataset["label"].expand_dims(time=3)
    works = r"result\.labels\.isel\(time=0\)\.vcluster\.plot\.map\(\)"
    with pytest.raises(ValueError, match=rf"3 entries along 'time'.*{works}"):
        summary(dataset.assign(label=labels))
    close(labels.isel(time=0).vcluster.plot.map())


def test_summary_changes_no_input(close, result_of):
    dataset = result_of(3)
    before = dataset.copy(deep=True)
    close(summary(dataset))
    xr.testing.assert_identical(dataset, before)
