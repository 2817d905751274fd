"""The clusters of a result in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xvcluster.grid.labels import given_names, names_of
from xvcluster.record.dataset import nearest_distances

if TYPE_CHECKING:
    import pandas as pd

HEADS = {
    "profiles": ("profiles", "{:,.0f}"),
    "area_km2": ("area (km²)", "{:,.0f}"),
    "area_percent": ("area (%)", "{:.1f}"),
    "inertia_percent": ("inertia (%)", "{:.1f}"),
    "mean_margin": ("mean margin", "{:.2f}"),
    "mean_stability": ("mean stability", "{:.2f}"),
    "mean_stability_noise": ("under noise", "{:.2f}"),
    "nearest_distance": ("nearest distance", "{:.4g}"),
}
"""Columns of the table of a result with numbers, as they are headed and written."""


def table(dataset: xr.Dataset) -> pd.DataFrame:
    """Summarize the clusters in a table, one row per cluster.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cluster``: ``name`` if any has one of its own, ``profiles`` (count),
        ``area_km2`` and ``area_percent`` where the area is known, ``inertia_percent``,
        ``mean_margin``, ``mean_stability`` and ``mean_stability_noise`` if `stability` computed
        them, and ``nearest_distance``, the distance to the nearest other centroid, measured as
        profiles were compared. NaN if a cluster is empty. pandas exports it to LaTeX or CSV,
        e.g. ``table().to_csv("clusters.csv")``; ``to_latex`` needs jinja2.
    """
    import pandas as pd

    table = pd.DataFrame(index=pd.Index(dataset["cluster"].values, name="cluster"))
    if given_names(dataset["label"]):
        table["name"] = list(names_of(dataset["label"], table.index).values())
    table["profiles"] = dataset["count"].values
    if "area" in dataset:
        area = dataset["area"].values
        table["area_km2"] = area
        table["area_percent"] = 100 * area / area.sum()
    inertia = dataset["cluster_inertia"].values
    with np.errstate(invalid="ignore"):  # inertia beyond float64, of which the fit has warned
        table["inertia_percent"] = 100 * inertia / inertia.sum() if inertia.sum() else 0.0
    table["mean_margin"] = dataset["cluster_margin"].values
    for name in ("stability", "stability_noise"):
        if f"cluster_{name}" in dataset:
            table[f"mean_{name}"] = dataset[f"cluster_{name}"].values
    table["nearest_distance"] = nearest_distances(dataset)
    return table
