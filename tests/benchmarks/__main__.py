"""Time xvcluster beside its peers, or beside another state of itself.

    python tests/benchmarks [ROW ...] [--quick] [--write] [--against CHECKOUT] [--list] [--page]

Every contender makes its calls in a process of its own, in turn with the others, with two threads.
A peer that is not installed is told and left out. The last line says to which peers our outcomes
are inferior, which also is the exit status.
"""

from __future__ import annotations

import argparse
import os
import sys
from fnmatch import fnmatch
from pathlib import Path


def _parse() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("tests/benchmarks", description=__doc__, formatter_class=raw)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names, or patterns such as 'dtw-*'")
    parser.add_argument("--quick", action="store_true", help="small sizes and few calls")
    parser.add_argument("--write", action="store_true", help="keep the results for the page")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md from them")
    parser.add_argument("--against", type=Path, help="another checkout; peers are left out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("--answer", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run the rows that were asked for."""
    asked = _parse()
    if not asked.answer:
        for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
            # read when they are imported
            os.environ[f"{library}_NUM_THREADS"] = str(asked.threads)
    import rows as of

    rows = of.rows(asked.quick)
    if asked.answer:
        import measure

        row, name = rows[asked.answer[0]], asked.answer[1]
        measure.answer(row, next(each for each in row.contenders if each.name == name))
        return 0
    if asked.page:
        import page

        page.write(rows)
        return 0
    import session

    names = _chosen([*rows, *session.ALONE], asked.rows)
    if asked.list:
        print("\n".join(names))
        return 0
    keeps = asked.write and not asked.quick
    if asked.against:
        return session.against(rows, names, asked.quick, asked.against.resolve(), keeps=keeps)
    return session.beside_peers(rows, names, asked.quick, keeps=keeps)


def _chosen(known: list[str], patterns: list[str]) -> list[str]:
    """Names that match the patterns, or all."""
    unknown = [each for each in patterns if not any(fnmatch(name, each) for name in known)]
    if unknown:
        raise SystemExit(f"no row is named {', '.join(unknown)}; --list names them")
    return [name for name in known if not patterns or any(fnmatch(name, p) for p in patterns)]


if __name__ == "__main__":
    sys.exit(main())
