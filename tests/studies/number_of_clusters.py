"""How often each criterion finds the number of provinces of synthetic models.

``python tests/studies/number_of_clusters.py`` prints the table of the page "How to choose k". It
takes the options ``--seeds 0 1 2`` and ``--stability``.
"""

import argparse
import os
import warnings


def main():
    """Cluster every recipe with every seed, and count how far each criterion is off."""
    os.environ.setdefault("NUMBA_NUM_THREADS", "2")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--stability", action="store_true", help="compute the stability too")
    asked = parser.parse_args()

    import numpy as np
    import provinces

    from xvcluster.choose.verdict import find_knee

    rows = []
    for name, recipe in provinces.RECIPES.items():
        for seed in asked.seeds:
            data, _ = provinces.make(**recipe, seed=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                swept = data.vcluster.sweep(criteria=["stability"] * asked.stability)
            dataset = swept.dataset
            found = {str(c): int(k) for c, k in dataset["best"].to_series().items()}
            found["old"] = find_knee(dataset["k"].values.tolist(), dataset["inertia"].values)
            rows.append((name, recipe["k"], found | {"panel": swept.best_k}))
            print(name, seed, rows[-1][2], flush=True)
    truth = np.array([k for _, k, _ in rows])
    print(f"\n{len(rows)} models\n\n| criterion | exact | within one | k = 2, 3 | k ≥ 7 |")
    print("| --- | --- | --- | --- | --- |")
    for criterion in rows[0][2]:
        off = np.abs(np.array([found[criterion] for _, _, found in rows]) - truth)
        shares = [
            (off == 0).mean(),
            (off <= 1).mean(),
            (off[truth <= 3] == 0).mean(),
            (off[truth >= 7] == 0).mean(),
        ]
        print(f"| {criterion} | {' | '.join(f'{100 * s:.0f} %' for s in shares)} |")


if __name__ == "__main__":
    main()
