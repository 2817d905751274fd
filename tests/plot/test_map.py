import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shapely
import xarray as xr
from cartopy.mpl.feature_artist import FeatureArtist
from cartopy.mpl.geoaxes import GeoAxes
from cartopy.mpl.gridliner import Gridliner
from matplotlib.collections import PathCollection, QuadMesh

from xvcluster import kmeans
from xvcluster.boundaries import boundaries
from xvcluster.plot import cluster_colors
from xvcluster.plot import map as draw_map

LAT, LON = np.arange(35.0, 45.0), np.arange(-120.0, -105.0)


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def mesh(ax):
    return next(artist for artist in ax.collections if isinstance(artist, QuadMesh))


def drawn_box(ax):
    """West, east, south, north of the edges of the cells as drawn, to a hundredth of a degree."""
    edges = np.round(mesh(ax).get_coordinates(), 2)
    return edges[..., 0].min(), edges[..., 0].max(), edges[..., 1].min(), edges[..., 1].max()


def test_map_names_the_clusters_that_exist(close, labels_of):
    labels = labels_of(LAT, LON, 5)
    ax = close(draw_map(labels.where(labels != 3)))
    # what had cluster 3 has a profile
    assert legend_texts(ax) == ["Cluster 1", "Cluster 2", "Cluster 4", "Cluster 5", "no label"]


def test_map_of_selected_clusters_calls_the_others_no_profile_only_if_they_have_none(close, model):
    result = kmeans(model, 3)
    for labels in (result.select([1, 3]), result.labels.where(result.labels != 2)):
        assert legend_texts(close(draw_map(labels))) == ["Cluster 1", "Cluster 3", "no label"]
    holed = result.labels.where(result.labels.longitude > -120)
    assert legend_texts(close(draw_map(holed)))[-1] == "no profile"


@pytest.mark.parametrize(
    ("renumber", "drawn"),
    [(lambda a: a + 1, [2, 3, 4]), (lambda a: a * 2, [2, 4, 6]), (lambda a: a, [1, 2, 3])],
    ids=["plus one", "doubled", "as they are"],
)
def test_map_draws_every_label_whatever_the_attributes_say(close, labels_of, renumber, drawn):
    with xr.set_options(keep_attrs=True):
        labels = renumber(labels_of(LAT, LON, 3))
    ax = close(draw_map(labels, boundaries=True))
    assert legend_texts(ax) == [f"Cluster {number}" for number in drawn]
    colors = cluster_colors(labels)[np.subtract(drawn, 1)]
    np.testing.assert_allclose(mesh(ax).to_rgba(drawn), colors)


def test_map_tells_that_labels_are_numbered_from_zero(close, labels_of):
    with pytest.warns(UserWarning, match=r"'label' holds 0, which is treated as no label .* \+ 1"):
        close(draw_map(labels_of(LAT, LON, 3).drop_attrs() - 1))


def test_map_refuses_a_label_far_above_their_number(labels_of):
    with pytest.raises(ValueError, match=r"'label' holds or declares the label 3000000000, but"):
        draw_map(labels_of(LAT, LON, 3) * 1e9)


@pytest.mark.parametrize("k", [4, 30])
@pytest.mark.parametrize(
    ("place", "x", "y"), [("lower left", 0, 0), ("upper right", 1, 1), ("center", 0.5, 0.5)]
)
def test_map_puts_the_legend_at_a_place_on_it(close, labels_of, place, x, y, k):
    ax = close(draw_map(labels_of(LAT, LON, k, missing=True), legend=place), drawn=True)
    legend = ax.child_axes[0] if k > 20 else ax.get_legend()
    box, whole = legend.get_window_extent(), ax.get_window_extent()
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1
    assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    at = (middle[0] - whole.x0) / whole.width, (middle[1] - whole.y0) / whole.height
    assert np.abs(np.subtract(at, (x, y))).max() < 0.26


@pytest.mark.parametrize(
    ("legend", "error"), [("lower links", ValueError), ("best", ValueError), (3, TypeError)]
)
def test_map_refuses_a_legend_that_is_no_place(labels_of, legend, error):
    with pytest.raises(error, match=rf"legend(=| must be True).*{legend!r}"):
        draw_map(labels_of(LAT, LON), legend=legend)


