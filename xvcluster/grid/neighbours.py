"""Which points of a map adjoin each other on the Earth, and the pieces that these make up."""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
import xarray as xr

from xvcluster.arrays import Booleans, Float64s, Indices, Integers
from xvcluster.grid.coords import Axes, find_horizontal, is_list, is_time
from xvcluster.grid.horizontal import HorizontalGrid, find_grid, own_columns, unit_vectors

_SAME_PLACE = float(np.radians(1e-4))
"""Radians, about 10 m: points of a grid, or vertices, nearer than this are one, as those that a
grid repeats are but for the rounding of float32; on fine grids it is a hundredth of a step."""

_SAME_STATION = 1e-8
"""Radians, about 6 cm: loose points nearer than this are at one place."""

_HALO = 6
"""Outer rows of a curvilinear grid among which repeated points are sought."""

_FOLD = 1.5
"""Steps across the rows: how far from each other two cells of a row are that a fold joins."""

_TOUCH = 1e-3
"""Voronoi cells whose edge is shorter than this part of the distance between their points touch in
a corner only: four points of a grid lie on one circle, but for the rounding of float32."""

_LONG = 3.0
"""Loose points farther apart than this many times their spacing do not adjoin each other."""

_FLAT = np.cos(np.radians(150.0))
"""Loose points do not adjoin each other if they see a third one nearly between them: with an angle
there of more than 150°."""

Adjacency = tuple[Indices, Indices]
"""The place of each point of a map, −1 if it has none, and pairs of places that adjoin."""


def find_neighbours(
    field: xr.DataArray,
    *,
    grid: HorizontalGrid | None = None,
    is_present: Booleans | None = None,
) -> Indices:
    """Find the points of a map that adjoin each other on the Earth.

    Parameters
    ----------
    field : DataArray
        Labels, or any other field on the horizontal dimensions of a model. Its values are not read.
    grid : HorizontalGrid, optional
        Its grid, if that is known, such as that of a file with bounds, which labels do not carry.
    is_present : ndarray of bool, shape (n,), optional
        Which points there are. Of several at one place, such as the columns at the seam of a global
        grid, the first that is present has the neighbours of the place. Default: all.

    Returns
    -------
    ndarray of int, shape (n_pairs, 2)
        Positions on the flattened field, with its dims in their own order; each pair once, both
        present. Points without a place have no neighbours.

    Raises
    ------
    ValueError
        If the field has no latitude and longitude, but more than two dimensions besides time, or
        one along which points are listed, such as ``profile`` or ``station``.

    Notes
    -----
    - Along further dimensions, such as time, points have no neighbours: each step is a map.
    - Of a grid, those points adjoin each other whose cells share an edge, across the dateline and
      the fold of tripolar grids too. Cells that touch in a corner, or at a pole, do not. Points at
      one place (at a pole, or where a grid repeats its columns or rows) adjoin the first of them.
    - Cells with vertices or bounds are neighbours if they share a part of an edge.
    - Loose points are neighbours if their Voronoi cells on the sphere share an edge, i.e. by
      Delaunay triangulation, unless there is a gap between them: they are farther apart than 3
      times the spacing at either point, which is the median distance to its neighbours, but no more
      than 3 times that of these. Where a third point lies nearly between two (at an angle of more
      than 150°), both adjoin that one only.
    - Without latitude and longitude, neighbours are those along the dimensions, besides time.

    Examples
    --------
    >>> coords = {"lat": [10.0], "lon": [0.0, 120.0, 240.0]}
    >>> find_neighbours(xr.DataArray(np.zeros((1, 3)), coords, ("lat", "lon"))).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    grid = find_grid(field) if grid is None else grid
    dims, (place, adjoining) = _along_dims(field) if grid is None else (grid.dims, _on_grid(grid))
    position = xr.DataArray(np.arange(field.size).reshape(field.shape), dims=field.dims)
    steps = position.transpose(..., *dims).values.reshape(-1, place.size)
    there = np.ones(field.size, dtype=bool) if is_present is None else is_present
    return np.concatenate([at[_join(place, adjoining, there[at])] for at in steps])


def find_pieces(is_present: Booleans, pairs: Indices) -> Integers:
    """Number the connected pieces of a map.

    Parameters
    ----------
    is_present : ndarray of bool, shape (n,)
        Points that are not present connect nothing.
    pairs : ndarray of int, shape (n_pairs, 2)
        Points that are connected.

    Returns
    -------
    ndarray of int, shape (n,)
        Number of the piece of each point, from 0 and in the order of their first points; −1 where
        a point is not present.
    """
    one, other = pairs[is_present[pairs].all(axis=1)].T
    group = connect(is_present.size, one, other)[is_present]
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    pieces = np.full(is_present.size, -1, dtype=np.int64)
    pieces[is_present] = np.argsort(np.argsort(first))[number]
    return pieces


def connect(n: int, one: Indices, other: Indices) -> Integers:
    """Number the groups of n items that the given pairs connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(one.size, bool), (one, other)), shape=(n, n))
    groups: Integers = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def each_once(pairs: Indices) -> Indices:
    """Order pairs, each from the lower to the higher, without repetition or pairs of one item."""
    low, high = np.sort(pairs.astype(np.intp), axis=1).T
    n = int(high.max(initial=0)) + 1
    keys = np.sort((low * n + high)[low != high])
    return np.column_stack(np.divmod(keys[np.diff(keys, prepend=-1) > 0], n))


