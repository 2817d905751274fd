import numpy as np

from xvcluster.explore.lines import find_lines


def test_find_lines_continues_coasts_over_the_dateline():
    box = (170.0, 190.0, -20.0, -10.0)  # Fiji lies on both sides of 180°
    lon = find_lines(box)[:, 0]
    known = np.isfinite(lon)
    assert known.any()
    assert ((lon[known] > 180) & (lon[known] < 182)).any()
    assert ((lon[known] < 180) & (lon[known] > 177)).any()
    assert lon[known].min() > 150
    assert lon[known].max() < 210


def test_find_lines_has_gaps_between_lines_and_none_where_there_is_no_coast():
    assert np.isfinite(find_lines((-140.0, -139.0, 0.0, 1.0))).sum() == 0
    lon, lat = find_lines((-180.0, 180.0, -90.0, 90.0)).T
    np.testing.assert_array_equal(np.isnan(lon), np.isnan(lat))
    steps = np.hypot(np.diff(lon), np.diff(lat))
    assert np.nanmax(steps) < 30  # no stroke across the map; a border in Canada is that long