def test_map_has_no_entry_for_missing_where_none_is(close, labels_of):
    assert "no profile" not in legend_texts(close(draw_map(labels_of(LAT, LON))))


def test_map_legend_keeps_clear_of_the_map_and_in_the_figure(close, labels_of):
    for lat, lon in ((LAT, LON), (np.arange(30.0, 50.0), np.arange(-124.0, -119.0))):
        ax = close(draw_map(labels_of(lat, lon, 6, missing=True)), drawn=True)
        box = ax.get_legend().get_window_extent()
        assert not box.overlaps(ax.get_window_extent())
        figure = ax.figure.bbox
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.width
        assert box.y1 <= figure.height


def test_map_draws_in_the_scheme_of_cluster_colors(close, labels_of):
    labels = labels_of(LAT, LON)
    ax = close(draw_map(labels))
    drawn = mesh(ax).to_rgba(np.arange(1, 5))
    np.testing.assert_allclose(drawn, cluster_colors(labels))
    patches = [handle.get_facecolor() for handle in ax.get_legend().legend_handles]
    np.testing.assert_allclose(patches, cluster_colors(labels))


def test_map_leaves_missing_cells_transparent(close, labels_of):
    ax = close(draw_map(labels_of(LAT, LON, missing=True)))
    assert mesh(ax).get_array().mask.sum() == 1
    assert ax.get_facecolor()[:3] == pytest.approx((0.894, 0.894, 0.894), abs=0.01)


def test_map_takes_colors(close, labels_of):
    ax = close(draw_map(labels_of(LAT, LON, 2), colors=["red", "blue"]))
    np.testing.assert_allclose(mesh(ax).to_rgba([1, 2]), [[1, 0, 0, 1], [0, 0, 1, 1]])


def test_map_changes_no_input(close, labels_of):
    labels = labels_of(LAT[::-1], LON, missing=True)
    before = labels.copy(deep=True)
    close(draw_map(labels))
    xr.testing.assert_identical(labels, before)


@pytest.mark.parametrize("order", ["reversed", "transposed", "shuffled"])
def test_map_is_the_same_in_any_order(close, labels_of, order):
    labels = labels_of(LAT, LON)
    other = {
        "reversed": labels[::-1, ::-1],
        "transposed": labels.T,
        "shuffled": labels[np.random.default_rng(0).permutation(len(LAT))],
    }[order]
    a, b = mesh(close(draw_map(labels))), mesh(close(draw_map(other)))
    np.testing.assert_array_equal(a.get_array(), b.get_array())
    np.testing.assert_allclose(a.get_coordinates(), b.get_coordinates())


def test_map_edges_of_irregular_cells_are_half_way(close, labels_of):
    ax = close(draw_map(labels_of([30.0, 32.0, 36.0], [10.0, 11.0, 14.0])))
    edges = mesh(ax).get_coordinates()
    np.testing.assert_allclose(edges[:, 0, 1], [29, 31, 34, 38])
    np.testing.assert_allclose(edges[0, :, 0], [9.5, 10.5, 12.5, 15.5])


def test_map_of_a_single_cell_draws_it(close, labels_of):
    assert drawn_box(close(draw_map(labels_of([30.0], [10.0])))) == (9.5, 10.5, 29.5, 30.5)


@pytest.mark.parametrize(("start", "middle"), [(-180, 0), (0, 180)])
def test_map_of_the_globe_is_robinson_around_the_data(close, labels_of, start, middle):
    lon = np.arange(start + 5, start + 360, 10.0)
    ax = close(draw_map(labels_of(np.arange(-85, 90, 10.0), lon)), drawn=True)
    assert isinstance(ax.projection, ccrs.Robinson)
    assert ax.projection.proj4_params["lon_0"] == middle
    np.testing.assert_allclose(drawn_box(ax), (start, start + 360, -90, 90))


def test_map_of_a_globe_with_the_seam_twice_goes_around_once(close, labels_of):
    ax = close(draw_map(labels_of(np.arange(-90, 91, 10.0), np.arange(-180, 181, 10.0))))
    np.testing.assert_allclose(drawn_box(ax), (-180, 180, -90, 90))


