"""Ward's clustering of models: provinces in one piece, cuts of one tree, and its files."""

import numpy as np
import pytest
import xarray as xr
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import gaussian_filter
from scipy.ndimage import label as scipy_label
from sklearn.metrics import adjusted_rand_score

from xvcluster import kmeans, open_result, ward
from xvcluster.grid.areas import cell_areas
from xvcluster.grid.neighbours import find_neighbours, find_pieces
from xvcluster.profiles import collect

REAL = {
    "emc_pnw10-s.nc": ["vs"],
    "emc_wus-sh-2010.nc": ["dvs", "dvp"],
    "tpw_201910.nc": ["precipitable_water"],
    "levitus_1deg.nc": ["TEMP", "SALT"],
}


def smooth(shape, seed=0, wrap=False):
    modes = ["nearest", "wrap" if wrap else "nearest"]
    field = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2, mode=modes)
    return field / field.std()


def make_global(lat, lon, n_levels=3):
    """Smooth fields on a grid around the Earth."""
    values = [smooth((len(lat), len(lon)), seed, wrap=True) for seed in range(n_levels)]
    coords = {"depth": np.arange(n_levels) * 10.0, "lat": lat, "lon": lon}
    return xr.DataArray(np.array(values), coords, ("depth", "lat", "lon"), name="vs")


def count_pieces(labels, grid=None):
    """Number of connected pieces of each cluster."""
    pairs = find_neighbours(labels, grid=grid, is_present=labels.notnull().values.ravel())
    flat = labels.values.ravel()
    numbers = np.unique(flat[np.isfinite(flat)])
    return [find_pieces(flat == c, pairs).max() + 1 for c in numbers]


def surface(data):
    """The data above 500, so that most of the profiles are complete, on one map."""
    data = data.sel(depth=slice(0, 500)) if "depth" in data.dims else data
    return data.squeeze(drop=True)


@pytest.mark.parametrize("file", REAL)
def test_each_cluster_of_a_real_model_is_one_piece(shared_data, file):
    with xr.open_dataset(shared_data / file) as dataset:
        data = surface(dataset[REAL[file]].load())
    template = kmeans(data, 2).labels
    present = template.notnull().values.ravel()
    least = int(find_pieces(present, find_neighbours(template, is_present=present)).max()) + 1
    for k in (least, least + 5, least + 40):
        result = ward(data, k)
        assert count_pieces(result.labels) == [1] * k


def test_clusters_across_the_dateline_and_at_the_poles_are_one_piece():
    for lon in (np.arange(-180.0, 180.0, 10.0), np.arange(0.0, 360.1, 10.0)):
        data = make_global(np.arange(-90.0, 91.0, 10.0), lon)
        for k in (2, 6, 15):
            assert count_pieces(ward(data, k).labels) == [1] * k


def test_a_province_across_the_dateline_is_found():
    lat, lon = np.arange(-40.0, 41.0, 5.0), np.arange(-180.0, 180.0, 5.0)
    inside = (np.abs(lon) > 150) & (np.abs(lat) < 20)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.2, (4, lat.size, lon.size))
    coords = {"depth": np.arange(4.0), "lat": lat, "lon": lon}
    data = xr.DataArray(3.0 + inside + noise, coords, ("depth", "lat", "lon"), name="vs")
    labels = ward(data, 2).labels
    np.testing.assert_array_equal(labels.values == 2, inside)


def test_islands_stay_apart_and_are_told():
    data = make_global(np.arange(-80.0, 81.0, 5.0), np.arange(0.0, 360.0, 5.0))
    sea = np.ones(data.shape[1:], bool)
    sea[:, [10, 40]] = False  # two straits of land from south to north
    sea[5:8, 20:23], sea[6, 21] = False, True
    data = data.where(xr.DataArray(sea, dims=("lat", "lon")))
    expected = scipy_label(sea)[1] - 1  # the first and the last columns adjoin
    with pytest.raises(
        ValueError, match=f"less than the {expected} pieces .* ask for {expected} or more"
    ):
        ward(data, 2)
    result = ward(data, expected)
    assert f"the profiles lie in {expected} pieces" in repr(result)
    assert count_pieces(result.labels) == [1] * expected


