"""What must not change a map: the way back from a file, the unit, chunks of rounded data."""

import numpy as np
import pytest
import xarray as xr

import xvcluster

pytestmark = pytest.mark.filterwarnings("ignore:the inertia has no knee:UserWarning")

FITS = {
    "kmeans": lambda d, **o: d.vcluster.kmeans(4, n_init=2, **o),
    "kmeans dtw": lambda d, **o: d.vcluster.kmeans(3, metric="dtw", n_init=1, **o),
    "sweep": lambda d, **o: d.vcluster.sweep([2, 3, 4], n_init=1, **o).result(3),
    "sweep dtw": lambda d, **o: d.vcluster.sweep([2, 3], metric="dtw", n_init=1, **o).result(3),
    "online": lambda d, **o: online(d, (3, 2), **o),
    "online merged": lambda d, **o: online(d, (3, 3), n_clusters=3, **o),
    "batch": lambda d, **o: d.vcluster.som((3, 2), algorithm="batch", n_iterations=8, **o),
    "batch merged": lambda d, **o: d.vcluster.som(
        (3, 3), algorithm="batch", n_clusters=3, n_iterations=8, **o
    ),
    "gmm": lambda d, **o: d.vcluster.gmm(3, n_init=1, **o),
}


def online(data, grid_size, **options):
    """A map that is shown one profile after another, which cannot weigh them."""
    options = {"weights": None, "n_iterations": 200, **options}
    return data.vcluster.som(grid_size, algorithm="online", **options)


NORMALIZATIONS = (None, "anomaly", "percent", "level", "profile", "variable")


def make(grid=0.0, dtype="float64", shape=(5, 8, 9), seed=1):
    """Velocities of 3 to 6 km/s, on a grid of values if it is given."""
    rng = np.random.default_rng(seed)
    depth = 10.0 * np.arange(shape[0])
    values = 4.0 + 0.01 * depth[:, None, None] + rng.normal(0.0, 0.3, shape[1:])
    values = values + rng.normal(0.0, 0.15, shape).cumsum(axis=0)
    values = np.round(values / grid) * grid if grid else values
    return xr.DataArray(
        values.astype(dtype),
        dims=("depth", "latitude", "longitude"),
        coords={
            "depth": ("depth", depth, {"units": "km", "positive": "down"}),
            "latitude": np.linspace(-60.0, 60.0, shape[1]),
            "longitude": np.linspace(0.0, 90.0, shape[2]),
        },
        name="vs",
        attrs={"units": "km/s"},
    )


def options(name):
    """All normalizations, with and without the weights that a method takes."""
    plain = {} if name == "gmm" else {"weights": None}
    weighs = plain if name in ("gmm", "online", "online merged") else {"weights": "area"}
    stretches = {} if "dtw" in name else {"level_weights": "thickness"}
    for normalize in NORMALIZATIONS:
        for more in {tuple(o.items()) for o in (plain, weighs, weighs | stretches)}:
            yield {"normalize": normalize, **dict(more)}


@pytest.mark.parametrize("name", FITS)
def test_predict_gives_the_labels_of_the_fit(tmp_path, name):
    models = (make(dtype="float32"), make(0.5))
    for number, asked in enumerate(options(name)):
        model = models[number % 2]
        result = FITS[name](model, **asked)
        stored = [result]
        if number % 7 == 3:
            result.to_netcdf(tmp_path / f"{number}.nc")
            result.to_zarr(tmp_path / f"{number}.zarr")
            files = [tmp_path / f"{number}.{ending}" for ending in ("nc", "zarr")]
            stored += [xvcluster.open_result(file) for file in files]
        for again in stored:
            labels = again.predict(model)
            np.testing.assert_array_equal(labels, result.labels, err_msg=f"{name} {asked}")


def test_predict_gives_the_labels_of_the_fit_under_softdtw():
    model = make(shape=(4, 4, 5))
    asked = {"metric": "softdtw", "n_init": 1, "max_iter": 2, "weights": None}
    result = model.vcluster.kmeans(2, normalize="profile", **asked)
    np.testing.assert_array_equal(result.predict(model), result.labels)


@pytest.mark.parametrize("name", FITS)
def test_labels_do_not_depend_on_the_unit(name):
    model = make(dtype="float32")
    expected = FITS[name](model)
    for factor in (2.0**-40, 2.0**-10, 2.0**70):
        found = FITS[name](model * np.float32(factor))
        np.testing.assert_array_equal(found.labels, expected.labels)
        np.testing.assert_allclose(found.centroids["vs"], expected.centroids["vs"] * factor)