@pytest.mark.parametrize(
    "lon",
    [
        np.arange(160.0, 201, 2),
        np.concatenate([np.arange(160.0, 180, 2), np.arange(-180.0, -159, 2)]),
        np.concatenate([np.arange(-180.0, -159, 2), np.arange(160.0, 180, 2)]),
    ],
)
def test_map_across_the_dateline_is_contiguous(close, labels_of, lon):
    ax = close(draw_map(labels_of(np.arange(-15.0, 16, 2), lon)))
    west, east, *_ = drawn_box(ax)
    assert (west % 360, east - west) == pytest.approx((159, 42))
    assert abs(np.subtract(*ax.get_xlim())) == pytest.approx(np.radians(42) * 6378137, rel=1e-3)


@pytest.mark.parametrize(
    ("lat", "lon", "projection"),
    [
        (np.arange(30.0, 50), np.arange(-125.0, -95), ccrs.LambertConformal),
        (np.arange(38.0, 49), np.arange(-124.0, -119), ccrs.TransverseMercator),
        (np.arange(-10.0, 10), np.arange(90.0, 130), ccrs.Mercator),
        (np.arange(60.5, 90), np.arange(-179.5, 180), ccrs.NorthPolarStereo),
        (np.arange(-89.5, -60), np.arange(0.5, 360), ccrs.SouthPolarStereo),
        (np.arange(-60.0, 89), np.arange(0.0, 30), ccrs.PlateCarree),
    ],
)
def test_map_chooses_the_projection_by_the_region(close, labels_of, lat, lon, projection):
    ax = close(draw_map(labels_of(lat, lon)), drawn=True)
    assert isinstance(ax.projection, projection)
    assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


def test_map_extent_is_the_edges_of_the_cells(close, labels_of):
    ax = close(draw_map(labels_of(LAT, LON), projection=ccrs.PlateCarree()))
    assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx((-120.5, -105.5, 34.5, 44.5))


def test_map_takes_an_extent(close, labels_of):
    ax = close(
        draw_map(labels_of(LAT, LON), projection=ccrs.PlateCarree(), extent=(-118, -110, 36, 40))
    )
    assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx((-118, -110, 36, 40))


@pytest.mark.parametrize("west", [-120.0, 170.0])
def test_map_of_2d_coordinates_draws_every_cell(close, labels_of, west):
    plain = labels_of(np.arange(35.0, 45), np.arange(west, west + 20)).rename(
        latitude="y", longitude="x"
    )
    lat, lon = np.meshgrid(plain["y"], (plain["x"] + 180) % 360 - 180, indexing="ij")
    labels = plain.drop_vars(["x", "y"]).assign_coords(
        latitude=(("y", "x"), lat), longitude=(("y", "x"), lon)
    )
    ax = close(draw_map(labels), drawn=True)
    assert mesh(ax).get_array().count() == labels.size
    box = drawn_box(ax)
    assert box == pytest.approx((box[0], box[0] + 20, 34.5, 44.5), abs=0.05)


def test_map_of_global_2d_coordinates_fills_the_rim(close, labels_of):
    plain = labels_of(np.arange(-85.0, 90, 10), np.arange(-180.0, 180, 10))
    plain = plain.rename(latitude="y", longitude="x")
    lat, lon = np.meshgrid(plain["y"], plain["x"], indexing="ij")
    labels = plain.drop_vars(["x", "y"]).assign_coords(
        latitude=(("y", "x"), lat), longitude=(("y", "x"), lon)
    )
    assert isinstance(close(draw_map(labels)).projection, ccrs.Robinson)
    ax = close(draw_map(labels, projection=ccrs.Robinson()), drawn=True)  # its rim cuts cells
    parts = [c for c in ax.collections if type(c).__name__ == "PolyCollection"]
    assert any(len(part.get_paths()) == 2 * len(lat) for part in parts)


def test_map_of_missing_2d_coordinates_draws_the_others(close, labels_of):
    plain = labels_of(LAT, LON).rename(latitude="y", longitude="x")
    lat, lon = np.meshgrid(plain["y"], plain["x"], indexing="ij")
    lat[0, 0] = lon[0, 0] = np.nan
    labels = plain.drop_vars(["x", "y"]).assign_coords(
        latitude=(("y", "x"), lat), longitude=(("y", "x"), lon)
    )
    drawn = mesh(close(draw_map(labels))).get_array()
    assert drawn.mask[0, 0]
    assert drawn.count() >= labels.size - 9


