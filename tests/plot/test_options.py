"""Every figure takes the same options, refuses bad ones before it draws, and leaves none open."""

import inspect
import re

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_rgba

from xvcluster import consensus, plot
from xvcluster.agreement import compare
from xvcluster.plot import Panels

N_PANELS = {"profiles": 3, "summary": 2, "som": 3, "criteria": 2, "maps": 2}
"""Of the figures below that have several."""
ON_MAPS = ("map", "votes", "maps")
NAMES = [name for name in plot.__all__ if name not in ("Panels", "cluster_colors")]


@pytest.fixture(scope="module")
def merged():
    values = np.random.default_rng(0).normal(size=(3, 6, 7)).cumsum(axis=0)
    coords = {"depth": [0.0, 10, 20], "lat": np.arange(40.0, 46), "lon": np.arange(5.0, 12)}
    return xr.DataArray(values, coords, name="vs").vcluster.ward(3)


@pytest.fixture
def draw(result_of, sweep_of, som_of, labels_of, merged):
    """Draw a small figure by its name."""
    labels = labels_of(np.arange(35.0, 45), np.arange(-120.0, -105), 3)

    def data(name):
        return {
            "map": lambda: labels,
            "votes": lambda: consensus([labels, labels]),
            "agreement": lambda: compare(labels, labels.shift(latitude=1), n=19),
            "som": lambda: som_of(3, 4),
            "criteria": lambda: sweep_of((2, 3)).assign(best=("criterion", [3]), criterion=["x"]),
            "maps": lambda: sweep_of((2, 3)),
            "tree": lambda: merged,
            "areas": lambda: xr.concat([labels, labels % 3 + 1], "time"),
            "transitions": lambda: xr.concat([labels, labels % 3 + 1], "time"),
        }.get(name, lambda: result_of(3))()

    ends = {"section": ((-119, 36), (-107, 43))}
    return lambda name, **options: getattr(plot, name)(data(name), *ends.get(name, ()), **options)


def new_axes(name):
    n = N_PANELS.get(name, 1)
    axes = []
    figure = plt.figure(figsize=(9, 6))
    for i in range(n):
        on_map = name in ON_MAPS or (name == "summary" and i == 0)
        projection = {"projection": ccrs.PlateCarree()} if on_map else {}
        axes.append(figure.add_subplot(1, n, i + 1, **projection))
    return axes


def axes_of(drawn):
    return list(drawn.axes) if isinstance(drawn, Panels) else [drawn]


@pytest.mark.parametrize("name", NAMES)
def test_figures_return_their_axes_which_know_the_figure(close, draw, name):
    drawn = close(draw(name))
    assert isinstance(drawn, Panels if name in N_PANELS else Axes)
    assert len(axes_of(drawn)) == N_PANELS.get(name, 1)
    assert all(isinstance(ax, Axes) for ax in axes_of(drawn))
    assert drawn.figure is plt.figure(plt.get_fignums()[0])


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_in_the_axes_that_are_given(close, draw, name):
    axes = new_axes(name)
    several = name in N_PANELS
    given = {"axes": axes} if several else {"ax": axes[0]}
    assert axes_of(close(draw(name, **given))) == axes
    assert len(plt.get_fignums()) == 1
    assert axes[0].figure.get_suptitle() == ""
    with pytest.raises(ValueError, match=r"figsize=\(3, 3\) has no effect on the given ax"):
        draw(name, **given, figsize=(3, 3))


@pytest.mark.parametrize("name", N_PANELS)
def test_figures_take_one_axes_per_panel(draw, name):
    axes = new_axes(name)[1:]
    with pytest.raises(ValueError, match=rf"axes has {len(axes)} axes for {N_PANELS[name]} panels"):
        draw(name, axes=axes)
    with pytest.raises(TypeError, match=r"axes holds a str; pass Axes of matplotlib"):
        draw(name, axes=["left"])
    plt.close("all")


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_the_size_and_the_title_that_are_given(close, draw, name):
    drawn = close(draw(name, figsize=(5.5, 4), title="Provinces"), drawn=True)
    assert tuple(drawn.figure.get_size_inches()) == (5.5, 4)
    titles = {drawn.figure.get_suptitle(), *(ax.get_title() for ax in drawn.figure.axes)}
    titles |= {text.get_text() for text in drawn.figure.texts}
    assert "Provinces" in titles


