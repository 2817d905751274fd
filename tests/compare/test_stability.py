"""How sure the cluster of each point is."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import binary_dilation

import xvcluster
from xvcluster.grid.horizontal import unit_vectors
from xvcluster.tutorial import tomography


def test_stability_is_certain_of_clear_groups(model):
    sure = model.vcluster.kmeans(3).stability(5)
    np.testing.assert_array_equal(sure.dataset["stability"], 1.0)
    np.testing.assert_array_equal(sure.dataset["cluster_stability"], 1.0)
    assert sure.dataset["stability"].dims == ("latitude", "longitude")


def test_stability_is_least_near_the_boundaries_of_the_provinces():
    model = tomography(resolution=0.5)
    result = model["vs"].vcluster.prepare(depth=slice(0, 120)).vcluster.kmeans(6)
    stable = result.stability(20, block_size=220)
    province, stability = model["province"].values, stable.dataset["stability"].values
    edge = np.zeros(province.shape, dtype=bool)
    edge[1:] |= province[1:] != province[:-1]
    edge[:, 1:] |= province[:, 1:] != province[:, :-1]
    near, far = binary_dilation(edge), ~binary_dilation(edge, iterations=3)
    assert 1 - stability[near].mean() > 3 * (1 - stability[far].mean())
    lowest = stability < 0.8
    assert lowest.any()
    assert near[lowest].mean() > 1.5 * near.mean()


def test_cluster_stability_is_the_weighted_mean_of_the_map(rough_model):
    weights = 1.0 + np.abs(rough_model["latitude"] - 40)
    sure = rough_model.vcluster.kmeans(4, weights=weights).stability(6).dataset
    at = sure["label"] == sure["cluster"]
    expected = sure["stability"].where(at).weighted(weights).mean(["latitude", "longitude"])
    np.testing.assert_allclose(sure["cluster_stability"], expected, rtol=1e-6)
    assert sure["cluster_stability"].min() < 1
    assert (sure["stability"].isnull() == sure["label"].isnull()).all()


@pytest.mark.parametrize(
    "options",
    [
        {"metric": "dtw", "n_init": 1},
        {"normalize": "profile"},
        {"normalize": "level", "level_weights": "thickness", "weights": "area"},
    ],
)
def test_stability_repeats_what_was_done(rough_model, options):
    result = rough_model.vcluster.kmeans(3, **options)
    turned = rough_model.transpose("longitude", ...).isel(depth=slice(None, None, -1))
    expected = result.stability(4).dataset["stability"]
    found = turned.vcluster.kmeans(3, **options).stability(4).dataset["stability"]
    xr.testing.assert_allclose(found.transpose("latitude", "longitude"), expected)
    assert 0 <= expected.min() < expected.max() <= 1


def test_stability_of_chunks_is_that_of_arrays(rough_model):
    whole = rough_model.vcluster.kmeans(3).stability(4).dataset
    chunked = rough_model.chunk({"latitude": 5}).vcluster.kmeans(3).stability(4).dataset
    assert chunked["stability"].chunks is not None
    xr.testing.assert_allclose(chunked["stability"].compute(), whole["stability"])
    np.testing.assert_allclose(chunked["cluster_stability"], whole["cluster_stability"])


def test_stability_of_a_merged_map(rough_model):
    options = {"n_clusters": 3, "n_iterations": 10, "algorithm": "batch"}
    for more in ({}, {"weights": "area"}):
        sure = rough_model.vcluster.som((3, 3), **options, **more).stability(4).dataset
        assert 0.3 < sure["stability"].mean() <= sure["stability"].max() <= 1
    sure = (
        rough_model.vcluster.som((3, 3), n_clusters=3, algorithm="online", n_iterations=500)
        .stability(4)
        .dataset
    )
    assert 0 < sure["stability"].mean() <= 1


def test_stability_follows_a_match(rough_model):
    result = rough_model.vcluster.kmeans(3)
    turned = result.match(4 - result.labels)
    expected = result.stability(4).dataset
    found = turned.stability(4).dataset
    xr.testing.assert_allclose(found["stability"], expected["stability"])
    np.testing.assert_allclose(found["cluster_stability"], expected["cluster_stability"][::-1])
    # and clusters that a match left empty
    more = result.match(result.labels.where(result.labels < 2, result.labels + 1)).stability(4)
    xr.testing.assert_allclose(more.dataset["stability"], expected["stability"])
    assert np.isnan(more.dataset["cluster_stability"].sel(cluster=2))


def test_stability_goes_to_netcdf_and_to_the_table(rough_model, tmp_path):
    sure = rough_model.vcluster.kmeans(3).stability(4, block_size=300)
    assert sure.dataset["stability"].attrs["comment"] == "4 samples of blocks of about 300 km"
    sure.to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(opened.dataset, sure.dataset)
    xr.testing.assert_equal(opened.predict(rough_model), sure.labels)
    table = opened.table()
    np.testing.assert_array_equal(table["mean_stability"], sure.dataset["cluster_stability"])
    assert "mean_stability" in sure._repr_html_()
    assert "mean_stability" not in rough_model.vcluster.kmeans(3).table()


def test_stability_is_the_same_again_and_leaves_the_result(rough_model):
    result = rough_model.vcluster.kmeans(3)
    before = result.dataset.copy(deep=True)
    first, again = result.stability(3).dataset, result.stability(3).dataset
    xr.testing.assert_identical(first, again)
    xr.testing.assert_identical(result.dataset, before)
    other = result.stability(3, random_state=7).dataset
    assert not np.array_equal(first["stability"], other["stability"], equal_nan=True)


def test_stability_is_refused_where_nothing_can_be_repeated(model, tmp_path):
    model.vcluster.kmeans(3).to_netcdf(tmp_path / "result.nc")
    refused = {
        "was read from a file, which does not hold its data; open it with": xvcluster.open_result(
            tmp_path / "result.nc"
        ),
        "the nodes of this map are not merged": model.vcluster.som(
            (2, 2), algorithm="online", n_iterations=100
        ),
        "under metric='softdtw'": model.vcluster.kmeans(2, metric="softdtw", n_init=1, max_iter=2),
    }
    for text, result in refused.items():
        with pytest.raises(ValueError, match=f"the stability cannot be computed: .*{text}"):
            result.stability(3)
    with pytest.raises(ValueError, match="n must be at least 2; got 1"):
        model.vcluster.kmeans(3).stability(1)


def noisy(model, sigma, seed=0):
    """A model with normal errors of this standard deviation."""
    errors = np.random.default_rng(seed).normal(0.0, sigma, model.shape)
    return (model + errors).astype("float32").assign_attrs(model.attrs)


@pytest.mark.parametrize("sigma", [0.05, 0.15])
def test_stability_under_noise_is_the_probability_that_a_label_is_right(sigma):
    """Of points with a share s, a share s has the label that data without errors would give."""
    truth = tomography(resolution=0.5)["vs"].vcluster.prepare(depth=slice(5, 150))
    result = noisy(truth, sigma).vcluster.kmeans(6)
    right = (truth.vcluster.kmeans(6).match(result).labels == result.labels).values.ravel()
    share = result.stability(12, noise=sigma).dataset["stability_noise"].values.ravel()
    edges = np.linspace(0.0, 1.0, 11)
    place = np.digitize(share, edges[1:-1])
    apart = [abs(share[place == i].sum() - right[place == i].sum()) for i in range(10)]
    assert sum(apart) / right.size < 0.05
    assert abs(share.mean() - right.mean()) < 0.05


def test_stability_under_noise_is_all_or_nothing_for_errors_small_or_absent(rough_model):
    result = rough_model.vcluster.kmeans(3)
    share = result.stability(3, noise=1e-6).dataset["stability_noise"]
    assert share.min() == share.max() == 1.0
    assert (share.isnull() == result.labels.isnull()).all()
    # a point without errors keeps its label, whatever moves the others
    sigma = xr.zeros_like(rough_model[0]) + 0.3
    sigma[5, 5] = 0.0
    share = result.stability(10, noise=sigma).dataset["stability_noise"]
    assert share[5, 5] > share.mean()
    assert share.min() < 0.7


def test_noise_of_a_number_a_map_or_all_values_is_the_same(rough_model):
    result = rough_model.vcluster.kmeans(3)
    expected = result.stability(2, noise=0.1).dataset
    everywhere = xr.full_like(rough_model, 0.1)
    for noise in (
        {"vs": 0.1},
        everywhere,
        everywhere.transpose("longitude", ...).isel(depth=slice(None, None, -1)),
        everywhere.isel(depth=0, drop=True),
        everywhere[:, 1, 1].drop_vars(["latitude", "longitude"]).drop_attrs(),
        everywhere.to_dataset(),
        xr.concat([everywhere, everywhere + 1], "latitude").isel(latitude=slice(12)),
    ):
        found = result.stability(2, noise=noise).dataset
        for name in ("stability_noise", "cluster_stability_noise"):
            xr.testing.assert_equal(found[name], expected[name])


def test_noise_leaves_the_stability_of_samples(rough_model):
    result = rough_model.vcluster.kmeans(3)
    alone, both = result.stability(4).dataset, result.stability(4, noise=0.1).dataset
    for name in ("stability", "cluster_stability"):
        xr.testing.assert_identical(both[name], alone[name])
    again = result.stability(4, noise=0.1).dataset
    xr.testing.assert_identical(again, both)
    other = result.stability(4, noise=0.1, random_state=3).dataset["stability_noise"]
    assert not other.equals(both["stability_noise"])


@pytest.mark.parametrize("options", [{"normalize": "profile"}, {"metric": "dtw", "n_init": 1}])
def test_noise_is_the_same_for_any_order_of_dimensions(rough_model, options):
    turned = rough_model.transpose("longitude", ...).isel(depth=slice(None, None, -1))
    expected = rough_model.vcluster.kmeans(3, **options).stability(3, noise=0.2).dataset
    found = turned.vcluster.kmeans(3, **options).stability(3, noise=0.2).dataset
    share = found["stability_noise"].transpose("latitude", "longitude")
    xr.testing.assert_allclose(share, expected["stability_noise"])
    assert 0 <= share.min() < share.max() <= 1


def test_noise_of_data_larger_than_the_sample(rough_model, small_sample):
    result = rough_model.vcluster.kmeans(3).stability(4, noise=0.2, block_size=220)
    share = result.dataset["stability_noise"]
    assert int(share.notnull().sum()) == 130
    assert 0.5 < share.mean() < share.max() <= 1


def test_noise_of_several_variables_is_in_the_units_of_each(two_variables):
    result = two_variables.vcluster.kmeans(3)
    sigmas = {"vs": 0.1, "rho": 30.0}
    expected = result.stability(4, noise=sigmas).dataset["stability_noise"]
    assert expected.attrs["comment"] == (
        "4 data sets with independent normal errors of 0.1 km/s in vs, 30 kg m-3 in rho"
    )
    heavy = two_variables.assign(rho=(two_variables["rho"] * 8).assign_attrs(units="1/8 kg m-3"))
    found = heavy.vcluster.kmeans(3).stability(4, noise=sigmas | {"rho": 240.0}).dataset
    xr.testing.assert_allclose(found["stability_noise"], expected)


def test_an_ensemble_takes_the_place_of_n(rough_model):
    result = rough_model.vcluster.kmeans(3)
    members = [noisy(rough_model, 0.2, seed) for seed in range(3)]
    found = result.stability(5, noise=members).dataset
    share = found["stability_noise"]
    assert share.attrs["comment"] == "the 3 models of an ensemble"
    np.testing.assert_allclose((share * 3) % 1, share * 0, atol=1e-6)
    # each is clustered by itself, and matched
    expected = 0
    for member in members:
        other = member.vcluster.kmeans(3).match(result)
        expected = expected + (other.labels == result.labels) / 3
    assert abs(share - expected.where(result.labels.notnull())).mean() < 0.05
    # in any order, and with more than the own levels
    others = [m.isel(latitude=slice(None, None, -1)).transpose("latitude", ...) for m in members]
    same = result.stability(5, noise=others).dataset["stability_noise"]
    xr.testing.assert_equal(same, share)
    xr.testing.assert_equal(
        result.stability(2, noise=[rough_model, rough_model]).dataset["stability_noise"],
        xr.ones_like(share).where(share.notnull()),
    )


def test_noise_is_refused_where_it_does_not_fit(rough_model, two_variables):
    result, both = rough_model.vcluster.kmeans(3), two_variables.vcluster.kmeans(3)
    everywhere = xr.full_like(rough_model, 0.1)
    gap = everywhere.where(everywhere["latitude"] > 36)
    members = xr.concat([rough_model, rough_model], "member")
    shorter = rough_model.isel(depth=slice(4))
    for text, noise in {
        "must be finite and at least 0 and at most 1e\\+30; got -1": -1,
        "is 0 everywhere, so that there is nothing to perturb": 0.0,
        "is given for 'vp', but the clustered variables are 'vs'": {"vp": 0.1},
        "is in '%', but 'vs' in 'km/s'; convert it": everywhere.assign_attrs(units="%"),
        "'depth' does not contain all values of theirs": everywhere.isel(depth=slice(3)),
        "has 3 entries along 'depth', but the data 6": everywhere.isel(depth=slice(3)).drop_vars(
            "depth"
        ),
        "is missing or infinite at 126 of 780 values of complete profiles": gap,
        "is negative at 780 of 780 values": -everywhere,
        r"has the dimension 'member', which the data lack.*noise=list\(models.transp": members,
        "an ensemble has at least 2 models; noise is a list of 1": [rough_model],
        "model 2 of the ensemble is on other points than the data": [rough_model, shorter],
        "model 2 of the ensemble has no complete profile at 11 of 130": [
            rough_model,
            rough_model.where(rough_model["latitude"] != 40),
        ],
        "model 1 of the ensemble lies on": [rough_model[0], rough_model],
        "model 1 of the ensemble is in 'm/s', but 'vs' in 'km/s'": [
            rough_model.assign_attrs(units="m/s"),
            rough_model,
        ],
        "model 2 of the ensemble: variable 'vs' holds infinities": [
            rough_model,
            xr.where(rough_model > 5, np.inf, rough_model),
        ],
    }.items():
        with pytest.raises(ValueError, match=text):
            result.stability(3, noise=noise)
    for text, noise in {
        r"give one for each, noise=\{'vs': \.\.\., 'rho': \.\.\.\}": 0.1,
        "is given for 'vs', but the clustered variables are 'vs', 'rho'": {"vs": 0.1},
        "model 1 of the ensemble lacks 'rho'; it has 'vs'": [rough_model, rough_model],
    }.items():
        with pytest.raises(ValueError, match=text):
            both.stability(3, noise=noise)
    for noise in ("0.05", True, [0.1, 0.2], object()):
        with pytest.raises(TypeError, match="noise must be the standard deviation of the data's"):
            result.stability(3, noise=noise)
    with pytest.raises(TypeError, match="noise of 'vs' is not numeric"):
        result.stability(3, noise=everywhere.astype(str))
    with pytest.raises(ValueError, match="needs them in memory, but the data are dask arrays"):
        rough_model.chunk({"latitude": 5}).vcluster.kmeans(3).stability(3, noise=0.1)


def test_errors_larger_than_the_data_show_are_a_warning(model):
    result = model.vcluster.kmeans(3)
    with pytest.warns(UserWarning, match=r"larger than the differences between profiles"):
        result.stability(2, noise=0.2)
    result.stability(2, noise=0.005)  # as it is


def test_stability_under_noise_goes_to_netcdf_the_table_and_the_map(rough_model, tmp_path):
    sure = rough_model.vcluster.kmeans(3).stability(4, noise=0.1)
    sure.to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc")
    xr.testing.assert_identical(opened.dataset, sure.dataset)
    table = opened.table()
    np.testing.assert_array_equal(
        table["mean_stability_noise"], sure.dataset["cluster_stability_noise"]
    )
    label = "share of perturbed data sets that give the same cluster"
    assert sure.dataset["stability_noise"].attrs["long_name"] == label
    turned = sure.match(4 - sure.labels).dataset["cluster_stability_noise"].values
    np.testing.assert_array_equal(turned[::-1], sure.dataset["cluster_stability_noise"])


def test_noise_on_scattered_points_must_be_at_their_places(rough_model):
    points = rough_model.stack(point=("latitude", "longitude")).reset_index("point")
    result = points.vcluster.kmeans(3)
    sigma = xr.full_like(points[0], 0.1)
    found = result.stability(3, noise=sigma).dataset["stability_noise"]
    xr.testing.assert_equal(found, result.stability(3, noise=0.1).dataset["stability_noise"])
    moved = sigma.assign_coords(latitude=sigma["latitude"] + 1)
    with pytest.raises(ValueError, match="on other points than the data: the values of 'latitude'"):
        result.stability(3, noise=moved)


def test_stability_draws_blocks_as_large_as_profiles_are_alike():
    """A field with the covariance exp(−h² / 2 l²), which falls to 5 % at 2.448 l."""
    lat, lon = np.meshgrid(np.arange(-30, 31.0, 2), np.arange(0, 90.0, 2), indexing="ij")
    points = unit_vectors(lat, lon) * 6371.0
    rng = np.random.default_rng(0)
    waves, phase = rng.normal(scale=1 / 450, size=(2, 400, 3)), rng.uniform(0, 7, (2, 400))
    modes = np.cos(np.einsum("mwi,...i->m...w", waves, points) + phase[:, None, None]).sum(-1)
    depth = np.arange(6.0)
    values = np.einsum("mij,mz->zij", modes, np.stack([np.sin(depth), np.cos(depth)]))
    coords = {"depth": depth, "lat": lat[:, 0], "lon": lon[0]}
    smooth = xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs")
    result = smooth.vcluster.kmeans(2, n_init=1)
    found = result.stability(5).dataset["stability"].attrs
    assert found["range_km"] == pytest.approx(2.448 * 450, rel=0.25)
    size = float(f"{found['range_km']:.2g}")
    assert found["comment"] == f"5 samples of blocks of about {size:g} km"
    asked = result.stability(5, block_size=500).dataset["stability"].attrs
    assert asked == found | {"comment": "5 samples of blocks of about 500 km"}