def test_map_of_2d_coordinates_is_grey_without_a_profile_and_white_outside(close):
    y, x = np.mgrid[0:9.0, 0:9.0]
    coords = {"lat": (("y", "x"), 40 + y + x / 2), "lon": (("y", "x"), -120 + x - y / 2)}
    values = np.ones((9, 9))
    values[4, 4] = np.nan
    labels = xr.DataArray(values, dims=("y", "x"), coords=coords)
    options = {"coastlines": False, "borders": False, "gridlines": False, "legend": False}
    ax = close(draw_map(labels, **options), drawn=True)
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[::-1, :, :3]
    at = ax.projection.transform_point(-118, 46, ccrs.PlateCarree())
    column, row = ax.transData.transform(at).astype(int)
    assert tuple(pixels[row, column]) == _missing_pixel()
    box = ax.get_window_extent()
    assert tuple(pixels[int(box.y0) + 5, int(box.x0) + 5]) == (255, 255, 255)


def test_map_of_loose_points_is_a_scatter(close):
    values = np.array([1.0, 2.0, np.nan, 2.0])
    labels = xr.DataArray(
        values,
        dims="profile",
        coords={
            "lat": ("profile", [10.0, 20.0, 15.0, 12.0]),
            "lon": ("profile", [170.0, -170.0, 175.0, -175.0]),
        },
    )
    ax = close(draw_map(labels), drawn=True)
    dots = [artist for artist in ax.collections if isinstance(artist, PathCollection)]
    assert sorted(len(artist.get_offsets()) for artist in dots) == [1, 3]
    assert legend_texts(ax) == ["Cluster 1", "Cluster 2", "no profile"]
    assert abs(np.subtract(*ax.get_xlim())) < np.radians(30) * 6378137


def test_map_squeezes_a_time_of_length_one(close, labels_of):
    labels = labels_of(LAT, LON).expand_dims(time=1)
    assert isinstance(close(draw_map(labels)), GeoAxes)


def test_map_refuses_several_times(labels_of):
    labels = labels_of(LAT, LON).expand_dims(time=3)
    with pytest.raises(ValueError, match=r"3 entries along 'time'.*labels\.isel\(time=0\)"):
        draw_map(labels)


def test_map_refuses_what_is_no_labels(labels_of):
    labels = labels_of(LAT, LON)
    message = r"'vs' holds 3\.25, but labels are integers from 1, .*kmeans"
    with pytest.raises(ValueError, match=message):
        draw_map((labels + 2.25).rename("vs"))
    with pytest.raises(ValueError, match=r"these values of type <U1 cannot be drawn as labels"):
        draw_map(xr.DataArray(["a", "b"], dims="x"))


def test_map_takes_labels_below_1_as_missing(close, labels_of):
    labels = labels_of(LAT, LON, 2, missing=True)
    undecoded = labels.fillna(-1).astype("int16").drop_attrs(deep=False)
    ax = close(draw_map(undecoded))
    assert legend_texts(ax) == ["Cluster 1", "Cluster 2", "no profile"]
    np.testing.assert_array_equal(mesh(ax).get_array().mask, labels.isnull())


def test_map_without_latitude_and_longitude_is_plain(close, labels_of):
    labels = labels_of(np.arange(5), np.arange(8), names=("y", "x")).assign_coords(
        x=("x", np.arange(8) * 10.0, {"units": "km"}), y=("y", np.arange(5) * 10.0, {"units": "km"})
    )
    ax = close(draw_map(labels), drawn=True)
    assert not isinstance(ax, GeoAxes)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (km)", "y (km)")
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-5, 75, -5, 45)
    assert not ax.get_legend().get_window_extent().overlaps(ax.xaxis.label.get_window_extent())


def test_map_along_one_dim_is_a_strip(close):
    ax = close(draw_map(xr.DataArray([1.0, 2.0, 3.0], dims="x")))
    assert ax.get_xlim() == (-0.5, 2.5)
    assert list(ax.get_yticks()) == []


