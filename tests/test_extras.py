"""Without optional packages: what needs one names its extra, and all else works."""

import subprocess
import sys

import pytest

import xvcluster
from xvcluster.extras import require

# as on a machine without them: xarray asks for the spec of dask, and does not import it
HIDDEN = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        optional = {"bokeh", "dask", "distributed", "zarr", "geopandas", "pyogrio", "rasterio"}
        hidden = name.split(".")[0] in optional
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


EXTRAS = {
    "dask": "dask",
    "zarr": "dask",
    "geopandas": "geo",
    "pyogrio": "geo",
    "rasterio": "geo",
    "bokeh": "explore",
}


@pytest.mark.parametrize(("package", "extra"), EXTRAS.items())
def test_require_names_the_extra(monkeypatch, package, extra):
    assert require(package, "this needs").__name__ == package
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'this needs {package}, .* "xvcluster\[{extra}\]"'):
        require(package, "this needs")


def test_stores_need_zarr(model, tmp_path, monkeypatch):
    result = model.vcluster.kmeans(3)
    result.to_zarr(tmp_path / "result.zarr")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r"Zarr stores need zarr, .*xvcluster\[dask\]"):
        result.to_zarr(tmp_path / "other.zarr")
    with pytest.raises(ImportError, match=r"Zarr stores need zarr, .*xvcluster\[dask\]"):
        xvcluster.open_result(tmp_path / "result.zarr")


def test_boundaries_need_geopandas(model, monkeypatch):
    result = model.vcluster.kmeans(3)
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(ImportError, match=r"boundaries need geopandas, .*xvcluster\[geo\]"):
        result.boundaries()


def test_polygons_need_geopandas(model, monkeypatch):
    labels = model.vcluster.kmeans(3).labels
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(ImportError, match=r"polygons need geopandas, .*xvcluster\[geo\]"):
        labels.vcluster.compare("provinces.gpkg")
    assert labels.vcluster.compare(labels, n=19).p_value == 0.05


def test_all_else_works_without_optional_packages(tmp_path):
    script = f"""{HIDDEN}
import xvcluster

vs = xvcluster.tutorial.tomography(resolution=1.0)["vs"].vcluster.prepare(depth=(5, 60), dz=5)
result = vs.vcluster.kmeans(4, n_init=1)
result.to_netcdf("result.nc")
again = xvcluster.open_result("result.nc")
assert again.match(result).dataset["contingency"].attrs["adjusted_rand_index"] == 1.0
assert vs.vcluster.predict(again).equals(result.labels)
assert not {{"bokeh", "dask", "zarr", "geopandas"}} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
