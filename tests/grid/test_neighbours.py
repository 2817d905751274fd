"""Neighbours on every kind of grid, against brute force and known counts."""

import itertools

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.horizontal import find_grid, unit_vectors
from xvcluster.grid.neighbours import connect, find_neighbours, find_pieces


def rectilinear(lat, lon):
    coords = {"latitude": np.asarray(lat, float), "longitude": np.asarray(lon, float)}
    return xr.DataArray(np.zeros((len(lat), len(lon))), coords, ("latitude", "longitude"))


def curvilinear(lat, lon):
    coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
    return xr.DataArray(np.zeros(lat.shape), coords, ("y", "x"))


def loose(lat, lon):
    coords = {"lat": ("cast", np.asarray(lat, float)), "lon": ("cast", np.asarray(lon, float))}
    return xr.DataArray(np.zeros(len(lat)), coords, ("cast",))


def rotated(n_y, n_x, step, lat_0=33.0, lon_0=12.0):
    """2-D latitude and longitude of a regular grid whose centre is moved to a place."""
    phi, lam = np.meshgrid(
        np.radians(step * (np.arange(n_y) - (n_y - 1) / 2)),
        np.radians(step * (np.arange(n_x) - (n_x - 1) / 2)),
        indexing="ij",
    )
    x, y, z = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)
    turn = np.radians(lat_0)
    x, z = x * np.cos(turn) - z * np.sin(turn), x * np.sin(turn) + z * np.cos(turn)
    lon = np.degrees(np.arctan2(y, x)) + lon_0
    return np.degrees(np.arcsin(z)), (lon + 180) % 360 - 180


def tripolar(n=36, n_cap=6, *, pivot):
    """A bipolar cap north of 65° (Murray 1996), joined to rows of a regular grid south of it.

    Its last row lies half a step before the line between the two northern poles; with `pivot` on
    it, so that each point is there twice. In both, column i continues in column n − 1 − i.
    """
    half = n // 2
    along = 90 - (np.arange(half) + 0.5) * 180 / half
    along = np.radians(np.append(along, along[::-1]))
    share = np.arange(1, n_cap + 1) / n_cap if pivot else (np.arange(n_cap) + 0.5) / n_cap
    turn = np.radians(np.multiply.outer(90 - 90 * share, np.repeat([1, -1], half)))
    x, y, z = np.sin(along) + 0 * turn, np.cos(along) * np.sin(turn), np.cos(along) * np.cos(turn)
    colatitude = 2 * np.arctan(np.hypot(x, y) / (1 + z) * np.tan(np.radians(25 / 2)))
    south = np.meshgrid(np.arange(-70.0, 65, 5), (np.arange(n) + 0.5) * 360 / n, indexing="ij")
    lat = np.concatenate([south[0], 90 - np.degrees(colatitude)])
    return lat, (np.concatenate([south[1], np.degrees(np.arctan2(y, x))]) + 180) % 360 - 180


def each(pairs):
    """The pairs as a set; each must be there once."""
    found = {tuple(sorted(pair)) for pair in pairs.tolist()}
    assert len(found) == len(pairs)
    assert all(i < j for i, j in found)
    return found


def shared_by_boxes(first, second):
    """Whether two boxes (south, north, west, east) have a stretch of an edge in common."""
    s, n = max(first[0], second[0]), min(first[1], second[1])
    for turn in (-360, 0, 360):
        w, e = max(first[2], second[2] + turn), min(first[3], second[3] + turn)
        if (n - s > 1e-6 and abs(e - w) < 1e-6) or (abs(n - s) < 1e-6 and e - w > 1e-6):
            return True
    return False


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ([0, 10, 20], [5, 6, 7, 8]),
        ([20, 0, 10], [8, 5, 7, 6]),
        ([-60, 0, 60], np.arange(0.0, 360, 20)),
        ([60, 0], (np.arange(0.0, 360, 20) + 180) % 360),
        ([0, 1], [0, 180]),
        ([0, 1], [0, 120, 240]),
        ([5], [1, 2, 3]),
        ([89.5, 88.5], np.arange(0.0, 360, 30)),
    ],
)
def test_neighbours_of_a_rectilinear_grid_are_the_cells_that_share_an_edge(lat, lon):
    found = find_grid(rectilinear(lat, lon))
    rows, columns = found.edges
    boxes = [(*row, *column) for row in rows for column in columns]
    pairs = itertools.combinations(range(len(boxes)), 2)
    expected = {pair for pair in pairs if shared_by_boxes(*(boxes[i] for i in pair))}
    neighbours = find_neighbours(rectilinear(lat, lon))
    assert each(neighbours) == expected
    assert len(neighbours) == len(expected)


