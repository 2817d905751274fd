import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from cartopy.mpl.gridliner import Gridliner
from matplotlib.collections import PathCollection, QuadMesh

from xvcluster import ward
from xvcluster.plot import cluster_colors
from xvcluster.plot import map as draw_map

LAT, LON = np.arange(35.0, 45.0), np.arange(-120.0, -98.0)


def certainty_of(labels):
    """Whole percents from 0 to 1 that differ from point to point, with a name for the bar."""
    values = np.round(np.linspace(0, 1, labels.size), 2).reshape(labels.shape)
    return labels.copy(data=values).drop_attrs(deep=False).assign_attrs(long_name="sure", units="1")


def faded(labels, certainty):
    """The colours expected: 15 % of a cluster's colour at 0, all of it at 1, white the rest."""
    values = labels.values.ravel()
    shown = np.isfinite(values)
    own = cluster_colors(labels)[values[shown].astype(int) - 1]
    left = 0.15 + 0.85 * np.asarray(certainty).ravel()[shown]
    own[:, :3] = 1 - left[:, np.newaxis] * (1 - own[:, :3])
    return own


def drawn_colors(ax):
    """The colours of the cells that have one, row by row."""
    mesh = next(artist for artist in ax.collections if isinstance(artist, QuadMesh))
    values = mesh.get_array()
    return mesh.to_rgba(values[~np.ma.getmaskarray(values)].data)


def bar_of(ax):
    (bar,) = (child for child in ax.child_axes if child.get_xlabel() or child.get_ylabel())
    return bar


def on_a_curved_grid(labels):
    plain = labels.rename(latitude="y", longitude="x")
    lat, lon = np.meshgrid(plain["y"], plain["x"], indexing="ij")
    coords = {"latitude": (("y", "x"), lat), "longitude": (("y", "x"), lon)}
    return plain.drop_vars(["x", "y"]).assign_coords(coords)


def test_certainty_fades_the_colours_of_cells(close, labels_of):
    labels = labels_of(LAT, LON, 5, missing=True)
    certainty = certainty_of(labels)
    ax = close(draw_map(labels, certainty=certainty))
    np.testing.assert_allclose(drawn_colors(ax), faded(labels, certainty), atol=1e-12)


def test_certainty_keeps_the_legend_in_full_colours(close, labels_of):
    labels = labels_of(LAT, LON)
    ax = close(draw_map(labels, certainty=0 * certainty_of(labels)))
    patches = [handle.get_facecolor() for handle in ax.get_legend().legend_handles]
    np.testing.assert_allclose(patches, cluster_colors(labels))


def test_certainty_fades_colors_that_are_given(close, labels_of):
    labels = labels_of(LAT, LON, 1)
    ax = close(draw_map(labels, certainty=0 * certainty_of(labels), colors=["blue"]))
    np.testing.assert_allclose(drawn_colors(ax)[0], [0.85, 0.85, 1, 1])


def test_certainty_of_nan_counts_as_none(close, labels_of):
    labels = labels_of(LAT, LON)
    certainty = certainty_of(labels).where(labels > 2)
    ax = close(draw_map(labels, certainty=certainty))
    np.testing.assert_allclose(drawn_colors(ax), faded(labels, certainty.fillna(0)))


@pytest.mark.parametrize("order", ["transposed", "reversed", "larger", "of one time"])
def test_certainty_is_found_by_its_coordinates(close, labels_of, order):
    labels = labels_of(LAT, LON)
    whole = certainty_of(labels)
    shown = labels[2:, :-3] if order == "larger" else labels
    other = {
        "transposed": whole.T,
        "reversed": whole[::-1, ::-1],
        "larger": whole,
        "of one time": whole.expand_dims(time=1),
    }[order]
    ax = close(draw_map(shown, certainty=other))
    expected = whole[2:, :-3] if order == "larger" else whole
    np.testing.assert_allclose(drawn_colors(ax), faded(shown, expected))


