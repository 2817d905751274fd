"""Draw the figures of the page "Provinces" of a real model.

    python docs/make_provinces.py wUS-SH-2010_percent.nc

The model is that of Schmandt & Humphreys (2010), doi:10.1016/j.epsl.2010.06.047, as distributed by
the IRIS DMC (EarthScope) Earth Model Collaboration, doi:10.17611/DP/9991760, and is not part of the
package. Its margins, which hold zeros where no rays pass, are left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import xarray as xr

import xvcluster  # noqa: F401  (registers .vcluster)

STATIC = Path(__file__).parent / "_static"
REGION = {"latitude": slice(31.5, 49), "longitude": slice(-124, -102), "depth": slice(60, 300)}


def main(path: str) -> None:
    """Write the figures."""
    mpl.use("Agg")
    with xr.open_dataset(path) as model:
        dvs = model["dvs"].sel(REGION).load()
    provinces, anywhere = dvs.vcluster.ward(6, min_area=20_000), dvs.vcluster.kmeans(6)
    figures = {
        "kmeans": anywhere.plot.map(borders=False).figure,
        "ward": provinces.plot.map(borders=False).figure,
        "tree": provinces.plot.tree().figure,
        "maps": provinces.plot.maps(ks=[3, 6, 12]),
    }
    for name, figure in figures.items():
        figure.savefig(STATIC / f"provinces_{name}.png", dpi=100)


if __name__ == "__main__":
    main(sys.argv[1])