@pytest.mark.parametrize(("n_x", "repeats"), [(24, 0), (24, 1), (20, 0)])
def test_neighbours_of_a_curvilinear_grid_are_the_cells_that_share_two_corners(n_x, repeats):
    lat, lon = rotated(6, n_x, 15.0)
    found = find_grid(curvilinear(lat, lon))
    corners = found.corners.round(9)
    cells = [
        {tuple(corners[r + i, c + j] + 0.0) for i in (0, 1) for j in (0, 1)}
        for r in range(6)
        for c in range(n_x)
    ]
    pairs = itertools.combinations(range(len(cells)), 2)
    expected = {pair for pair in pairs if len(cells[pair[0]] & cells[pair[1]]) == 2}
    if repeats:
        lat, lon = (np.concatenate([a, a[:, :1]], axis=1) for a in (lat, lon))
        place = np.arange(6 * (n_x + 1)).reshape(6, -1)[:, :-1].ravel()
        expected = {(place[i], place[j]) for i, j in expected}
        expected |= {(r * (n_x + 1), r * (n_x + 1) + n_x) for r in range(6)}
    neighbours = find_neighbours(curvilinear(lat, lon))
    assert each(neighbours) == expected
    assert len(neighbours) == len(expected)


def test_neighbours_across_a_repeated_seam_are_those_without_it():
    lon = np.arange(0.0, 361, 60)
    found = find_neighbours(rectilinear([0, 10], lon))
    without = find_neighbours(rectilinear([0, 10], lon[:-1]))
    number = np.arange(14).reshape(2, 7)[:, :-1].ravel()
    expected = {tuple(sorted(number[pair])) for pair in without} | {(0, 6), (7, 13)}
    assert each(found) == expected


def test_neighbours_leave_out_points_without_a_place():
    lat, lon = rotated(3, 4, 1.0)
    complete = find_neighbours(curvilinear(lat, lon))
    lat[1, 1] = np.nan
    found = find_neighbours(curvilinear(lat, lon))
    assert each(found) == {pair for pair in each(complete) if 5 not in pair}


def test_neighbours_of_radians_are_those_of_degrees():
    lat, lon = rotated(12, 24, 15.0)
    found = curvilinear(np.radians(lat), np.radians(lon)).rename(lat="clat", lon="clon")
    expected = find_neighbours(curvilinear(lat, lon))
    np.testing.assert_array_equal(find_neighbours(found), expected)


@pytest.mark.parametrize("seam", [False, True])
@pytest.mark.parametrize("west", [0.0, -180.0])
@pytest.mark.parametrize(("down", "back"), [*itertools.product([False, True], repeat=2)])
def test_neighbours_of_a_global_grid_in_any_order_of_its_axes(down, back, west, seam):
    lat, lon = np.arange(-89.0, 90, 2), west + np.arange(0.0, 360 + 2 * seam, 2)
    field = rectilinear(lat[::-1] if down else lat, lon[::-1] if back else lon)
    for array in (field, field.transpose()):
        pairs = find_neighbours(array)
        assert len(each(pairs)) == 90 * 180 + 89 * 180 + 90 * seam
        row, column = (
            array[name].broadcast_like(array).values.ravel()[pairs]
            for name in ("latitude", "longitude")
        )
        steps = {
            (abs(a), min(b % 360, -b % 360))
            for a, b in zip(np.diff(row).ravel(), np.diff(column).ravel(), strict=True)
        }
        assert steps == {(2.0, 0.0), (0.0, 2.0)} | ({(0.0, 0.0)} if seam else set())