def test_certainty_fits_labels_of_one_time(close, labels_of):
    labels = labels_of(LAT, LON)
    certainty = certainty_of(labels)
    ax = close(draw_map(labels.expand_dims(time=1), certainty=certainty))
    np.testing.assert_allclose(drawn_colors(ax), faded(labels, certainty))


def test_certainty_on_a_curvilinear_grid(close, labels_of):
    labels = on_a_curved_grid(labels_of(LAT, LON))
    certainty = certainty_of(labels)
    ax = close(draw_map(labels, certainty=certainty.T))
    np.testing.assert_allclose(drawn_colors(ax), faded(labels, certainty))


def test_certainty_of_loose_points(close, labels_of):
    grid = labels_of(LAT, LON, missing=True)
    labels = grid.stack(profile=("latitude", "longitude")).reset_index("profile")
    certainty = certainty_of(labels)
    ax = close(draw_map(labels, certainty=certainty))
    dots = [artist for artist in ax.collections if isinstance(artist, PathCollection)][-1]
    dots.update_scalarmappable()
    np.testing.assert_allclose(dots.get_facecolor(), faded(labels, certainty))


def test_certainty_over_plain_dims(close, labels_of):
    labels = labels_of(LAT, LON, names=("y", "x")).drop_attrs().drop_vars(["y", "x"])
    certainty = certainty_of(labels)
    ax = close(draw_map(labels, certainty=certainty))
    np.testing.assert_allclose(drawn_colors(ax), faded(labels, certainty))


def test_certainty_bar_shows_how_the_clusters_fade(close, labels_of):
    labels = labels_of(LAT, LON, 3)
    bar = bar_of(close(draw_map(labels, certainty=certainty_of(labels))))
    stripes = bar.images[0].get_array()
    np.testing.assert_allclose(stripes[-1], cluster_colors(labels))
    np.testing.assert_allclose(stripes[0, :, :3], 1 - 0.15 * (1 - cluster_colors(labels)[:, :3]))
    assert bar.get_ylabel() == "sure"
    assert [text.get_text() for text in bar.get_yticklabels()] == ["0", "0.5", "1"]


def test_certainty_bar_below_a_tall_map_fades_to_the_left(close, labels_of):
    labels = labels_of(np.arange(30.0, 50.0), np.arange(-124.0, -119.0), 3)
    bar = bar_of(close(draw_map(labels, certainty=certainty_of(labels))))
    np.testing.assert_allclose(bar.images[0].get_array()[:, -1], cluster_colors(labels))
    assert bar.get_xlabel() == "sure"
    assert [text.get_text() for text in bar.get_xticklabels()] == ["0", "0.5", "1"]


def test_certainty_bar_has_no_more_stripes_than_one_can_see(close, labels_of):
    labels = labels_of(LAT, LON, 12)
    bar = bar_of(close(draw_map(labels, certainty=certainty_of(labels))))
    stripes = bar.images[0].get_array()
    np.testing.assert_allclose(stripes[-1], cluster_colors(labels)[[0, 3, 6, 8, 11]])


def test_certainty_bar_of_no_labels_is_one_stripe(close, labels_of):
    labels = labels_of(LAT, LON) * np.nan
    bar = bar_of(close(draw_map(labels, certainty=certainty_of(labels))))
    assert bar.images[0].get_array().shape == (101, 1, 4)


def test_certainty_without_a_name_has_a_bar_that_says_what_it_is(close, labels_of):
    labels = labels_of(LAT, LON)
    certainty = certainty_of(labels).drop_attrs().rename(None)
    assert bar_of(close(draw_map(labels, certainty=certainty))).get_ylabel() == "certainty"


