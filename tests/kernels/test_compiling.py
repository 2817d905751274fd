"""Kernels are compiled also where nothing can be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import xvcluster
from xvcluster.kernels.compiling import compiled

SCRIPT = """
import xvcluster
print(xvcluster.__file__)
vs = xvcluster.tutorial.tomography(resolution=2.0)["vs"]
print(vs.vcluster.kmeans(3, n_init=1).labels.notnull().sum().item())
"""


def add(a, b):
    return a + b


def test_compiled_keeps_what_is_compiled_on_disk_if_it_can(monkeypatch):
    assert compiled()(add)(1, 2) == 3
    asked = []

    def njit(**options):
        def compile_one(function):
            asked.append(options)
            if options.get("cache"):
                raise RuntimeError("cannot cache function 'add': no locator available")
            return function

        return compile_one

    monkeypatch.setattr("xvcluster.kernels.compiling.njit", njit)
    assert compiled(fastmath=True)(add)(1, 2) == 3
    assert [options.get("cache", False) for options in asked] == [True, False]
    assert all(options["nogil"] and options["fastmath"] for options in asked)


@pytest.mark.skipif(os.name == "nt", reason="paths of Linux")
def test_kmeans_runs_from_a_folder_that_cannot_be_written(tmp_path):
    package = tmp_path / "site" / "xvcluster"
    shutil.copytree(
        Path(xvcluster.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    # a file where the cache would be a folder stops root as well
    (package / "kernels" / "__pycache__").write_text("")
    nowhere = str(tmp_path / "file" / "cache")
    (tmp_path / "file").write_text("")
    environment = os.environ | {
        "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": nowhere, "XDG_CACHE_HOME": nowhere,
    }  # fmt: skip
    environment.pop("NUMBA_CACHE_DIR", None)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    where, n = ran.stdout.split()
    assert Path(where).parent == package
    assert int(n) > 0
