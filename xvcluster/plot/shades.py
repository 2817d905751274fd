"""Shades of colours: for the clusters that others are divided into."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.plot.style import MISSING, to_oklab, to_rgba

_LIGHTNESS = np.linspace(0.4, 0.93, 24)
"""Of shades: light enough to show their hue, and dark enough to differ from white paper."""

_LEAST = 0.04
"""Least chroma of a shade, so that it has a hue."""


def shades_of(rgba: Float64s, parents: Iterable[int]) -> Float64s:
    """Return colours and as many shades of them as are asked for, all as different as possible.

    Parameters
    ----------
    rgba : ndarray, shape (k, 4)
        The colours.
    parents : iterable of int
        For each shade, the colour that it is a shade of, from 0.

    Returns
    -------
    ndarray, shape (k + number of shades, 4)
        The colours, then the shades. A shade has the hue of its colour, and a lightness of OKLab by
        which it differs most from all colours before it.
    """
    from matplotlib.colors import to_rgb

    own = to_oklab(rgba[:, :3])
    spared = to_oklab(np.array([to_rgb(MISSING), to_rgb("white")]))
    taken = np.concatenate([own, spared])
    candidates = [_of_one_hue(color) for color in own]
    shades = []
    for parent in parents:
        apart = np.linalg.norm(candidates[parent][:, np.newaxis] - taken, axis=-1).min(axis=1)
        shades.append(candidates[parent][apart.argmax()])
        taken = np.concatenate([taken, shades[-1:]])
    return np.concatenate([rgba, to_rgba(np.array(shades).reshape(-1, 3))])


def _of_one_hue(color: Float64s) -> Float64s:
    """Return lighter and darker colours (n, 3) of the same hue, as vivid as a screen allows."""
    vivid = np.linspace(1.0, 0.0, 21)[:, np.newaxis, np.newaxis]
    lightness = np.broadcast_to(_LIGHTNESS[:, np.newaxis], (21, len(_LIGHTNESS), 1))
    lab = np.concatenate([lightness, np.broadcast_to(vivid * color[1:], (21, 24, 2))], axis=-1)
    is_shown = np.abs(to_oklab(to_rgba(lab.reshape(-1, 3))[:, :3]) - lab.reshape(-1, 3)) < 0.005
    first = is_shown.all(axis=1).reshape(lab.shape[:2]).argmax(axis=0)
    found = lab[first, np.arange(len(_LIGHTNESS))]
    has_hue = np.hypot(*found[:, 1:].T) >= min(_LEAST, float(np.hypot(*color[1:])) / 2)
    return np.asarray(found[has_hue])