def _join(place: Indices, adjoining: Indices, is_present: Booleans) -> Indices:
    """Pairs of points: the first of each place with that of the next, the others with the first."""
    points = np.flatnonzero(is_present & (place >= 0))
    first = np.full(max(place.max(initial=-1), adjoining.max(initial=-1)) + 1, -1, dtype=np.intp)
    first[place[points][::-1]] = points[::-1]
    own = first[place[points]]
    twins = np.column_stack([own, points])[own != points]
    across = first[adjoining]
    return np.concatenate([across[(across >= 0).all(axis=1)], twins])


def _along_dims(field: xr.DataArray) -> tuple[tuple[Hashable, ...], Adjacency]:
    """Neighbours along all dimensions but time; those along longitude may go around."""
    dims = tuple(d for d in field.dims if not is_time(field, d)) or field.dims
    if len(dims) > 2:
        raise ValueError(
            "which points are neighbours cannot be inferred: the data have no latitude and "
            f"longitude, but the dimensions {', '.join(repr(str(d)) for d in dims)}; assign both, "
            f"in degrees, or select one entry, e.g. data.isel({dims[0]}=0)"
        )
    lists = [str(d) for d in dims if is_list(d)]
    if lists:
        raise ValueError(
            "which points are neighbours cannot be inferred: the data have no latitude and "
            f"longitude, and {lists[0]!r} lists points in any order; assign both, in degrees, or "
            f"rename it if points that follow each other adjoin, e.g. "
            f"data.rename({lists[0]}='x')"
        )
    found = own_columns(field, Axes(None, *find_horizontal(field)), None)
    shape = tuple(field.sizes[d] for d in dims)
    place, pairs = np.arange(math.prod(shape)).reshape(shape), []
    for axis, dim in enumerate(dims):
        each, goes_around = np.arange(shape[axis]), False
        if found is not None and found[0] == dim:
            each, goes_around = found[1].order, found[1].goes_around
            place = place.take(each[found[1].number], axis)
        lines = np.moveaxis(np.arange(place.size).reshape(shape), axis, 0)[each]
        pairs += [(lines[1:], lines[:-1]), *([(lines[:1], lines[-1:])] if goes_around else [])]
    return dims, (place.ravel(), each_once(_stacked(pairs)))


