"""The Dataset of a clustering: written from centroids and members, and read back.

What is written here is read here, and nowhere else: names of variables, dimensions and attributes
are those of the tables below, of the data, and of the method.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.metrics import Metric, get_metric
from xvcluster.arrays import Booleans, Float64s, Indices
from xvcluster.grid.coords import units
from xvcluster.grid.levels import levels_of
from xvcluster.messages import plain
from xvcluster.profiles import QUANTILES, STATUS, Layout, Members, describe_incomplete
from xvcluster.profiles.memory import ArrayMembers
from xvcluster.profiles.scaling import SCALED_UNITS, ProfileScaling, Scaling, keeps_units
from xvcluster.record.contents import CONTENTS
from xvcluster.record.method import Method, method_of

SCHEMA = 4
"""Version of this layout; raise it when a reader of the old one would go wrong."""

Attributes = dict[str, Any]

OF_CLUSTERS: dict[str, Attributes] = {
    "count": {"long_name": "number of profiles"},
    "area": {"long_name": "area on the authalic sphere", "units": "km2"},
    "cluster_inertia": {"long_name": "sum of squared distances to the centroid"},
    "cluster_margin": {"long_name": "mean margin of the profiles", "units": "1"},
    "cluster_stability": {"long_name": "mean stability of the profiles", "units": "1"},
    "cluster_stability_noise": {
        "long_name": "mean stability of the profiles under errors of the data",
        "units": "1",
    },
}
"""Variables along ``cluster``, with their attributes."""

_OF_POINTS: dict[str, Attributes] = {
    "label": {"long_name": "cluster"},
    "status": {
        "long_name": "why a point has a label or none",
        "flag_values": np.arange(len(STATUS), dtype=np.int8),
        "flag_meanings": " ".join(STATUS),
    },
    "distance": {"long_name": "distance to the own centroid"},
    "margin": {
        "long_name": "margin of the cluster over the second nearest",
        "units": "1",
        "comment": "1 - d1/d2: 0 ambiguous, 1 certain",
    },
}
"""Variables on the horizontal dimensions of the data."""

_MARGIN_OF_GIVEN: Attributes = {
    "long_name": "margin over the nearest other cluster",
    "units": "1",
    "comment": "(d2 - d1)/max(d1, d2), with the distances d1 to the own centroid and d2 to the "
    "nearest other one: 1 certain, 0 ambiguous, negative where the other one is nearer",
}
"""Of labels that do not follow from distances alone."""

SWEEP = "sweep_"
"""How names of the criteria of a sweep begin."""
_CARRIED = ("id", "title", "model", "reference", "references", "reference_pid", "repository_pid")
_STORED = ("robustness_class",)
"""Names that every file encodes in one way, whatever the method."""
_LONGEST = 1_000_000
"""Number of characters that the parameters of a result may have."""
_PACKAGES = ("xvcluster", "numpy", "xarray", "scikit-learn", "tslearn", "minisom")


def check_names(layout: Layout, method: type[Method], *others: str) -> None:
    """Refuse data whose names the result of a method needs for itself, or for `others`.

    Names that other methods need are free: an unstructured grid may have a dimension ``node``.
    """
    held = {*CONTENTS, *method.contents, *_STORED, *others} - {"{name}"}
    reserved = {own.format(name=name) for own in held for name in layout.variables}
    used = [*layout.variables, *layout.grid.dims, *layout.grid.coords]
    if layout.vertical is not None:
        used += [*layout.vertical.dims, *layout.vertical.coords]
    for name in used:
        if name in reserved or str(name).startswith(SWEEP):
            raise ValueError(
                f"the data use the name {str(name)!r}, which the result has for itself; give it "
                "another one first, with data.rename"
            )


def describe(
    data: xr.DataArray | xr.Dataset,
    layout: Layout,
    centroids: Float64s,
    members: Members,
    parameters: Mapping[str, Any],
    did: str = "",
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
        Method and options, as JSON can hold them; ``n_clusters`` is added.
    did : str, optional
        What was done, for the history. Default: the method.

    Returns
    -------
    Dataset
    """
    parameters = dict(parameters) | {"n_clusters": len(centroids)}
    parameters |= {"vertical": layout.axes.vertical, "variables": list(layout.variables)}
    scaling = members.scaling()
    found = members.statistics(centroids)
    variables: dict[str, Any] = dict(_maps(layout, members, parameters))
    variables |= of_each(layout, "", scaling.undo(centroids), "cluster")
    variables |= of_each(layout, "_std", found.std * scaling.scale, "cluster")
    quantiles = of_each(layout, "_quantile", scaling.undo(found.quantiles), "quantile", "cluster")
    for array in quantiles.values():
        array.attrs |= {"comment": found.comment} if found.comment else {}
    variables |= quantiles
    for name, attrs in OF_CLUSTERS.items():
        values = getattr(found, name.removeprefix("cluster_"), None)
        if values is not None:
            variables[name] = ("cluster", values, attrs)
    variables |= describe_scaling(layout, scaling)
    if layout.weighting.levels is not None:
        variables["level_weight"] = _level_weights(layout)
    own = {
        "cluster": ("cluster", np.arange(1, len(centroids) + 1), {"long_name": "cluster number"}),
        "quantile": ("quantile", list(QUANTILES), {"long_name": "share of the members below"}),
    }
    attributes = _global_attrs(data, parameters, did or parameters["method"])
    return xr.Dataset(variables, layout.coords.merge(own).coords, attributes)


