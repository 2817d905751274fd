"""Clusters can be told apart by their colours, whoever sees them, and in grey."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import xarray as xr

from xvcluster.plot import style

# Machado, Oliveira & Fernandes (2009), in linear RGB
CONES = {
    "all": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
WHITE = np.array([0.95047, 1.0, 1.08883])


def to_lab(rgb, cones="all"):
    """CIELAB of sRGB colours as they look to people with these cones."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x = np.clip(linear @ CONES[cones].T, 0, 1) @ TO_XYZ.T / WHITE
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def ciede2000(first, second):
    """The difference of two colours in CIELAB, after Sharma, Wu & Dalal (2005)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(c7 / (c7 + 25**7))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, g * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    lightness, c, h = (l1 + l2) / 2, (c1 + c2) / 2, h1 + turn / 2
    t = (
        1 - 0.17 * np.cos(np.radians(h - 30)) + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6)) - 0.20 * np.cos(np.radians(4 * h - 63))
    )  # fmt: skip
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    bend = np.sin(np.radians(60 * np.exp(-(((h % 360 - 275) / 25) ** 2))))
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25**7)) * bend
    parts = dl / sl, dc / sc, dh / sh
    return np.sqrt(sum(part**2 for part in parts) + rotation * parts[1] * parts[2])


def colors(palette, k):
    ordered = (
        {} if palette == "distinct" else {"ordered_by": f"mean of x ({palette}), lowest first"}
    )
    flags = {"flag_values": np.arange(1, k + 1)}
    labels = xr.DataArray(np.arange(1.0, k + 1), dims="profile", attrs=flags | ordered)
    chosen = "sequential" if palette == "sequential" else None
    return style.check_colors(labels, chosen)[:, :3]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # pairs of Sharma, Wu & Dalal (2005)
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_the_difference_is_that_of_the_standard(first, second, expected):
    assert ciede2000(first, second) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("cones", CONES)
@pytest.mark.parametrize(
    ("palette", "least"), [("km/s", 12.5), ("K", 12.5), ("distinct", 9.5), ("sequential", 7.0)]
)
def test_clusters_differ_up_to_ten_whoever_sees_them(palette, least, cones):
    for k in range(2, 11):
        lab = to_lab(colors(palette, k), cones)
        assert min(ciede2000(a, b) for a, b in combinations(lab, 2)) > least, k


@pytest.mark.parametrize("k", [2, 3, 5, 7, 10, 20])
def test_sequential_colours_grow_lighter_in_even_steps(k):
    lightness = to_lab(colors("sequential", k))[:, 0]
    steps = np.diff(lightness)
    assert steps.min() > 0.9 * 70 / (k - 1)
    assert steps.max() < 1.1 * 72 / (k - 1)
    # in grey, what remains is lightness
    grey = np.stack([lightness, 0 * lightness, 0 * lightness], axis=1)
    if k <= 10:
        assert min(ciede2000(a, b) for a, b in pairwise(grey)) > 5


def test_sequential_colours_stand_out_from_what_is_missing():
    from matplotlib.colors import to_rgb

    missing = to_lab(np.array([to_rgb(style.MISSING)]))[0]
    assert min(ciede2000(color, missing) for color in to_lab(colors("sequential", 10))) > 20