def test_a_curvilinear_grid_with_gaps():
    y, x = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 50), indexing="ij")
    lat, lon = 60.0 + 20.0 * y + 5.0 * x, 10.0 + 60.0 * x - 15.0 * y
    values = np.array([smooth((40, 50), seed) for seed in range(3)])
    values[:, np.hypot(y - 0.2, x + 0.1) < 0.3] = np.nan
    coords = {"depth": [0.0, 1.0, 2.0], "lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
    data = xr.DataArray(values, coords, ("depth", "y", "x"), name="vs")
    for k in (3, 12):
        labels = ward(data, k).labels
        pieces = [scipy_label(labels.values == c)[1] for c in range(1, k + 1)]
        assert pieces == [1] * k


def test_loose_points():
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(30, 50, 400), rng.uniform(-10, 20, 400)
    values = np.array([np.sin(lat / 5), np.cos(lon / 6)]) + rng.normal(0, 0.3, (2, 400))
    coords = {"depth": [0.0, 10.0], "lat": ("cast", lat), "lon": ("cast", lon)}
    labels = ward(xr.DataArray(values, coords, ("depth", "cast"), name="t"), 6).labels
    assert count_pieces(labels) == [1] * 6


def test_not_contiguous_equals_scipy(rough_model):
    result = ward(rough_model, 5, contiguous=False)
    profiles = collect(rough_model)
    flat = profiles.values[:, :, 0].astype(float)
    flat = flat - flat.mean(axis=0)
    wanted = linkage(flat, "ward")
    heights = result.dataset["linkage"].values[:, 2]
    ratio = heights / wanted[:, 2]  # of the scale by which a variable is divided
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    labels = profiles.grid.flatten(result.labels)[profiles.points]
    assert adjusted_rand_score(fcluster(wanted, 5, "maxclust"), labels) == 1.0


@pytest.mark.parametrize("contiguous", [True, False])
def test_centroids_are_means_and_clusters_are_numbered_by_them(rough_model, contiguous):
    result = ward(rough_model, 6, contiguous=contiguous, weights=None)
    labels, centroids = result
    for c in range(1, 7):
        members = rough_model.where(labels == c)
        expected = members.mean(("latitude", "longitude"))
        np.testing.assert_allclose(centroids["vs"].sel(cluster=c), expected, rtol=1e-5)
        assert int(centroids["count"].sel(cluster=c)) == int((labels == c).sum())
    assert (np.diff(centroids["vs"].mean("depth")) > 0).all()
    own = centroids["vs"].sel(cluster=labels.fillna(1).astype(int))
    unit = result.dataset["vs_scale"].isel(depth=0).item()
    squared = ((rough_model - own) ** 2).sum("depth").where(labels.notnull())
    np.testing.assert_allclose(result.inertia, squared.sum(), rtol=1e-4)
    assert unit == 1.0


def test_order_of_dims_and_direction_of_axes_do_not_matter(rough_model):
    wanted = ward(rough_model, 5)
    turned = rough_model.transpose("longitude", "depth", "latitude")
    turned = turned.isel(latitude=slice(None, None, -1), depth=slice(None, None, -1))
    found = ward(turned, 5)
    xr.testing.assert_equal(
        found.labels.transpose(*wanted.labels.dims).sortby("latitude"), wanted.labels
    )
    np.testing.assert_array_equal(found.dataset["linkage"], wanted.dataset["linkage"])


def test_provinces_have_at_least_the_area_that_is_asked_for():
    data = make_global(np.arange(-87.5, 90, 5.0), np.arange(0.0, 360.0, 5.0))
    result = ward(data, 8, min_area=2e7)
    assert count_pieces(result.labels) == [1] * 8
    area = cell_areas(data).where(result.labels.notnull())
    for c in range(1, 9):
        own = float(area.where(result.labels == c).sum())
        np.testing.assert_allclose(result.centroids["area"].sel(cluster=c), own)
        assert own >= 2e7
    assert float(ward(data, 8).centroids["area"].min()) < 2e7


def test_a_small_island_is_told():
    data = make_global(np.arange(-80.0, 81.0, 5.0), np.arange(0.0, 360.0, 5.0))
    land = xr.zeros_like(data[0], bool)
    land[9:14, 19:24] = True
    land[11, 21] = False
    with pytest.warns(UserWarning, match="one cluster is smaller than min_area=1e\\+06"):
        ward(data.where(~land), 4, min_area=1e6)


def test_the_number_of_clusters_is_found_from_cuts_of_one_tree(model):
    result = ward(model, contiguous=False, k_range=range(2, 9))
    assert result.n_clusters == 3
    assert result.sweep.dataset["k"].values.tolist() == list(range(2, 9))
    assert "sweep_inertia" in result.dataset
    inertia = result.sweep.dataset["inertia"]
    for k in (2, 5):
        np.testing.assert_allclose(result.cut(k).inertia, inertia.sel(k=k), rtol=1e-6)
        xr.testing.assert_equal(result.sweep.result(k).labels, result.cut(k).labels)


def test_large_models_are_grouped_first_and_chunks_give_the_same():
    rng = np.random.default_rng(0)
    kinds = np.array([[0, 0, 0], [2, 2, 0], [0, 3, 3]])[rng.integers(3, size=(120, 100))]
    values = (kinds + rng.normal(0, 0.2, kinds.shape)).transpose(2, 0, 1)
    coords = {
        "depth": [0.0, 1.0, 2.0],
        "lat": np.linspace(0, 50, 120),
        "lon": np.linspace(0, 40, 100),
    }
    data = xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs")
    result = ward(data, 3, contiguous=False, weights=None)
    assert "tree of 1000" in repr(result)
    truth = kinds @ [1, 10, 100]
    assert adjusted_rand_score(truth.ravel(), result.labels.values.ravel()) == 1.0
    xr.testing.assert_equal(result.predict(data), result.labels)
    lazy = ward(data.chunk(lat=50, lon=50), 3, contiguous=False, weights=None)
    assert lazy.labels.chunks is not None
    xr.testing.assert_equal(lazy.labels.compute(), result.labels)
    np.testing.assert_allclose(lazy.centroids["vs"], result.centroids["vs"], rtol=1e-6)
    finer = lazy.cut(5)
    assert finer.labels.chunks is not None
    xr.testing.assert_equal(finer.labels.compute(), result.cut(5).labels)


@pytest.mark.parametrize("normalize", [None, "level", "profile", "percent"])
def test_a_result_is_written_and_read_back(rough_model, tmp_path, normalize):
    for name, options in (("one", {}), ("any", {"contiguous": False})):
        result = ward(rough_model, 4, normalize=normalize, **options)
        result.to_netcdf(tmp_path / f"{name}.nc")
        again = open_result(tmp_path / f"{name}.nc")
        xr.testing.assert_allclose(again.dataset, result.dataset)
        xr.testing.assert_equal(again.predict(rough_model), result.predict(rough_model))


def test_other_data_belong_to_the_nearest_centroid(rough_model):
    result = ward(rough_model, 4, weights=None)
    labels, centroids = result
    apart = ((rough_model - centroids["vs"]) ** 2).sum("depth", skipna=False)
    nearest = apart.argmin("cluster", skipna=False).where(labels.notnull()) + 1
    xr.testing.assert_equal(
        result.predict(rough_model).drop_attrs(), nearest.astype("float32").drop_attrs()
    )
    flat = collect(rough_model)
    predicted = result.model.predict(
        (flat.values / result.dataset["vs_scale"].values[:, None])[..., 0]
    )
    np.testing.assert_array_equal(predicted + 1, flat.grid.flatten(nearest)[flat.points])


def test_plain_clusters_have_a_stability_and_contiguous_ones_say_why_not(model):
    stable = ward(model, 3, contiguous=False).stability(10)
    assert float(stable.dataset["cluster_stability"].min()) > 0.95
    with pytest.raises(ValueError, match="samples have gaps"):
        ward(model, 3).stability(10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_area": 1e3, "contiguous": False}, "min_area needs provinces of one piece"),
        ({"min_area": -1.0}, "min_area"),
        ({"n_clusters": 10_000}, "n_clusters=10000 is more than the 63 leaves"),
        ({"n_clusters": 64, "contiguous": False}, "n_clusters=64 is more than the distinct"),
        ({"min_area": 1e9}, "more than the whole map"),
        ({"min_area": 1e5, "n_clusters": 40}, "is more than the .* provinces of min_area"),
        ({"contiguous": None}, "True or False"),
        ({"contiguous": "yes"}, "contiguous"),
    ],
)
def test_wrong_options(model, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ward(model, **{"n_clusters": 3} | options)


def test_what_has_no_neighbours_is_refused(model):
    with pytest.raises(ValueError, match="contiguous=True needs all profiles in memory"):
        ward(model.chunk(latitude=3), 3)
    times = xr.concat([model, model], dim=xr.DataArray([0, 1], dims="time", name="time"))
    with pytest.raises(ValueError, match="lie along 'time' too; select one"):
        ward(times, 3)
    assert ward(times.isel(time=[0]), 3).labels.sizes["time"] == 1
    assert ward(times, 3, contiguous=False).labels.sizes["time"] == 2


def test_provinces_that_are_alike_stay_apart():
    kind = np.array([0, 0, 0, 5, 5, 5, 0, 0, 0.0])
    coords = {"depth": [0.0, 1.0], "lat": np.arange(6.0), "lon": np.arange(9.0)}
    data = xr.DataArray(np.broadcast_to(kind, (2, 6, 9)), coords, ("depth", "lat", "lon"), name="v")
    labels = ward(data, 3).labels
    assert count_pieces(labels) == [1, 1, 1]
    assert ward(data, 3).inertia == 0.0


def test_a_single_profile():
    data = make_global(np.arange(-10.0, 11.0, 5.0), np.arange(0.0, 50.0, 5.0))
    assert ward(data.isel(lat=0, lon=0), 1).labels.item() == 1.0
    assert ward(data.isel(lat=[0], lon=[0]), 1).n_clusters == 1


def test_a_section_along_time_has_no_provinces():
    dates = np.arange("2000-01", "2000-06", dtype="M8[M]").astype("M8[ns]")
    values = np.random.default_rng(0).normal(size=(3, 5, 6))
    coords = {"depth": [0.0, 1.0, 2.0], "time": dates, "x": np.arange(6.0)}
    data = xr.DataArray(values, coords, ("depth", "time", "x"), name="v")
    with pytest.raises(ValueError, match="lie along 'time' too"):
        ward(data, 3)
