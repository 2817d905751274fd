from pathlib import Path

import pytest
import xarray as xr

from xvcluster import open_result


def test_kmeans_writes_a_result_and_prints_its_table(model, tomography, succeed):
    text = succeed("kmeans", model, "-k", "4", "--depth", "5", "60", "--stride", "2")
    assert "Wrote model_clusters.nc" in text
    assert "vs: 125 profiles of 12 levels; left out: 1 incomplete" in text
    assert len([line for line in text.splitlines() if line.strip()[:1].isdigit()]) == 4
    result = open_result("model_clusters.nc")
    assert result.n_clusters == 4
    assert result.dataset.attrs["title"] == tomography.attrs["title"]
    assert result.dataset.attrs["source"] == "model.nc"


def test_kmeans_gives_what_the_library_gives(model, tomography, succeed):
    succeed("kmeans", model, "-k", "3", "--depth", "5", "60", "--dz", "2", "--stride", "3")
    prepared = tomography["vs"].vcluster.prepare(depth=(5, 60), dz=2, stride=3)
    expected = prepared.vcluster.kmeans(3).labels
    xr.testing.assert_equal(open_result("model_clusters.nc").labels, expected)


def test_kmeans_takes_negative_depths(tomography, succeed):
    upward = tomography.assign_coords(
        depth=("depth", -tomography["depth"].values, {"positive": "up", "units": "km"})
    )
    upward.to_netcdf("up.nc")
    succeed("kmeans", "up.nc", "-k", "2", "--depth", "-60", "-5")
    assert open_result("up_clusters.nc").dataset["depth"].values.tolist() == list(
        range(-5, -61, -5)
    )


def test_kmeans_fills_gaps_up_to_max_gap(model, succeed):
    assert "504 profiles of 41" in succeed("kmeans", model, "-k", "2", "--max-gap", "20")


def test_kmeans_passes_its_options_on(model, succeed):
    options = ("--metric", "dtw", "--n-init", "2", "--random-state", "7", "--stride", "4")
    succeed("kmeans", model, "-k", "2", "--depth", "0", "40", *options)
    parameters = open_result("model_clusters.nc").parameters
    assert (parameters["metric"], parameters["n_init"]) == ("dtw", 2)
    assert parameters["random_state"] == 7


def test_kmeans_finds_k_and_says_why(model, succeed):
    text = succeed("kmeans", model, "--k-range", "2", "9", "--stride", "2")
    assert (
        "clusters, by the median of the knee of the inertia, Caliński–Harabasz, the eigengap and"
        in text
    )
    assert open_result("model_clusters.nc").dataset.sizes["k"] == 8


def test_kmeans_draws_its_summary(model, succeed, is_png):
    text = succeed("kmeans", model, "-k", "3", "-o", "out.nc", "--plot", "out.png")
    assert "Wrote out.nc\nWrote out.png" in text
    assert is_png("out.png")


def test_kmeans_clusters_several_variables_together(tomography, succeed, refuse):
    tomography.assign(vp=1.8 * tomography["vs"]).to_netcdf("two.nc")
    assert "several variables to cluster: vs, vp" in refuse("kmeans", "two.nc", "-k", "2")
    succeed("kmeans", "two.nc", "-k", "2", "-v", "vs", "-v", "vp")
    assert open_result("two_clusters.nc").parameters["variables"] == ["vs", "vp"]


def test_som_writes_its_nodes(model, succeed):
    options = (
        "--grid",
        "2",
        "3",
        "--algorithm",
        "online",
        "--iterations",
        "500",
        "--sigma",
        "0.5",
        "--learning-rate",
        "0.2",
    )
    succeed("som", model, *options)
    result = open_result("model_clusters.nc")
    assert result.n_clusters == 6
    assert result.parameters["grid_size"] == [2, 3]
    assert result.parameters["n_iterations"] == 500
    assert (result.parameters["sigma"], result.parameters["learning_rate"]) == (0.5, 0.2)


def test_som_merges_nodes_into_clusters(model, succeed, is_png):
    options = ("--grid", "4", "4", "--iterations", "1000", "-k", "3", "--plot", "som.png")
    succeed("som", model, *options)
    assert open_result("model_clusters.nc").n_clusters == 3
    assert is_png("som.png")


def test_som_trains_in_a_batch(model, succeed):
    succeed("som", model, "--grid", "3", "3", "--algorithm", "batch", "--iterations", "20")
    parameters = open_result("model_clusters.nc").parameters
    assert (parameters["algorithm"], parameters["n_iterations"]) == ("batch", 20)


