"""The commands that cluster: kmeans, som, gmm, ward, sweep and demo."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click
import xarray as xr

import xvcluster
from xvcluster import tutorial
from xvcluster.cli.commandline import (
    BLOCK_SIZE,
    K_RANGE,
    LEVEL_WEIGHTS,
    LLOYD,
    MODEL,
    OVERWRITE,
    PATH,
    STABILITY,
    VARIABLE_WEIGHTS,
    WEIGHING,
    clusters_option,
    command,
    normalize_option,
    weights_option,
)
from xvcluster.cli.figures import at_time, check_map, write_figure
from xvcluster.cli.files import check_outputs, read_model
from xvcluster.cli.report import describe_result, sweep_table
from xvcluster.options import Algorithm, Covariance, Criterion, check_bootstrap, check_number
from xvcluster.plot.methods import ResultPlots, SweepPlots
from xvcluster.record import store
from xvcluster.result import ClusterResult

_READING = ("variables", "chunks", "depth", "dz", "levels", "stride", "max_gap")


@command(
    clusters_option("Number of clusters. Default: the best by several criteria."),
    K_RANGE,
    LLOYD,
    STABILITY,
    MODEL,
)
def kmeans(**options: Any) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by k-means."""
    unstable = "under --metric softdtw; use dtw" if options["metric"] == "softdtw" else ""
    _cluster(xvcluster.kmeans, unstable, **options)


@command(
    click.option(
        "--grid",
        "grid_size",
        nargs=2,
        type=int,
        metavar="ROWS COLUMNS",
        help="Size of the map. Default: depends on the number of profiles.",
    ),
    clusters_option("Merge the nodes into this many clusters. Default: every node is a cluster."),
    click.option(
        "--algorithm",
        type=click.Choice(get_args(Algorithm)),
        help="Train with all profiles in each pass (default), or with one profile at a time.",
    ),
    click.option(
        "--iterations",
        "n_iterations",
        type=int,
        help="Number of passes, or of training steps for online. Default: 50, or 50000.",
    ),
    click.option(
        "--sigma",
        type=float,
        help="Initial width of the neighbourhood. Default: a third of the longer side of the "
        "map; for online, 1.5.",
    ),
    click.option(
        "--learning-rate", type=float, help="Initial learning rate, for online. Default: 0.1."
    ),
    WEIGHING,
    STABILITY,
    MODEL,
)
def som(**options: Any) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by a self-organizing map."""
    unmerged = options["n_clusters"] is None
    unstable = "of single nodes; merge them by --clusters" if unmerged else ""
    _cluster(xvcluster.som, unstable, **options)


@command(
    clusters_option("Number of clusters. Default: the one with the lowest BIC."),
    K_RANGE,
    click.option(
        "--covariance",
        type=click.Choice(get_args(Covariance)),
        help="Form of the covariance matrices. Default: full.",
    ),
    click.option(
        "--n-components",
        type=int,
        metavar="N",
        help="Number of principal components of each variable. Default: 15.",
    ),
    click.option(
        "--variance-explained",
        type=float,
        metavar="SHARE",
        help="Instead, the share of each variable's variance that they explain.",
    ),
    normalize_option("level"),
    weights_option("Default: none, equally."),
    LEVEL_WEIGHTS,
    VARIABLE_WEIGHTS,
    click.option(
        "--n-init",
        type=int,
        help="Number of starts, of which the most likely is kept. Default: one, from the best "
        "k-means clustering.",
    ),
    STABILITY,
    MODEL,
)
def gmm(**options: Any) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by a Gaussian mixture.

    The result contains the probability of each cluster at each point.
    """
    _cluster(xvcluster.gmm, **options)


