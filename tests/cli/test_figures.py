"""Figures of commands: refused before any work, of one time, and never at the cost of a result."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster import open_result


@pytest.fixture
def months(folder):
    """A model at three times, two of them in one year."""
    dates = np.array(["2000-01-01", "2000-02-01", "2001-01-01"], "M8[ns]")
    values = np.random.default_rng(0).normal(size=(3, 3, 4, 5))
    values[1] += 5
    coords = {"time": dates, "depth": [0.0, 10, 20], "lat": np.arange(4.0), "lon": np.arange(5.0)}
    xr.Dataset({"t": (tuple(coords), values)}, coords).to_netcdf("months.nc")
    return "months.nc"


@pytest.fixture
def never(monkeypatch):
    """Nothing may be computed."""

    def compute(*_, **__):
        raise AssertionError("computed in vain")

    for name in ("kmeans", "som", "gmm", "ward", "sweep"):
        monkeypatch.setattr(xvcluster, name, compute)
    monkeypatch.setattr(xr.Dataset, "load", compute)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], r"there are 3 along 'time' \(2000-01-01, 2000-02-01, 2001-01-01\); choose one"),
        (["--time", "2000"], "--time 2000 fits 2 of them; choose one, e.g. --time 2000-01-01"),
        (["--time", "1999"], "--time 1999 fits none of them; choose one"),
    ],
)
@pytest.mark.parametrize("command", ["kmeans", "som", "gmm", "sweep"])
def test_commands_ask_for_one_time_before_any_work(months, never, command, options, said, refuse):
    plot = "--maps" if command == "sweep" else "--plot"
    with pytest.raises(ValueError, match=said):
        raise ValueError(refuse(command, months, plot, "map.png", *options))
    assert os.listdir() == ["months.nc"]


def test_commands_refuse_a_time_without_a_map(months, model, never, refuse):
    assert "no map is to be drawn" in refuse("kmeans", months, "-k", 2, "--time", "2001")
    options = ["--k-range", 2, 3, "--plot", "c.png", "--time", "2001"]
    assert "no map is to be drawn" in refuse("sweep", months, *options)
    said = refuse("kmeans", model, "-k", 2, "--plot", "a.png", "--time", "2001")
    assert "--time 2001 has no effect: there is only one map" in said


def test_commands_refuse_a_map_over_two_more_dimensions(months, never, refuse):
    with xr.open_dataset(months) as data:
        data.expand_dims(member=[1, 2]).to_netcdf("members.nc")
    said = refuse("kmeans", "members.nc", "-k", 2, "--plot", "a.png")
    assert "the labels lie along 'member', 'time' as well" in said


def test_commands_check_the_grid_before_any_work(model, never, monkeypatch, refuse):
    def locate(_):
        raise ValueError("no place on a map")

    monkeypatch.setattr("xvcluster.plot.geometry.locate", locate)
    assert "no place on a map" in refuse("kmeans", model, "-k", 2, "--plot", "a.png")


def test_commands_draw_the_time_that_is_chosen(months, succeed, is_png, monkeypatch):
    drawn = []

    def summary(data, **_):
        from matplotlib import pyplot as plt

        drawn.append(data)
        return plt.figure()

    monkeypatch.setattr(
        "xvcluster.plot.methods.ResultPlots.summary", lambda own: summary(own._data)
    )
    succeed("kmeans", months, "-k", 2, "--plot", "a.png", "--time", "2000-02")
    labels = open_result("months_clusters.nc").labels
    xr.testing.assert_equal(drawn[0]["label"], labels.sel(time="2000-02-01"))
    succeed("plot", "months_clusters.nc", "--time", "2001", "-o", "b.png")
    xr.testing.assert_equal(drawn[1]["label"], labels.sel(time="2001-01-01"))
    assert is_png("b.png")


def test_every_map_of_the_shell_takes_a_time(months, succeed, refuse, is_png):
    time = ["--time", "2001"]
    succeed("sweep", months, "--k-range", 2, 3, "--maps", "maps.png", *time, "-o", "r.nc")
    succeed("predict", "r.nc", months, "--plot", "labels.png", *time)
    succeed("plot", "r.nc", "--kind", "map", "-o", "map.png", *time)
    for name in ("maps.png", "labels.png", "map.png"):
        assert is_png(name)
    said = refuse("predict", "r.nc", months, "--plot", "b.png", "-o", "b.nc")
    assert "choose one, e.g. --time" in said
    said = refuse("plot", "r.nc", "--kind", "profiles", *time)
    assert "no map is to be drawn" in said


@pytest.mark.parametrize(("time", "at"), [("1", 0), ("1.0", 0), ("10", 1), ("2", 2)])
def test_times_that_are_numbers_are_chosen_exactly(months, time, at):
    from xvcluster.cli.figures import at_time

    with xr.open_dataset(months) as data:
        labels = data["t"].isel(depth=0).assign_coords(time=[1.0, 10.0, 2.5]).load()
    xr.testing.assert_identical(at_time(labels, time), labels.isel(time=at))


def test_a_result_is_kept_when_its_figure_fails(model, monkeypatch, refuse):
    def draw(*_, **__):
        raise AttributeError("no pen")

    monkeypatch.setattr("xvcluster.plot.methods.ResultPlots.summary", draw)
    said = refuse("kmeans", model, "-k", 2, "--plot", "a.png")
    assert said == "Error: model_clusters.nc is written, but its figure failed: no pen"
    assert open_result("model_clusters.nc").n_clusters == 2
    assert not Path("a.png").exists()


def test_a_folder_that_may_not_be_written_is_refused(model, never, monkeypatch, refuse):
    Path("locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "locked")
    for options in (["-o", "locked/a.nc"], ["--plot", "locked/a.png"]):
        said = refuse("kmeans", model, "-k", 2, *options)
        assert "the folder 'locked' may not be written" in said
