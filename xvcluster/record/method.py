"""What a method of clustering is to everything that is not the method itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.metrics import Metric
from xvcluster.arrays import Float64s
from xvcluster.messages import plain
from xvcluster.record.contents import Parameter, Parameters, Variable

_METHODS: dict[str, Method] = {}


class Method(ABC):
    """A method of clustering: one value, which everything else asks.

    A new method is a subclass, registered beside the function that users call.

    Attributes
    ----------
    name : str
        As a result records it, in ``attrs["method"]``.
    contents : mapping of str to Variable
        What its results hold in addition to those of every result, by name. In a name, ``{name}``
        stands for each variable of the data.
    parameters : mapping of str to Parameter
        Likewise its parameters, among which is ``metric``.

    Notes
    -----
    To everything else a clustering is an `Assigner`: nodes, and the cluster of each. The parameters
    of a result always include ``method``, ``metric``, ``n_clusters`` and ``random_state``, the seed
    of what is drawn from the data.
    """

    name: ClassVar[str]
    contents: ClassVar[Mapping[str, Variable]] = {}
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    @property
    def numbering(self) -> frozenset[str]:
        """Which of its variables hold cluster numbers, as ``label`` does."""
        return frozenset(name for name, own in self.contents.items() if own.numbers)

    @property
    def probabilities(self) -> frozenset[str]:
        """Which are probabilities of clusters at points: 0 for a cluster that is empty."""
        return frozenset(name for name, own in self.contents.items() if own.dims == "cluster map")

    def nodes_along(self, dataset: xr.Dataset) -> str:
        """Dimension of the profiles that data are assigned to: "cluster", unless several nodes
        make up one cluster.
        """
        return "cluster"

    @abstractmethod
    def assigner(self, dataset: xr.Dataset, nodes: Float64s, metric: Metric) -> Assigner:
        """Read back what assigns profiles to the clusters of a result.

        Parameters
        ----------
        dataset : Dataset
            Of a result.
        nodes : ndarray, shape (n_nodes, n_levels, n_variables)
            Scaled; NaN for clusters that a match left empty.
        metric : Metric
        """

    @abstractmethod
    def refit(
        self, dataset: xr.Dataset, k: int, sample: Block, seed: np.random.SeedSequence
    ) -> Assigner:
        """Cluster another sample of the profiles as those of a result were, from one start."""

    def refits(
        self,
        dataset: xr.Dataset,
        k: int,
        samples: Sequence[Sample],
        seeds: Sequence[np.random.SeedSequence],
    ) -> Iterable[Assigner]:
        """Cluster several samples; together, if the method can."""
        pairs = zip(samples, seeds, strict=True)
        return (self.refit(dataset, k, sample.profiles, seed) for sample, seed in pairs)

    @abstractmethod
    def model(self, dataset: xr.Dataset) -> Any:
        """Build the fitted object of the reference library that a result stands for."""

    def misfit(self, dataset: xr.Dataset, parameters: Parameters) -> str:
        """Say what does not fit together in a result that holds all this; empty if all does."""
        return ""

    def quality(self, dataset: xr.Dataset) -> str:
        """Say in one line how good a result is, if there is more to say than of any; or nothing."""
        return ""

    def why_not_refit(self, dataset: xr.Dataset) -> str:
        """Say why the clustering of a result cannot be repeated; empty if it can."""
        return ""


M = TypeVar("M", bound=type[Method])


def register(method: M) -> M:
    """Make a method known under its name."""
    _METHODS[method.name] = method()
    return method


def method_of(dataset: xr.Dataset) -> Method:
    """Find the method that made a result.

    Raises
    ------
    ValueError
        If the Dataset is no result, or no method of that name is known.
    """
    name = dataset.attrs.get("method")
    if name is None:
        raise ValueError("it lacks the attribute 'method', which every result of xvcluster has")
    if not isinstance(name, str) or name not in _METHODS:
        raise ValueError(
            f"the result was made by the method {plain(repr(name))}, but this version of xvcluster "
            f"has {', '.join(map(repr, _METHODS))}; upgrade xvcluster"
        )
    return _METHODS[name]


def quality_of(dataset: xr.Dataset) -> str:
    """Say in one line how good a result is, if its method is known and has more to say."""
    method = _METHODS.get(str(dataset.attrs.get("method")))
    return "" if method is None else method.quality(dataset)
