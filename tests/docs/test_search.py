"""What people type into the search of the site finds the right page among the first three."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

WANTED = {
    "how many clusters": "howto/number_of_clusters",
    "choose k": "howto/number_of_clusters",
    "elbow": "howto/number_of_clusters",
    "silhouette": "howto/number_of_clusters",
    "install": "installation",
    "colormap": "howto/colors",
    "own names": "howto/colors",
    "colours": "howto/colors",
    "cross section": "howto/cross_section",
    "area over time": "howto/area_over_time",
    "transitions": "howto/area_over_time",
    "interactive map": "explore",
    "colour-blind": "figures",
    "figsize": "figures",
    "GeoTIFF": "howto/geotiff",
    "TauP": "howto/velocity_models",
    "animation": "howto/animation",
    "QGIS": "howto/qgis",
    "shapefile": "howto/qgis",
    "Argo": "howto/argo",
    "ROMS": "howto/roms_wrf",
    "WRF": "howto/roms_wrf",
    "seasonal cycle": "howto/seasonal_cycle",
    "time series": "howto/seasonal_cycle",
    "larger than memory": "howto/larger_than_memory",
    "dask": "howto/larger_than_memory",
    "CSV": "howto/tables",
    "LaTeX table": "howto/tables",
    "reproduce": "howto/paper",
    "cite": "citation",
    "projection": "howto/figures",
    "font size": "howto/figures",
    "missing values": "howto/missing_values",
    "NaN": "howto/missing_values",
    "compare models": "howto/compare_models",
    "predict": "howto/new_data",
    "SeisGo": "seisgo",
    "scikit-learn": "scikit_learn",
    "MiniSom": "minisom",
    "dynamic time warping": "dtw",
    "changelog": "changelog",
}


@pytest.fixture(scope="session")
def found(site):
    """Pages found by each query, best first, each once."""
    if shutil.which("node") is None:
        pytest.skip("needs node, which runs the search of the site")
    program = Path(__file__).with_name("search.js")
    said = subprocess.run(
        ["node", program, site],
        input=json.dumps(list(WANTED)), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return {
        query: list(dict.fromkeys(pages))
        for query, pages in zip(WANTED, json.loads(said), strict=True)
    }


@pytest.mark.parametrize("query", WANTED)
def test_search_finds_the_page_among_the_first_three(found, query):
    assert WANTED[query] in found[query][:3], found[query][:6]
