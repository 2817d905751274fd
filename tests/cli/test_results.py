import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xvcluster import open_result


def test_info_describes_a_result(clustered, succeed):
    text = succeed("info", clustered)
    assert "A result of xvcluster: k-means of vs: 503 profiles of 41 levels" in text
    assert text.splitlines()[-1].split()[0] == "3"


def test_predict_writes_labels_as_integers(clustered, model, succeed, is_png):
    text = succeed("predict", clustered, model, "-o", "labels.nc", "--plot", "labels.png")
    assert "503 of 504 points labelled" in text
    assert is_png("labels.png")
    expected = open_result(clustered).labels
    xr.testing.assert_equal(xr.load_dataset("labels.nc")["label"], expected)
    raw = xr.load_dataset("labels.nc", mask_and_scale=False)["label"]
    assert raw.dtype == np.int16
    assert raw.attrs["_FillValue"] == -1
    assert raw.values.min() == -1
    assert raw.attrs["flag_meanings"] == "cluster_1 cluster_2 cluster_3"


def test_predict_takes_the_result_s_variables_from_many(clustered, tomography, succeed):
    tomography.assign(vp=1.8 * tomography["vs"]).to_netcdf("two.nc")
    succeed("predict", clustered, "two.nc")
    expected = open_result(clustered).labels
    xr.testing.assert_equal(xr.load_dataset("two_labels.nc")["label"], expected)


def test_predict_keeps_an_existing_file(clustered, model, refuse):
    Path("model_labels.nc").write_text("precious")
    assert "exists already" in refuse("predict", clustered, model)
    assert Path("model_labels.nc").read_text() == "precious"


def test_predict_refuses_what_does_not_fit(clustered, model, tomography, refuse):
    assert "model.nc is not a result of xvcluster" in refuse("predict", model, model)
    tomography.sel(depth=slice(0, 50)).to_netcdf("shallow.nc")
    assert "cover only 0 to 50 km" in refuse("predict", clustered, "shallow.nc")


@pytest.mark.parametrize("kind", ["map", "profiles", "summary"])
def test_plot_draws_a_result(clustered, kind, succeed, is_png):
    assert f"Wrote clusters_{kind}.png" in succeed("plot", clustered, "--kind", kind, "--dpi", "50")
    assert is_png(f"clusters_{kind}.png")


def test_plot_writes_the_format_of_the_name(clustered, succeed):
    succeed("plot", clustered, "--kind", "map", "-o", "map.pdf")
    assert Path("map.pdf").read_bytes().startswith(b"%PDF")


def test_plot_draws_a_som(model, succeed, is_png):
    succeed("som", model, "--grid", "3", "3", "--iterations", "500")
    succeed("plot", "model_clusters.nc", "--kind", "som", "--dpi", "50")
    assert is_png("model_clusters_som.png")


def test_plot_draws_the_tree_of_ward(model, clustered, succeed, refuse, is_png):
    succeed("ward", model, "-k", "4", "-o", "ward.nc")
    for kind in ("tree", "maps"):
        succeed("plot", "ward.nc", "--kind", kind, "--dpi", "50")
        assert is_png(f"ward_{kind}.png")
        assert "this result has no tree" in refuse("plot", clustered, "--kind", kind)


def test_plot_draws_the_criteria_if_a_sweep_chose_k(model, clustered, succeed, refuse, is_png):
    succeed("kmeans", model, "--k-range", "2", "8", "--stride", "2")
    succeed("plot", "model_clusters.nc", "--kind", "criteria", "--dpi", "50")
    assert is_png("model_clusters_criteria.png")
    assert "contains no sweep" in refuse("plot", clustered, "--kind", "criteria")


def test_plot_keeps_an_existing_file(clustered, succeed, refuse, is_png):
    Path("clusters_map.png").write_text("precious")
    assert "exists already" in refuse("plot", clustered, "--kind", "map")
    assert Path("clusters_map.png").read_text() == "precious"
    succeed("plot", clustered, "--kind", "map", "--dpi", "50", "--overwrite")
    assert is_png("clusters_map.png")