@pytest.mark.parametrize("name", FITS)
def test_labels_do_not_depend_on_a_decimal_unit(name):
    model = make()
    expected = FITS[name](model)
    for factor in (1e-3, 1e5):
        np.testing.assert_array_equal(FITS[name](model * factor).labels, expected.labels)


@pytest.mark.parametrize(("dtype", "factor"), [("float32", 1e21), ("float32", 1e-30)])
@pytest.mark.parametrize("name", FITS)
def test_values_of_any_scale_are_clustered_and_described_in_their_units(name, dtype, factor):
    model = make()
    scaled = (model * factor).astype(dtype).assign_attrs(model.attrs)
    expected, found = FITS[name](model, normalize=None), FITS[name](scaled, normalize=None)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.predict(scaled), expected.labels)
    close = {"rtol": 1e-4}
    for ending, power in (("", 1), ("_std", 1), ("_quantile", 1)):
        theirs = expected.dataset[f"vs{ending}"] * factor**power
        np.testing.assert_allclose(found.dataset[f"vs{ending}"], theirs, **close)
    np.testing.assert_allclose(found.inertia / factor**2, expected.inertia, **close)
    distance = found.dataset["distance"] / factor
    np.testing.assert_allclose(distance, expected.dataset["distance"], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        found.table()["nearest_distance"] / factor, expected.table()["nearest_distance"], **close
    )
    np.testing.assert_allclose(found.dataset["margin"], expected.dataset["margin"], atol=1e-4)


@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_values_whose_squares_float64_does_not_hold_are_clustered_with_a_warning(tmp_path, factor):
    model = make()
    expected = model.vcluster.kmeans(4)
    for data in (model * factor, (model * factor).chunk(latitude=3)):
        with pytest.warns(UserWarning, match=r"'value'|'vs' are of the order of .* the inertia is"):
            found = data.vcluster.kmeans(4)
        np.testing.assert_array_equal(found.labels, expected.labels)
        np.testing.assert_allclose(found.centroids["vs"] / factor, expected.centroids["vs"])
        np.testing.assert_allclose(
            found.dataset["distance"] / factor, expected.dataset["distance"], rtol=1e-5
        )
        found.to_netcdf(tmp_path / "found.nc")
        again = xvcluster.open_result(tmp_path / "found.nc")
        np.testing.assert_array_equal(again.predict(data), expected.labels)
        for normalize in ("level", "profile", "percent"):
            found = data.vcluster.kmeans(4, normalize=normalize)
            normalized = model.vcluster.kmeans(4, normalize=normalize)
            np.testing.assert_array_equal(found.labels, normalized.labels)
            np.testing.assert_allclose(found.inertia, normalized.inertia)


def test_a_mixture_of_such_values_is_no_model_of_scikit_learn():
    with pytest.warns(UserWarning, match="of the order of"):
        result = (make() * 1e-200).vcluster.gmm(3, n_init=1, normalize=None)
    with pytest.raises(ValueError, match=r"values of the order of .* convert the data"):
        _ = result.model


def test_a_sweep_of_large_values_finds_the_criteria_of_small_ones():
    model = make()
    asked = {"criteria": ["gap", "stability"], "n_bootstrap": 2}
    expected = model.vcluster.sweep(range(2, 6), **asked)
    found = (model * 1e21).astype("float32").vcluster.sweep(range(2, 6), **asked)
    assert found.best_k == expected.best_k
    np.testing.assert_allclose(found.dataset["inertia"] / 1e42, expected.dataset["inertia"], 1e-5)
    for name in ("silhouette", "davies_bouldin", "calinski_harabasz", "gap"):
        np.testing.assert_allclose(found.dataset[name], expected.dataset[name], rtol=1e-3)


ROUNDED = ("kmeans", "kmeans dtw", "sweep", "batch", "batch merged", "gmm")


@pytest.mark.parametrize("passes", [False, True])
@pytest.mark.parametrize("name", ROUNDED)
def test_labels_of_rounded_data_do_not_depend_on_chunks(request, name, passes):
    if passes:  # over all profiles, of which the sample has few
        request.getfixturevalue("small_sample")
    for seed, (grid, normalize) in enumerate([(0.1, None), (0.5, None), (0.5, "profile")]):
        model = make(grid, "float64", (4, 11, 12), seed)
        asked = {} if name == "gmm" else {"weights": "area"} if seed % 2 else {}
        expected = FITS[name](model, normalize=normalize, **asked)
        for chunks in ({"latitude": 4, "longitude": 12}, {"latitude": 11, "longitude": 5}):
            found = FITS[name](model.chunk(chunks), normalize=normalize, **asked)
            np.testing.assert_array_equal(found.labels, expected.labels)
            np.testing.assert_array_equal(found.predict(model), expected.labels)