def test_a_row_at_a_pole_is_one_place():
    lon = np.arange(0.0, 360, 10)
    field = rectilinear(np.arange(-90.0, 91, 10), lon)
    pairs = find_neighbours(field)
    # 17 rows of 36; each pole with the row beside it, and with its own other 35 points
    assert len(each(pairs)) == 17 * 36 + 16 * 36 + 2 * (36 + 35)
    at_pole = (np.abs(field["latitude"]) == 90).broadcast_like(field).values.ravel()
    assert find_pieces(at_pole, pairs).max() == 1
    opposite = np.zeros(field.shape, dtype=bool)
    opposite[1:, [3, 21]] = True
    for rows, n_pieces in ((19, 1), (18, 2)):
        is_present = opposite & (np.arange(19) < rows)[:, None]
        pairs = find_neighbours(field, is_present=is_present.ravel())
        assert find_pieces(is_present.ravel(), pairs).max() + 1 == n_pieces


def test_a_row_of_a_curvilinear_grid_that_is_a_point_is_one_place():
    lat, lon = np.meshgrid([75.0, 80, 85, 90], np.arange(0.0, 360, 10), indexing="ij")
    lat[:-1] += 0.1 * np.sin(np.radians(lon[:-1]))
    field = curvilinear(lat, lon)
    assert find_grid(field).kind == "curvilinear"
    assert len(each(find_neighbours(field))) == 3 * 36 + 2 * 36 + 36 + 35


def test_cells_that_meet_at_a_pole_in_a_point_are_no_neighbours():
    lat, lon = np.meshgrid(np.arange(60.0, 90) + 0.5, np.arange(0.5, 360), indexing="ij")
    expected = each(find_neighbours(rectilinear(lat[:, 0], lon[0])))
    assert len(expected) == 30 * 360 + 29 * 360
    assert each(find_neighbours(curvilinear(lat, lon))) == expected


