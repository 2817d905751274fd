"""The whole path on grids as they come: the same labels at the same places, or a clear error."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xvcluster
from xvcluster.grid.areas import EARTH_RADIUS_KM

# the fixtures that Hypothesis shares between examples are never changed
quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def globe(model):
    """The model around the globe, -180 to 135 by 45 degrees, with three columns without a label."""
    coords = {"latitude": np.linspace(-75, 75, 7), "longitude": np.arange(-180.0, 180, 45)}
    globe = model.isel(longitude=slice(8)).assign_coords(coords)
    globe[:, 0, 0] = np.nan
    globe[2, 3, 4] = np.nan
    globe[:, 6, 7] = np.nan
    return globe


@pytest.fixture
def expected(globe):
    return xvcluster.kmeans(globe, 3)


@pytest.fixture
def expected_som(globe):
    return xvcluster.som(globe, (2, 3), algorithm="online", n_iterations=500, weights=None)


def at_home(label):
    """Labels in the order of the globe: with the seam's first column, and with its twin."""
    lon = (label["longitude"] + 180) % 360 - 180
    ordered = label.assign_coords(longitude=lon).sortby("latitude").sortby("longitude")
    ordered = ordered.transpose("latitude", "longitude")
    return ordered.drop_duplicates("longitude"), ordered.drop_duplicates("longitude", keep="last")


def with_seam(data):
    """Repeat the first column one turn later."""
    first = data.isel(longitude=[0])
    return xr.concat([data, first.assign_coords(longitude=first["longitude"] + 360)], "longitude")


def convert_longitude(data, convention):
    if convention == "as is":
        return data
    if convention == "shifted":
        return data.assign_coords(longitude=data["longitude"] + 360)
    relabelled = data.assign_coords(longitude=data["longitude"] % 360)
    return relabelled if convention == "relabelled" else relabelled.sortby("longitude")


# --- layout ---


@quick
@given(
    order=st.permutations(["depth", "latitude", "longitude"]),
    flipped=st.sets(st.sampled_from(["depth", "latitude", "longitude"])),
    convention=st.sampled_from(["as is", "shifted", "relabelled", "rolled"]),
    seam=st.booleans(),
    upward=st.booleans(),
)
def test_kmeans_gives_the_same_labels_whatever_the_layout(
    globe, expected, order, flipped, convention, seam, upward
):
    data = convert_longitude(globe, convention)
    data = with_seam(data) if seam else data
    if upward:
        elevation = ("depth", -data["depth"].values, {"units": "km", "positive": "up"})
        data = data.assign_coords(depth=elevation).isel(depth=slice(None, None, -1))
    data = data.isel(dict.fromkeys(flipped, slice(None, None, -1))).transpose(*order)
    before = data.copy(deep=True)
    result = xvcluster.kmeans(data, 3)
    xr.testing.assert_identical(data, before)
    assert result.labels.dims == tuple(d for d in order if d != "depth")
    for name in ("latitude", "longitude"):
        xr.testing.assert_identical(result.labels[name], data[name])
    for label in at_home(result.labels):
        np.testing.assert_array_equal(label, expected.labels)
    np.testing.assert_array_equal(result.dataset["count"], expected.dataset["count"])
    np.testing.assert_allclose(result.dataset["area"], expected.dataset["area"])
    assert result.inertia == pytest.approx(expected.inertia, rel=1e-5)
    xr.testing.assert_identical(result.centroids["depth"], data["depth"])
    centroids = result.centroids["vs"]
    if ("depth" in flipped) != upward:
        centroids = centroids.isel(depth=slice(None, None, -1))
    np.testing.assert_allclose(centroids, expected.centroids["vs"], rtol=1e-6)


