"""What several models have in common: how many of them classify a point as slow.

    python examples/models_agree.py [FOLDER]

Creates three models of the western United States, each on its own grid and with its own errors;
clusters each with k = 2 by its profiles from 40 to 150 km, as Lekić et al. (2012,
Earth Planet. Sci. Lett. 357–358, 68–77) do for models of the lower mantle, and counts for each
point how many models assign it to the slow cluster. Prints how well the models agree, and saves two
figures, the counts and the three results to FOLDER (default: the current folder).
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

import xvcluster

SPACING = {"coarse": 0.5, "medium": 0.4, "fine": 0.25}
CORRELATION = 2.0  # degrees
ERROR = 0.1  # km/s


def make_model(spacing: float, seed: int) -> xr.DataArray:
    """Return the tomography on a grid of this spacing in degrees, with smoothly varying errors."""
    vs = xvcluster.tutorial.tomography(resolution=spacing)["vs"]
    noise = np.random.default_rng(seed).standard_normal(vs.shape)
    noise = gaussian_filter(noise, (4, CORRELATION / spacing, CORRELATION / spacing))
    return (vs + ERROR * noise / noise.std()).astype("float32").assign_attrs(vs.attrs)


def main(folder: Path) -> None:
    models = {
        name: make_model(spacing, seed) for seed, (name, spacing) in enumerate(SPACING.items())
    }
    results = {}
    for name, vs in models.items():
        profiles = vs.vcluster.prepare(depth=slice(40, 150))
        results[name] = profiles.vcluster.kmeans(2, weights="area")

    reference = results["fine"]
    for name in ("coarse", "medium"):
        contingency = results[name].match(reference).dataset["contingency"]
        agreement = contingency.attrs["adjusted_rand_index"]
        print(f"adjusted Rand index of {name} and fine: {agreement:.2f}")

    common = xvcluster.consensus(results, grid=reference, reference=reference)
    slow = common["votes"].sel(cluster=1)
    for n in range(len(results), -1, -1):
        print(
            f"slow in {n} of {len(results)} models: {float((slow == n).mean()):.0%} of the points"
        )

    folder.mkdir(parents=True, exist_ok=True)
    title = "Number of models that are slow, 40 to 150 km"
    votes = xvcluster.plot.votes(common, cluster=1, title=title)
    votes.figure.savefig(folder / "agree_votes.png", dpi=150)
    axes = xvcluster.plot.map(common["label"], certainty=common["agreement"])
    axes.figure.savefig(folder / "agree_label.png", dpi=150)
    common.to_netcdf(folder / "agree.nc")
    for name, result in results.items():
        result.to_netcdf(folder / f"{name}.nc")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