def _stacked(pairs: list[tuple[Indices, Indices]]) -> Indices:
    """One array (n, 2) of pairs of arrays."""
    none = np.empty((0, 2), dtype=np.intp)
    return np.concatenate([none, *(np.stack(pair, axis=-1).reshape(-1, 2) for pair in pairs)])


def _on_grid(grid: HorizontalGrid) -> Adjacency:
    """Places of a grid's points, and those that adjoin."""
    if grid.kind != "points":
        place, adjoining = _of_rows(grid)
    else:
        vertices = _vertices(grid)
        if vertices is None:
            return _of_points(grid.vectors.reshape(-1, 3))
        place, adjoining = np.arange(len(vertices)), _of_cells(vertices)
    return np.where(grid.is_placed.ravel(), place, -1), adjoining


def _of_rows(grid: HorizontalGrid) -> Adjacency:
    """Neighbours along rows and columns."""
    columns = grid.columns
    m, n = len(grid.rows), columns.order.size
    ordered = grid.rows[:, np.newaxis] * n + np.arange(n)
    pairs = [(ordered[1:], ordered[:-1]), (ordered[:, 1:], ordered[:, :-1])]
    if columns.goes_around:
        pairs.append((ordered[:, 0], ordered[:, -1]))
    own = np.arange(m * n)
    if grid.kind == "rectilinear":
        is_pole = np.abs(grid.lat) > 90.0 - np.degrees(_SAME_PLACE)
        own[np.repeat(is_pole, n)] = np.repeat(np.flatnonzero(is_pole) * n, n)
    else:
        points = grid.vectors[:, columns.order]
        outer = np.unique(np.r_[:_HALO, m - _HALO : m].clip(0, m - 1))
        at = (outer[:, np.newaxis] * n + np.arange(n)).ravel()
        own[at] = at[_first_of_each(points[outer].reshape(-1, 3), _within(points))]
        for row, before in ((0, 1), (m - 1, m - 2)):
            one, other = _fold(points[row], points[before % m], around=columns.goes_around)
            pairs.append((row * n + one, row * n + other))
    place = np.arange(m)[:, np.newaxis] * n + columns.number
    return own[place].ravel(), each_once(own[_stacked(pairs)])


def _within(points: Float64s) -> float:
    """Distance within which points (..., n, 3) that lie in a row are the same."""
    steps = np.linalg.norm(np.diff(points, axis=-2), axis=-1)
    steps = steps[steps > 0]  # False for NaN
    return min(_SAME_PLACE, 0.01 * float(np.median(steps))) if steps.size else _SAME_PLACE


def _first_of_each(points: Float64s, within: float) -> Indices:
    """For each point (n, 3) the first one at the same place; those that are NaN are alone."""
    from scipy.spatial import cKDTree

    first = np.arange(len(points))
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not known.size:
        return first
    # points of one place lie in one bin, or in two beside each other
    bins = np.round(points[known] / within).astype(np.int64)
    _, some, inverse = np.unique(bins, axis=0, return_index=True, return_inverse=True)
    near = cKDTree(points[known[some]]).query_pairs(within, output_type="ndarray")
    group = connect(some.size, *near.T)[inverse.ravel()]
    _, at, number = np.unique(group, return_index=True, return_inverse=True)
    first[known] = known[at[number]]
    return first


