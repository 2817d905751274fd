"""Optional packages, and the extras of xvcluster that install them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXTRAS = {
    "dask": "dask",
    "zarr": "dask",
    "bokeh": "explore",
    "geopandas": "geo",
    "pyogrio": "geo",
    "rasterio": "geo",
}


def require(package: str, need: str) -> Any:
    """Import an optional package, or a module of it, or say how to install it.

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
        name = package.partition(".")[0]
        raise ImportError(
            f"{need} {name}, which is not installed; install it with "
            f'pip install "xvcluster[{_EXTRAS[name]}]"'
        ) from error
