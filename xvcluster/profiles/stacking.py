"""All variables of a model as one dask array whose chunks are whole profiles."""

from __future__ import annotations

import warnings
from itertools import pairwise, product
from typing import Any

import numpy as np

from xvcluster.profiles.layout import Layout

_LARGEST = 2**28
"""Bytes of merged chunks above which they are cut along the horizontal."""


def stack_lazily(layout: Layout) -> Any:
    """All variables as one dask array (n_variables, n_levels, *horizontal) in whole profiles."""
    import dask.array as da

    vertical = layout.axes.vertical
    dims = (*(() if vertical is None else (vertical,)), *layout.grid.dims)
    variables = layout.dataset.unify_chunks().data_vars.values()
    arrays = [a.transpose(*dims) for a in variables]
    arrays = [a.chunk() if a.chunks is None else a for a in arrays]
    stack: Any = da.stack  # is untyped
    stacked = stack([a.data for a in arrays]) if len(arrays) > 1 else arrays[0].data[None]
    if vertical is None:
        return stacked.rechunk({0: -1})[:, None]
    is_split = len(stacked.chunks[1]) > 1
    if is_split:
        _warn_split(vertical, stacked)
    stacked = stacked.rechunk({0: -1, 1: -1})
    largest = np.prod([max(sizes) for sizes in stacked.chunks]) * stacked.dtype.itemsize
    if is_split and largest > _LARGEST:
        cut = dict.fromkeys(range(2, stacked.ndim), "auto")
        stacked = stacked.rechunk(cut, block_size_limit=_LARGEST // 2)
    return stacked


def _warn_split(vertical: str, stacked: Any) -> None:
    warnings.warn(
        f"the vertical {vertical!r} is split over {len(stacked.chunks[1])} chunks, which are "
        "merged in every pass over the data; rechunk them once into whole profiles, "
        f"e.g. data.chunk({{{vertical!r}: -1, ...: 'auto'}}) written with to_zarr",
        stacklevel=5,
    )


def horizontal_parts(array: Any) -> list[tuple[slice, ...]]:
    """The place of each chunk along the horizontal dimensions, in C order."""
    edges = [np.cumsum([0, *sizes]).tolist() for sizes in array.chunks[2:]]
    return list(product(*([slice(a, b) for a, b in pairwise(e)] for e in edges)))
