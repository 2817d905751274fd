import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

import xvcluster

ROOT = Path(__file__).resolve().parents[1]
CELL = re.compile(r"^```(?:\{code-cell\}|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def run_script(tmp_path):
    """Run a script in a folder of its own; any warning, be it of a library, is an error."""

    def run(*command):
        environment = os.environ | {"MPLBACKEND": "Agg"}
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", *command],
            check=False, cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Exception ignored" not in done.stderr, done.stderr  # files that are not closed
        return done.stdout

    return run


@pytest.fixture
def run(run_script, tmp_path):
    def run_example(name, *more):
        return run_script(ROOT / "examples" / name, "out", *more), tmp_path / "out"

    return run_example


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_the_code_of_a_page_runs_without_a_warning(run_script, tmp_path, page):
    cells = CELL.findall((ROOT / page).read_text(encoding="utf-8"))
    assert cells
    xvcluster.tutorial.tomography().to_netcdf(tmp_path / "model.nc")
    (tmp_path / "page.py").write_text("\n".join(cells), encoding="utf-8")
    run_script("page.py")


def test_seismology_finds_the_provinces_and_saves_its_figures(run):
    said, folder = run("seismology.py")
    assert float(said.split()[-1]) > 0.9
    figures = {"seismology_summary.png", "seismology_profiles.png"}
    assert {path.name for path in folder.iterdir()} == {"seismology.nc", *figures}
    assert xvcluster.open_result(folder / "seismology.nc").n_clusters == 6


def test_raster_lesson_writes_outlines_and_draws_them(run):
    geopandas = pytest.importorskip("geopandas")
    said, folder = run("raster_lesson.py")
    outlines = geopandas.read_file(folder / "outlines.shp")
    assert f"{len(outlines)} outlines longer than 200 km" in said
    assert set(outlines["cluster"]) == {4, 6}
    assert {"raster_maps.png", "raster_outlines.png"} <= {path.name for path in folder.iterdir()}


def test_ocean_chooses_k_and_saves_its_figures(run):
    said, folder = run("ocean.py")
    assert "best k = 2 (by the median of" in said
    figures = {"ocean_criteria.png", "ocean_maps.png", "ocean_summary.png"}
    assert {path.name for path in folder.iterdir()} == {"ocean.nc", *figures}
    assert xvcluster.open_result(folder / "ocean.nc").n_clusters == 2


def test_ocean_mixture_tells_how_robust_labels_are_and_saves_its_figures(run):
    said, folder = run("ocean_mixture.py")
    assert "virtually certain" in said
    figures = {f"mixture_{name}.png" for name in ("map", "robustness", "profiles")}
    assert {path.name for path in folder.iterdir()} == {"mixture.nc", *figures}
    assert xvcluster.open_result(folder / "mixture.nc").n_clusters == 8


def test_how_many_takes_a_stable_k_and_tells_how_sure_points_are(run):
    said, folder = run("how_many.py")
    assert "k = 6, the most stable" in said
    figures = {"how_many_criteria.png", "how_many_certainty.png"}
    assert {path.name for path in folder.iterdir()} == {"how_many.nc", *figures}
    result = xvcluster.open_result(folder / "how_many.nc")
    assert result.table()["mean_stability"].min() > 0.9


def test_models_agree_counts_the_votes_and_draws_them(run):
    said, folder = run("models_agree.py")
    assert "slow in 3 of 3 models" in said
    names = {f"{name}.nc" for name in ("agree", "coarse", "medium", "fine")}
    names |= {"agree_votes.png", "agree_label.png"}
    assert {path.name for path in folder.iterdir()} == names
    with xr.open_dataset(folder / "agree.nc") as common:
        assert int(common["votes"].max()) == int(common["n_models"].min()) == 3


def test_larger_than_memory_clusters_a_store_on_workers(run):
    said, folder = run("larger_than_memory.py", "9")
    assert "11 MB in 12 chunks" in said
    names = {"model.zarr", "provinces.zarr", "provinces.png", "fit.npz"}
    assert {path.name for path in folder.iterdir()} == names
    assert xvcluster.open_result(folder / "provinces.zarr").n_clusters == 6
