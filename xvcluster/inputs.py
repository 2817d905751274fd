"""What users give as a model or as labels: taken from xarray, or a sentence on how to make it."""

from __future__ import annotations

import os
from typing import Any, TypeVar

import xarray as xr

from xvcluster.messages import plain

Given = TypeVar("Given")

_DIMS = ("time", "depth", "lat", "lon")
_MANY = 20


def take_model(given: Given) -> Given:
    """Return a DataArray or Dataset as it is, and of a DataTree the only group with variables.

    Raises
    ------
    TypeError
        If it is anything else; says how to turn it into a DataArray or a Dataset.
    ValueError
        If there are no variables, or several groups have some.
    """
    model = unwrap(given, "the data")
    if not isinstance(model, xr.DataArray | xr.Dataset):
        raise TypeError(f"the data must be a DataArray or Dataset of xarray; got {describe(given)}")
    if isinstance(model, xr.Dataset) and not model.data_vars:
        raise ValueError("the Dataset has no data variables; there is nothing to cluster")
    return model


def unwrap(given: Given, what: str) -> Given:
    """Return the only group with variables of a DataTree as a Dataset; all else as it is."""
    if not isinstance(given, xr.DataTree):
        return given
    nodes = [node for node in given.subtree if node.data_vars]
    if not nodes:
        raise ValueError(f"{what} are a DataTree without variables; give one that has some")
    paths = [repr(plain(node.path)) for node in nodes]
    if len(nodes) > 1:
        raise ValueError(
            f"{what} are a DataTree with variables in {len(nodes)} groups: "
            f"{', '.join(paths[:_MANY])}{', …' if len(paths) > _MANY else ''}. Give one of them, "
            f"e.g. tree[{paths[0]}].to_dataset()"
        )
    return nodes[0].to_dataset()  # type: ignore[return-value]  # no signature allows a DataTree


def describe(given: Any, reader: str = "xarray.open_dataset") -> str:
    """Say what something is that was given instead of an object of xarray, and what to do.

    Parameters
    ----------
    given : object
    reader : str
        The function that opens a file of what was needed.
    """
    return f"{_kind(given)}. {_advice(given, reader)}"


def _kind(given: Any) -> str:
    """What something is, in words."""
    if given is None:
        return "None"
    if isinstance(given, str | os.PathLike):
        return f"the path {plain(os.fspath(given))!r}"
    return type(given).__name__


def _advice(given: Any, reader: str) -> str:
    """How to turn something into an object of xarray, or where to find one."""
    is_list = isinstance(given, list | tuple)
    n_dims = 3 if is_list else getattr(given, "ndim", 0)
    advice = f'Open a file, e.g. {reader}("file.nc")'
    if isinstance(given, str | os.PathLike):
        zarr = reader == "xarray.open_dataset" and str(given).endswith(".zarr")
        opener = "xarray.open_zarr" if zarr else reader
        advice = f"Open it first, e.g. {opener}({plain(os.fspath(given))!r})"
    elif isinstance(getattr(given, "dataset", None), xr.Dataset):
        advice = "A result holds labels and centroids; give the model, or result.labels"
    elif hasattr(given, "to_xarray"):
        advice = 'Put it on a grid first, e.g. data.set_index(["depth", "lat", "lon"]).to_xarray()'
    elif isinstance(given, xr.Variable):
        advice = "Add its coordinates, e.g. xarray.DataArray(variable, coords=...)"
    elif isinstance(given, dict):
        advice = "Turn it into a Dataset, e.g. xarray.Dataset(data)"
    elif is_list and any(isinstance(part, xr.DataArray | xr.Dataset) for part in given):
        advice = "Put all of it into one Dataset, e.g. xarray.merge(data)"
    elif isinstance(n_dims, int) and 1 < n_dims <= len(_DIMS):
        dims = _DIMS[-n_dims:]
        coords = ", ".join(f"{dim!r}: {dim}" for dim in dims)
        advice = f"Name its axes, e.g. xarray.DataArray(values, dims={dims}, coords={{{coords}}})"
    return advice
