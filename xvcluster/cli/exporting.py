"""The command that writes results for other programs: export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from xvcluster.cli import files
from xvcluster.cli.commandline import OVERWRITE, PATH, RESULT, TIME, clusters_of, command
from xvcluster.cli.figures import at_time
from xvcluster.export import geotiff, model96, taup
from xvcluster.export.models import name_file
from xvcluster.grid.labels import choose_clusters


def _relation(text: str) -> float | str:
    """Parse a number, or else the name of a relation."""
    try:
        return float(text)
    except ValueError:
        return text


@command(
    RESULT,
    click.argument("output", type=PATH, metavar="OUT"),
    clusters_of("Number or name of the cluster of a model; repeat for several."),
    click.option("--vp", metavar="NAME", help="Variable that is the P velocity."),
    click.option("--vs", metavar="NAME", help="Variable that is the S velocity."),
    click.option(
        "--vp-vs", type=_relation, metavar="RATIO|NAME",
        help="Of a model with one velocity: a ratio, brocher2005 or ak135.",
    ),
    click.option(
        "--density", type=_relation, metavar="DENSITY|NAME",
        help="Of a model without density: a number in g/cm3, brocher2005, gardner1974 or ak135.",
    ),
    click.option("--above", help="What is above the first level: ak135 or constant."),
    click.option("--below", help="What is below the last level: ak135, of layers also constant."),
    click.option("--reference", help="What perturbations refer to: ak135."),
    TIME,
    OVERWRITE,
)  # fmt: skip
def export(
    result: Path,
    output: Path,
    clusters: tuple[int | str, ...],
    time: str | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Write a RESULT for other programs, in the format that the name OUT ends in.

    A map as a GeoTIFF (.tif), or centroids as 1-D models: for TauP (.nd, .tvel) or for surface
    waves (.mod). With {cluster} in the name, each cluster has a file of its own.
    """
    endings = (*geotiff.ENDINGS, *taup.ENDINGS, *model96.ENDINGS)
    files.check_outputs(output, overwrite=overwrite, inputs=[result], endings=endings)
    opened = files.read_result(result)
    given = [name for name, value in options.items() if value is not None]
    given += ["cluster"] if clusters else []
    if output.suffix.lower() in geotiff.ENDINGS:
        if given:
            name = given[0].replace("_", "-")
            raise ValueError(f"--{name} applies to 1-D models only; leave it out for a GeoTIFF")
        at_time(opened.labels, time).vcluster.to_geotiff(output)
        written = [output]
    else:
        if time is not None:
            raise ValueError("--time applies to a GeoTIFF only; leave it out for 1-D models")
        numbers = clusters or None
        if not overwrite:
            known = opened.dataset["cluster"].values.tolist()
            _refuse_existing(output, choose_clusters(opened.labels, numbers or known, known))
        write = opened.to_nd if output.suffix.lower() in taup.ENDINGS else opened.to_model96
        written = write(output, numbers, **options)
    click.echo("\n".join(f"Wrote {path}" for path in written))


def _refuse_existing(output: Path, clusters: list[int]) -> None:
    """Refuse to replace the file of a cluster."""
    for number in clusters:
        path = name_file(output, number)
        if path.exists():
            raise ValueError(f"{path} exists already; choose another name, or add --overwrite")
