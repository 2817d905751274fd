"""Zarr stores opened lazily: maps are read chunk by chunk, and checked when they are read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.messages import plain
from xvcluster.record import times
from xvcluster.record.check import check_labels
from xvcluster.record.seal import SEAL

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class LazyMap:
    """A map in a store, which is read where it is indexed.

    Attributes
    ----------
    held : Variable
        Lazily indexed by xarray.
    name : str
    path : Path
    highest : int
        Number of clusters if these are labels, otherwise 0.
    stamp : list
        Which store of that name it is.
    """

    held: xr.Variable
    name: str
    path: Path
    highest: int
    stamp: list[tuple[int, int]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of points along each dimension."""
        return self.held.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.held.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return _native(self.held.dtype)

    def __getitem__(self, key: Any) -> Array:
        try:
            values = self.held[key].values.astype(self.dtype)
            if self.highest:
                check_labels(values, self.name, self.highest)
        except MemoryError:
            raise
        except Exception as error:  # of Zarr and its compressors
            self._refuse_another()
            raise ValueError(
                f"{self.path!s} is damaged, and its {plain(self.name)!r} cannot be read: "
                f"{plain(error)}; make it again"
            ) from error
        self._refuse_another()
        return values

    def _refuse_another(self) -> None:
        if _stamp(self.path) != self.stamp:
            raise ValueError(
                f"{self.path!s} was replaced since it was opened; open it again with open_result"
            )


def open_store(path: Path) -> xr.Dataset:
    """Open a store with everything in memory but what lies on all points, which is lazy."""
    raw = xr.open_dataset(
        path, engine="zarr", consolidated=False, chunks=None, cache=False, decode_cf=False
    )
    dataset = times.decode(raw)
    if SEAL in dataset.attrs:  # earlier versions wrote no chunks that are empty
        _require_chunks(path)
    points = set(dataset["label"].dims) if "label" in dataset else set()
    highest = {"label": dataset.sizes.get("cluster", 0)}
    read = {}
    for name, held in dataset.variables.items():
        if not points or not points <= set(held.dims) or name in dataset.indexes:
            values = held.values.astype(_native(held.dtype))
            read[name] = xr.Variable(held.dims, values, held.attrs)
            continue
        source = LazyMap(held, str(name), path, highest.get(str(name), 0), _stamp(path))
        read[name] = _chunked(source)
    coords = {name: own for name, own in read.items() if name in dataset.coords}
    maps = {name: own for name, own in read.items() if name not in coords}
    return dataset.assign(maps).assign_coords(coords)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type without an order of bytes, which Zarr gives: to NetCDF, "<f8" is not "f8"."""
    return np.dtype(dtype.newbyteorder("=")) if dtype.kind in "iuf" else dtype


def _chunked(source: LazyMap) -> xr.Variable:
    """A dask array in the chunks of the store."""
    import dask.array
    from dask.base import tokenize

    name = f"{source.name}-{tokenize(str(source.path), source.stamp, source.name)}"
    chunks = source.held.encoding.get("chunks", "auto")
    meta = np.empty(0, source.dtype)
    values = dask.array.from_array(source, chunks, name=name, meta=meta)  # type: ignore[no-untyped-call]
    return xr.Variable(source.held.dims, values, source.held.attrs)


def _stamp(path: Path) -> list[tuple[int, int]]:
    """What distinguishes a store from another of the same name."""
    found = [path / name for name in ("zarr.json", ".zattrs") if (path / name).exists()]
    return [(stat.st_ino, stat.st_mtime_ns) for stat in map(os.stat, found)]


def _require_chunks(path: Path) -> None:
    """Refuse a store that lacks chunks, which Zarr would read as if nothing had been there."""
    import zarr

    for name, array in zarr.open_group(path, mode="r").arrays():
        lacking = array.nchunks - array.nchunks_initialized
        if lacking:
            raise ValueError(f"{lacking} of {array.nchunks} chunks of {plain(name)!r} are missing")
