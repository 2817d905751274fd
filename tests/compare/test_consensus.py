"""Votes of models on different grids, against patterns known everywhere."""

import numpy as np
import pytest
import xarray as xr

from xvcluster import consensus, kmeans, som

NAN = np.nan


def halves(lat, lon):
    """1 within 90° of the dateline, 2 elsewhere: smooth over the seam of any convention."""
    return np.where(np.cos(np.radians(lon)) < 0, 1.0, 2.0)


def caps(lat, lon):
    """1 near the poles, 2 elsewhere: the same at all longitudes."""
    return np.where(np.abs(lat) > 41, 1.0, 2.0)


def label(latitude, longitude, pattern=halves):
    lat, lon = np.meshgrid(latitude, longitude, indexing="ij")
    coords = {"latitude": latitude, "longitude": longitude}
    return xr.DataArray(pattern(lat, lon).astype("float32"), coords, ("latitude", "longitude"))


def rows(step, shift=0.0):
    return np.arange(-90 + step / 2, 90, step) + shift


@pytest.fixture
def three():
    """The same pattern on three global grids, of which one holds its seam twice."""
    first = label(rows(2), np.arange(-179.0, 180, 2))
    second = label(rows(3), np.arange(0.0, 361, 3))
    third = label(rows(4)[::-1], np.arange(178.0, -181, -4)).transpose("longitude", "latitude")
    return {"A": first, "B": second, "C": third}


def on(values):
    """Labels along a line of places."""
    coords = {"lat": np.array([0.0]), "lon": np.arange(0.0, len(values))}
    return xr.DataArray([values], coords, ("lat", "lon"), "label").astype("float32")


def along(dataset, name):
    return dataset[name].isel(lat=0).values.tolist()


def test_consensus_of_a_model_with_itself_is_complete(rough_model):
    result = kmeans(rough_model, 4)
    common = consensus([result, result, result])
    has_label = result.labels.notnull()
    xr.testing.assert_equal(common["label"].drop_attrs(), result.labels.drop_attrs())
    np.testing.assert_array_equal(common["n_models"], has_label * 3)
    for name, value in {"agreement": 1, "entropy": 0}.items():
        np.testing.assert_array_equal(common[name], np.where(has_label, value, NAN))
    for c in range(1, 5):
        np.testing.assert_array_equal(common["votes"].sel(cluster=c), 3 * (result.labels == c))


def test_consensus_takes_results_datasets_and_labels(rough_model):
    result = kmeans(rough_model, 4)
    expected = consensus([result] * 3)
    mixed = [result, result.dataset, result.labels]
    xr.testing.assert_equal(consensus(mixed, grid=result, reference=result.dataset), expected)
    xr.testing.assert_identical(consensus(mixed, grid=result.dataset), expected)


def test_consensus_counts_votes_by_point():
    models = [
        on([1, 1, 1, 1, 1, 2, NAN]),
        on([1, 1, 1, NAN, 2, 2, NAN]),
        on([1, 1, 2, NAN, 2, 2, NAN]),
        on([1, 2, 2, NAN, NAN, 2, NAN]),
    ]
    common = consensus(models)
    assert common["votes"].dims == ("cluster", "lat", "lon")
    assert along(common, "n_models") == [4, 4, 4, 1, 3, 4, 0]
    assert common["votes"].isel(lat=0).values.tolist() == [
        [4, 3, 2, 1, 1, 0, 0],
        [0, 1, 2, 0, 2, 4, 0],
    ]
    np.testing.assert_array_equal(along(common, "label"), [1, 1, 1, 1, 2, 2, NAN])
    shares = [1, 3 / 4, 1 / 2, 1, 2 / 3, 1, NAN]
    np.testing.assert_allclose(along(common, "agreement"), shares)
    p = np.array([3 / 4, 1 / 4])
    q = np.array([2 / 3, 1 / 3])
    entropy = [0, -(p * np.log2(p)).sum(), 1, 0, -(q * np.log2(q)).sum(), 0, NAN]
    np.testing.assert_allclose(along(common, "entropy"), entropy)
    assert common["votes"].dtype == common["n_models"].dtype == np.int16


def test_consensus_matches_the_numbers_of_every_model():
    models = [on([1, 1, 2, 2, 3, 3]), on([2, 2, 3, 3, 1, 1]), on([3, 3, 1, 1, 2, 2])]
    common = consensus(models)
    assert (common["agreement"] == 1).all()
    assert along(common, "label") == [1, 1, 2, 2, 3, 3]


def test_consensus_takes_the_numbers_of_a_reference():
    reference = on([4, 4, 4, 2, 2, 2]).assign_attrs(title="regions")
    common = consensus([on([1, 1, 2, 2, 2, 2]), on([2, 2, 2, 1, 1, 1])], reference=reference)
    assert along(common, "label") == [4, 4, 2, 2, 2, 2]
    assert common["cluster"].values.tolist() == [1, 2, 3, 4]
    assert common.attrs["matched_to"] == "regions"
    assert common["label"].attrs["ordered_by"] == "matched to regions"


