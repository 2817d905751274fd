import inspect
import re
import traceback
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster import kmeans, sweep
from xvcluster.messages import shown
from xvcluster.plot import cluster_colors, criteria, maps, profiles, som, summary, votes
from xvcluster.plot import map as draw_map

FIGURES = [profiles, summary, som, criteria, maps, votes, draw_map, cluster_colors]
LINES = {"coastlines": False, "borders": False}
QUICK = {summary: LINES, maps: LINES, votes: LINES, draw_map: LINES}
OF_RESULTS, OF_SWEEPS = (profiles, summary, som), (criteria, maps)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("given", [None, np.ones((3, 4)), "result.nc", 3, [1, 2]], ids=str)
def test_figures_say_what_they_draw(figure, given):
    kind = {type(None): "None", str: "the path 'result.nc'"}.get(type(given), type(given).__name__)
    text = rf"(plot\.{figure.__name__} draws|labels must be) .*got {kind}"
    with pytest.raises(TypeError, match=text):
        figure(given)


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_refuse_a_dataset_of_something_else(figure):
    with pytest.raises(ValueError, match=r"variables are x|no variable 'label'"):
        figure(xr.Dataset({"x": 1.0}))


@pytest.mark.parametrize("figure", [*OF_RESULTS, *OF_SWEEPS, votes])
def test_figures_send_labels_to_their_map(figure, labels_of):
    with pytest.raises(TypeError, match=r"got DataArray; labels alone have a map, plot\.map"):
        figure(labels_of([30.0], [10.0]))


def test_figures_take_results_and_sweeps(close, model):
    result, swept = kmeans(model, 3), sweep(model, range(2, 6))
    for figure in (profiles, summary, draw_map):
        close(figure(result))
    np.testing.assert_array_equal(cluster_colors(result), cluster_colors(result.labels))
    for figure in OF_SWEEPS:
        close(figure(swept))
    for figure in OF_RESULTS:
        with pytest.raises(ValueError, match=r"is not one: its variables are .*sweep\.result\(\)"):
            figure(swept)
    with pytest.raises(ValueError, match=r"no labels for each k.*pass result\.sweep"):
        maps(result)
    with pytest.raises(ValueError, match=r"or result\.sweep of a result"):
        criteria(result)
    with pytest.raises(ValueError, match=r"made by 'k-means' and has no nodes"):
        som(result)
    with pytest.raises(
        TypeError, match=r"SweepResult has labels for each k; choose one, e\.g\. sw"
    ):
        draw_map(swept)


@pytest.mark.parametrize("option", ["coastlines", "borders", "gridlines"])
def test_map_refuses_switches_that_are_no_booleans(labels_of, option):
    with pytest.raises(TypeError, match=rf"{option} must be True, False or None; got '50m'"):
        draw_map(labels_of([30.0], [10.0]), **{option: "50m"})


@pytest.mark.parametrize("field", [3, "vs", np.ones((1, 1)), xr.Dataset()], ids=repr)
def test_fields_must_be_arrays(labels_of, sweep_of, field):
    kind = type(field).__name__
    with pytest.raises(TypeError, match=rf"background is of type {kind}; pass a DataArray"):
        draw_map(labels_of([30.0], [10.0]), background=field)
    with pytest.raises(TypeError, match=rf"original is of type {kind}; pass a DataArray"):
        maps(sweep_of(), original=field)


def test_fields_must_be_real_numbers(labels_of):
    labels = labels_of([30.0], [10.0])
    with pytest.raises(TypeError, match=r"background is of type complex128; pass a field of real"):
        draw_map(labels, background=labels.astype(complex))


def test_figures_name_text_of_files_in_one_line():
    with pytest.raises(ValueError, match=re.escape("variables are a b.")):
        profiles(xr.Dataset({"a\x1b\nb": 1.0}))


ODD = [3, -1, np.nan, 1e30, "x", "", b"a", [], {}, [1, 2], (1, 2), object(), len, np.ones(2)]


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_take_odd_options_or_refuse_them_themselves(figure, odd_calls):
    import matplotlib.pyplot as plt

    for name in list(inspect.signature(figure).parameters)[1:]:
        for value in [*ODD, xr.DataArray(1.0), xr.DataArray([1.0, 2.0]), xr.Dataset()]:
            try:
                figure(*odd_calls[figure], **QUICK.get(figure, {}) | {name: value})
            except (TypeError, ValueError) as error:
                refused_in = traceback.extract_tb(error.__traceback__)[-1].filename
                told = (name, shown(value), error)
                assert Path(refused_in).is_relative_to(Path(xvcluster.__file__).parent), told
            finally:
                plt.close("all")


@pytest.fixture
def odd_calls(labels_of, result_of, som_of, sweep_of):
    """What each figure draws, as small as it can be."""
    labels = labels_of([30.0, 31.0], [10.0, 11.0], 2)
    counts = {"votes": labels.expand_dims(cluster=[1]), "n_models": xr.full_like(labels, 4)}
    swept = sweep_of([2]).assign_coords(criterion=["inertia"]).assign(best=("criterion", [2]))
    result = result_of(2, labels=labels)
    sources = [result, result, som_of(1, 2), swept, swept, xr.Dataset(counts), labels, labels]
    return {figure: (source,) for figure, source in zip(FIGURES, sources, strict=True)}
