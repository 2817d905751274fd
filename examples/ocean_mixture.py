"""Water masses of the upper ocean, and how certain each label is, by a Gaussian mixture.

    python examples/ocean_mixture.py [FOLDER]

Fits a mixture to temperature and salinity of the real Levitus climatology, 0 to 1000 m, as pyXpcm
does; prints the distribution of the robustness of the labels, and saves three figures and the
result to FOLDER (default: the current folder). Maze et al. (2017) chose eight clusters for the
North Atlantic; because neighbours are similar, the BIC would favour ever more clusters.
"""

import sys
from pathlib import Path

import xvcluster


def main(folder: Path) -> None:
    ocean = xvcluster.tutorial.ocean().vcluster.prepare(depth=slice(0, 1000))
    result = ocean.vcluster.gmm(8)
    print(result)

    classes = result.dataset["robustness_class"]
    n_profiles = int(classes.count())
    print(f"\nRobustness of {n_profiles:,} labels:")
    for number, name in enumerate(classes.attrs["flag_meanings"].split()):
        share = int((classes == number).sum()) / n_profiles
        print(f"  {name.replace('_', ' '):<20}{share:6.1%}")

    folder.mkdir(parents=True, exist_ok=True)
    result.plot.map().figure.savefig(folder / "mixture_map.png", dpi=150)
    axes = result.plot.map(certainty="robustness", title="Robustness of the labels")
    axes.figure.savefig(folder / "mixture_robustness.png", dpi=150)
    result.plot.profiles().savefig(folder / "mixture_profiles.png", dpi=150)
    result.to_netcdf(folder / "mixture.nc")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