def test_plot_refuses_what_is_no_result(clustered, model, refuse):
    assert "is not a result of xvcluster" in refuse("plot", model)
    assert "there is no file" in refuse("plot", "missing.nc")
    assert "cannot be written as" in refuse("plot", clustered, "-o", "clusters.txt")
    assert "has no nodes" in refuse("plot", clustered, "--kind", "som")


@pytest.mark.parametrize("dpi", ["9", "2401", "100000"])
def test_plot_limits_dpi(clustered, dpi, run):
    outcome = run("plot", clustered, "--dpi", dpi)
    assert outcome.exit_code == 2
    assert f"{dpi} is not in the range 10<=x<=2400" in outcome.stderr


def test_predict_in_chunks_writes_and_counts_labels(clustered, store, succeed):
    text = succeed("predict", clustered, store, "--chunks", "6", "-o", "labels.zarr")
    assert "503 of 504 points labelled" in text
    written = xr.open_zarr("labels.zarr", consolidated=False)["label"]
    np.testing.assert_array_equal(written, open_result(clustered).labels)


def test_info_tells_of_stores_and_of_results_in_them(store, succeed):
    assert "503 profiles of 41 levels" in succeed("info", store)
    succeed("kmeans", store, "-k", "2", "-o", "two.zarr")
    assert "A result of xvcluster: k-means" in succeed("info", "two.zarr")


def test_explore_writes_a_page_with_and_without_the_model(clustered, model, succeed):
    assert "Wrote clusters_explorer.html, 1." in succeed("explore", clustered)
    assert '"has_profiles": false' in Path("clusters_explorer.html").read_text()
    said = succeed("explore", clustered, model, "-o", "atlas.html")
    assert said.startswith("Wrote atlas.html")
    assert '"has_profiles": true' in Path("atlas.html").read_text()


def test_explore_prepares_the_model_as_it_was(model, succeed, refuse):
    how = ("--depth", 0, 60, "--dz", 10, "--stride", 2)
    succeed("kmeans", model, "-k", "3", *how, "-o", "clusters.nc")
    assert "other places than the result" in refuse("explore", "clusters.nc", model)
    succeed("explore", "clusters.nc", model, *how)
    assert "exists already" in refuse("explore", "clusters.nc", "--dz", 10)
    said = refuse("explore", "clusters.nc", "--dz", 10, "--overwrite")
    assert "--dz has no effect without MODEL" in said


def test_explore_refuses_what_it_must_not_write(clustered, model, refuse, succeed):
    Path("atlas.html").write_text("precious")
    assert "exists already" in refuse("explore", clustered, "-o", "atlas.html")
    assert Path("atlas.html").read_text() == "precious"
    succeed("explore", clustered, "-o", "atlas.html", "--overwrite")
    assert Path("atlas.html").read_text().startswith("<!DOCTYPE html>")
    assert "must end in one of .html" in refuse("explore", clustered, "-o", "atlas.png")
    said = refuse("explore", clustered, model, "-o", model, "--overwrite")
    assert "is an input of this command" in said


def test_boundaries_keep_every_part_of_another_shapefile(clustered, refuse, succeed):
    pytest.importorskip("geopandas")
    Path("x.dbf").write_text("mine")
    said = refuse("boundaries", clustered, "x.shp")
    assert "x.dbf exists already; choose another name, or add --overwrite" in said
    assert Path("x.dbf").read_text() == "mine"
    assert not Path("x.shp").exists()
    succeed("boundaries", clustered, "x.shp", "--overwrite")
    assert Path("x.dbf").read_bytes() != b"mine"


def test_a_pipe_is_refused_before_anything_is_computed(model, refuse):
    os.mkfifo("pipe.nc")
    said = refuse("kmeans", model, "-k", "99999", "-o", "pipe.nc", "--overwrite")
    assert "'pipe.nc' is neither a file nor a folder but a device, pipe or socket" in said


