"""Warnings at the user's line; text that comes from files."""

import warnings

import numpy as np
import pytest

from xvcluster.messages import escaped, plain


def test_warn_names_the_line_of_the_user():
    import xarray as xr

    import xvcluster  # noqa: F401

    data = xr.DataArray(
        np.random.default_rng(0).normal(size=(6, 5, 6)), dims=("depth", "lat", "lon")
    ).assign_coords(depth=np.arange(6.0), lat=np.arange(5.0), lon=np.arange(6.0))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data.vcluster.kmeans(8, max_iter=1, n_init=1)
        data.vcluster.gmm(4, max_iter=1)
    assert caught
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Vs", "Vs"),
        ("\x1b[2J\x1b[31mError: no space left", "[2J [31mError: no space left"),
        ("one\r\ntwo\u2028three\x00", "one two three"),
        ("\u202egnp.exe", "gnp.exe"),
        ("Température °C", "Température °C"),
        ("x" * 10, "xxxxx…"),
        (3.5, "3.5"),
    ],
)
def test_plain_leaves_one_line_of_printable_text(text, shown):
    assert plain(text, 5 if shown.endswith("…") else 200) == shown


def test_plain_does_not_read_all_of_a_long_text():
    assert len(plain("é" * 10_000_000)) == 201


def test_escaped_leaves_no_markup():
    assert escaped("<script>alert('x' & \"y\")</script>") == (
        "&lt;script&gt;alert(&#x27;x&#x27; &amp; &quot;y&quot;)&lt;/script&gt;"
    )
