"""The commands that compare results: match and consensus."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

import xvcluster
from xvcluster import store
from xvcluster.cli.commandline import OVERWRITE, PLOT, output_option, plainly, with_options
from xvcluster.cli.files import (
    check_outputs,
    default_output,
    read_result,
    write_figure,
    write_result,
)
from xvcluster.cli.report import describe_result
from xvcluster.plot import votes


@click.command()
@click.argument("result", type=click.Path(path_type=Path), metavar="RESULT")
@click.argument("reference", type=click.Path(path_type=Path), metavar="REFERENCE")
@with_options(
    output_option("NetCDF or Zarr to write. Default: <RESULT>_matched.nc in the current folder."),
    PLOT,
    OVERWRITE,
)
@plainly
def match(
    result: Path, reference: Path, output: Path | None, plot: Path | None, overwrite: bool
) -> None:
    """Renumber the clusters of a RESULT to agree best with a REFERENCE result."""
    output = output or default_output(result, "matched")
    check_outputs(output, plot, overwrite=overwrite, inputs=[result, reference])
    matched = read_result(result).match(read_result(reference))
    write_result(matched, output)
    agreement = matched.dataset["contingency"].attrs
    indices = {"Rand": "adjusted_rand_index", "mutual information": "adjusted_mutual_information"}
    said = ", ".join(f"adjusted {name} {agreement[n]:.2f}" for name, n in indices.items())
    click.echo(f"{describe_result(matched)}\n\nAgreement: {said}\nWrote {output}")
    if plot:
        write_figure(matched.plot.map, plot)


@click.command()
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULT...", nargs=-1)
@with_options(
    click.option("--grid", type=float, metavar="DEGREES", help="Count on a global grid."),
    click.option(
        "--cluster", type=int, default=1, show_default=True, help="Whose votes --plot draws."
    ),
    output_option("NetCDF or Zarr to write. Default: consensus.nc in the current folder."),
    PLOT,
    OVERWRITE,
)
@plainly
def consensus(
    results: tuple[Path, ...],
    grid: float | None,
    cluster: int,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Count in how many RESULTs of several models each point is in each cluster.

    The grid and the clusters are those of the first, unless --grid is given.
    """
    output = output or Path("consensus.nc")
    check_outputs(output, plot, overwrite=overwrite, inputs=list(results))
    if not results:
        raise ValueError("consensus needs the results of several models; name their files")
    for path in results:
        if results.count(path) > 1:
            raise ValueError(f"{path} is named twice; each model has one vote")
    counted = xvcluster.consensus({str(p): read_result(p) for p in results}, grid=grid)
    if plot and cluster not in counted["cluster"].values:
        numbers = ", ".join(map(str, counted["cluster"].values))
        raise ValueError(f"there is no cluster {cluster} to draw; choose one of {numbers}")
    store.write(counted, output)
    mean = float(counted["agreement"].mean())
    click.echo(f"{len(results)} models agree to {mean:.0%} on average\nWrote {output}")
    if plot:
        write_figure(partial(votes, counted, cluster=cluster), plot)
