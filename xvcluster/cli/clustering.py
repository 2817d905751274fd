"""The command line: xvcluster info, kmeans, som, sweep, predict, plot, boundaries and demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import xarray as xr

import xvcluster
from xvcluster import store, tutorial
from xvcluster.commandline import (
    CLUSTERS,
    DIM,
    FILE,
    K_RANGE,
    LLOYD,
    MODEL,
    OVERWRITE,
    PLOT,
    VARIABLE,
    Command,
    output_option,
    plainly,
    with_options,
)
from xvcluster.files import (
    check_outputs,
    choose_variables,
    open_model,
    read_model,
    read_result,
    write_figure,
    write_shapes,
)
from xvcluster.plot.methods import SweepPlots
from xvcluster.predict import predict as predict_labels
from xvcluster.report import describe_file, describe_result, sweep_table
from xvcluster.result import ClusterResult
from xvcluster.sweep import choose_k

_DEMOS = ("tomography", "ocean")
_KINDS = ("map", "profiles", "summary", "som", "elbow")
_PREPARATION = ("depth", "dz", "stride", "max_gap")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xvcluster")
def main() -> None:
    """Cluster the vertical profiles of gridded geoscience models."""


@main.command()
@with_options(FILE, VARIABLE, DIM)
@plainly
def info(file: Path, variables: tuple[str, ...], dim: str | None) -> None:
    """Tell what a NetCDF FILE holds, and what kmeans would cluster."""
    with open_model(file) as dataset:
        if "xvcluster_schema" in dataset.attrs:
            method = dataset.attrs["method"]
            text = f"A result of xvcluster: {method} of {describe_result(read_result(file))}"
        else:
            names = choose_variables(dataset, variables, dim) if variables else []
            text = describe_file(dataset, names, dim)
    click.echo(text)


@main.command()
@with_options(CLUSTERS, K_RANGE, LLOYD, MODEL)
@plainly
def kmeans(
    file: Path,
    n_clusters: int | None,
    k_range: tuple[int, int] | None,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Cluster the profiles of a NetCDF FILE by k-means."""
    if n_clusters is not None and k_range is not None:
        raise ValueError("--clusters says how many, so --k-range has no use; give one of them")
    output = output or _default(file, "clusters")
    check_outputs(output, plot, overwrite=overwrite, inputs=[file])
    if k_range is not None:
        options["k_range"] = _ks(k_range)
    data, options = _read(file, **options)
    result = xvcluster.kmeans(data, n_clusters, **options)
    _report(result, output)
    if plot:
        _draw(result.plot.summary, plot)


@main.command()
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
    click.option("--iterations", "n_iterations", type=int, help="Default: 50000."),
    click.option("--sigma", type=float, help="Neighbourhood at the start. Default: 0.3."),
    click.option("--learning-rate", type=float, help="At the start. Default: 0.1."),
    MODEL,
)
@plainly
def som(
    file: Path, output: Path | None, plot: Path | None, overwrite: bool, **options: Any
) -> None:
    """Cluster the profiles of a NetCDF FILE by a self-organizing map."""
    output = output or _default(file, "clusters")
    check_outputs(output, plot, overwrite=overwrite, inputs=[file])
    data, options = _read(file, **options)
    result = xvcluster.som(data, **options)
    _report(result, output)
    if plot:
        _draw(result.plot.summary, plot)


@main.command()
@with_options(
    K_RANGE,
    LLOYD,
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
    **options: Any,
) -> None:
    """Cluster by k-means for many k, and write the best of them.

    The figure of --plot is that of the elbow.
    """
    output = output or _default(file, "clusters")
    check_outputs(output, plot, maps, overwrite=overwrite, inputs=[file])
    if k_range is not None:
        options["k"] = _ks(k_range)
    data, options = _read(file, **options)
    swept = xvcluster.sweep(data, **options)
    click.echo(sweep_table(swept.dataset) + "\n")
    _report(swept.result(), output)
    for draw, path in ((swept.plot.elbow, plot), (swept.plot.maps, maps)):
        if path:
            _draw(draw, path)


