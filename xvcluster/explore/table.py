"""The clusters as a table of texts, with their names and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.plot import style

if TYPE_CHECKING:
    import pandas as pd

_HEADS = {
    "profiles": ("profiles", "{:,.0f}"),
    "area_km2": ("area (km²)", "{:,.0f}"),
    "area_percent": ("area (%)", "{:.1f}"),
    "inertia_percent": ("inertia (%)", "{:.1f}"),
    "mean_margin": ("mean margin", "{:.2f}"),
    "mean_stability": ("mean stability", "{:.2f}"),
    "mean_stability_noise": ("under noise", "{:.2f}"),
    "nearest_distance": ("nearest distance", "{:.4g}"),
}
"""Columns of the table of a result, as they are headed and written."""


def describe_clusters(dataset: xr.Dataset, table: pd.DataFrame) -> dict[str, Any]:
    """Describe the clusters of a result: number, name, colour, and a row of the table of each.

    Returns
    -------
    dict
        ``numbers``, ``names`` and ``colors`` ("#rrggbb"), each one for a cluster; ``heads`` and
        ``rows`` of the table.
    """
    from matplotlib.colors import to_hex

    numbers = [int(number) for number in dataset["cluster"].values]
    names = style.cluster_names(dataset["label"])
    columns = [name for name in _HEADS if name in table]
    rows = zip(*(_spell(table[name], _HEADS[name][1]) for name in columns), strict=True)
    return {
        "numbers": numbers,
        "names": [style.undrawn(names.get(number, str(number))) for number in numbers],
        "colors": [to_hex(color) for color in style.own_colors(dataset)],
        "heads": [_HEADS[name][0] for name in columns],
        "rows": [list(row) for row in rows],
    }


def _spell(column: pd.Series[Any], form: str) -> list[str]:
    return ["–" if np.isnan(value) else form.format(value) for value in column]