def test_consensus_numbers_clusters_without_partner_after_the_reference():
    common = consensus([on([1, 1, 1, 2, 2, 2]), on([1, 1, 3, 2, 2, 2])])
    assert common["votes"].isel(lat=0).values.tolist() == [
        [2, 2, 1, 0, 0, 0],
        [0, 0, 0, 2, 2, 2],
        [0, 0, 1, 0, 0, 0],
    ]
    assert common["label"].attrs["flag_values"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("pattern", [halves, caps])
@pytest.mark.parametrize(
    "longitude", [np.arange(-180.0, 181, 5), np.arange(0.0, 361, 5), np.arange(-177.5, 180, 5)]
)
def test_consensus_of_three_grids_has_no_seam(three, pattern, longitude):
    models = {n: label(a["latitude"], a["longitude"], pattern) for n, a in three.items()}
    grid = label(np.arange(-87.5, 90, 5), longitude, pattern)
    common = consensus(models, grid=grid)
    xr.testing.assert_equal(common["n_models"], xr.full_like(grid, 3))
    lat, lon = xr.broadcast(grid["latitude"], grid["longitude"])
    # where the pattern changes within the cells of a model, it may have either
    near = (abs(abs(lon) % 180 - 90) < 5) if pattern is halves else (abs(abs(lat) - 41) < 5)
    assert ((common["agreement"] == 1) | near).all()
    assert ((common["label"] == grid) | near).all()
    votes = common["votes"].sel(cluster=1)
    seam = votes.where(abs((lon + 180) % 360 - 180) > 174, drop=True)
    for column in range(seam.sizes["longitude"]):
        np.testing.assert_array_equal(seam.isel(longitude=column), seam.isel(longitude=0))
    expected = xr.where(grid == 1, 3, 0)
    assert ((votes == expected) | near).all()


def test_consensus_on_a_global_grid_of_a_spacing(three):
    common = consensus(three, grid=5)
    assert common["longitude"].values[[0, -1]].tolist() == [-177.5, 177.5]
    assert common["latitude"].values[[0, -1]].tolist() == [-87.5, 87.5]
    assert common["longitude"].attrs["units"] == "degrees_east"
    assert (common["n_models"] == 3).all()


def test_consensus_on_a_curvilinear_grid(three):
    lat, lon = np.meshgrid(np.arange(0.0, 40, 4), np.arange(150.0, 210, 5), indexing="ij")
    coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon + lat / 10)}
    common = consensus(three, grid=xr.Dataset(coords=coords))
    assert common["votes"].dims == ("cluster", "y", "x")
    assert (common["votes"].sel(cluster=1) == 3).all()
    np.testing.assert_array_equal(common["lat"], lat)


def test_consensus_on_the_grid_of_a_result(three, model):
    result = kmeans(model, 3)
    common = consensus(three, grid=result)
    assert common["label"].sizes == result.labels.sizes
    xr.testing.assert_identical(common["latitude"], result.labels["latitude"])
    assert (common["agreement"] == 1).all()


def test_consensus_of_models_of_different_regions(three):
    west = three["B"].sel(longitude=slice(180, 360))
    common = consensus([three["A"], west])
    lon = common["longitude"]
    assert (common["n_models"].where((lon < -2) & (lon > -178), 2) == 2).all()
    assert (common["n_models"].where((lon > 2) & (lon < 178), 1) == 1).all()


def test_consensus_tells_which_models(three, rough_model):
    named = kmeans(rough_model.assign_attrs(title="Vs 2020"), 3)
    other = kmeans(rough_model, 3)
    assert consensus([named, other]).attrs["models"] == "Vs 2020; model 2"
    assert consensus(three).attrs["models"] == "A; B; C"
    assert consensus(three).attrs["matched_to"] == "A"


def test_consensus_numbers_models_of_equal_names(three):
    named = [labels.assign_attrs(title="S, R") for labels in three.values()]
    common = consensus([named[0], three["B"].assign_attrs(title="T"), named[2]])
    assert common.attrs["models"] == "S, R [1]; T; S, R [2]"
    assert common.attrs["matched_to"] == "S, R [1]"


def test_consensus_takes_keys_of_any_type_for_names(three):
    common = consensus({2010: three["A"], ("x", 1): three["B"], "a; b": three["C"]})
    assert common.attrs["models"] == "2010; 'x', 1; a  b"


def test_consensus_describes_its_variables(three):
    common = consensus(three)
    for name in ("votes", "n_models", "agreement", "entropy"):
        assert common[name].attrs["long_name"]
        assert common[name].attrs["units"] == "1"
    assert common["label"].dtype == np.float32
    assert common["label"].attrs["flag_meanings"] == "cluster_1 cluster_2"