def test_plot_takes_the_options_of_figures(clustered, succeed, monkeypatch):
    import matplotlib.pyplot as plt
    from matplotlib.colors import to_rgba

    kept = {}
    close = plt.close

    def keep(number):
        kept["figure"] = plt.figure(number)
        close(number)

    monkeypatch.setattr(plt, "close", keep)
    size = ["--figsize", "5", "4", "--dpi", "40", "--overwrite"]
    options = ["--title", "Provinces", "--colors", "1=red,3=#0000ff", *size]
    succeed("plot", clustered, *options, "--extent", "-124", "-118", "42", "48")
    figure = kept["figure"]
    assert tuple(figure.get_size_inches()) == (5, 4)
    assert figure.get_suptitle() == "Provinces"
    lines = figure.axes[1].lines
    assert [to_rgba(line.get_color()) for line in lines[::2]] == [to_rgba("red"), to_rgba("blue")]
    map_options = ["--legend", "none", "--projection", "lambert azimuthal equal area"]
    succeed("plot", clustered, "--kind", "map", *size, *map_options, "--scale-bar", "100")
    (ax,) = kept["figure"].axes
    assert ax.get_legend() is None
    assert type(ax.projection).__name__ == "LambertAzimuthalEqualArea"
    west, east, south, north = ax.get_extent()
    assert west == pytest.approx(-east, rel=0.1)  # centred on the map
    assert south == pytest.approx(-north, rel=0.1)
    succeed("plot", clustered, "--kind", "profiles", *size, "--ncols", "3", "--colors", "viridis")
    assert len(kept["figure"].axes) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--kind", "profiles", "--projection", "Robinson"],
            "--projection has no effect with --kind",
        ),
        (
            ["--kind", "som", "--extent", "0", "1", "0", "1"],
            "--extent has no effect with --kind som",
        ),
        (
            ["--kind", "criteria", "--colors", "viridis"],
            "--colors has no effect with --kind criteria",
        ),
        (["--kind", "map", "--cmap", "viridis"], "--cmap has no effect with --kind map"),
        (["--kind", "map", "-k", "3"], "-k has no effect with --kind map"),
        (["--projection", "Robinsn"], "cartopy has no projection 'Robinsn'; did you mean Robinson"),
        (["--colors", "virdis"], "colors='virdis' are no colours"),
        (["--colors", "1=red,blue"], "gives some colours with a cluster and some without"),
        (["--legend", "beside"], "legend='beside' is no place for a legend"),
        (["--kind", "tree", "--legend", "center"], "legend must be True, False or None"),
        (["--figsize", "0", "3"], "the width of figsize must be finite and at least 0.5"),
        (["--extent", "0", "1", "9", "3"], "has its south, 9, not below its north, 3"),
        (["--scale-bar", "long"], "--scale-bar long is neither 'auto' nor a length in km"),
    ],
)
def test_plot_refuses_options_before_anything_is_read(folder, options, said, refuse):
    assert said in refuse("plot", "there_is_no_such_file.nc", *options)


def test_plot_draws_a_section_between_its_ends(clustered, succeed, refuse, is_png):
    ends = ("--start", -119, 36, "--end", -112, 40)
    succeed("plot", clustered, "--kind", "section", *ends, "--dpi", "50")
    assert is_png("clusters_section.png")
    assert "a section needs its ends" in refuse("plot", clustered, "--kind", "section")
    assert "--start has no effect with --kind map" in refuse(
        "plot", clustered, "--kind", "map", *ends
    )


def test_commands_take_and_show_names_of_clusters(clustered, succeed, refuse):
    open_result(clustered).rename({2: "Basin"}).to_netcdf("named.nc")
    assert "Basin" in succeed("info", "named.nc")
    succeed("boundaries", "named.nc", "out.geojson", "--cluster", "Basin")
    assert '"cluster": 2' in Path("out.geojson").read_text()
    assert "there is no cluster 'Range'" in refuse(
        "boundaries", "named.nc", "other.geojson", "--cluster", "Range"
    )
