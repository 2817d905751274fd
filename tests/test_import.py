"""Import is quick, and the examples of the docstrings run."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import xvcluster

HEAVY = (
    "sklearn numba tslearn minisom kneed matplotlib cartopy shapely dask geopandas cf_xarray click "
    "tqdm netCDF4 scipy.optimize threadpoolctl"
).split()
MODULES = [m.name for m in pkgutil.walk_packages(xvcluster.__path__, "xvcluster.")]


def test_import_loads_nothing_heavy():
    script = f"""
import sys
import xarray
before = set(sys.modules)
import xvcluster
loaded = set(sys.modules) - before
print(*[name for name in {HEAVY} if name in loaded])
assert hasattr(xarray.DataArray, "vcluster") and hasattr(xarray.Dataset, "vcluster")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_public_names_are_there(monkeypatch):
    # as if nothing had imported these yet
    for name in ("plot", "tutorial"):
        monkeypatch.delattr(xvcluster, name, raising=False)
    for name in xvcluster.__all__:
        assert getattr(xvcluster, name) is not None
    assert xvcluster.__version__


def test_unknown_names_are_refused():
    for name in ("dbscan", "labels", "dataset"):
        with pytest.raises(AttributeError, match=f"module 'xvcluster' has no attribute '{name}'$"):
            getattr(xvcluster, name)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    known = {"np": np, "xr": xr, "xvcluster": xvcluster}
    failed, _ = doctest.testmod(module, extraglobs=known)
    plt.close("all")
    assert failed == 0


@pytest.mark.parametrize("name", ["areas", "match", "predict", "rename", "table", "to_nd"])
def test_methods_of_results_are_named_as_such(name):
    with pytest.raises(AttributeError, match=rf"method of results: xvcluster.*\.{name}$"):
        getattr(xvcluster, name)
