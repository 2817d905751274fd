"""What figures are given: results, sweeps and switches, or a sentence on what to give instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xvcluster.grid.labels import Result, declared_numbers
from xvcluster.inputs import describe
from xvcluster.messages import plain
from xvcluster.options import check_flag


def take_result(source: Result | xr.Dataset, figure: str) -> xr.Dataset:
    """Take the Dataset of a ClusterResult, with a colour for each cluster; refuse what is none.

    Parameters
    ----------
    source : ClusterResult or Dataset
    figure : str
        Name of the figure, for messages.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If the Dataset is not that of a ClusterResult.
    """
    dataset = take_dataset(source, figure, "a ClusterResult or its dataset")
    if "parameters" not in dataset.attrs or not {"label", "cluster"} <= set(dataset.variables):
        raise ValueError(
            f"plot.{figure} draws a ClusterResult or its dataset, but this Dataset is not one: its "
            f"variables are {_names(dataset)}. Cluster the data first, e.g. with "
            ".vcluster.kmeans(6); of a sweep, pass sweep.result()"
        )
    label, clusters = dataset["label"], dataset["cluster"].values
    declared = declared_numbers(label)
    if declared is None or not np.isin(clusters, declared).all():
        numbers = np.arange(1, clusters.max() + 1)
        dataset = dataset.assign(label=label.assign_attrs(flag_values=numbers))
    return dataset


def take_sweep(source: Result | xr.Dataset, figure: str) -> xr.Dataset:
    """Take the Dataset of a SweepResult, which has labels for each k; refuse what is none."""
    dataset = take_dataset(source, figure, "a SweepResult or its dataset")
    if "label" not in dataset or "k" not in dataset["label"].dims:
        raise ValueError(
            f"plot.{figure} draws a SweepResult or its dataset, but this Dataset has no labels for "
            f"each k: its variables are {_names(dataset)}. Pass data.vcluster.sweep(range(2, 11)); "
            "of a result chosen by a sweep, pass result.sweep"
        )
    return dataset


def take_dataset(source: object, figure: str, wanted: str) -> xr.Dataset:
    """Take a Dataset, or that of a result; refuse what is neither."""
    if isinstance(source, xr.Dataset):
        return source
    if isinstance(source, Result):
        return source.dataset
    if isinstance(source, xr.DataArray):
        given = "DataArray; labels alone have a map, plot.map"
    else:
        given = describe(source, "xvcluster.open_result")
    raise TypeError(f"plot.{figure} draws {wanted}; got {given}")


def check_switches(**options: Any) -> None:
    """Refuse anything but True or False for what is drawn or not."""
    for name, value in options.items():
        check_flag(name, value)


def check_field(field: object, name: str) -> xr.DataArray:
    """Return a field that is drawn in a continuous scale; refuse what is no array of numbers."""
    if not isinstance(field, xr.DataArray):
        raise TypeError(
            f"{name} is of type {type(field).__name__}; pass a DataArray on the points of the map, "
            "such as data.isel(depth=0)"
        )
    if field.dtype.kind not in "iufb":
        raise TypeError(f"{name} is of type {field.dtype}; pass a field of real numbers")
    return field


def _names(dataset: xr.Dataset) -> str:
    """Names of the variables of a Dataset."""
    return plain(", ".join(map(str, dataset.data_vars)) or "none")
