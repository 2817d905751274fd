import base64
import zlib

import numpy as np
import pytest

from xvcluster.explore.packing import pack, to_halves


@pytest.mark.parametrize(("coarse", "share"), [(False, 1 / 2048), (True, 1 / 400)])
@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e30])
def test_to_halves_keeps_each_number_within_a_share_of_itself(coarse, share, unit):
    rng = np.random.default_rng(0)
    values = rng.normal(0.0, 1.0, 5000) * 10.0 ** rng.uniform(-4, 3, 5000) * unit
    bits, scale = to_halves(values, coarse=coarse)
    back = bits.view(np.float16).astype(np.float64) * scale
    assert np.all(np.abs(back - values) <= share * np.abs(values) + 1e-9 * np.abs(values).max())


def test_to_halves_keeps_nan_and_zero():
    bits, scale = to_halves(np.array([np.nan, 0.0, -3.0]), coarse=True)
    np.testing.assert_allclose(bits.view(np.float16) * scale, [np.nan, 0.0, -3.0], rtol=1e-2)
    assert to_halves(np.zeros(3))[1] == 1.0
    assert to_halves(np.full(2, np.nan))[1] == 1.0


def test_coarse_halves_end_in_zeros_which_deflate():
    assert not (to_halves(np.random.default_rng(0).normal(size=99), coarse=True)[0] & 3).any()


def test_pack_puts_the_first_bytes_of_all_numbers_first():
    contents, text = pack({"a": np.array([[1, 2], [3, 0x0405]], np.uint16)})
    assert contents == [{"name": "a", "kind": "uint16", "length": 4}]
    assert zlib.decompress(base64.b64decode(text)) == bytes([1, 2, 3, 5, 0, 0, 0, 4])