def _fold(row: Float64s, before: Float64s, *, around: bool) -> tuple[Indices, Indices]:
    """Columns of an outer row (n, 3) that continue across it in other columns of the same row.

    The point beyond the row is then near one of its own, and columns are mirrored: those that
    adjoin have the same sum. (In rows around a pole, where cells meet in a point, they have the
    same difference.)
    """
    from scipy.spatial import cKDTree

    n, none = len(row), np.empty(0, dtype=np.intp)
    step = np.linalg.norm(row - before, axis=1)
    known = np.flatnonzero(step > 0)  # False for NaN
    if known.size < 3:
        return none, none
    distance, nearest = cKDTree(row[known]).query((2 * row - before)[known])
    is_beyond = distance < 0.5 * step[known]
    sums = known[is_beyond] + known[nearest[is_beyond]]
    votes = np.bincount(sums % n if around else sums, minlength=1)
    if votes.max() < 3 or votes.max() <= votes.sum() / 2:
        return none, none
    one = known
    other = votes.argmax() - one
    other = other % n if around else other
    is_inside = np.isin(other, known)
    one, other = one[is_inside], other[is_inside]
    apart = np.linalg.norm(row[one] - row[other], axis=1)
    is_near = apart <= _FOLD * np.fmax(step[one], step[other])
    return one[is_near], other[is_near]


def _vertices(grid: HorizontalGrid) -> Float64s | None:
    """Unit vectors (n, n_vertices, 3) around loose points, in order; None if there are no cells."""
    if grid.vertices is not None or grid.edges is None:
        return grid.vertices
    lat, lon = grid.edges
    return unit_vectors(lat[:, [0, 0, 1, 1]], lon[:, [0, 1, 1, 0]])