def of_each(layout: Layout, ending: str, values: Float64s, *lead: str) -> dict[str, xr.Variable]:
    """Values (*lead, n_levels, n_variables) as one variable for each of the data's, by name."""
    arrays = layout.to_levels(values, *lead)
    return {f"{n}{ending}": a for n, a in zip(layout.variables, arrays, strict=True)}


def describe_scaling(
    layout: Layout, scaling: Scaling, along: str = "cluster"
) -> dict[str, xr.Variable]:
    """Describe how profiles were scaled: ``<name>_offset`` and ``<name>_scale``.

    They lie on the vertical, or `along` clusters or nodes where profiles were scaled by their own
    mean and spread. Weights of levels, which stretch the scale, are left out.
    """
    scale = scaling.scale * _stretch(layout.weighting.levels)
    scale = np.where(scale > 0, scale, 1.0)  # profiles that are all constant are not divided
    described = {}
    node = node_ending(along)
    for ending, values in (("offset", scaling.offset), ("scale", scale)):
        if values.ndim == 3:
            columns = zip(layout.variables, values[:, 0].T, strict=True)
            found = {f"{n}{node}_{ending}": xr.Variable(along, v) for n, v in columns}
        else:
            shape = (len(layout.levels), len(layout.variables))
            found = of_each(layout, f"_{ending}", np.broadcast_to(values, shape))
        what = "subtracted" if ending == "offset" else "divided by"
        for name, array in found.items():
            array.attrs["long_name"] = f"what was {what} to compare profiles"
            described[name] = array
    return described


def node_ending(along: str) -> str:
    """What the names of variables along ``node`` have in addition to those along ``cluster``."""
    return "_node" if along == "node" else ""


def _stretch(level_weights: Float64s | None) -> Float64s:
    """What weights of levels multiply values by, shape (n_levels, 1)."""
    weights = np.ones(1) if level_weights is None else level_weights
    return np.asarray(np.sqrt(weights)[:, None])


def _level_weights(layout: Layout) -> xr.Variable:
    """Weights of the levels on the vertical."""
    levels = np.asarray(layout.weighting.levels)
    columns = np.repeat(levels[:, None], len(layout.variables), axis=1)
    attrs = {"long_name": "weight of the squared differences at a level", "units": "1"}
    found = layout.to_levels(columns)[0]
    found.attrs = attrs
    return found


def _maps(
    layout: Layout, members: Members, parameters: Mapping[str, Any]
) -> dict[str, xr.Variable]:
    """What is known of each point: label, status, distance, margin."""
    maps = members.maps()
    for name, attrs in _OF_POINTS.items():
        maps[name].attrs = dict(attrs)
    if isinstance(members, ArrayMembers) and members.labels is not None:
        maps["margin"].attrs = dict(_MARGIN_OF_GIVEN)
    maps["label"].attrs |= flag_attrs(parameters["n_clusters"])
    incomplete = describe_incomplete(members.profiles.completeness)
    if incomplete:
        maps["status"].attrs["comment"] = incomplete
    if len(layout.variables) == 1:
        first = next(iter(layout.variables.values()))
        own = units(xr.Variable((), 0, first)) or "1"
        maps["distance"].attrs["units"] = SCALED_UNITS.get(str(parameters.get("normalize")), own)
    return maps


def flag_attrs(k: int, word: str = "cluster") -> dict[str, Any]:
    """CF attributes that name the values of labels 1…k."""
    return {
        "flag_values": np.arange(1, k + 1, dtype=np.int16),
        "flag_meanings": " ".join(f"{word}_{c}" for c in range(1, k + 1)),
    }