@main.command()
@click.argument("result", type=click.Path(path_type=Path), metavar="RESULT")
@with_options(
    FILE,
    VARIABLE,
    DIM,
    output_option("NetCDF file to write. Default: <FILE>_labels.nc in the current folder."),
    PLOT,
    OVERWRITE,
)
@plainly
def predict(
    result: Path,
    file: Path,
    variables: tuple[str, ...],
    dim: str | None,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Label the profiles of a NetCDF FILE by an earlier RESULT."""
    output = output or _default(file, "labels")
    check_outputs(output, plot, overwrite=overwrite, inputs=[result, file])
    earlier = read_result(result)
    if not variables:
        with open_model(file) as dataset:
            names = earlier.parameters["variables"]
            variables = tuple(names) if set(names) <= set(dataset.data_vars) else ()
    data = read_model(file, variables, dim)
    labels = predict_labels(earlier.dataset, data, dim)
    carried = {n: data.attrs[n] for n in ("title", "id") if data.attrs.get(n)}
    about = {"Conventions": "CF-1.11", "comment": f"{file.name} labelled by {result.name}"}
    store.write(labels.to_dataset(name="label").assign_attrs(carried | about), output)
    known = labels.notnull()
    click.echo(f"{int(known.sum()):,} of {known.size:,} points labelled\nWrote {output}")
    if plot:
        _draw(labels.vcluster.plot.map, plot)


@main.command()
@click.argument("result", type=click.Path(path_type=Path), metavar="RESULT")
@click.option("--kind", type=click.Choice(_KINDS), default="summary", show_default=True)
@with_options(
    output_option("Figure to write. Default: <RESULT>_<KIND>.png in the current folder."),
    click.option("--dpi", type=click.IntRange(min=10), default=200, show_default=True),
    OVERWRITE,
)
@plainly
def plot(result: Path, kind: str, output: Path | None, dpi: int, overwrite: bool) -> None:
    """Draw a figure of a RESULT file."""
    output = output or Path(f"{result.stem}_{kind}.png")
    check_outputs(None, output, overwrite=overwrite, inputs=[result])
    earlier = read_result(result)
    figures = SweepPlots(_criteria(earlier)) if kind == "elbow" else earlier.plot
    _draw(getattr(figures, kind), output, dpi=dpi)


@main.command()
@click.argument("result", type=click.Path(path_type=Path), metavar="RESULT")
@click.argument("output", type=click.Path(path_type=Path), metavar="OUT")
@with_options(
    click.option("--cluster", "clusters", type=int, multiple=True, help="Repeat for several."),
    click.option("--min-length", type=float, help="Leave shorter outlines out, in km."),
    click.option("--min-area", type=float, help="Leave smaller regions out, in km²."),
    click.option("--smooth", is_flag=True, help="Contour lines in place of the cells' edges."),
    OVERWRITE,
)
@plainly
def boundaries(
    result: Path, output: Path, clusters: tuple[int, ...], overwrite: bool, **options: Any
) -> None:
    """Write the outlines of clusters of a RESULT to OUT.shp, OUT.gpkg or OUT.geojson."""
    check_outputs(output, overwrite=overwrite, inputs=[result])
    frame = read_result(result).boundaries(clusters or None, **options)
    write_shapes(frame, output)
    click.echo(f"{len(frame):,} outlines of {frame['cluster'].nunique()} clusters")
    click.echo(f"Wrote {output}")


@main.command()
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
    _draw(result.plot.summary, figure)
    if name == "tomography":
        _compare(result, model["province"])


def _read(
    file: Path, variables: tuple[str, ...], dim: str | None, **options: Any
) -> tuple[xr.Dataset, dict[str, Any]]:
    """The prepared data of a file, and those of the options that were given for the method."""
    given = {name: value for name, value in options.items() if value is not None}
    preparation = {name: given.pop(name) for name in _PREPARATION if name in given}
    return read_model(file, variables, dim, **preparation), given | {"dim": dim}


def _ks(k_range: tuple[int, int]) -> range:
    low, high = k_range
    if not 1 <= low <= high:
        raise ValueError(f"--k-range is {low} {high}; give two integers, 1 <= LOW <= HIGH")
    return range(low, high + 1)


def _default(file: Path, what: str) -> Path:
    return Path(f"{file.stem}_{what}.nc")


def _report(result: ClusterResult, output: Path) -> None:
    """Write a result and say what it is."""
    result.to_netcdf(output)
    click.echo(f"{describe_result(result)}\n\nWrote {output}")


def _draw(draw: Command, path: Path, dpi: int = 200) -> None:
    write_figure(draw, path, dpi)
    click.echo(f"Wrote {path}")


def _criteria(result: ClusterResult) -> xr.Dataset:
    """The sweep that a result file carries, as far as the elbow needs it."""
    names = {"sweep_inertia": "inertia", "sweep_silhouette": "silhouette"}
    if not set(names) <= set(result.dataset.data_vars):
        raise ValueError("the result carries no sweep, so it has no elbow; cluster without -k")
    criteria = result.dataset[list(names)].rename(names)
    values = [criteria[name].values.tolist() for name in ("k", *names.values())]
    best, how = choose_k(*values)
    return criteria.assign_attrs(best_k=best, best_k_by=how)


def _compare(result: ClusterResult, truth: xr.DataArray) -> None:
    """Say how well labels agree with the provinces that a model was made from."""
    from sklearn.metrics import adjusted_rand_score

    labels = result.labels
    known = labels.notnull().values
    provinces = truth.sel({d: labels[d] for d in labels.dims}).transpose(*labels.dims)
    score = adjusted_rand_score(provinces.values[known], labels.values[known])
    click.echo(f"Agreement with the provinces it was made from: adjusted Rand index {score:.2f}")
