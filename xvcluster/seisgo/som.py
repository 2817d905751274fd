"""A self-organizing map of a model's profiles by MiniSom, as SeisGo calls it."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Float64s, Indices
from xvcluster.options import check_grid_size, check_integer, check_number
from xvcluster.seisgo import output
from xvcluster.seisgo.columns import find_units, take_columns


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
    units: str = "",
    depth_units: str = "",
) -> dict[str, Any]:
    """Cluster the profiles of a model by a SOM, as ``seisgo.clustering.vpcluster_som`` does.

    Parameters
    ----------
    lat, lon, depth, v
        As `lat`, `lon`, `dep` and `vmodel` of `vpcluster_kmean`.
    grid_size : (int, int), optional
        Number of nodes in x and y. Default: ⌈√√N⌉ in both for N profiles.
    niteration : int, default 50 000
        Number of training steps, one profile each.
    sigma, rate : float, default 0.3, 0.1
        Initial width of the neighbourhood, in nodes, and initial learning rate.
    verbose : bool, default False
        Whether MiniSom prints its progress.
    random_state : int or None, default None
        Seed. None gives a different map on every run, as in SeisGo.
    spacing, plot, savefig, figbase, save, source, tag, figsize, units, depth_units
        As in `vpcluster_kmean`; file names contain ``k<nx>x<ny>``.

    Returns
    -------
    dict
        As returned by `vpcluster_kmean`, but ``model`` is the trained ``MiniSom``, ``pred`` holds
        the list of members' profiles of each populated node, row by row, and ``cluster`` is
        x · ny + y + 1.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        As in `vpcluster_kmean`.

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
    from minisom import MiniSom

    niteration = check_integer("niteration", niteration, 1)
    sigma = check_number("sigma", sigma, above=0.0)
    rate = check_number("rate", rate, above=0.0)
    base = os.fspath(figbase)
    if save or (savefig and plot):
        output.check_folder(base)
    units = units or find_units(v)
    depth_units = depth_units or find_units(depth) or find_units(v, vertical=True)
    columns = take_columns(lat, lon, depth, v, spacing=spacing, name=tag, depth_units=depth_units)
    shape = check_grid_size(grid_size, len(columns.values))
    options: dict[str, Any] = {"sigma": sigma, "learning_rate": rate, "random_seed": random_state}
    model = MiniSom(*shape, columns.depth.size, **options)
    model.random_weights_init(columns.values)
    model.train(columns.values, niteration, verbose=verbose)
    numbers = find_winners(columns.values, model.get_weights()) + 1
    populated = {int(number): columns.values[numbers == number] for number in np.unique(numbers)}
    outcome: dict[str, Any] = {"method": "som", "source": source, "tag": tag}
    outcome |= {"depth": columns.depth, "model": model}
    outcome["pred"] = [list(members) for members in populated.values()]
    outcome["para"] = {"nx": shape[0], "ny": shape[1], "sigma": sigma, "niteration": niteration}
    outcome["para"]["learning_rate"] = rate
    outcome["cluster_map"] = output.cluster_map(columns, numbers)
    name = f"k{shape[0]}x{shape[1]}"
    if save:
        output.pickle_to(f"{base}_clusters_{name}_results.pk", outcome)
    if plot:
        centers = {number: members.mean(axis=0) for number, members in populated.items()}
        flags = {"flag_values": np.arange(1, math.prod(shape) + 1), "som_shape": np.array(shape)}
        profiles = columns.label(tag, units, depth_units)
        figures = output.draw(columns, numbers, centers, profiles, flags, figsize)
        if savefig:
            output.save_and_close({f"{base}_{n}_{name}.png": f for n, f in figures.items()})
    return outcome


def find_winners(profiles: Float64s, weights: Float64s) -> Indices:
    """Return the index of each profile's nearest node, rounded as ``MiniSom.winner`` does.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_depth)
    weights : ndarray, shape (nx, ny, n_depth)

    Returns
    -------
    ndarray, shape (n_profiles,)
        Nodes are counted row by row.
    """
    nodes = weights.reshape(-1, weights.shape[-1])
    winners = [np.linalg.norm(profile - nodes, axis=-1).argmin() for profile in profiles]
    return np.array(winners, dtype=np.intp)
