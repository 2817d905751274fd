"""Clusters of a model that is never loaded as a whole: from Zarr, with dask, to Zarr.

    python examples/larger_than_memory.py [FOLDER] [MEGABYTES]

Creates a Zarr store of the given size in MB (default: 300) from the synthetic tomography, in which
every column is repeated with independent noise. Clusters it chunk by chunk on two worker processes,
with a checkpoint after each pass, writes the label map to another store without gathering it in
memory, and draws the map from there. Saves everything to FOLDER (default: the current folder).
"""

import sys
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr
from dask.distributed import Client, LocalCluster

import xvcluster


def add_noise(block: np.ndarray, block_info: dict) -> np.ndarray:
    """Add noise that is the same for a block whenever it is computed."""
    rng = np.random.default_rng(block_info[None]["chunk-location"])
    return block + 0.02 * rng.standard_normal(block.shape, dtype=np.float32)


def make_model(megabytes: float) -> xr.DataArray:
    """Return the tomography on a finer grid, as a dask array that is not computed yet."""
    coarse = xvcluster.tutorial.tomography()["vs"].astype("float32")
    times = max(1, round((megabytes * 1e6 / coarse.nbytes) ** 0.5))
    values = da.from_array(coarse.values, chunks=(-1, 23, 28))
    values = values.repeat(times, axis=1).repeat(times, axis=2)
    values = values.rechunk((-1, 23 * times, 28 * times)).map_blocks(add_noise, dtype="float32")
    coords = {"depth": coarse["depth"]}
    for name in ("latitude", "longitude"):
        ends = coarse[name].values[[0, -1]]
        fine = np.linspace(*ends, coarse.sizes[name] * times)
        coords[name] = (name, fine, coarse[name].attrs)
    return xr.DataArray(values, coords, coarse.dims, "vs", coarse.attrs)


def main(folder: Path, megabytes: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    make_model(megabytes).to_zarr(folder / "model.zarr", mode="w", consolidated=False)

    vs = xr.open_zarr(folder / "model.zarr", consolidated=False)["vs"]
    print(f"{vs.nbytes / 1e6:.0f} MB in {vs.data.npartitions} chunks")
    result = vs.vcluster.kmeans(6, checkpoint=folder / "fit.npz", progress=True)
    print(result)
    result.to_zarr(folder / "provinces.zarr")

    labels = xvcluster.open_result(folder / "provinces.zarr").labels
    axes = labels.isel(latitude=slice(None, None, 4), longitude=slice(None, None, 4))
    axes.vcluster.plot.map().figure.savefig(folder / "provinces.png", dpi=150)


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    size = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        main(where, size)
