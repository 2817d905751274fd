"""Write results to NetCDF or Zarr and read them back."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.extras import require
from xvcluster.messages import plain, shown
from xvcluster.record import times
from xvcluster.record.dataset import SCHEMA
from xvcluster.record.door import admit
from xvcluster.record.lazy import open_store
from xvcluster.record.replace import find_former, replace
from xvcluster.record.seal import seal

_FLAG_ENCODINGS: dict[str, dict[str, object]] = {
    "label": {"dtype": "int16", "_FillValue": -1},
    "robustness_class": {"dtype": "int8", "_FillValue": -1},
}
_LARGE, _MOST_COMPRESSED = 2**30, 2000
"""Arrays of more bytes than both, the second times the size of a file, are not loaded."""

_NAME = re.compile(r"[A-Za-z0-9_\u0080-\U0010ffff]([^\x00-\x1f/\x7f]*[^\x00-\x20/\x7f])?")
_LONGEST_NAME = 255


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
        If a coordinate is a MultiIndex, a name cannot be written, or a Zarr store of that name
        holds no labels.
    """
    stacked = [n for n, index in dataset.indexes.items() if isinstance(index, pd.MultiIndex)]
    if stacked:
        raise ValueError(
            f"{str(stacked[0])!r} is a MultiIndex, which NetCDF cannot hold; cluster "
            f"data.reset_index({str(stacked[0])!r}) instead, or write result.dataset.reset_index"
        )
    _refuse_names(dataset)
    if is_zarr(path):
        require("zarr", "Zarr stores need")
    check_kind(path)
    dataset = times.note(dataset)
    if "parameters" in dataset.attrs:  # labels alone have none
        dataset = seal(dataset)
    with replace(path) as temporary:
        if is_zarr(path):
            even = _even_chunks(dataset)
            encoding = {
                n: _with_checksum() | _FLAG_ENCODINGS.get(str(n), {}) for n in even.variables
            }
            # every chunk is written, so that one that was lost is missed
            even.to_zarr(
                temporary, mode="w", encoding=encoding, consolidated=False, write_empty_chunks=True
            )
        else:
            try:
                dataset.to_netcdf(temporary, engine="netcdf4", encoding=_encoding(dataset))
            except (AttributeError, TypeError) as error:  # of names and attributes
                raise ValueError(
                    f"{path!s} cannot be written as NetCDF: {plain(error)}; rename or drop what it "
                    "cannot hold, or write a Zarr store"
                ) from error


def _refuse_names(dataset: xr.Dataset) -> None:
    """Refuse names that NetCDF does not allow, and of which a Zarr store loses the variables."""
    for name in map(str, {**dataset.variables, **dataset.sizes}):
        if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"the name {shown(name)} cannot be written: names begin with a letter, a digit or "
                "an underscore, hold no '/' and no control characters, do not end in a space, and "
                f"have at most {_LONGEST_NAME} bytes; choose another before clustering, with "
                "data.rename"
            )


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
        except Exception:  # of what is no store, or a damaged one
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
    dataset = _open(path)
    layout = dataset.attrs.get("xvcluster_schema")
    if layout is None:
        raise ValueError(
            f"{path!s} is not a result of xvcluster (it has no attribute 'xvcluster_schema'); "
            "give a file that ClusterResult.to_netcdf or the xvcluster command wrote"
        )
    if isinstance(layout, int | np.integer) and layout > SCHEMA:
        raise ValueError(
            f"{path!s} has layout version {layout}, newer than {SCHEMA}, the newest that this "
            "version of xvcluster reads; upgrade xvcluster"
        )
    try:
        return admit(dataset).drop_encoding()
    except ValueError as error:
        raise ValueError(f"{path!s} is damaged, or was edited: {error}") from None


def _open(path: Path) -> xr.Dataset:
    """Open a file into memory, or a store lazily; whatever a damaged one raises is explained."""
    kind = "Zarr" if is_zarr(path) else "NetCDF"
    try:
        if is_zarr(path):
            return open_store(path)
        raw = xr.open_dataset(path, engine="netcdf4", cache=False, decode_cf=False)
        with times.decode(raw) as dataset:
            _require_plausible(dataset, path.stat().st_size)
            return dataset.load()
    except MemoryError:
        raise
    except Exception as error:  # of HDF5, Zarr, their compressors, or xarray
        raise ValueError(f"{path!s} cannot be read as {kind}: {plain(error)}") from error


def _require_plausible(dataset: xr.Dataset, size: int) -> None:
    """Refuse a file whose arrays are far larger than any that was compressed to its size."""
    if dataset.nbytes > max(_LARGE, _MOST_COMPRESSED * size):
        raise ValueError(
            f"it declares arrays of {dataset.nbytes / 2**30:,.0f} GiB, but has {size:,} bytes"
        )


def _with_checksum() -> dict[str, object]:
    """Compress as Zarr does by default, with a checksum of each chunk; its version 2 has none."""
    try:
        from zarr.codecs import ZstdCodec
    except ImportError:
        return {}
    return {"compressors": (ZstdCodec(checksum=True),)}


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, object]]:
    """Encode labels as integers with a fill value, as CF recommends, compressed."""
    encoding: dict[str, dict[str, object]] = {}
    for name, array in dataset.data_vars.items():
        encoding[str(name)] = {"zlib": True, "complevel": 4} if array.ndim else {}
    for name, flags in _FLAG_ENCODINGS.items():
        if name in encoding:
            encoding[name] |= flags
    return encoding
