"""Open what a user names: NetCDF and Zarr by their contents, and a sentence for anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.extras import require
from xvcluster.grid.coords import with_coordinates
from xvcluster.messages import plain, warn
from xvcluster.record import times

_NETCDF = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZARR = ("zarr.json", ".zgroup", ".zmetadata", ".zarray")
_UNPACK = "it is compressed; unpack it first"
_FOREIGN = {
    b"GRIB": "it is GRIB; convert it first, e.g. by "
    "xarray.open_dataset(file, engine='cfgrib').to_netcdf('model.nc')",
    b"BUFR": "it is BUFR, which holds observations one by one, not a grid",
    b"II*\0": "it is a TIFF; convert it first, e.g. by "
    "rioxarray.open_rasterio(file).to_dataset('band').to_netcdf('model.nc')",
    b"\x0e\x03\x13\x01": "it is HDF4; convert it first, e.g. with h4tonccf",
    b"\x1f\x8b": _UNPACK,
    b"PK\x03\x04": _UNPACK,
    b"BZh": _UNPACK,
    b"\xfd7zXZ": _UNPACK,
    b"\x28\xb5\x2f\xfd": _UNPACK,
    b"\x93NUMPY": "it is an array of NumPy, without names and coordinates; make a Dataset of it",
    b"MATLAB": "it is a MATLAB file; read it with scipy.io.loadmat and make a Dataset of it",
    b"version https://git-lfs": "it is a pointer to the file, which git lfs pull fetches",
    b"netcdf ": "it is NetCDF as text (CDL); convert it first: ncgen -o model.nc FILE",
}
_FOREIGN[b"MM\0*"] = _FOREIGN[b"II+\0"] = _FOREIGN[b"MM\0+"] = _FOREIGN[b"II*\0"]


@contextmanager
def open_model(path: Path) -> Iterator[xr.Dataset]:
    """Open a NetCDF file or Zarr store, with auxiliary variables as coordinates; then close it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not NetCDF or Zarr, or is damaged.

    Warns
    -----
    UserWarning
        If times stay numbers, or a variable is left out; see `times.decode`.
    """
    engine = engine_of(path)
    options: dict[str, Any] = {"consolidated": False} if engine == "zarr" else {}
    with explained(path, only_reads=True):
        ragged = [] if engine == "zarr" else _list_ragged(path)
        options |= {"decode_cf": False, "drop_variables": ragged}
        raw = xr.open_dataset(path, engine=engine, **options)
    with raw, explained(path):
        with explained(path, only_reads=True):
            dataset = times.decode(raw)
        yield with_coordinates(dataset)


def engine_of(path: Path) -> str:
    """Find the engine that reads a file or store, from what it contains.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is neither NetCDF nor Zarr.
    """
    if not path.exists():
        is_url = path.parts and path.parts[0] in ("http:", "https:", "s3:", "gs:", "ftp:")
        said = "; download it first" if is_url else ""
        raise FileNotFoundError(f"there is no file {str(path)!r}{said}")
    if path.is_dir():
        require("zarr", "Zarr stores need")
    what = _refuse_folder(path) if path.is_dir() else _refuse_file(path)
    if what:
        raise ValueError(f"{str(path)!r} cannot be read as NetCDF or Zarr: {what}")
    return "zarr" if path.is_dir() else "netcdf4"


def _refuse_folder(path: Path) -> str:
    """Say why a folder is not a Zarr store; empty if it is."""
    if not any((path / name).exists() for name in _ZARR):
        files = sorted(p.name for p in path.iterdir())
        inside = f", with {plain(', '.join(files[:3]))}; name a file" if files else ", and empty"
        return f"it is a folder, not a store{inside}"
    about = path / "zarr.json"
    is_array = (path / ".zarray").exists()
    if about.exists():
        try:
            is_array = json.loads(about.read_text())["node_type"] == "array"
        except (ValueError, TypeError, KeyError):
            return "its zarr.json is damaged"
    alone = "it is one array, without names and coordinates; name the store that holds it"
    return alone if is_array else ""


def _refuse_file(path: Path) -> str:
    """Say why a file is not NetCDF; empty if it may be."""
    if not path.is_file():
        return "it is no regular file"
    with path.open("rb") as file:
        start = file.read(4096)
        places = [0, *(512 << n for n in range(8))]  # HDF5 may begin with a block of the user's
        is_hdf5 = any(file.seek(p) == p and file.read(8) == _HDF5 for p in places)
    if is_hdf5 or start.startswith(_NETCDF):
        return ""
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            return what
    if not start:
        return "it is empty"
    if start.lstrip()[:1] == b"<":
        return "it is a web page or XML; the download may have failed"
    is_text = not set(start) - {*range(32, 256), *b"\t\n\r\f\x1b"}
    return "it is text" if is_text else "it is of an unknown kind"


def _list_ragged(path: Path) -> list[str]:
    """List the variables whose values are arrays of any length, which xarray takes for numbers."""
    import netCDF4

    with netCDF4.Dataset(path) as file:
        kinds = {name: variable.datatype for name, variable in file.variables.items()}
    ragged = [
        name
        for name, kind in kinds.items()
        if isinstance(kind, netCDF4.VLType) and kind.dtype != np.dtype(str)
    ]
    if ragged:
        warn(f"variables of ragged arrays are left out: {plain(', '.join(ragged))}")
    return ragged


def list_groups(path: Path) -> list[str]:
    """List the groups of a file or store below its root, which hold data of their own."""
    if engine_of(path) == "zarr":
        import zarr

        root = zarr.open_group(path, mode="r", use_consolidated=False)
        return sorted(name for name, m in root.members(None) if isinstance(m, zarr.Group))
    import netCDF4

    with netCDF4.Dataset(path) as file:
        return [group.path.lstrip("/") for group in _walk(file)]


def _walk(group: Any) -> Iterator[Any]:
    for inner in group.groups.values():
        yield inner
        yield from _walk(inner)


@contextmanager
def explained(path: Path, *, only_reads: bool = False) -> Iterator[None]:
    """Turn the errors of the NetCDF and Zarr libraries into plain sentences about the file.

    If the body `only_reads`, an error of any kind means that the file is damaged.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        is_theirs = isinstance(error, OSError) or str(error).startswith("NetCDF")
        if not (only_reads or is_theirs):
            raise
        raise ValueError(f"{str(path)!r} {_describe_damage(error)}") from error


def _describe_damage(error: Exception) -> str:
    said = plain(getattr(error, "strerror", None) or error, 500)
    if "ilter" in said:
        return f"uses a compression that is not installed: {said}"
    if not isinstance(error, OSError):
        return f"is damaged: {said}"
    hint = "; it is damaged, or HDF5 that NetCDF does not understand" if "HDF" in said else ""
    return f"cannot be read as NetCDF or Zarr: {said}{hint}"
