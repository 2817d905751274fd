"""Time xvcluster beside its peers: python tests/benchmarks [name ...]; --list names them."""

import os
import sys


def main(names):
    """Run the named rows, or all of them, and print a table as each is done."""
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{library}_NUM_THREADS"] = "2"  # read when they are imported
    import euclidean
    import footprint
    import maps
    import scaling
    import warping

    rows = euclidean.ROWS | warping.ROWS | maps.ROWS | footprint.ROWS | scaling.ROWS
    if names == ["--list"]:
        print("\n".join(rows))
        return
    unknown = set(names) - set(rows)
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(rows)}")
    for name in names or rows:
        print(f"\n### {name}: {rows[name].__doc__}\n", flush=True)
        rows[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
