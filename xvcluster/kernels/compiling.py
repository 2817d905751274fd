"""How kernels are compiled: once for all, where what is compiled can be kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function at its first call, without the interpreter's lock."""

    def compile_one(function: Callable[..., Any]) -> Any:
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # numba finds no folder that it could write to
            return njit(nogil=True, **options)(function)

    return compile_one
