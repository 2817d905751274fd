"""Memory of a call, and the time that compiling takes, each in a process of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from models import globe

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
    "kmeans": lambda: xvcluster.kmeans(model, 4),
    "dtw": lambda: xvcluster.kmeans(model.isel(depth=slice(12)), 4, metric="dtw", n_init=1),
    "sweep": lambda: xvcluster.sweep(model, range(2, 5)),
    "som": lambda: xvcluster.som(model, (3, 3), algorithm="online", sigma=0.3, n_iterations=2000),
    "batch som": lambda: xvcluster.som(model, (3, 3), algorithm="batch"),
}[sys.argv[1]]
times = []
for _ in range(2):
    start = time.perf_counter()
    call()
    times.append(time.perf_counter() - start)
print(times[0] - times[1])
"""


def _run(code, argument, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code, argument],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def memory():
    """peak memory of kmeans(8) from a NetCDF file of 80 x 181 x 360, over the array's size"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.nc"
        globe().to_netcdf(path)
        print(f"{_run(_PEAK, str(path)):.2f} times the array")


def compiling():
    """seconds that a first call takes longer than a second one"""
    print("| call | with an empty cache | with a full cache |\n| --- | --- | --- |")
    for name in ("kmeans", "dtw", "sweep", "som", "batch som"):
        with tempfile.TemporaryDirectory() as folder:
            empty, full = (_run(_FIRST, name, NUMBA_CACHE_DIR=folder) for _ in range(2))
        print(f"| {name} | {empty:.1f} | {full:.1f} |", flush=True)


ROWS = {"memory": memory, "compiling": compiling}
