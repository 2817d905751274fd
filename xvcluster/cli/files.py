"""The files of a command: reading models, checking outputs, writing figures and outlines."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from xvcluster.cli.figures import check_format
from xvcluster.cli.opening import engine_of, explained, list_groups, open_model
from xvcluster.cli.report import find_models, find_obstacle, how_to_read_group
from xvcluster.extras import require
from xvcluster.grid.coords import find_axes
from xvcluster.messages import plain
from xvcluster.prepare import prepare
from xvcluster.record import store
from xvcluster.record.replace import check_target, find_former, replace, scratch
from xvcluster.result import ClusterResult, open_result

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

DATASETS = (".nc", ".nc4", ".cdf", ".netcdf", ".h5", ".hdf5", ".zarr", "")
SHAPES = (".shp", ".gpkg", ".geojson")
PAGES = (".html",)


def read_model(
    path: Path,
    variables: Sequence[str] = (),
    dim: str | None = None,
    chunks: int | str | None = None,
    *,
    check: Callable[[xr.Dataset], None] | None = None,
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
    check : callable, optional
        Called with the prepared data before their values are read.
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
        if "xvcluster_schema" in dataset.attrs:
            raise ValueError(f"{path} is a result of xvcluster; give the file of a model instead")
        names = choose_variables(dataset, variables, dim, without=preparation.get("levels"))
        data = dataset[names]
        if "levels" in preparation:
            data = _with_levels(dataset, data, preparation["levels"])
        if chunks is not None:
            require("dask", "--chunks needs")
            vertical = find_axes(data, dim).vertical
            data = data.chunk({d: -1 if d == vertical else chunks for d in data.dims})
        if preparation:
            data = prepare(data, dim=dim, **preparation)
        if check is not None:
            check(data)
        if chunks is None:
            with explained(path, only_reads=True):
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
    names = list(dict.fromkeys(variables)) or find_models(dataset, dim)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"variable {unknown[0]!r}" if unknown else "numeric variable"
        inner = list_groups(Path(dataset.encoding["source"]))
        hint = f", but groups: {', '.join(inner)}. {how_to_read_group(inner[0])}" if inner else ""
        its = known if unknown else [f"{n} ({find_obstacle(dataset[n])})" for n in known]
        raise ValueError(f"the file has no {what}; it has {', '.join(its) or 'none'}{hint}")
    if len(names) > 1 and not variables:
        raise ValueError(
            f"the file has several variables to cluster: {', '.join(names)}; choose with "
            f"--variable {names[0]}, which may be repeated to cluster several together"
        )
    return names


def read_result(path: Path) -> ClusterResult:
    """Read a result; raise ValueError if the file is not one."""
    engine_of(find_former(path))
    with explained(path):
        return open_result(path)


def check_outputs(
    output: Path | None,
    *figures: Path | None,
    overwrite: bool,
    inputs: Sequence[Path] = (),
    endings: Sequence[str] = DATASETS,
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
    endings : sequence of str
        How the name of the output may end.

    Raises
    ------
    ValueError
        If a folder does not exist, a name is not suitable or given twice, a file exists already and
        `overwrite` is not set, or a file is also an input.
    """
    read = {path.resolve() for path in inputs}
    wanted = [path for path in (output, *figures) if path is not None]
    for i, path in enumerate(wanted):
        _check_folder(path)
        target = path.resolve()
        if any(target.is_relative_to(other) or other.is_relative_to(target) for other in read):
            raise ValueError(f"{path} is an input of this command and cannot be its output as well")
        if target in [other.resolve() for other in wanted[:i]]:
            raise ValueError(f"{path} is given for two outputs; give each its own name")
        there = [part for part in _parts(path) if part.exists()]
        if there and not overwrite:
            raise ValueError(f"{there[0]} exists already; choose another name, or add --overwrite")
    for figure in filter(None, figures):
        check_format(figure)
    if output is not None:
        _check_ending(output, endings)


def _check_folder(path: Path) -> None:
    """Raise an error if a file cannot be written in its folder."""
    check_target(path)
    if store.is_zarr(path):
        require("zarr", "Zarr stores need")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"the folder {str(path.parent)!r} may not be written; choose another")
    if path.is_dir() and not store.is_zarr(path):
        raise ValueError(f"{str(path)!r} is a folder; give the name of a file")


def _parts(path: Path) -> list[Path]:
    """Return the files that are written under a name: a shapefile consists of several."""
    if path.suffix.lower() != ".shp":
        return [path]
    return [path, *(path.with_suffix(end) for end in (".dbf", ".shx", ".prj", ".cpg"))]


def _check_ending(output: Path, endings: Sequence[str]) -> None:
    """Raise an error if the name is not one for what is written, or stands for something else."""
    if output.suffix.lower() not in endings:
        raise ValueError(
            f"{output.name!r} is no name for what this command writes; it must end in one of "
            f"{', '.join(filter(None, endings))}"
        )
    if endings is DATASETS:
        store.check_kind(output)


def read_shapes(path: Path) -> GeoDataFrame:
    """Read polygons from a shapefile, GeoPackage, GeoJSON or whatever else geopandas reads.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read.
    """
    geopandas = require("geopandas", "files of polygons need")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        return geopandas.read_file(path)
    except ImportError:  # neither pyogrio nor Fiona, which does as well
        require("pyogrio", "files of polygons need")
        raise
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} cannot be read as polygons: {plain(error, 300)}"
        ) from error


def write_shapes(frame: GeoDataFrame, path: Path) -> None:
    """Write outlines to a shapefile, GeoPackage or GeoJSON, as the name says."""
    if not len(frame):
        raise ValueError("no outline is that large; reduce --min-length or --min-area")
    with scratch(path.parent) as folder:
        folder.mkdir()
        try:
            frame.to_file(folder / path.name)
        except ImportError:  # neither pyogrio nor Fiona, which does as well
            require("pyogrio", "files of outlines need")
            raise
        for part in folder.iterdir():
            with replace(path.parent / part.name) as temporary:
                part.rename(temporary)
