from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xvcluster import consensus, open_result
from xvcluster.cli.comparing import _describe_agreement


def test_match_renumbers_to_agree_with_a_reference(clustered, model, succeed, refuse, is_png):
    succeed("kmeans", model, "-k", 2, "-o", "two.nc")
    told = succeed("match", "two.nc", clustered, "--plot", "matched.png")
    assert "Agreement: adjusted Rand 0." in told
    found, reference = open_result("two_matched.nc"), open_result(clustered)
    xr.testing.assert_identical(found.dataset, open_result("two.nc").match(reference).dataset)
    assert found.n_clusters == 3
    assert is_png("matched.png")
    assert "two_matched.nc" in refuse("match", "two.nc", clustered)


def test_consensus_counts_models(clustered, model, succeed, is_png):
    succeed("kmeans", model, "-k", 3, "--normalize", "level", "-o", "other.nc")
    told = succeed("consensus", clustered, "other.nc", "--plot", "votes.png", "--cluster", 2)
    assert "Mean agreement of 2 models: " in told
    assert "by area, where two or more have a label" in told
    votes = xr.load_dataset("consensus.nc")["votes"]
    assert votes.sizes == {"cluster": 3, "latitude": 18, "longitude": 28}
    assert set(np.unique(votes)) <= {0, 1, 2}
    assert is_png("votes.png")
    succeed("consensus", clustered, "other.nc", "--grid", 2, "-o", "global.nc")
    assert xr.load_dataset("global.nc")["votes"].sizes == {
        "cluster": 3,
        "latitude": 90,
        "longitude": 180,
    }


def test_consensus_tells_the_agreement_by_area_of_points_with_several_models():
    labels = xr.DataArray(
        [[1.0, 2.0, 1.0, 2.0]], {"lat": [0.0], "lon": [0.0, 1.0, 2.0, 3.0]}, ("lat", "lon")
    )
    tall = xr.concat([labels, labels.assign_coords(lat=[60.0])], "lat")
    # at 60 degrees both disagree in half of the points; one in four has a single model
    other = tall.copy(data=[[1.0, 2.0, 1.0, np.nan], [2.0, 2.0, 2.0, np.nan]])
    said = _describe_agreement(consensus([tall, other]), 2)
    weights = np.sin(np.radians([30.0, 90.0])) - np.sin(np.radians([-30.0, 30.0]))
    expected = np.average([1.0, (0.5 + 1.0 + 0.5) / 3], weights=weights)
    assert (
        said
        == f"Mean agreement of 2 models: {expected:.0%} by area, where two or more have a label"
    )


def test_consensus_says_where_no_point_has_several_models():
    whole = xr.DataArray(
        [[1.0, 1.0, 2.0, 2.0]], {"lat": [0.0], "lon": [0.0, 1.0, 2.0, 3.0]}, ("lat", "lon")
    )
    west, east = whole.where(whole["lon"] < 2), whole.where(whole["lon"] > 1)
    said = _describe_agreement(consensus([west, east], reference=whole), 2)
    assert said == "No point has a label of more than one of the 2 models"


def test_consensus_counts_the_clusters_of_a_reference(clustered, model, succeed):
    succeed("kmeans", model, "-k", 2, "-o", "two.nc")
    succeed("kmeans", model, "-k", 4, "-o", "four.nc")
    succeed("consensus", clustered, "two.nc", "--reference", "four.nc")
    found = xr.load_dataset("consensus.nc")
    results = {name: open_result(name) for name in (clustered, "two.nc")}
    expected = consensus(results, reference=open_result("four.nc"))
    xr.testing.assert_equal(found, expected)
    assert found.sizes["cluster"] == 4


def test_consensus_never_writes_over_its_reference(clustered, refuse):
    Path("other.nc").write_bytes(Path(clustered).read_bytes())
    Path("third.nc").write_bytes(Path(clustered).read_bytes())
    options = ["--reference", "third.nc", "-o", "third.nc", "--overwrite"]
    said = refuse("consensus", clustered, "other.nc", *options)
    assert "third.nc is an input of this command" in said


