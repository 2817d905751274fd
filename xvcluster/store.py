"""To NetCDF or Zarr and back, identical; a crash leaves the old file whole."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

SCHEMA = 1
"""Version of the result's layout; files of a newer one are refused."""
_LABEL_ENCODING = {"dtype": "int16", "_FillValue": -1}
_FLAG_DTYPES = {"flag_values": np.int16, "som_shape": np.int64}


def write(dataset: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a result's Dataset to a file, or leave what is there as it was.

    Dask arrays are computed and written chunk by chunk.

    Parameters
    ----------
    dataset : Dataset
        Of a ClusterResult, or labels alone, under the name ``label``.
    path : path-like
        A Zarr store if its name ends in ``.zarr``, else NetCDF-4. Replaced if it exists.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If a coordinate is a MultiIndex.
    """
    stacked = [n for n, index in dataset.indexes.items() if isinstance(index, pd.MultiIndex)]
    if stacked:
        raise ValueError(
            f"{str(stacked[0])!r} is a MultiIndex, which NetCDF cannot hold; cluster "
            f"data.reset_index({str(stacked[0])!r}) instead, or write result.dataset.reset_index"
        )
    with replace(path) as temporary:
        if is_zarr(path):
            encoding = {"label": _LABEL_ENCODING}
            dataset.to_zarr(temporary, mode="w", encoding=encoding, consolidated=False)
        else:
            dataset.to_netcdf(temporary, engine="netcdf4", encoding=_encoding(dataset))


def is_zarr(path: str | os.PathLike[str]) -> bool:
    """Whether a name is that of a Zarr store."""
    return Path(path).suffix.lower() == ".zarr"


@contextmanager
def replace(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name in the same folder, which takes the file's place at the end.

    Parameters
    ----------
    path : path-like
        Stays as it was if the body raises.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(target.parent)!r} does not exist; create it before writing {path!s}"
        )
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        if target.is_dir():
            # a folder cannot take the place of another in one step
            former = target.rename(temporary.with_suffix(".old"))
            temporary.rename(target)
            shutil.rmtree(former)
        else:
            os.replace(temporary, target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a result's Dataset: NetCDF into memory, Zarr lazily.

    Parameters
    ----------
    path : path-like
        A file or store written by `write`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a result of xvcluster, or of a newer version of its layout.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        if is_zarr(path):
            dataset: xr.Dataset = xr.open_zarr(path, consolidated=False)
            small = [n for n, v in dataset.variables.items() if "cluster" in v.dims]
            dataset = dataset.assign({n: dataset[n].load() for n in small if n in dataset})
        else:
            dataset = xr.load_dataset(path, engine="netcdf4")
    except OSError as error:
        kind = "Zarr" if is_zarr(path) else "NetCDF"
        raise ValueError(f"{path!s} cannot be read as {kind}: {error}") from error
    schema = dataset.attrs.get("xvcluster_schema")
    if schema is None or not {"label", "cluster", "count"} <= set(dataset.variables):
        raise ValueError(
            f"{path!s} is not a result of xvcluster (it has no attribute 'xvcluster_schema'); "
            "give a file that ClusterResult.to_netcdf or the xvcluster command wrote"
        )
    if int(schema) > SCHEMA:
        raise ValueError(
            f"{path!s} has layout version {int(schema)}, newer than {SCHEMA}, the newest that this "
            "version of xvcluster reads; upgrade xvcluster"
        )
    lacking = [name for name in ("method", "parameters") if name not in dataset.attrs]
    if lacking:
        raise ValueError(f"{path!s} is a damaged result: it lacks the attribute {lacking[0]!r}")
    for name in ("flag_values", "som_shape"):
        if name in dataset["label"].attrs:
            # NetCDF reads an array of one number as that number, Zarr any as a list
            numbers = np.atleast_1d(dataset["label"].attrs[name])
            dataset["label"].attrs[name] = numbers.astype(_FLAG_DTYPES[name])
    return dataset.drop_encoding()


def parameters(dataset: xr.Dataset) -> dict[str, Any]:
    """The method's parameters that a result carries."""
    loaded: dict[str, Any] = json.loads(dataset.attrs["parameters"])
    return loaded


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, object]]:
    """Labels as integers with a fill value, as CF has them; compressed."""
    encoding: dict[str, dict[str, object]] = {}
    for name, array in dataset.data_vars.items():
        encoding[str(name)] = {"zlib": True, "complevel": 4} if array.ndim > 1 else {}
    encoding["label"] |= _LABEL_ENCODING
    return encoding