@pytest.mark.parametrize("overlap", [0, 2])
@pytest.mark.parametrize(("pivot", "halo"), [(False, 0), (False, 1), (True, 0), (True, 1)])
def test_neighbours_across_the_fold_of_a_tripolar_grid(pivot, halo, overlap):
    lat, lon = tripolar(pivot=pivot)
    m, n = lat.shape
    twin = m - 1 - pivot  # the row that a halo repeats, from east to west
    rows = [*range(m), *[twin] * halo]
    lat, lon = (np.concatenate([a, *[a[[twin], ::-1]] * halo]) for a in (lat, lon))
    lat, lon = (np.concatenate([a, a[:, :overlap]], axis=1).astype("f4") for a in (lat, lon))
    # the place of each point, as (row, column) of the grid without its repetitions
    place = np.array([[(r, c % n) for c in range(n + overlap)] for r in rows])
    if halo:
        place[-1, :, 1] = n - 1 - place[-1, :, 1]
    if pivot:
        place[m - 1, :, 1] = np.minimum(place[m - 1, :, 1], n - 1 - place[m - 1, :, 1])
    number = (place @ [n, 1]).ravel()
    expected = {(r * n + c, r * n + (c + 1) % n) for r in range(m - pivot) for c in range(n)}
    expected |= {(r * n + c, r * n + n + c) for r in range(m - 1 - pivot) for c in range(n)}
    if pivot:  # the last row is there once, and has both sides as neighbours
        last = (m - 1) * n
        expected |= {(last - n + c, last + min(c, n - 1 - c)) for c in range(n)}
        expected |= {(last + c, last + c + 1) for c in range(n // 2 - 1)}
    else:
        expected |= {((m - 1) * n + c, m * n - 1 - c) for c in range(n // 2)}
    expected = {tuple(sorted(pair)) for pair in expected}
    assert len(expected) == (2338 - 17 if pivot else 2356)
    for turn in (False, True):
        field = curvilinear(lat, lon).isel(y=slice(None, None, -1 if turn else 1))
        at = number.reshape(lat.shape)[:: -1 if turn else 1].ravel()
        pairs = find_neighbours(field)
        found = {tuple(sorted(pair)) for pair in at[pairs].tolist()}
        assert {pair for pair in found if pair[0] != pair[1]} == expected
        # those at one place hang together
        is_twin = at[pairs[:, 0]] == at[pairs[:, 1]]
        groups = connect(at.size, *pairs[is_twin].T)
        assert np.unique(groups).size == np.unique(at).size


def test_a_tripolar_grid_that_is_cut_out_keeps_its_fold():
    lat, lon = tripolar(pivot=False)
    field = curvilinear(lat, lon).isel(y=slice(-6, None))
    assert len(find_neighbours(field)) == 6 * 36 + 5 * 36 + 16
    half = field.isel(x=slice(4, 34))  # columns 4 to 31 are there on both sides of the fold
    assert len(find_neighbours(half)) == 6 * 29 + 5 * 30 + 13


def test_a_stereographic_grid_over_the_pole_has_neighbours_along_its_axes_only():
    x, y = np.meshgrid(np.arange(-20, 21) * 0.02, np.arange(-15, 16) * 0.02)
    lat, lon = 90 - 2 * np.degrees(np.arctan(np.hypot(x, y) / 2)), np.degrees(np.arctan2(y, x))
    expected = each(find_neighbours(xr.DataArray(np.zeros(x.shape), dims=("y", "x"))))
    assert len(expected) == 31 * 40 + 30 * 41
    assert each(find_neighbours(curvilinear(lat, lon))) == expected


def with_bounds(lat, lon, lat_bounds, lon_bounds):
    return xr.Dataset(
        {"vs": ("cell", np.zeros(len(lat)))},
        {
            "lat": ("cell", lat, {"bounds": "lat_bnds"}),
            "lon": ("cell", lon, {"bounds": "lon_bnds"}),
            "lat_bnds": (("cell", "vertex"), lat_bounds),
            "lon_bnds": (("cell", "vertex"), lon_bounds),
        },
    )


def neighbours_of_cells(data):
    return each(find_neighbours(data["vs"], grid=find_grid(data)))


def icosahedron():
    """Vertices (12, 3) on the unit sphere, and faces (20, 3)."""
    ratio = (1 + 5**0.5) / 2
    corners = np.array([(0.0, a, b * ratio) for a in (1, -1) for b in (1, -1)])
    corners = np.concatenate([np.roll(corners, i, axis=1) for i in range(3)])
    corners /= np.linalg.norm(corners[0])
    apart = np.linalg.norm(corners[:, None] - corners, axis=2)
    is_side = (apart > 0) & (apart < 1.1)
    triples = itertools.combinations(range(12), 3)
    faces = [t for t in triples if all(is_side[i, j] for i, j in itertools.combinations(t, 2))]
    return corners, np.array(faces)


def refined(corners, faces, n):
    """Split each face in four, n times; corners of different faces are computed on their own."""
    triangles = corners[faces]
    for _ in range(n):
        a, b, c = np.moveaxis(triangles, 1, 0)
        ab, bc, ca = a + b, b + c, c + a
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        triangles = np.concatenate([np.stack(part, axis=1) for part in parts])
        triangles /= np.linalg.norm(triangles, axis=2, keepdims=True)
    return triangles


def degrees(points):
    x, y, z = np.moveaxis(points, -1, 0)
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


@pytest.mark.parametrize("padded", [False, True])
def test_cells_with_vertices_adjoin_those_with_which_they_share_two(padded):
    triangles = refined(*icosahedron(), 2)
    centres, vertices = degrees(triangles.mean(axis=1)), degrees(triangles)
    vertices = [v.astype("f4") for v in vertices]
    vertices[1][::2] += 360
    if padded:  # with NaN, or by the last vertex again
        vertices = [np.concatenate([v, v[:, -1:], v[:, -1:]], axis=1) for v in vertices]
        for v in vertices:
            v[::3, 3:] = np.nan
    found = neighbours_of_cells(with_bounds(*centres, *vertices))
    assert len(found) == 320 * 3 / 2
    corners = [{tuple(v) for v in t.round(6) + 0.0} for t in triangles]
    pairs = itertools.combinations(range(320), 2)
    assert found == {(i, j) for i, j in pairs if len(corners[i] & corners[j]) == 2}


def test_vertices_in_radians_are_those_in_degrees():
    triangles = refined(*icosahedron(), 1)
    centres, vertices = degrees(triangles.mean(axis=1)), degrees(triangles)
    found = with_bounds(*(np.radians(a) for a in (*centres, *vertices)))
    for name in ("lat", "lon"):
        found[name].attrs["units"] = "radian"
    assert neighbours_of_cells(found) == neighbours_of_cells(with_bounds(*centres, *vertices))


def test_cells_of_a_mesh_with_a_hole_do_not_adjoin_across_it():
    triangles = refined(*icosahedron(), 2)
    kept = np.delete(np.arange(320), np.arange(40, 44))
    whole = with_bounds(*degrees(triangles.mean(axis=1)), *degrees(triangles))
    number = {old: new for new, old in enumerate(kept)}
    expected = {(i, j) for i, j in neighbours_of_cells(whole) if i in number and j in number}
    found = neighbours_of_cells(whole.isel(cell=kept))
    assert found == {(number[i], number[j]) for i, j in expected}


@pytest.mark.parametrize("as_vertices", [False, True])
@pytest.mark.parametrize("turn", [0.0, 13.0, 180.0])
def test_cells_of_a_reduced_grid_adjoin_those_with_which_they_share_part_of_an_edge(
    as_vertices, turn
):
    bands = [(-90, -60, 4), (-60, -30, 8), (-30, 0, 12), (0, 30, 12), (30, 60, 7), (60, 90, 4)]
    boxes = np.array(
        [(s, n, i * 360 / k, (i + 1) * 360 / k) for s, n, k in bands for i in range(k)]
    )
    pairs = itertools.combinations(range(len(boxes)), 2)
    at_pole = {(i, j) for i, j in itertools.combinations(range(len(boxes)), 2) if j < 4 or i >= 43}
    expected = {(i, j) for i, j in pairs if shared_by_boxes(boxes[i], boxes[j])}
    assert expected & at_pole == {
        (0, 1),
        (0, 3),
        (1, 2),
        (2, 3),
        (43, 44),
        (43, 46),
        (44, 45),
        (45, 46),
    }
    lat, lon = boxes[:, :2], boxes[:, 2:] + turn
    centres = lat.mean(axis=1), (lon.mean(axis=1) + 180) % 360 - 180
    if as_vertices:
        lat, lon = lat[:, [0, 0, 1, 1]], ((lon[:, [0, 1, 1, 0]] + 180) % 360 - 180).astype("f4")
    assert neighbours_of_cells(with_bounds(*centres, lat, lon)) == expected


def test_icosahedral_points_have_five_or_six_neighbours():
    points = np.unique(refined(*icosahedron(), 3).reshape(-1, 3).round(9), axis=0)
    assert len(points) == 642
    pairs = find_neighbours(loose(*degrees(points)))
    count = np.bincount(np.concatenate([pairs.ravel()]))
    assert len(each(pairs)) == 3 * 642 - 6
    assert np.bincount(count).tolist() == [0, 0, 0, 0, 0, 12, 630]


def empty_caps(points):
    """All triples of points with a cap around them that holds no other, and its centre."""
    for triple in itertools.combinations(range(len(points)), 3):
        a, b, c = points[list(triple)]
        axis = np.cross(b - a, c - a)
        for centre in (axis, -axis) / np.linalg.norm(axis):
            if (points @ centre <= centre @ a + 1e-12).all():
                yield triple, centre, centre @ a > 0


def delaunay(points):
    """Pairs by the definition, and by the rules of corners, of points in between and of gaps."""
    pairs, hidden, centres = set(), set(), {}
    for triple, centre, is_front in empty_caps(points):
        for one, other in itertools.combinations(triple, 2):
            (third,) = {*triple} - {one, other}
            sides = points[[one, other]] - points[third]
            cosine = sides[0] @ sides[1] / np.prod(np.linalg.norm(sides, axis=1))
            pairs |= {(one, other)} if is_front else set()
            hidden |= {(one, other)} if cosine < np.cos(np.radians(150)) else set()
            centres.setdefault((one, other), []).append(centre)
    pairs -= hidden
    for pair in [*pairs]:
        first, last = centres[pair]
        apart = np.linalg.norm(np.diff(points[list(pair)], axis=0))
        pairs -= {pair} if np.linalg.norm(first - last) < 0.001 * apart else set()
    length = {p: np.linalg.norm(points[p[0]] - points[p[1]]) for p in pairs}
    spacing = [np.median([v for p, v in length.items() if i in p]) for i in range(len(points))]
    around = [np.median([spacing[sum(p) - i] for p in pairs if i in p]) for i in range(len(points))]
    limit = 3 * np.minimum(spacing, 3 * np.array(around))
    return {p for p in pairs if length[p] <= max(limit[p[0]], limit[p[1]])}


@pytest.mark.parametrize("region", ["globe", "region", "dateline", "pole", "two"])
def test_neighbours_of_random_points_are_those_of_spherical_delaunay(region):
    rng = np.random.default_rng(3)
    lat, lon = {
        "globe": (np.degrees(np.arcsin(rng.uniform(-1, 1, 45))), rng.uniform(-180, 180, 45)),
        "region": (rng.uniform(40, 45, 45), rng.uniform(-1, 4, 45)),
        "dateline": (rng.uniform(-2, 2, 45), (rng.uniform(178, 182, 45) + 180) % 360 - 180),
        "pole": (rng.uniform(70, 90, 45), rng.uniform(0, 360, 45)),
        "two": (rng.uniform(40, 42, 45), np.repeat([0.0, 30, 60], 15) + rng.uniform(0, 2, 45)),
    }[region]
    pairs = find_neighbours(loose(lat, lon))
    assert each(pairs) == delaunay(unit_vectors(lat, lon))
    pieces = find_pieces(np.ones(45, bool), pairs)
    expected = np.repeat([0, 1, 2], 15) if region == "two" else 0
    np.testing.assert_array_equal(pieces, expected)


@pytest.mark.parametrize("step", [2.0, 0.1, 1e-4])
def test_neighbours_of_a_stacked_grid_are_those_of_the_grid(step):
    lat = np.arange(-89, 90, 2.0) if step == 2 else 45 + step * np.arange(12)
    lon = np.arange(0, 360, 2.0) if step == 2 else 175 + step * np.arange(50)
    field = rectilinear(lat, lon)
    stacked = field.stack(point=field.dims).reset_index("point")
    assert each(find_neighbours(stacked)) == each(find_neighbours(field))


def test_a_lone_point_far_from_a_network_is_an_island():
    lat, lon = np.meshgrid(np.arange(30.0, 40), np.arange(0.0, 10), indexing="ij")
    for distance, n_pieces in ((2, 1), (12, 2)):
        field = loose(np.append(lat, 35.2), np.append(lon, 9 + distance))
        assert find_pieces(np.ones(101, bool), find_neighbours(field)).max() + 1 == n_pieces


def test_neighbours_of_few_points_and_of_those_on_one_line():
    n = np.arange(6.0)
    lines = {
        "parallel": (0 * n + 60, n),
        "meridian": (n, 0 * n + 10),
        "over the pole": (np.array([88, 89, 90, 89, 88, 87]), np.array([0, 0, 0, 180, 180, 180])),
        "rhumb": (40 + n, 10 + 2 * n),
        "ship": (40 + n, 10 + 0.1 * (n % 2)),
    }
    for lat, lon in lines.values():
        for size in range(1, 7):
            found = each(find_neighbours(loose(lat[:size], lon[:size])))
            assert found == {(i, i + 1) for i in range(size - 1)}
    ring = find_neighbours(loose(np.full(8, 60.0), np.arange(8) * 45))
    assert each(ring) == {*((i, i + 1) for i in range(7)), (0, 7)}
    triangle = find_neighbours(loose([0, 1, 0], [0, 0, 1]))
    assert each(triangle) == {(0, 1), (0, 2), (1, 2)}
    unknown = find_neighbours(loose([np.nan, 1, np.nan, 2], [0, 0, 1, 0]))
    assert each(unknown) == {(1, 3)}
    assert find_neighbours(loose([np.nan], [np.nan])).shape == (0, 2)


def test_several_points_at_one_place_adjoin_the_first_that_is_present():
    lat, lon = [10.0, 10, 10, 11, 12, 12], [370.0, 10, 10, 10, 10, -350]
    field = loose(lat, lon)
    assert each(find_neighbours(field)) == {(0, 1), (0, 2), (0, 3), (3, 4), (4, 5)}
    is_present = np.array([False, True, True, True, False, True])
    found = find_neighbours(field, is_present=is_present)
    assert each(found) == {(1, 2), (1, 3), (3, 5)}


def test_a_seam_whose_first_column_is_missing_has_the_neighbours_of_its_twin():
    field = rectilinear([0, 10], np.arange(0.0, 361, 60))
    is_present = np.ones(field.shape, dtype=bool)
    is_present[:, 0] = False
    pairs = find_neighbours(field, is_present=is_present.ravel())
    assert len(each(pairs)) == 2 * 6 + 6
    assert {(1, 6), (5, 6), (8, 13), (12, 13), (6, 13)} <= each(pairs)


def test_neighbours_lie_in_the_same_step_of_time():
    field = rectilinear([0, 10], [0, 10, 20])
    own = each(find_neighbours(field))
    number = np.arange(24).reshape(2, 4, 3)
    series = field.expand_dims(time=4, axis=1)
    at = {pair: number[:, t].ravel()[list(pair)] for pair in own for t in (0,)}
    assert len(at) == 7
    expected = {tuple(number[:, t].ravel()[list(pair)]) for pair in own for t in range(4)}
    assert each(find_neighbours(series)) == {tuple(sorted(pair)) for pair in expected}


def test_neighbours_without_latitude_and_longitude_lie_along_the_dimensions():
    raster = xr.DataArray(np.zeros((2, 2, 3)), dims=("time", "y", "x"))
    one = {(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)}
    assert each(find_neighbours(raster)) == one | {(i + 6, j + 6) for i, j in one}
    section = xr.DataArray(np.zeros(4), dims="distance")
    assert each(find_neighbours(section)) == {(0, 1), (1, 2), (2, 3)}
    assert each(find_neighbours(section.rename(distance="time"))) == {(0, 1), (1, 2), (2, 3)}
    around = xr.DataArray(np.zeros(5), {"lon": [0.0, 180, 90, 270, 360]}, ("lon",))
    assert each(find_neighbours(around)) == {(0, 2), (1, 2), (1, 3), (0, 3), (0, 4)}
    members = raster.rename(time="member").assign_coords(member=[1, 2])
    with pytest.raises(ValueError, match=r"'member', 'y', 'x'; assign both, in degrees, or select"):
        find_neighbours(members)
    for name in ("station", "N_PROF"):
        with pytest.raises(ValueError, match=rf"'{name}' lists points in any order; assign both"):
            find_neighbours(section.rename(distance=name))


def flooded(mask, *, around=False):
    """Number of pieces of a mask by flooding, one after the other."""
    left, count = {tuple(p) for p in np.argwhere(mask)}, 0
    while left:
        count, wet = count + 1, [left.pop()]
        while wet:
            r, c = wet.pop()
            width = mask.shape[1] if around else 1000  # -1 % 1000 lies beyond the mask too
            for p in ((r + 1, c), (r - 1, c), (r, (c + 1) % width), (r, (c - 1) % width)):
                if p in left:
                    left.remove(p)
                    wet.append(p)
    return count


@pytest.mark.parametrize("around", [False, True])
def test_pieces_of_random_masks_are_those_that_flooding_finds(around):
    rng = np.random.default_rng(1)
    lon = np.arange(0.0, 360, 12) if around else np.arange(165.0, 195)
    pairs = find_neighbours(rectilinear(np.arange(20.0), (lon + 180) % 360 - 180))
    for share in (0.1, 0.4, 0.6):
        mask = rng.random((20, 30)) < share
        pieces = find_pieces(mask.ravel(), pairs)
        assert pieces.max() + 1 == flooded(mask, around=around)


def test_pieces_are_numbered_by_their_first_point():
    is_present = np.array([True, False, True, True, True, False, True])
    pairs = np.array([[6, 0], [1, 2], [4, 3], [5, 6]])
    assert find_pieces(is_present, pairs).tolist() == [0, -1, 1, 2, 2, -1, 0]
    assert find_pieces(np.zeros(3, bool), np.empty((0, 2), int)).tolist() == [-1, -1, -1]
