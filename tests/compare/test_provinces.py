"""Polygons with names, as users give them."""

import numpy as np
import pandas as pd
import pytest

from xvcluster.compare.plane import KM2
from xvcluster.compare.provinces import read_provinces
from xvcluster.grid.areas import EARTH_RADIUS_KM

geopandas = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")
box = shapely.box


def frame_of(geometry, crs="EPSG:4326", **columns):
    return geopandas.GeoDataFrame(columns, geometry=geometry, crs=crs)


def area_km2(provinces):
    return KM2 * shapely.area(provinces.shapes)


THREE = [box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10)]


def test_rows_of_one_name_are_one_province_and_rows_without_a_name_are_none():
    read = read_provinces(frame_of([*THREE, box(40, 0, 50, 9)], age=["old", "new", "old", None]))
    assert (read.names, read.named_by) == (["old", "new"], "age")
    band = EARTH_RADIUS_KM**2 * np.radians(10) * np.sin(np.radians(10))
    np.testing.assert_allclose(area_km2(read), [2 * band, band])


def test_the_only_column_of_text_names_them():
    frame = frame_of(THREE, code=[3, 1, 2], unit=["a", "b", "c"])
    assert read_provinces(frame).names == ["a", "b", "c"]
    assert read_provinces(frame, "code").names == ["3", "1", "2"]


def test_without_text_each_row_is_its_own():
    frame = frame_of(THREE, area=[1.0, 1.0, 1.0]).set_index(pd.Index([7, 8, 9]))
    read = read_provinces(frame)
    assert (read.names, read.named_by) == (["7", "8", "9"], "")
    assert read_provinces(frame.geometry).names == ["7", "8", "9"]


def test_whole_numbers_in_a_column_with_gaps_stay_whole():
    assert read_provinces(frame_of(THREE, zone=[1.0, np.nan, 2.0]), "zone").names == ["1", "2"]


def test_several_columns_of_text_are_a_question():
    frame = frame_of(THREE, name=list("abc"), kind=list("xyz"))
    with pytest.raises(ValueError, match=r"'name', 'kind'; choose one, e\.g\. column='name'"):
        read_provinces(frame)
    with pytest.raises(ValueError, match=r"no column 'nme'; their columns are 'name', 'kind'"):
        read_provinces(frame, "nme")


def test_a_projection_is_read_in_its_own_units():
    feet = read_provinces(frame_of(THREE).to_crs("+proj=cea +R=6371007.2 +units=us-ft"))
    np.testing.assert_allclose(area_km2(feet), area_km2(read_provinces(frame_of(THREE))), rtol=1e-4)


def test_without_a_reference_system_degrees_are_taken_and_metres_refused():
    read = read_provinces(frame_of(THREE, crs=None))
    np.testing.assert_allclose(area_km2(read), area_km2(read_provinces(frame_of(THREE))))
    with pytest.raises(ValueError, match=r"no coordinate reference system, and x from 0 to 500000"):
        read_provinces(frame_of([box(0, 0, 5e5, 4e5)], crs=None))


def test_polygons_that_are_not_valid_are_repaired():
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.warns(UserWarning, match=r"1 of 2 polygons .* repaired .*: 'bow' \(Self-inter"):
        read = read_provinces(frame_of([bow, box(20, 0, 30, 10)], name=["bow", "box"]))
    half = shapely.Polygon([(0, 0), (5, 5), (0, 10)]), shapely.Polygon([(10, 0), (10, 10), (5, 5)])
    expected = area_km2(read_provinces(frame_of([shapely.union_all(half)])))[0]
    assert area_km2(read)[0] == pytest.approx(expected, rel=1e-6)


def test_provinces_that_overlap_are_refused():
    frame = frame_of([box(0, 0, 10, 10), box(8, 0, 20, 10)], name=["west", "east"])
    with pytest.raises(
        ValueError, match=r"'west' and 'east' overlap by .* km², 20% of the smaller"
    ):
        read_provinces(frame)


def test_a_narrow_strip_in_two_provinces_counts_to_the_first():
    frame = frame_of([box(0, 0, 10, 10), box(9.99, 0, 20, 10)], name=["west", "east"])
    with pytest.warns(UserWarning, match=r"overlap by .* km² along their borders"):
        read = read_provinces(frame)
    whole = area_km2(read_provinces(frame_of([box(0, 0, 20, 10)])))[0]
    assert area_km2(read).sum() == pytest.approx(whole)


def test_points_and_lines_are_refused():
    frame = frame_of([shapely.Point(0, 0), box(0, 0, 1, 1)])
    with pytest.raises(TypeError, match=r"must be polygons, but 1 of 2 are Point"):
        read_provinces(frame)


def test_rows_without_a_polygon_are_left_out():
    assert read_provinces(frame_of([None, *THREE[:2]], name=list("abc"))).names == ["b", "c"]
    with pytest.raises(ValueError, match=r"none of the 1 rows of provinces has a polygon and a"):
        read_provinces(frame_of([None], name=["a"]), "name")


