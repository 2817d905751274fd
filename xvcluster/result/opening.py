"""Results read from files."""

from __future__ import annotations

import os

import xarray as xr

from xvcluster.options import check_path
from xvcluster.record import store
from xvcluster.regroup.reopen import lay_out_again
from xvcluster.result.views import ClusterResult


def open_result(
    path: str | os.PathLike[str], data: xr.DataArray | xr.Dataset | None = None
) -> ClusterResult:
    """Open a result that was written by ``ClusterResult.to_netcdf`` or ``to_zarr``.

    Parameters
    ----------
    path : path-like
        A NetCDF file, or a Zarr store, whose name ends in ``.zarr``.
    data : DataArray or Dataset, optional
        What was clustered, prepared as it was. The file does not hold it; `stability`, `cut`,
        `merge` and `clean` need it.

    Returns
    -------
    ClusterResult
        In memory, if it comes from a NetCDF file, which is closed; the maps of a Zarr store are
        dask arrays.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a result of xvcluster, has a newer layout, or is damaged: the message
        names the part; or if the data have other variables or places than the result.

    Examples
    --------
    >>> import xvcluster
    >>> ocean = xvcluster.tutorial.ocean()["temperature"].sel(depth=slice(0, 1000))
    >>> ocean.vcluster.kmeans(4).to_netcdf("clusters.nc")
    >>> labels, centroids = xvcluster.open_result("clusters.nc")
    """
    dataset = store.read(check_path("path", path))
    return ClusterResult(dataset, _layout=None if data is None else lay_out_again(dataset, data))