@quick
@given(
    order=st.permutations(["depth", "latitude", "longitude"]),
    flipped=st.sets(st.sampled_from(["depth", "latitude", "longitude"])),
    convention=st.sampled_from(["as is", "relabelled", "rolled"]),
)
def test_som_gives_the_same_labels_whatever_the_layout(
    globe, expected_som, order, flipped, convention
):
    data = with_seam(convert_longitude(globe, convention))
    data = data.isel(dict.fromkeys(flipped, slice(None, None, -1))).transpose(*order)
    result = xvcluster.som(data, (2, 3), algorithm="online", n_iterations=500, weights=None)
    for label in at_home(result.labels):
        np.testing.assert_array_equal(label, expected_som.labels)
    np.testing.assert_array_equal(result.dataset["count"], expected_som.dataset["count"])


def test_kmeans_measures_the_whole_globe_once(globe):
    whole = globe.fillna(4.0)
    for data in (whole, with_seam(whole), convert_longitude(whole, "relabelled")):
        area = xvcluster.kmeans(data, 3).dataset["area"].sum()
        # the cells of latitude end 12.5 degrees beyond the last centre, at 87.5
        band = 4 * np.pi * EARTH_RADIUS_KM**2 * np.sin(np.radians(87.5))
        np.testing.assert_allclose(area, band)


def test_kmeans_takes_duplicate_depths(model):
    twice = xr.concat([model[:2], model[[1]] + 0.05, model[2:]], dim="depth")
    result = xvcluster.kmeans(twice, 3)
    xr.testing.assert_identical(result.labels, xvcluster.kmeans(model, 3).labels)
    assert result.centroids["depth"].values.tolist() == [0, 10, 10, 20, 30, 40]


def as_curvilinear(model):
    lat, lon = xr.broadcast(model["latitude"], model["longitude"])
    curved = model.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    return curved.assign_coords(
        y=np.arange(7) * 111.0,
        x=np.arange(9) * 90.0,
        latitude=(("y", "x"), lat.values, {"units": "degrees_north"}),
        longitude=(("y", "x"), lon.values, {"units": "degrees_east"}),
    )


def test_kmeans_takes_2d_coordinates(model):
    result = xvcluster.kmeans(as_curvilinear(model), 3)
    flat = xvcluster.kmeans(model, 3)
    assert result.labels.dims == ("y", "x")
    assert {"latitude", "longitude", "y", "x"} <= set(result.labels.coords)
    np.testing.assert_array_equal(result.labels, flat.labels)
    np.testing.assert_allclose(result.dataset["area"], flat.dataset["area"], rtol=1e-3)


def test_kmeans_takes_2d_coordinates_in_any_layout(model):
    curved = as_curvilinear(model)
    turned = curved.isel(y=slice(None, None, -1), x=slice(None, None, -1)).transpose()
    found = xvcluster.kmeans(turned, 3).labels.transpose()
    expected = xvcluster.kmeans(curved, 3).labels
    np.testing.assert_array_equal(found.sortby("y").sortby("x"), expected)


def test_kmeans_finds_2d_coordinates_among_the_variables(model):
    data = as_curvilinear(model).to_dataset().reset_coords(["latitude", "longitude"])
    result = xvcluster.kmeans(data, 3)
    assert "area" in result.dataset
    assert result.parameters["variables"] == ["vs"]


def test_kmeans_takes_loose_points(model):
    stacked = model.stack(profile=("latitude", "longitude"))
    loose = stacked.reset_index("profile").transpose("profile", "depth")
    result = xvcluster.kmeans(loose, 3)
    assert result.labels.dims == ("profile",)
    assert "area" not in result.dataset
    np.testing.assert_array_equal(result.labels, xvcluster.kmeans(model, 3).labels.values.ravel())
    shuffled = loose.isel(profile=np.random.default_rng(0).permutation(63))
    found = xvcluster.kmeans(shuffled, 3).labels.sortby("longitude").sortby("latitude")
    np.testing.assert_array_equal(found, result.labels)


