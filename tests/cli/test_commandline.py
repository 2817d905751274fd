import subprocess
import sys

import pytest

from xvcluster import open_result

COMMANDS = "info kmeans som gmm sweep predict match consensus plot boundaries demo".split()


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
    assert done.stderr == "Error: 'text.nc' cannot be read as NetCDF: NetCDF: Unknown file format\n"


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