BAD = {
    "figsize": [
        ((3,), ValueError, r"figsize must be \(width, height\) in inches; got \(3,\)"),
        ("wide", TypeError, r"figsize must be \(width, height\) in inches; got 'wide'"),
        (4, TypeError, r"figsize must be \(width, height\)"),
        ((3, 0), ValueError, r"the height of figsize must be finite and at least 0\.5"),
        ((np.inf, 3), ValueError, r"the width of figsize must be finite"),
        (("3", 3), TypeError, r"the width of figsize must be a number"),
    ],
    "title": [(3, TypeError, r"title must be text; got 3")],
    "cmap": [
        ("virdis", ValueError, r"cmap='virdis' is no colormap; .* such as 'viridis'"),
        (3, ValueError, r"cmap=3 is no colormap"),
    ],
    "legend": [
        ("beside", (ValueError, TypeError), r"legend='beside' is no place|legend must be True"),
        (3, TypeError, r"legend must be True"),
    ],
    "colors": [
        (["red"], ValueError, r"colors has 1 colours for \d+ clusters"),
        ("virdis", ValueError, r"colors='virdis' are no colours"),
        ({99: "red"}, ValueError, r"there is no cluster 99; the clusters are 1, 2"),
    ],
    "extent": [((1, 2), ValueError, r"extent=\(1, 2\) is not four numbers")],
    "projection": [("Robinson", TypeError, r"such as cartopy\.crs\.Robinson\(\)")],
}


TAKEN = [(n, o) for n in NAMES for o in BAD if o in inspect.signature(getattr(plot, n)).parameters]


@pytest.mark.parametrize(("name", "option"), TAKEN)
def test_figures_refuse_bad_options_before_they_begin(draw, name, option, monkeypatch):
    def never(*_, **__):
        raise AssertionError("a figure was begun")

    monkeypatch.setattr(plt, "figure", never)
    for value, error, message in BAD[option]:
        with pytest.raises(error, match=message):
            draw(name, **{option: value})


@pytest.mark.parametrize("name", NAMES)
def test_figures_refuse_unknown_options_and_say_what_was_meant(draw, name):
    with pytest.raises(
        TypeError, match=rf"plot\.{name} has no option 'titel'; did you mean 'title'\? It takes "
    ):
        draw(name, titel="Provinces")
    with pytest.raises(TypeError, match=rf"plot\.{name} has no option 'qqq'; it takes "):
        draw(name, qqq=1)


