"""Create ``xvcluster/data/natural_earth_*.npz``, the coastlines and borders of the maps.

For maintainers; run by hand from the root of the repository, with npm installed::

    npm pack world-atlas@2.0.2
    tar -xzf world-atlas-2.0.2.tgz
    python docs/make_basemap.py package/

world-atlas contains Natural Earth 1:110 m and 1:50 m as TopoJSON: every section of coast or border
is one *arc*, shared by the countries that it bounds. An arc that bounds one country is coast, an
arc that bounds two is a border. Polygons on a flat map are closed along the meridians ±180° and the
pole; these seams are not coast, and are removed.

A file holds lines as whole steps of a fraction of a degree from each vertex to the next, which
compress to little more than half of what the coordinates themselves do.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import shapely

DATA = Path(__file__).resolve().parents[1] / "xvcluster" / "data"
PER_DEGREE = {"110m": 100, "50m": 200}  # steps: 1 km and 500 m, finer than a pen at that scale
SIMPLIFIED = {"110m": 0.0, "50m": 0.005}  # degrees by which a line may miss a vertex left out
ON_SEAM = 1.5e-3  # degrees; the finest step of world-atlas is 0.0017°, and its pole is at 89.999°
LICENSE_SCOPE = (
    "natural_earth_110m.npz and natural_earth_50m.npz are made from world-atlas 2.0.2"
    " (https://github.com/topojson/world-atlas), under the licence below;\nthe Natural Earth data"
    " themselves (https://www.naturalearthdata.com) are in the public domain.\n\n"
)


def decode_arcs(topology: dict) -> list[np.ndarray]:
    """Decode the arcs, which are stored as quantised steps, to (n, 2) longitudes and latitudes."""
    scale = np.array(topology["transform"]["scale"])
    translate = np.array(topology["transform"]["translate"])
    return [np.cumsum(arc, axis=0) * scale + translate for arc in topology["arcs"]]


def arc_numbers(nested: Iterable) -> Iterator[int]:
    """Iterate over the arc numbers in the nested rings of a geometry; ``~i`` is arc i reversed."""
    for item in nested:
        if isinstance(item, int):
            yield item if item >= 0 else ~item
        else:
            yield from arc_numbers(item)


def count_uses(topology: dict, name: str) -> Counter[int]:
    """Count how often the rings of an object use each arc."""
    geometries = topology["objects"][name]["geometries"]
    return Counter(i for geometry in geometries for i in arc_numbers(geometry["arcs"]))


def cut_seams(line: np.ndarray) -> list[np.ndarray]:
    """Cut a line where it follows or crosses the seam at ±180°, or runs along the pole."""
    on_seam = np.abs(line[:, 0]) > 180 - ON_SEAM
    at_pole = np.abs(line[:, 1]) > 90 - ON_SEAM
    seam = (on_seam[:-1] & on_seam[1:]) | (at_pole[:-1] & at_pole[1:])
    jump = ~seam & (np.abs(np.diff(line[:, 0])) > 180)
    pieces, start = [], np.empty((0, 2))
    first = 0
    for i in np.flatnonzero(seam | jump):
        end, following = crossing(line[i], line[i + 1]) if jump[i] else (start[:0], start[:0])
        pieces.append(np.concatenate([start, line[first : i + 1], end]))
        start, first = following, i + 1
    pieces.append(np.concatenate([start, line[first:]]))
    return [piece for piece in map(drop_repeats, pieces) if len(piece) > 1]


def crossing(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the point where a line crosses the seam, as seen from each side."""
    side = np.sign(before[0])
    reach = after[0] + 360 * side
    share = (180 * side - before[0]) / (reach - before[0])
    latitude = before[1] + share * (after[1] - before[1])
    return np.array([[180 * side, latitude]]), np.array([[-180 * side, latitude]])


def drop_repeats(line: np.ndarray) -> np.ndarray:
    """Drop vertices that repeat the one before."""
    moves = np.any(np.diff(line, axis=0) != 0, axis=1)
    return line[np.concatenate([[True], moves])]


def join(pieces: list[np.ndarray], resolution: str) -> tuple[np.ndarray, np.ndarray]:
    """Join pieces end to end; return the steps between vertices and the offsets of the lines."""
    per_degree = PER_DEGREE[resolution]
    snapped = [drop_repeats(np.round(piece * per_degree)) for piece in pieces]
    merged = shapely.line_merge(shapely.MultiLineString([p for p in snapped if len(p) > 1]))
    parts = shapely.get_parts(merged)
    if SIMPLIFIED[resolution]:
        parts = shapely.simplify(parts, SIMPLIFIED[resolution] * per_degree)
    lines = [shapely.get_coordinates(line).astype(np.int32) for line in parts]
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    vertices = np.concatenate(lines)
    steps = np.diff(vertices, axis=0, prepend=np.zeros_like(vertices[:1]))
    return np.ascontiguousarray(steps.T), offsets.astype(np.int32)


def make(package: Path, resolution: str) -> None:
    """Write the lines of one scale."""
    topology = json.loads((package / f"countries-{resolution}.json").read_text(encoding="utf-8"))
    arcs = decode_arcs(topology)
    uses = count_uses(topology, "countries")
    if unshared := count_uses(topology, "land").keys() ^ {i for i, n in uses.items() if n == 1}:
        raise SystemExit(
            f"arcs {sorted(unshared)} are coast by use but not part of the land, or vice versa"
        )
    coast = [piece for i, n in uses.items() if n == 1 for piece in cut_seams(arcs[i])]
    border = [piece for i, n in uses.items() if n > 1 for piece in cut_seams(arcs[i])]
    coastlines, coastline_offsets = join(coast, resolution)
    borders, border_offsets = join(border, resolution)
    path = DATA / f"natural_earth_{resolution}.npz"
    np.savez_compressed(
        path,
        coastlines=coastlines,
        coastline_offsets=coastline_offsets,
        borders=borders,
        border_offsets=border_offsets,
        per_degree=PER_DEGREE[resolution],
    )
    print(
        f"{path.name}: {len(coastline_offsets) - 1} coastlines, {len(border_offsets) - 1} borders, "
        f"{path.stat().st_size / 1000:.0f} kB"
    )


def main(package: Path) -> None:
    """Write the files and their licence."""
    for resolution in PER_DEGREE:
        make(package, resolution)
    notice = (package / "LICENSE").read_text(encoding="utf-8")
    (DATA / "LICENSE-world-atlas").write_text(LICENSE_SCOPE + notice, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