def _of_cells(vertices: Float64s) -> Indices:
    """Pairs of cells that share an edge between two vertices, or a part of one on a parallel."""
    n, size = vertices.shape[:2]
    within = _within(vertices)
    spot = _first_of_each(vertices.reshape(-1, 3), within).reshape(n, size)
    ends = np.sort(np.stack([spot, np.roll(spot, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    cell = np.repeat(np.arange(n), size)
    is_edge = ends[:, 0] != ends[:, 1]
    ends, cell = ends[is_edge], cell[is_edge]
    order = np.lexsort(ends.T)
    ends, cell = ends[order], cell[order]
    is_shared = (ends[1:] == ends[:-1]).all(axis=1)
    pairs = np.column_stack([cell[:-1], cell[1:]])[is_shared]
    alone = ~(np.append(is_shared, False) | np.append(False, is_shared))
    parts = cell[alone][_share_part(vertices.reshape(-1, 3)[ends[alone]], within)]
    return each_once(np.concatenate([pairs, parts]))


def _share_part(edges: Float64s, within: float) -> Indices:
    """Pairs of edges (n, 2, 3) along parallels or meridians that overlap, as on reduced grids."""
    x, y, z = np.moveaxis(edges, -1, 0)
    lat, lon = np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x) % (2 * np.pi)
    east = (lon[:, 1] - lon[:, 0] + np.pi) % (2 * np.pi) - np.pi
    north = lat[:, 1] - lat[:, 0]
    found = []
    for along, across, low, line in (
        (east, north, np.where(east >= 0, lon[:, 0], lon[:, 1]), lat[:, 0]),
        (north, east * np.cos(lat.mean(axis=1)), lat.min(axis=1), lon[:, 0]),
    ):
        some = np.flatnonzero((np.abs(across) <= within) & (np.abs(along) > within))
        start = 100.0 * _cluster(line[some], within) + low[some]  # lines lie far apart
        end = start + np.abs(along[some])
        # what passes 0° is there a second time, a turn to the west
        edge = np.tile(some, 2)
        cuts = _cluster(np.concatenate([start, start - 2 * np.pi, end, end - 2 * np.pi]), within)
        first, last = np.split(cuts, 2)
        count = last - first
        part = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
        owner = np.repeat(edge, count)
        order = np.argsort(part, kind="stable")
        part, owner = part[order], owner[order]
        found.append(np.column_stack([owner[:-1], owner[1:]])[part[1:] == part[:-1]])
    return np.concatenate(found)


def _cluster(values: Float64s, within: float) -> Indices:
    """Number values in ascending order; those that follow each other closely have one number."""
    order = np.argsort(values)
    number = np.empty(values.size, dtype=np.intp)
    number[order] = np.cumsum(np.diff(values[order], prepend=values[order[:1]]) > within)
    return number


def _of_points(points: Float64s) -> Adjacency:
    """Neighbours by Delaunay triangulation of loose points (n, 3) on the sphere."""
    first = _first_of_each(points, _SAME_STATION)
    is_known = np.isfinite(points).all(axis=1)
    each = np.flatnonzero(is_known & (first == np.arange(len(points))))
    pairs = each[_without_gaps(_triangulate(points[each]), points[each])]
    return np.where(is_known, first, -1), each_once(pairs)


def _triangulate(points: Float64s) -> Indices:
    """Pairs of different points (n, 3) on the sphere whose Voronoi cells share an edge."""
    from scipy.spatial import ConvexHull

    if len(points) < 4 or _is_plane(points):
        return _along_circle(points)
    hull = ConvexHull(points)
    normals = hull.equations[:, :3]  # which point to the corners of the Voronoi cells
    found = []
    for corner in range(3):
        third = points[hull.simplices[:, corner]]
        one, other = np.delete(hull.simplices, corner, axis=1).T
        sides = [points[i] - third for i in (one, other)]
        product, lengths = (sides[0] * sides[1]).sum(axis=1), np.linalg.norm(sides, axis=2)
        beside = np.linalg.norm(normals - normals[hull.neighbors[:, corner]], axis=1)
        apart = np.linalg.norm(points[one] - points[other], axis=1)
        is_between = product < _FLAT * lengths.prod(axis=0)
        found.append((one, other, beside <= _TOUCH * apart, is_between))
    one, other, is_corner, is_between = (np.concatenate(each) for each in zip(*found, strict=True))
    # facets of which the centre of the Earth lies outside are the back of a region
    is_back = np.tile(hull.equations[:, 3] >= 0, 3)
    out = each_once(np.column_stack([one, other])[is_between])
    pairs = each_once(np.column_stack([one, other])[~(is_back | is_corner)])
    n = len(points)
    kept: Indices = pairs[~np.isin(pairs @ [n, 1], out @ [n, 1])]
    return kept


def _is_plane(points: Float64s) -> bool:
    """Whether four or more points lie in a plane, and so on one circle of the sphere."""
    extents = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(extents[2] <= 1e-9 * extents[0])


def _along_circle(points: Float64s) -> Indices:
    """Pairs of points on a circle that follow each other, unless half of it lies between them."""
    if len(points) < 3:
        return np.arange(len(points) // 2 * 2).reshape(-1, 2)
    middle = points.mean(axis=0)
    one, other, normal = np.linalg.svd(points - middle, full_matrices=False)[2]
    around = points - normal * (normal @ middle)
    angle = np.arctan2(around @ one, around @ other)
    order = np.argsort(angle)
    gap = np.diff(angle[order], append=angle[order[:1]] + 2 * np.pi)
    found: Indices = np.column_stack([order, np.roll(order, -1)])[gap < np.pi]
    return found


def _without_gaps(pairs: Indices, points: Float64s) -> Indices:
    """Leave out pairs of points that are farther apart than others in their surroundings."""
    one, other = pairs.T
    length, at = np.linalg.norm(points[one] - points[other], axis=1), np.append(one, other)
    median = _medians(at, np.tile(length, 2), len(points))
    around = _medians(at, median[np.append(other, one)], len(points))
    spacing = np.fmin(median, _LONG * around)  # that of a lone point is the distance to the others
    near: Indices = pairs[length <= _LONG * np.fmax(spacing[one], spacing[other])]
    return near


def _medians(group: Indices, values: Float64s, n: int) -> Float64s:
    """Median of the values in each of n groups; NaN in those that have none."""
    ordered = np.append(values[np.lexsort([values, group])], np.nan)
    count = np.bincount(group, minlength=n)
    start = np.cumsum(count) - count
    low, high = (ordered[start + i] for i in ((count - 1).clip(0) // 2, count // 2))
    return np.where(count > 0, (low + high) / 2, np.nan)
