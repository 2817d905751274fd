"""The door for results that come from elsewhere: each holds what its method says, or is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import xarray as xr

from xvcluster.grid.coords import Kind, find_horizontal
from xvcluster.grid.degrees import degrees
from xvcluster.messages import plain
from xvcluster.record.contents import CONTENTS, PARAMETERS, Parameters, Variable
from xvcluster.record.dataset import SCHEMA, SWEEP, parameters_of, read_nodes
from xvcluster.record.method import Method, method_of

_ALL_SCALED = 3
"""The first layout that stores every offset and scale."""

_MOST = 1e250
"""Far beyond any data; whether squares are finite in the scale of the fit is checked apart."""

_KINDS = {"f": "floating-point numbers", "iu": "integers", "fiu": "numbers"}

Array = np.ndarray[Any, np.dtype[Any]]


def check_result(dataset: xr.Dataset, *, layout: int = SCHEMA, maps: bool = True) -> None:
    """Refuse a Dataset that does not hold what a result of its method holds.

    Parameters
    ----------
    dataset : Dataset
        Lazy variables are not read; whoever reads their labels checks them by `check_labels`.
    layout : int, optional
        Version of the layout; earlier ones stored less of the scaling. Default: today's.
    maps : bool, default True
        Whether the values of maps are checked as well.

    Raises
    ------
    ValueError
        Names the part that is wrong.
    """
    method, parameters = method_of(dataset), parameters_of(dataset)
    _check_parameters(parameters, method)
    contents = _contents(method, parameters)
    _check_label(dataset, parameters)
    if layout < _ALL_SCALED:
        contents |= {
            name: replace(own, optional=True, least=0.0)
            for name, own in contents.items()
            if name.endswith(("_offset", "_scale"))
        }
    for name, own in contents.items():
        _check_variable(dataset, name, own, parameters)
    if maps:
        _check_places(dataset["label"])
    points = set(dataset["label"].dims)
    for name, own in contents.items():
        held = dataset.variables.get(name)
        if held is not None and held.chunks is None and (maps or not points <= {*held.dims}):
            _check_values(held, name, own, parameters["n_clusters"])
    _check_levels(dataset, parameters)
    _check_sweep(dataset)
    _check_empty(dataset, contents, parameters)
    misfit = method.misfit(dataset, parameters)
    if misfit:
        raise ValueError(misfit)
    if layout >= _ALL_SCALED:
        _check_scaled(dataset, method)


def decisive(dataset: xr.Dataset) -> list[str]:
    """Names of the variables of a result on which labels of other data depend."""
    parameters = parameters_of(dataset)
    contents = _contents(method_of(dataset), parameters)
    names = [name for name, own in contents.items() if own.decides]
    return [name for name in (*names, parameters["vertical"]) if name in dataset.variables]


def check_labels(values: Array, name: str, highest: int) -> None:
    """Refuse numbers of clusters that are not whole or not within 1 to `highest`; NaN is none."""
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    wrong = known[(known < 1) | (known > highest) | (known != np.round(known))]
    if wrong.size:
        raise ValueError(
            f"{plain(name)!r} holds {wrong.flat[0]:g}, but clusters are numbered 1 to {highest}"
        )


def _contents(method: Method, parameters: Parameters) -> dict[str, Variable]:
    """What a result must be like, by the names of its variables."""
    tables, names = CONTENTS | dict(method.contents), parameters["variables"]
    return {
        pattern.format(name=name): own
        for pattern, own in tables.items()
        for name in (names if "{name}" in pattern else [""])
    }


def _check_parameters(parameters: Parameters, method: Method) -> None:
    """Refuse parameters of which one is missing, or is not as its method takes it."""
    if parameters.get("method") != method.name:
        said = plain(repr(parameters.get("method")))
        raise ValueError(f"the parameter 'method' is {said}, but the attribute {method.name!r}")
    for name, own in (PARAMETERS | dict(method.parameters)).items():
        if name in parameters:
            _explained(own.check, name, parameters[name], what="the parameter ")
        elif not own.optional:
            raise ValueError(f"it lacks the parameter {name!r}")
    names = parameters["variables"]
    if parameters.get("variable_weights", dict.fromkeys(names)).keys() != set(names):
        listed = plain(", ".join(names))
        raise ValueError(f"the parameter 'variable_weights' does not name just {listed}")


def _explained(check: Callable[..., Any], *values: Any, what: str = "") -> None:
    """Raise what a check refuses as one sentence of one kind."""
    try:
        check(*values)
    except (TypeError, ValueError) as error:
        raise ValueError(what + plain(error)) from None


def _check_label(dataset: xr.Dataset, parameters: Parameters) -> None:
    """Refuse labels on no points or on dimensions of the clusters, and other numbers of them."""
    if "label" not in dataset.data_vars:
        raise ValueError("it lacks the variable 'label'")
    label, k = dataset["label"], parameters["n_clusters"]
    if label.size == 0:
        raise ValueError(f"'label' has no points: its dimensions are {_described(label.variable)}")
    used = {*label.dims} & {"cluster", parameters["vertical"]}
    if used:
        raise ValueError(f"'label' lies on {plain(used.pop())!r}, but labels are of whole profiles")
    if dataset.sizes.get("cluster") != k:
        raise ValueError(
            f"the dimension 'cluster' has length {dataset.sizes.get('cluster', 0)}, but the "
            f"parameter 'n_clusters' is {k}"
        )
    flags = label.attrs.get("flag_values")
    if flags is not None and not np.array_equal(np.ravel(flags), np.arange(1, k + 1)):
        raise ValueError(f"the attribute 'flag_values' of 'label' does not number 1 to {k}")


def _check_places(label: xr.DataArray) -> None:
    """Refuse latitudes and longitudes that are no degrees; some points may have no place."""
    for kind, name in zip(get_args(Kind), find_horizontal(label), strict=True):
        if name is None or label[name].chunks is not None:
            continue
        try:
            values = degrees(label[name], kind)
        except TypeError as error:
            raise ValueError(plain(error)) from None
        if np.isnan(values).all():
            raise ValueError(f"{plain(name)!r} is NaN")


def _check_variable(dataset: xr.Dataset, name: str, own: Variable, parameters: Parameters) -> None:
    """Refuse a variable that is missing, superfluous, or of other dimensions or another type."""
    said = own.dims if isinstance(own.dims, str) else own.dims(parameters, dataset)
    held = dataset.variables.get(name)
    if held is None:
        if said is None or own.optional:
            return
        raise ValueError(f"it lacks the variable {plain(name)!r}")
    if said is None:
        raise ValueError(f"it holds {plain(name)!r}, which does not go with its parameters")
    vertical = parameters["vertical"]
    stand_ins = {"levels": () if vertical is None else (vertical,), "map": dataset["label"].dims}
    dims = tuple(d for word in said.split() for d in stand_ins.get(word, (word,)))
    # those of a map may have any order
    first = len(said.split()) - 1 if said.endswith("map") else len(dims)
    if held.dims[:first] != dims[:first] or sorted(map(str, held.dims)) != sorted(map(str, dims)):
        raise ValueError(
            f"{plain(name)!r} lies on {_described(held)}, but should lie on "
            f"({plain(', '.join(map(str, dims)))})"
        )
    if not held.size:
        raise ValueError(f"{plain(name)!r} is empty: it lies on {_described(held)}")
    stored = held.encoding.get("dtype", held.dtype) if own.decides else held.dtype
    for dtype in (held.dtype, np.dtype(stored)):  # integers with a scale factor come as floats
        if dtype.kind not in own.kinds:
            raise ValueError(
                f"{plain(name)!r} is of type {plain(dtype)}, but should hold {_KINDS[own.kinds]}"
            )


def _check_values(held: xr.Variable, name: str, own: Variable, k: int) -> None:
    """Refuse values that are out of bounds, and numbers that do not count 1, 2, 3, …"""
    values = held.values
    if own.numbers:
        check_labels(values, name, k)
    expected = np.arange(1, values.size + 1) if own.counts else np.array(own.exactly)
    if expected.size and not np.array_equal(values, expected):
        raise ValueError(f"{plain(name)!r} is not {_listed(expected)}")
    with np.errstate(invalid="ignore", over="ignore"):
        most = min(own.most, _MOST) if own.decides else own.most
        least = max(own.least, -_MOST) if own.decides else own.least
        wrong = values[(values < least) | (values > most)]
    if wrong.size:
        raise ValueError(
            f"{plain(name)!r} holds {wrong.flat[0]:g}, but should be within {least:g} to {most:g}"
        )


def _check_levels(dataset: xr.Dataset, parameters: Parameters) -> None:
    """Refuse levels that are numbers but not finite, and weights of them that are all 0."""
    name = parameters["vertical"]
    if name in dataset.variables:
        levels = dataset.variables[name]
        if name not in levels.dims:
            raise ValueError(f"{plain(name)!r}, the vertical, lies on {_described(levels)}")
        if levels.dtype.kind in "fc" and not np.isfinite(levels.values).all():
            raise ValueError(f"{plain(name)!r}, the vertical, holds numbers that are not finite")
    if "level_weight" in dataset and not dataset["level_weight"].values.any():
        raise ValueError("'level_weight' is 0 at every level")


def _check_sweep(dataset: xr.Dataset) -> None:
    """Refuse criteria of a sweep that are no numbers along k."""
    criteria = [name for name in dataset.data_vars if str(name).startswith(SWEEP)]
    for name in criteria:
        if dataset[name].dims != ("k",) or dataset[name].dtype.kind not in "fiu":
            raise ValueError(f"{plain(name)!r} does not hold numbers along the dimension 'k'")
    if criteria:
        k = dataset.variables.get("k")
        if k is None or k.dtype.kind not in "iu" or k.values[0] < 1 or (np.diff(k) <= 0).any():
            raise ValueError("'k' does not hold the numbers of clusters of a sweep, ascending")


def _check_empty(
    dataset: xr.Dataset, contents: dict[str, Variable], parameters: Parameters
) -> None:
    """Refuse NaN where labels depend on it, except in all of a cluster that a match left empty."""
    is_nan = {
        name: np.isnan(dataset.variables[name].values)
        for name, own in contents.items()
        if own.decides and name in dataset.variables and not own.numbers
    }
    empty = is_nan[parameters["variables"][0]].reshape(parameters["n_clusters"], -1).any(axis=1)
    empty &= dataset["count"].values == 0
    if empty.all():
        raise ValueError("no cluster has a centroid")
    for name, lacking in is_nan.items():
        allowed = np.zeros(lacking.shape, dtype=bool)
        if dataset[name].dims[:1] == ("cluster",):
            allowed[empty] = True
        if (lacking != allowed).any():
            raise ValueError(f"{plain(name)!r} is NaN where a number is needed")


def _check_scaled(dataset: xr.Dataset, method: Method) -> None:
    """Refuse centroids or nodes that are not finite in the scale in which profiles are compared."""
    with np.errstate(all="ignore"):
        nodes = read_nodes(dataset, method.nodes_along(dataset))[1]
        if np.isinf(nodes**2).any():
            raise ValueError("the centroids are too large for their offset and scale")


def _described(held: xr.Variable) -> str:
    return plain(", ".join(f"{d}: {n}" for d, n in held.sizes.items()).join("()"))


def _listed(numbers: Array) -> str:
    return ", ".join(f"{n:g}" for n in numbers[:5]) + (" …" if numbers.size > 5 else "")