@pytest.mark.parametrize("name", NAMES)
def test_figures_that_fail_are_closed(draw, name, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no ink")

    for target in ("matplotlib.axes.Axes.plot", "matplotlib.axes.Axes.imshow",
                   "matplotlib.axes.Axes.add_collection", "matplotlib.axes.Axes.errorbar",
                   "matplotlib.axes.Axes.fill_betweenx"):  # fmt: skip
        monkeypatch.setattr(target, fail)
    with pytest.raises(RuntimeError, match="no ink"):
        draw(name)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_describe_every_option_and_the_shared_ones_alike(name):
    function = getattr(plot, name)
    text = inspect.getdoc(function)
    assert "%(" not in text
    named = re.findall(r"^(\*{0,2}\w[\w, ]*?) ?(?::|$)", text, re.MULTILINE)
    named = {name.strip("* ") for line in named for name in line.split(",")}
    assert set(inspect.signature(function).parameters) <= named
    for option, said in {
        "figsize": "Width and height of the new figure in inches.",
        "title": "Title above all.",
        "colors": "One colour per cluster, in the order of their numbers;",
    }.items():
        if option in inspect.signature(function).parameters:
            assert said in text


def test_colors_by_number_or_name_change_some_clusters(close, result_of):
    dataset = result_of(3)
    dataset["label"].attrs["cluster_names"] = ["", "Arc", ""]
    automatic = plot.cluster_colors(dataset["label"])
    for colors in ({2: "black"}, {"Arc": "black"}):
        lines = close(plot.summary(dataset, colors=colors)).axes[1].lines
        drawn = [to_rgba(line.get_color()) for line in lines]
        np.testing.assert_allclose(drawn, [automatic[0], (0, 0, 0, 1), automatic[2]])


def test_colors_of_several_k_are_those_of_the_largest(close, sweep_of):
    colors = ["red", "lime", "blue"]
    panels = close(plot.maps(sweep_of((2, 3)), colors=colors))
    for ax, expected in zip(panels.axes, (colors[:2], colors), strict=True):
        mesh = next(a for a in ax.collections if isinstance(a, QuadMesh))
        drawn = mesh.to_rgba(np.arange(len(expected)) + 1.0)
        np.testing.assert_allclose(drawn, [to_rgba(color) for color in expected])


def test_colors_are_those_of_every_panel(close, som_of, merged):
    panels = close(plot.som(som_of(2, 2), colors=["red", "lime", "blue", "black"]))
    assert to_rgba(panels.axes[2].lines[0].get_color()) == to_rgba("red")
    ax = close(plot.tree(merged, colors=["red", "lime", "blue"]))
    (lines,) = [a for a in ax.collections if isinstance(a, LineCollection)]
    assert to_rgba("lime") in [tuple(color) for color in lines.get_colors()]


def test_properties_go_to_what_is_drawn(close, draw):
    for name in ("map", "votes", "maps"):
        ax = axes_of(close(draw(name, alpha=0.5, edgecolors="black", lw=0.2)))[-1]
        mesh = next(a for a in ax.collections if isinstance(a, QuadMesh))
        assert mesh.get_alpha() == 0.5
        assert mesh.get_linewidth() == pytest.approx(0.2)
    (lines,) = [a for a in close(draw("tree", linewidths=3)).collections
                if isinstance(a, LineCollection)]  # fmt: skip
    assert set(lines.get_linewidths()) == {3.0}
    line = close(draw("criteria", color="black", marker="s")).axes[0].lines[0]
    assert (line.get_color(), line.get_marker()) == ("black", "s")
    assert close(draw("agreement", alpha=0.5)).images[0].get_alpha() == 0.5


def test_properties_of_points_and_of_their_size(close, draw):
    at = {"lat": ("station", [1.0, 2, 3]), "lon": ("station", [1.0, 2, 3])}
    labels = xr.DataArray([1.0, 2, np.nan], at, ("station",), name="label")
    ax = close(plot.map(labels, s=50, marker="^", alpha=0.4))
    sizes = [
        float(points.get_sizes()[0])
        for points in ax.collections
        if isinstance(points, PathCollection)
    ]
    assert sizes == [25.0, 50.0]
    with pytest.raises(
        ValueError, match=r"s is for scattered points, but the labels are on a grid"
    ):
        draw("map", s=50)


def test_the_scale_of_a_field_needs_one(close, draw, labels_of):
    for option in ({"cmap": "magma"}, {"vmin": 0}, {"vmax": 1}):
        (name,) = option
        with pytest.raises(ValueError, match=rf"{name} is for a continuous field .*background"):
            draw("map", **option)
    with pytest.raises(ValueError, match=r"cmap='magma' has no effect without original"):
        draw("maps", cmap="magma")
    pytest.importorskip("geopandas")
    labels = labels_of(np.arange(35.0, 45), np.arange(-120.0, -105), 3)
    ax = close(plot.map(labels, background=labels / 3, cmap="magma", vmin=-1, vmax=2))
    mesh = next(a for a in ax.collections if isinstance(a, QuadMesh))
    assert (mesh.cmap.name, mesh.get_clim()) == ("magma", (-1, 2))


def test_legends_can_be_left_out(close, draw):
    for name in ("map", "profiles", "summary", "criteria"):
        drawn = close(draw(name, legend=False))
        legends = [ax.get_legend() for ax in axes_of(drawn)]
        assert [legend for legend in legends if legend] + drawn.figure.legends == []
    for name in ("votes", "maps"):
        assert all(ax.child_axes == [] for ax in axes_of(close(draw(name, legend=False))))
    assert len(close(draw("som", legend=False)).figure.axes) == 3
    assert close(draw("tree", legend=False)).get_yticklabels() == []


@pytest.mark.parametrize("name", ["map", "profiles", "summary", "criteria"])
def test_legends_stand_at_a_place(close, draw, name):
    drawn = close(draw(name, legend="lower left"))
    assert drawn.figure.legends == []
    if name != "criteria":  # whose legends say what only some criteria have
        assert axes_of(drawn)[0].get_legend()._loc == 3


def test_summary_shows_the_extent_in_the_projection(close, result_of):
    panels = close(
        plot.summary(result_of(3), projection=ccrs.PlateCarree(), extent=(-118, -110, 36, 42))
    )
    assert isinstance(panels.axes[0].projection, ccrs.PlateCarree)
    assert panels.axes[0].get_extent() == pytest.approx((-118, -110, 36, 42))


def test_panels_write_their_figure(close, result_of, tmp_path):
    panels = close(plot.profiles(result_of(2)))
    panels.savefig(tmp_path / "profiles.png", dpi=40)
    assert (tmp_path / "profiles.png").read_bytes().startswith(b"\x89PNG")
    assert repr(panels) == "<Panels: 2>"
    figure = plt.figure()
    inner = figure.subfigures(1, 2)[0].subplots(1, 2)
    assert close(plot.profiles(result_of(2), axes=inner)).figure is figure
