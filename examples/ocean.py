"""Water masses of the upper ocean, from temperature and salinity together.

    python examples/ocean.py [FOLDER]

Runs a sweep over the number of clusters for the real Levitus climatology of the upper 1000 m,
prints the criteria and the clusters for the best k, and saves three figures and the result to
FOLDER (default: the current folder). Where the water is shallower than 1000 m, profiles are
incomplete and get no label.
"""

import sys
from pathlib import Path

import xvcluster


def main(folder: Path) -> None:
    ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
    sweep = ocean.vcluster.sweep(range(2, 11))
    print(sweep)

    result = sweep.result()
    print(f"\n{result}")

    folder.mkdir(parents=True, exist_ok=True)
    sweep.plot.criteria().savefig(folder / "ocean_criteria.png", dpi=150)
    sweep.plot.maps().savefig(folder / "ocean_maps.png", dpi=150)
    result.plot.summary().savefig(folder / "ocean_summary.png", dpi=150)
    result.to_netcdf(folder / "ocean.nc")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