def test_map_of_dims_without_meaning_refuses_a_third(labels_of):
    with pytest.raises(ValueError, match=r"2 entries along 'run'"):
        draw_map(xr.DataArray(np.ones((2, 3, 4)), dims=("run", "row", "column")))


def test_map_of_plain_dims_refuses_a_projection():
    with pytest.raises(ValueError, match=r"projection requires latitude and longitude"):
        draw_map(xr.DataArray(np.ones((3, 4)), dims=("y", "x")), projection=ccrs.Robinson())


def test_map_draws_in_axes_given(close, labels_of):
    figure = plt.figure()
    ax = figure.add_subplot(projection=ccrs.Robinson())
    assert close(draw_map(labels_of(LAT, LON), ax=ax, title="Mine")) is ax
    assert ax.get_title() == "Mine"


def test_map_refuses_plain_axes(close, labels_of):
    _, ax = plt.subplots()
    with pytest.raises(TypeError, match=r"ax is a Axes, but labels .* need a cartopy GeoAxes"):
        draw_map(labels_of(LAT, LON), ax=ax)
    close(ax)


def test_map_refuses_what_is_no_axes(labels_of):
    for labels in (labels_of(LAT, LON), xr.DataArray(np.ones((3, 4)), dims=("y", "x"))):
        with pytest.raises(TypeError, match=r"ax is a int; pass Axes of matplotlib"):
            draw_map(labels, ax=3)


def test_map_of_plain_dims_refuses_a_projection_of_the_axes(close):
    ax = close(plt.subplot(projection=ccrs.Robinson()))
    with pytest.raises(TypeError, match=r"ax is a GeoAxes, but the field to be drawn has no lat"):
        draw_map(xr.DataArray(np.ones((3, 4)), dims=("y", "x")), ax=ax)


def test_map_refuses_axes_and_a_projection(close, labels_of):
    ax = plt.subplot(projection=ccrs.Robinson())
    with pytest.raises(ValueError, match=r"projection=Mercator has no effect on existing axes"):
        draw_map(labels_of(LAT, LON), ax=ax, projection=ccrs.Mercator())
    close(ax)


@pytest.mark.parametrize("k", [21, 30])
def test_map_of_many_clusters_has_a_grid_of_colours(close, labels_of, k):
    ax = close(draw_map(labels_of(LAT, LON, k, missing=True)), drawn=True)
    key = ax.child_axes[0]
    assert ax.get_legend() is None
    assert [text.get_text() for text in key.texts] == [str(n) for n in range(1, k + 1)]
    assert legend_texts(key) == ["no profile"]
    assert not key.get_window_extent().overlaps(ax.get_window_extent())


def test_map_of_som_nodes_has_their_grid(close, som_of):
    ax = close(draw_map(som_of(3, 4)["label"]))
    key = ax.child_axes[0]
    assert key.get_title() == "SOM node"
    assert key.images[0].get_array().shape[:2] == (3, 4)


def test_map_without_legend_and_title(close, labels_of):
    ax = close(draw_map(labels_of(LAT, LON), legend=False, coastlines=False, borders=False))
    assert ax.get_legend() is None
    assert ax.get_title() == ""


def test_map_labels_gridlines_left_and_below_only(close, labels_of):
    ax = close(draw_map(labels_of(np.arange(-15.0, 16), np.arange(100.0, 140))), drawn=True)
    lines = next(artist for artist in ax.artists if isinstance(artist, Gridliner))
    assert not lines.top_labels
    assert not lines.right_labels
    assert {text.get_text() for text in lines.label_artists} >= {"0°", "110°E"}


@pytest.mark.parametrize("west", [0.5, -179.5])
@pytest.mark.parametrize("center", [0, 180])
def test_map_leaves_missing_cells_empty_on_any_global_map(west, center, close):
    lon, lat = np.arange(west, west + 360), np.arange(-89.5, 90)
    values = np.full((lat.size, lon.size), np.nan, dtype=np.float32)
    # the cells on both sides of the rim have labels, all others none
    values[:, (lon % 360 < 2) | (lon % 360 > 358) | (abs(lon % 360 - 180) < 2)] = 1
    labels = xr.DataArray(values, dims=("lat", "lon"), coords={"lat": lat, "lon": lon})
    options = {"coastlines": False, "borders": False, "legend": False}
    ax = close(draw_map(labels, projection=ccrs.Robinson(center), **options), drawn=True)
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[..., :3]
    box = ax.get_window_extent()
    x = int(box.x0 + 0.25 * box.width), int(box.x0 + 0.75 * box.width)
    y = int(pixels.shape[0] - (box.y0 + 0.3 * box.height))
    assert [tuple(pixels[y, i]) for i in x] == [_missing_pixel()] * 2


