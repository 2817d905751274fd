"""Descriptions of files and results, as text."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.grid.coords import find_axes, positive, units
from xvcluster.grid.missing import mask_invalid
from xvcluster.profiles import STATUS, collect
from xvcluster.result import ClusterResult, SweepResult

_MAX_ROWS = 40


def find_models(dataset: xr.Dataset, dim: Hashable | None = None) -> list[str]:
    """Return the names of the variables that can be clustered: profiles, otherwise maps.

    Parameters
    ----------
    dataset : Dataset
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.

    Returns
    -------
    list of str
        The numeric variables with latitude, longitude and a vertical; without a vertical if there
        are none; those with the most dimensions if the file has no latitude and longitude.
    """
    numeric = [n for n, a in dataset.data_vars.items() if a.dtype.kind in "fiu" and a.ndim]
    maps: list[str] = []
    models: list[str] = []
    for name in numeric:
        try:
            axes = find_axes(dataset[[name]], dim if dim in dataset[name].dims else None)
        except ValueError:
            continue  # raised again later if there is nothing else to cluster
        if axes.latitude and axes.longitude:
            (models if axes.vertical else maps).append(str(name))
    most = max((dataset[n].ndim for n in numeric), default=0)
    return models or maps or [str(n) for n in numeric if dataset[n].ndim == most]


def describe_file(dataset: xr.Dataset, names: Sequence[str], dim: Hashable | None = None) -> str:
    """Describe a file's coordinates and variables, and what can be clustered.

    Parameters
    ----------
    dataset : Dataset
        The whole file, with auxiliary variables as coordinates.
    names : sequence of str
        Variables to be clustered together. If empty, each of `find_models` by itself.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.

    Returns
    -------
    str
        Several lines.
    """
    groups = [list(names)] if names else [[n] for n in find_models(dataset, dim)]
    lines = [f"{n:<12}{dataset.attrs[n]}" for n in ("title", "id") if dataset.attrs.get(n)]
    clusterable, seams = [], set[str | None]()
    for group in groups:
        try:
            profiles = collect(dataset[group], dim)
        except (TypeError, ValueError) as error:
            clusterable.append([", ".join(group), f"nothing: {error}"])
        else:
            n_profiles, n_levels = profiles.values.shape[:2]
            clusterable.append([", ".join(group), _count(profiles.status, n_profiles, n_levels)])
            grid, longitude = profiles.grid, profiles.axes.longitude
            if any(grid.take[d].size < grid.restore[d].size for d in grid.dims):
                seams.add(longitude)
    if groups:
        lines += ["", "Coordinates", *_coordinates(dataset[groups[0]], dim, seams)]
    lines += ["", "Variables", *_align([_variable(a) for a in dataset.data_vars.values()])]
    lines += ["", "kmeans would cluster", *(_align(clusterable) or ["  nothing: no numeric grid"])]
    if any("incomplete" in text for _, text in clusterable):
        lines.append("--depth selects levels that more profiles cover; --max-gap fills small gaps.")
    if len(groups) > 1:
        lines.append("--variable selects one, or several to cluster together.")
    return "\n".join(lines).lstrip("\n")


def describe_result(result: ClusterResult) -> str:
    """Describe a result: the number of profiles, which k and why, and one row per cluster."""
    dataset, parameters = result.dataset, result.parameters
    names = ", ".join(parameters["variables"])
    n_levels = dataset.sizes.get(parameters["vertical"], 1)
    n_profiles = int(dataset["count"].sum())
    lines = [f"{names}: {_count(dataset['status'].values, n_profiles, n_levels)}"]
    by = "the lowest BIC" if "sweep_bic" in dataset else ""
    if result.sweep is not None:
        how = {"knee": "the knee of the inertia", "silhouette": "the best silhouette"}
        by = result.sweep.dataset.attrs["best_k_by"]
        by = how.get(by, by)
    if by:
        k = dataset["k"].values
        lines.append(f"{result.n_clusters} clusters, by {by} over k = {k[0]} to {k[-1]}")
    return "\n".join([*lines, "", cluster_table(result)])


def cluster_table(result: ClusterResult) -> str:
    """Return a table with one row per cluster; of very many, the first and the last."""
    spelled = {
        "cluster": ("cluster", "{:.0f}"),
        "profiles": ("profiles", "{:,.0f}"),
        "area_km2": ("area (km2)", "{:,.0f}"),
        "area_percent": ("area (%)", "{:.1f}"),
        "inertia_percent": ("inertia (%)", "{:.1f}"),
        "mean_margin": ("mean margin", "{:.2f}"),
        "mean_stability": ("mean stability", "{:.2f}"),
        "nearest_distance": ("nearest distance", "{:.4g}"),
    }
    table = result.table().reset_index()
    columns = [
        [title, *("-" if np.isnan(value) else form.format(value) for value in table[name])]
        for name, (title, form) in spelled.items()
        if name in table
    ]
    rows = _align(zip(*columns, strict=True), right=len(columns))
    if len(rows) > _MAX_ROWS:
        half = _MAX_ROWS // 2
        rows = [*rows[: half + 1], f"  ... {len(rows) - 1 - 2 * half} more ...", *rows[-half:]]
    return "\n".join(rows)


def sweep_table(swept: SweepResult) -> str:
    """Return a table with one row per number of clusters, the best marked."""
    table = swept.table()
    rows = [["k", *(name.replace("_", " ") for name in table.columns), ""]]
    for k, values in zip(table.index, table.to_numpy(), strict=True):
        mark = f"<- best, by {swept.dataset.attrs['best_k_by']}" if k == swept.best_k else ""
        rows.append([str(k), *("-" if np.isnan(v) else f"{v:.4g}" for v in values), mark])
    return "\n".join(_align(rows, right=len(table.columns) + 1))


def _count(status: npt.NDArray[np.int8], n_profiles: int, n_levels: int) -> str:
    """Say how many profiles are complete, and why the others are left out."""
    counts = np.bincount(status.ravel(), minlength=len(STATUS))
    text = f"{n_profiles:,} profiles{f' of {n_levels} levels' if n_levels > 1 else ''}"
    reasons = ("without data", "incomplete", "invalid")
    others = [f"{n:,} {why}" for n, why in zip(counts[1:], reasons, strict=True) if n]
    return f"{text}; left out: {', '.join(others)}" if others else text


def _coordinates(data: xr.Dataset, dim: Hashable | None, seams: set[str | None]) -> list[str]:
    """List the coordinates that were found, with their units, ranges and directions."""
    try:
        axes = find_axes(data, dim)
    except ValueError as error:
        return [f"  ambiguous: {error}"]
    rows = []
    found = {"vertical": axes.vertical, "latitude": axes.latitude, "longitude": axes.longitude}
    for role, name in found.items():
        if name is None:
            rows.append([role, "none"])
            continue
        coordinate = data[name]
        about = _extent(coordinate)
        if role == "vertical":
            about += f", positive {positive(coordinate)}"
        if name in seams:
            about += ", first column repeated at the seam"
        rows.append([role, name, units(coordinate) or "no units", about])
    others = [d for d in data.dims if d not in found.values()]
    placed = {d for n in (axes.latitude, axes.longitude) if n for d in data[n].dims}
    rows += [["other", str(d), "", f"{data.sizes[d]} values"] for d in others if d not in placed]
    return _align(rows)


def _extent(coordinate: xr.DataArray) -> str:
    """Describe a coordinate: first and last value, number of values and spacing."""
    values = np.asarray(coordinate.values, dtype=np.float64)
    if values.ndim > 1:
        low, high = np.nanmin(values), np.nanmax(values)
        return f"{_short(low)} to {_short(high)} on ({', '.join(map(str, coordinate.dims))})"
    if values.size == 1:
        return f"{_short(values[0])}, 1 value"
    steps = np.diff(values)
    step = float(np.abs(np.median(steps)))
    even = step > 0 and np.allclose(np.abs(steps), step, rtol=1e-2)
    spacing = f"every {_short(step)}" if even else "unevenly spaced"
    return f"{_short(values[0])} to {_short(values[-1])}, {values.size} values {spacing}"


def _variable(array: xr.DataArray) -> list[str]:
    """Return name, dimensions, units and share of missing values of a variable."""
    dims = f"({', '.join(map(str, array.dims))})"
    if array.dtype.kind not in "fiu":
        return [str(array.name), dims, "", f"not numeric ({array.dtype})"]
    missing = float(mask_invalid(array).isnull().mean())
    share = "none" if missing == 0 else "<0.1%" if missing < 0.001 else f"{missing:.1%}"
    return [str(array.name), dims, units(array) or "no units", f"{share} missing"]


def _align(rows: Iterable[Sequence[str]], right: int = 0) -> list[str]:
    """Return rows of text in columns, the first `right` of them aligned to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i < right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _short(value: float) -> str:
    return f"{round(float(value), 4) + 0.0:g}"  # no -0
