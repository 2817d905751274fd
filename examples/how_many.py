"""How many clusters, and how sure is each point: the choice of k that one can defend.

    python examples/how_many.py [FOLDER]

Sweeps k = 2 to 8 over vs and vp of the made model of the western United States, where each profile
counts by the area of its cell; with the criteria that take longer, the gap statistic and the
stability. Prints what the criteria say; the model was made from six provinces. Takes the k that is
best by the stability, finds how sure the cluster of each point is, and saves two figures and the
result to FOLDER (default: the current one).
"""

import sys
from pathlib import Path

import xvcluster


def main(folder: Path) -> None:
    model = xvcluster.tutorial.tomography()[["vs", "vp"]]
    profiles = model.vcluster.prepare(depth=slice(5, 150), stride=3)
    sweep = profiles.vcluster.sweep(
        range(2, 9), normalize="anomaly", weights="area", criteria=["gap", "stability"]
    )
    print(sweep.table().round(3).to_string())
    print(f"\n{sweep.verdict}")

    k = int(sweep.dataset["best"].sel(criterion="stability"))
    result = sweep.result(k).stability(n=20)
    print(f"\nk = {k}, the most stable")
    print(result.table().round(2).to_string())

    folder.mkdir(parents=True, exist_ok=True)
    sweep.plot.criteria().savefig(folder / "how_many_criteria.png", dpi=150)
    sure = result.plot.map(certainty="stability", title=f"{k} clusters, and how sure each point is")
    sure.figure.savefig(folder / "how_many_certainty.png", dpi=150)
    result.to_netcdf(folder / "how_many.nc")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