def test_kmeans_takes_stacked_points(model):
    labels = xvcluster.kmeans(model.stack(point=("latitude", "longitude")), 3).labels
    expected = xvcluster.kmeans(model, 3).labels
    np.testing.assert_array_equal(labels.unstack("point"), expected)


def test_kmeans_takes_time_and_depth(model):
    times = np.array(["2001-01", "2002-01"], "datetime64[ns]")
    hourly = xr.concat([model, model.roll(longitude=1)], dim="time").assign_coords(time=times)
    result = xvcluster.kmeans(hourly, 3)
    single = xvcluster.kmeans(model, 3)
    assert result.labels.dims == ("time", "latitude", "longitude")
    np.testing.assert_array_equal(result.labels[0], single.labels)
    np.testing.assert_array_equal(result.labels[1], np.roll(single.labels, 1, axis=1))
    # the sphere does not grow with time
    np.testing.assert_allclose(result.dataset["area"], single.dataset["area"])


def test_kmeans_takes_a_raster(model):
    raster = model.isel(depth=0, drop=True)
    result = xvcluster.kmeans(raster, 3)
    assert result.centroids["vs"].dims == ("cluster",)
    assert result.parameters["vertical"] is None
    np.testing.assert_array_equal(result.labels, xvcluster.kmeans(model, 3).labels)


def test_kmeans_takes_a_raster_with_the_bounds_of_its_cells(model):
    data = model.isel(depth=0, drop=True).to_dataset()
    data["latitude"].attrs["bounds"] = "latitude_bounds"
    edges = np.stack([data["latitude"] - 0.25, data["latitude"] + 0.25], axis=1)
    data["latitude_bounds"] = (("latitude", "bnds"), edges)
    before = data.copy(deep=True)
    result = xvcluster.kmeans(data.vcluster.prepare(), 3)
    xr.testing.assert_identical(data, before)
    halved = xvcluster.kmeans(data["vs"], 3).dataset["area"] / 2
    np.testing.assert_allclose(result.dataset["area"], halved, rtol=1e-3)


def test_kmeans_takes_several_variables(model):
    data = xr.Dataset({"vs": model, "vp": (1.7 * model).transpose()}, attrs={"id": "made"})
    before = data.copy(deep=True)
    result = xvcluster.kmeans(data, 3)
    xr.testing.assert_identical(data, before)
    np.testing.assert_array_equal(result.labels, xvcluster.kmeans(model, 3).labels)
    np.testing.assert_allclose(result.centroids["vp"], 1.7 * result.centroids["vs"], rtol=1e-5)


def test_kmeans_changes_neither_attributes_nor_encoding(model):
    model.encoding = {"zlib": True, "_FillValue": 99999.0}
    model["latitude"].encoding = {"dtype": "float32"}
    model["latitude"].attrs["bounds"] = "latitude_bounds"
    before = model.copy(deep=True)
    result = xvcluster.kmeans(model, 3)
    xr.testing.assert_identical(model, before)
    assert model.encoding == {"zlib": True, "_FillValue": 99999.0}
    assert model["latitude"].encoding == {"dtype": "float32"}
    assert result.labels.encoding == {}
    assert result.labels["latitude"].encoding == {}
    assert result.labels["latitude"].attrs == {"units": "degrees_north"}


# --- grids of ocean and atmosphere models ---


@pytest.fixture
def curved():
    """A model on a curved grid with a hole, where neither values nor places are known."""
    rng = np.random.default_rng(0)
    lat, lon = np.meshgrid(np.linspace(20, 48, 15), np.linspace(-40, -2, 20), indexing="ij")
    lat, lon = lat + 0.05 * lon, lon - 0.1 * lat
    is_hole = np.zeros(lat.shape, dtype=bool)
    is_hole[4:8, 5:12] = is_hole[11] = True
    values = rng.integers(0, 3, lat.shape) + rng.normal(0, 0.01, (4, *lat.shape))
    data = xr.DataArray(values, dims=("depth", "y", "x"), name="t").where(
        ~xr.DataArray(is_hole, dims=("y", "x"))
    )
    places = {
        n: (("y", "x"), np.where(is_hole, np.nan, a)) for n, a in (("lat", lat), ("lon", lon))
    }
    return data.assign_coords(depth=[0.0, 1, 2, 3], **places)


