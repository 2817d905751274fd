import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from cartopy.mpl.geoaxes import GeoAxes
from cartopy.mpl.gridliner import Gridliner
from matplotlib.collections import PathCollection, QuadMesh

from xvcluster.plot import votes

LAT, LON = np.arange(35.0, 45.0), np.arange(-120.0, -98.0)


def make_votes(lat=LAT, lon=LON, n_models=4, names=("latitude", "longitude")):
    """Votes 0…n_models for two clusters; the first row is in one model less, a corner in none."""
    shape = (len(lat), len(lon))
    first = np.arange(lat.size * lon.size).reshape(shape) % (n_models + 1)
    models = np.full(shape, n_models)
    models[0] -= 1
    models[0, 0] = 0
    first = np.minimum(first, models)
    return xr.Dataset(
        {
            "votes": (("cluster", *names), np.stack([first, models - first])),
            "n_models": (names, models),
        },
        coords={
            "cluster": [1, 2],
            names[0]: (names[0], lat, {"units": "degrees_north"}),
            names[1]: (names[1], lon, {"units": "degrees_east"}),
        },
    )


def mesh(ax):
    return next(artist for artist in ax.collections if isinstance(artist, QuadMesh))


def ticks(bar):
    axis = bar.yaxis if bar.get_ylabel() else bar.xaxis
    return [tick.get_text() for tick in axis.get_ticklabels()]


@pytest.mark.parametrize("cluster", [1, 2])
def test_votes_draws_the_counts_of_a_cluster(close, cluster):
    dataset = make_votes()
    ax = close(votes(dataset, cluster=cluster))
    np.testing.assert_array_equal(
        mesh(ax).get_array().filled(-1),
        dataset["votes"].sel(cluster=cluster).where(dataset["n_models"] > 0, -1),
    )
    assert ax.get_title() == f"models that assign a point to cluster {cluster}"


def test_votes_leaves_blank_what_no_model_has(close):
    drawn = mesh(close(votes(make_votes()))).get_array()
    assert drawn.mask[0, 0]
    assert drawn.mask.sum() == 1


def test_votes_has_one_colour_a_count_from_light_to_dark(close):
    colors = mesh(close(votes(make_votes()))).to_rgba(np.arange(5))
    assert len(np.unique(colors, axis=0)) == 5
    assert (np.diff(colors[:, :3].sum(axis=1)) < 0).all()


@pytest.mark.parametrize(
    ("n_models", "labels"),
    [(1, ["0", "1"]), (4, list("01234")), (24, [str(n) for n in range(0, 25, 3)])],
)
def test_votes_bar_counts_the_models(close, n_models, labels):
    ax = close(votes(make_votes(n_models=n_models)), drawn=True)
    (bar,) = ax.child_axes
    assert bar.get_ylabel() == "models"
    assert ticks(bar) == labels
    assert list(bar.yaxis.get_minorticklocs()) == []


@pytest.mark.parametrize("lon", [LON, np.arange(-120.0, -117.0)], ids=["wide", "tall"])
def test_votes_bar_and_title_are_clear_of_the_map(close, lon):
    ax = close(votes(make_votes(np.arange(30.0, 45.0), lon)), drawn=True)
    (bar,) = ax.child_axes
    box, title = bar.get_tightbbox(), ax.title.get_window_extent()
    below = [t.get_window_extent() for t in ax.findobj(Gridliner)[0].label_artists]
    assert not any(box.overlaps(other) for other in [*below, ax.get_window_extent(), title])
    assert title.x0 >= 0
    assert title.x1 <= ax.figure.bbox.width


def test_votes_of_no_models_are_blank(close):
    dataset = make_votes()
    ax = close(votes(dataset * 0), drawn=True)
    assert mesh(ax).get_array().count() == 0
    assert ticks(ax.child_axes[0]) == ["0"]


def test_votes_of_loose_points(close):
    points = make_votes().stack(point=("latitude", "longitude")).reset_index("point")
    dots = [a for a in close(votes(points)).collections if isinstance(a, PathCollection)]
    assert [len(artist.get_offsets()) for artist in dots] == [1, LAT.size * LON.size - 1]
    expected = points["votes"].sel(cluster=1)[1:]
    np.testing.assert_array_equal(dots[1].get_array(), expected)


def test_votes_over_plain_dims(close):
    ax = close(votes(make_votes(names=("y", "x")).drop_vars(["y", "x"])), drawn=True)
    assert not isinstance(ax, GeoAxes)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert not ax.child_axes[0].get_tightbbox().overlaps(ax.get_window_extent())


def test_votes_takes_the_options_of_a_map(close):
    options = {"projection": ccrs.PlateCarree(), "extent": (-118, -110, 36, 40)}
    lines = {"coastlines": False, "borders": False, "gridlines": False}
    ax = close(votes(make_votes(), title="Mine", **options, **lines))
    assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx((-118, -110, 36, 40))
    assert ax.get_title() == "Mine"
    assert ax.findobj(Gridliner) == []


def test_votes_draws_in_axes_given(close):
    ax = plt.figure().add_subplot(projection=ccrs.Robinson())
    assert close(votes(make_votes(), ax=ax)) is ax


def test_votes_reads_lazy_maps_once(close, computed):
    close(votes(make_votes().chunk()))
    assert len(computed) == 1


def test_votes_refuses_a_cluster_without_votes():
    with pytest.raises(ValueError, match=r"no votes for cluster 3; choose one of 1, 2"):
        votes(make_votes(), cluster=3)


def test_votes_refuses_another_dataset(result_of):
    with pytest.raises(ValueError, match=r"no votes and n_models; its variables are label, vs,"):
        votes(result_of(2))


def test_votes_refuses_several_maps():
    dataset = make_votes().expand_dims(time=3)
    with pytest.raises(ValueError, match=r"'votes' has 3 entries along 'time'"):
        votes(dataset)


def test_votes_refuses_axes_and_a_projection(close):
    ax = close(plt.subplot(projection=ccrs.Robinson()))
    with pytest.raises(ValueError, match=r"projection=Mercator has no effect on existing axes"):
        votes(make_votes(), ax=ax, projection=ccrs.Mercator())


def test_votes_refuses_plain_axes(close):
    ax = close(plt.subplot())
    with pytest.raises(TypeError, match=r"ax is a Axes, but labels .* need a cartopy GeoAxes"):
        votes(make_votes(), ax=ax)


def test_votes_changes_no_input(close):
    dataset = make_votes()
    before = dataset.copy(deep=True)
    close(votes(dataset))
    xr.testing.assert_identical(dataset, before)
