"""The commands that compare results: match, compare and consensus."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, get_args

import click
import xarray as xr

import xvcluster
from xvcluster.cli.commandline import (
    OVERWRITE,
    PATH,
    PLOT,
    RESULT,
    command,
    dataset_options,
    output_option,
)
from xvcluster.cli.figures import at_time, check_time, write_figure
from xvcluster.cli.files import DATASETS, check_outputs, read_result, read_shapes
from xvcluster.cli.report import describe_result
from xvcluster.compare.chance import Null
from xvcluster.compare.match import point_weights
from xvcluster.plot import votes
from xvcluster.record import store
from xvcluster.record.replace import replace


@command(
    RESULT,
    click.argument("reference", type=PATH, metavar="REFERENCE"),
    dataset_options("<RESULT>_matched.nc"),
)
def match(
    result: Path,
    reference: Path,
    output: Path | None,
    plot: Path | None,
    time: str | None,
    overwrite: bool,
) -> None:
    """Renumber the clusters of a RESULT for the best agreement with a REFERENCE result."""
    output = output or Path(f"{result.stem}_matched.nc")
    check_outputs(output, plot, overwrite=overwrite, inputs=[result, reference])
    earlier = read_result(result)
    check_time(earlier.labels, plot, time)
    matched = earlier.match(read_result(reference))
    store.write(matched.dataset, output)
    agreement = matched.dataset["contingency"].attrs
    said = f"adjusted Rand {agreement['adjusted_rand_index']:.2f}, "
    said += f"adjusted mutual information {agreement['adjusted_mutual_information']:.2f}"
    click.echo(f"{describe_result(matched)}\n\nAgreement: {said}\nWrote {output}")
    labels = at_time(matched.labels, time) if plot else matched.labels
    write_figure(labels.vcluster.plot.map, plot, written=output)


@command(
    RESULT,
    click.argument("provinces", type=PATH, metavar="PROVINCES"),
    click.option(
        "--column",
        metavar="NAME",
        help="Column that names the provinces. Default: the only one of text.",
    ),
    click.option(
        "--n", type=int, default=999, show_default=True, help="Number of maps moved at random."
    ),
    click.option(
        "--null",
        type=click.Choice(get_args(Null)),
        default="auto",
        show_default=True,
        help="How maps are moved.",
    ),
    click.option("--random-state", type=int, default=0, show_default=True, help="Seed."),
    output_option(
        "Table of areas to write, as .csv: one row per cluster, one column per province."
    ),
    PLOT,
    OVERWRITE,
)
def compare(
    result: Path,
    provinces: Path,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Test whether the clusters of a RESULT agree with PROVINCES more than by chance.

    PROVINCES is a file of polygons, such as .gpkg, .shp or .geojson, or another result.
    """
    inputs = [result, provinces]
    check_outputs(output, plot, overwrite=overwrite, inputs=inputs, endings=(".csv",))
    earlier = read_result(result)
    is_result = provinces.suffix.lower() in DATASETS
    given: Any = read_result(provinces) if is_result else read_shapes(provinces)
    agreement = earlier.compare(given, **options)
    click.echo(agreement.report())
    if output is not None:
        with replace(output) as temporary:
            agreement.dataset["contingency"].to_pandas().to_csv(temporary)
        click.echo(f"Wrote {output}")
    write_figure(agreement.plot.agreement, plot, written=output)


@command(
    click.argument("results", type=PATH, metavar="RESULT...", nargs=-1),
    click.option(
        "--grid", type=float, metavar="DEGREES", help="Count on a global grid with this spacing."
    ),
    click.option(
        "--reference",
        type=PATH,
        metavar="RESULT",
        help="Result whose clusters are counted. Default: the first.",
    ),
    click.option(
        "--cluster",
        type=int,
        default=1,
        show_default=True,
        help="Cluster whose votes --plot draws.",
    ),
    dataset_options("consensus.nc"),
)
def consensus(
    results: tuple[Path, ...],
    grid: float | None,
    reference: Path | None,
    cluster: int,
    output: Path | None,
    plot: Path | None,
    time: str | None,
    overwrite: bool,
) -> None:
    """Count how many RESULTs of several models assign each point to each cluster.

    The grid and the clusters are those of the first RESULT, unless --grid or --reference is given.
    """
    output = output or Path("consensus.nc")
    inputs = results if reference is None else (*results, reference)
    check_outputs(output, plot, overwrite=overwrite, inputs=inputs)
    if len(results) < 2:
        raise ValueError(
            f"consensus requires the results of two or more models; got {len(results)}; give "
            "all of their files"
        )
    for path in results:
        if results.count(path) > 1:
            raise ValueError(f"{path} is given twice; each model has one vote")
    counted = xvcluster.consensus(
        {str(p): read_result(p) for p in results},
        grid=grid,
        reference=None if reference is None else read_result(reference),
    )
    check_time(counted["label"], plot, time)
    if plot and cluster not in counted["cluster"].values:
        numbers = ", ".join(map(str, counted["cluster"].values))
        raise ValueError(f"there is no cluster {cluster} to draw; choose one of {numbers}")
    store.write(counted, output)
    click.echo(f"{_describe_agreement(counted, len(results))}\nWrote {output}")
    chosen = at_time(counted, time) if plot else counted
    write_figure(partial(votes, chosen, cluster=cluster), plot, written=output)


def _describe_agreement(counted: xr.Dataset, n_models: int) -> str:
    """Say how far the models agree, by area, at points that several of them label."""
    areas = point_weights(counted["label"])
    weights = areas.where(counted["n_models"] > 1).fillna(0.0)
    if not weights.any():
        return f"No point has a label of more than one of the {n_models} models"
    mean = float(counted["agreement"].weighted(weights).mean())
    by = "area" if areas.attrs["units"] == "km2" else "number"
    return (
        f"Mean agreement of {n_models} models: {mean:.0%} by {by}, where two or more have a label"
    )