@pytest.mark.parametrize("k", [4, 25])
@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (LAT, LON),
        (np.arange(30.0, 50.0), np.arange(-124.0, -119.0)),
        (np.arange(-85, 90, 10.0), np.arange(5, 360, 10.0)),
    ],
    ids=["wide", "tall", "globe"],
)
def test_certainty_bar_is_clear_of_everything(close, labels_of, lat, lon, k):
    labels = labels_of(lat, lon, k, missing=True)
    certainty = certainty_of(labels).assign_attrs(long_name="how sure a label is, in some words")
    ax = close(draw_map(labels, certainty=certainty, title="A title"), drawn=True)
    bar = bar_of(ax)
    box = bar.get_tightbbox()
    lines = ax.findobj(Gridliner)[0]
    others = [text.get_window_extent() for text in lines.label_artists if text.get_visible()]
    others += [ax.get_window_extent(), ax.title.get_window_extent()]
    others += [child.get_tightbbox() for child in ax.child_axes if child is not bar]
    others += [ax.get_legend().get_window_extent()] if ax.get_legend() else []
    assert not any(box.overlaps(other) for other in others)
    figure = ax.figure.bbox
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= figure.width
    assert box.y1 <= figure.height


@pytest.mark.parametrize("shape", [(10, 15), (20, 5)], ids=["wide", "tall"])
def test_certainty_bar_of_a_plane_is_clear_of_its_labels(close, labels_of, shape):
    labels = labels_of(*(np.arange(n) for n in shape), names=("y", "x")).drop_attrs()
    labels = labels.drop_vars(["y", "x"])
    ax = close(draw_map(labels, certainty=certainty_of(labels)), drawn=True)
    box = bar_of(ax).get_tightbbox()
    assert not box.overlaps(ax.xaxis.get_tightbbox())
    assert not box.overlaps(ax.get_window_extent())
    assert not box.overlaps(ax.get_legend().get_window_extent())


def test_certainty_in_axes_given(close, labels_of):
    labels = labels_of(LAT, LON)
    ax = plt.figure().add_subplot(projection=ccrs.Robinson())
    close(draw_map(labels, certainty=certainty_of(labels), ax=ax))
    assert bar_of(ax).get_xlabel() + bar_of(ax).get_ylabel() == "sure"


def test_certainty_and_labels_are_computed_once_and_together(close, labels_of, computed):
    labels = on_a_curved_grid(labels_of(LAT, LON))
    close(draw_map(labels.chunk(), certainty=certainty_of(labels).chunk()))
    assert len(computed) == 1


def test_certainty_leaves_names_and_coordinates_alone(labels_of):
    from xvcluster.plot.certainty import read_together

    labels = labels_of(LAT, LON)
    certainty = certainty_of(labels).assign_coords(quantile=0.5)
    read = read_together(labels.assign_coords(quantile=0.1), certainty)
    xr.testing.assert_identical(read[0], labels.assign_coords(quantile=0.1))
    xr.testing.assert_identical(read[1], certainty)


def test_certainty_takes_what_rounding_adds(close, labels_of):
    labels = labels_of(LAT, LON, 1)
    ax = close(draw_map(labels, certainty=labels * np.float32(1 + 1e-6)))
    np.testing.assert_allclose(drawn_colors(ax)[0], cluster_colors(labels)[0])


def test_certainty_declared_missing_counts_as_none(close, labels_of):
    labels = labels_of(LAT, LON, 1)
    certainty = (labels * -1.0).assign_attrs(missing_value=-1.0)
    ax = close(draw_map(labels, certainty=certainty))
    np.testing.assert_allclose(drawn_colors(ax)[0], faded(labels, 0 * labels)[0])


@pytest.mark.parametrize(("value", "span"), [(1.2, "1.2 to 1.2"), (-0.5, r"-0\.5 to -0\.5")])
def test_certainty_refuses_values_outside_0_and_1(labels_of, value, span):
    labels = labels_of(LAT, LON, 1)
    with pytest.raises(ValueError, match=rf"certainty 'p' ranges from {span}; it must lie"):
        draw_map(labels, certainty=(labels * 0 + value).rename("p"))


