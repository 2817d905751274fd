import os
import subprocess
import sys

import numpy as np
import pytest

from xvcluster import open_result

COMMANDS = "info kmeans som gmm ward sweep predict match consensus plot boundaries demo".split()


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
def test_commands_have_help(command, succeed):
    assert "Usage: main" in succeed(command, "--help")


def test_main_tells_its_version(succeed):
    assert "version" in succeed("--version")


def test_errors_are_plain_outside_of_python(folder):
    (folder / "text.nc").write_text("not NetCDF")
    command = [sys.executable, "-c", "from xvcluster.cli import main; main()"]
    arguments = ["kmeans", "text.nc"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "Error: 'text.nc' cannot be read as NetCDF or Zarr: it is text\n"


def test_kmeans_shows_warnings_as_plain_lines(tomography, run):
    filled = tomography.fillna(99999.0).drop_encoding()
    filled.to_netcdf("filled.nc", encoding={"vs": {"_FillValue": None}})
    outcome = run("kmeans", "filled.nc", "-k", "2", "--stride", "2")
    assert outcome.exit_code == 0
    (line,) = outcome.stderr.strip().splitlines()
    assert line.startswith("Warning: 2 of ")
    assert "99999" in line


def test_kmeans_refuses_an_option_of_the_wrong_type(model, run):
    outcome = run("kmeans", model, "-k", "six")
    assert outcome.exit_code == 2
    assert "'six' is not a valid integer" in outcome.stderr


@pytest.mark.parametrize(
    ("option", "given", "parsed"),
    [("window", "2", 2), ("window-depth", "2", 2.0), ("window-depth", "1.25e1", 12.5)],
)
@pytest.mark.parametrize("command", ["kmeans", "sweep"])
def test_window_counts_levels_or_is_a_distance(model, command, option, given, parsed, succeed):
    options = ("--metric", "dtw", "--n-init", "1", "--stride", "6", "--depth", "0", "60")
    k = ("-k", "2") if command == "kmeans" else ("--k-range", "2", "3")
    succeed(command, model, *k, *options, f"--{option}", given)
    found = open_result("model_clusters.nc").parameters[option.replace("-", "_")]
    assert (found, type(found)) == (parsed, type(parsed))


def test_window_that_is_no_integer_is_a_distance_with_a_warning(model, run):
    options = ("-k", "2", "--metric", "dtw", "--n-init", "1", "--stride", "6", "--depth", "0", "60")
    outcome = run("kmeans", model, *options, "--window", "12.5")
    assert outcome.exit_code == 0
    assert "Warning: window=12.5 is taken as a distance" in outcome.stderr
    assert open_result("model_clusters.nc").parameters["window_depth"] == 12.5


def test_kmeans_refuses_a_window_that_is_none(model, run, refuse):
    assert "window=2 applies to metric='dtw' only" in refuse("kmeans", model, "--window", "2")
    outcome = run("kmeans", model, "--metric", "dtw", "--window", "wide")
    assert outcome.exit_code == 2
    assert "'wide' is not a number of levels, such as 3; give a distance" in outcome.stderr


@pytest.mark.parametrize("error", [MemoryError("Unable to allocate 75 GiB"), OverflowError()])
def test_commands_say_what_needs_too_much_memory(model, monkeypatch, error, refuse):
    def som(*_, **__):
        raise error

    monkeypatch.setattr("xvcluster.som", som)
    said = refuse("som", model, "--grid", "100000", "100000")
    assert "needs more memory than is available" in said
    assert str(error) in said
    assert "reduce the given numbers" in said


def test_chunks_are_auto_or_a_number(store, run):
    outcome = run("kmeans", store, "--chunks", "some")
    assert outcome.exit_code == 2
    assert "neither 'auto' nor a number of points" in outcome.stderr


@pytest.fixture(scope="module")
def prepared(tomography, tmp_path_factory):
    """A folder with models, results and other things to be mistaken for each other."""
    folder = tmp_path_factory.mktemp("mistakes")
    coarse = tomography.isel(latitude=slice(None, None, 3), longitude=slice(None, None, 3))
    coarse.to_netcdf(folder / "model.nc")
    coarse.assign(vp=coarse["vs"] * 2).to_netcdf(folder / "two.nc")
    coarse.isel(depth=0, drop=True).to_netcdf(folder / "raster.nc")
    coarse.where(False).to_netcdf(folder / "missing.nc")
    coarse.isel(depth=slice(3)).to_netcdf(folder / "shallow.nc")
    result = coarse.vcluster.kmeans(3)
    result.to_netcdf(folder / "result.nc")
    coarse.vcluster.som((2, 2), algorithm="online", n_iterations=100).to_netcdf(folder / "som.nc")
    result.labels.to_netcdf(folder / "labels.nc")
    times = coarse.expand_dims(time=np.array(["2000-01-01", "2000-02-01"], "M8[ns]"))
    times.vcluster.kmeans(2).to_netcdf(folder / "times.nc")
    (folder / "text.nc").write_text("hello")
    (folder / "junk.npz").write_bytes(b"junk")
    (folder / "folder").mkdir()
    (folder / "folder.nc").mkdir()
    (folder / "other.zarr").mkdir()
    (folder / "other.zarr" / "precious").write_text("keep")
    os.mkfifo(folder / "pipe")
    return folder


MISTAKES = """
kmeans
kmeans nowhere.nc
kmeans text.nc
kmeans folder
kmeans folder.nc
kmeans pipe
kmeans result.nc
kmeans labels.nc -v none
kmeans missing.nc -k 2
kmeans two.nc
kmeans model.nc -v none
kmeans model.nc -k 0
kmeans model.nc -k -3
kmeans model.nc -k 1000000
kmeans model.nc -k 2.5
kmeans model.nc -k 2 --metric cosine
kmeans model.nc -k 2 --metric softdtw --weights area
kmeans model.nc -k 2 --window 3
kmeans model.nc -k 2 --metric dtw --window -1
kmeans model.nc -k 2 --metric dtw --window nan
kmeans model.nc -k 2 --depth nan 5
kmeans model.nc -k 2 --depth inf inf
kmeans model.nc -k 2 --depth -60 -5
kmeans model.nc -k 2 --depth 5
kmeans model.nc -k 2 --dz 0
kmeans model.nc -k 2 --dz nan
kmeans model.nc -k 2 --dz 1e-9
kmeans model.nc -k 2 --dz 1e9
kmeans model.nc -k 2 --stride 0
kmeans model.nc -k 2 --max-gap -1
kmeans model.nc -k 2 --n-init 0
kmeans model.nc -k 2 --random-state -1
kmeans model.nc -k 2 --dim none
kmeans model.nc -k 2 --chunks 0
kmeans model.nc -k 2 --chunks 4 --checkpoint junk.npz
kmeans model.nc -k 2 --chunks 4 --checkpoint folder
kmeans model.nc -k 2 --chunks 4 --checkpoint none/fit.npz
kmeans model.nc -k 2 --stability 1
kmeans model.nc -k 2 --stability 3 --block-size nan
kmeans model.nc -k 2 --block-size 100
kmeans model.nc -k 2 --k-range 2 3
kmeans model.nc --k-range 5 2
kmeans model.nc --k-range 2 1000000
kmeans model.nc -k 2 -o none/out.nc
kmeans model.nc -k 2 -o folder
kmeans model.nc -k 2 -o folder.nc --overwrite
kmeans model.nc -k 2 -o model.nc --overwrite
kmeans model.nc -k 2 -o other.zarr --overwrite
kmeans model.nc -k 2 -o pipe --overwrite
kmeans model.nc -k 2 -o result.nc
kmeans model.nc -k 2 -o out.png
kmeans model.nc -k 2 --plot out.xyz
kmeans model.nc -k 2 --plot out
kmeans model.nc -k 2 --plot none/out.png
kmeans model.nc -k 2 --plot folder
kmeans model.nc -k 2 -o a.nc --plot a.nc
kmeans model.nc -k 2 --time 2000
kmeans model.nc -k 2 --plot out.png --time 2000
som model.nc --grid 0 2
som model.nc --grid 2
som model.nc --grid 100000 100000
som model.nc --grid 2 2 -k 5
som model.nc --grid 2 2 --sigma 0
som model.nc --grid 2 2 --algorithm online --learning-rate nan
som model.nc --grid 2 2 --iterations 0
som model.nc --grid 2 2 --algorithm batch --learning-rate 0.5
som model.nc --grid 2 2 --algorithm online --weights area
som model.nc --grid 2 2 --stability 3
gmm model.nc -k 0
gmm model.nc -k 1000000
gmm model.nc --covariance round
gmm model.nc --variance-explained 2
gmm model.nc -k 2 --normalize none
gmm model.nc -k 2 --n-init 0
sweep model.nc --k-range 2 3 --criterion none
sweep model.nc --k-range 2 3 --maps out.xyz
sweep model.nc --k-range 2 3 --block-size 3
predict result.nc
predict model.nc model.nc
predict labels.nc model.nc
predict result.nc result.nc
predict result.nc nowhere.nc
predict result.nc text.nc
predict text.nc model.nc
predict result.nc raster.nc
predict result.nc shallow.nc
predict result.nc missing.nc
predict result.nc two.nc -v vp
predict result.nc model.nc -o result.nc --overwrite
predict result.nc model.nc -o model.nc --overwrite
predict result.nc model.nc --plot out.xyz
match result.nc
match result.nc model.nc
match result.nc labels.nc
match result.nc som.nc
match result.nc times.nc
match result.nc result.nc -o result.nc --overwrite
consensus
consensus result.nc
consensus result.nc result.nc
consensus result.nc model.nc
consensus result.nc times.nc
plot
plot nowhere.nc
plot model.nc
plot labels.nc
plot result.nc --kind none
plot result.nc --kind som
plot result.nc --kind criteria
plot result.nc --dpi 5
plot result.nc -o out.nc
plot times.nc
plot times.nc --time 1999
plot times.nc --kind profiles --time 2000-01
boundaries result.nc
boundaries result.nc out.txt
boundaries result.nc out.shp --cluster 9
boundaries result.nc out.shp --min-length -1
boundaries result.nc out.shp --min-length 1e9
boundaries result.nc none/out.shp
boundaries model.nc out.shp
boundaries times.nc out.shp
demo none
demo --folder none
info
info nowhere.nc
info text.nc
info model.nc -v none
none
"""


@pytest.mark.parametrize("mistake", MISTAKES.strip().splitlines())
def test_a_mistake_is_told_in_a_sentence_and_changes_nothing(prepared, monkeypatch, mistake, run):
    monkeypatch.chdir(prepared)
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    outcome = run(*mistake.split())
    assert outcome.exit_code == 2, outcome.output
    assert isinstance(outcome.exception, SystemExit)
    (sentence,) = (s for s in outcome.stderr.splitlines() if s.startswith("Error: "))
    assert len(sentence) > len("Error: ") + 10
    assert outcome.stdout == ""
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


def test_the_package_runs_as_a_module():
    said = subprocess.run(
        [sys.executable, "-m", "xvcluster", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("xvcluster, version")
