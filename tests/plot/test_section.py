"""Sections: the cells that a great circle crosses, found by brute force, and how they are drawn."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from pyproj import Geod

from xvcluster import kmeans
from xvcluster.grid.horizontal import unit_vectors
from xvcluster.plot import section
from xvcluster.plot.methods import ResultPlots

SPHERE = Geod(a=6371007.2, b=6371007.2)
START, END = (-118.3, 36.2), (-107.4, 43.1)


def points_between(start, end, n=1000):
    """Return longitudes and latitudes in the middle of n parts of a great circle, and its km."""
    azimuth, _, length = SPHERE.inv(*start, *end)
    at = (np.arange(n) + 0.5) / n * length
    lon, lat, _ = SPHERE.fwd(np.full(n, start[0]), np.full(n, start[1]), np.full(n, azimuth), at)
    return lon, lat, length / 1000


def nearest(lon, lat, grid_lon, grid_lat):
    """Return the index of the nearest point to each of some places, by all distances."""
    centres = unit_vectors(np.ravel(grid_lat), np.ravel(grid_lon))
    return (unit_vectors(np.asarray(lat), np.asarray(lon)) @ centres.T).argmax(axis=1)


def strip_of(ax):
    """Return the clusters that a strip shows; 0 for none."""
    (mesh,) = ax.child_axes[0].collections
    return np.ma.filled(mesh.get_array(), 0).ravel()


def field_of(ax):
    """Return what a section shows, (level, point) from the top, NaN for nothing."""
    values = ax.collections[0].get_array()
    shown = np.ma.filled(values.astype(float), np.nan).reshape(-1, 1000)
    edges = ax.collections[0].get_coordinates()[:, 0, 1]
    return shown if ax.transData.transform((0, edges[0]))[1] > ax.transData.transform(
        (0, edges[-1])
    )[1] else shown[::-1]  # fmt: skip


@pytest.fixture
def model():
    """Profiles of which each is unlike any other, in four provinces."""
    lat, lon = np.arange(35.0, 45.1, 0.5), np.arange(-120.0, -104.9, 0.5)
    base = 1.0 + (lat[:, None] > 40) * 2 + (lon > -112)
    own = np.random.default_rng(1).random((lat.size, lon.size)) / 10
    depth = xr.DataArray([0.0, 10, 30, 70], dims="depth", attrs={"units": "km"})
    values = (base + own) + 0.1 * depth.values[:, None, None]
    coords = {"depth": depth, "latitude": lat, "longitude": lon}
    dims = ("depth", "latitude", "longitude")
    return xr.DataArray(values, coords, dims, name="vs", attrs={"units": "km/s"})


@pytest.fixture
def result(model):
    return kmeans(model, 4)


def test_section_shows_the_nearest_cell_of_each_point(close, result, model):
    ax = close(section(result, START, END, model), drawn=True)
    lon, lat, length = points_between(START, END)
    assert ax.get_xlim() == (0, pytest.approx(length, rel=1e-6))
    row = np.abs(lat[:, None] - model["latitude"].values).argmin(axis=1)
    column = np.abs(lon[:, None] - model["longitude"].values).argmin(axis=1)
    np.testing.assert_array_equal(strip_of(ax), result.labels.values[row, column])
    np.testing.assert_allclose(field_of(ax), model.values[:, row, column])


def test_section_without_data_shows_centroids(close, result):
    ax = close(section(result, START, END), drawn=True)
    centroids = result.dataset["vs"].transpose("depth", "cluster").values
    np.testing.assert_allclose(field_of(ax), centroids[:, strip_of(ax).astype(int) - 1])
    labels = [child.get_ylabel() for child in ax.child_axes]
    assert "centroids: vs (km/s)" in labels


@pytest.mark.parametrize("kind", ["curvilinear", "points"])
def test_section_of_other_grids_shows_the_nearest_point(close, model, kind):
    angle = np.radians(20)
    x, y = np.meshgrid(np.arange(-8, 8.1, 0.4), np.arange(-6, 6.1, 0.4))
    lon = -112 + x * np.cos(angle) - y * np.sin(angle)
    lat = 40 + x * np.sin(angle) + y * np.cos(angle)
    dims = ("y", "x")
    at = {"latitude": xr.DataArray(lat, dims=dims), "longitude": xr.DataArray(lon, dims=dims)}
    turned = model.interp(at, kwargs={"fill_value": None})
    if kind == "points":
        turned = turned.stack(station=dims).reset_index("station").drop_vars(dims, errors="ignore")
    found = kmeans(turned, 4)
    start, end = (-116.0, 38.5), (-108.0, 41.5)
    ax = close(section(found, start, end, turned))
    lon, lat, _ = points_between(start, end)
    index = nearest(lon, lat, turned["longitude"].values, turned["latitude"].values)
    np.testing.assert_array_equal(strip_of(ax), found.labels.values.ravel()[index])
    values = turned.transpose("depth", ...).values.reshape(4, -1)
    np.testing.assert_allclose(field_of(ax), values[:, index])


def test_section_crosses_the_dateline_in_any_convention(close):
    lat, lon = np.arange(-40.0, 41, 4), np.arange(0.0, 360, 4)
    base = 1.0 + (lon > 180) + 2 * (lat[:, None] > 0)
    field = xr.DataArray(base, {"lat": lat, "lon": lon}, ("lat", "lon"), name="vs")
    field = field.expand_dims(depth=[0.0, 10.0]).copy()
    field[1] += 1
    west = field.assign_coords(lon=(field["lon"] + 180) % 360 - 180).sortby("lon")
    shown = []
    for data, start, end in (
        (field, (160, -20), (-150, 30)),
        (west, (160, -20), (210, 30)),
        (west, (-200, -20), (-150, 30)),
    ):
        ax = close(section(kmeans(data, 4), start, end, data))
        shown.append((strip_of(ax), field_of(ax)))
    lon, lat, _ = points_between((160, -20), (210, 30))
    expected = 1.0 + (lon % 360 > 182) + 2 * (lat > 2)
    for labels, values in shown:
        np.testing.assert_array_equal(values[0], expected)
        np.testing.assert_array_equal(labels, expected)


def test_section_passes_over_the_pole(close):
    lat, lon = np.arange(61.0, 90, 2), np.arange(1.0, 360, 2)
    values = np.broadcast_to(np.where(lon < 180, 1.0, 2.0), (2, lat.size, lon.size))
    coords = {"depth": [0.0, 1.0], "lat": lat, "lon": lon}
    field = xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs")
    ax = close(section(kmeans(field, 2), (90, 70), (-90, 60)))
    assert ax.get_xlim()[1] == pytest.approx(np.radians(50) * 6371.0072)
    np.testing.assert_array_equal(strip_of(ax), np.where(np.arange(1000) < 400, 1, 2))


def test_section_leaves_gaps(close, model):
    hole = (model["latitude"] > 38) & (model["latitude"] < 40)
    holed = model.where(~hole)
    found = kmeans(holed, 4)
    start, end = (-118.3, 33.0), (-107.4, 43.1)
    ax = close(section(found, start, end, holed))
    _, lat, _ = points_between(start, end)
    in_gap = (np.abs(lat - 39) < 0.75) | (lat < 34.75)
    edge = np.abs(np.abs(lat - 39) - 0.75) < 1e-3
    np.testing.assert_array_equal((strip_of(ax) == 0)[~edge], in_gap[~edge])
    np.testing.assert_array_equal(np.isnan(field_of(ax))[:, ~edge].all(axis=0), in_gap[~edge])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[-1] == "no profile"


def test_section_is_the_same_for_any_order_of_dims_and_direction_of_axes(close, result, model):
    expected = field_of(close(section(result, START, END, model)))
    turned = model.transpose("longitude", "depth", "latitude")[::-1, ::-1, ::-1]
    np.testing.assert_array_equal(field_of(close(section(result, START, END, turned))), expected)
    up = model.assign_coords(depth=-model["depth"].values)
    up["depth"].attrs = {"units": "km", "positive": "up"}
    ax = close(section(result, START, END, up))
    np.testing.assert_array_equal(field_of(ax), expected)
    assert ax.get_ylim() == (-70, 0)
    assert close(section(result, START, END, model)).get_ylim() == (70, 0)


def test_section_of_chunks_reads_what_it_shows(close, result, model):
    expected = field_of(close(section(result, START, END, model)))
    lazy = model.chunk(latitude=5)
    np.testing.assert_array_equal(field_of(close(section(result, START, END, lazy))), expected)
    assert lazy.chunks is not None


def test_section_takes_data_on_another_grid_and_a_variable_of_a_dataset(close, result, model):
    coarse = model.isel(latitude=slice(None, None, 4), longitude=slice(None, None, 4))
    both = xr.Dataset({"vs": coarse, "vp": 2 * coarse})
    one, other = (
        field_of(close(section(result, START, END, both, variable=name))) for name in (None, "vp")
    )
    np.testing.assert_allclose(other, 2 * one)
    assert np.isfinite(one).any()


def test_section_marks_changes_over_the_clustered_levels(close, model):
    shallow = model.isel(depth=slice(0, 3))
    ax = close(section(kmeans(shallow, 4), START, END, model))
    lines = np.array(ax.collections[1].get_segments())
    changes = np.flatnonzero(np.diff(strip_of(ax))) + 1
    np.testing.assert_allclose(lines[:, 0, 0], changes / 1000 * ax.get_xlim()[1])
    np.testing.assert_array_equal(lines[:, :, 1], [[0, 30]] * len(changes))


def test_section_of_a_raster_is_a_line(close, model):
    raster = model.isel(depth=0, drop=True)
    found = kmeans(raster, 4)
    ax = close(section(found, START, END, raster))
    lon, lat, _ = points_between(START, END)
    row = np.abs(lat[:, None] - model["latitude"].values).argmin(axis=1)
    column = np.abs(lon[:, None] - model["longitude"].values).argmin(axis=1)
    (drawn,) = ax.patches
    np.testing.assert_allclose(drawn.get_data().values, raster.values[row, column])
    assert ax.get_ylabel() == "vs (km/s)"
    assert close(section(found, START, END)).get_ylabel() == "centroids: vs (km/s)"
    with pytest.raises(ValueError, match=r"cmap is for a section of several levels, but there is"):
        section(found, START, END, raster, cmap="RdBu")
    with pytest.raises(ValueError, match=r"vmin is for a section of several levels"):
        section(found, START, END, raster, vmin=0)


def test_section_over_times_that_were_clustered(close, model):
    months = model.rename(depth="time").assign_coords(time=("time", [1, 2, 3, 4]))
    found = kmeans(months, 4, dim="time")
    for data in (None, months):
        ax = close(section(found, START, END, data))
        assert ax.get_ylabel() == "time"
        assert field_of(ax).shape == (4, 1000)


def test_section_names_its_ends_clusters_and_axes(close, result, model):
    ax = close(section(result, START, END, model, title="Across"), drawn=True)
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["A  36.2°N 118.3°W", "A′  43.1°N 107.4°W"]
    assert ax.get_title() == "Across"
    assert ax.get_xlabel() == "distance (km)"
    assert ax.get_ylabel() == "depth (km)"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [f"Cluster {n:.0f}" for n in np.unique(strip_of(ax))]
    colors = [patch.get_facecolor() for patch in ax.get_legend().get_patches()]
    drawn = ax.child_axes[0].collections[0].cmap(np.unique(strip_of(ax)).astype(int) - 1)
    np.testing.assert_allclose(colors, drawn)


@pytest.mark.parametrize("figsize", [(3.5, 2.6), (7, 3.5)])
def test_section_at_the_width_of_journals(close, result, model, figsize):
    ax = close(section(result, START, END, model, figsize=figsize, title="Across"), drawn=True)
    figure = ax.figure
    assert tuple(figure.get_size_inches()) == figsize
    texts = [*ax.texts, ax.title, ax.xaxis.label, *ax.get_legend().get_texts()]
    low, high = ax.get_xlim()
    texts += [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
    boxes = [text.get_window_extent() for text in texts] + [ax.child_axes[0].get_window_extent()]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
    assert min(text.get_fontsize() for text in texts) >= 6


def test_section_in_given_axes_with_own_colours(close, result, model):
    _, ax = plt.subplots()
    colors = ["red", "green", "blue", "black"]
    assert section(result, START, END, model, ax=ax, colors=colors, legend=False) is ax
    close(ax)
    assert ax.get_legend() is None
    assert len(ax.child_axes) == 1
    cmap = ax.child_axes[0].collections[0].cmap
    np.testing.assert_allclose(cmap(0), (1, 0, 0, 1))


def test_section_is_a_method_of_results(close, result, model):
    close(result.plot.section(START, END, model))
    method, function = (inspect.signature(f).parameters for f in (ResultPlots.section, section))
    assert list(method)[1:] == list(function)[1:]


def test_section_changes_no_input(close, result, model):
    before, data = result.dataset.copy(deep=True), model.copy(deep=True)
    close(section(result, START, END, model))
    xr.testing.assert_identical(result.dataset, before)
    xr.testing.assert_identical(model, data)


@pytest.mark.parametrize(
    ("start", "end", "error", "message"),
    [
        ("A", END, TypeError, r"start='A' is no place; give \(longitude, latitude\)"),
        ((1, 2, 3), END, TypeError, r"start=\(1, 2, 3\) is no place"),
        (START, (None, 40), TypeError, r"end=\(None, 40\) is no place"),
        ((40, -120), END, ValueError, r"longitude 40 and latitude -120.*the other way round\?"),
        (START, (np.nan, 40), ValueError, r"longitude nan and latitude 40, which is no place"),
        (START, START, ValueError, r"start and end are the same place"),
        ((10, 20), (-170, -20), ValueError, r"are opposite each other on Earth"),
        ((10, 20), (40, 30), ValueError, r"no point of the result is on the great circle from"),
    ],
)
def test_section_refuses_what_is_no_section(result, start, end, error, message):
    with pytest.raises(error, match=message):
        section(result, start, end)


def test_section_refuses_data_that_it_cannot_show(result, model):
    months = model.expand_dims(time=12)
    with pytest.raises(ValueError, match=r"shows one field, but 'vs' has 12 entries along 'time'"):
        section(result, START, END, months)
    with pytest.raises(TypeError, match=r"data must be a DataArray or Dataset of a model; got the"):
        section(result, START, END, "model.nc")
    with pytest.raises(ValueError, match=r"no variable 'vs'; choose one by variable: 'vp'"):
        section(result, START, END, xr.Dataset({"vp": model}))
    with pytest.raises(ValueError, match=r"variable='vp' has no effect on data that are a DataA"):
        section(result, START, END, model, variable="vp")
    with pytest.raises(ValueError, match=r"no point of the data is on the great circle"):
        section(result, START, END, model.assign_coords(longitude=model["longitude"] + 90))
    with pytest.raises(ValueError, match=r"data have no latitude and longitude"):
        section(result, START, END, model.drop_vars(["latitude", "longitude"]))
    own = (model * 0 + model["depth"]).rename("z").assign_attrs(standard_name="depth", units="km")
    own = own.drop_vars("depth")
    with pytest.raises(ValueError, match=r"depths of their own in each profile, 'z'.*prepare\(dep"):
        section(result, START, END, model.drop_vars("depth").assign_coords(z=own))