def test_a_negative_margin_counts_as_none_and_the_bar_says_so(close, labels_of):
    labels = labels_of(LAT, LON, 1)
    margin = (labels * 0 - 0.5).rename("margin")
    ax = close(draw_map(labels, certainty=margin), drawn=True)
    np.testing.assert_allclose(drawn_colors(ax)[0], faded(labels, 0 * labels)[0])
    bar = bar_of(ax)
    ticks = {label.get_text() for label in [*bar.get_xticklabels(), *bar.get_yticklabels()]}
    assert "≤ 0" in ticks
    with pytest.raises(ValueError, match=r"certainty 'margin' ranges from -1\.5"):
        draw_map(labels, certainty=margin - 1)


def test_the_margin_of_a_tree_is_drawn(close, field_of):
    result = ward(field_of(), 5)
    assert float(result.dataset["margin"].min()) < 0
    ax = close(result.plot.map(certainty="margin"), drawn=True)
    assert len(ax.collections)


def test_certainty_refuses_what_is_no_number(labels_of):
    labels = labels_of(LAT, LON)
    with pytest.raises(ValueError, match=r"certainty 'label' is of type <U4; pass numbers"):
        draw_map(labels, certainty=labels.copy(data=np.full(labels.shape, "sure")))


def test_certainty_refuses_other_dims(labels_of):
    labels = labels_of(LAT, LON)
    message = r"certainty has dims \('time', 'latitude', 'longitude'\), but the labels \('latitude'"
    with pytest.raises(ValueError, match=message):
        draw_map(labels, certainty=certainty_of(labels).expand_dims(time=3))
    with pytest.raises(ValueError, match=r"certainty has dims \('longitude',\), but the labels"):
        draw_map(labels, certainty=certainty_of(labels)[0])


def test_certainty_refuses_another_length(labels_of):
    labels = labels_of(LAT, LON, names=("y", "x")).drop_vars(["y", "x"])
    with pytest.raises(ValueError, match=r"certainty has 21 entries along 'x', but the labels 22"):
        draw_map(labels, certainty=certainty_of(labels)[:, 1:])


def test_certainty_refuses_other_coordinates(labels_of):
    labels = labels_of(LAT, LON)
    shifted = certainty_of(labels).assign_coords(longitude=LON + 0.5)
    with pytest.raises(ValueError, match=r"on different points: 'longitude' does not"):
        draw_map(labels, certainty=shifted)


def test_certainty_refuses_another_order_of_a_curvilinear_grid(labels_of):
    labels = on_a_curved_grid(labels_of(LAT, LON))
    with pytest.raises(ValueError, match=r"the values of 'latitude' differ.*in the same order"):
        draw_map(labels, certainty=certainty_of(labels)[::-1])


def test_certainty_refuses_a_background(labels_of):
    labels = labels_of(LAT, LON)
    with pytest.raises(ValueError, match=r"over a background clusters are only outlined"):
        draw_map(labels, certainty=certainty_of(labels), background=labels)


def test_certainty_refuses_a_name_where_there_are_labels_alone(labels_of):
    message = (
        r"certainty='margin' is the name of a variable of a result.*result\.plot\.map\(certainty="
    )
    with pytest.raises(ValueError, match=message):
        draw_map(labels_of(LAT, LON), certainty="margin")


def test_certainty_refuses_a_plain_array(labels_of):
    labels = labels_of(LAT, LON)
    with pytest.raises(TypeError, match=r"certainty is a ndarray; pass a DataArray"):
        draw_map(labels, certainty=certainty_of(labels).values)


def test_certainty_changes_no_input(close, labels_of):
    labels = labels_of(LAT, LON, missing=True)
    certainty = certainty_of(labels).T
    before = labels.copy(deep=True), certainty.copy(deep=True)
    close(draw_map(labels, certainty=certainty))
    xr.testing.assert_identical(labels, before[0])
    xr.testing.assert_identical(certainty, before[1])