def test_som_refuses_bad_grids(model, refuse):
    assert "grid_size must be a pair of positive integers" in refuse(
        "som", model, "--grid", "0", "3"
    )
    assert "more than the 2 x 2 nodes" in refuse("som", model, "--grid", "2", "2", "-k", "5")


def test_gmm_passes_its_options_on_and_draws(model, succeed, is_png):
    options = ("--covariance", "diag", "--variance-explained", "0.9", "--normalize", "anomaly")
    succeed("gmm", model, "-k", "3", "--n-init", "2", *options, "--plot", "gmm.png")
    result = open_result("model_clusters.nc")
    expected = {"method": "gmm", "covariance": "diag", "variance_explained": 0.9, "n_init": 2}
    assert expected.items() <= result.parameters.items()
    assert result.parameters["normalize"] == "anomaly"
    assert is_png("gmm.png")
    succeed("predict", "model_clusters.nc", model, "-o", "labels.nc")


def test_gmm_takes_components_and_weights(model, succeed):
    succeed("gmm", model, "-k", "3", "--n-components", "2", "--weights", "area")
    expected = {"n_components": 2, "n_init": "auto", "weights": "area"}
    assert expected.items() <= open_result("model_clusters.nc").parameters.items()


def test_gmm_finds_k_and_says_why(model, succeed, refuse):
    text = succeed(
        "gmm", model, "--k-range", "1", "9", "--covariance", "tied", "--depth", "0", "40"
    )
    assert "clusters, by the lowest BIC over k = 1 to 9" in text
    assert "clusters, by the lowest BIC over k = 1 to 9" in succeed("info", "model_clusters.nc")
    said = refuse("gmm", model, "-k", "2", "--k-range", "2", "9")
    assert "--k-range has no effect together with --clusters" in said


def test_sweep_prints_criteria_and_draws(model, succeed, is_png):
    options = (
        "--k-range",
        "2",
        "7",
        "--stride",
        "2",
        "--plot",
        "criteria.png",
        "--maps",
        "maps.png",
    )
    text = succeed("sweep", model, *options)
    best = open_result("model_clusters.nc").n_clusters
    rows = [line.split() for line in text.splitlines() if line[:3].strip().isdigit()]
    assert [int(row[0]) for row in rows[:6]] == [2, 3, 4, 5, 6, 7]
    assert [int(row[0]) for row in rows[:6] if "best," in row] == [best]
    assert is_png("criteria.png")
    assert is_png("maps.png")


@pytest.mark.parametrize("command", ["kmeans", "som"])
def test_commands_pass_weights_and_normalization_on(model, command, succeed):
    options = ["--normalize", "level", "--weights", "area", "--level-weights", "thickness"]
    size = ["--grid", 2, 2, "--algorithm", "batch", "--iterations", 5] if command == "som" else []
    succeed(command, model, *size, "-k", 3, *options, "-o", "weighted.nc")
    found = open_result("weighted.nc")
    asked = {"normalize": "level", "weights": "area", "level_weights": "thickness"}
    assert found.parameters.items() >= asked.items()
    assert "vs_scale" in found.dataset


def test_commands_pass_variable_weights_and_equal_weights_on(tomography, succeed, refuse):
    tomography.assign(vp=1.8 * tomography["vs"])[["vs", "vp"]].to_netcdf("both.nc")
    both = ["both.nc", "-v", "vs", "-v", "vp", "-k", 2, "--depth", 5, 60, "--stride", 4]
    weights = ["--variable-weight", "vp", 2, "--weights", "none"]
    succeed("kmeans", *both, *weights, "-o", "weighted.nc")
    parameters = open_result("weighted.nc").parameters
    assert parameters["variable_weights"] == {"vs": 1.0, "vp": 2.0}
    assert "weights" not in parameters
    said = refuse("kmeans", *both, *weights, "--variable-weight", "vp", 3)
    assert "--variable-weight gives 'vp' more than once" in said


def test_commands_tell_how_stable_clusters_are(model, succeed, refuse):
    told = succeed("kmeans", model, "-k", 3, "--stability", 3, "--block-size", 300, "-o", "sure.nc")
    assert "mean stability" in told
    found = open_result("sure.nc").dataset
    assert found["stability"].attrs["comment"] == "3 samples of blocks of about 300 km"
    said = refuse("kmeans", model, "-k", 3, "--block-size", 300, "-o", "other.nc")
    assert "--block-size has no effect without --stability" in said
    said = refuse("som", model, "--grid", 2, 2, "--stability", 3, "-o", "other.nc")
    assert "--stability cannot be found of single nodes; merge them by --clusters" in said
    said = refuse("kmeans", model, "-k", 3, "--metric", "softdtw", "--stability", 3)
    assert "--stability cannot be found under --metric softdtw; use dtw" in said
    assert "--stability must be at least 2; got 1" in refuse("kmeans", model, "--stability", 1)
    assert not Path("other.nc").exists()


