"""Descriptions of files and results, as text."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.grid.coords import find_axes, find_horizontal, positive, units
from xvcluster.grid.missing import mask_invalid
from xvcluster.messages import plain
from xvcluster.profiles import STATUS, collect, lay_out
from xvcluster.record.method import quality_of
from xvcluster.record.table import HEADS
from xvcluster.regroup.clean import describe_cleanings
from xvcluster.result import ClusterResult, SweepResult

_MAX_ROWS = 40
_MOST_READ = 20_000_000
"""Values that a description reads at most, to count those that are missing."""


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
        The numeric variables with latitude, longitude and a vertical; if there are none, those
        whose vertical is not clear, otherwise those without a vertical; those with the most
        dimensions if the file has no latitude and longitude.
    """
    numeric = [n for n, a in dataset.data_vars.items() if not find_obstacle(a)]
    found: dict[str, list[str]] = {"profiles": [], "unclear": [], "maps": []}
    for name in numeric:
        kind = _find_kind(dataset[[name]], dim)
        if kind:
            found[kind].append(str(name))
    most = max((dataset[n].ndim for n in numeric), default=0)
    others = [str(n) for n in numeric if dataset[n].ndim == most]
    return next(filter(None, found.values()), others)


def _find_kind(data: xr.Dataset, dim: Hashable | None) -> str:
    """Tell whether a variable holds profiles or a map; empty if its place is not known."""
    try:
        axes = find_axes(data, dim if dim in data.dims else None)
    except ValueError:
        with contextlib.suppress(ValueError):
            return "unclear" if all(find_horizontal(data)) else ""
        return "unclear"
    if not (axes.latitude and axes.longitude):
        return ""
    return "profiles" if axes.vertical else "maps"


def find_obstacle(array: xr.DataArray) -> str:
    """Say why a variable cannot be clustered, whatever the grid; empty if it may be."""
    if array.dtype.kind not in "fiu":
        return f"not numeric ({plain(array.dtype)})"
    twice = [d for d, n in Counter(array.dims).items() if n > 1]
    if twice:
        return f"lies twice along {plain(twice[0])}"
    empty = [d for d, n in array.sizes.items() if n == 0]
    if empty:
        return f"empty: no values along {plain(empty[0])}"
    return "" if array.ndim else "a single value"


def describe_file(
    dataset: xr.Dataset,
    names: Sequence[str],
    few: set[Hashable],
    dim: Hashable | None = None,
    inner: Sequence[str] = (),
) -> str:
    """Describe a file's coordinates and variables, and what can be clustered.

    Parameters
    ----------
    dataset : Dataset
        The whole file, with auxiliary variables as coordinates.
    names : sequence of str
        Variables to be clustered together. If empty, each of `find_models` by itself.
    few : set
        Variables whose missing values are counted; no others are read.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.
    inner : sequence of str
        Groups of the file, which are not read.

    Returns
    -------
    str
        Several lines.
    """
    sets = [list(names)] if names else [[n] for n in find_models(dataset, dim)]
    clusterable, seams = [], set[str | None]()
    for together in sets:
        try:
            said = _count_profiles(dataset[together], dim, seams, read=few.issuperset(together))
        except (TypeError, ValueError) as error:
            said = f"nothing: {plain(error, 500)}"
        clusterable.append([", ".join(map(plain, together)), said])
    lines = [f"{n:<12}{plain(dataset.attrs[n])}" for n in ("title", "id") if n in dataset.attrs]
    for title, first in _grids(dataset, sets, dim).items():
        lines += ["", title, *_coordinates(dataset[first], dim, seams)]
    rows = [_variable(a, read=n in few) for n, a in dataset.data_vars.items()]
    lines += ["", "Variables", *_align(rows)]
    lines += ["", "kmeans would cluster", *(_align(clusterable) or ["  nothing: no numeric grid"])]
    if any("incomplete" in text for _, text in clusterable):
        lines.append("--depth selects levels that more profiles cover; --max-gap fills small gaps.")
    if len(sets) > 1:
        lines.append("--variable selects one, or several to cluster together.")
    others = [] if names else _explain_others(dataset, {n for one in sets for n in one}, dim)
    if others:
        lines += ["", "Only if --variable names it", *_align(others)]
    if inner:
        lines += ["", "Groups, which are not read", *(f"  {plain(group)}" for group in inner)]
        lines.append(how_to_read_group(inner[0]))
    return "\n".join(lines).lstrip("\n")