def test_what_is_no_geodataframe_is_refused():
    with pytest.raises(
        TypeError, match=r"got the path 'a.gpkg'\. .*geopandas\.read_file\('a\.gpkg'"
    ):
        read_provinces("a.gpkg")
    with pytest.raises(TypeError, match=r"must be a GeoDataFrame of polygons.*got DataFrame"):
        read_provinces(pd.DataFrame({"name": ["a"]}))


def test_an_edge_that_may_cross_the_dateline_is_told_of():
    around = shapely.Polygon([(170, 0), (-170, 0), (-170, 10), (170, 10)])
    with pytest.warns(UserWarning, match=r"edges of 'isles' are longer than 180° of longitude"):
        read_provinces(frame_of([around], name=["isles"]))


def test_coordinates_without_a_place_are_refused():
    with pytest.raises(ValueError, match=r"NaN or infinite"):
        read_provinces(frame_of([box(0, 0, np.inf, 1)]))


def test_inputs_stay_as_they_are():
    frame = frame_of([*THREE[:2], box(190, 0, 200, 3)], name=list("aba"), crs="EPSG:4269")
    before = frame.copy()
    read_provinces(frame)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before))


def test_provinces_are_grouped_by_the_whole_of_their_names():
    long = "upper Palaeozoic, " * 10
    names = [long + "west", long + "east", long + "west"]
    read = read_provinces(frame_of(THREE, name=names))
    band = EARTH_RADIUS_KM**2 * np.radians(10) * np.sin(np.radians(10))
    np.testing.assert_allclose(area_km2(read), [2 * band, band])
    assert read.names[1] == f"{read.names[0]} (2)"
    assert len(read.names[0]) <= 101


def test_rows_without_names_stay_apart_if_their_index_repeats():
    read = read_provinces(frame_of(THREE).set_index(pd.Index([0, 1, 0])))
    assert read.names == ["0", "1", "0 (2)"]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4267", None])
def test_latitudes_beyond_the_poles_are_refused(crs):
    words = r"latitudes from 0 to 100.*swapped" if crs else r"no longitudes and latitudes"
    with pytest.raises(ValueError, match=words):
        read_provinces(frame_of([box(0, 0, 50, 100)], crs=crs))


def test_advice_for_swapped_axes_can_be_followed():
    swapped = frame_of([box(30, -120, 40, -110)])
    with pytest.raises(ValueError, match=r"swapped, turn them: (.*)$") as told:
        read_provinces(swapped)
    advice = str(told.value).split("turn them: ")[1]
    turned = eval(advice, {"frame": swapped, "shapely": shapely})
    np.testing.assert_allclose(turned.total_bounds, [-120, 30, -110, 40])
    assert area_km2(read_provinces(turned)) > 0


@pytest.mark.parametrize("crs", ['LOCAL_CS["mine",UNIT["metre",1]]', "EPSG:4978"])
def test_a_frame_that_has_no_place_on_the_earth_is_refused(crs):
    with pytest.raises(ValueError, match=r"cannot be brought to latitude and longitude .*set_crs"):
        read_provinces(frame_of(THREE, crs=crs))


def test_a_geographic_frame_in_other_units_is_read_in_them():
    gons = 'GEOGCS["g",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    gons += 'PRIMEM["Greenwich",0],UNIT["grad",0.01570796326794897]]'
    read = read_provinces(frame_of([box(0, 80, 100, 100)], crs=gons))
    expected = read_provinces(frame_of([box(0, 72, 90, 90)]))
    np.testing.assert_allclose(area_km2(read), area_km2(expected), rtol=1e-6)


def test_polygons_without_area_are_refused():
    flat = shapely.Polygon([(0, 0), (10, 0), (5, 0)])
    with pytest.warns(UserWarning, match="not valid"), pytest.raises(ValueError, match="no area"):
        read_provinces(frame_of([flat]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (THREE, r"got list\. .*geopandas\.GeoSeries\(polygons, crs=4326\)"),
        (THREE[0], r"got Polygon\. .*geopandas\.GeoSeries\(\[polygon\], crs=4326\)"),
        (pd.DataFrame({"wkt": ["POINT (0 0)"]}), r"got DataFrame\. .*GeoSeries\.from_wkt\("),
        (None, r"got None\. .*geopandas\.read_file\(\"provinces\.gpkg\"\)"),
        ("a.shp", r"got the path 'a\.shp'\. .*geopandas\.read_file\('a\.shp'\)"),
    ],
)
def test_what_is_no_frame_gets_advice_on_how_to_make_one(given, words):
    with pytest.raises(TypeError, match=words):
        read_provinces(given)


def test_empty_polygons_are_left_out_without_a_word(recwarn):
    read = read_provinces(frame_of([THREE[0], shapely.Polygon(), None], name=list("abc")))
    assert read.names == ["a"]
    assert not recwarn.list