def test_commands_tell_how_stable_clusters_are_under_noise(model, succeed, refuse):
    noisy = ("kmeans", model, "-k", 3, "--stability", 2)
    assert "under noise" in succeed(*noisy, "--noise", 0.01, "-o", "sure.nc")
    found = open_result("sure.nc").dataset["stability_noise"]
    named = succeed(*noisy, "--noise", "vs=0.01", "-o", "same.nc")
    assert "under noise" in named
    assert open_result("same.nc").dataset["stability_noise"].equals(found)
    for text, options in {
        "--noise has no effect without --stability": ("kmeans", model, "--noise", 0.1),
        "--noise must be a number or NAME=NUMBER, such as": (*noisy, "--noise", "vs"),
        "--noise must be finite and above 0; got 0": (*noisy, "--noise", 0),
        "--noise is given several times": (*noisy, "--noise", 0.1, "--noise", 0.2),
        "--noise needs all profiles in memory; leave out --chunks": (
            *noisy,
            *("--noise", 0.1, "--chunks", 5),
        ),
        "is given for 'vp', but the clustered variables are 'vs'": (*noisy, "--noise", "vp=1"),
    }.items():
        assert text in refuse(*options, "-o", "other.nc")
    assert not Path("other.nc").exists()


def test_sweep_finds_the_criteria_that_are_asked_for(model, succeed, refuse, is_png):
    asked = ["--criterion", "gap", "--criterion", "stability", "--block-size", 300]
    told = succeed("sweep", model, "--k-range", 2, 4, *asked, "-o", "swept.nc", "--plot", "c.png")
    for word in ("davies bouldin", "gap error", "stability", "The criteria", "<- best, by"):
        assert word in told
    assert is_png("c.png")
    assert {"sweep_gap", "sweep_stability"} <= set(open_result("swept.nc").dataset)
    succeed("plot", "swept.nc", "--kind", "criteria", "-o", "again.png")
    assert is_png("again.png")
    said = refuse("sweep", model, "--k-range", 2, 4, "--block-size", 300, "-o", "other.nc")
    assert "block_size=300.0 applies to the stability only" in said


def test_demo_clusters_the_tomography_and_tells_the_agreement(folder, succeed, refuse, is_png):
    text = succeed("demo")
    assert "not an observation" in text
    score = float(text.rsplit("adjusted Rand index", 1)[1])
    assert 0.5 < score <= 1
    assert open_result("xvcluster_demo_tomography.nc").n_clusters == 6
    assert is_png("xvcluster_demo_tomography.png")
    assert "exists already" in refuse("demo")


def test_demo_clusters_the_ocean_into_a_folder(folder, succeed, is_png):
    (folder / "sub").mkdir()
    text = succeed("demo", "ocean", "--folder", "sub")
    assert "Levitus" in text
    variables = open_result("sub/xvcluster_demo_ocean.nc").parameters["variables"]
    assert variables == ["temperature", "salinity"]
    assert is_png("sub/xvcluster_demo_ocean.png")


def test_checkpoint_is_kept_and_read_again(store, succeed, refuse):
    options = ("kmeans", store, "-k", "3", "--chunks", "6", "--checkpoint", "fit.npz")
    first = succeed(*options, "-o", "a.nc")
    assert succeed(*options, "-o", "b.nc").replace("b.nc", "a.nc") == first
    assert "belongs to other data or options" in refuse(*options, "--n-init", "2", "-o", "c.nc")


def test_ward_passes_its_options_on(model, succeed, refuse, is_png):
    succeed("ward", model, "-k", "3", "--min-area", "100", "--plot", "ward.png")
    result = open_result("model_clusters.nc")
    expected = {"method": "ward", "contiguous": True, "min_area": 100.0, "n_clusters": 3}
    assert expected.items() <= result.parameters.items()
    assert is_png("ward.png")
    said = succeed("ward", model, "-k", "3", "--anywhere", "--stability", "3", "--overwrite")
    assert "stability" in said
    assert open_result("model_clusters.nc").parameters["contiguous"] is False
    assert "give --anywhere" in refuse("ward", model, "-k", "3", "--stability", "3")


def test_ward_says_which_options_do_not_go_together(model, refuse):
    assert "leave --anywhere out" in refuse("ward", model, "--anywhere", "--min-area", "4")
    assert "leave --chunks out" in refuse("ward", model, "--chunks", "20")
