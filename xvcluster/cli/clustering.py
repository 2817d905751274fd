"""The commands that cluster: kmeans, som, gmm, sweep and demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import xarray as xr

import xvcluster
from xvcluster import tutorial
from xvcluster.cli.commandline import (
    BLOCK_SIZE,
    CLUSTERS,
    K_RANGE,
    LEVEL_WEIGHTS,
    LLOYD,
    MODEL,
    OVERWRITE,
    STABILITY,
    WEIGHING,
    plainly,
    with_options,
)
from xvcluster.cli.files import (
    check_outputs,
    default_output,
    read_model,
    write_figure,
    write_result,
)
from xvcluster.cli.report import describe_result, sweep_table
from xvcluster.options import Covariance, Criterion, check_bootstrap
from xvcluster.profiles.scaling import Normalization
from xvcluster.result import ClusterResult

_DEMOS = ("tomography", "ocean")
_PREPARATION = ("depth", "dz", "stride", "max_gap")


@click.command()
@with_options(CLUSTERS, K_RANGE, LLOYD, WEIGHING, STABILITY, BLOCK_SIZE, MODEL)
@plainly
def kmeans(
    file: Path,
    n_clusters: int | None,
    k_range: tuple[int, int] | None,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
    checkpoint: Path | None,
    stability: int | None,
    block_size: float | None,
    **options: Any,
) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by k-means."""
    _require_one(n_clusters, k_range)
    is_soft = options["metric"] == "softdtw"
    _check_stability(stability, block_size, "under --metric softdtw; use dtw" if is_soft else "")
    output = output or default_output(file, "clusters")
    check_outputs(output, plot, overwrite=overwrite, inputs=_kept(file, checkpoint))
    if k_range is not None:
        options["k_range"] = _ks(k_range)
    data, options = _read(file, checkpoint=checkpoint, **options)
    result = _judge(xvcluster.kmeans(data, n_clusters, **options), stability, block_size)
    _report(result, output)
    if plot:
        write_figure(result.plot.summary, plot)


