"""The same profiles clustered by k-means at one or many k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Sample
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.restarts import best_runs_of_samples
from xvcluster.arrays import Float64s
from xvcluster.profiles import Layout, Members, Scaled
from xvcluster.record.dataset import describe, describe_order


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Centroids (k, n_levels, n_variables) in the order of their numbers, and their members."""

    centroids: Float64s
    members: Members
    n_iter: int


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """A model clustered at one or many k.

    Attributes
    ----------
    data : DataArray or Dataset
        What was clustered.
    layout : Layout
    profiles : Scaled
    metric : Metric
    fits : mapping of int to Fit
        By k, ascending.
    parameters : mapping
        Method and options, as JSON can hold them.
    """

    data: xr.DataArray | xr.Dataset
    layout: Layout
    profiles: Scaled
    metric: Metric
    fits: Mapping[int, Fit]
    parameters: Mapping[str, Any]

    @property
    def once(self) -> dict[str, Any]:
        """The options of a fit from one start."""
        return fit_once(self.parameters)

    def refits(
        self, samples: Sequence[Sample], seeds: Sequence[np.random.SeedSequence]
    ) -> list[dict[int, Assigner]]:
        """Cluster other samples of the profiles at every k, from one start each."""
        return refits(samples, seeds, list(self.fits), self.metric, self.parameters)

    def dataset(self, k: int) -> xr.Dataset:
        """Describe the clustering at one k."""
        fit = self.fits[k]
        parameters = dict(self.parameters) | {"n_iter": fit.n_iter}
        dataset = describe(self.data, self.layout, fit.centroids, fit.members, parameters)
        dataset["label"].attrs["ordered_by"] = describe_order(self.layout)
        return dataset


def fit_once(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a fit from one start that is otherwise as these parameters say."""
    return {"n_init": 1, "max_iter": parameters["max_iter"], "tol": parameters["tol"]}


def refits(
    samples: Sequence[Sample],
    seeds: Sequence[np.random.SeedSequence],
    ks: list[int],
    metric: Metric,
    parameters: Mapping[str, Any],
) -> list[dict[int, Assigner]]:
    """Cluster samples of profiles at every k, from one start each."""
    found = best_runs_of_samples(samples, ks, metric, seeds=seeds, **fit_once(parameters))
    return [{k: Assigner(run.centroids, metric) for k, run in runs.items()} for runs in found]
