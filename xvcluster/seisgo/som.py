"""Self-organizing maps of a model's profiles, as SeisGo trains them."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.options import check_grid_size, check_integer, check_number
from xvcluster.seisgo import output
from xvcluster.seisgo.columns import take_columns
from xvcluster.seisgo.engines import SomEngine, check_engine, train_som


def vpcluster_som(
    lat: npt.ArrayLike,
    lon: npt.ArrayLike,
    depth: npt.ArrayLike,
    v: npt.ArrayLike | xr.DataArray,
    grid_size: tuple[int, int] | None = None,
    spacing: float = 1,
    niteration: int = 50000,
    sigma: float = 0.3,
    rate: float = 0.1,
    verbose: bool = False,
    plot: bool = True,
    savefig: bool = True,
    figbase: str | os.PathLike[str] = "som",
    save: bool = True,
    source: str = "vmodel",
    tag: str = "v",
    figsize: tuple[float, float] | None = None,
    *,
    random_state: int | None = None,
    engine: SomEngine = "minisom",
    units: str = "",
    depth_units: str = "",
) -> dict[str, Any]:
    """Cluster the profiles of a model by a SOM, as ``seisgo.clustering.vpcluster_som`` does.

    Parameters
    ----------
    lat, lon, depth, v
        As `lat`, `lon`, `dep` and `vmodel` of `vpcluster_kmean`.
    grid_size : (int, int), optional
        Nodes in x and y. Default: ⌈√√N⌉ each way for N profiles.
    niteration : int, default 50 000
        Profiles shown to the map, one after the other.
    sigma, rate : float, default 0.3, 0.1
        Width of the neighbourhood in nodes, and the learning rate, at the start.
    verbose : bool, default False
        Let MiniSom print its progress.
    random_state : int or None, default None
        Seed. None gives another map on every run, as in SeisGo.
    engine : {"minisom", "xvcluster"}, default "minisom"
        What trains. "xvcluster" has MiniSom's arithmetic in compiled loops, and shows the profiles
        in random order.
    spacing, plot, savefig, figbase, save, source, tag, figsize, units, depth_units
        As of `vpcluster_kmean`; names of files have ``k<nx>x<ny>``.

    Returns
    -------
    dict
        As of `vpcluster_kmean`, with ``model`` the trained ``MiniSom``, ``pred`` a list of members'
        profiles for each populated node in row order, and ``cluster`` = x · ny + y + 1.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        As `vpcluster_kmean` does.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography(resolution=1.0)["vs"]
    >>> outcome = xvcluster.seisgo.vpcluster_som(
    ...     vs.latitude, vs.longitude, vs.depth, vs, grid_size=(3, 4), random_state=0,
    ...     plot=False, save=False,
    ... )
    >>> outcome["para"]["nx"], outcome["para"]["ny"]
    (3, 4)
    """
    check_engine(engine, SomEngine)
    options: dict[str, Any] = {"n_iterations": check_integer("niteration", niteration, 1)}
    options["sigma"] = check_number("sigma", sigma, above=0.0)
    options["learning_rate"] = check_number("rate", rate, above=0.0)
    base = os.fspath(figbase)
    if save or (savefig and plot):
        output.check_folder(base)
    columns = take_columns(lat, lon, depth, v, spacing=spacing, name=tag, depth_units=depth_units)
    side = math.ceil(math.sqrt(math.sqrt(len(columns.values))))
    shape = check_grid_size((side, side) if grid_size is None else grid_size, 1)
    options |= {"random_state": random_state, "verbose": verbose}
    model, nodes = train_som(columns.values, shape, engine, **options)
    populated = {int(node) + 1: columns.values[nodes == node] for node in np.unique(nodes)}
    outcome: dict[str, Any] = {"method": "som", "source": source, "tag": tag}
    outcome |= {"depth": columns.depth, "model": model}
    outcome["pred"] = [list(members) for members in populated.values()]
    outcome["para"] = {"nx": shape[0], "ny": shape[1], "sigma": sigma, "niteration": niteration}
    outcome["para"]["learning_rate"] = rate
    outcome["cluster_map"] = output.cluster_map(columns, nodes + 1)
    name = f"k{shape[0]}x{shape[1]}"
    if save:
        output.pickle_to(f"{base}_clusters_{name}_results.pk", outcome)
    if plot:
        centers = {number: members.mean(axis=0) for number, members in populated.items()}
        flags = {"flag_values": np.arange(1, math.prod(shape) + 1), "som_shape": np.array(shape)}
        profiles = columns.label(tag, units, depth_units)
        panels, drawn = output.draw(columns, nodes + 1, centers, profiles, flags, figsize)
        names = {f"{base}_clusters_{name}.png": panels, f"{base}_clustermap_{name}.png": drawn}
        output.save_and_close(names if savefig else {})
    return outcome