def _explain_others(dataset: xr.Dataset, chosen: set[str], dim: Hashable | None) -> list[list[str]]:
    """Say why other variables of numbers are not clustered unless they are asked for."""
    reasons = {
        "maps": "no vertical",
        "": "no latitude and longitude",
        "unclear": "unclear vertical",
    }
    return [
        [plain(n), reasons[_find_kind(dataset[[n]], dim)]]
        for n, array in dataset.data_vars.items()
        if n not in chosen and not find_obstacle(array)
    ]


def how_to_read_group(group: str) -> str:
    """Say how to cluster what lies in a group of a file."""
    return (
        f"Write one to a file of its own, xarray.open_dataset(file, group={plain(group)!r})"
        ".to_netcdf('model.nc'), and name that file."
    )


def choose_few(dataset: xr.Dataset) -> set[Hashable]:
    """Choose the variables whose values are read, in the order of the file, within bounds."""
    few, n_read = set[Hashable](), 0
    for name, array in dataset.data_vars.items():
        if not find_obstacle(array) and n_read + array.size <= _MOST_READ:
            few.add(name)
            n_read += array.size
    return few


def _count_profiles(
    data: xr.Dataset, dim: Hashable | None, seams: set[str | None], *, read: bool
) -> str:
    """Say how many profiles there are, and note the longitude of a grid with a repeated seam."""
    layout = lay_out(data, dim)
    grid = layout.grid
    if any(grid.take[d].size < grid.restore[d].size for d in grid.dims):
        seams.add(layout.axes.longitude)
    if read:
        profiles = collect(data, dim)
        return _count(profiles.status, *profiles.values.shape[:2])
    n_profiles = int(np.prod(grid.shape))
    return f"{_amount(n_profiles, layout.levels.size)}; too many values to count what is missing"


def _grids(
    dataset: xr.Dataset, sets: Sequence[list[str]], dim: Hashable | None
) -> dict[str, list[str]]:
    """Find the sets of variables that lie on coordinates of their own, by the title of these."""
    titles: dict[str, list[str]] = {}
    known: list[object] = []
    for together in sets:
        try:
            axes: object = find_axes(dataset[together], dim), set(dataset[together].dims)
        except ValueError:
            axes = set(dataset[together].dims)
        if axes not in known:
            known.append(axes)
            of = f" of {', '.join(map(plain, together))}" if titles else ""
            titles[f"Coordinates{of}"] = together
    return titles


def describe_result(result: ClusterResult) -> str:
    """Describe a result: the number of profiles, which k and why, and one row per cluster."""
    dataset, parameters = result.dataset, result.parameters
    names = plain(", ".join(parameters["variables"]))
    n_levels = dataset.sizes.get(parameters["vertical"], 1)
    n_profiles = int(dataset["count"].sum())
    lines = [f"{names}: {_count(dataset['status'].values, n_profiles, n_levels)}"]
    by = "the lowest BIC" if "sweep_bic" in dataset else ""
    if result.sweep is not None:
        by = plain(result.sweep.dataset.attrs["best_k_by"])
    if by:
        k = dataset["k"].values
        lines.append(f"{result.n_clusters} clusters, by {by} over k = {k[0]} to {k[-1]}")
    quality = quality_of(dataset)
    lines += [quality] if quality else []
    lines += describe_cleanings(dataset)
    return "\n".join([*lines, "", cluster_table(result)])