def _missing_pixel():
    from matplotlib.colors import to_rgb

    from xvcluster.plot import style

    return tuple(round(255 * c) for c in to_rgb(style.MISSING))


def boundary_artists(ax):
    """The boundaries drawn on a map: they lie above all other lines."""
    return [a for a in ax.get_children() if isinstance(a, FeatureArtist) and a.get_zorder() == 3.5]


def drawn_lines(ax):
    return [line for artist in boundary_artists(ax) for line in artist._feature.geometries()]


def test_map_draws_the_boundaries_of_its_labels(close, labels_of):
    labels = labels_of(LAT, LON, 2)
    ax = close(draw_map(labels, boundaries=True), drawn=True)
    (artist,) = boundary_artists(ax)
    assert len(list(artist._feature.geometries())) == len(boundaries(labels))
    assert isinstance(mesh(ax), QuadMesh)


def test_map_draws_no_boundaries_unless_asked(close, labels_of):
    assert boundary_artists(close(draw_map(labels_of(LAT, LON)))) == []


def test_map_draws_boundaries_over_a_background_in_their_colours(close, labels_of):
    labels = labels_of(LAT, LON, 4)
    field = labels.copy(data=np.linspace(0, 50, labels.size).reshape(labels.shape))
    field.attrs = {"long_name": "water", "units": "mm"}
    frame = boundaries(labels, [2, 4])
    ax = close(draw_map(labels, background=field, boundaries=frame), drawn=True)
    assert len(boundary_artists(ax)) == 4  # a pale line beneath each
    assert legend_texts(ax) == ["Cluster 2", "Cluster 4"]
    np.testing.assert_allclose(mesh(ax).get_array(), field)
    (bar,) = (child for child in ax.child_axes if child.get_ylabel() or child.get_xlabel())
    assert "water (mm)" in bar.get_ylabel() + bar.get_xlabel()
    assert not bar.get_tightbbox().overlaps(ax.get_legend().get_window_extent())


def test_map_of_a_background_outlines_all_clusters(close, labels_of):
    labels = labels_of(LAT, LON, 3)
    ax = close(draw_map(labels, background=labels.drop_attrs()), drawn=True)
    assert legend_texts(ax) == ["Cluster 1", "Cluster 2", "Cluster 3"]


def test_map_leaves_invalid_values_of_a_background_empty(close, labels_of):
    labels = labels_of(LAT, LON, 3)
    field = labels.assign_attrs(valid_min=2.0)
    ax = close(draw_map(labels, background=field))
    assert mesh(ax).get_array().mask.sum() == int((labels < 2).sum())


def test_map_of_a_tall_background_has_its_bar_below(close, labels_of):
    labels = labels_of(np.arange(30.0, 50.0), np.arange(-124.0, -119.0), 3)
    ax = close(draw_map(labels, background=labels.drop_attrs()), drawn=True)
    (bar,) = ax.child_axes
    assert bar.get_tightbbox().y1 < ax.get_window_extent().y0
    labels_below = [t for t in ax.findobj(Gridliner)[0].bottom_label_artists if t.get_visible()]
    assert not any(bar.get_tightbbox().overlaps(t.get_window_extent()) for t in labels_below)


def test_map_does_not_draw_the_cut_at_the_dateline(close, labels_of):
    labels = labels_of(np.arange(-85, 90, 10.0), np.arange(5.0, 360, 10), 1)
    labels = labels.where(labels.latitude < 60, 2).assign_attrs(flag_values=[1, 2])
    lines = drawn_lines(close(draw_map(labels, boundaries=True)))
    points = np.concatenate([shapely.get_coordinates(line) for line in lines])
    np.testing.assert_array_equal(np.unique(points[:, 1]), [60])