def test_kmeans_of_a_grid_with_holes_has_the_areas_of_its_cells(curved):
    result = xvcluster.kmeans(curved, 3)
    assert result.dataset["area"].notnull().all()
    # cells of about 2° in each direction
    cells = (111.19 * 2) ** 2 * np.cos(np.radians(curved["lat"])).sum()
    np.testing.assert_allclose(result.dataset["area"].sum(), cells, rtol=0.05)
    weighted = xvcluster.kmeans(curved, 3, weights="area")
    np.testing.assert_array_equal(weighted.labels, result.labels)
    np.testing.assert_allclose(weighted.dataset["area"], result.dataset["area"])


@pytest.mark.parametrize("lazy", [False, True])
def test_kmeans_says_which_profiles_lie_nowhere(curved, lazy):
    filled = curved.fillna(1.0)
    filled = filled.chunk(y=5) if lazy else filled
    with pytest.warns(UserWarning, match=r"16 % of the complete profiles have no latitude and"):
        result = xvcluster.kmeans(filled, 3)
    assert int(result.dataset["count"].sum()) == 300
    np.testing.assert_allclose(
        result.dataset["area"].sum(), xvcluster.kmeans(curved, 3).dataset["area"].sum()
    )
    with pytest.raises((ValueError, RuntimeError), match=r"weights are NaN at .* no area: set it"):
        xvcluster.kmeans(filled, 3, weights="area").dataset.compute()


def test_stability_of_a_grid_with_holes_is_known_where_there_are_labels(curved):
    result = xvcluster.kmeans(curved, 3).stability(3)
    np.testing.assert_array_equal(result.dataset["stability"].isnull(), result.labels.isnull())


def test_kmeans_of_coordinates_with_time_keeps_the_places_once(curved):
    lat, lon = (xr.concat([curved[n]] * 3, "time").variable for n in ("lat", "lon"))
    hourly = xr.concat([curved, curved + 0.01, curved], "time").assign_coords(lat=lat, lon=lon)
    result = xvcluster.kmeans(hourly, 3)
    assert result.labels.dims == ("time", "y", "x")
    xr.testing.assert_equal(result.labels["lat"], curved["lat"])
    np.testing.assert_allclose(
        result.dataset["area"].sum(), xvcluster.kmeans(curved, 3).dataset["area"].sum()
    )
    moving = hourly.assign_coords(lat=lat + xr.Variable("time", [0.0, 1, 2]))
    with pytest.raises(ValueError, match=r"'lat' changes along 'time'.*isel\(time=0\)"):
        xvcluster.kmeans(moving, 3)


def test_kmeans_keeps_the_places_that_the_attribute_coordinates_names(curved):
    corners = {n: (("y", "x"), curved[n[1:].lower()].values + 1) for n in ("ULAT", "ULON")}
    pop = curved.rename(lat="TLAT", lon="TLON").assign_coords(corners)
    pop.encoding["coordinates"] = "TLON TLAT time"
    result = xvcluster.kmeans(pop, 3)
    assert set(result.labels.coords) == {"TLAT", "TLON"}
    np.testing.assert_array_equal(
        result.dataset["area"], xvcluster.kmeans(curved, 3).dataset["area"]
    )
    # of a Dataset whose latitudes are variables
    pop.attrs["coordinates"] = pop.encoding.pop("coordinates")
    again = xvcluster.kmeans(pop.to_dataset(name="t").reset_coords(["TLAT", "TLON", *corners]), 3)
    np.testing.assert_array_equal(again.labels, result.labels)