def test_consensus_refuses_what_it_cannot_count_or_draw(clustered, refuse):
    assert "requires the results of two or more models; got 0" in refuse("consensus")
    assert "requires the results of two or more models; got 1" in refuse("consensus", clustered)
    Path("other.nc").write_bytes(Path(clustered).read_bytes())
    drawn = ["--plot", "votes.png", "--cluster", 9]
    said = refuse("consensus", clustered, "other.nc", *drawn)
    assert "there is no cluster 9 to draw; choose one of 1, 2, 3" in said
    assert "clusters.nc is given twice" in refuse("consensus", clustered, clustered)
    assert not Path("consensus.nc").exists()


@pytest.fixture
def provinces(folder):
    """Two provinces side by side in a GeoPackage, and a row without a name."""
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    corners = [(-130, -115), (-115, -90), (0, 10)]
    shapes = [shapely.box(west, 20, east, 60) for west, east in corners]
    frame = geopandas.GeoDataFrame(
        {"unit": ["coast", "plains", None], "code": ["a", "b", "c"]}, geometry=shapes, crs=4326
    )
    frame.to_file(folder / "provinces.gpkg")
    return "provinces.gpkg"


def test_compare_with_polygons(clustered, provinces, succeed, is_png):
    files = ["-o", "table.csv", "--plot", "agreement.png"]
    told = succeed("compare", clustered, provinces, "--column", "unit", "--n", 49, *files)
    assert "Clusters agree with the provinces of 'unit' with an adjusted Rand index of" in told
    assert "49 random shifts and mirror images of the region" in told
    assert "V-measure 0." in told
    assert "Wrote table.csv" in told
    assert is_png("agreement.png")
    import geopandas

    frame = geopandas.read_file(provinces)
    expected = open_result(clustered).compare(frame, "unit", n=49)
    assert expected.report() in told
    table = pd.read_csv("table.csv", index_col="cluster")
    assert list(table) == ["coast", "plains"]
    np.testing.assert_allclose(table, expected.dataset["contingency"])
    measures = pd.read_csv("table_measures.csv", index_col="measure")
    assert measures["value"]["p_value"] == expected.p_value
    assert "49 random shifts and mirror images" in measures["meaning"]["p_value"]
    for name in ("adjusted_rand_index", "v_measure", "purity", "total_coverage"):
        assert measures["value"][name] == pytest.approx(float(expected.dataset[name]))


def test_compare_with_another_result(clustered, model, succeed):
    succeed("kmeans", model, "-k", 2, "-o", "two.nc")
    told = succeed("compare", clustered, "two.nc", "--n", 19, "--random-state", 3)
    expected = open_result(clustered).compare(open_result("two.nc"), n=19, random_state=3)
    assert told.strip() == expected.report()


def test_compare_names_options_in_what_it_says(clustered, succeed):
    told = succeed("compare", clustered, clustered, "--n", 0)
    assert "--n 0 asks for no p-value" in told
    told = succeed("compare", clustered, clustered, "--n", 19, "--null", "rotations")
    assert "take --null 'shifts'" in told


def test_compare_writes_over_no_table_of_measures(clustered, refuse):
    Path("table_measures.csv").write_text("mine")
    said = refuse("compare", clustered, clustered, "-o", "table.csv")
    assert "table_measures.csv exists already" in said


def test_compare_refuses_what_it_cannot_read_or_write(clustered, provinces, refuse):
    assert "there is no file 'other.gpkg'" in refuse("compare", clustered, "other.gpkg")
    said = refuse("compare", clustered, provinces)
    assert "several columns could name the provinces: 'unit', 'code'" in said
    assert "choose one, e.g. --column 'unit'" in said
    said = refuse("compare", clustered, clustered, "--column", "unit")
    assert "--column 'unit' names the provinces of a GeoDataFrame" in said
    assert "--n 5 moved maps cannot give" in refuse("compare", clustered, clustered, "--n", 5)
    assert "--n must be at least 0; got -1" in refuse("compare", clustered, clustered, "--n", -1)
    said = refuse("compare", clustered, provinces, "--column", "unit", "-o", "table.nc")
    assert "'table.nc' is no name for what this command writes" in said
    said = refuse("compare", clustered, provinces, "-o", "provinces.gpkg", "--overwrite")
    assert "provinces.gpkg is an input of this command" in said
    Path("broken.geojson").write_text("nothing")
    assert "'broken.geojson' cannot be read as polygons" in refuse(
        "compare", clustered, "broken.geojson"
    )
    assert not Path("table.csv").exists()
