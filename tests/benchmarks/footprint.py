"""Memory of a call, and the time that compiling takes, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ROOT
from models import model

_PEAK = """
import sys, numpy as np, xarray as xr, xvcluster

def kilobytes(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key))

xvcluster.kmeans(xr.open_dataset(sys.argv[1])["vs"][:, ::9, ::9], 8)  # imports and compiles
before = kilobytes("VmRSS")
data = xr.open_dataset(sys.argv[1])["vs"]
xvcluster.kmeans(data, 8, n_init=10)
print((kilobytes("VmHWM") - before) * 1024 / data.nbytes)
"""

_FIRST = """
import sys, time, warnings, xvcluster
warnings.simplefilter("ignore")
model = xvcluster.tutorial.tomography(resolution=1.0)["vs"]
call = {
    "k-means": lambda: xvcluster.kmeans(model, 4),
    "DTW": lambda: xvcluster.kmeans(model.isel(depth=slice(12)), 4, metric="dtw", n_init=1),
    "sweep": lambda: xvcluster.sweep(model, range(2, 5)),
    "online map": lambda: xvcluster.som(model, (3, 3), algorithm="online", n_iterations=2000),
    "batch map": lambda: xvcluster.som(model, (3, 3)),
}[sys.argv[1]]
times = []
for _ in range(2):
    start = time.perf_counter()
    call()
    times.append(time.perf_counter() - start)
print(times[0] - times[1])
"""


def _run(code: str, argument: str, **environment: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", code, argument],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure_memory() -> list[list[str]]:
    """Peak memory of kmeans(8) from a NetCDF file of 80 × 181 × 360, over the array's size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.nc"
        model(65_160, 80).to_netcdf(path)
        return [["`kmeans(8)`, 80 × 181 × 360", f"{_run(_PEAK, str(path)):.2f}"]]


def measure_compiling() -> list[list[str]]:
    """Seconds that a first call takes longer than a second one, without and with a cache."""
    lines = []
    for name in ("k-means", "DTW", "sweep", "online map", "batch map"):
        with tempfile.TemporaryDirectory() as folder:
            empty, full = (_run(_FIRST, name, NUMBA_CACHE_DIR=folder) for _ in range(2))
        lines.append([name, f"{empty:.1f}", f"{full:.1f}"])
    return lines


ALONE = {
    "memory": (["call", "peak memory / size of the array"], measure_memory),
    "compiling": (["first call", "empty cache, s", "full cache, s"], measure_compiling),
}
"""What is measured alone: the header of its table, and the function that gives its lines."""
