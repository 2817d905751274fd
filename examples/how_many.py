"""How many clusters, and how certain is each point: a choice of k that can be defended.

    python examples/how_many.py [FOLDER]

Sweeps k = 2 to 8 over vs and vp of the synthetic model of the western United States, with each
profile weighted by the area of its cell, including the criteria that take longer: the gap statistic
and the stability. Prints the criteria; the model was generated from six provinces. Uses the k with
the best stability, computes how certain the cluster of each point is, and saves two figures and the
result to FOLDER (default: the current folder).
"""

import sys
from pathlib import Path

import xvcluster


def main(folder: Path) -> None:
    model = xvcluster.tutorial.tomography()[["vs", "vp"]]
    profiles = model.vcluster.prepare(depth=slice(5, 150), stride=3)
    sweep = profiles.vcluster.sweep(
        range(2, 9),
        normalize="anomaly",
        weights="area",
        criteria=["gap", "stability"],
        block_size=250,
    )
    print(sweep.table().round(3).to_string())
    print(f"\n{sweep.verdict}")

    k = int(sweep.dataset["best"].sel(criterion="stability"))
    # blocks much smaller than a province, so that no sample lacks one
    result = sweep.result(k).stability(n=20, block_size=250)
    print(f"\nk = {k}, the most stable")
    print(result.table().round(2).to_string())

    folder.mkdir(parents=True, exist_ok=True)
    sweep.plot.criteria().savefig(folder / "how_many_criteria.png", dpi=150)
    axes = result.plot.map(certainty="stability", title=f"{k} clusters and their stability")
    axes.figure.savefig(folder / "how_many_certainty.png", dpi=150)
    result.to_netcdf(folder / "how_many.nc")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