def lowest_first(centroids: Float64s, level_weights: Float64s | None = None) -> Indices:
    """Order of clusters by the mean of the first variable over the levels, by their weights."""
    mean = np.average(centroids[..., 0], axis=1, weights=level_weights)
    return np.argsort(mean, kind="stable")


def describe_order(layout: Layout) -> str:
    """Say how clusters are numbered."""
    name, attrs = next(iter(layout.variables.items()))
    return f"{_mean_of(name, attrs, layout.weighting.levels is not None)}, lowest first"


def describe_mean(dataset: xr.Dataset, name: str) -> tuple[str, Float64s]:
    """Say what the mean of a variable over the levels is, by their weights, and find it (k,)."""
    weights = dataset["level_weight"].values if "level_weight" in dataset else None
    values = read_each(dataset, [name], "", "cluster")[..., 0]
    said = _mean_of(name, dataset[name].attrs, weights is not None)
    return said, np.asarray(np.average(values, axis=1, weights=weights))


def _mean_of(name: str, attrs: Mapping[str, Any], is_weighted: bool) -> str:
    unit = str(attrs.get("units", "")).strip()
    by = " weighted by level" if is_weighted else ""
    return f"mean of {name}{f' ({unit})' if unit else ''}{by}"


def _global_attrs(
    data: xr.DataArray | xr.Dataset, parameters: Mapping[str, Any], did: str
) -> dict[str, Any]:
    """Where the data came from, what was done, and by what."""
    carried = {n: str(data.attrs[n]) for n in _CARRIED if data.attrs.get(n)}
    if "source" in data.encoding:
        carried["source"] = os.path.basename(data.encoding["source"])
    method, k = parameters["method"], parameters["n_clusters"]
    return carried | {
        "Conventions": "CF-1.11",
        "xvcluster_schema": SCHEMA,
        "method": method,
        "parameters": json.dumps(parameters),
        "software": ", ".join(f"{name} {_version(name)}" for name in _PACKAGES),
        "history": add_history(data, f"{did}, {k} clusters"),
    }


@cache
def _version(package: str) -> str:
    """The version of a package, whose metadata are a file that takes a while to read."""
    return metadata.version(package)


def add_history(data: xr.DataArray | xr.Dataset, did: str) -> str:
    """The history of the data, and a line on what was done now."""
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"{now} xvcluster {_version('xvcluster')}: {did}"
    return "\n".join(filter(None, [str(data.attrs.get("history", "")), line]))


def parameters_of(dataset: xr.Dataset) -> dict[str, Any]:
    """The method's parameters that a result carries.

    Raises
    ------
    ValueError
        If the Dataset is no result, or its parameters cannot be read.
    """
    text = dataset.attrs.get("parameters")
    if text is None:
        raise ValueError(
            "it lacks the attribute 'parameters', which every result of xvcluster has; give the "
            "Dataset of one"
        )
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise ValueError(
            f"the attribute 'parameters' must be text of at most {_LONGEST:,} characters; it is "
            f"{plain(repr(text), 60)}"
        )
    try:
        loaded = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the attribute 'parameters' is not JSON: {plain(error)}") from None
    if not isinstance(loaded, dict):
        raise ValueError(
            f"the attribute 'parameters' must be a JSON object; it is {plain(text, 60)}"
        )
    return loaded


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def select_centroids(dataset: xr.Dataset) -> xr.Dataset:
    """What is known of the clusters, without maps and what only the method needs."""
    names = parameters_of(dataset)["variables"]
    wanted = [f"{name}{ending}" for ending in ("", "_std", "_quantile") for name in names]
    return dataset[wanted + [name for name in OF_CLUSTERS if name in dataset]]


def read_metric(dataset: xr.Dataset) -> Metric:
    """The metric by which profiles were compared."""
    options = parameters_of(dataset)
    return get_metric(options["metric"], read_window(options), read_levels(dataset))


def read_levels(dataset: xr.Dataset) -> Float64s:
    """The levels of a result as numbers, or as positions if they have none; 0 for a raster."""
    vertical = parameters_of(dataset)["vertical"]
    return np.zeros(1) if vertical is None else levels_of(dataset[vertical])


def describe_window(window: float | None) -> dict[str, Any]:
    """What is recorded of a window of DTW: an int counts levels, a float is a distance."""
    if window is None:
        return {}
    return {"window" if isinstance(window, int) else "window_depth": window}


