"""What the machine can do at most, and the least that a task asks of it."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

CELL = 5
"""Operations of a cell of dynamic time warping: a difference, its square, a sum, two minima."""


@dataclass(frozen=True)
class Work:
    """Floating-point operations and bytes of memory that a task needs at the least."""

    flops: float
    bytes: float
    formula: str

    def limit(self, probe: dict[str, float]) -> tuple[float, str]:
        """Seconds that it takes at the least on a machine, and what they go into."""
        arithmetic, memory = self.flops / probe["flops"], self.bytes / probe["bytes"]
        return max((arithmetic, "arithmetic"), (memory, "memory"))


def compare_all(n: int, n_levels: int, n_nodes: int, passes: int = 1) -> Work:
    """Every profile is read and compared with every node once in a pass, as a matrix product."""
    flops = 2.0 * n * n_levels * n_nodes * passes
    return Work(flops, 4.0 * n * n_levels * passes, "2·N·L·K flops and 4·N·L bytes a pass")


def warp_own(n: int, n_levels: int, window: int | None = None) -> Work:
    """Every profile is read and warped once, to its own centroid: bounds may spare the others."""
    away = np.abs(np.subtract.outer(np.arange(n_levels), np.arange(n_levels)))
    cells = float((away <= (n_levels if window is None else window)).sum())
    return Work(CELL * n * cells, 4.0 * n * n_levels, "5·N·cells flops and 4·N·L bytes")


def train_online(steps: int, n_levels: int, n_nodes: int) -> Work:
    """In every step, a profile is compared with every node."""
    flops, traffic = 2.0 * steps * n_levels * n_nodes, 4.0 * steps * n_levels
    return Work(flops, traffic, "2·steps·L·K flops and 4·steps·L bytes")


def probe() -> dict[str, float]:
    """Flops a second of a product of float32 matrices, and bytes a second of a + s·b → c."""
    return {"flops": _floating_rate(), "bytes": _memory_traffic()}


def _best(call, repeats: int) -> float:
    """Least seconds of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _floating_rate(size: int = 2_048, repeats: int = 8) -> float:
    a, b = np.random.default_rng(0).random((2, size, size), dtype=np.float32)
    c = np.empty_like(a)
    return 2.0 * size**3 / _best(lambda: np.matmul(a, b, out=c), repeats)


def _memory_traffic(size: int = 2**25, repeats: int = 6, piece: int = 2**14) -> float:
    """Of arrays far larger than the caches, in pieces small enough that c is read from them."""
    a, b, c = np.ones((3, size), np.float32)
    n_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))

    def triad(thread: int) -> None:
        for start in range(thread * piece, size, n_threads * piece):
            part = slice(start, start + piece)
            np.multiply(b[part], np.float32(0.5), out=c[part])
            np.add(a[part], c[part], out=c[part])

    with ThreadPoolExecutor(n_threads) as pool:
        return 3.0 * a.nbytes / _best(lambda: list(pool.map(triad, range(n_threads))), repeats)


def describe() -> str:
    """Processor, threads and Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or platform.machine()
    model = f", family {told['cpu family']} model {told['model']}" if "cpu family" in told else ""
    wide = ", AVX-512" if "avx512f" in told.get("flags", "") else ""
    threads = os.environ.get("OMP_NUM_THREADS", "?")
    return f"{name}{model}{wide}, {threads} threads, Python {platform.python_version()}"


def version_of(package: str) -> str | None:
    """Version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