def test_kmeans_in_radians_is_that_in_degrees(model):
    stacked = model.stack(point=("latitude", "longitude")).reset_index("point")
    names = {"latitude": "clat", "longitude": "clon"}
    degrees = {n: ("point", stacked[o].values, {"units": "degrees"}) for o, n in names.items()}
    radians = {n: (d, np.radians(v), {"units": "radian"}) for n, (d, v, _) in degrees.items()}
    bare = stacked.drop_vars(list(names))
    found, expected = (xvcluster.kmeans(bare.assign_coords(c), 3) for c in (radians, degrees))
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.match(expected).labels.equals(found.labels)
    votes = xvcluster.consensus([found, expected], grid=expected)
    assert float(votes["agreement"].min()) == 1.0
    assert votes["label"].notnull().sum() > 0


def test_kmeans_counts_columns_that_a_curved_grid_repeats_once():
    lat, lon = np.meshgrid(np.arange(-60.0, 61, 10), np.arange(0.0, 360, 20), indexing="ij")
    lat = lat + 2 * np.sin(np.radians(lon))
    values = np.random.default_rng(0).normal(size=(3, *lat.shape))
    model = xr.DataArray(values, dims=("depth", "y", "x"))
    model = model.assign_coords(lat=(("y", "x"), lat), lon=(("y", "x"), lon))
    once = xvcluster.kmeans(model, 4)
    twice = xvcluster.kmeans(model.isel(x=[*range(18), 0, 1]), 4)
    np.testing.assert_array_equal(twice.labels, once.labels.isel(x=[*range(18), 0, 1]))
    np.testing.assert_array_equal(twice.dataset["count"], once.dataset["count"])
    np.testing.assert_allclose(twice.dataset["area"], once.dataset["area"])
    np.testing.assert_allclose(twice.centroids["value"], once.centroids["value"])


# --- missing values ---


@pytest.mark.parametrize("fill", [99999, -9999, 1e20])
def test_kmeans_takes_undeclared_fill_values_for_missing(model, fill):
    spoiled = model.copy()
    spoiled[:, 1, 1] = fill
    with pytest.warns(UserWarning, match="5 of 315 values of 'vs' are .*taken as missing"):
        result = xvcluster.kmeans(spoiled, 3)
    expected = xvcluster.kmeans(model.where(spoiled < 100).where(spoiled > 0), 3)
    xr.testing.assert_identical(result.labels, expected.labels)
    assert int(result.dataset["status"][1, 1]) == 3


@pytest.mark.parametrize(
    "attrs",
    [
        {"valid_max": 4.5},
        {"valid_min": 0.0, "valid_max": "4.5"},
        {"valid_range": [0.0, 4.5]},
        {"valid_range": "0., 4.5"},
        {"valid_range": np.array([0, 450], "int16")},
    ],
)
def test_kmeans_keeps_to_the_valid_range(model, attrs):
    model.encoding = {"scale_factor": 0.01, "add_offset": 0.0}
    result = xvcluster.kmeans(model.assign_attrs(attrs), 2)
    invalid = (model > 4.505).any("depth")
    np.testing.assert_array_equal(result.dataset["status"], 3 * invalid)
    np.testing.assert_array_equal(result.labels.isnull(), invalid)


def test_kmeans_takes_a_plain_fill_value_for_missing(model):
    model[:, 2, 2] = -500
    result = xvcluster.kmeans(model.assign_attrs(fill_value=-500.0), 3)
    assert np.flatnonzero(result.labels.isnull()).tolist() == [20]


def test_kmeans_keeps_legitimate_data_near_fill_values(model):
    result = xvcluster.kmeans((model * 2000).round(), 3)
    assert result.labels.notnull().all()
    peaks = model.where(model < model.max(), 9999 / 2000) * 2000
    assert xvcluster.kmeans(peaks, 3).labels.notnull().all()