def read_window(options: Mapping[str, Any]) -> float | None:
    """Read back what `describe_window` recorded."""
    depth: float | None = options.get("window_depth")
    window: int | None = options.get("window")
    return window if depth is None else float(depth)


def read_nodes(
    dataset: xr.Dataset, along: str = "cluster", *, shifted: bool = True
) -> tuple[Scaling | ProfileScaling, Float64s]:
    """Read how profiles were scaled, and the centroids or nodes in that scale.

    Parameters
    ----------
    dataset : Dataset
        Of a result.
    along : {"cluster", "node"}
    shifted : bool, default True
        Whether the offset is subtracted, which changes no distance if the result is not normalized.

    Returns
    -------
    (Scaling or ProfileScaling, ndarray of shape (n, n_levels, n_variables))
        With the levels in the order of the result's vertical coordinate. NaN for clusters that a
        match left empty.
    """
    names = parameters_of(dataset)["variables"]
    nodes = read_each(dataset, names, node_ending(along), along)
    weights = np.ones(nodes.shape[1])
    if "level_weight" in dataset:
        weights = dataset["level_weight"].values.astype(np.float64)
    stretch = _stretch(weights)
    own = f"{names[0]}{node_ending(along)}_offset"
    of_variables = parameters_of(dataset).get("variable_weights", {})
    if own in dataset and dataset[own].dims == (along,):
        moments = [_per_node(dataset, names, along, ending) for ending in ("offset", "scale")]
        undoing = Scaling(moments[0], moments[1] / stretch)
        variable_weights = np.array([of_variables.get(name, 1.0) for name in names])
        own_scaling = ProfileScaling(weights, variable_weights)
        return own_scaling, undoing.apply(nodes).astype(np.float64)
    offset, scale = (read_each(dataset, names, f"_{ending}")[0] for ending in ("offset", "scale"))
    normalize = parameters_of(dataset).get("normalize")
    unit = float(scale[0, 0]) if keeps_units(normalize, len(names)) else 1.0
    scaling = Scaling(offset if shifted else np.zeros_like(offset), scale / stretch, unit)
    return scaling, scaling.apply(nodes).astype(np.float64)


def _per_node(dataset: xr.Dataset, names: Iterable[str], along: str, ending: str) -> Float64s:
    """An offset or scale of each cluster or node, shape (n, 1, n_variables)."""
    values = [dataset[f"{name}{node_ending(along)}_{ending}"].values for name in names]
    return np.stack(values, axis=-1)[:, None, :].astype(np.float64)


def read_each(
    dataset: xr.Dataset, names: Iterable[str], ending: str, lead: str | None = None
) -> Float64s:
    """Read one array (n, n_levels, n_variables) from what `of_each` described."""
    arrays = [dataset[name + ending] for name in names]
    dims = [d for d in arrays[0].dims if d != lead]
    shape = (arrays[0].sizes.get(lead, 1), -1)
    values = [a.transpose(*([lead] if lead else []), *dims).values.reshape(shape) for a in arrays]
    return np.stack(values, axis=-1).astype(np.float64)


def held(nodes: Float64s) -> Booleans:
    """Which of the nodes (n, n_levels, n_variables) exist: a match leaves empty clusters of NaN."""
    return np.asarray(~np.isnan(nodes).any(axis=(1, 2)))


def turn_levels(dataset: xr.Dataset, descending: bool) -> xr.Dataset:
    """Turn the levels of a result around if those of the profiles run against them."""
    order = {parameters_of(dataset)["vertical"]: slice(None, None, -1)}
    return dataset.isel(order) if descending else dataset


def read_assigner(dataset: xr.Dataset) -> tuple[Scaling | ProfileScaling, Assigner]:
    """Read how profiles are scaled and assigned to the clusters of a result.

    Profiles must have their levels in the order of the result's vertical coordinate. None is
    assigned to clusters that a match left empty.
    """
    method = method_of(dataset)
    scaling, nodes = read_nodes(dataset, method.nodes_along(dataset))
    return scaling, method.assigner(dataset, nodes, read_metric(dataset))


def nearest_distances(dataset: xr.Dataset) -> Float64s:
    """Distance (k,) of each centroid to the nearest other one, as profiles were compared."""
    scaling, centroids = read_nodes(dataset)
    exist = np.flatnonzero(held(centroids))
    nearest = np.full(len(centroids), np.nan)
    if exist.size > 1:
        apart = read_metric(dataset).distances(centroids[exist], centroids[exist])
        np.fill_diagonal(apart, np.inf)
        nearest[exist] = apart.min(axis=1) * scaling.unit
    return nearest
