"""Velocity provinces of a tomography model, compared with the truth.

    python examples/seismology.py [FOLDER]

Clusters the synthetic model of the western United States by its shear-wave profiles, prints the
clusters and how well they agree with the provinces that the model was generated from, and saves two
figures and the result to FOLDER (default: the current folder).
"""

import sys
from pathlib import Path

from sklearn.metrics import adjusted_rand_score

import xvcluster


def main(folder: Path) -> None:
    model = xvcluster.tutorial.tomography()
    vs = model["vs"].vcluster.prepare(depth=slice(5, 150), stride=2)
    result = vs.vcluster.kmeans(n_clusters=6)
    print(result.table().round(2).to_string())

    provinces = model["province"].sel(latitude=vs.latitude, longitude=vs.longitude)
    agreement = adjusted_rand_score(provinces.values.ravel(), result.labels.values.ravel())
    print(f"\nadjusted Rand index with respect to the provinces: {agreement:.2f}")

    folder.mkdir(parents=True, exist_ok=True)
    title = "Clusters of shear-wave profiles, synthetic model"
    result.plot.summary(title=title).savefig(folder / "seismology_summary.png", dpi=150)
    result.plot.profiles().savefig(folder / "seismology_profiles.png", dpi=150)
    result.to_netcdf(folder / "seismology.nc")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
