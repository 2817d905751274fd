"""Criteria at every k of a sweep."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

import xvcluster
from xvcluster.tutorial import tomography

NO_KNEE = pytest.mark.filterwarnings("ignore:the inertia has no knee")


def make_noise(seed=0):
    """White noise on a map: profiles in no groups."""
    values = np.random.default_rng(seed).normal(size=(12, 25, 30))
    coords = {"depth": np.arange(12.0), "lat": np.arange(20.0, 45.0), "lon": np.arange(30.0)}
    return xr.DataArray(values, dims=("depth", "lat", "lon"), coords=coords, name="vs")


def make_field(*, provinces, seed=0):
    """Profiles of two modes: smooth ones; or, in four quarters, ones that jump between them."""
    rng = np.random.default_rng(seed)
    lat, lon = np.meshgrid(np.arange(30.0, 50), np.arange(0.0, 24), indexing="ij")
    waves = rng.normal(scale=0.25, size=(60, 2, 2))
    phase = rng.uniform(0, 7, (60, 2))
    modes = np.cos(np.einsum("ij,wm->wmij", lat, waves[:, :, 0]) + phase[..., None, None]
                   + np.einsum("ij,wm->wmij", lon, waves[:, :, 1])).mean(axis=0)  # fmt: skip
    if provinces:
        modes = 0.3 * modes + np.stack([lat > 41, lon > 11])
    depth = np.arange(8.0)
    values = np.einsum("mij,mz->zij", modes, np.stack([np.sin(depth / 2), np.cos(depth / 3)]))
    values = values + rng.normal(0, 0.02, values.shape)
    coords = {"depth": depth, "lat": lat[:, 0], "lon": lon[0]}
    return xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs")


STRUCTURE = {"criteria": ["structure"], "n_init": 1}


@pytest.fixture
def few_surrogates(monkeypatch):
    """24 smooth fields in place of 39, to save time."""
    monkeypatch.setattr("xvcluster.choose.criteria.N_SURROGATES", 24)


@NO_KNEE
def test_sweep_tells_provinces_from_a_smooth_field():
    smooth = make_field(provinces=False).vcluster.sweep(range(2, 6), **STRUCTURE)
    assert smooth.dataset["structure"].attrs["p_value"] > 0.1
    assert smooth.dataset["structure"].max() < 1.5
    assert "There is no more structure than in a smooth field without provinces (p = " in repr(
        smooth
    )
    found = make_field(provinces=True).vcluster.sweep(range(2, 6), **STRUCTURE)
    assert found.dataset["structure"].attrs == {
        "long_name": "sharpness of boundaries",
        "units": "1",
        "p_value": 1 / 40,
        "n_surrogates": 39,
        "threshold": 1.5,
    }
    assert found.dataset["structure"].sel(k=4) > 3
    assert found.dataset["structure_p"].sel(k=4) == 1 / 40
    assert "are sharper than those in smooth fields without provinces (p = 0.025)" in found.verdict
    assert "structure" not in found.dataset["criterion"]


@NO_KNEE
def test_sweep_calls_noise_no_structure(few_surrogates):
    swept = make_noise().vcluster.sweep([2, 4], **STRUCTURE)
    assert swept.dataset["structure"].attrs["p_value"] > 0.1


@pytest.mark.parametrize("kind", ["curvilinear", "points", "gaps", "chunks"])
def test_sweep_finds_structure_on_any_grid(kind, few_surrogates):
    model = make_field(provinces=True)
    if kind == "gaps":
        model = model.where((model["lat"] - 40) ** 2 + (model["lon"] - 12) ** 2 > 9)
    elif kind == "chunks":
        model = model.chunk({"lat": 7})
    else:
        lat, lon = xr.broadcast(model["lat"], model["lon"])
        model = model.drop_vars(["lat", "lon"]).rename(lat="y", lon="x")
        places = {"lat": (("y", "x"), lat.values), "lon": (("y", "x"), lon.values)}
        model = model.assign_coords(places)
    if kind == "points":
        model = model.stack(profile=["y", "x"]).reset_index("profile", drop=True)
    swept = model.vcluster.sweep([4], **STRUCTURE)
    assert swept.dataset["structure"].sel(k=4) > 3
    assert swept.verdict.startswith("Only k = 4 was tried. The boundaries are sharper than")


@NO_KNEE
def test_sweep_finds_structure_in_several_variables_with_weights(few_surrogates):
    model = xr.Dataset({"vs": make_field(provinces=True), "vp": 3 * make_field(provinces=True)})
    weights = xr.where(model["lat"] > 45, 0.0, 2.0)
    swept = model.vcluster.sweep([1, 4], weights=weights, **STRUCTURE)
    assert swept.dataset["structure"].attrs["p_value"] == 1 / 25
    assert np.isnan(swept.dataset["structure"].sel(k=1))


def test_sweep_takes_one_profile_of_each_place_for_the_structure(few_surrogates):
    model = make_field(provinces=True)
    several = xr.concat([model, model + 0.01], dim=xr.IndexVariable("time", [0, 1]))
    swept = several.vcluster.sweep([4], **STRUCTURE)
    assert swept.dataset["structure"].attrs["p_value"] == 1 / 25


def test_sweep_refuses_structure_where_places_are_not_known(rough_model):
    bare = rough_model.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    with pytest.raises(ValueError, match="at least 30 places must be known; the model has 0 with"):
        bare.vcluster.sweep([2, 3], criteria=["structure"])
    few = rough_model.isel(latitude=slice(1, 4), longitude=slice(1, 4))
    with pytest.raises(ValueError, match=r"at least 30 places must be known; the model has [5-9]"):
        few.vcluster.sweep([2, 3], criteria=["structure"])
    with pytest.raises(ValueError, match="the structure cannot be computed under metric='softdtw'"):
        rough_model.vcluster.sweep([2, 3], metric="softdtw", criteria="structure")


@NO_KNEE
def test_structure_goes_to_files_and_figures(tmp_path, few_surrogates):
    swept = make_field(provinces=True).vcluster.sweep([2, 4], **STRUCTURE)
    assert {"structure", "structure_p"} <= set(swept.table().columns)
    swept.result(4).to_netcdf(tmp_path / "result.nc")
    opened = xvcluster.open_result(tmp_path / "result.nc").dataset
    assert opened["sweep_structure"].attrs["p_value"] == 1 / 25
    figure = swept.plot.criteria().figure
    assert any(ax.get_title().startswith("structure · p = ") for ax in figure.axes)
    plt.close(figure)


def test_sweep_criteria_are_those_of_scikit_learn(rough_model):
    model = rough_model.astype(float)
    swept = model.vcluster.sweep(range(2, 6), tol=0.0)
    stacked = model.stack(point=["latitude", "longitude"]).transpose("point", "depth")
    complete = stacked.dropna("point")
    for k in range(2, 6):
        labels = swept.dataset["label"].sel(k=k).stack(point=["latitude", "longitude"])
        labels = labels.sel(point=complete["point"])
        for name, score in (
            ("davies_bouldin", davies_bouldin_score),
            ("calinski_harabasz", calinski_harabasz_score),
        ):
            expected = score(complete.values, labels.values)
            assert swept.dataset[name].sel(k=k) == pytest.approx(expected, rel=1e-9), name


@NO_KNEE
def test_sweep_of_chunks_has_the_criteria_of_arrays(rough_model):
    options = {"criteria": ["gap", "stability"], "n_bootstrap": 4, "weights": "area"}
    whole = rough_model.vcluster.sweep(range(2, 5), **options)
    chunked = rough_model.chunk({"latitude": 5}).vcluster.sweep(range(2, 5), **options)
    names = [n for n in whole.dataset.data_vars if n != "label"]
    xr.testing.assert_allclose(chunked.dataset[names], whole.dataset[names], rtol=1e-5)


@NO_KNEE
def test_sweep_under_dtw_has_what_is_defined_there(rough_model):
    options = {"metric": "dtw", "n_init": 1, "criteria": ["stability"], "n_bootstrap": 3}
    swept = rough_model.vcluster.sweep([2, 3], **options)
    assert {"davies_bouldin", "stability"} <= set(swept.dataset)
    assert "calinski_harabasz" not in swept.dataset


def test_sweep_stability_of_the_tutorial_peaks_at_the_provinces_it_was_made_from():
    model = tomography(resolution=0.5)
    options = {"criteria": ["stability"], "n_bootstrap": 12, "n_init": 3, "block_size": 220}
    swept = model[["vs", "vp"]].vcluster.sweep(range(2, 10), **options)
    n_provinces = int(model["province"].max())
    assert swept.dataset["stability"].idxmax() == n_provinces
    assert swept.dataset["best"].sel(criterion="stability") == n_provinces
    assert swept.dataset["stability"].max() > 0.95


@NO_KNEE
@pytest.mark.parametrize("seed", [0, 1])
def test_sweep_calls_no_k_of_noise_stable(seed):
    options = {"criteria": ["stability"], "n_bootstrap": 8, "n_init": 2}
    swept = make_noise(seed).vcluster.sweep(range(2, 7), **options)
    assert swept.dataset["best"].sel(criterion="stability") == 0
    assert swept.dataset["stability"].max() < 0.5
    assert "No k is stable" in swept.verdict
    assert swept.verdict in repr(swept)


@NO_KNEE
def test_sweep_stability_records_its_blocks(rough_model):
    options = {"criteria": ["stability"], "n_bootstrap": 3}
    asked = rough_model.vcluster.sweep([2, 3], block_size=250.0, **options).dataset
    known = asked["stability"].attrs
    assert (known["block_size_km"], known["n_bootstrap"], known["threshold"]) == (250.0, 3, 0.75)


@NO_KNEE
def test_sweep_stability_without_coordinates_warns(rough_model):
    bare = rough_model.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    with pytest.warns(UserWarning, match="neighbours are alike, and clusters will look more"):
        swept = bare.vcluster.sweep([2, 3], criteria=["stability"], n_bootstrap=3)
    assert "block_size_km" not in swept.dataset["stability"].attrs


@NO_KNEE
def test_sweep_is_the_same_again(rough_model):
    options = {"criteria": ["gap", "stability"], "n_bootstrap": 3}
    first, again = (rough_model.vcluster.sweep([2, 3, 4], **options).dataset for _ in range(2))
    xr.testing.assert_identical(first, again)
    other = rough_model.vcluster.sweep([2, 3, 4], random_state=1, **options).dataset
    assert not np.allclose(first["gap"], other["gap"], rtol=1e-9)


@NO_KNEE
def test_sweep_table_has_one_row_a_k(rough_model):
    table = rough_model.vcluster.sweep([2, 3, 4], criteria=["gap"]).table()
    assert table.index.tolist() == [2, 3, 4]
    assert {"inertia", "silhouette", "davies_bouldin", "gap", "gap_error"} <= set(table.columns)


@NO_KNEE
def test_result_of_a_sweep_carries_its_criteria(rough_model, tmp_path):
    swept = rough_model.vcluster.sweep([2, 3, 4], criteria=["stability"], n_bootstrap=3)
    result = swept.result(3)
    for name in ("inertia", "davies_bouldin", "stability", "stability_error"):
        xr.testing.assert_equal(result.dataset[f"sweep_{name}"], swept.dataset[name])
    result.to_netcdf(tmp_path / "result.nc")
    xr.testing.assert_identical(
        xvcluster.open_result(tmp_path / "result.nc").dataset, result.dataset
    )


def test_sweep_refuses_criteria_that_it_does_not_know(model):
    with pytest.raises(ValueError, match=r"unknown criterion 'elbow'.*'gap' and 'stability'"):
        model.vcluster.sweep([2, 3], criteria=["elbow"])
    with pytest.raises(ValueError, match=r"the gap statistic needs metric='euclidean'.*'dtw'"):
        model.vcluster.sweep([2, 3], metric="dtw", criteria=["gap"])
    with pytest.raises(ValueError, match="the stability cannot be computed under metric='softdtw'"):
        model.vcluster.sweep([2, 3], metric="softdtw", criteria="stability")
    with pytest.raises(ValueError, match="n_bootstrap must be at least 2; got 1"):
        model.vcluster.sweep([2, 3], criteria=["stability"], n_bootstrap=1)
    with pytest.raises(ValueError, match=r"block_size=50 applies to the stability only"):
        model.vcluster.sweep([2, 3], block_size=50)
    with pytest.raises(ValueError, match=r"n_bootstrap=50 applies to the stability only"):
        model.vcluster.sweep([2, 3], n_bootstrap=50)
    with pytest.raises(ValueError, match=r"block_size must be finite and at least 0\.001; got -1"):
        model.vcluster.sweep([2, 3], criteria=["stability"], block_size=-1)


@NO_KNEE
def test_sweep_of_constant_data_has_no_gap_but_no_warnings(model):
    few = model.where(model > 0).copy(data=np.round(model))  # three distinct profiles
    swept = few.vcluster.sweep([2, 3], criteria=["gap"])
    assert np.isnan(swept.dataset["gap"].sel(k=3))


@NO_KNEE
def test_sweep_takes_no_criteria_for_none(rough_model):
    swept = rough_model.vcluster.sweep([2, 3], criteria=None)
    xr.testing.assert_identical(swept.dataset, rough_model.vcluster.sweep([2, 3]).dataset)
    assert not {"gap", "stability"} & set(swept.dataset)
