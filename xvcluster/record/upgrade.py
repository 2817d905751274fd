"""Results of layouts 1 and 2 brought to today's, which stores every offset and scale."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.messages import plain
from xvcluster.options import check_number
from xvcluster.profiles.scaling import ProfileScaling
from xvcluster.record.dataset import SCHEMA, held, node_ending, parameters_of, read_each


def upgrade(dataset: xr.Dataset) -> xr.Dataset:
    """Add what an earlier layout left to be worked out: how profiles were scaled."""
    if int(dataset.attrs["xvcluster_schema"]) >= SCHEMA:
        return dataset
    options = parameters_of(dataset)
    names, scale = options["variables"], options.pop("scale", {})
    _check_scale(scale, names)
    added: dict[str, xr.DataArray] = {}
    if options.get("normalize") == "profile":
        for along in {"cluster", "node"} & set(dataset.dims):
            added |= _own_means(dataset, names, along)
    elif f"{names[0]}_offset" not in dataset:
        for name in names:
            offset = _mean_node(dataset, name, options["metric"] == "euclidean")
            added[f"{name}_offset"] = offset
            if name not in scale:
                raise ValueError("it lacks the parameter 'scale'")
            added[f"{name}_scale"] = xr.full_like(offset, scale[name])
    parameters = json.dumps(options)
    return dataset.assign(added).assign_attrs(xvcluster_schema=SCHEMA, parameters=parameters)


def _check_scale(scale: object, names: list[str]) -> None:
    """Refuse what is no mapping of each variable to what it was divided by."""
    if scale == {}:  # layout 2 may have all of it in variables
        return
    if not isinstance(scale, dict) or set(scale) != set(names):
        raise ValueError(f"the parameter 'scale' does not name {plain(', '.join(names))}")
    for name, value in scale.items():
        try:
            check_number(f"the parameter 'scale' of {plain(name)!r}", value, above=0.0, most=1e150)
        except TypeError as error:
            raise ValueError(str(error)) from None


def _own_means(dataset: xr.Dataset, names: list[str], along: str) -> dict[str, xr.DataArray]:
    """The mean over the levels of each centroid, which was what its members were shifted by."""
    node = node_ending(along)
    nodes = read_each(dataset, names, node, along)
    weights = np.ones(nodes.shape[1])
    if "level_weight" in dataset:
        weights = dataset["level_weight"].values.astype(np.float64)
    means = ProfileScaling(weights).moments(nodes)[:, 0].T
    found = {}
    for name, mean in zip(names, means, strict=True):
        if f"{name}{node}_scale" not in dataset:
            raise ValueError(f"it lacks the variable {plain(f'{name}{node}_scale')!r}")
        spread = dataset[f"{name}{node}_scale"]
        found[f"{name}{node}_offset"] = spread.copy(data=mean)
        found[f"{name}{node}_scale"] = spread.where(spread != 0, 1.0)
    return found


def _mean_node(dataset: xr.Dataset, name: str, by_level: bool) -> xr.DataArray:
    """What values are shifted by: the mean of all nodes, at each level or altogether."""
    along = "node" if f"{name}_node" in dataset else "cluster"
    nodes = dataset[name + node_ending(along)]
    exist: Float64s = read_each(dataset, [name], node_ending(along), along)
    mean = nodes.isel({along: np.flatnonzero(held(exist))}).mean(along)
    return mean if by_level else xr.full_like(mean, mean.mean())
