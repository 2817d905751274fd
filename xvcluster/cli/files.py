"""The files of a command: reading models, checking outputs, writing figures and outlines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import xarray as xr

from xvcluster.cli.report import find_models
from xvcluster.grid.coords import find_axes, with_coordinates
from xvcluster.prepare import prepare
from xvcluster.record import store
from xvcluster.record.replace import check_target, replace, scratch
from xvcluster.result import ClusterResult, open_result

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_SHAPES = (".shp", ".gpkg", ".geojson")


@contextmanager
def open_model(path: Path) -> Iterator[xr.Dataset]:
    """Open a NetCDF file or Zarr store, with auxiliary variables as coordinates; then close it.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not NetCDF or Zarr, or is damaged.
    """
    zarr = {"engine": "zarr", "consolidated": False}
    options = zarr if store.is_zarr(path) else {"engine": "netcdf4"}
    with _explained(path), xr.open_dataset(path, **options) as dataset:
        yield with_coordinates(dataset)


def read_model(
    path: Path,
    variables: Sequence[str] = (),
    dim: str | None = None,
    chunks: int | str | None = None,
    **preparation: Any,
) -> xr.Dataset:
    """Read and prepare the variables to cluster, into memory or lazily in chunks.

    Parameters
    ----------
    path : Path
        A NetCDF file or a Zarr store.
    variables : sequence of str
        Empty for the only one that can be clustered.
    dim : str, optional
        The vertical dimension, if it cannot be inferred.
    chunks : int or "auto", optional
        Number of points of a chunk along each horizontal dimension; chunks contain whole profiles.
        Default: read everything into memory.
    **preparation
        Options of `prepare`; without any, the data are not changed.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file cannot be read, lacks a variable, or contains several to choose from.
    """
    with open_model(path) as dataset:
        names = choose_variables(dataset, variables, dim, without=preparation.get("levels"))
        data = dataset[names]
        if "levels" in preparation:
            data = _with_levels(dataset, data, preparation["levels"])
        if chunks is not None:
            vertical = find_axes(data, dim).vertical
            data = data.chunk({d: -1 if d == vertical else chunks for d in data.dims})
        if preparation:
            data = prepare(data, dim=dim, **preparation)
        if chunks is None:
            data = data.load()
    data.encoding = {"source": str(path)}
    return data


def _with_levels(dataset: xr.Dataset, data: xr.Dataset, name: str) -> xr.Dataset:
    """Add the depth of each level of each profile to the data, as a coordinate."""
    if name not in dataset.variables:
        raise ValueError(
            f"the file has no variable {name!r} for --levels; it has "
            f"{', '.join(map(str, dataset.variables))}"
        )
    return data.assign_coords({name: dataset[name]})


def choose_variables(
    dataset: xr.Dataset,
    variables: Sequence[str],
    dim: str | None = None,
    without: str | None = None,
) -> list[str]:
    """Return the given variables if the file has them, otherwise the only one to cluster.

    `without` is not one of these: it is the depth of the levels.
    """
    dataset = dataset.drop_vars(without or [], errors="ignore")
    known = [str(n) for n in dataset.data_vars]
    for name in variables:
        if name not in known:
            raise ValueError(f"the file has no variable {name!r}; it has {', '.join(known)}")
    names = list(dict.fromkeys(variables)) or find_models(dataset, dim)
    if not names:
        raise ValueError(f"the file has no numeric variable; it has {', '.join(known) or 'none'}")
    if len(names) > 1 and not variables:
        raise ValueError(
            f"the file has several variables to cluster: {', '.join(names)}; choose with "
            f"--variable {names[0]}, which may be repeated to cluster several together"
        )
    return names


def read_result(path: Path) -> ClusterResult:
    """Read a result; raise ValueError if the file is not one."""
    with _explained(path):
        return open_result(path)


def check_outputs(
    output: Path | None, *figures: Path | None, overwrite: bool, inputs: Sequence[Path] = ()
) -> None:
    """Raise an error, before any work, if an output cannot or must not be written.

    Parameters
    ----------
    output : Path or None
        The file for the result.
    *figures : Path or None
        The files for figures.
    overwrite : bool
        Whether existing files may be replaced.
    inputs : sequence of Path
        Files that the command reads and must not replace.

    Raises
    ------
    ValueError
        If a folder does not exist, a name is not suitable or given twice, a file exists already and
        `overwrite` is not set, or a file is also an input.
    """
    read = {path.resolve() for path in inputs}
    wanted = [path for path in (output, *figures) if path is not None]
    for i, path in enumerate(wanted):
        check_target(path)
        if path.is_dir() and not store.is_zarr(path):
            raise ValueError(f"{str(path)!r} is a folder; give the name of a file")
        target = path.resolve()
        if any(target.is_relative_to(other) or other.is_relative_to(target) for other in read):
            raise ValueError(f"{path} is an input of this command and cannot be its output as well")
        if target in [other.resolve() for other in wanted[:i]]:
            raise ValueError(f"{path} is given for two outputs; give each its own name")
        there = [part for part in _parts(path) if part.exists()]
        if there and not overwrite:
            raise ValueError(f"{there[0]} exists already; choose another name, or add --overwrite")
    for figure in filter(None, figures):
        _check_figure(figure)


def _parts(path: Path) -> list[Path]:
    """Return the files that are written under a name: a shapefile consists of several."""
    if path.suffix.lower() != ".shp":
        return [path]
    return [path, *(path.with_suffix(end) for end in (".dbf", ".shx", ".prj", ".cpg"))]


def _check_figure(path: Path) -> None:
    """Raise an error if matplotlib cannot write figures of this format."""
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix.lstrip(".").lower() not in kinds:
        raise ValueError(
            f"a figure cannot be written as {path.name!r}; its name must end in one of "
            f"{', '.join('.' + kind for kind in kinds)}"
        )


def write_figure(draw: Callable[[], Any], path: Path | None, dpi: int = 200) -> None:
    """Draw a figure, or axes, into a file if one is given, and say so."""
    if path is None:
        return
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")  # never open a window
    drawing = draw()
    figure = drawing if hasattr(drawing, "savefig") else drawing.figure
    try:
        with replace(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lstrip(".").lower(), dpi=dpi)
    finally:
        plt.close(figure)
    click.echo(f"Wrote {path}")


def write_shapes(frame: GeoDataFrame, path: Path) -> None:
    """Write outlines to a shapefile, GeoPackage or GeoJSON, as the name says.

    Raises
    ------
    ValueError
        If the name has another extension, or there are no outlines to write.
    """
    if path.suffix.lower() not in _SHAPES:
        raise ValueError(
            f"outlines cannot be written as {path.name!r}; the name must end in one of "
            f"{', '.join(_SHAPES)}"
        )
    if not len(frame):
        raise ValueError("no outline is that large; reduce --min-length or --min-area")
    with scratch(path.parent) as folder:
        folder.mkdir()
        frame.to_file(folder / path.name)
        for part in folder.iterdir():
            with replace(path.parent / part.name) as temporary:
                part.rename(temporary)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the errors of the NetCDF and Zarr libraries into plain sentences about the file."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        yield
    except OSError as error:
        kind = "Zarr" if store.is_zarr(path) else "NetCDF"
        raise ValueError(
            f"{str(path)!r} cannot be read as {kind}: {error.strerror or error}"
        ) from error
    except RuntimeError as error:
        if not str(error).startswith("NetCDF"):
            raise
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error