def test_consensus_can_be_drawn(three):
    import matplotlib.pyplot as plt

    common = consensus(three, grid=5)
    assert len(common["label"].vcluster.plot.map().get_legend().get_texts()) == 2
    plt.close("all")


def test_consensus_round_trips_through_a_file(three, tmp_path):
    common = consensus(three, grid=10)
    common.to_netcdf(tmp_path / "common.nc")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "common.nc"), common)


def test_consensus_of_lazy_labels(three):
    lazy = {name: labels.chunk(latitude=20) for name, labels in three.items()}
    xr.testing.assert_identical(consensus(lazy), consensus(three))


def test_consensus_leaves_the_models_as_they_were(three):
    before = {name: labels.copy(deep=True) for name, labels in three.items()}
    consensus(three)["label"].attrs["new"] = 1
    for name, labels in three.items():
        xr.testing.assert_identical(labels, before[name])


@pytest.mark.parametrize("results", [[], {}, ()])
def test_consensus_refuses_no_results(results):
    with pytest.raises(ValueError, match="results are empty; give the result or labels"):
        consensus(results)


def test_consensus_refuses_a_single_result(model):
    result = kmeans(model, 3)
    for single in (result, result.labels, result.dataset, "model.nc", 3):
        with pytest.raises(TypeError, match="must be a list of results or labels, or a mapping"):
            consensus(single)


def test_consensus_refuses_unmerged_maps(model, three):
    nodes = som(model, (2, 2), algorithm="online", n_iterations=100)
    with pytest.raises(ValueError, match="clusters of N are the nodes of a self-organizing map"):
        consensus({**three, "N": nodes})


def test_consensus_refuses_a_model_without_labels(three):
    with pytest.raises(ValueError, match="N has no labels: all of its values are NaN"):
        consensus({**three, "N": xr.full_like(three["A"], NAN)})


def test_consensus_refuses_what_is_no_label_map(three):
    with pytest.raises(TypeError, match="a ClusterResult or a DataArray of cluster numbers"):
        consensus([three["A"], np.ones((3, 3))])


def test_consensus_refuses_several_maps_of_a_model(three):
    several = three["B"].expand_dims(time=[2000, 2001])
    with pytest.raises(ValueError, match=r"B: only one map .* labels\.isel\(time=0\)"):
        consensus({"A": three["A"], "B": several})


def test_consensus_refuses_a_grid_that_no_model_reaches(model):
    results = [kmeans(model, 3), kmeans(model, 2)]
    grid = label(np.arange(0.0, 10), np.arange(0.0, 10))
    text = "model 1 has no label on the grid, which lies within latitude 0 to 9 and longitude 0 to"
    with pytest.raises(ValueError, match=text):
        consensus(results, grid=grid)


def test_consensus_refuses_a_grid_without_latitude_and_longitude(three):
    with pytest.raises(ValueError, match=r"grid has no latitude and longitude .*\('a'\); assign"):
        consensus(three, grid=xr.Dataset(coords={"a": [1.0]}))


@pytest.mark.parametrize("spacing", [0.7, 100.0, 0.0, -1.0])
def test_consensus_refuses_a_spacing_that_does_not_divide(three, spacing):
    with pytest.raises(ValueError, match=r"grid(=0\.7 degrees do not divide| must be finite)"):
        consensus(three, grid=spacing)


@pytest.mark.parametrize("spacing", [0.01, 0.05, 1e-300, 5e-324])
def test_consensus_refuses_a_spacing_of_too_many_points(three, spacing):
    text = r"grid=\S+ makes (648|25\.92|inf) million points, but at most 20 million .* as 0\.1"
    with pytest.raises(ValueError, match=text):
        consensus(three, grid=spacing)


def test_consensus_refuses_a_model_apart_from_the_reference(three, model):
    far = label(np.arange(0.0, 10), np.arange(0.0, 10))
    with pytest.raises(ValueError, match="model 2 and model 1, to which it is matched, have no"):
        consensus([kmeans(model, 3), far], grid=5)


def test_consensus_refuses_a_model_that_does_not_reach_the_grid(three, model):
    far = kmeans(model, 3)
    with pytest.raises(ValueError, match=r"far has no label on the grid, .* leave this model out"):
        consensus({"A": three["A"], "far": far}, grid=label(rows(10)[:4], rows(10)))


def test_consensus_refuses_a_reference_that_does_not_reach_the_grid(three, model):
    far = kmeans(model, 3)
    with pytest.raises(ValueError, match="the reference has no label on the grid"):
        consensus(three, reference=far, grid=label(rows(10)[:4], rows(10)))


def test_consensus_leaves_out_what_a_model_declares_as_missing(three):
    filled = three["B"].copy()
    filled[:10] = 7
    common = consensus({"A": three["A"], "B": filled.assign_attrs(missing_value=7.0)})
    assert common.sizes["cluster"] == 2
    assert (common["n_models"].sel(latitude=slice(-89, -61)) == 1).all()
