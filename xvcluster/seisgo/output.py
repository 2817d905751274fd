"""What a clustering leaves behind: a table, a pickle and figures."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.record.replace import replace
from xvcluster.seisgo.columns import Columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_folder(figbase: str) -> None:
    """Raise an error, before any work, if the folder for the files does not exist."""
    folder = Path(figbase).parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"the folder {str(folder)!r} of figbase={figbase!r} does not exist; create "
            "it first, or pass save=False and savefig=False"
        )


def cluster_map(columns: Columns, numbers: npt.NDArray[np.integer]) -> pd.DataFrame:
    """Return a table of one row per profile: its coordinates and its cluster."""
    row, column = np.divmod(columns.points, columns.lon.size)
    return pd.DataFrame(
        {"lat": columns.lat[row], "lon": columns.lon[column], "cluster": numbers.astype(np.int64)}
    )


def pickle_to(path: str, outcome: Mapping[str, Any]) -> None:
    """Pickle the dictionary; an existing file is replaced only by a complete one."""
    with replace(path) as temporary, temporary.open("wb") as file:
        pickle.dump(outcome, file)


def draw(
    columns: Columns,
    numbers: npt.NDArray[np.integer],
    centers: Mapping[int, Float64s],
    profiles: xr.DataArray,
    flags: Mapping[str, Any],
    figsize: tuple[float, float] | None,
) -> dict[str, Figure]:
    """Draw the members of every cluster that has a center, and the map.

    Parameters
    ----------
    columns : Columns
    numbers : ndarray, shape (n_profiles,)
        The cluster of each profile, from 1.
    centers : mapping of int to ndarray
        The center of each cluster by its number.
    profiles : DataArray, dims (profile, depth)
        The values of `columns`, with name and units.
    flags : mapping
        Attributes of labels, which determine their colours.
    figsize : (float, float) or None
        Size of the members' figure in inches.

    Returns
    -------
    dict of str to Figure
        By the word for it in the names of SeisGo's files.
    """
    from xvcluster.plot.map import map as draw_map
    from xvcluster.seisgo.figures import members

    labels = xr.DataArray(numbers, dims="profile", attrs=dict(flags))
    panels = members(profiles, labels, centers, figsize=figsize)
    drawn: Any = draw_map(columns.spread(numbers).assign_attrs(flags)).figure
    return {"clusters": panels, "clustermap": drawn}


def save_and_close(figures: Mapping[str, Figure]) -> None:
    """Write each figure to its path, and close it."""
    import matplotlib.pyplot as plt

    for path, figure in figures.items():
        figure.savefig(path, format="png", dpi=150)
        plt.close(figure)
