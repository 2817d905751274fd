"""Pages opened from the disk in headless Chromium, with the network cut."""

import itertools

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.explore.lines import find_lines

COLORS = {1: (255, 0, 0), 2: (0, 192, 0), 3: (0, 0, 255)}


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of an explorer; afterwards no error and no request may have been noted."""

    def open_page(explorer, width=1400):
        path = tmp_path / "page.html"
        explorer.save(path)
        browser.resize(width, 900, mobile=width < 600)
        browser.open(path)
        browser.settle()
        return browser

    yield open_page
    browser.settle()
    assert [said for kind, said in browser.log if kind in ("error", "assert")] == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


def at_place(page, lon, lat):
    """Pixels of a place on the map."""
    return page.evaluate(f"""(() => {{
      const frame = Bokeh.index.get(map).frame.bbox, box = at("map").getBoundingClientRect()
      const share = (range, value) => (value - range.start) / (range.end - range.start)
      return [box.left + frame.left + share(map.x_range, {lon}) * frame.width,
              box.top + frame.top + (1 - share(map.y_range, {lat})) * frame.height]
    }})()""")


def drawn(page, name, column, panel=0):
    """What a line of a panel shows."""
    return page.evaluate(
        f'Array.from(model(panels[{panel}], "{name}").data_source.data["{column}"])'
    )


def text(page, name):
    return page.evaluate(f'document.getElementById("{name}").innerText')


def pixel(page, x, y):
    """Colour of a pixel as it is seen."""
    import base64
    import io

    from PIL import Image

    clip = {"x": x, "y": y, "width": 1, "height": 1, "scale": 1}
    taken = page.call("Page.captureScreenshot", {"format": "png", "clip": clip})["data"]
    return Image.open(io.BytesIO(base64.b64decode(taken))).convert("RGB").getpixel((0, 0))


def assert_to_scale(page, ratio):
    """Assert that a degree of latitude, or a km, is so many times as long as one of longitude."""
    east, north = page.evaluate("""(() => {
      const {width, height} = Bokeh.index.get(map).frame.bbox, {x_range, y_range} = map
      return [width / (x_range.end - x_range.start), height / (y_range.end - y_range.start)]
    })()""")
    assert north / east == pytest.approx(ratio, rel=0.01)


def test_pointing_and_clicking_show_the_point_and_its_profile(model, opened):
    result = model.vcluster.kmeans(3).rename({2: "Arc <b>"})
    page = opened(result.explore())
    assert page.evaluate("at('tip').hidden")
    point = {"latitude": 38.0, "longitude": -117.0}
    label = int(result.labels.sel(point))
    name = "Arc <b>" if label == 2 else f"Cluster {label}"
    x, y = at_place(page, -117.1, 38.1)
    page.move(x, y)
    assert text(page, "tip").split("\n")[:2] == [name, "38° N, 117° W"]
    assert drawn(page, "profile", "value") == []
    np.testing.assert_allclose(drawn(page, "centroids", "x"), result.centroids["vs"], rtol=1e-6)
    page.click(x, y)
    assert text(page, "said").startswith(f"{name}; 38° N, 117° W; margin 0.")
    assert page.evaluate('model(map, "ring").data_source.data') == {"x": [-117], "y": [38]}
    others = result.centroids["vs"].drop_sel(cluster=label)
    np.testing.assert_allclose(drawn(page, "centroids", "x"), others, rtol=1e-6)
    np.testing.assert_allclose(drawn(page, "profile", "value"), model.sel(point), rtol=1e-4)
    centroid = result.centroids["vs"].sel(cluster=label)
    np.testing.assert_allclose(drawn(page, "centroid", "centroid"), centroid, rtol=1e-6)
    upper = result.dataset["vs_quantile"].sel(cluster=label, quantile=0.75)
    np.testing.assert_allclose(drawn(page, "band lower", "upper"), upper, rtol=1e-6)
    assert page.evaluate("document.querySelector('tr.of-point').dataset.cluster") == str(label)
    assert page.evaluate("panels[0].y_range.start > panels[0].y_range.end")  # depth points down
    page.move(*at_place(page, -128.0, 38.0))
    assert page.evaluate("at('tip').hidden")


def test_the_map_shows_the_colours_of_clusters_and_fields_and_hides_clusters(rough_model, opened):
    result = rough_model.vcluster.kmeans(3).recolor(["#ff0000", "#00c000", "#0000ff"])
    page = opened(result.explore())
    for lat, lon in ((36.0, -118.0), (41.0, -113.0), (45.0, -117.0)):
        label = int(result.labels.sel(latitude=lat, longitude=lon))
        x, y = at_place(page, lon + 0.25, lat + 0.25)
        assert pixel(page, x, y) == COLORS[label]
    page.evaluate(f"document.querySelector('input[data-cluster=\"{label}\"]').click()")
    page.settle()
    assert pixel(page, x, y) == (255, 255, 255)
    others = result.centroids["vs"].drop_sel(cluster=label)
    np.testing.assert_allclose(drawn(page, "centroids", "x"), others, rtol=1e-6)
    page.move(x, y)
    assert page.evaluate("at('tip').hidden")
    page.evaluate("at('all').click()")
    page.evaluate("at('field').value = 'margin'; at('field').dispatchEvent(new Event('change'))")
    page.settle()
    margin = float(result.dataset["margin"].sel(latitude=lat, longitude=lon))
    shade = page.evaluate(f"rgb(about.palette[Math.round(255 * {margin})])")
    assert np.abs(np.subtract(pixel(page, x, y), shade)).max() <= 4
    page.move(x, y)
    assert f"margin {margin:.1}" in text(page, "tip")


def test_an_uneven_grid_shows_the_colours_of_its_cells_to_scale_amid_coastlines(
    rough_model, opened
):
    lat = 35 + np.array([0, 1, 2.5, 4, 5, 6, 7, 8.25, 9, 10, 11, 12])
    data = rough_model.assign_coords(latitude=("latitude", lat, rough_model["latitude"].attrs))
    result = data.vcluster.kmeans(3).recolor(["#ff0000", "#00c000", "#0000ff"])
    page = opened(result.explore())
    assert page.evaluate("raster === undefined")
    for south, lon in ((37.5, -118.0), (43.25, -113.0), (46.0, -117.0)):
        label = int(result.labels.sel(latitude=south, longitude=lon))
        assert pixel(page, *at_place(page, lon - 0.3, south + 0.3)) == COLORS[label]
    west, east, south, north = page.evaluate("about.box")
    assert_to_scale(page, 1 / np.cos(np.radians((south + north) / 2)))
    page.evaluate("model(map, 'cells').visible = false")
    lines = find_lines((west, east, south, north))
    ends = page.evaluate(
        '["x", "y"].map((c) => Array.from(model(map, "lines").data_source.data[c]))'
    )
    np.testing.assert_allclose(np.array(ends, float).T, lines, rtol=1e-5)
    page.settle()
    apart = np.hypot(*(lines - (-124.4, 40.4)).T)  # from Cape Mendocino
    x, y = at_place(page, *lines[np.nanargmin(apart)])
    around = itertools.product((-1, 0, 1), repeat=2)
    assert min(max(pixel(page, x + i, y + j)) for i, j in around) < 160


def test_points_without_a_profile_are_no_cells(rough_model, opened):
    page = opened(rough_model.vcluster.kmeans(3).explore())
    x, y = at_place(page, -120.0, 35.0)  # where the model has no data
    page.move(x, y)
    assert page.evaluate("at('tip').hidden")
    page.click(x, y)
    assert drawn(page, "profile", "value") == []
    assert text(page, "said").startswith("Click a point")


def test_a_name_in_the_table_highlights_its_cluster(model, opened):
    result = model.vcluster.kmeans(3)
    page = opened(result.explore())
    page.evaluate("document.querySelectorAll('tbody button')[1].click()")
    page.settle()
    assert page.evaluate("document.querySelector('tr.lit').dataset.cluster") == "2"
    assert text(page, "said").startswith("Cluster 2: its centroid")
    centroid = result.centroids["vs"].sel(cluster=2)
    np.testing.assert_allclose(drawn(page, "centroid", "centroid"), centroid, rtol=1e-6)
    pale = page.evaluate("Array.from(colours, (c) => c >>> 24)")
    full = np.array(pale).reshape(7, 9) == 255
    np.testing.assert_array_equal(full, result.labels == 2)


def test_the_keys_go_from_point_to_point(model, opened):
    page = opened(model.vcluster.kmeans(3).explore())
    page.evaluate("at('map').focus()")
    page.press("ArrowRight")
    assert "38° N, 116° W" in text(page, "said")
    page.press("ArrowRight")
    assert "38° N, 115° W" in text(page, "said")
    page.press("ArrowUp")
    assert "39° N, 115° W" in text(page, "said")
    page.press("Escape")
    assert text(page, "said").startswith("Click a point")


def test_polygons_over_the_dateline_answer_where_they_are(bent_model, opened):
    moved = bent_model.assign_coords(lon=(bent_model["lon"] + 295 + 180) % 360 - 180)
    result = moved.vcluster.kmeans(3)
    page = opened(result.explore())
    for row, column in ((5, 2), (5, 8)):
        lat, lon = (float(moved[n][row, column]) for n in ("lat", "lon"))
        lon += 360 * round((page.evaluate("(map.x_range.start + map.x_range.end) / 2") - lon) / 360)
        page.click(*at_place(page, lon, lat))
        profile = moved.isel(y=row, x=column)
        np.testing.assert_allclose(drawn(page, "profile", "value"), profile, rtol=3e-3)
    page.press("Escape")
    page.evaluate("map.x_range.setv({start: map.x_range.start - 360, end: map.x_range.end - 360})")
    page.settle()
    page.click(*at_place(page, lon - 360, lat))
    np.testing.assert_allclose(drawn(page, "profile", "value"), profile, rtol=3e-3)


def test_slanted_cells_answer_for_what_lies_within_them_only(bent_model, opened):
    y, x = np.meshgrid(np.arange(12.0), np.arange(11.0), indexing="ij")
    lat = bent_model["lat"].copy(data=y + 0.8 * x - 10)
    data = bent_model.assign_coords(lat=lat, lon=bent_model["lon"].copy(data=x))
    page = opened(data.vcluster.kmeans(3).explore())
    assert_to_scale(page, 1.0)
    for row, column in ((5, 5), (8, 2)):
        # near the southeastern corner, as far north as a part of the cell in the south
        lon, south = float(data["lon"][row, column]), float(data["lat"][row, column])
        page.click(*at_place(page, lon + 0.3, south - 0.2))
        profile = data.isel(y=row, x=column)
        np.testing.assert_allclose(drawn(page, "profile", "value"), profile, rtol=3e-3)


def test_loose_points_answer_near_their_dots_only(model, opened):
    south = model.assign_coords(latitude=-model["latitude"])
    points = south.stack(p=("latitude", "longitude")).reset_index("p")
    page = opened(points.vcluster.kmeans(3, weights=None).explore())
    x, y = at_place(page, -117.0, -38.0)
    page.click(x + 20, y)
    assert text(page, "said").startswith("Click a point")
    page.click(x + 6, y - 6)
    assert "38° S, 117° W" in text(page, "said")
    own = south.sel(latitude=-38.0, longitude=-117.0)
    np.testing.assert_allclose(drawn(page, "profile", "value"), own, rtol=1e-4)


def test_profiles_over_time_run_from_left_to_right(model, opened):
    days = np.array([f"2001-0{m}-15" for m in range(1, 6)], "M8[ns]")
    cycle = model.rename(depth="time").assign_coords(time=days)
    page = opened(cycle.vcluster.kmeans(3, dim="time").explore())
    page.click(*at_place(page, -117.0, 38.0))
    own, at = cycle.sel(latitude=38.0, longitude=-117.0), days.astype("M8[ms]").astype(float)
    np.testing.assert_allclose(drawn(page, "profile", "value"), own, rtol=1e-4)
    np.testing.assert_array_equal(drawn(page, "profile", "level"), at)
    assert page.evaluate("[panels[0].x_range.start, panels[0].x_range.end]") == [at[0], at[-1]]
    low, high = page.evaluate("[panels[0].y_range.start, panels[0].y_range.end]")
    assert low < float(own.min()) < float(own.max()) < high
    assert page.evaluate('model(panels[0], "profile").glyph.x.field') == "level"


def test_a_map_over_the_pole_answers_where_it_is(opened):
    y, x = np.meshgrid(*[np.arange(-6, 7) * 200.0] * 2, indexing="ij")
    coords = {
        "lat": (("y", "x"), 90 - np.hypot(y, x) / 111.2, {"units": "degrees_north"}),
        "lon": (("y", "x"), np.degrees(np.arctan2(y, x)), {"units": "degrees_east"}),
        "depth": ("depth", [0.0, 10.0], {"units": "m", "positive": "down"}),
    }
    values = np.stack([y + 2 * x, y - x]) / 1000
    data = xr.DataArray(values, coords, ("depth", "y", "x"), name="t", attrs={"units": "degC"})
    page = opened(data.vcluster.kmeans(3).explore())
    assert page.evaluate("about.is_polar")
    assert_to_scale(page, 1.0)
    page.click(*at_place(page, 0, 0))
    assert "90° N" in text(page, "said")
    np.testing.assert_allclose(drawn(page, "profile", "value"), data.isel(y=6, x=6), atol=3e-3)
    cell = int(np.ravel_multi_index((8, 3), (13, 13)))
    place = page.evaluate(f"middle({cell})")
    page.click(*at_place(page, *place))
    np.testing.assert_allclose(drawn(page, "profile", "value"), data.isel(y=8, x=3), atol=3e-3)


def test_another_map_and_another_k_are_chosen(rough_model, opened):
    runs = xr.DataArray(["spring", "autumn"], dims="run", name="run")
    both = xr.concat([rough_model, rough_model.isel(depth=slice(None, None, -1))
                      .assign_coords(rough_model.coords)], runs)  # fmt: skip
    sweep = both.vcluster.sweep(range(2, 4), n_init=1)
    page = opened(sweep.result(2).explore())
    page.evaluate("at('maps').value = 1; at('maps').dispatchEvent(new Event('input'))")
    assert text(page, "map-name") == "run = autumn"
    page.click(*at_place(page, -115.0, 40.0))
    own = both.sel(run="autumn", latitude=40.0, longitude=-115.0)
    np.testing.assert_allclose(drawn(page, "profile", "value"), own, rtol=3e-3)
    page.evaluate("at('clustering').value = 1; at('clustering').dispatchEvent(new Event('change'))")
    label = int(sweep.result(3).labels.sel(run="autumn", latitude=40.0, longitude=-115.0))
    assert f"Cluster {label}" in text(page, "said")
    centroid = sweep.result(3).centroids["vs"].sel(cluster=label)
    np.testing.assert_allclose(drawn(page, "centroid", "centroid"), centroid, rtol=1e-6)
    np.testing.assert_allclose(drawn(page, "profile", "value"), own, rtol=3e-3)
    assert page.evaluate("document.querySelectorAll('tbody tr').length") == 3


def test_without_data_a_click_shows_the_cluster_and_says_so(model, opened, tmp_path):
    result = model.vcluster.kmeans(3)
    result.to_netcdf(tmp_path / "result.nc")
    page = opened(xvcluster.open_result(tmp_path / "result.nc").explore())
    page.click(*at_place(page, -117.0, 38.0))
    assert "margin" in text(page, "said")
    assert "without the data" in text(page, "said")
    label = int(result.labels.sel(latitude=38.0, longitude=-117.0))
    centroid = result.centroids["vs"].sel(cluster=label)
    np.testing.assert_allclose(drawn(page, "centroid", "centroid"), centroid, rtol=1e-6)
    assert drawn(page, "profile", "value") == []


def test_on_a_phone_nothing_is_wider_than_the_screen(two_variables, opened):
    page = opened(two_variables.vcluster.kmeans(3).explore(), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click(*at_place(page, -115.0, 40.0))
    assert len(drawn(page, "profile", "value", panel=1)) == 6


WATCH = """(() => {
  window.texts = []
  const {prototype} = CanvasRenderingContext2D, draw = prototype.fillText
  prototype.fillText = function (text, x, y, ...more) {
    const {a, e} = this.getTransform(), long = this.measureText(text).width
    const share = {left: 0, start: 0, center: 0.5, right: 1, end: 1}[this.textAlign]
    window.texts.push([text, a * (x - share * long) + e, a * (x + (1 - share) * long) + e])
    return draw.call(this, text, x, y, ...more)
  }
  map.x_range.setv({start: map.x_range.start + 1e-9})
})()"""


@pytest.mark.parametrize("step", [0.5, 15.0])
def test_longitudes_do_not_run_together_on_a_phone(model, opened, step):
    n = model.sizes["longitude"]
    wide = model.assign_coords(longitude=-125 + step * np.arange(n))
    page = opened(wide.vcluster.kmeans(3).explore(), width=390)
    page.evaluate(WATCH)
    page.wait_for("window.texts.some(([text]) => /[EW]$/.test(text))", 10)
    page.settle()
    texts = page.evaluate("window.texts")
    ends = sorted({text: ends for text, *ends in texts if text.endswith(("°", "E", "W"))}.values())
    assert len(ends) >= 2
    assert all(one[1] + 4 < other[0] for one, other in itertools.pairwise(ends))


def test_hostile_names_are_shown_as_text(model, opened):
    hostile = "</script><img src=x onerror=fail()>&$$\\href{x}{y}$$"
    model.attrs["long_name"] = hostile
    page = opened(model.to_dataset().vcluster.kmeans(3).rename({1: hostile}).explore())
    assert hostile in text(page, "table")
    assert page.evaluate("document.querySelector('#panels h2').textContent").startswith(hostile)
    assert page.evaluate("document.querySelectorAll('img, script').length") == 5


def test_a_frame_in_a_notebook_holds_the_page(model, browser, tmp_path):
    path = tmp_path / "notebook.html"
    shown = model.vcluster.kmeans(3).explore()._repr_html_()
    path.write_text(f"<!DOCTYPE html><body data-ready=yes>{shown}", encoding="utf-8")
    browser.resize(812, 900)  # as wide as a page of the documentation
    browser.open(path)
    frame = "document.querySelector('iframe').contentDocument"
    browser.wait_for(f"{frame} && {frame}.body && {frame}.body.dataset.ready === 'yes'")
    assert browser.evaluate(f"{frame}.querySelectorAll('tbody tr').length") == 3
    height = "document.querySelector('iframe').clientHeight"
    browser.wait_for(f"{height} === {frame}.body.offsetHeight", 10)
    assert browser.evaluate(f"{height} >= {frame}.documentElement.scrollHeight")
    assert browser.evaluate(f"{frame}.documentElement.scrollWidth") <= 812
    assert [said for kind, said in browser.log if kind == "error"] == []
