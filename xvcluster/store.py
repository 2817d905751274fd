"""To NetCDF and back, identical; a crash leaves the old file whole."""

from __future__ import annotations

import json
import os
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


def write(dataset: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a result's Dataset to a NetCDF-4 file, or leave what is there as it was.

    Parameters
    ----------
    dataset : Dataset
        Of a ClusterResult, or labels alone, under the name ``label``.
    path : path-like
        Replaced if it exists.

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
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=_encoding(dataset))


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
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a result's Dataset into memory.

    Parameters
    ----------
    path : path-like
        A file written by `write`.

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
        dataset = xr.load_dataset(path, engine="netcdf4")
    except OSError as error:
        raise ValueError(f"{path!s} cannot be read as NetCDF: {error}") from error
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
            # NetCDF reads an array of one number as that number
            dataset["label"].attrs[name] = np.atleast_1d(dataset["label"].attrs[name])
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
    encoding["label"] |= {"dtype": "int16", "_FillValue": -1}
    return encoding
