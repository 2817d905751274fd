"""Time xvcluster beside its peers: python tests/benchmarks [name ...]; --list names them."""

import os
import sys

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{library}_NUM_THREADS"] = "2"  # before any of them is imported

from euclidean import ROWS as EUCLIDEAN
from footprint import ROWS as FOOTPRINT
from maps import ROWS as MAPS
from scaling import ROWS as SCALING
from warping import ROWS as WARPING

ROWS = EUCLIDEAN | WARPING | MAPS | FOOTPRINT | SCALING


def main(names):
    """Run the named rows, or all of them, and print a table as each is done."""
    unknown = set(names) - set(ROWS)
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(ROWS)}")
    for name in names or ROWS:
        print(f"\n### {name}: {ROWS[name].__doc__}\n", flush=True)
        ROWS[name]()


if __name__ == "__main__":
    if "--list" in sys.argv:
        raise SystemExit("\n".join(ROWS))
    main(sys.argv[1:])