def test_kmeans_labels_exactly_the_complete_profiles(model):
    gappy = model.where(np.random.default_rng(4).random(model.shape) > 0.1)
    with pytest.warns(UserWarning, match="22 of 63 profiles with data are incomplete"):
        result = xvcluster.kmeans(gappy, 3)
    complete = gappy.notnull().all("depth")
    np.testing.assert_array_equal(result.labels.notnull(), complete)
    np.testing.assert_array_equal(result.dataset["status"] == 0, complete)
    assert result.dataset["count"].sum() == complete.sum()


# --- bad input ---


def test_kmeans_refuses_an_unclear_vertical(model):
    bare = model.drop_vars("depth")
    with pytest.raises(ValueError, match="no vertical dimension found"):
        xvcluster.kmeans(bare.rename(depth="shell"), 3)
    with pytest.raises(ValueError, match="two dimensions could be the vertical"):
        xvcluster.kmeans(bare.expand_dims(level=2), 3)
    with pytest.raises(ValueError, match="dim='z' is not a dimension"):
        xvcluster.kmeans(model, 3, dim="z")
    named = xvcluster.kmeans(bare.rename(depth="shell"), 3, dim="shell")
    np.testing.assert_array_equal(named.labels, xvcluster.kmeans(model, 3).labels)


def test_kmeans_refuses_what_has_no_profiles(model):
    with pytest.raises(ValueError, match=r"the data are a single number without dimensions"):
        xvcluster.kmeans(xr.DataArray(3.0), 1)
    with pytest.raises(ValueError, match=r"the dimension 1 has no name but a int; .*rename\(\{1:"):
        xvcluster.kmeans(xr.DataArray(np.zeros((3, 4)), dims=("depth", 1)), 1)


@pytest.mark.parametrize("latitude", [95.0, -90.1, 450_000.0])
def test_kmeans_refuses_a_latitude_beyond_the_poles(model, latitude):
    wrong = model["latitude"].values.copy()
    wrong[-1] = latitude
    with pytest.raises(ValueError, match=rf"latitude', .* holds {latitude:g}°"):
        xvcluster.kmeans(model.assign_coords(latitude=wrong), 3)


@pytest.mark.parametrize("n_clusters", [0, -1])
@pytest.mark.parametrize("method", ["kmeans", "som"])
def test_methods_refuse_fewer_clusters_than_1(model, method, n_clusters):
    with pytest.raises(ValueError, match=f"n_clusters must be at least 1; got {n_clusters}"):
        getattr(xvcluster, method)(model, n_clusters=n_clusters)


@pytest.mark.parametrize("n_clusters", [3.0, True, "3", [3]])
@pytest.mark.parametrize("method", ["kmeans", "som"])
def test_methods_refuse_a_number_of_clusters_that_is_no_integer(model, method, n_clusters):
    with pytest.raises(TypeError, match="n_clusters must be an integer of at least 1; got"):
        getattr(xvcluster, method)(model, n_clusters=n_clusters)


def test_kmeans_refuses_more_clusters_than_distinct_profiles(model):
    with pytest.raises(ValueError, match=r"n_clusters=64 is more than .* 63 complete ones"):
        xvcluster.kmeans(model, 64)
    repeated = xr.concat([model, model], dim="time")
    with pytest.raises(ValueError, match=r"n_clusters=64 is more than the distinct .* 126 "):
        xvcluster.kmeans(repeated, 64)
    assert xvcluster.kmeans(repeated, 63).n_clusters == 63


def test_kmeans_refuses_a_model_without_complete_profiles(model):
    message = (
        "none of the 63 profiles is complete: 0 have no data, 63 have gaps, 0 hold a fill value"
    )
    with pytest.raises(ValueError, match=message):
        xvcluster.kmeans(model.where(model["depth"] != 20), 3)


@pytest.mark.parametrize("method", ["kmeans", "som"])
def test_methods_refuse_infinities(model, method):
    with pytest.raises(ValueError, match="variable 'vs' holds infinities"):
        getattr(xvcluster, method)(model.where(model < 5, np.inf), n_clusters=2)