@command(
    clusters_option("Number of clusters. Default: the best by several criteria."),
    K_RANGE,
    click.option(
        "--contiguous/--anywhere",
        default=None,
        help="Whether each cluster is one piece, or may lie in several. Default: one.",
    ),
    click.option(
        "--min-area", type=float, metavar="KM2", help="Least area of a cluster in one piece."
    ),
    WEIGHING,
    STABILITY,
    MODEL,
)
def ward(**options: Any) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by Ward's criterion, into provinces.

    The result contains the tree of the clusters.
    """
    if options["contiguous"] is False and options["min_area"] is not None:
        raise ValueError("--min-area needs clusters in one piece; leave --anywhere out")
    if options["contiguous"] is not False and options["chunks"] is not None:
        raise ValueError(
            "clusters in one piece need all profiles in memory; leave --chunks out, or give "
            "--anywhere"
        )
    unstable = "" if options["contiguous"] is False else "of clusters in one piece; give --anywhere"
    _cluster(xvcluster.ward, unstable, **options)


@command(
    K_RANGE,
    click.option(
        "--criterion",
        "criteria",
        type=click.Choice(get_args(Criterion)),
        multiple=True,
        help="An additional criterion, which takes longer; repeat for several.",
    ),
    BLOCK_SIZE,
    LLOYD,
    MODEL,
    click.option("--maps", type=PATH, metavar="OUT.png", help="Also draw one map for each k."),
)
def sweep(
    plot: Path | None,
    maps: Path | None,
    time: str | None,
    k_range: range | None,
    **options: Any,
) -> None:
    """Cluster by k-means for many k, and write the best result.

    The figure of --plot shows the criteria.
    """
    output, data, given = _read(plot, maps, time=time, of_map=maps, k=k_range, **options)
    swept = xvcluster.sweep(data, **given)
    click.echo(f"{sweep_table(swept)}\n\n{swept.verdict}\n")
    _report(swept.result(), output)
    write_figure(swept.plot.criteria, plot, written=output)
    write_figure(lambda: SweepPlots(at_time(swept.dataset, time)).maps(), maps, written=output)


@command(
    click.argument("name", type=click.Choice(["tomography", "ocean"]), default="tomography"),
    click.option("--folder", type=PATH, default=Path(), help="Folder to write to."),
    OVERWRITE,
)
def demo(name: str, folder: Path, overwrite: bool) -> None:
    """Cluster sample data: a synthetic tomography (the default), or the real ocean."""
    from sklearn.metrics import adjusted_rand_score

    output, figure = (folder / f"xvcluster_demo_{name}{suffix}" for suffix in (".nc", ".png"))
    check_outputs(output, figure, overwrite=overwrite)
    model = getattr(tutorial, name)()
    if name == "tomography":
        click.echo("A synthetic model of the western United States, not an observation.")
        data = model[["vs"]].vcluster.prepare(depth=slice(5, 60), dz=2, stride=2)
    else:
        click.echo("The real ocean: annual mean temperature and salinity from Levitus (1982).")
        data = model.vcluster.prepare(depth=slice(0, 1000))
    result = data.vcluster.kmeans(6)
    _report(result, output)
    write_figure(result.plot.summary, figure, written=output)
    if name == "tomography":
        labels, provinces = xr.align(result.labels, model["province"])
        known = labels.notnull().values
        score = adjusted_rand_score(provinces.values[known], labels.values[known])
        click.echo(f"Agreement with the true provinces: adjusted Rand index {score:.2f}")


def _cluster(
    method: Callable[..., ClusterResult],
    unstable: str = "",
    *,
    plot: Path | None,
    time: str | None,
    stability: int | None,
    block_size: float | None,
    noise: tuple[str, ...],
    **options: Any,
) -> None:
    """Cluster the profiles of a file, write the result, describe it, and draw its summary.

    If the method cannot find the stability with these options, `unstable` says why.
    """
    if options.get("k_range") and options["n_clusters"] is not None:
        raise ValueError("--k-range has no effect together with --clusters; give one of them")
    for name, value in (("--block-size", block_size), ("--noise", noise or None)):
        if stability is None and value is not None:
            raise ValueError(f"{name} has no effect without --stability; give both, or neither")
    if noise and options["chunks"] is not None:
        raise ValueError("--noise needs all profiles in memory; leave out --chunks, or --noise")
    errors = _read_noise(noise)
    if stability is not None:
        if unstable:
            raise ValueError(f"--stability cannot be found {unstable}")
        check_bootstrap("--stability", stability, block_size)
    output, data, given = _read(plot, time=time, of_map=plot, **options)
    result = method(data, **given)
    if stability is not None:
        result = result.stability(stability, noise=errors, block_size=block_size)
    _report(result, output)
    write_figure(lambda: ResultPlots(at_time(result.dataset, time)).summary(), plot, written=output)


def _read_noise(given: tuple[str, ...]) -> float | dict[str, float] | None:
    """The standard deviation of the errors as one number, or by the names of variables."""
    found: dict[str, float] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            sigma = float(number)
        except ValueError:
            raise ValueError(
                f"--noise must be a number or NAME=NUMBER, such as 0.05 or vs=0.05; got {text!r}"
            ) from None
        if name in found or (len(given) > 1 and not name):
            raise ValueError(
                "--noise is given several times: give one number, or one for each variable, such "
                f"as --noise vs=0.05 --noise vp=0.1; got {', '.join(map(repr, given))}"
            )
        found[name] = check_number("--noise", sigma, above=0.0, or_equal=bool(name))
    return found.get("", found or None)


def _read(
    *figures: Path | None,
    file: Path,
    output: Path | None,
    overwrite: bool,
    dim: str | None,
    time: str | None,
    of_map: Path | None,
    **options: Any,
) -> tuple[Path, xr.Dataset, dict[str, Any]]:
    """Return the file to write, the prepared data, and the given options of the method.

    If one of the figures is of a map, `of_map`, it is checked that it can be drawn.
    """
    output = output or Path(f"{file.stem}_clusters.nc")
    given = {name: value for name, value in options.items() if value is not None}
    inputs = [file, *([given["checkpoint"]] if "checkpoint" in given else [])]
    check_outputs(output, *figures, overwrite=overwrite, inputs=inputs)
    reading = {name: given.pop(name) for name in _READING if name in given}
    check = partial(check_map, plot=of_map, dim=dim, time=time)
    data = read_model(file, dim=dim, check=check, **reading)
    if given.get("weights") == "none":
        given["weights"] = None
    return output, data, given | {"dim": dim}


def _report(result: ClusterResult, output: Path) -> None:
    """Write a result and describe it."""
    store.write(result.dataset, output)
    click.echo(f"{describe_result(result)}\n\nWrote {output}")
