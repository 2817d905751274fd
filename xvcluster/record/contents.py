"""What a result holds: names, dimensions, types and bounds of its variables and parameters.

The table below is of every result; each method adds its own beside the code that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.options import check_integer, check_number
from xvcluster.profiles import QUANTILES, STATUS
from xvcluster.profiles.scaling import check_normalize

Parameters = Mapping[str, Any]
Dims = Callable[[Parameters, xr.Dataset], str | None]


@dataclass(frozen=True, slots=True)
class Variable:
    """What one variable of a result must be like.

    Attributes
    ----------
    dims : str or callable
        Its dimensions in their order, separated by spaces. "levels" stands for the vertical, if
        there is one, and "map" for the dimensions of the labels in any order. If they depend on
        the parameters or the Dataset, a function of both; None where the result has no such
        variable.
    kinds : str
        Kinds of its dtype, as numpy has them.
    least, most : float
        Bounds of its values, which may be NaN.
    optional : bool
        Whether a result may lack it.
    decides : bool
        Whether labels of other data depend on it. Such values are finite, except in clusters that
        a match left empty.
    numbers : bool
        Whether it holds numbers of clusters, which a match replaces.
    counts : bool
        Whether it is a coordinate 1, 2, 3, …
    exactly : tuple of float
        What it holds, if that is always the same.
    """

    dims: str | Dims
    kinds: str = "f"
    least: float = -np.inf
    most: float = np.inf
    optional: bool = False
    decides: bool = False
    numbers: bool = False
    counts: bool = False
    exactly: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """What one parameter of a result must be like.

    Attributes
    ----------
    check : callable
        Refuses a name and a value by TypeError or ValueError.
    optional : bool
        Whether a result may lack it.
    """

    check: Callable[[str, Any], Any]
    optional: bool = False


def integer(least: int, *, optional: bool = False) -> Parameter:
    """A parameter that is an integer of at least this."""
    return Parameter(lambda name, value: check_integer(name, value, least), optional)


def number(
    *, above: float = 0.0, most: float = np.inf, or_equal: bool = False, optional: bool = False
) -> Parameter:
    """A parameter that is a finite number within these bounds."""

    def check(name: str, value: Any) -> float:
        return check_number(name, value, above=above, most=most, or_equal=or_equal)

    return Parameter(check, optional)


def one_of(*allowed: str) -> Parameter:
    """A parameter that is one of these texts."""

    def check(name: str, value: Any) -> None:
        if value not in allowed:
            raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}; got {value!r}")

    return Parameter(check)


def is_by_profile(parameters: Parameters) -> bool:
    """Whether each profile is scaled by its own mean and spread, and so each centroid too."""
    return parameters.get("normalize") == "profile"


def _check_variables(name: str, value: Any) -> None:
    texts = isinstance(value, list) and all(isinstance(v, str) and v for v in value)
    if not (texts and value and len(set(value)) == len(value)):
        raise ValueError(f"{name} must be a list of different names; got {value!r}")


def _check_vertical(name: str, value: Any) -> None:
    if value is not None and not (isinstance(value, str) and value):
        raise ValueError(f"{name} must be the name of a dimension or null; got {value!r}")


def _check_by_variable(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a number for each variable; got {value!r}")
    for variable, own in value.items():
        check_number(f"{name} of {variable!r}", own, above=0.0)


def _check_cleaned(name: str, value: Any) -> None:
    if not (isinstance(value, list) and value and all(isinstance(v, dict) for v in value)):
        raise ValueError(f"{name} must be a list of what was done each time; got {value!r}")
    for done in value:
        least = {"min_area", "min_cells"} & done.keys()
        if len(least) != 1 or done.keys() - {"area"} != least | {"cells", "islands"}:
            raise ValueError(
                f"{name} must say min_area or min_cells, and the cells moved, their area if it is "
                f"known, and the islands left; got {done!r}"
            )
        check_number(f"{name}: least size", done[least.pop()], above=0.0)
        for count in ("cells", "islands"):
            check_integer(f"{name}: {count}", done[count], 0)
        check_number(f"{name}: area", done.get("area", 0.0), above=0.0, or_equal=True)


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text; got {value!r}")


PARAMETERS: dict[str, Parameter] = {
    "n_clusters": integer(1),
    "random_state": integer(0),
    "variables": Parameter(_check_variables),
    "vertical": Parameter(_check_vertical),
    "normalize": Parameter(lambda _, value: check_normalize(value), optional=True),
    "weights": Parameter(_check_text, optional=True),
    "level_weights": Parameter(_check_text, optional=True),
    "variable_weights": Parameter(_check_by_variable, optional=True),
    "cleaned": Parameter(_check_cleaned, optional=True),
}
"""Parameters of every result, in addition to ``method`` and ``metric``."""


def _along_scaled(parameters: Parameters, _: xr.Dataset) -> str:
    return "cluster" if is_by_profile(parameters) else "levels"


def _along_weighted(parameters: Parameters, _: xr.Dataset) -> str | None:
    return "levels" if "level_weights" in parameters else None


CONTENTS: dict[str, Variable] = {
    "label": Variable("map", "fiu", numbers=True),
    "status": Variable("map", "iu", 0, len(STATUS) - 1),
    "distance": Variable("map"),
    "margin": Variable("map"),
    "stability": Variable("map", optional=True),
    "stability_noise": Variable("map", optional=True),
    "{name}": Variable("cluster levels", decides=True),
    "{name}_std": Variable("cluster levels"),
    "{name}_quantile": Variable("quantile cluster levels"),
    "{name}_offset": Variable(_along_scaled, decides=True),
    "{name}_scale": Variable(_along_scaled, least=np.finfo(np.float64).tiny, decides=True),
    "level_weight": Variable(_along_weighted, least=0.0, decides=True),
    "count": Variable("cluster", "iu", 0),
    "area": Variable("cluster", optional=True),
    "cluster_inertia": Variable("cluster"),
    "cluster_margin": Variable("cluster"),
    "cluster_stability": Variable("cluster", optional=True),
    "cluster_stability_noise": Variable("cluster", optional=True),
    "contingency": Variable("cluster reference", optional=True),
    "cluster": Variable("cluster", "iu", counts=True),
    "quantile": Variable("quantile", "f", exactly=QUANTILES),
    "reference": Variable("reference", "iu", counts=True, optional=True),
}
"""Variables of every result; ``{name}`` stands for each variable of the data."""