def test_map_draws_a_boundary_that_lies_on_the_dateline(close, labels_of):
    labels = labels_of([10.0], np.arange(175.5, 180), 1)
    lines = drawn_lines(close(draw_map(labels, boundaries=True)))
    assert sum(shapely.length(lines)) == pytest.approx(12)


def test_map_brings_boundaries_to_degrees(close, labels_of):
    labels = labels_of(LAT, LON, 2)
    frame = boundaries(labels).to_crs("EPSG:3857")
    lines = drawn_lines(close(draw_map(labels, boundaries=frame)))
    assert max(shapely.bounds(lines)[:, 2]) == pytest.approx(-105.5)


def test_map_refuses_boundaries_of_another_type(labels_of):
    with pytest.raises(TypeError, match=r"boundaries is a list; pass True .* or a GeoDataFrame"):
        draw_map(labels_of(LAT, LON), boundaries=[1])


def test_map_refuses_boundaries_without_clusters(labels_of):
    labels = labels_of(LAT, LON)
    with pytest.raises(ValueError, match=r"no column 'cluster' among geometry, number"):
        draw_map(labels, boundaries=boundaries(labels)[["geometry"]].assign(number=1))


def test_map_refuses_a_background_alone(labels_of):
    labels = labels_of(LAT, LON)
    with pytest.raises(
        ValueError, match=r"with boundaries=False, a map of the background shows nothing"
    ):
        draw_map(labels, background=labels, boundaries=False)


def test_map_refuses_boundaries_on_plain_dims(labels_of):
    labels = labels_of(LAT, LON)
    plain = xr.DataArray(np.ones((3, 4)), dims=("y", "x"))
    with pytest.raises(ValueError, match=r"boundaries requires latitude and longitude"):
        draw_map(plain, boundaries=boundaries(labels))


def test_map_of_a_closed_curvilinear_grid_has_its_rim_between_cells(close):
    lat, lon = np.meshgrid(np.linspace(-85, 85, 18), np.arange(5.0, 360.0, 10.0), indexing="ij")
    coords = {"lat": (("j", "i"), lat), "lon": (("j", "i"), lon)}
    labels = xr.DataArray(1.0 + (lon > 180), coords, ("j", "i"), name="label")
    assert close(draw_map(labels)).projection.proj4_params["lon_0"] == 180


@pytest.fixture
def ocean_grid():
    """Labels of a global curvilinear ocean grid, with land in the middle of it."""
    lat, lon = np.meshgrid(np.linspace(-80, 88, 29), np.arange(73.0, 433.0, 10.0), indexing="ij")
    lat = lat - 1e-6 * np.cos(np.radians(lon))  # its rows lie along no parallels
    coords = {"nav_lat": (("y", "x"), lat), "nav_lon": (("y", "x"), lon)}
    is_land = (lat > 10) & (lat < 60) & (lon % 360 < 110)
    labels = xr.DataArray(np.where(is_land, np.nan, 1.0 + (lat > 0)), coords, ("y", "x"))
    return labels.rename("label")


def test_map_of_a_global_curvilinear_grid_with_a_gap_draws_it_grey(close, ocean_grid):
    ax = close(draw_map(ocean_grid), drawn=True)
    sea, land = (m.get_array() for m in ax.collections if isinstance(m, QuadMesh))
    np.testing.assert_array_equal(np.ma.getmaskarray(sea), ocean_grid.isnull())
    np.testing.assert_array_equal(np.ma.getmaskarray(land), ocean_grid.notnull())


def test_map_of_a_global_curvilinear_grid_with_a_gap_takes_a_background(close, ocean_grid):
    field = ocean_grid.copy(data=np.hypot(ocean_grid.nav_lat, 1.0)).rename("depth")
    field = field.where(ocean_grid.notnull())
    projection = ccrs.Robinson(central_longitude=3)  # its rim cuts cells
    ax = close(draw_map(ocean_grid, background=field, projection=projection), drawn=True)
    cells = next(m for m in ax.collections if isinstance(m, QuadMesh))
    at_rim = next(c for c in ax.collections if type(c).__name__ == "PolyCollection")
    assert at_rim.get_clim() == cells.get_clim()
