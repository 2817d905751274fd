import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from xvcluster import consensus, open_result, tutorial
from xvcluster.cli import main
from xvcluster.cli.comparing import _describe_agreement

COMMANDS = "info kmeans som gmm sweep predict match consensus plot boundaries demo".split()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test in a folder of its own, with figures watched."""
    from matplotlib import pyplot as plt

    monkeypatch.chdir(tmp_path)
    plt.close("all")
    yield tmp_path
    assert plt.get_fignums() == [], "the command left figures open"


@pytest.fixture(scope="session")
def tomography():
    """A model of 18 × 28 profiles of 41 levels, with a variable of text and one gap."""
    model = tutorial.tomography(resolution=1)[["vs"]]
    model["vs"][3:5, 0, 0] = np.nan
    return model


@pytest.fixture
def model(tomography, folder):
    tomography.to_netcdf(folder / "model.nc")
    return "model.nc"


@pytest.fixture
def clustered(model):
    succeed("kmeans", model, "-k", "3", "-o", "clusters.nc")
    return "clusters.nc"


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def succeed(*arguments):
    outcome = run(*arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def refuse(*arguments):
    """The one sentence with which a command refuses, after nothing else."""
    outcome = run(*arguments)
    assert outcome.exit_code == 2, outcome.output
    assert isinstance(outcome.exception, SystemExit)
    errors = outcome.stderr.strip().splitlines()
    assert len(errors) == 1, outcome.stderr
    assert errors[0].startswith("Error: ")
    return errors[0]


def is_png(path):
    return Path(path).read_bytes().startswith(b"\x89PNG")


def test_main_helps_without_heavy_imports():
    code = (
        "import sys; from xvcluster.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = {'matplotlib', 'cartopy', 'numba', 'sklearn', 'scipy', 'tslearn', 'kneed'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {command}" in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_help(command):
    assert "Usage: main" in succeed(command, "--help")


def test_main_tells_its_version():
    assert "version" in succeed("--version")


def test_errors_are_plain_outside_of_python(folder):
    (folder / "text.nc").write_text("not NetCDF")
    command = [sys.executable, "-c", "from xvcluster.cli import main; main()"]
    arguments = ["kmeans", "text.nc"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "Error: 'text.nc' cannot be read as NetCDF: NetCDF: Unknown file format\n"


def test_info_describes_coordinates_and_variables(model):
    lines = [" ".join(line.split()) for line in succeed("info", model).splitlines()]
    assert "vertical depth km 0 to 200, 41 values every 5, positive down" in lines
    assert "latitude latitude degrees_north 32 to 49, 18 values every 1" in lines
    assert "longitude longitude degrees_east -128 to -101, 28 values every 1" in lines
    assert "vs (depth, latitude, longitude) km/s <0.1% missing" in lines
    assert "vs 503 profiles of 41 levels; left out: 1 incomplete" in lines
    assert not Path("model_clusters.nc").exists()


def test_info_shows_directions_of_axes(tomography):
    upward = tomography.isel(longitude=slice(None, None, -1))
    upward = upward.assign_coords(depth=("depth", -tomography["depth"].values, {"positive": "up"}))
    upward.to_netcdf("up.nc")
    text = " ".join(succeed("info", "up.nc").split())
    assert "depth no units 0 to -200, 41 values every 5, positive up" in text
    assert "longitude degrees_east -101 to -128, 28" in text


def test_info_finds_a_repeated_seam():
    lon = np.linspace(-180, 180, 13)
    values = np.random.default_rng(0).normal(size=(3, 4, 13))
    values[..., -1] = values[..., 0]
    coords = {"depth": [0, 1, 5], "lat": [-30, 0, 30, 60], "lon": lon}
    xr.Dataset({"t": (tuple(coords), values)}, coords).to_netcdf("globe.nc")
    text = succeed("info", "globe.nc")
    assert "first column repeated at the seam" in text
    assert "48 profiles of 3 levels" in text
    assert "t: 48 profiles of 3 levels\n" in succeed("kmeans", "globe.nc", "-k", "2")
    assert "0 to 5, 3 values unevenly spaced" in text


def test_info_lists_variables_to_choose_from(tomography):
    two = tomography.assign(vp=1.8 * tomography["vs"], name=("latitude", ["a"] * 18))
    two.to_netcdf("two.nc")
    text = succeed("info", "two.nc")
    assert "not numeric" in text
    assert "--variable selects one" in text
    assert "vs, vp  503 profiles" in succeed("info", "two.nc", "-v", "vs", "-v", "vp")


def test_info_describes_curvilinear_grids():
    y, x = np.mgrid[0:4, 0:5]
    coords = {"lat": (("y", "x"), 40 + y + 0.1 * x), "lon": (("y", "x"), -120 + x - 0.1 * y)}
    values = np.random.default_rng(0).normal(size=(3, 4, 5))
    xr.Dataset({"vs": (("z", "y", "x"), values)}, coords).to_netcdf("curved.nc")
    text = succeed("info", "curved.nc")
    assert "40 to 43.4 on (y, x)" in text
    assert "20 profiles of 3 levels" in text


def test_info_says_what_is_not_clear(tomography):
    tomography.rename(depth="thing").drop_attrs().to_netcdf("unclear.nc")
    text = succeed("info", "unclear.nc")
    assert "ambiguous: no vertical dimension found" in text
    assert "nothing: no vertical dimension found" in text
    assert "503 profiles of 41 levels" in succeed("info", "unclear.nc", "--dim", "thing")


def test_info_describes_a_result(clustered):
    text = succeed("info", clustered)
    assert "A result of xvcluster: k-means of vs: 503 profiles of 41 levels" in text
    assert text.splitlines()[-1].split()[0] == "3"


def test_info_of_a_file_without_numbers():
    xr.Dataset({"name": ("station", ["a", "b"])}).to_netcdf("names.nc")
    assert "nothing" in succeed("info", "names.nc")
    assert "no numeric variable; it has name" in refuse("kmeans", "names.nc")


def test_kmeans_writes_a_result_and_prints_its_table(model, tomography):
    text = succeed("kmeans", model, "-k", "4", "--depth", "5", "60", "--stride", "2")
    assert "Wrote model_clusters.nc" in text
    assert "vs: 125 profiles of 12 levels; left out: 1 incomplete" in text
    assert len([line for line in text.splitlines() if line.strip()[:1].isdigit()]) == 4
    result = open_result("model_clusters.nc")
    assert result.n_clusters == 4
    assert result.dataset.attrs["title"] == tomography.attrs["title"]
    assert result.dataset.attrs["source"] == "model.nc"


def test_kmeans_gives_what_the_library_gives(model, tomography):
    succeed("kmeans", model, "-k", "3", "--depth", "5", "60", "--dz", "2", "--stride", "3")
    prepared = tomography["vs"].vcluster.prepare(depth=(5, 60), dz=2, stride=3)
    expected = prepared.vcluster.kmeans(3).labels
    xr.testing.assert_equal(open_result("model_clusters.nc").labels, expected)


def test_kmeans_takes_negative_depths(tomography):
    upward = tomography.assign_coords(
        depth=("depth", -tomography["depth"].values, {"positive": "up", "units": "km"})
    )
    upward.to_netcdf("up.nc")
    succeed("kmeans", "up.nc", "-k", "2", "--depth", "-60", "-5")
    assert open_result("up_clusters.nc").dataset["depth"].values.tolist() == list(
        range(-5, -61, -5)
    )


def test_kmeans_fills_gaps_up_to_max_gap(model):
    assert "504 profiles of 41" in succeed("kmeans", model, "-k", "2", "--max-gap", "20")


def test_kmeans_passes_its_options_on(model):
    options = ("--metric", "dtw", "--n-init", "2", "--random-state", "7", "--stride", "4")
    succeed("kmeans", model, "-k", "2", "--depth", "0", "40", *options)
    parameters = open_result("model_clusters.nc").parameters
    assert (parameters["metric"], parameters["n_init"]) == ("dtw", 2)
    assert parameters["random_state"] == 7


def test_kmeans_finds_k_and_says_why(model):
    text = succeed("kmeans", model, "--k-range", "2", "9", "--stride", "2")
    assert "clusters, by the knee of the inertia over k = 2 to 9" in text
    assert open_result("model_clusters.nc").dataset.sizes["k"] == 8


def test_kmeans_draws_its_summary(model):
    text = succeed("kmeans", model, "-k", "3", "-o", "out.nc", "--plot", "out.png")
    assert "Wrote out.nc\nWrote out.png" in text
    assert is_png("out.png")


def test_kmeans_clusters_several_variables_together(tomography):
    tomography.assign(vp=1.8 * tomography["vs"]).to_netcdf("two.nc")
    assert "several variables to cluster: vs, vp" in refuse("kmeans", "two.nc", "-k", "2")
    succeed("kmeans", "two.nc", "-k", "2", "-v", "vs", "-v", "vp")
    assert open_result("two_clusters.nc").parameters["variables"] == ["vs", "vp"]


def test_kmeans_prefers_the_variable_with_a_vertical(tomography):
    surface = tomography["vs"].isel(depth=0, drop=True)
    tomography.assign(topography=surface).to_netcdf("with_map.nc")
    succeed("kmeans", "with_map.nc", "-k", "2")
    assert open_result("with_map_clusters.nc").parameters["variables"] == ["vs"]


def test_kmeans_shows_warnings_as_plain_lines(tomography):
    filled = tomography.fillna(99999.0).drop_encoding()
    filled.to_netcdf("filled.nc", encoding={"vs": {"_FillValue": None}})
    outcome = run("kmeans", "filled.nc", "-k", "2", "--stride", "2")
    assert outcome.exit_code == 0
    (line,) = outcome.stderr.strip().splitlines()
    assert line.startswith("Warning: 2 of ")
    assert "99999" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.nc"], "there is no file 'missing.nc'"),
        (["text.nc"], "'text.nc' cannot be read as NetCDF"),
        (["model.nc", "-v", "vx"], "no variable 'vx'; it has vs"),
        (["model.nc", "-k", "0"], "n_clusters must be at least 1; got 0"),
        (["model.nc", "-k", "1000"], "n_clusters=1000 is more than the distinct profiles"),
        (["model.nc", "--depth", "300", "400"], "300 to 400 km misses the data.*0 to 200 km"),
        (["model.nc", "--dz", "-1"], "dz must be .*above 0"),
        (["model.nc", "--stride", "0"], "stride must be at least 1"),
        (["model.nc", "--n-init", "0"], "n_init must be at least 1"),
        (["model.nc", "--dim", "height"], "dim='height' is not a dimension"),
        (["model.nc", "-k", "2", "--k-range", "2", "5"], "give one of them"),
        (["model.nc", "--k-range", "5", "2"], "--k-range is 5 2"),
        (["model.nc", "-o", "nowhere/out.nc"], "the folder 'nowhere' does not exist"),
        (["model.nc", "-o", "."], "'.' is a folder"),
        (["model.nc", "-o", "model.nc", "--overwrite"], "is an input of this command"),
        (["model.nc", "-o", "out.png", "--plot", "out.png"], "given for two outputs"),
        (["model.nc", "--plot", "out.xyz"], "cannot be written as 'out.xyz'; its name must end in"),
    ],
)
def test_kmeans_refuses_bad_input_in_one_sentence(model, arguments, message):
    Path("text.nc").write_text("not NetCDF")
    before = Path(model).read_bytes()
    with pytest.raises(ValueError, match=message):
        raise ValueError(refuse("kmeans", *arguments))
    assert Path(model).read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["model.nc", "text.nc"]


def test_kmeans_refuses_a_variable_that_is_not_numeric(tomography):
    tomography.assign(name=("latitude", ["a"] * 18)).to_netcdf("named.nc")
    assert "'name' is not numeric" in refuse("kmeans", "named.nc", "-v", "name", "-k", "2")


def test_kmeans_refuses_a_damaged_file(tomography):
    tomography.to_netcdf("whole.nc", encoding={"vs": {"zlib": True}})
    whole = Path("whole.nc").read_bytes()
    middle = len(whole) // 2
    Path("cut.nc").write_bytes(whole[:middle])
    assert "'cut.nc' cannot be read as NetCDF" in refuse("kmeans", "cut.nc", "-k", "2")
    Path("hurt.nc").write_bytes(whole[:middle] + bytes(5000) + whole[middle + 5000 :])
    assert "'hurt.nc' is damaged" in refuse("kmeans", "hurt.nc", "-k", "2")
    assert "'hurt.nc' is damaged" in refuse("info", "hurt.nc")


def test_kmeans_refuses_an_option_of_the_wrong_type(model):
    outcome = run("kmeans", model, "-k", "six")
    assert outcome.exit_code == 2
    assert "'six' is not a valid integer" in outcome.stderr


@pytest.mark.parametrize(
    ("window", "parsed"), [("2", 2), ("2.0", 2.0), ("12.5", 12.5), ("1e1", 10.0)]
)
@pytest.mark.parametrize("command", ["kmeans", "sweep"])
def test_window_counts_levels_or_is_a_distance(model, command, window, parsed):
    options = ("--metric", "dtw", "--n-init", "1", "--stride", "6", "--depth", "0", "60")
    k = ("-k", "2") if command == "kmeans" else ("--k-range", "2", "3")
    succeed(command, model, *k, *options, "--window", window)
    found = open_result("model_clusters.nc").parameters["window"]
    assert (found, type(found)) == (parsed, type(parsed))


def test_kmeans_refuses_a_window_that_is_none(model):
    assert "window=2 applies to metric='dtw' only" in refuse("kmeans", model, "--window", "2")
    outcome = run("kmeans", model, "--metric", "dtw", "--window", "wide")
    assert outcome.exit_code == 2
    assert "'wide' is not a number; write 3 for three levels" in outcome.stderr


def test_sweep_refuses_one_figure_in_two_spellings(model):
    figures = ("--plot", "a.png", "--maps", Path.cwd() / "a.png")
    assert "is given for two outputs" in refuse("sweep", model, *figures)


@pytest.mark.parametrize("existing", ["out.nc", "out.png"])
def test_kmeans_keeps_an_existing_file_unless_told(model, existing):
    Path(existing).write_text("precious")
    arguments = ("kmeans", model, "-k", "2", "-o", "out.nc", "--plot", "out.png")
    message = f"{existing} exists already; choose another name, or add --overwrite"
    assert message in refuse(*arguments)
    assert Path(existing).read_text() == "precious"
    assert len(list(Path().iterdir())) == 2
    succeed(*arguments, "--overwrite")
    assert open_result("out.nc").n_clusters == 2
    assert is_png("out.png")


def test_som_writes_its_nodes(model):
    options = (
        "--grid",
        "2",
        "3",
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


def test_som_prints_the_first_and_last_of_many_nodes(model):
    text = succeed("som", model, "--grid", "7", "7", "--iterations", "500")
    assert "... 9 more ..." in text
    assert text.splitlines()[-3].split()[0] == "49"


def test_som_merges_nodes_into_clusters(model):
    options = ("--grid", "4", "4", "--iterations", "1000", "-k", "3", "--plot", "som.png")
    succeed("som", model, *options)
    assert open_result("model_clusters.nc").n_clusters == 3
    assert is_png("som.png")


def test_som_trains_in_a_batch(model):
    succeed("som", model, "--grid", "3", "3", "--algorithm", "batch", "--iterations", "20")
    parameters = open_result("model_clusters.nc").parameters
    assert (parameters["algorithm"], parameters["n_iterations"]) == ("batch", 20)


def test_som_refuses_bad_grids(model):
    assert "grid_size must be a pair of positive integers" in refuse(
        "som", model, "--grid", "0", "3"
    )
    assert "more than the 2 x 2 nodes" in refuse("som", model, "--grid", "2", "2", "-k", "5")


def test_gmm_passes_its_options_on_and_draws(model):
    options = ("--covariance", "diag", "--variance-explained", "0.9", "--normalize", "anomaly")
    succeed("gmm", model, "-k", "3", "--n-init", "2", *options, "--plot", "gmm.png")
    result = open_result("model_clusters.nc")
    expected = {"method": "gmm", "covariance": "diag", "variance_explained": 0.9, "n_init": 2}
    assert expected.items() <= result.parameters.items()
    assert result.parameters["normalize"] == "anomaly"
    assert is_png("gmm.png")
    succeed("predict", "model_clusters.nc", model, "-o", "labels.nc")


def test_gmm_finds_k_and_says_why(model):
    text = succeed(
        "gmm", model, "--k-range", "1", "9", "--covariance", "tied", "--depth", "0", "40"
    )
    assert "clusters, by the lowest BIC over k = 1 to 9" in text
    assert "clusters, by the lowest BIC over k = 1 to 9" in succeed("info", "model_clusters.nc")
    said = refuse("gmm", model, "-k", "2", "--k-range", "2", "9")
    assert "--k-range has no effect together with --clusters" in said


def test_sweep_prints_criteria_and_draws(model):
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


def test_predict_writes_labels_as_integers(clustered, model):
    text = succeed("predict", clustered, model, "-o", "labels.nc", "--plot", "labels.png")
    assert "503 of 504 points labelled" in text
    assert is_png("labels.png")
    expected = open_result(clustered).labels
    xr.testing.assert_equal(xr.load_dataset("labels.nc")["label"], expected)
    raw = xr.load_dataset("labels.nc", mask_and_scale=False)["label"]
    assert raw.dtype == np.int16
    assert raw.attrs["_FillValue"] == -1
    assert raw.values.min() == -1
    assert raw.attrs["flag_meanings"] == "cluster_1 cluster_2 cluster_3"


def test_predict_takes_the_result_s_variables_from_many(clustered, tomography):
    tomography.assign(vp=1.8 * tomography["vs"]).to_netcdf("two.nc")
    succeed("predict", clustered, "two.nc")
    expected = open_result(clustered).labels
    xr.testing.assert_equal(xr.load_dataset("two_labels.nc")["label"], expected)


def test_predict_keeps_an_existing_file(clustered, model):
    Path("model_labels.nc").write_text("precious")
    assert "exists already" in refuse("predict", clustered, model)
    assert Path("model_labels.nc").read_text() == "precious"


def test_predict_refuses_what_does_not_fit(clustered, model, tomography):
    assert "model.nc is not a result of xvcluster" in refuse("predict", model, model)
    tomography.sel(depth=slice(0, 50)).to_netcdf("shallow.nc")
    assert "cover only 0 to 50 km" in refuse("predict", clustered, "shallow.nc")


@pytest.mark.parametrize("kind", ["map", "profiles", "summary"])
def test_plot_draws_a_result(clustered, kind):
    assert f"Wrote clusters_{kind}.png" in succeed("plot", clustered, "--kind", kind, "--dpi", "50")
    assert is_png(f"clusters_{kind}.png")


def test_plot_writes_the_format_of_the_name(clustered):
    succeed("plot", clustered, "--kind", "map", "-o", "map.pdf")
    assert Path("map.pdf").read_bytes().startswith(b"%PDF")


def test_plot_draws_a_som(model):
    succeed("som", model, "--grid", "3", "3", "--iterations", "500")
    succeed("plot", "model_clusters.nc", "--kind", "som", "--dpi", "50")
    assert is_png("model_clusters_som.png")


def test_plot_draws_the_criteria_if_a_sweep_chose_k(model, clustered):
    succeed("kmeans", model, "--k-range", "2", "8", "--stride", "2")
    succeed("plot", "model_clusters.nc", "--kind", "criteria", "--dpi", "50")
    assert is_png("model_clusters_criteria.png")
    assert "contains no sweep" in refuse("plot", clustered, "--kind", "criteria")


@pytest.mark.parametrize("command", ["kmeans", "som"])
def test_commands_pass_weights_and_normalization_on(model, command):
    options = ["--normalize", "level", "--weights", "area", "--level-weights", "thickness"]
    size = ["--grid", 2, 2, "--algorithm", "batch", "--iterations", 5] if command == "som" else []
    succeed(command, model, *size, "-k", 3, *options, "-o", "weighted.nc")
    found = open_result("weighted.nc")
    asked = {"normalize": "level", "weights": "area", "level_weights": "thickness"}
    assert found.parameters.items() >= asked.items()
    assert "vs_scale" in found.dataset


def test_commands_tell_how_stable_clusters_are(model):
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


def test_sweep_finds_the_criteria_that_are_asked_for(model):
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


def test_match_renumbers_to_agree_with_a_reference(clustered, model):
    succeed("kmeans", model, "-k", 2, "-o", "two.nc")
    told = succeed("match", "two.nc", clustered, "--plot", "matched.png")
    assert "Agreement: adjusted Rand 0." in told
    found, reference = open_result("two_matched.nc"), open_result(clustered)
    xr.testing.assert_identical(found.dataset, open_result("two.nc").match(reference).dataset)
    assert found.n_clusters == 3
    assert is_png("matched.png")
    assert "two_matched.nc" in refuse("match", "two.nc", clustered)


def test_consensus_counts_models(clustered, model):
    succeed("kmeans", model, "-k", 3, "--normalize", "level", "-o", "other.nc")
    told = succeed("consensus", clustered, "other.nc", "--plot", "votes.png", "--cluster", 2)
    assert "Mean agreement of 2 models: " in told
    assert "by area, where two or more have a label" in told
    votes = xr.load_dataset("consensus.nc")["votes"]
    assert votes.sizes == {"cluster": 3, "latitude": 18, "longitude": 28}
    assert set(np.unique(votes)) <= {0, 1, 2}
    assert is_png("votes.png")
    succeed("consensus", clustered, "other.nc", "--grid", 2, "-o", "global.nc")
    assert xr.load_dataset("global.nc")["votes"].sizes == {
        "cluster": 3,
        "latitude": 90,
        "longitude": 180,
    }


def test_consensus_tells_the_agreement_by_area_of_points_with_several_models():
    labels = xr.DataArray(
        [[1.0, 2.0, 1.0, 2.0]], {"lat": [0.0], "lon": [0.0, 1.0, 2.0, 3.0]}, ("lat", "lon")
    )
    tall = xr.concat([labels, labels.assign_coords(lat=[60.0])], "lat")
    # at 60 degrees both disagree in half of the points; one in four has a single model
    other = tall.copy(data=[[1.0, 2.0, 1.0, np.nan], [2.0, 2.0, 2.0, np.nan]])
    said = _describe_agreement(consensus([tall, other]), 2)
    weights = np.sin(np.radians([30.0, 90.0])) - np.sin(np.radians([-30.0, 30.0]))
    expected = np.average([1.0, (0.5 + 1.0 + 0.5) / 3], weights=weights)
    assert (
        said
        == f"Mean agreement of 2 models: {expected:.0%} by area, where two or more have a label"
    )


def test_consensus_says_where_no_point_has_several_models():
    whole = xr.DataArray(
        [[1.0, 1.0, 2.0, 2.0]], {"lat": [0.0], "lon": [0.0, 1.0, 2.0, 3.0]}, ("lat", "lon")
    )
    west, east = whole.where(whole["lon"] < 2), whole.where(whole["lon"] > 1)
    said = _describe_agreement(consensus([west, east], reference=whole), 2)
    assert said == "No point has a label of more than one of the 2 models"


def test_consensus_counts_the_clusters_of_a_reference(clustered, model):
    succeed("kmeans", model, "-k", 2, "-o", "two.nc")
    succeed("kmeans", model, "-k", 4, "-o", "four.nc")
    succeed("consensus", clustered, "two.nc", "--reference", "four.nc")
    found = xr.load_dataset("consensus.nc")
    results = {name: open_result(name) for name in (clustered, "two.nc")}
    expected = consensus(results, reference=open_result("four.nc"))
    xr.testing.assert_equal(found, expected)
    assert found.sizes["cluster"] == 4


def test_consensus_never_writes_over_its_reference(clustered):
    Path("other.nc").write_bytes(Path(clustered).read_bytes())
    Path("third.nc").write_bytes(Path(clustered).read_bytes())
    options = ["--reference", "third.nc", "-o", "third.nc", "--overwrite"]
    said = refuse("consensus", clustered, "other.nc", *options)
    assert "third.nc is an input of this command" in said


def test_consensus_refuses_what_it_cannot_count_or_draw(clustered):
    assert "requires the results of two or more models; got 0" in refuse("consensus")
    assert "requires the results of two or more models; got 1" in refuse("consensus", clustered)
    Path("other.nc").write_bytes(Path(clustered).read_bytes())
    drawn = ["--plot", "votes.png", "--cluster", 9]
    said = refuse("consensus", clustered, "other.nc", *drawn)
    assert "there is no cluster 9 to draw; choose one of 1, 2, 3" in said
    assert "clusters.nc is given twice" in refuse("consensus", clustered, clustered)
    assert not Path("consensus.nc").exists()


def test_plot_keeps_an_existing_file(clustered):
    Path("clusters_map.png").write_text("precious")
    assert "exists already" in refuse("plot", clustered, "--kind", "map")
    assert Path("clusters_map.png").read_text() == "precious"
    succeed("plot", clustered, "--kind", "map", "--dpi", "50", "--overwrite")
    assert is_png("clusters_map.png")


def test_plot_refuses_what_is_no_result(clustered, model):
    assert "is not a result of xvcluster" in refuse("plot", model)
    assert "there is no file" in refuse("plot", "missing.nc")
    assert "cannot be written as" in refuse("plot", clustered, "-o", "clusters.txt")
    assert "has no nodes" in refuse("plot", clustered, "--kind", "som")


@pytest.mark.parametrize("dpi", ["9", "2401", "100000"])
def test_plot_limits_dpi(clustered, dpi):
    outcome = run("plot", clustered, "--dpi", dpi)
    assert outcome.exit_code == 2
    assert f"{dpi} is not in the range 10<=x<=2400" in outcome.stderr


@pytest.mark.parametrize("error", [MemoryError("Unable to allocate 75 GiB"), OverflowError()])
def test_commands_say_what_needs_too_much_memory(model, monkeypatch, error):
    def som(*_, **__):
        raise error

    monkeypatch.setattr("xvcluster.som", som)
    said = refuse("som", model, "--grid", "100000", "100000")
    assert "needs more memory than is available" in said
    assert str(error) in said
    assert "reduce the given numbers" in said


@pytest.mark.parametrize("lacking", ["method", "parameters"])
def test_commands_refuse_a_damaged_result(clustered, model, lacking):
    dataset = xr.load_dataset(clustered)
    del dataset.attrs[lacking]
    dataset.to_netcdf("damaged.nc")
    for arguments in (["info"], ["plot"], ["predict"]):
        files = ["damaged.nc", model] if arguments == ["predict"] else ["damaged.nc"]
        assert f"lacks the attribute '{lacking}'" in refuse(*arguments, *files)


def test_demo_clusters_the_tomography_and_tells_the_agreement(folder):
    text = succeed("demo")
    assert "not an observation" in text
    score = float(text.rsplit("adjusted Rand index", 1)[1])
    assert 0.5 < score <= 1
    assert open_result("xvcluster_demo_tomography.nc").n_clusters == 6
    assert is_png("xvcluster_demo_tomography.png")
    assert "exists already" in refuse("demo")


def test_demo_clusters_the_ocean_into_a_folder(folder):
    (folder / "sub").mkdir()
    text = succeed("demo", "ocean", "--folder", "sub")
    assert "Levitus" in text
    variables = open_result("sub/xvcluster_demo_ocean.nc").parameters["variables"]
    assert variables == ["temperature", "salinity"]
    assert is_png("sub/xvcluster_demo_ocean.png")


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("emc_pnw10-s.nc", ["--stride", "4"], "5,777 profiles of 41 levels"),
        ("emc_wus-sh-2010.nc", ["-v", "dvs", "--stride", "4"], "dvs  11,346 profiles"),
        ("tpw_201910.nc", ["-v", "precipitable_water", "--stride", "4"], "9,678 invalid"),
        ("levitus_1deg.nc", ["-v", "TEMP", "--depth", "0", "1000"], "35,281 incomplete"),
    ],
)
def test_commands_work_on_real_files(shared_data, name, arguments, expected):
    assert expected in succeed("info", shared_data / name)
    succeed("kmeans", shared_data / name, "-k", "3", *arguments)
    assert open_result(f"{Path(name).stem}_clusters.nc").n_clusters == 3


@pytest.fixture
def store(tomography):
    """The model as a Zarr store."""
    tomography.chunk(latitude=5, longitude=9).to_zarr("model.zarr", consolidated=False)
    return "model.zarr"


@pytest.mark.parametrize("chunks", ["auto", "4"])
@pytest.mark.parametrize("source", ["model", "store"])
def test_chunks_give_the_labels_of_a_whole_file(clustered, source, chunks, request):
    file = request.getfixturevalue(source)
    succeed("kmeans", file, "-k", "3", "--chunks", chunks, "-o", "clusters.zarr")
    found = open_result("clusters.zarr").labels
    assert found.chunks is not None
    np.testing.assert_array_equal(found, open_result(clustered).labels)


def test_predict_in_chunks_writes_and_counts_labels(clustered, store):
    text = succeed("predict", clustered, store, "--chunks", "6", "-o", "labels.zarr")
    assert "503 of 504 points labelled" in text
    written = xr.open_zarr("labels.zarr", consolidated=False)["label"]
    np.testing.assert_array_equal(written, open_result(clustered).labels)


def test_info_tells_of_stores_and_of_results_in_them(store):
    assert "503 profiles of 41 levels" in succeed("info", store)
    succeed("kmeans", store, "-k", "2", "-o", "two.zarr")
    assert "A result of xvcluster: k-means" in succeed("info", "two.zarr")


def test_checkpoint_is_kept_and_read_again(store):
    options = ("kmeans", store, "-k", "3", "--chunks", "6", "--checkpoint", "fit.npz")
    first = succeed(*options, "-o", "a.nc")
    assert succeed(*options, "-o", "b.nc").replace("b.nc", "a.nc") == first
    assert "belongs to other data or options" in refuse(*options, "--n-init", "2", "-o", "c.nc")


@pytest.mark.parametrize("output", ["model.zarr", "model.zarr/inside.nc", "fit.npz"])
def test_what_is_read_is_never_written_over(store, output):
    options = ("--checkpoint", "fit.npz", "--overwrite")
    assert "cannot be its output" in refuse("kmeans", store, "-k", "2", *options, "-o", output)
    assert xr.open_zarr(store, consolidated=False)["vs"].notnull().any()


def test_chunks_are_auto_or_a_number(store):
    outcome = run("kmeans", store, "--chunks", "some")
    assert outcome.exit_code == 2
    assert "neither 'auto' nor a number of points" in outcome.stderr