def cluster_table(result: ClusterResult) -> str:
    """Return a table with one row per cluster; of very many, the first and the last."""
    spelled = {"cluster": ("cluster", "{:.0f}"), "name": ("name", "{}")}
    spelled |= {name: (head.replace("²", "2"), form) for name, (head, form) in HEADS.items()}
    table = result.table().reset_index()
    columns = [
        [title, *table[name].map(form.format).where(table[name].notna(), "-")]
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
    text = _amount(n_profiles, n_levels)
    reasons = ("without data", "incomplete", "invalid")
    others = [f"{n:,} {why}" for n, why in zip(counts[1:], reasons, strict=True) if n]
    return f"{text}; left out: {', '.join(others)}" if others else text


def _amount(n_profiles: int, n_levels: int) -> str:
    return f"{n_profiles:,} profiles{f' of {n_levels} levels' if n_levels > 1 else ''}"


def _coordinates(data: xr.Dataset, dim: Hashable | None, seams: set[str | None]) -> list[str]:
    """List the coordinates that were found, with their units, ranges and directions."""
    try:
        axes = find_axes(data, dim)
    except ValueError as error:
        return [f"  ambiguous: {plain(error, 500)}"]
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
        rows.append([role, plain(name), plain(units(coordinate)) or "no units", about])
    others = [d for d in data.dims if d not in found.values()]
    placed = {d for n in (axes.latitude, axes.longitude) if n for d in data[n].dims}
    rows += [["other", plain(d), "", _extent(data[d])] for d in others if d not in placed]
    return _align(rows)


def _extent(coordinate: xr.DataArray) -> str:
    """Describe a coordinate: first and last value, number of values and spacing."""
    first, last = coordinate.values.flat[0], coordinate.values.flat[-1]
    if coordinate.ndim == 1 and coordinate.name not in coordinate.coords:
        return f"{coordinate.size} value{'s' if coordinate.size > 1 else ''}"
    if coordinate.dtype.kind not in "fiu":
        if coordinate.size == 1:
            return f"{spell_moment(first)}, 1 value"
        return f"{spell_moment(first)} to {spell_moment(last)}, {coordinate.size} values"
    values = np.asarray(coordinate.values, dtype=np.float64)
    if values.ndim > 1:
        known = values[np.isfinite(values)]
        low, high = (known.min(), known.max()) if known.size else (np.nan, np.nan)
        shape = " × ".join(map(str, values.shape))
        on = ", ".join(map(plain, coordinate.dims))
        return f"{_short(low)} to {_short(high)} on ({on}), {shape} values"
    if values.size == 1:
        return f"{_short(values[0])}, 1 value"
    steps = np.diff(values)
    step = float(np.abs(np.median(steps)))
    even = step > 0 and np.allclose(np.abs(steps), step, rtol=1e-2)
    spacing = f"every {_short(step)}" if even else "unevenly spaced"
    return f"{_short(values[0])} to {_short(values[-1])}, {values.size} values {spacing}"


def spell_moment(value: object) -> str:
    """Spell an entry of a coordinate as a user would write it: a date without a time of 0."""
    return re.sub(r"([T ]00:00:00)?(\.0+)?$", "", plain(value, 40))


def _variable(array: xr.DataArray, *, read: bool) -> list[str]:
    """Return name, dimensions, units and share of missing values of a variable."""
    dims = f"({', '.join(map(plain, array.dims))})"
    obstacle = find_obstacle(array)
    unit = "" if array.dtype.kind not in "fiu" else plain(units(array)) or "no units"
    said = obstacle or (_share_missing(array) if read else "missing values not counted")
    return [plain(array.name), dims, unit, said]


def _share_missing(array: xr.DataArray) -> str:
    try:
        missing = float(mask_invalid(array).isnull().mean())
    except ValueError as error:  # of infinities
        return plain(error)
    share = "none" if missing == 0 else "<0.1%" if missing < 0.001 else f"{missing:.1%}"
    return f"{share} missing"


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