def infinite(model):
    return model.where(model > model.min(), -np.inf)


WEIGHTS = xr.DataArray(np.ones((8, 9)), dims=("latitude", "longitude"))
REFUSED = {
    "infinities": lambda d: infinite(d).vcluster.kmeans(3),
    "infinities of a map": lambda d: infinite(d).vcluster.som((2, 2), algorithm="batch"),
    "infinities of a mixture": lambda d: infinite(d).vcluster.gmm(2),
    "infinities of a sweep": lambda d: infinite(d).vcluster.sweep([2, 3]),
    "infinities between levels": lambda d: infinite(d).vcluster.prepare(dz=5).compute(),
    "infinities in a gap": lambda d: infinite(d).vcluster.prepare(max_gap=20).compute(),
    "no complete profile": lambda d: d.where(d["depth"] > 0).vcluster.kmeans(3),
    "limits": lambda d: d.assign_attrs(valid_max=0.5).vcluster.kmeans(3),
    "weights of NaN": lambda d: d.vcluster.kmeans(3, weights=WEIGHTS.where(WEIGHTS.cumsum() > 5)),
    "weights of 0": lambda d: d.vcluster.kmeans(3, weights=0 * WEIGHTS),
    "weights of NaN, incomplete": lambda d: d.where(d["depth"] > 0).vcluster.kmeans(
        3, weights=np.nan * WEIGHTS
    ),
    "too many clusters": lambda d: d.vcluster.kmeans(73),
    "no percentages": lambda d: (d - 4.0).vcluster.kmeans(3, normalize="percent"),
    "one level": lambda d: d.isel(depth=[0]).vcluster.kmeans(3, normalize="profile"),
    "one profile": lambda d: d.where(d["latitude"] + d["longitude"] < -59).vcluster.gmm(1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_dask_arrays_are_refused_with_the_words_for_arrays_in_memory(name):
    model, words = make(), []
    for data in (model, model.chunk(latitude=3, longitude=4)):
        with pytest.raises(ValueError) as refused:  # noqa: PT011  the words are compared
            REFUSED[name](data)
        words.append(str(refused.value))
    assert words[0] == words[1]


def test_predict_refuses_infinities_in_memory_and_in_chunks():
    result = make().vcluster.kmeans(3)
    between = infinite(make()).assign_coords(depth=make()["depth"] * 1.01)
    for data in (infinite(make()), between):
        for own in (data, data.chunk(latitude=3)):
            with pytest.raises(ValueError, match="variable 'vs' holds infinities, which cannot be"):
                result.predict(own).compute()


def test_predict_labels_nothing_where_no_profile_is_complete():
    model = make()
    result, incomplete = model.vcluster.kmeans(3), model.where(model["depth"] > 0)
    with pytest.warns(UserWarning, match="none of the 72 profiles is complete: 0 have no data, 72"):
        assert result.predict(incomplete).isnull().all()
    assert result.predict(incomplete.chunk(latitude=3)).isnull().all()


@pytest.fixture
def packed(tmp_path):
    """The model in a packed file, with limits that are packed too: 0 to 50 degrees from −20."""
    model = (make() - 4.0) * 5.0
    model.attrs = {"units": "degC", "valid_range": np.int16([0, 5000])}
    packing = {"dtype": "int16", "scale_factor": 0.01, "add_offset": -20.0, "_FillValue": -9999}
    model.to_netcdf(tmp_path / "packed.nc", encoding={"vs": packing})
    with xr.open_dataset(tmp_path / "packed.nc") as opened:
        yield opened["vs"].load()


def test_good_profiles_of_a_packed_file_stay_whatever_is_done_with_it(packed):
    whole = packed.vcluster.kmeans(3)
    assert whole.labels.notnull().all()
    changed = packed.where(packed > -99.0)
    assert changed.encoding == {}  # of xarray, which keeps the attributes
    for data in (changed, changed.chunk(latitude=3)):
        with pytest.warns(UserWarning, match="valid_range of 'vs' is .* ignored"):
            result = data.vcluster.kmeans(3)
        np.testing.assert_array_equal(result.labels, whole.labels)
        with pytest.warns(UserWarning, match="valid_range of 'vs' is .* ignored"):
            np.testing.assert_array_equal(whole.predict(data), whole.labels)


def test_predict_between_levels_knows_how_limits_are_packed(packed):
    result = packed.isel(depth=slice(1, -1)).vcluster.prepare(dz=5).vcluster.kmeans(3)
    assert result.labels.notnull().all()
    for data in (packed, packed.chunk(latitude=3)):
        assert result.predict(data).notnull().all()
