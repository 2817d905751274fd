"""A clustering described in one self-describing Dataset."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster import store
from xvcluster.coords import units
from xvcluster.methods.assign import Assignment
from xvcluster.methods.lloyd import threads
from xvcluster.normalize import Scaling
from xvcluster.profiles import STATUS, Profiles

_CHUNK = 1024
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_RESERVED = frozenset(
    "label status distance margin count area cluster_inertia sweep_inertia sweep_silhouette "
    "cluster quantile node node_cluster node_count som_row som_column".split()
)
_CARRIED = ("id", "title", "model", "reference", "references", "reference_pid", "repository_pid")


def check_names(profiles: Profiles, *others: str) -> None:
    """Refuse data whose names the result needs for itself, or for `others`."""
    reserved = _RESERVED | set(others)
    for suffix in ("std", "quantile", "node"):
        reserved |= {f"{name}_{suffix}" for name in profiles.variables}
    used = [*profiles.variables, *profiles.grid.dims, *profiles.grid.coords]
    if profiles.axes.vertical is not None:
        used.append(profiles.axes.vertical)
    for name in used:
        if name in reserved:
            raise ValueError(
                f"the data use the name {str(name)!r}, which the result has for itself; give it "
                "another one first, with data.rename"
            )


def build_dataset(
    data: xr.DataArray | xr.Dataset,
    profiles: Profiles,
    scaling: Scaling,
    centroids: npt.NDArray[np.float64],
    assignment: Assignment,
    parameters: Mapping[str, Any],
) -> xr.Dataset:
    """Describe a clustering in one Dataset.

    Parameters
    ----------
    data : DataArray or Dataset
        What was clustered; its attributes are carried on.
    profiles : Profiles
        With scaled values.
    scaling : Scaling
    centroids : ndarray, shape (k, n_levels, n_variables)
        Scaled.
    assignment : Assignment
        Its labels are the clusters, from 0.
    parameters : mapping
        Method and options, as JSON can hold them.

    Returns
    -------
    Dataset
    """
    k = len(centroids)
    names = list(profiles.variables)
    dataset = _maps(profiles, assignment, parameters)
    std, quantiles = _spread(profiles.values, assignment.labels, k)
    described = {
        "": scaling.undo(centroids),
        "_std": std * scaling.scale,
        "_quantile": scaling.undo(quantiles),
    }
    for suffix, values in described.items():
        lead = ("quantile", "cluster") if suffix == "_quantile" else ("cluster",)
        for name, array in zip(names, profiles.to_levels(values, *lead), strict=True):
            dataset[f"{name}{suffix}"] = array
    count = np.bincount(assignment.labels, minlength=k)
    dataset["count"] = ("cluster", count, {"long_name": "number of profiles"})
    if profiles.areas is not None:
        area = np.bincount(assignment.labels, profiles.areas, minlength=k)
        attrs = {"long_name": "area on the authalic sphere", "units": "km2"}
        dataset["area"] = ("cluster", area, attrs)
    inertia = np.bincount(assignment.labels, assignment.squared, minlength=k)
    attrs = {"long_name": "sum of squared distances to the centroid"}
    dataset["cluster_inertia"] = ("cluster", inertia, attrs)
    dataset = dataset.assign_coords(
        cluster=("cluster", np.arange(1, k + 1), {"long_name": "cluster number"}),
        quantile=("quantile", list(QUANTILES), {"long_name": "share of the members below"}),
    )
    about = dict(parameters) | {"vertical": profiles.axes.vertical, "variables": names}
    about |= {"scale": dict(zip(names, scaling.scale.tolist(), strict=True))}
    dataset.attrs = _global_attrs(data, about)
    return dataset


def _maps(profiles: Profiles, assignment: Assignment, parameters: Mapping[str, Any]) -> xr.Dataset:
    """What is known of each point: label, status, distance, margin."""
    k = parameters["n_clusters"]
    label = profiles.to_map(assignment.labels + 1)
    label.attrs = {"long_name": "cluster", **flag_attrs(k)}
    status = profiles.grid.spread(profiles.status)
    status.attrs = {
        "long_name": "why a point has a label or none",
        "flag_values": np.arange(len(STATUS), dtype=np.int8),
        "flag_meanings": " ".join(STATUS),
    }
    distance = profiles.to_map(np.sqrt(assignment.squared))
    distance.attrs = {"long_name": "distance to the own centroid"}
    if len(profiles.variables) == 1:
        first = next(iter(profiles.variables.values()))
        distance.attrs["units"] = units(xr.Variable((), 0, first)) or "1"
    margin = profiles.to_map(assignment.margin)
    margin.attrs = {
        "long_name": "margin of the cluster over the second nearest",
        "units": "1",
        "comment": "1 - d1/d2: 0 ambiguous, 1 certain",
    }
    return xr.Dataset({"label": label, "status": status, "distance": distance, "margin": margin})


def flag_attrs(k: int, word: str = "cluster") -> dict[str, Any]:
    """CF attributes that name the values of labels 1…k."""
    return {
        "flag_values": np.arange(1, k + 1, dtype=np.int16),
        "flag_meanings": " ".join(f"{word}_{c}" for c in range(1, k + 1)),
    }


def _spread(
    values: npt.NDArray[np.floating], labels: npt.NDArray[np.int32], k: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Standard deviation and quantiles of the members of each cluster, NaN for an empty one."""
    shape = (k, *values.shape[1:])
    std, quantiles = np.full(shape, np.nan), np.full((len(QUANTILES), *shape), np.nan)

    def describe(c: int) -> None:
        members = _gather(values, np.flatnonzero(labels == c))
        if members.shape[1]:
            std[c] = np.reshape([level.std(dtype=np.float64) for level in members], shape[1:])
            members.sort(axis=1)
            quantiles[:, c] = _quantiles(members).reshape(-1, *shape[1:])

    with threads() as map_clusters:
        list(map_clusters(describe, range(k)))
    return std, quantiles


