"""The commands that compare results: match, compare and consensus."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

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

if TYPE_CHECKING:
    import pandas as pd


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
        "Table of areas to write, as .csv: one row per cluster, one column per province. The "
        "p-value and all measures go into <OUTPUT>_measures.csv."
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
    measures = None if output is None else output.with_name(f"{output.stem}_measures.csv")
    check_outputs(measures, overwrite=overwrite, inputs=inputs, endings=(".csv",))
    earlier = read_result(result)
    is_result = provinces.suffix.lower() in DATASETS
    given: Any = read_result(provinces) if is_result else read_shapes(provinces)
    try:
        agreement = earlier.compare(given, **options)
    except ValueError as error:
        raise ValueError(_by_options(error)) from error
    click.echo(_by_options(agreement.report()))
    if output is not None and measures is not None:
        with replace(output) as temporary:
            agreement.dataset["contingency"].to_pandas().to_csv(temporary)
        with replace(measures) as temporary:
            _tabulate_measures(agreement.dataset).to_csv(temporary)
        click.echo(f"Wrote {output}\nWrote {measures}")
    write_figure(agreement.plot.agreement, plot, written=output)


def _by_options(text: object) -> str:
    """Name the options of the command where a text names arguments of Python."""
    named = re.sub(r"\b(column|null|n)=('[^']*'|\d+)", r"--\1 \2", str(text))
    return re.sub(r"\bn must be", "--n must be", named)


def _tabulate_measures(dataset: xr.Dataset) -> pd.DataFrame:
    """The single numbers of an agreement, and what they mean."""
    import pandas as pd

    about, rows = dataset["p_value"].attrs, []
    for name, variable in dataset.data_vars.items():
        if variable.ndim == 0:
            said = [variable.attrs.get(key) for key in ("long_name", "comment")]
            said += [f"{about['n']} {about['null']}"] if name == "p_value" else []
            rows.append((name, float(variable), "; ".join(filter(None, said))))
    return pd.DataFrame(rows, columns=["measure", "value", "meaning"]).set_index("measure")


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
