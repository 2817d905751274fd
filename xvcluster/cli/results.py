"""The commands that describe files and use results: info, predict, plot, explore, boundaries."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import click
import xarray as xr

from xvcluster.choose.verdict import conclude
from xvcluster.cli import files
from xvcluster.cli.commandline import (
    CHUNKS,
    DIM,
    FILE,
    OVERWRITE,
    PATH,
    PREPARATION,
    RESULT,
    TIME,
    VARIABLE,
    clusters_of,
    command,
    dataset_options,
    output_option,
)
from xvcluster.cli.figures import (
    FIGURE_OPTIONS,
    at_time,
    centre,
    check_map,
    check_time,
    choose_options,
    write_figure,
)
from xvcluster.cli.opening import explained, list_groups, open_model
from xvcluster.cli.report import choose_few, describe_file, describe_result
from xvcluster.plot.methods import ResultPlots, SweepPlots
from xvcluster.record import store
from xvcluster.record.predict import predict as predict_labels
from xvcluster.result import ClusterResult

_KINDS = (
    *("map", "profiles", "summary", "som", "criteria", "tree", "maps"),
    *("section", "areas", "transitions"),
)


@command(FILE, VARIABLE, DIM)
def info(file: Path, variables: tuple[str, ...], dim: str | None) -> None:
    """Describe a NetCDF or Zarr FILE, and what kmeans would cluster."""
    with open_model(file) as dataset:
        if "xvcluster_schema" in dataset.attrs:
            result = files.read_result(file)
            method = result.dataset.attrs["method"]
            text = f"A result of xvcluster: {method} of {describe_result(result)}"
        else:
            names = files.choose_variables(dataset, variables, dim) if variables else []
            few = choose_few(dataset)
            with explained(file, only_reads=True):
                read = dataset.assign({name: dataset[name].load() for name in few})
            text = describe_file(read, names, few, dim, list_groups(file))
    click.echo(text)


@command(
    RESULT,
    FILE,
    VARIABLE,
    DIM,
    CHUNKS,
    dataset_options("<FILE>_labels.nc"),
)
def predict(
    result: Path,
    file: Path,
    variables: tuple[str, ...],
    dim: str | None,
    chunks: int | str | None,
    output: Path | None,
    plot: Path | None,
    time: str | None,
    overwrite: bool,
) -> None:
    """Label the profiles of a NetCDF or Zarr FILE with an earlier RESULT."""
    output = output or Path(f"{file.stem}_labels.nc")
    files.check_outputs(output, plot, overwrite=overwrite, inputs=[result, file])
    earlier = files.read_result(result)
    if not variables:
        with open_model(file) as dataset:
            names = earlier.parameters["variables"]
            variables = tuple(names) if set(names) <= set(dataset.data_vars) else ()
    check = partial(check_map, plot=plot, dim=dim, time=time)
    data = files.read_model(file, variables, dim, chunks, check=check)
    labels = predict_labels(earlier.dataset, data, dim)
    if labels.chunks is None and not labels.notnull().any():
        raise ValueError(f"no profile of {file.name} is complete, so none has a label")
    carried = {n: data.attrs[n] for n in ("title", "id") if data.attrs.get(n)}
    about = {"Conventions": "CF-1.11", "comment": f"{file.name} labelled with {result.name}"}
    store.write(labels.to_dataset(name="label").assign_attrs(carried | about), output)
    with open_model(output) as written:  # counting lazy labels would compute them again
        known = int(written["label"].count())
    click.echo(f"{known:,} of {labels.size:,} points labelled\nWrote {output}")
    labels = at_time(labels, time) if plot else labels
    write_figure(labels.vcluster.plot.map, plot, written=output)


@command(
    RESULT,
    click.option("--kind", type=click.Choice(_KINDS), default="summary", show_default=True),
    output_option("Figure to write. Default: <RESULT>_<KIND>.png in the current folder."),
    TIME,
    FIGURE_OPTIONS,
    click.option("--dpi", type=click.IntRange(10, 2400), default=200, show_default=True),
    OVERWRITE,
)
def plot(
    result: Path,
    kind: str,
    output: Path | None,
    time: str | None,
    dpi: int,
    overwrite: bool,
    **given: Any,
) -> None:
    """Draw a figure of a RESULT file."""
    owner = SweepPlots if kind == "criteria" else ResultPlots
    options = choose_options(kind, getattr(owner, kind), given)
    if kind == "section" and not {"start", "end"} <= options.keys():
        raise ValueError("a section needs its ends: --start LON LAT --end LON LAT")
    output = output or Path(f"{result.stem}_{kind}.png")
    files.check_outputs(None, output, overwrite=overwrite, inputs=[result])
    earlier = files.read_result(result)
    is_map = kind in ("map", "summary")
    check_time(earlier.labels, output if is_map else None, time)
    if kind == "criteria":
        figures: Any = SweepPlots(_criteria(earlier))
    else:
        figures = ResultPlots(at_time(earlier.dataset, time) if is_map else earlier.dataset)
    if "projection" in options:
        labels = figures._data["label"]
        options["projection"] = centre(options["projection"], labels, options.get("extent"))
    write_figure(partial(getattr(figures, kind), **options), output, dpi=dpi)


@command(
    RESULT,
    click.argument("model", type=PATH, metavar="[MODEL]", required=False),
    PREPARATION,
    DIM,
    output_option("Page to write. Default: <RESULT>_explorer.html in the current folder."),
    OVERWRITE,
)
def explore(
    result: Path,
    model: Path | None,
    dim: str | None,
    output: Path | None,
    overwrite: bool,
    **preparation: Any,
) -> None:
    """Write a page of HTML to click through a RESULT, with the profiles of its MODEL if given.

    Prepare the MODEL as it was for the RESULT: --depth, --dz, --levels, --stride, --max-gap.
    """
    output = output or Path(f"{result.stem}_explorer.html")
    inputs = [path for path in (result, model) if path is not None]
    files.check_outputs(output, overwrite=overwrite, inputs=inputs, endings=files.PAGES)
    given = {name: value for name, value in preparation.items() if value is not None}
    if model is None and (given or dim):
        option = next(iter(given), "dim").replace("_", "-")
        raise ValueError(f"--{option} has no effect without MODEL, the file that was clustered")
    earlier = files.read_result(result)
    variables = earlier.parameters["variables"]
    data = None if model is None else files.read_model(model, variables, dim, **given)
    page = earlier.explore(data)
    page.save(output)
    click.echo(f"Wrote {output}, {output.stat().st_size / 1e6:.1f} MB")


@command(
    RESULT,
    click.argument("output", type=PATH, metavar="OUT"),
    clusters_of("Number or name of a cluster; repeat for several."),
    click.option("--min-length", type=float, help="Omit shorter outlines, in km."),
    click.option("--min-area", type=float, help="Omit smaller regions, in km²."),
    click.option(
        "--smooth", is_flag=True, help="Draw contour lines instead of the edges of cells."
    ),
    click.option(
        "--dissolve", is_flag=True, help="One row for each cluster, with its share and means."
    ),
    OVERWRITE,
)
def boundaries(
    result: Path, output: Path, clusters: tuple[int | str, ...], overwrite: bool, **options: Any
) -> None:
    """Write the outlines of clusters of a RESULT to OUT.shp, OUT.gpkg or OUT.geojson."""
    files.check_outputs(output, overwrite=overwrite, inputs=[result], endings=files.SHAPES)
    frame = files.read_result(result).boundaries(clusters or None, **options)
    files.write_shapes(frame, output)
    click.echo(f"{len(frame):,} outlines of {frame['cluster'].nunique()} clusters")
    click.echo(f"Wrote {output}")


def _criteria(result: ClusterResult) -> xr.Dataset:
    """Return the sweep that a result file contains, without its labels."""
    found = [str(n) for n in result.dataset.data_vars if str(n).startswith("sweep_")]
    if not {"sweep_inertia", "sweep_silhouette"} <= set(found):
        raise ValueError(
            "the result contains no sweep and therefore no criteria; cluster without -k"
        )
    criteria = result.dataset[found].rename({n: n.removeprefix("sweep_") for n in found})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a missing knee, which the figure shows
        return conclude(criteria)
