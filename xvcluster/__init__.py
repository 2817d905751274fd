"""Cluster the vertical profiles of gridded geoscience models, from xarray to xarray.

Importing xvcluster registers the accessor ``.vcluster`` on DataArray and Dataset.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from xvcluster.accessor import VCluster
from xvcluster.agreement import Agreement
from xvcluster.boundaries import boundaries
from xvcluster.compare.consensus import consensus
from xvcluster.methods.gmm import gmm
from xvcluster.methods.kmeans import kmeans
from xvcluster.methods.som import som
from xvcluster.methods.sweep import sweep
from xvcluster.methods.ward import ward
from xvcluster.prepare import prepare
from xvcluster.result import ClusterResult, SweepResult, open_result

__version__ = "0.1.0"

__all__ = [
    "Agreement",
    "ClusterResult",
    "SweepResult",
    "VCluster",
    "boundaries",
    "consensus",
    "gmm",
    "kmeans",
    "open_result",
    "plot",
    "prepare",
    "seisgo",
    "som",
    "sweep",
    "tutorial",
    "ward",
]


def __getattr__(name: str) -> _Any:
    if name in {"plot", "seisgo", "tutorial"}:
        return _import_module(f"xvcluster.{name}")
    if callable(getattr(ClusterResult, name, None)):
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; it is a method of results: "
            f"xvcluster.kmeans(data).{name}"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