def _gather(
    values: npt.NDArray[np.floating], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.floating]:
    """Values (n_levels · n_variables, n_rows) of the profiles of these rows, copied once."""
    flat = values.reshape(len(values), -1)
    members = np.empty((flat.shape[1], rows.size), dtype=values.dtype)
    for start in range(0, rows.size, _CHUNK):
        members[:, start : start + _CHUNK] = flat[rows[start : start + _CHUNK]].T
    return members


def _quantiles(ordered: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Linear quantiles (n_quantiles, n) of rows (n, m) that are sorted."""
    at = np.asarray(QUANTILES) * (ordered.shape[1] - 1)
    below = np.floor(at).astype(np.intp)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    low, high = (ordered[:, i].astype(np.float64) for i in (below, above))
    quantiles: npt.NDArray[np.float64] = (low + (high - low) * (at - below)).T
    return quantiles


def _global_attrs(data: xr.DataArray | xr.Dataset, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Where the data came from, what was done, by what."""
    carried = {n: str(data.attrs[n]) for n in _CARRIED if data.attrs.get(n)}
    if "source" in data.encoding:
        carried["source"] = os.path.basename(data.encoding["source"])
    version = metadata.version("xvcluster")
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    packages = ("xvcluster", "numpy", "xarray", "tslearn", "minisom")
    history = (
        f"{now} xvcluster {version}: {parameters['method']}, {parameters['n_clusters']} clusters"
    )
    return carried | {
        "Conventions": "CF-1.11",
        "xvcluster_schema": store.SCHEMA,
        "method": parameters["method"],
        "parameters": json.dumps(parameters),
        "software": ", ".join(f"{name} {metadata.version(name)}" for name in packages),
        "history": "\n".join(filter(None, [str(data.attrs.get("history", "")), history])),
    }
