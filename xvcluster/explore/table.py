"""The clusters as a table of texts, with their names and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.plot import style
from xvcluster.record.table import HEADS

if TYPE_CHECKING:
    import pandas as pd


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
    names = style.plain_names(dataset["label"])
    columns = [name for name in HEADS if name in table]
    rows = zip(*(_spell(table[name], HEADS[name][1]) for name in columns), strict=True)
    return {
        "numbers": numbers,
        "names": [names[number] for number in numbers],
        "colors": [to_hex(color) for color in style.own_colors(dataset)],
        "heads": [HEADS[name][0] for name in columns],
        "rows": [list(row) for row in rows],
    }


def _spell(column: pd.Series[Any], form: str) -> list[str]:
    return ["–" if np.isnan(value) else form.format(value) for value in column]
