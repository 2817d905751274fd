"""Write results to NetCDF or Zarr and read them back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.extras import require
from xvcluster.record import times
from xvcluster.record.dataset import SCHEMA
from xvcluster.record.replace import find_former, replace
from xvcluster.record.upgrade import upgrade

_FLAG_ENCODINGS = {
    "label": {"dtype": "int16", "_FillValue": -1},
    "robustness_class": {"dtype": "int8", "_FillValue": -1},
}
_FLAG_DTYPES = {"flag_values": np.int16, "som_shape": np.int64}


def write(dataset: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write the Dataset of a result to a file; if that fails, the old file stays as it was.

    Dask arrays are computed and written chunk by chunk.

    Parameters
    ----------
    dataset : Dataset
        Of a ClusterResult, or labels alone in the variable ``label``.
    path : path-like
        A Zarr store if its name ends in ``.zarr``, otherwise NetCDF-4. Replaced if it exists.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If a folder has the name of the file.
    ValueError
        If a coordinate is a MultiIndex, or a Zarr store of that name holds no labels.
    """
    stacked = [n for n, index in dataset.indexes.items() if isinstance(index, pd.MultiIndex)]
    if stacked:
        raise ValueError(
            f"{str(stacked[0])!r} is a MultiIndex, which NetCDF cannot hold; cluster "
            f"data.reset_index({str(stacked[0])!r}) instead, or write result.dataset.reset_index"
        )
    if is_zarr(path):
        require("zarr", "Zarr stores need")
    check_kind(path)
    dataset = times.note(dataset)
    with replace(path) as temporary:
        if is_zarr(path):
            encoding = {n: e for n, e in _FLAG_ENCODINGS.items() if n in dataset}
            even = _even_chunks(dataset)
            even.to_zarr(temporary, mode="w", encoding=encoding, consolidated=False)
        else:
            dataset.to_netcdf(temporary, engine="netcdf4", encoding=_encoding(dataset))


def check_kind(path: str | os.PathLike[str]) -> None:
    """Refuse to replace a folder by a file, or anything but labels by a store."""
    target = Path(path).resolve()
    if not is_zarr(path):
        if target.is_dir():
            raise IsADirectoryError(f"{str(path)!r} is a folder; give the name of a file")
        return
    if target.is_file():
        raise ValueError(f"{str(path)!r} is a file, not a Zarr store; give another name")
    if target.is_dir() and any(target.iterdir()):
        try:
            raw = xr.open_zarr(target, chunks=None, consolidated=False, decode_cf=False)
            known = "label" in raw
        except (OSError, ValueError, KeyError):
            known = False
        if not known:
            raise ValueError(
                f"{str(path)!r} exists and holds no labels of xvcluster; it is not replaced, give "
                "another name"
            )


def _even_chunks(dataset: xr.Dataset) -> xr.Dataset:
    """Chunks as Zarr requires them: of one size along each dimension, except the last."""
    sizes = {d: max(chunks) for d, chunks in dataset.unify_chunks().chunks.items()}
    lazy = {n: v.chunk(sizes) for n, v in dataset.variables.items() if v.chunks is not None}
    coords = {n: v for n, v in lazy.items() if n in dataset.coords}
    return dataset.assign({n: v for n, v in lazy.items() if n not in coords}).assign_coords(coords)


def is_zarr(path: str | os.PathLike[str]) -> bool:
    """Whether a path names a Zarr store."""
    return Path(path).suffix.lower() == ".zarr"


def read(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read the Dataset of a result: NetCDF into memory, Zarr lazily.

    Parameters
    ----------
    path : path-like
        A file or store written by `write`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a result of xvcluster, or has a newer layout.
    """
    path = find_former(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    if is_zarr(path):
        require("zarr", "Zarr stores need")
    try:
        if is_zarr(path):
            dataset = times.decode(xr.open_zarr(path, consolidated=False, decode_cf=False))
            _load_all_but_maps(dataset)
            dataset = _guard(dataset, path)
        else:
            with times.decode(xr.open_dataset(path, engine="netcdf4", decode_cf=False)) as file:
                dataset = file.load()
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
            # NetCDF reads an array of one number as that number, Zarr reads arrays as lists
            numbers = np.atleast_1d(dataset["label"].attrs[name])
            dataset["label"].attrs[name] = numbers.astype(_FLAG_DTYPES[name])
    return upgrade(dataset.drop_encoding())


def _load_all_but_maps(dataset: xr.Dataset) -> None:
    """Load everything that is small."""
    points = set(dataset["label"].dims) if "label" in dataset else set()
    for array in dataset.data_vars.values():
        if not points or not points <= set(array.dims):
            array.load()


def _guard(dataset: xr.Dataset, path: Path) -> xr.Dataset:
    """Let lazy maps refuse to be read once another store has taken the name of theirs."""
    known = _stamp(path)

    def check(block: Any) -> Any:
        if _stamp(path) != known:
            raise ValueError(
                f"{path!s} was replaced since it was opened; open it again with open_result"
            )
        return block

    lazy = {n: v for n, v in dataset.variables.items() if v.chunks is not None}
    guarded = {n: v.copy(data=v.data.map_blocks(check, meta=v.data._meta)) for n, v in lazy.items()}
    coords = {n: v for n, v in guarded.items() if n in dataset.coords}
    maps = {n: v for n, v in guarded.items() if n not in coords}
    return dataset.assign(maps).assign_coords(coords)


def _stamp(path: Path) -> list[tuple[int, int]]:
    """What distinguishes a Zarr store from another of the same name."""
    found = [path / name for name in ("zarr.json", ".zattrs") if (path / name).exists()]
    return [(stat.st_ino, stat.st_mtime_ns) for stat in map(os.stat, found)]


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, object]]:
    """Encode labels as integers with a fill value, as CF recommends, compressed."""
    encoding: dict[str, dict[str, object]] = {}
    for name, array in dataset.data_vars.items():
        encoding[str(name)] = {"zlib": True, "complevel": 4} if array.ndim > 1 else {}
    for name, flags in _FLAG_ENCODINGS.items():
        if name in encoding:
            encoding[name] |= flags
    return encoding