@click.command()
@with_options(
    click.option(
        "--grid",
        "grid_size",
        nargs=2,
        type=int,
        metavar="ROWS COLUMNS",
        help="Size of the map. Default: by the number of profiles.",
    ),
    click.option(
        "-k",
        "--clusters",
        "n_clusters",
        type=int,
        help="Merge the nodes into this many clusters. Default: every node is one.",
    ),
    click.option(
        "--algorithm",
        type=click.Choice(["online", "batch"]),
        help="Show profiles one by one (the default), or all of them in each pass.",
    ),
    click.option(
        "--iterations",
        "n_iterations",
        type=int,
        help="Profiles shown, or passes of a batch. Default: 50000, or 50.",
    ),
    click.option(
        "--sigma",
        type=float,
        help="Neighbourhood at the start. Default: 0.3; in a batch, half of the longer side.",
    ),
    click.option("--learning-rate", type=float, help="At the start, online. Default: 0.1."),
    WEIGHING,
    STABILITY,
    BLOCK_SIZE,
    MODEL,
)
@plainly
def som(
    file: Path,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
    stability: int | None,
    block_size: float | None,
    **options: Any,
) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by a self-organizing map."""
    unmerged = "of single nodes; merge them by --clusters"
    _check_stability(stability, block_size, unmerged if options["n_clusters"] is None else "")
    output = output or default_output(file, "clusters")
    check_outputs(output, plot, overwrite=overwrite, inputs=[file])
    data, options = _read(file, **options)
    result = _judge(xvcluster.som(data, **options), stability, block_size)
    _report(result, output)
    if plot:
        write_figure(result.plot.summary, plot)


@click.command()
@with_options(
    click.option(
        "-k",
        "--clusters",
        "n_components",
        type=int,
        help="Number of clusters. Default: that of the least BIC.",
    ),
    K_RANGE,
    click.option(
        "--covariance",
        type=click.Choice(get_args(Covariance)),
        help="What is known of the spread of each cluster. Default: full.",
    ),
    click.option(
        "--variance-explained",
        type=float,
        metavar="SHARE",
        help="Share of the variance that principal components keep. Default: 0.999.",
    ),
    click.option(
        "--normalize",
        type=click.Choice(get_args(Normalization)),
        help="How profiles are made comparable. Default: level.",
    ),
    LEVEL_WEIGHTS,
    click.option("--n-init", type=int, help="Starts. Default: 1."),
    STABILITY,
    BLOCK_SIZE,
    MODEL,
)
@plainly
def gmm(
    file: Path,
    n_components: int | None,
    k_range: tuple[int, int] | None,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
    stability: int | None,
    block_size: float | None,
    **options: Any,
) -> None:
    """Cluster the profiles of a NetCDF or Zarr FILE by a Gaussian mixture.

    The result tells how probable each cluster is at each point.
    """
    _require_one(n_components, k_range)
    _check_stability(stability, block_size)
    output = output or default_output(file, "clusters")
    check_outputs(output, plot, overwrite=overwrite, inputs=[file])
    if k_range is not None:
        options["k_range"] = _ks(k_range)
    data, options = _read(file, **options)
    result = _judge(xvcluster.gmm(data, n_components, **options), stability, block_size)
    _report(result, output)
    if plot:
        write_figure(result.plot.summary, plot)


@click.command()
@with_options(
    K_RANGE,
    click.option(
        "--criterion",
        "criteria",
        type=click.Choice(get_args(Criterion)),
        multiple=True,
        help="A criterion that takes longer; repeat for both.",
    ),
    BLOCK_SIZE,
    LLOYD,
    WEIGHING,
    MODEL,
    click.option(
        "--maps",
        type=click.Path(path_type=Path),
        metavar="OUT.png",
        help="Draw one map a k as well.",
    ),
)
@plainly
def sweep(
    file: Path,
    k_range: tuple[int, int] | None,
    output: Path | None,
    plot: Path | None,
    maps: Path | None,
    overwrite: bool,
    checkpoint: Path | None,
    **options: Any,
) -> None:
    """Cluster by k-means for many k, and write the best of them.

    The figure of --plot is that of the criteria.
    """
    output = output or default_output(file, "clusters")
    check_outputs(output, plot, maps, overwrite=overwrite, inputs=_kept(file, checkpoint))
    if k_range is not None:
        options["k"] = _ks(k_range)
    data, options = _read(file, checkpoint=checkpoint, **options)
    swept = xvcluster.sweep(data, **options)
    click.echo(f"{sweep_table(swept)}\n\n{swept.verdict}\n")
    _report(swept.result(), output)
    for draw, path in ((swept.plot.criteria, plot), (swept.plot.maps, maps)):
        if path:
            write_figure(draw, path)


@click.command()
@click.argument("name", type=click.Choice(_DEMOS), default="tomography")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="Where to write.")
@OVERWRITE
@plainly
def demo(name: str, folder: Path, overwrite: bool) -> None:
    """Cluster a sample: a made tomography (the default), or the real ocean."""
    output, figure = (folder / f"xvcluster_demo_{name}{suffix}" for suffix in (".nc", ".png"))
    check_outputs(output, figure, overwrite=overwrite)
    model = getattr(tutorial, name)()
    if name == "tomography":
        click.echo("A made model of the western United States, not an observation.")
        data = model[["vs"]].vcluster.prepare(depth=slice(5, 60), dz=2, stride=2)
    else:
        click.echo("The real ocean: annual mean temperature and salinity of Levitus (1982).")
        data = model.vcluster.prepare(depth=slice(0, 1000))
    result = data.vcluster.kmeans(6)
    _report(result, output)
    write_figure(result.plot.summary, figure)
    if name == "tomography":
        _compare(result, model["province"])


def _judge(result: ClusterResult, n: int | None, block_size: float | None) -> ClusterResult:
    """The result with its stability, where it is asked for."""
    return result if n is None else result.stability(n, block_size=block_size)


def _check_stability(n: int | None, block_size: float | None, refused: str = "") -> None:
    """Refuse, before any work, a stability that cannot be found."""
    if n is None and block_size is not None:
        raise ValueError("--block-size is for --stability; give both, or neither")
    if n is not None and refused:
        raise ValueError(f"--stability cannot be found {refused}")
    if n is not None:
        check_bootstrap("--stability", n, block_size)


def _kept(file: Path, checkpoint: Path | None) -> list[Path]:
    """What must not be written over."""
    return [file] if checkpoint is None else [file, checkpoint]


def _read(
    file: Path,
    variables: tuple[str, ...],
    dim: str | None,
    chunks: int | str | None = None,
    **options: Any,
) -> tuple[xr.Dataset, dict[str, Any]]:
    """The prepared data of a file, and those of the options that were given for the method."""
    given = {name: value for name, value in options.items() if value is not None}
    preparation = {name: given.pop(name) for name in _PREPARATION if name in given}
    return read_model(file, variables, dim, chunks, **preparation), given | {"dim": dim}


def _require_one(n_clusters: int | None, k_range: tuple[int, int] | None) -> None:
    if n_clusters is not None and k_range is not None:
        raise ValueError("--clusters says how many, so --k-range has no use; give one of them")


def _ks(k_range: tuple[int, int]) -> range:
    low, high = k_range
    if not 1 <= low <= high:
        raise ValueError(f"--k-range is {low} {high}; give two integers, 1 <= LOW <= HIGH")
    return range(low, high + 1)


def _report(result: ClusterResult, output: Path) -> None:
    """Write a result and say what it is."""
    write_result(result, output)
    click.echo(f"{describe_result(result)}\n\nWrote {output}")


def _compare(result: ClusterResult, truth: xr.DataArray) -> None:
    """Say how well labels agree with the provinces that a model was made from."""
    from sklearn.metrics import adjusted_rand_score

    labels = result.labels
    known = labels.notnull().values
    provinces = truth.sel({d: labels[d] for d in labels.dims}).transpose(*labels.dims)
    score = adjusted_rand_score(provinces.values[known], labels.values[known])
    click.echo(f"Agreement with the provinces it was made from: adjusted Rand index {score:.2f}")
