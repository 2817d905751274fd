"""A clustering described in one self-describing Dataset."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.grid.coords import units
from xvcluster.profiles import QUANTILES, STATUS, Layout, Members
from xvcluster.profiles.scaling import Scaling
from xvcluster.record import store

_RESERVED = frozenset(
    "label status distance margin count area cluster_inertia cluster_margin cluster_stability "
    "stability level_weight posterior robustness robustness_class contingency reference component "
    "component_ component_weight component_mean component_covariance cluster quantile node "
    "node_cluster node_count som_row som_column".split()
)
_RESERVED_START = "sweep_"
_CARRIED = ("id", "title", "model", "reference", "references", "reference_pid", "repository_pid")


def check_names(layout: Layout, *others: str) -> None:
    """Refuse data whose names the result needs for itself, or for `others`."""
    reserved = _RESERVED | set(others)
    for suffix in ("std", "quantile", "node", "scale", "offset", "node_scale", "axis"):
        reserved |= {f"{name}_{suffix}" for name in layout.variables}
    used = [*layout.variables, *layout.grid.dims, *layout.grid.coords]
    if layout.axes.vertical is not None:
        used.append(layout.axes.vertical)
    for name in used:
        if name in reserved or str(name).startswith(_RESERVED_START):
            raise ValueError(
                f"the data use the name {str(name)!r}, which the result has for itself; give it "
                "another one first, with data.rename"
            )


def build_dataset(
    data: xr.DataArray | xr.Dataset,
    layout: Layout,
    centroids: Float64s,
    members: Members,
    parameters: Mapping[str, Any],
) -> xr.Dataset:
    """Describe a clustering in one Dataset.

    Parameters
    ----------
    data : DataArray or Dataset
        What was clustered; its attributes are carried on.
    layout : Layout
    centroids : ndarray, shape (k, n_levels, n_variables)
        Scaled.
    members : Members
        Of the clusters, from 0.
    parameters : mapping
        Method and options, as JSON can hold them.

    Returns
    -------
    Dataset
    """
    k = len(centroids)
    names = list(layout.variables)
    dataset = _maps(layout, members, parameters)
    scaling = members.scaling()
    found = members.statistics(centroids)
    described = {
        "": scaling.undo(centroids),
        "_std": found.std * scaling.scale,
        "_quantile": scaling.undo(found.quantiles),
    }
    for suffix, values in described.items():
        lead = ("quantile", "cluster") if suffix == "_quantile" else ("cluster",)
        for name, array in zip(names, layout.to_levels(values, *lead), strict=True):
            dataset[f"{name}{suffix}"] = array
            if suffix == "_quantile" and found.comment:
                dataset[f"{name}{suffix}"].attrs["comment"] = found.comment
    dataset["count"] = ("cluster", found.count, {"long_name": "number of profiles"})
    if found.area is not None:
        attrs = {"long_name": "area on the authalic sphere", "units": "km2"}
        dataset["area"] = ("cluster", found.area, attrs)
    attrs = {"long_name": "sum of squared distances to the centroid"}
    dataset["cluster_inertia"] = ("cluster", found.inertia, attrs)
    attrs = {"long_name": "mean margin of the profiles", "units": "1"}
    dataset["cluster_margin"] = ("cluster", found.margin, attrs)
    dataset = dataset.assign_coords(
        cluster=("cluster", np.arange(1, k + 1), {"long_name": "cluster number"}),
        quantile=("quantile", list(QUANTILES), {"long_name": "share of the members below"}),
    )
    about = dict(parameters) | {"vertical": layout.axes.vertical, "variables": names}
    scale = np.ones(len(names))
    if parameters.get("normalize") in {None, "variable"}:
        scale = own_scale(layout, scaling)[0]
    about |= {"scale": dict(zip(names, scale.tolist(), strict=True))}
    dataset = dataset.assign(_how_scaled(layout, scaling, parameters))
    dataset.attrs = _global_attrs(data, about)
    return dataset


def own_scale(layout: Layout, scaling: Scaling) -> Float64s:
    """What values were divided by, (n_levels, n_variables), without the weights of levels."""
    levels = layout.weighting.levels
    stretch = np.ones((len(layout.levels), 1)) if levels is None else np.sqrt(levels)[:, None]
    return np.asarray(scaling.scale * stretch)


def _how_scaled(
    layout: Layout, scaling: Scaling, parameters: Mapping[str, Any]
) -> dict[str, xr.DataArray]:
    """What brings other data to the scale of the centroids, where one number does not."""
    described = {}
    normalize, scale = parameters.get("normalize"), own_scale(layout, scaling)
    if normalize == "profile":
        for name, values in zip(layout.variables, scale[:, 0].T, strict=True):
            described[f"{name}_scale"] = xr.DataArray(values, dims="cluster")
    elif normalize in {"anomaly", "percent", "level"} or parameters["method"] == "gmm":
        offset = np.broadcast_to(scaling.offset, scale.shape)
        for suffix, values in (("_offset", offset), ("_scale", scale)):
            arrays = zip(layout.variables, layout.to_levels(values), strict=True)
            described |= {f"{name}{suffix}": array for name, array in arrays}
    for name, array in described.items():
        what = "subtracted" if name.endswith("_offset") else "divided by"
        array.attrs["long_name"] = f"what was {what} to compare profiles"
    if layout.weighting.levels is not None:
        columns = np.repeat(layout.weighting.levels[:, None], len(layout.variables), axis=1)
        weights = layout.to_levels(columns)[0].drop_attrs(deep=False)
        attrs = {"long_name": "weight of the squared differences at a level", "units": "1"}
        described["level_weight"] = weights.assign_attrs(attrs)
    return described


def _maps(layout: Layout, members: Members, parameters: Mapping[str, Any]) -> xr.Dataset:
    """What is known of each point: label, status, distance, margin."""
    maps = members.maps()
    maps["label"].attrs = {"long_name": "cluster", **flag_attrs(parameters["n_clusters"])}
    maps["status"].attrs = {
        "long_name": "why a point has a label or none",
        "flag_values": np.arange(len(STATUS), dtype=np.int8),
        "flag_meanings": " ".join(STATUS),
    }
    maps["distance"].attrs = {"long_name": "distance to the own centroid"}
    if len(layout.variables) == 1:
        first = next(iter(layout.variables.values()))
        own = units(xr.Variable((), 0, first)) or "1"
        known = {"percent": "%", "level": "1", "profile": "1", "variable": "1"}
        maps["distance"].attrs["units"] = known.get(str(parameters.get("normalize")), own)
    maps["margin"].attrs = {
        "long_name": "margin of the cluster over the second nearest",
        "units": "1",
        "comment": "1 - d1/d2: 0 ambiguous, 1 certain",
    }
    return xr.Dataset(maps)


def flag_attrs(k: int, word: str = "cluster") -> dict[str, Any]:
    """CF attributes that name the values of labels 1…k."""
    return {
        "flag_values": np.arange(1, k + 1, dtype=np.int16),
        "flag_meanings": " ".join(f"{word}_{c}" for c in range(1, k + 1)),
    }


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
