"""Optional packages, and the extras of xvcluster that install them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXTRAS = {"dask": "dask", "zarr": "dask", "geopandas": "geo", "pyogrio": "geo", "rasterio": "geo"}


def require(package: str, need: str) -> Any:
    """Import an optional package, or say how to install it.

    Parameters
    ----------
    package : str
    need : str
        What needs it, and the verb, such as "boundaries need".

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f"{need} {package}, which is not installed; install it with "
            f'pip install "xvcluster[{_EXTRAS[package]}]"'
        ) from error
