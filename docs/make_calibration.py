"""Print the table of docs/methods.md on stability under noise: is it the probability to be right?

Run by hand when the perturbations have changed; it takes some minutes:

    python docs/make_calibration.py

Errors of known size are added to the synthetic model of the tutorial. A label is right if it is the
one that the model without errors gives at the point, its clusters matched.
"""

import warnings

import numpy as np

import xvcluster

SIGMAS = (0.03, 0.1, 0.2)
NUMBERS = (6, 3, 8)
SEEDS = range(3)
BINS = 10


def calibration_error(share, right):
    """Mean difference between the share in each bin and the share of labels that are right."""
    place = np.minimum((share * BINS).astype(int), BINS - 1)
    apart = [abs(share[place == i].sum() - right[place == i].sum()) for i in range(BINS)]
    return sum(apart) / share.size


def measure(truth, k, sigma, seed):
    """Mean share of right labels, mean stability under noise, and calibration error."""
    errors = np.random.default_rng(seed).normal(0, sigma, truth.shape)
    observed = (truth + errors).astype(np.float32).assign_attrs(truth.attrs)
    result = observed.vcluster.kmeans(k).stability(30, noise=sigma)
    without = truth.vcluster.kmeans(k).match(result)
    right = (without.labels == result.labels).values.ravel()
    share = result.dataset["stability_noise"].values.ravel()
    return right.mean(), share.mean(), calibration_error(share, right)


def main():
    """Print a row for each number of clusters and size of the errors, over all seeds."""
    warnings.simplefilter("ignore")
    truth = xvcluster.tutorial.tomography(resolution=0.5)["vs"]
    truth = truth.vcluster.prepare(depth=slice(5, 150))
    for k in NUMBERS:
        for sigma in SIGMAS:
            found = [measure(truth, k, sigma, seed) for seed in SEEDS]
            right, share, error = np.mean(found, axis=0)
            largest = max(each for *_, each in found)
            cells = [f"{right:.2f}", f"{share:.2f}", f"{error:.3f} ({largest:.3f})"]
            print(f"| {k} | {sigma:g} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