def test_kmeans_refuses_data_that_are_not_numeric(model):
    with pytest.raises(TypeError, match=r"variable 'vs' is not numeric \(dtype <U"):
        xvcluster.kmeans(model.astype(str), 3)


def test_kmeans_refuses_variables_on_different_dimensions(model):
    data = xr.Dataset({"vs": model, "moho": model.isel(depth=0, drop=True)})
    with pytest.raises(ValueError, match="the variables lie on different dimensions"):
        xvcluster.kmeans(data, 3)


def test_kmeans_refuses_an_unknown_metric(model):
    with pytest.raises(ValueError, match="unknown metric 'cosine'; choose one of 'euclidean'"):
        xvcluster.kmeans(model, 3, metric="cosine")


def test_kmeans_refuses_an_empty_k_range(model):
    with pytest.raises(ValueError, match=r"is empty: .*give integers, such as range"):
        xvcluster.kmeans(model, k_range=range(0))


@pytest.mark.parametrize("grid_size", [3, (3,), (3, 0), (2.0, 3), "33", (2, 2, 2)])
def test_som_refuses_a_bad_grid_size(model, grid_size):
    with pytest.raises(ValueError, match="grid_size must be a pair of positive integers"):
        xvcluster.som(model, grid_size)


# --- degenerate data ---


def test_kmeans_gives_constant_data_one_cluster(model):
    result = xvcluster.kmeans(xr.full_like(model, 4.0), 1)
    np.testing.assert_array_equal(result.centroids["vs"], 4.0)
    assert result.inertia == 0.0


@pytest.mark.parametrize("options", [{"n_clusters": 2}, {"k_range": range(2, 5)}])
def test_kmeans_refuses_to_divide_constant_data(model, options):
    with pytest.raises(ValueError, match="is more than the distinct profiles among the 63"):
        xvcluster.kmeans(xr.full_like(model, 4.0), **options)


def test_som_gives_constant_data_one_node(model):
    result = xvcluster.som(xr.full_like(model, 4.0), (2, 2), algorithm="online", n_iterations=100)
    np.testing.assert_allclose(result.centroids["vs"], 4.0)
    assert result.dataset["count"].max() == 63


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_kmeans_gives_each_distinct_profile_its_cluster(model, metric):
    rounded = model.isel(depth=[0], drop=False).round().isel(depth=[0, 0, 0])
    rounded = rounded.assign_coords(depth=[0.0, 10, 20])
    result = xvcluster.kmeans(rounded, 3, metric=metric)
    np.testing.assert_allclose(result.centroids["vs"], [[3] * 3, [4] * 3, [5] * 3], rtol=1e-6)
    assert result.inertia == pytest.approx(0.0, abs=1e-9)


def test_kmeans_takes_one_profile_and_one_level(model):
    one = xvcluster.kmeans(model.isel(latitude=[0], longitude=[0]), 1)
    np.testing.assert_allclose(one.centroids["vs"][0], model[:, 0, 0], rtol=1e-6)
    level = xvcluster.kmeans(model.isel(depth=[0]), 3)
    assert level.centroids["vs"].shape == (3, 1)


def test_results_of_places_left_out_can_be_opened_again(bent_model, tmp_path):
    """Fill values among latitudes and longitudes, as CESM has on land."""
    for fill in (np.nan, 9.96921e36):
        bent = bent_model.copy()
        for name in ("lat", "lon"):
            bent = bent.assign_coords({name: bent[name].copy()})
            bent[name][2:4, 3:5] = fill
        with pytest.warns(UserWarning, match="profiles have no latitude and longitude"):
            result = bent.vcluster.kmeans(3)
        result.to_netcdf(tmp_path / "result.nc")
        xr.testing.assert_identical(
            xvcluster.open_result(tmp_path / "result.nc").dataset, result.dataset
        )
